/**
 * The files behind the buttons "PNG" and "CSV": what they hold comes with every answer
 * (dashboard/page/parts/tables.py and pictures.py), and how a browser saves it is here.
 */
(() => {
  const activity = window.dash_clientside.activity;
  let given = null;

  /** Dash calls this with every answer's store. */
  activity.tables = (data) => {
    given = data ?? null;
    document.dispatchEvent(new CustomEvent("activity:downloads"));
  };

  /** What makes a picture of a chart; or columns, rows and file name of a table. */
  activity.chart = (id) => given?.charts?.[id] ?? null;
  activity.table = (name) => given?.tables?.[name] ?? null;

  /** Saves a Blob and says so. */
  activity.save = (blob, name) => {
    const safe = name.replace(/[\\/:*?"<>|\u0000-\u001f]+/g, "-");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = safe;
    link.click();
    // Some browsers read it only after the click is over.
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    activity.say(`Saved ${safe}`);
  };
})();
