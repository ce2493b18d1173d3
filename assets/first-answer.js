/**
 * Asks for the layout, which has the first answer in it, as soon as the page begins.
 *
 * Dash would ask for it when all scripts are there, and for the numbers after that. So
 * Dash's own request gets this answer; its request for the callbacks gets those that are in
 * the page. Neither is an inline script, which a Content-Security-Policy would forbid.
 */
(() => {
  const CALLBACKS_ID = "activity-callbacks"; // as in dashboard/page/mount.py
  const { activity } = window.dash_clientside;
  // Behind whatever prefix the server has, this script is below the page.
  const page = new URL("../", document.currentScript.src);
  const addressOf = (name) => new URL(name, page).pathname;

  const ask = () => {
    const { zone, scheme } = activity.viewer();
    return fetch(`${addressOf("_dash-layout")}${window.location.search}`, {
      cache: "no-store",
      headers: { "X-Activity-Zone": zone, "X-Activity-Scheme": scheme },
    });
  };

  const asked = ask();
  // A failure belongs to Dash, once it asks.
  asked.catch(() => {});

  activity.network.intercept(async (fetch, resource, options) => {
    const { pathname } = new URL(resource.url ?? resource, window.location.href);
    if (pathname === addressOf("_dash-layout")) return asked;
    const callbacks = document.getElementById(CALLBACKS_ID);
    if (pathname !== addressOf("_dash-dependencies") || !callbacks) return fetch(resource, options);
    return new Response(callbacks.textContent, { headers: { "Content-Type": "application/json" } });
  });
})();
