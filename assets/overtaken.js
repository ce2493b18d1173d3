/**
 * Keeps a choice whose answer is overtaken by the next choice.
 *
 * Who chooses a week and at once a project sends two requests, and Dash drops the answer
 * to the first, which alone says that the week has changed. So the second says it, too.
 */
(() => {
  const ADDRESS = "url.search"; // as in dashboard/page/ids.py
  const { update } = window.dash_clientside.activity.connection;
  let pending = null; // What the request under way says has changed.

  const together = (changed) =>
    // A new address says everything by itself.
    pending && !changed.includes(ADDRESS) ? [...new Set([...pending, ...changed])] : changed;

  const fetch = window.fetch;
  window.fetch = async (resource, options) => {
    const path = new URL(resource.url ?? resource, window.location.href).pathname;
    if (path !== update || typeof options?.body !== "string") return fetch(resource, options);
    const body = JSON.parse(options.body);
    document.dispatchEvent(new CustomEvent("activity:update", { detail: body }));
    const changed = together(body.changedPropIds);
    pending = changed;
    try {
      const merged = JSON.stringify({ ...body, changedPropIds: changed });
      return await fetch(resource, { ...options, body: merged });
    } finally {
      if (pending === changed) pending = null;
    }
  };
})();
