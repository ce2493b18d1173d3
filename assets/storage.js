/**
 * Remembers the viewer's choices in this browser.
 *
 * Every script puts what others need on the object `activity`. Dash looks there, too, for
 * the functions that it calls in the browser.
 */
(() => {
  const activity = ((window.dash_clientside ??= {}).activity ??= {});

  // Storage can be forbidden; then a choice holds for this page only.
  activity.recall = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };

  activity.remember = (key, value) => {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch {
      // Nothing is lost but the memory.
    }
  };
})();
