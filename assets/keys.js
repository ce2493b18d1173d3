/**
 * The page by single keys, and the list of them.
 *
 * A key is left to whoever it belongs to: a field that is typed in, the browser's own
 * shortcuts, and arrows to any control that has the focus. The keys can be switched off,
 * for those whose voice or tremor types letters.
 */
(() => {
  const SETTING = "activity-keys";
  const OFF = "off";
  const activity = window.dash_clientside.activity;
  const { recall, remember } = activity;

  const click = (selector) => () => document.querySelector(selector)?.click();
  const chooseWindow = (name) => click(`#window input[value="${name}"]`);

  // Key: what it does, in words and in deed, and whether a control keeps it to itself.
  const KEYS = {
    t: ["Today", click("#today")],
    ArrowLeft: ["Earlier", click("#earlier"), true],
    ArrowRight: ["Later", click("#later"), true],
    d: ["Day", chooseWindow("day")],
    w: ["Week", chooseWindow("week")],
    m: ["Month", chooseWindow("month")],
    // Its list has the field to search in, which gets the focus.
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
      ...Object.entries(KEYS).map(([key, [words]]) =>
        element(
          "div",
          {},
          element("dt", {}, element("kbd", {}, SHOWN[key] ?? key)),
          element("dd", {}, words),
        ),
      ),
    );

  const toggle = () => {
    const box = element("input", { type: "checkbox" });
    box.checked = recall(SETTING) !== OFF;
    box.addEventListener("change", () => remember(SETTING, box.checked ? null : OFF));
    return element("label", {}, box, "Use these keys");
  };

  const open = () => {
    const dialog = element(
      "dialog",
      { class: "activity-keys", "aria-labelledby": "activity-keys-title" },
      element("h2", { id: "activity-keys-title" }, "Keys"),
      list(),
      toggle(),
      element("form", { method: "dialog" }, element("button", { class: "activity-tool" }, "Close")),
    );
    dialog.addEventListener("close", () => dialog.remove());
    document.querySelector(".activity").append(dialog);
    dialog.showModal();
  };

  // A dropdown of Dash begins to search with any letter that its button gets.
  const TYPED_IN = "textarea, select, dialog, [role=dialog], [role=listbox], .dash-dropdown";
  const isTypedIn = (target) =>
    target.isContentEditable ||
    target.closest(TYPED_IN) ||
    (target.matches("input") && !target.matches("[type=radio], [type=checkbox], [type=button]"));
  const hasFocus = () => !document.activeElement?.matches("body, main, html");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.defaultPrevented || event.repeat || recall(SETTING) === OFF) return;
    const [, act, onlyFree] = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? [];
    if (!act || isTypedIn(event.target) || (onlyFree && hasFocus())) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-activity-keys]")) open();
  });
})();
