/**
 * Tells failures of the network from defects of scripts.
 *
 * Both reject a promise, most of them with a TypeError. A failure of the network is
 * expected, and whoever asks says so on the page. A defect belongs in the console, where
 * Dash, which catches whatever its requests throw, does not put it.
 */
(() => {
  const { activity } = window.dash_clientside;
  const failures = new WeakSet();
  const reported = new WeakSet();

  /** Pass on a promise that only the network can fail. */
  const noted = async (promise) => {
    try {
      return await promise;
    } catch (failure) {
      if (failure instanceof Error) failures.add(failure);
      throw failure;
    }
  };

  const report = (failure) => {
    if (!(failure instanceof Error) || failures.has(failure) || reported.has(failure)) return;
    reported.add(failure);
    reportError(failure);
  };

  /** Let a function answer all requests of the page; it gets the `fetch` of before. */
  const intercept = (answer) => {
    const { fetch } = window;
    window.fetch = async (resource, options) => {
      try {
        return await answer(fetch, resource, options);
      } catch (failure) {
        report(failure);
        throw failure;
      }
    };
  };
  intercept((fetch, resource, options) => noted(fetch(resource, options)));

  activity.network = { intercept, noted, hasCaused: (failure) => failures.has(failure) };
})();
