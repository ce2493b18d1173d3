/**
 * Saves the files of the buttons "PNG" and "CSV". Their content comes with every answer
 * (dashboard/page/parts/downloads.py).
 */
(() => {
  const { activity } = window.dash_clientside;
  let given = null;

  /** Dash calls this with the downloads of every answer. */
  activity.downloads = (data) => {
    given = data ?? null;
    document.dispatchEvent(new CustomEvent("activity:downloads"));
  };

  /** Layout, scale and file name of a chart's picture. */
  activity.chart = (id) => given?.charts?.[id] ?? null;
  /** Columns, rows and file name of a table. */
  activity.table = (name) => given?.tables?.[name] ?? null;

  /** Save a Blob and confirm it. */
  activity.save = (blob, name) => {
    const safe = name.replace(/[\\/:*?"<>|\u0000-\u001f]+/g, "-");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = safe;
    link.click();
    // Some browsers read it only after the click is over.
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    activity.toast(`Saved ${safe}`);
  };
})();
