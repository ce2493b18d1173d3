/**
 * The strip of what agents do now: who waits for the viewer, and for how long.
 *
 * It comes with every answer of Dash. In between, live-updates.js tells when the server has
 * another one, which is then fetched by itself: nothing else of the page changes. What is
 * unfolded, focused or pointed at stays so. The clocks in it run here.
 */
(() => {
  const STRIP_ID = "now"; // as in dashboard/page/ids.py
  const STATES_ID = "states";
  const SECOND_MS = 1_000;
  const TIMEOUT_MS = 10_000;
  const MOST_IN_ICON = 100; // Shown as "99+".
  const { activity } = window.dash_clientside;

  let shown = null; // Digest of the strip on the page.
  let asked = null; // Digest of the strip that is on its way.
  let title = null; // The document's own title.

  const strip = () => document.getElementById(STRIP_ID);
  const two = (number) => String(number).padStart(2, "0");

  /** A time as a clock: "0:07", "12:05", "3:00:21". */
  const clock = (ms) => {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    const rest = two(seconds % 60);
    return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
  };

  const run = () => {
    for (const element of strip()?.querySelectorAll("[data-since]") ?? []) {
      const text = clock(activity.now() - Date.parse(element.dataset.since));
      if (element.textContent !== text) element.textContent = text;
    }
  };

  /** The number in the tab: in its title, and in its icon if that is ours. */
  const entitle = (waiting) => {
    title ??= document.title;
    document.title = waiting ? `(${waiting}) ${title}` : title;
    const icon = document.querySelector("link[data-activity-icon]");
    const number = Math.min(waiting, MOST_IN_ICON);
    icon?.setAttribute("href", icon.getAttribute("href").replace(/\d+\.svg$/, `${number}.svg`));
  };

  /** What identifies an element of one strip in the next. */
  const keyOf = (element) => {
    const entry = element?.closest?.(".activity-now-entry");
    const agent = entry?.querySelector("[data-agent]")?.dataset.agent;
    if (agent) return `[data-agent="${agent}"]`;
    const fold = element?.closest?.("details")?.dataset.fold;
    return fold ? `[data-fold="${fold}"] > summary` : null;
  };

  const replace = (element, html) => {
    const open = [...element.querySelectorAll("details[open]")].map(({ dataset }) => dataset.fold);
    const focused = element.contains(document.activeElement) && keyOf(document.activeElement);
    element.innerHTML = html;
    for (const fold of open) {
      const details = element.querySelector(`[data-fold="${fold}"]`);
      if (details) details.open = true;
    }
    if (focused) element.querySelector(focused)?.focus({ preventScroll: true });
  };

  /** Dash calls this with the strip of every answer; it is null while there is none. */
  activity.now_strip = (found) => {
    const element = strip();
    if (!found || !element || found.digest === shown) return;
    shown = found.digest;
    replace(element, found.html);
    entitle(found.waiting);
    run();
  };

  const fetchStrip = async (digest) => {
    if (asked === digest) return;
    asked = digest;
    try {
      const address = activity.connection.versionAddress().replace(/version$/, "now");
      const { search } = window.location;
      const response = await fetch(`${address}${search}`, {
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!response.ok) return;
      const found = await activity.network.noted(response.json());
      activity.now_strip(found);
      // Meanwhile another view may have been chosen, whose answer brings its own counts.
      if (search !== window.location.search) return;
      window.dash_clientside.set_props(STATES_ID, { children: found.states });
    } catch (failure) {
      if (!activity.network.hasCaused(failure)) throw failure;
    } finally {
      asked = null;
    }
  };

  document.addEventListener("activity:version", ({ detail }) => {
    if (shown && detail.now && detail.now !== shown) fetchStrip(detail.now);
  });

  /** Focus the next agent that waits, from the one that has the focus. */
  activity.nextWaiting = () => {
    const waiting = [...(strip()?.querySelectorAll(".is-waiting [data-agent]") ?? [])];
    const visible = waiting.filter((link) => link.checkVisibility());
    const at = visible.indexOf(document.activeElement);
    visible[(at + 1) % visible.length]?.focus();
  };

  document.addEventListener("click", async ({ target }) => {
    const command = target.closest("[data-command]")?.dataset.command;
    if (!command) return;
    if (await activity.copy(command)) activity.toast("Command copied");
    else window.prompt("The command that resumes this session:", command);
  });

  setInterval(run, SECOND_MS);
})();
