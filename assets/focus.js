/**
 * Keeps the keyboard's focus in place when an answer replaces what has it.
 *
 * The table and the links of an hour are built anew with every answer that differs, and a
 * focused link is then another element with the same id. A link that leads to a project, an agent or
 * a wider scope is gone where it led to; the heading there gets the focus. So does the heading
 * of the chart when a link to or from one of its hours is gone.
 */
(() => {
  const SCOPE_LINKS = '#projects a:is([id^="project-"], [id^="agent-"]), #crumbs a';
  const ZOOM_LINKS = "#minutes, #whole-period";
  const heading = () => document.querySelector("#crumbs h2");
  let zooming = false; // Whether such a link had the focus when it was followed.
  let focused = null; // Id of the link of the table or an hour that has the focus.
  let left = null; // The name of the scope that a link has just led away from.
  let byKeyboard = false;

  document.addEventListener("focusin", ({ target }) => {
    focused = target.closest(".activity-agent-table a, #hour a")?.id ?? null;
  });

  // Focus that the viewer took away is not to come back; focus that was lost because its
  // element left the page is. Browsers tell of both before the element is gone.
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (!relatedTarget && target.isConnected && document.hasFocus()) {
      setTimeout(() => {
        if (target.isConnected && focused === target.id) focused = null;
      });
    }
  });

  document.addEventListener(
    "click",
    ({ target, detail }) => {
      left = target.closest(SCOPE_LINKS) ? heading()?.textContent : null;
      byKeyboard = detail === 0;
      zooming = target.matches(ZOOM_LINKS) && document.activeElement === target;
    },
    true,
  );

  const isLost = () => document.activeElement === document.body;

  // Runs before the browser paints, so that nothing is seen to jump.
  new MutationObserver(() => {
    const arrived = left !== null && heading() && heading().textContent !== left;
    if (arrived) {
      left = null;
      focused = null;
      heading().focus({ preventScroll: !byKeyboard });
    } else if (zooming && isLost()) {
      zooming = false;
      focused = null;
      document.getElementById("chart-title").focus({ preventScroll: true });
    } else if (focused && isLost()) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
  }).observe(document, { childList: true, subtree: true, characterData: true });
})();
