/**
 * On a touch screen the first tap on a bar shows its tooltip, and a second one opens it.
 *
 * With a mouse, pointing at a bar shows its tooltip, and a click opens it at once.
 */
(() => {
  let byTouch = false;
  let tapped = null; // The place on the time axis that was tapped last.

  const holdFirstTap = (plot) => {
    if (plot.holdsFirstTap) return;
    plot.holdsFirstTap = true;
    const { emit } = plot;
    plot.emit = (name, event) => {
      if (name === "plotly_click" && byTouch) {
        const place = String(event.points?.[0]?.x);
        const again = place === tapped;
        tapped = again ? null : place;
        if (!again) return undefined;
      }
      return emit(name, event);
    };
  };

  document.addEventListener(
    "pointerdown",
    ({ target, pointerType }) => {
      byTouch = pointerType === "touch";
      const plot = target.closest?.(".js-plotly-plot");
      if (plot) holdFirstTap(plot);
    },
    true,
  );
})();
