/**
 * Says so while the server cannot be reached, or no longer lets us in.
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
  const REFUSED = "The server did not accept a request.";
  const ENDED = "You are no longer logged in.";
  const BLOCKED =
    "The picture could not be made: this server's Content-Security-Policy lacks img-src blob:.";

  const reload = () => ({
    namespace: "dash_html_components",
    type: "A",
    props: { children: "Reload this page to go on", href: window.location.href },
  });

  let said = "";
  const say = (text) => {
    if (text === said) return;
    said = text;
    const children = [REFUSED, ENDED].includes(text) ? [text, " ", reload(), "."] : text;
    window.dash_clientside.set_props(NOTICE_ID, { children });
  };

  // A redirection, to a login say, is not followed and has the status 0.
  const isRefused = ({ ok, status }) => !ok && status < 500;
  const verdict = (response) => {
    if (response.status >= 500) return AWAY;
    return isRefused(response) ? REFUSED : "";
  };

  const fetch = window.fetch;
  const send = (resource, options = {}) => {
    const headers = new Headers(options.headers);
    for (const [name, value] of window.activitySession.headers()) headers.set(name, value);
    return fetch(resource, { ...options, headers, redirect: "manual" });
  };

  // A token may have grown old, or another tab has got a new one: once more, with a new one.
  const sendOrRenew = async (resource, options) => {
    const response = await send(resource, options);
    if (!isRefused(response)) return { response, said: verdict(response) };
    const session = await window.activitySession.renew();
    if (session === "ended") return { response, said: ENDED };
    if (session === "away") return { response, said: AWAY };
    const again = await send(resource, options);
    return { response: again, said: verdict(again) };
  };

  window.fetch = async (resource, options) => {
    const url = String(resource.url ?? resource);
    if (!url.includes(REQUEST)) return fetch(resource, options);
    const late = setTimeout(say, PATIENCE_MS, AWAY);
    try {
      const answer = await sendOrRenew(resource, options);
      say(answer.said);
      return answer.response;
    } catch (failure) {
      // A request that the page itself has given up tells nothing.
      if (failure.name !== "AbortError") say(AWAY);
      throw failure;
    } finally {
      clearTimeout(late);
    }
  };

  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    if (effectiveDirective === "img-src" && blockedURI.startsWith("blob")) say(BLOCKED);
  });
})();
