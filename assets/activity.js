/**
 * What only the browser knows: the viewer's time zone and colour scheme.
 *
 * Dash runs `activity.viewer` once at load, before the first request, and again
 * whenever the colour scheme changes. A time zone that the viewer chooses on the page
 * is remembered for the next visit; one that a link names is not.
 */
(() => {
  const VIEWER_ID = "viewer"; // as in dashboard/page/ids.py
  const ZONE_ID = "zone";
  const KEY = "activity-zone";
  const activity = ((window.dash_clientside ??= {}).activity ??= {});

  const exists = (zone) => {
    try {
      return Boolean(zone && Intl.DateTimeFormat("en", { timeZone: zone }));
    } catch {
      return false;
    }
  };

  const own = () => {
    const remembered = activity.recall(KEY);
    if (exists(remembered)) return remembered;
    return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  };

  /** The zone of the shown times: the address's, else the viewer's. */
  activity.zone = () => {
    const named = new URLSearchParams(window.location.search).get("tz");
    return exists(named) ? named : own();
  };

  activity.viewer = () => ({ zone: own(), scheme: activity.scheme() });

  // What the server is asked because of the zone's dropdown is the viewer's own choice; an
  // answer or an address may set it, too.
  document.addEventListener("activity:update", ({ detail: { changedPropIds, inputs } }) => {
    if (!changedPropIds.includes(`${ZONE_ID}.value`)) return;
    const { value } = inputs.flat().find(({ id }) => id === ZONE_ID);
    if (exists(value)) activity.remember(KEY, value);
  });

  let last = activity.scheme();
  document.addEventListener("activity:scheme", () => {
    if (activity.scheme() === last) return;
    last = activity.scheme();
    window.dash_clientside.set_props(VIEWER_ID, { data: activity.viewer() });
  });
})();
