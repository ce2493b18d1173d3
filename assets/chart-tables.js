/**
 * Shows the numbers behind a chart as a table, built when the viewer unfolds it.
 */
(() => {
  const HOLDER = "[data-activity-table]";
  const { activity } = window.dash_clientside;

  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children.map((child) => child ?? ""));
    return made;
  };

  const cells = (row) =>
    row.map((value, index) =>
      index ? element("td", {}, value) : element("th", { scope: "row" }, value),
    );

  const table = ({ columns, rows }) =>
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name))),
      ),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...cells(row)))),
    );

  const fill = (holder) => {
    const given = activity.table(holder.dataset.activityTable);
    if (!given || !holder.closest("details")?.open) return;
    // It scrolls, so a keyboard must be able to reach it.
    holder.tabIndex = 0;
    holder.setAttribute("role", "region");
    holder.setAttribute("aria-label", "The chart's numbers");
    holder.replaceChildren(table(given));
  };

  // "toggle" does not bubble.
  document.addEventListener(
    "toggle",
    ({ target }) => target.querySelectorAll?.(HOLDER).forEach(fill),
    true,
  );
  document.addEventListener("activity:downloads", () => {
    document.querySelectorAll(HOLDER).forEach(fill);
  });
})();
