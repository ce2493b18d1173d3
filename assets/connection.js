/**
 * Says so while the server cannot be reached, or no longer lets us in.
 *
 * Every number comes from one kind of request, and every few seconds another asks
 * whether there are new ones (live.js), so that whether the last of each was answered
 * tells how things are.
 */
(() => {
  const NOTICE_ID = "connection"; // as in dashboard/page/ids.py
  const config = JSON.parse(document.getElementById("_dash-config").textContent);
  const UPDATE = `${config.requests_pathname_prefix}_dash-update-component`;
  const VERSION = `${config.requests_pathname_prefix}version`;
  const PATIENCE_MS = 20_000;
  const AWAY =
    "The server does not answer. What you see may be out of date; trying again every few seconds.";
  const REFUSED = "The server did not accept a request.";
  const ENDED = "You are no longer logged in.";
  const BLOCKED =
    "The picture could not be made: this server's Content-Security-Policy lacks img-src blob:.";

  const reload = () => ({
    namespace: "dash_html_components",
    type: "A",
    props: { children: "Reload this page to go on", href: window.location.href },
  });

  /** For others: where to ask, updates under way, and whether the last one got lost. */
  const state = { update: UPDATE, version: VERSION, busy: 0, failed: false };
  const activity = ((window.dash_clientside ??= {}).activity ??= {});
  activity.connection = state;

  const verdicts = {};
  let said = "";
  const say = (request, text) => {
    verdicts[request] = text;
    if (request === UPDATE) state.failed = text === AWAY;
    const all = Object.values(verdicts).find(Boolean) ?? "";
    if (all === said) return;
    said = all;
    const children = [REFUSED, ENDED].includes(all) ? [all, " ", reload(), "."] : all;
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
    const request = new URL(resource.url ?? resource, window.location.href).pathname;
    if (request !== UPDATE && request !== VERSION) return fetch(resource, options);
    const late = setTimeout(say, PATIENCE_MS, request, AWAY);
    if (request === UPDATE) state.busy += 1;
    try {
      const answer = await sendOrRenew(resource, options);
      say(request, answer.said);
      return answer.response;
    } catch (failure) {
      // A request that the page itself has given up tells nothing.
      if (failure.name !== "AbortError") say(request, AWAY);
      throw failure;
    } finally {
      clearTimeout(late);
      if (request === UPDATE) state.busy -= 1;
    }
  };

  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    if (effectiveDirective === "img-src" && blockedURI.startsWith("blob")) say("picture", BLOCKED);
  });
})();
