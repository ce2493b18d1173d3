/**
 * "CSV": a table as RFC 4180 has it, for spreadsheets as much as for programs.
 */
(() => {
  const BOM = "\ufeff"; // Without it, Excel takes UTF-8 for something else.
  const activity = window.dash_clientside.activity;

  const cell = (value) => {
    if (value === null || value === undefined) return "";
    let text = String(value);
    // A spreadsheet would run what begins like a formula, and names come from anywhere.
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  const csv = ({ columns, rows }) =>
    BOM + [columns, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-activity-csv]");
    if (!button) return;
    const table = activity.table(button.dataset.activityCsv);
    if (!table) {
      activity.say("There is no table to save yet");
      return;
    }
    const type = "text/csv;charset=utf-8";
    activity.save(new Blob([csv(table)], { type }), `${table.filename}.csv`);
  });
})();
