/**
 * The viewer's time zone and colour scheme, which only the browser knows.
 *
 * The first request, of first-answer.js, carries both, and another follows whenever the
 * colour scheme changes. A time zone that the viewer chooses on the page is remembered
 * for the next visit; one from a link is not.
 */
(() => {
  const VIEWER_ID = "viewer"; // as in dashboard/page/ids.py
  const ZONE_ID = "zone";
  const KEY = "activity-zone";
  const UTC = "UTC";
  const { activity } = window.dash_clientside;

  // The first use of Intl costs a twentieth of a second; not every browser has Temporal.
  const { Temporal } = window;
  const system = () =>
    Temporal ? Temporal.Now.timeZoneId() : Intl.DateTimeFormat().resolvedOptions().timeZone;
  const use = (zone) =>
    Temporal ? Temporal.Now.zonedDateTimeISO(zone) : Intl.DateTimeFormat("en", { timeZone: zone });

  const exists = (zone) => {
    try {
      return Boolean(zone && use(zone));
    } catch (failure) {
      if (failure instanceof RangeError) return false;
      throw failure;
    }
  };

  const own = () => {
    const remembered = activity.recall(KEY);
    if (exists(remembered)) return remembered;
    // "Etc/Unknown" where the system's zone is not known; no function accepts it.
    const zone = system();
    return exists(zone) ? zone : UTC;
  };

  /** The zone of the times on the page: the one of the answer, before it the viewer's. */
  activity.zone = () => {
    const shown = activity.shownZone() ?? own();
    return exists(shown) ? shown : UTC;
  };

  let scheme = null; // As the server knows it.
  activity.viewer = () => {
    scheme = activity.scheme();
    return { zone: own(), scheme };
  };

  // A request that the zone's dropdown has caused carries the viewer's own choice; an answer
  // or an address may set the dropdown, too.
  document.addEventListener("activity:update", ({ detail: { changedPropIds, inputs } }) => {
    if (!changedPropIds.includes(`${ZONE_ID}.value`)) return;
    const { value } = inputs.flat().find(({ id }) => id === ZONE_ID);
    if (exists(value)) activity.remember(KEY, value);
  });

  // Before the first answer is on the page, Dash may not be there yet.
  const follow = () => {
    if (scheme === activity.scheme() || !activity.shownZone()) return;
    window.dash_clientside.set_props(VIEWER_ID, { data: activity.viewer() });
  };
  document.addEventListener("activity:scheme", follow);
  document.addEventListener("activity:freshness", follow);
})();
