/**
 * Makes every step through time count, however fast it follows the last.
 *
 * The links to the earlier and the later period or hour are those of the answer on the page. A
 * click before the next answer is there means the link to come, so it waits until that
 * answer is drawn, however long the server takes. A link that is off leads nowhere.
 */
(() => {
  const STEPS = "#earlier, #later, #hour-before, #hour-after";
  const TIMEOUT_MS = 5_000;
  const { activity } = window.dash_clientside;
  let waiting = []; // Ids of the links that were clicked before their time.
  let left = null; // The links when the last step was made, and when that was.
  let stepped = -Infinity;

  const links = () => [...document.querySelectorAll(STEPS)].map(({ href }) => href).join(" ");

  /** Whether the links are about to be others. Dash asks for the answer a moment after a step. */
  const isEarly = () =>
    activity.connection.updating() || (links() === left && Date.now() - stepped < TIMEOUT_MS);

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest(STEPS);
      const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
      if (!link || elsewhere) return;
      const early = isEarly();
      if (!early && !link.classList.contains("is-off")) {
        [left, stepped] = [links(), Date.now()];
        return;
      }
      event.preventDefault();
      event.stopPropagation();
      if (early) waiting.push(link.id);
    },
    true,
  );

  document.addEventListener("activity:freshness", () => {
    // Where the answer got lost, nobody wants the steps after it any more.
    if (activity.connection.failed) waiting = [];
    if (!waiting.length || isEarly()) return;
    document.getElementById(waiting.shift())?.click();
  });
})();
