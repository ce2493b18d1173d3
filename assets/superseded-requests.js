/**
 * Keeps every choice until an answer shows it.
 *
 * A viewer who chooses a week and at once a project sends two requests, and Dash drops the
 * answer to the first, which alone says that the week has changed. So the second says it,
 * too. A choice whose request got lost, because the server or its database was away, is in
 * the next request in the same way.
 */
(() => {
  const ADDRESS = "url.search"; // as in dashboard/page/ids.py
  const TICK = "tick.data";
  const { activity } = window.dash_clientside;
  let pending = []; // The changes that no answer on the page shows yet.

  const together = (changed) =>
    // A new address says everything by itself.
    changed.includes(ADDRESS) ? changed : [...new Set([...pending, ...changed])];

  /** All choices are made: live-updates.js has an answer with numbers on the page. */
  activity.choicesMade = () => {
    pending = [];
  };

  activity.network.intercept(async (fetch, resource, options) => {
    const path = new URL(resource.url ?? resource, window.location.href).pathname;
    const isUpdate = path === activity.connection.updateAddress();
    if (!isUpdate || typeof options?.body !== "string") return fetch(resource, options);
    const body = JSON.parse(options.body);
    document.dispatchEvent(new CustomEvent("activity:update", { detail: body }));
    const changed = together(body.changedPropIds);
    pending = changed.filter((name) => name !== TICK);
    return fetch(resource, { ...options, body: JSON.stringify({ ...body, changedPropIds: changed }) });
  });
})();
