/**
 * Keeps the keyboard's focus in the table of projects and agents.
 *
 * The table is built anew with every answer that differs (agent-table.js), and a focused
 * link is then another element with the same id.
 */
(() => {
  let focused = null; // Id of the link in the table that has the focus.

  document.addEventListener("focusin", ({ target }) => {
    focused = target.closest(".activity-agent-table a")?.id ?? null;
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

  // Runs before the browser paints, so that nothing is seen to jump.
  new MutationObserver(() => {
    if (focused && document.activeElement === document.body) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
  }).observe(document, { childList: true, subtree: true });
})();
