/**
 * Makes every step through time count, however fast it follows the last.
 *
 * The links to the earlier and the later period are those of the answer on the page. A
 * click before the next answer is there means the link to come, so it waits for that
 * answer. A link that is off leads nowhere.
 */
(() => {
  const STEPS = "#earlier, #later";
  const TIMEOUT_MS = 5_000;
  const { activity } = window.dash_clientside;
  let waiting = []; // Clicks to be made: a link's id, and when it was clicked.
  let stepped = -Infinity; // When a step was made whose answer is not there yet.

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest(STEPS);
      const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
      if (!link || elsewhere) return;
      const early = activity.connection.busy > 0 || Date.now() - stepped < TIMEOUT_MS;
      if (!early && !link.classList.contains("is-off")) {
        stepped = Date.now();
        return;
      }
      event.preventDefault();
      event.stopPropagation();
      if (early) waiting.push({ id: link.id, at: Date.now() });
    },
    true,
  );

  document.addEventListener("activity:freshness", () => {
    stepped = -Infinity;
    waiting = waiting.filter(({ at }) => Date.now() - at < TIMEOUT_MS);
    document.getElementById(waiting.shift()?.id)?.click();
  });
})();
