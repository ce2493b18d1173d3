/**
 * What only the browser knows: the viewer's time zone and colour scheme.
 *
 * Dash runs `activity.viewer` once at load, before the first request, and again
 * whenever the colour scheme changes.
 */
(() => {
  const VIEWER_ID = "viewer"; // as in dashboard/ids.py
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  const viewer = () => ({
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
    scheme: dark.matches ? "dark" : "light",
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.activity = { viewer };

  dark.addEventListener("change", () => {
    window.dash_clientside.set_props(VIEWER_ID, { data: viewer() });
  });
})();
