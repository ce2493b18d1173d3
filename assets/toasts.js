/**
 * Confirms what a button has done, in a line that is shown for a moment and read out by
 * screen readers.
 */
(() => {
  const SHOWN_MS = 4_000;
  const { activity } = window.dash_clientside;

  // A screen reader reads out what changes in a region that it knows already.
  const region = document.createElement("div");
  region.className = "activity-toast";
  region.setAttribute("role", "status");
  document.addEventListener("DOMContentLoaded", () => document.body.append(region));

  let timer;
  activity.toast = (text) => {
    clearTimeout(timer);
    region.textContent = text;
    region.classList.add("is-shown");
    timer = setTimeout(() => {
      region.classList.remove("is-shown");
      region.textContent = "";
    }, SHOWN_MS);
  };
})();
