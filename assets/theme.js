/**
 * The colours: light, dark, or those of the system.
 *
 * A remembered choice has to hold before anything is painted. A host may set `data-theme`
 * itself; the page then follows the host.
 */
(() => {
  const KEY = "activity-theme";
  const LABELS = { light: "Light", dark: "Dark", system: "As the system" };
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const { activity } = window.dash_clientside;

  const chosen = () => {
    const theme = root.dataset.theme;
    return theme === "light" || theme === "dark" ? theme : "system";
  };
  activity.scheme = () => (chosen() === "system" ? (dark.matches ? "dark" : "light") : chosen());

  const choose = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };

  // The first step away from the system's colours is one that can be seen.
  const next = () => {
    const circle = dark.matches ? ["system", "light", "dark"] : ["system", "dark", "light"];
    return circle[(circle.indexOf(chosen()) + 1) % circle.length];
  };

  const remembered = activity.recall(KEY);
  if (remembered) choose(remembered);

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-activity-theme]");
    if (!button) return;
    const theme = button.dataset.activityTheme || next();
    choose(theme);
    activity.remember(KEY, theme === "system" ? null : theme);
    activity.toast(`Colours: ${LABELS[chosen()].toLowerCase()}`);
  });

  const changed = () => document.dispatchEvent(new CustomEvent("activity:scheme"));
  dark.addEventListener("change", changed);
  new MutationObserver(changed).observe(root, { attributeFilter: ["data-theme"] });
  // Another tab of this page.
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === KEY) choose(newValue);
  });
})();
