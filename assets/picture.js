/**
 * "PNG": the chart as it is shown, at twice the resolution of a screen, with a title
 * that says what it is, and in one size whatever the window's.
 */
(() => {
  const WIDTH = 1200;
  const HEIGHT = 500;
  const SCALE = 2;
  const TITLE_PX = 72; // What the title needs above the chart.
  const activity = window.dash_clientside.activity;

  // Plotly reads tags in texts; a project may be called anything.
  const plain = (text) =>
    String(text).replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

  const titled = (layout, { title, subtitle }) => ({
    ...layout,
    autosize: false,
    width: WIDTH,
    height: HEIGHT,
    margin: { ...layout.margin, t: (layout.margin?.t ?? 40) + TITLE_PX },
    title: {
      text: plain(title),
      subtitle: { text: plain(subtitle), font: { size: 13 } },
      font: { size: 18 },
      x: 0,
      xref: "container",
      xanchor: "left",
      y: 1,
      yref: "container",
      yanchor: "top",
      pad: { l: 24, t: 22 },
    },
  });

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
    const figure = { data: plot.data, layout: titled(plot.layout, about) };
    const size = { format: "png", width: WIDTH, height: HEIGHT, scale: SCALE };
    activity.save(blob(await window.Plotly.toImage(figure, size)), `${about.filename}.png`);
  };

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-activity-png]");
    if (!button) return;
    save(button.dataset.activityPng).catch(() => activity.say("The picture could not be made"));
  });
})();
