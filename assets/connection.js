/**
 * Says so while the server cannot be reached.
 *
 * Every number comes from one kind of request, at least once a minute, so that whether
 * the last of them was answered tells how things are.
 */
(() => {
  const NOTICE_ID = "connection"; // as in dashboard/ids.py
  const REQUEST = "/_dash-update-component";
  const PATIENCE_MS = 20_000;
  const AWAY =
    "The server does not answer. What you see may be out of date; trying again every minute.";
  const REFUSED = "The server did not accept a request. Reload this page to go on.";

  let said = "";
  const say = (text) => {
    if (text === said) return;
    said = text;
    window.dash_clientside.set_props(NOTICE_ID, { children: text });
  };

  const verdict = ({ ok, status, redirected }) => {
    if (status >= 500) return AWAY;
    return ok && !redirected ? "" : REFUSED;
  };

  const fetch = window.fetch;
  window.fetch = async (resource, options) => {
    const url = String(resource.url ?? resource);
    if (!url.includes(REQUEST)) return fetch(resource, options);
    const late = setTimeout(say, PATIENCE_MS, AWAY);
    try {
      const response = await fetch(resource, options);
      say(verdict(response));
      return response;
    } catch (failure) {
      // A request that the page itself has given up tells nothing.
      if (failure.name !== "AbortError") say(AWAY);
      throw failure;
    } finally {
      clearTimeout(late);
    }
  };
})();
