/**
 * "PNG": saves a chart as it is on the page, with a title, and in one size whatever the
 * window's. Title and size come with every answer (dashboard/pictures/picture.py).
 */
(() => {
  const { activity } = window.dash_clientside;

  const blob = (address) => {
    const bytes = atob(address.slice(address.indexOf(",") + 1));
    return new Blob([Uint8Array.from(bytes, (sign) => sign.charCodeAt(0))], { type: "image/png" });
  };

  /** The address of a picture of a figure, or null where Plotly cannot draw one. */
  const draw = async (figure, options) => {
    const drawing = window.Plotly.toImage(figure, options);
    try {
      return await drawing;
    } catch {
      activity.toast("The picture could not be made");
      return null;
    }
  };

  /** Wait for the newest figure of a chart that may not have been in the view yet. */
  const drawn = () => {
    activity.drawCharts();
    return new Promise((resolve) => setTimeout(resolve));
  };

  const save = async (id) => {
    await drawn();
    const plot = document.getElementById(id)?.querySelector(".js-plotly-plot");
    const about = activity.chart(id);
    if (!plot?.data?.length || !about) {
      activity.toast("There is no chart to save yet");
      return;
    }
    const { layout, scale, filename } = about;
    const { width, height } = layout;
    const figure = { data: plot.data, layout: { ...plot.layout, ...layout } };
    const address = await draw(figure, { format: "png", width, height, scale });
    if (address) activity.save(blob(address), `${filename}.png`);
  };

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-activity-png]");
    if (button) save(button.dataset.activityPng);
  });
})();
