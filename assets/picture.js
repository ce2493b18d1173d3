/**
 * "PNG": the chart as it is shown, with a title that says what it is, and in one size
 * whatever the window's. Both come with every answer (dashboard/pictures.py).
 */
(() => {
  const activity = window.dash_clientside.activity;

  const blob = (address) => {
    const bytes = atob(address.slice(address.indexOf(",") + 1));
    return new Blob([Uint8Array.from(bytes, (sign) => sign.charCodeAt(0))], { type: "image/png" });
  };

  const save = async (id) => {
    const plot = document.getElementById(id)?.querySelector(".js-plotly-plot");
    const about = activity.chart(id);
    if (!plot?.data?.length || !about) {
      activity.say("There is no chart to save yet");
      return;
    }
    const { layout, scale, filename } = about;
    const { width, height } = layout;
    const figure = { data: plot.data, layout: { ...plot.layout, ...layout } };
    const address = await window.Plotly.toImage(figure, { format: "png", width, height, scale });
    activity.save(blob(address), `${filename}.png`);
  };

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-activity-png]");
    if (!button) return;
    save(button.dataset.activityPng).catch(() => activity.say("The picture could not be made"));
  });
})();
