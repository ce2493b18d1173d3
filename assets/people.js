/**
 * Puts the rows of the table of projects and agents into the page.
 *
 * The server writes them as HTML (dashboard/page/parts/agent_table.py), escaped by its template; links
 * in them change the address as Dash's own links do, without loading the page anew.
 */
(() => {
  const TABLE_ID = "projects"; // as in dashboard/page/ids.py
  const URL_ID = "url";

  let shown = null;

  const people = (rows) => {
    const table = document.getElementById(TABLE_ID);
    // Untouched where nothing changed: selections and screen readers stay where they are.
    if (typeof rows === "string" && shown !== rows) {
      shown = rows;
      table.innerHTML = rows;
    }
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest(`#${TABLE_ID} a[href]`);
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
    if (!link || elsewhere) return;
    event.preventDefault();
    const search = link.getAttribute("href");
    window.dash_clientside.set_props(URL_ID, { search: search === "?" ? "" : search });
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.activity = Object.assign(window.dash_clientside.activity || {}, {
    people,
  });
})();
