/**
 * "CSV": saves a table in the format of RFC 4180, for spreadsheets and programs alike.
 */
(() => {
  const BOM = "\ufeff"; // Without it, Excel does not read the file as UTF-8.
  const { activity } = window.dash_clientside;

  const cell = (value) => {
    if (value === null || value === undefined) return "";
    let text = String(value);
    // A spreadsheet would run what begins like a formula, and names come from anywhere.
    if (typeof value === "string" && /^[=+\-@\t\r＝＋－＠]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  const csv = ({ columns, rows }) =>
    BOM + [columns, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-activity-csv]");
    if (!button) return;
    const table = activity.table(button.dataset.activityCsv);
    if (!table) {
      activity.toast("There is no table to save yet");
      return;
    }
    const type = "text/csv;charset=utf-8";
    activity.save(new Blob([csv(table)], { type }), `${table.filename}.csv`);
  });
})();
