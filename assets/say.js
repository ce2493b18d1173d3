/**
 * Confirms what a button has done, in a line that is seen for a moment and heard.
 */
(() => {
  const SHOWN_MS = 4_000;
  const activity = window.dash_clientside.activity;

  // A screen reader hears what changes in a region that it knows already.
  const region = document.createElement("div");
  region.className = "activity-said";
  region.setAttribute("role", "status");
  document.body.append(region);

  let timer;
  activity.say = (text) => {
    clearTimeout(timer);
    region.textContent = text;
    region.classList.add("is-shown");
    timer = setTimeout(() => {
      region.classList.remove("is-shown");
      region.textContent = "";
    }, SHOWN_MS);
  };
})();
