/**
 * Shows how new the numbers are, by the viewer's clock, and when others come: "updated 14:05,
 * live by events", or "next in 3 min" where changes are not imported at once. Or that the
 * aggregator is away once it has missed two passes.
 */
(() => {
  const ELEMENT_ID = "freshness"; // as in dashboard/page/ids.py
  const INTERVAL_MS = 5_000;
  const MINUTE_MS = 60_000;
  const PASSES_MISSED = 2;
  const { activity } = window.dash_clientside;

  const format = (at, options) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: activity.zone(), ...options }).format(at);

  /** "14:05", with the day in front where that is not today. */
  const clock = (at) => {
    const day = { weekday: "short", day: "numeric", month: "short" };
    const time = format(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return format(at, day) === format(activity.now(), day) ? time : `${format(at, day)}, ${time}`;
  };

  const until = (next) => {
    const left = next - activity.now();
    if (left <= 0) return "next any moment";
    return left < MINUTE_MS ? "next in <1 min" : `next in ${Math.ceil(left / MINUTE_MS)} min`;
  };

  const TOLD = {
    events: "The system tells of changed transcripts at once",
    polling: "Transcripts are looked at every second",
  };

  /** When there may be other numbers; nothing before the server has said how it learns of them. */
  const ahead = (live, next) => {
    if (live === undefined) return "";
    return `, ${TOLD[live] ? `live by ${live}` : until(next)}`;
  };

  const explanation = ({ live, reason }) =>
    [TOLD[live], reason].filter(Boolean).join(", because: ");

  /** The text, and whether the aggregator is late. */
  const describe = ({ version, live, reachable }) => {
    if (!version) return ["", false];
    if (!version.last_pass_at) return ["no pass yet", false];
    const last = Date.parse(version.last_pass_at);
    const next = Date.parse(version.next_pass_at);
    if (!reachable) return [`updated ${clock(last)}`, false];
    const missed = activity.now() > next + PASSES_MISSED * (next - last);
    return missed
      ? [`no pass since ${clock(last)}`, true]
      : [`updated ${clock(last)}${ahead(live, next)}`, false];
  };

  const write = () => {
    const element = document.getElementById(ELEMENT_ID);
    if (!element) return;
    const freshness = activity.freshness();
    const [text, late] = describe(freshness);
    if (element.textContent !== text) element.textContent = text;
    element.title = explanation(freshness);
    element.classList.toggle("is-late", late);
  };

  setInterval(write, INTERVAL_MS);
  document.addEventListener("activity:freshness", write);
})();
