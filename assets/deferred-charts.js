/**
 * Draws the first chart in the view at once and the next after it has been painted; charts
 * outside of the view when they come near it, or when the browser has nothing else to do.
 * Print and pictures have all of them at once.
 *
 * Dash finds its components by name, so this one takes the place of its graph, and passes on
 * the newest properties as soon as they are to be drawn.
 */
(() => {
  const PLOTLY_ID = "activity-plotly"; // as in dashboard/page/mount.py
  const MARGIN_PX = 300;
  // What is in the view is drawn by then.
  const PATIENCE_MS = 500;
  const { activity } = window.dash_clientside;
  const held = new Set(); // What draws a chart that is held back.
  let isPainting = false; // A chart has been drawn and not been painted yet.
  const whenIdle = window.requestIdleCallback ?? ((run) => setTimeout(run));

  const isInView = (frame) => {
    const { top, bottom, height } = frame.getBoundingClientRect();
    return height > 0 && top < window.innerHeight && bottom > 0;
  };

  /** Call a function when a frame comes near the view, or later; returns what calls it off. */
  const later = (frame, draw) => {
    const observer = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && draw(),
      { rootMargin: `${MARGIN_PX}px` },
    );
    observer.observe(frame);
    const timer = setTimeout(() => whenIdle(() => held.has(draw) && draw()), PATIENCE_MS);
    held.add(draw);
    return () => {
      observer.disconnect();
      clearTimeout(timer);
      held.delete(draw);
    };
  };

  const plotly = () =>
    new Promise((resolve) => {
      if (window.Plotly) resolve();
      else document.getElementById(PLOTLY_ID).addEventListener("load", resolve);
    });

  /**
   * Have React load a component that it would load when it is first used: it would show the
   * page without it then, and come back to it behind everything else.
   */
  const load = (Component) => {
    const root = window.ReactDOM.createRoot(document.createElement("div"));
    window.ReactDOM.flushSync(() => root.render(window.React.createElement(Component)));
    root.unmount();
    return Component._dashprivate_isLazyComponentReady;
  };

  /** Return a component that stands for Dash's graph. */
  activity.deferredGraph = (Graph) => {
    const { createElement, useLayoutEffect, useReducer, useRef } = window.React;
    const waiting = new Set(); // What asks again for charts that were asked for too early.
    let isReady = false;
    const start = async () => {
      // Without Plotly, the graph would ask for Dash's own copy.
      await plotly();
      await load(Graph);
      isReady = true;
      [...waiting].forEach((render) => render());
    };
    start();

    const DeferredGraph = (props) => {
      const [times, render] = useReducer((count) => count + 1, 0);
      const shown = useRef(null); // The properties that are drawn.
      const isDue = useRef(false);
      if (isDue.current) shown.current = props;
      isDue.current = false;
      const isShown = shown.current === props;
      useLayoutEffect(() => {
        if (isShown) return undefined;
        const draw = () => {
          isDue.current = true;
          render();
        };
        if (!isReady) {
          waiting.add(render);
          return () => waiting.delete(render);
        }
        const frame = document.getElementById(props.id).parentElement;
        if (isPainting || !isInView(frame)) return later(frame, draw);
        isPainting = true;
        requestAnimationFrame(() => (isPainting = false));
        draw();
        return undefined;
      }, [props, isShown, times]);
      const { id, className } = props;
      return shown.current
        ? createElement(Graph, shown.current)
        : createElement("div", { id, className });
    };
    // Properties may come at any time.
    return Object.assign(DeferredGraph, { _dashprivate_isLazyComponentReady: true });
  };

  /** Draw all charts now. */
  activity.drawCharts = () => {
    window.ReactDOM?.flushSync(() => [...held].forEach((draw) => draw()));
  };
  window.addEventListener("beforeprint", activity.drawCharts);
})();
