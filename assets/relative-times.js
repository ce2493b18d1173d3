/**
 * Lets "4 min ago" grow older without asking the server: the text of every `<time>` on the
 * page is written anew from its instant, in the wording of dashboard/formatting.py.
 */
(() => {
  const INTERVAL_MS = 10_000;
  const MINUTE_MS = 60_000;
  const HOUR_MS = 60 * MINUTE_MS;
  const DAY_MS = 24 * HOUR_MS;
  const { activity } = window.dash_clientside;

  const ago = (age) => {
    if (age < MINUTE_MS) return "just now";
    if (age < HOUR_MS) return `${Math.floor(age / MINUTE_MS)} min ago`;
    if (age < DAY_MS) return `${Math.floor(age / HOUR_MS)} h ago`;
    const days = Math.floor(age / DAY_MS);
    return `${days} ${days === 1 ? "day" : "days"} ago`;
  };

  const write = () => {
    for (const element of document.querySelectorAll(".activity time[datetime]")) {
      const text = ago(activity.now() - Date.parse(element.dateTime));
      if (element.textContent !== text) element.textContent = text;
    }
  };

  setInterval(write, INTERVAL_MS);
  document.addEventListener("activity:freshness", write);
})();
