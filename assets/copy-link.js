/**
 * "Copy link": copies an address that shows the same time in the same zone to everybody who
 * opens it, anywhere and at any time.
 */
(() => {
  const { activity } = window.dash_clientside;
  const LAST_24_HOURS = "last-24-hours";
  const HOUR_MS = 3_600_000;

  const endOfHour = () => {
    const end = new Date((Math.floor(activity.now() / HOUR_MS) + 1) * HOUR_MS);
    return `${end.toISOString().slice(0, 16)}Z`;
  };

  const today = (zone) => {
    const parts = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    }).formatToParts(activity.now());
    const of = (type) => parts.find((part) => part.type === type).value;
    return `${of("year")}-${of("month")}-${of("day")}`;
  };

  const address = () => {
    const url = new URL(window.location.href);
    const given = url.searchParams;
    const zone = activity.zone();
    const period = given.get("window") ?? (given.has("on") ? "day" : LAST_24_HOURS);
    // Without a zone an address means the viewer's own, without an end it means now.
    if (period === LAST_24_HOURS && !given.has("until")) given.set("until", endOfHour());
    if (![LAST_24_HOURS, "custom"].includes(period) && !given.has("on")) {
      given.set("on", today(zone));
    }
    given.set("tz", zone);
    url.search = given.toString().replace(/%(2F|2C|3A)/g, decodeURIComponent);
    url.hash = "";
    return url.href;
  };

  /** For pages without TLS, which have no clipboard: select a text and copy that. */
  const copySelected = (text) => {
    const field = document.createElement("textarea");
    const focused = document.activeElement;
    field.value = text;
    field.className = "activity-unseen";
    document.querySelector(".activity").append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return copied;
  };

  const copy = async (text) => {
    if (navigator.clipboard) {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch {
        // Not allowed; copying a selection may be.
      }
    }
    return copySelected(text);
  };

  activity.copy = copy;

  document.addEventListener("click", async ({ target }) => {
    if (!target.closest("[data-activity-copy]")) return;
    const text = address();
    if (await copy(text)) activity.toast("Link copied");
    else window.prompt("The link to this view:", text);
  });
})();
