/**
 * Keeps the page up to date without reloading it.
 *
 * While the page is seen it asks every few seconds how new the server's numbers are,
 * and at once when it comes back into sight or the network does. Only when they differ
 * from what is shown, or time alone has made that wrong, are they read anew: one
 * request, like that of a control.
 */
(() => {
  const TICK_ID = "tick"; // as in dashboard/page/ids.py
  const EVERY_MS = 15_000;
  const PATIENCE_MS = 10_000;
  /** Many agents may fall idle one after the other; once a minute is enough. */
  const AT_MOST_EVERY_MS = 60_000;

  const activity = window.dash_clientside.activity;
  const { connection } = activity;
  let shown = null; // Version of the answer on the page.
  let newest = null; // What the server said last; for freshness.js, too.
  let ahead = 0; // By how much the server's clock is ahead of ours, in ms.
  let reachable = true;
  let looking = false;
  let missed = false; // Whether the server was there and its database was not.
  let refreshed = 0;
  let ticks = 0;

  /** The present by the server's clock, in milliseconds. */
  activity.now = () => Date.now() + ahead;

  /** How new the page is, for those who say so: see freshness.js. */
  activity.freshness = () => ({ version: sameNumbers() ? newest : (shown ?? newest), reachable });

  const sameNumbers = () => shown && newest && shown.changed_at === newest.changed_at;
  const at = (instant) => (instant ? Date.parse(instant) : -Infinity);

  const note = (version) => {
    // An answer that was overtaken tells nothing new.
    if (!version || (newest && at(version.as_of) < at(newest.as_of))) return;
    newest = version;
    ahead = at(version.as_of) - Date.now();
  };

  const outdated = () => {
    if (connection.failed || missed || !sameNumbers()) return true;
    const stale = shown.stale_at && activity.now() >= at(shown.stale_at);
    return stale && Date.now() - refreshed >= AT_MOST_EVERY_MS;
  };

  // A request of a control that is under way would be overtaken, and its choice lost.
  const refresh = () => {
    if (!newest || connection.busy || !outdated()) return;
    refreshed = Date.now();
    ticks += 1;
    window.dash_clientside.set_props(TICK_ID, { data: ticks });
  };

  const look = async () => {
    if (looking || document.hidden) return;
    looking = true;
    try {
      const response = await fetch(connection.version, {
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      reachable = response.ok && !response.redirected;
      missed ||= response.status >= 500;
      if (reachable) {
        note(await response.json());
        refresh();
      }
    } catch {
      reachable = false; // connection.js says so.
    } finally {
      looking = false;
      document.dispatchEvent(new CustomEvent("activity:freshness"));
    }
  };

  /** Dash calls this with the version of every answer that it has drawn. */
  activity.shown = (version) => {
    shown = version ?? null;
    reachable = true;
    missed = false;
    note(shown);
    document.dispatchEvent(new CustomEvent("activity:freshness"));
  };

  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("online", look);
  window.addEventListener("pageshow", ({ persisted }) => persisted && look());
})();
