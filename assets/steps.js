/**
 * Lets every step through time count, however fast it follows the last.
 *
 * The links to the earlier and the later period are those of the answer that is shown.
 * Who clicks one again before the next answer is there means the link to come. One that
 * is off leads nowhere.
 */
(() => {
  const STEPS = "#earlier, #later";
  const PATIENCE_MS = 5_000;
  const { connection } = window.dash_clientside.activity;
  let waiting = []; // Clicks to be made: a link's id, and when it was meant.
  let stepped = -Infinity; // When a step was made whose answer is not there yet.

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest(STEPS);
      const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
      if (!link || elsewhere) return;
      const early = connection.busy > 0 || Date.now() - stepped < PATIENCE_MS;
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
    waiting = waiting.filter(({ at }) => Date.now() - at < PATIENCE_MS);
    document.getElementById(waiting.shift()?.id)?.click();
  });
})();
