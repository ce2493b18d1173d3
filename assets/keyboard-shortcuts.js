/**
 * Keyboard shortcuts of a single key, and the list of them.
 *
 * A key goes elsewhere first: to a field that is typed in, to the browser's own shortcuts,
 * and arrows to any control that has the focus, unless it is a closed dropdown, which has no
 * use for them. The shortcuts can be switched off, for
 * viewers whose speech input or tremor types letters.
 */
(() => {
  const SETTING = "activity-keys";
  const OFF = "off";
  const { activity } = window.dash_clientside;

  const click = (selector) => () => document.querySelector(selector)?.click();
  const chooseWindow = (name) => click(`#window input[value="${name}"]`);

  // By key: its label, what it does, and whether a control with the focus has it first.
  const KEYS = {
    t: ["Today, or now", click("#today")],
    ArrowLeft: ["Earlier", click("#earlier"), true],
    ArrowRight: ["Later", click("#later"), true],
    h: ["Last 24 hours", chooseWindow("last-24-hours")],
    d: ["Day", chooseWindow("day")],
    w: ["Week", chooseWindow("week")],
    m: ["Month", chooseWindow("month")],
    u: ["Minutes of an hour, or the whole day", click("#minutes, #whole-period")],
    n: ["Next agent that waits for you", () => activity.nextWaiting()],
    // Its list has a search field, which gets the focus.
    "/": ["Search agents", click("#agent")],
    "?": ["Show this list", () => open()],
  };
  const SHOWN = { ArrowLeft: "←", ArrowRight: "→" };

  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  const list = () =>
    element(
      "dl",
      {},
      ...Object.entries(KEYS).map(([key, [label]]) =>
        element(
          "div",
          {},
          element("dt", {}, element("kbd", {}, SHOWN[key] ?? key)),
          element("dd", {}, label),
        ),
      ),
    );

  const toggle = () => {
    const box = element("input", { type: "checkbox" });
    box.checked = activity.recall(SETTING) !== OFF;
    box.addEventListener("change", () => activity.remember(SETTING, box.checked ? null : OFF));
    return element("label", {}, box, "Use these shortcuts");
  };

  const open = () => {
    const dialog = element(
      "dialog",
      { class: "activity-keys", "aria-labelledby": "activity-keys-title" },
      element("h2", { id: "activity-keys-title" }, "Shortcuts"),
      list(),
      toggle(),
      element("form", { method: "dialog" }, element("button", { class: "activity-tool" }, "Close")),
    );
    dialog.addEventListener("close", () => dialog.remove());
    document.querySelector(".activity").append(dialog);
    dialog.showModal();
  };

  const TYPED_IN = "textarea, select, dialog, [role=dialog], [role=listbox]";
  const isTypedIn = (target) =>
    target.isContentEditable ||
    target.closest(TYPED_IN) ||
    (target.matches("input") && !target.matches("[type=radio], [type=checkbox], [type=button]"));
  const WITHOUT_ARROWS = "body, main, html, h2, .dash-dropdown";
  const hasFocus = () => !document.activeElement?.matches(WITHOUT_ARROWS);

  // Before Dash, whose closed dropdowns would begin to search with any letter.
  const answer = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.defaultPrevented || event.repeat || activity.recall(SETTING) === OFF) return;
    const [, act, yields] = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? [];
    if (!act || isTypedIn(event.target) || (yields && hasFocus())) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  document.addEventListener("keydown", answer, true);

  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-activity-keys]")) open();
  });
})();
