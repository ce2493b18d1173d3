/**
 * Closes the page's menus as menus close: on Escape, and on a click or the focus elsewhere.
 *
 * They are `details` elements, which open by themselves and need scripts for nothing else.
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
    if (target.closest(".activity-menu :is([data-activity-keys], a)")) menu().open = false;
  });
})();
