/**
 * Keeps the list of projects as the viewer left it.
 *
 * Dash builds the list anew with every answer, once a minute. What was folded or
 * unfolded by hand stays so, and the keyboard's focus stays where it was.
 */
(() => {
  const LIST = ".activity-projects";
  const folds = new Map(); // Id of a project's element: whether it is open.
  let focused = null; // Selector of the element in the list that has the focus.

  const selectorOf = (element) => {
    const project = `#${element.closest("details").id}`;
    const href = element.getAttribute("href");
    return href ? `${project} a[href="${CSS.escape(href)}"]` : `${project} > summary`;
  };

  // A click is also what the keyboard causes.
  document.addEventListener("click", ({ target }) => {
    const project = target.closest(`${LIST} summary`)?.parentElement;
    if (project) folds.set(project.id, !project.open);
  });

  document.addEventListener("focusin", ({ target }) => {
    focused = target.closest(`${LIST} :is(summary, a)`) ? selectorOf(target) : null;
  });

  // Focus that the viewer took away is not to come back; focus that was lost because its
  // element left the page is. Browsers tell of both before the element is gone.
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (!relatedTarget && target.isConnected && document.hasFocus()) {
      setTimeout(() => {
        if (target.isConnected) focused = null;
      });
    }
  });

  const restore = () => {
    for (const [id, open] of folds) {
      const project = document.getElementById(id);
      if (project && project.open !== open) project.open = open;
    }
    if (focused && document.activeElement === document.body) {
      document.querySelector(focused)?.focus({ preventScroll: true });
    }
  };

  // Runs before the browser paints, so that nothing is seen to jump.
  new MutationObserver(restore).observe(document, { childList: true, subtree: true });
})();
