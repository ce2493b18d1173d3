/**
 * Keeps the page up to date without reloading it.
 *
 * Every second, or every 15 s while the page is hidden, it asks how new the server's numbers
 * are, and at once when the page is visible again or the network is back. The numbers are read
 * anew only when they differ from those shown, or when time alone has made these wrong:
 * with one request, like that of a control.
 */
(() => {
  const TICK_ID = "tick"; // as in dashboard/page/ids.py
  const INTERVAL_MS = 1_000;
  const HIDDEN_INTERVAL_MS = 15_000;
  const TIMEOUT_MS = 10_000;
  /** Many agents may fall idle one after the other; once a minute is enough. */
  const AT_MOST_EVERY_MS = 60_000;
  /** Numbers that change all the time are read for a fifth of the time at most. */
  const PAUSES = 4;
  /** A busy server gave numbers of a moment before; it needs that long for others. */
  const LATE_MS = 2_000;

  const { activity } = window.dash_clientside;
  let shown = null; // Version of the answer on the page.
  let newest = null; // Version that the server named last.
  let tag = null; // What identifies it to the server.
  let ahead = 0; // By how much the server's clock is ahead of ours, in ms.
  let reachable = true;
  let asking = false;
  let missed = false; // Whether the server was there and its database was not.
  let refreshed = 0;
  let drawn = false; // Whether Dash has drawn any answer.
  let began = null; // When the numbers were last asked for.
  let restUntil = 0;
  let looked = -Infinity;
  let ticks = 0;

  /** The present by the server's clock, in milliseconds. */
  activity.now = () => Date.now() + ahead;

  /** How new the page is, and how the server learns of changes; freshness.js shows it. */
  activity.freshness = () => ({
    version: sameNumbers() ? newest : (shown ?? newest),
    live: newest?.live,
    reason: newest?.live_reason,
    reachable,
  });

  /** The time zone of the answer on the page; undefined before the first. */
  activity.shownZone = () => shown?.zone;

  const sameNumbers = () => shown && newest && shown.changed_at === newest.changed_at;
  const at = (instant) => (instant ? Date.parse(instant) : -Infinity);

  const note = (version) => {
    // An answer older than the newest tells nothing new.
    if (!version || (newest && at(version.as_of) < at(newest.as_of))) return;
    // An answer with numbers does not say how the server learns of changes.
    newest = { ...newest, ...version };
    ahead = at(version.as_of) - Date.now();
    document.dispatchEvent(new CustomEvent("activity:version", { detail: version }));
  };

  const outdated = () => {
    if (activity.connection.failed || missed) return true;
    if (!sameNumbers()) return performance.now() >= restUntil;
    const stale = shown.stale_at && activity.now() >= at(shown.stale_at);
    return stale && Date.now() - refreshed >= AT_MOST_EVERY_MS;
  };

  const refresh = () => {
    // Before its first answer Dash has no layout that could take a property, and a second
    // update would supersede the answer to the first.
    if (!drawn || !newest || activity.connection.updating() || !outdated()) return;
    refreshed = Date.now();
    began = performance.now();
    ticks += 1;
    window.dash_clientside.set_props(TICK_ID, { data: ticks });
  };

  /**
   * The server's version: nothing if it is the last one, and null where something else answers,
   * like a login or an error.
   */
  const ask = async () => {
    const response = await fetch(activity.connection.versionAddress(), {
      cache: "no-store",
      headers: tag ? { "If-None-Match": tag } : {},
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    missed ||= response.status >= 500;
    if (response.status === 304) return undefined;
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    if (!response.ok || response.redirected || !isJson) return null;
    const version = JSON.parse(await activity.network.noted(response.text()));
    tag = response.headers.get("ETag");
    return version;
  };

  const look = async () => {
    if (asking || document.readyState === "loading") return;
    asking = true;
    looked = performance.now();
    try {
      const version = await ask();
      reachable = version !== null;
      note(version);
      if (reachable) refresh();
    } catch (failure) {
      if (!activity.network.hasCaused(failure)) throw failure;
      reachable = false; // connection.js shows it.
    } finally {
      asking = false;
      document.dispatchEvent(new CustomEvent("activity:freshness"));
    }
  };

  /** Lets some time pass after news. */
  const rest = () => {
    if (began === null) return;
    const took = performance.now() - began;
    const late = shown && at(shown.changed_at) < at(newest?.changed_at) ? LATE_MS : 0;
    restUntil = performance.now() + Math.max(PAUSES * took, late);
    began = null;
  };

  /** Dash calls this with the version of every answer that it has drawn. */
  activity.shown = (version) => {
    shown = version ?? null;
    drawn = true;
    activity.connection.answered = null;
    rest();
    reachable = true;
    missed = false;
    if (shown) activity.choicesMade();
    // Without numbers, the server was there and its database was not.
    activity.connection.mark("database", !shown);
    note(shown);
    document.dispatchEvent(new CustomEvent("activity:freshness"));
  };

  setInterval(() => {
    const every = document.hidden ? HIDDEN_INTERVAL_MS : 0;
    if (performance.now() - looked >= every) look();
  }, INTERVAL_MS);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("online", look);
  window.addEventListener("pageshow", ({ persisted }) => persisted && look());
})();
