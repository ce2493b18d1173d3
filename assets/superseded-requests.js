/**
 * Keeps a choice whose request the next choice supersedes.
 *
 * A viewer who chooses a week and at once a project sends two requests, and Dash drops the
 * answer to the first, which alone says that the week has changed. So the second says it,
 * too.
 */
(() => {
  const ADDRESS = "url.search"; // as in dashboard/page/ids.py
  const { activity } = window.dash_clientside;
  let pending = null; // The changes that the request under way names.

  const together = (changed) =>
    // A new address says everything by itself.
    pending && !changed.includes(ADDRESS) ? [...new Set([...pending, ...changed])] : changed;

  activity.network.intercept(async (fetch, resource, options) => {
    const path = new URL(resource.url ?? resource, window.location.href).pathname;
    const isUpdate = path === activity.connection.updateAddress();
    if (!isUpdate || typeof options?.body !== "string") return fetch(resource, options);
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
  });
})();
