/**
 * Draws charts outside of the view later: when they come near it, or when the browser has
 * nothing else to do. Print and pictures have all of them at once.
 *
 * Dash finds its components by name, so this one takes the place of its graph, and passes on
 * the newest properties as soon as they are to be drawn.
 */
(() => {
  const MARGIN_PX = 300;
  // What is in the view is drawn by then.
  const PATIENCE_MS = 500;
  const { activity } = window.dash_clientside;
  const held = new Set(); // What draws a chart that is held back.
  const whenIdle = window.requestIdleCallback ?? ((run) => setTimeout(run));

  const isNear = (frame) => {
    const { top, bottom } = frame.getBoundingClientRect();
    return top < window.innerHeight + MARGIN_PX && bottom > -MARGIN_PX;
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

  /** Return a component that stands for Dash's graph. */
  activity.deferredGraph = (Graph) => {
    const { createElement, useLayoutEffect, useReducer, useRef } = window.React;

    const DeferredGraph = (props) => {
      const [, render] = useReducer((times) => times + 1, 0);
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
        const frame = document.getElementById(props.id).parentElement;
        if (!isNear(frame)) return later(frame, draw);
        draw();
        return undefined;
      }, [props, isShown]);
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
