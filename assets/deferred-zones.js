/**
 * Fills the list of time zones when the menu that has it is opened.
 *
 * Dash's dropdown builds an index of its 600 options when it is drawn, though hardly
 * anybody opens it. Until then an empty element stands for it.
 */
(() => {
  const ZONE_ID = "zone"; // as in dashboard/page/ids.py
  const { activity } = window.dash_clientside;

  /** Return a component that stands for Dash's dropdown. */
  activity.deferredDropdown = (Dropdown) => {
    const { createElement, useEffect, useRef, useState } = window.React;

    const Deferred = (props) => {
      const [isOpened, open] = useState(false);
      const place = useRef(null);
      useEffect(() => {
        const menu = place.current?.closest("details");
        if (menu?.open) open(true);
        const opened = () => open(true);
        menu?.addEventListener("toggle", opened);
        return () => menu?.removeEventListener("toggle", opened);
      }, []);
      return isOpened
        ? createElement(Dropdown, props)
        : createElement("div", { id: props.id, ref: place });
    };

    const DeferredDropdown = (props) =>
      createElement(props.id === ZONE_ID ? Deferred : Dropdown, props);
    return Object.defineProperty(DeferredDropdown, "_dashprivate_isLazyComponentReady", {
      get: () => Dropdown._dashprivate_isLazyComponentReady,
    });
  };
})();
