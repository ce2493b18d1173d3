/**
 * Puts the rows of the table of projects and agents into the page.
 *
 * The server sends them as HTML, escaped by its template (dashboard/page/parts/
 * agent_table.py). Links in them change the address as Dash's own links do, without
 * loading the page anew.
 */
(() => {
  const TABLE_ID = "projects"; // as in dashboard/page/ids.py
  const STRIP_ID = "now"; // now-strip.js
  const URL_ID = "url";
  const { activity } = window.dash_clientside;

  let shown = null;

  /** Dash calls this with the rows of every answer. */
  activity.agent_table = (rows) => {
    // Untouched where nothing changed: selections and screen readers stay where they are.
    if (typeof rows !== "string" || shown === rows) return;
    shown = rows;
    document.getElementById(TABLE_ID).innerHTML = rows;
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest(`#${TABLE_ID} a[href], #${STRIP_ID} a[href]`);
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
    if (!link || elsewhere) return;
    event.preventDefault();
    const search = link.getAttribute("href");
    window.dash_clientside.set_props(URL_ID, { search: search === "?" ? "" : search });
  });
})();
