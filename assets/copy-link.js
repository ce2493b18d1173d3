/**
 * "Copy link": copies an address that shows the same days in the same zone to everybody who
 * opens it, anywhere and at any time.
 */
(() => {
  const { activity } = window.dash_clientside;

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
    // Without a zone an address means the viewer's own, without days it means today.
    if (given.get("window") !== "custom" && !given.has("on")) given.set("on", today(zone));
    given.set("tz", zone);
    url.search = given.toString().replaceAll("%2F", "/").replaceAll("%2C", ",");
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

  document.addEventListener("click", async ({ target }) => {
    if (!target.closest("[data-activity-copy]")) return;
    const text = address();
    if (await copy(text)) activity.toast("Link copied");
    else window.prompt("The link to this view:", text);
  });
})();
