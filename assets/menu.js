/**
 * Closes the page's menu as menus close: on Escape, and on a click or the focus elsewhere.
 *
 * It is a `details` element, which opens by itself and needs the browser for nothing else.
 */
(() => {
  const menu = () => document.querySelector(".activity-menu[open]");
  const isOutside = (open, target) => open && target instanceof Node && !open.contains(target);

  const closeOutside = ({ target }) => {
    const open = menu();
    if (isOutside(open, target)) open.open = false;
  };
  document.addEventListener("pointerdown", closeOutside);
  document.addEventListener("focusin", closeOutside);

  document.addEventListener("keydown", (event) => {
    const open = menu();
    // The list of a dropdown inside it closes first.
    if (event.key !== "Escape" || !open || event.target.closest("[role=dialog], dialog")) return;
    open.open = false;
    open.querySelector("summary").focus();
  });

  // A button of the menu has done its work; what it shows is not to be hidden by the menu.
  document.addEventListener("click", ({ target }) => {
    if (target.closest(".activity-menu [data-activity-keys]")) menu().open = false;
  });
})();
