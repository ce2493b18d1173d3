/**
 * Shows a notice while the server cannot be reached, or no longer lets the viewer in.
 *
 * All numbers come with one kind of request, and every few seconds another asks whether
 * there are new ones (live-updates.js). Whether the last of each was answered tells how
 * things are.
 */
(() => {
  const NOTICE_ID = "connection"; // as in dashboard/page/ids.py
  const TIMEOUT_MS = 20_000;
  /** Longest time in which an answer is still about to be drawn; some answers change nothing. */
  const DRAWING_MS = 5_000;
  const AWAY =
    "The server does not answer. What you see may be out of date; trying again every few seconds.";
  const REFUSED = "The server did not accept a request.";
  const ENDED = "You are no longer logged in.";
  const BLOCKED =
    "The picture could not be made: this server's Content-Security-Policy lacks img-src blob:.";
  const { activity } = window.dash_clientside;

  const reload = () => ({
    namespace: "dash_html_components",
    type: "A",
    props: { children: "Reload this page to go on", href: window.location.href },
  });

  const readPrefix = () =>
    JSON.parse(document.getElementById("_dash-config").textContent).requests_pathname_prefix;

  // Until Dash is there, which comes after its configuration, no request is Dash's.
  let prefix = null;
  const address = (name) => {
    if (window.DashRenderer) prefix ??= readPrefix();
    return prefix && `${prefix}${name}`;
  };

  /**
   * Where to ask, how many updates are under way, when one was answered that Dash has not drawn
   * yet, and whether the last one got lost.
   */
  const connection = {
    updateAddress: () => address("_dash-update-component"),
    versionAddress: () => address("version"),
    busy: 0,
    answered: null,
    failed: false,
    /** Whether an update is under way or not drawn yet: the page is still the one before. */
    updating: () =>
      connection.busy > 0 ||
      (connection.answered !== null && performance.now() - connection.answered < DRAWING_MS),
  };
  activity.connection = connection;

  const away = new Set(); // What does not answer.

  /** Grey what is known only of the present while something of the server is away. */
  connection.mark = (name, isAway) => {
    if (isAway) away.add(name);
    else away.delete(name);
    document.querySelector(".activity")?.classList.toggle("is-away", away.size > 0);
  };

  const notices = {};
  let shown = "";
  const note = (request, text) => {
    notices[request] = text;
    if (request === connection.updateAddress()) connection.failed = text === AWAY;
    connection.mark(request, text === AWAY);
    const notice = Object.values(notices).find(Boolean) ?? "";
    if (notice === shown) return;
    shown = notice;
    const children = [REFUSED, ENDED].includes(notice) ? [notice, " ", reload(), "."] : notice;
    window.dash_clientside.set_props(NOTICE_ID, { children });
  };

  // A redirection, to a login for example, is not followed and has the status 0.
  const isRefused = ({ ok, status }) => !ok && status !== 304 && status < 500;
  const noticeOf = (response) => {
    if (response.status >= 500) return AWAY;
    return isRefused(response) ? REFUSED : "";
  };

  const send = (fetch, resource, options = {}) => {
    const headers = new Headers(options.headers);
    for (const [name, value] of activity.csrf.headers()) headers.set(name, value);
    return fetch(resource, { ...options, headers, redirect: "manual" });
  };

  // A token may have expired, or another tab has got a new one: once more, with a new one.
  const sendOrRenew = async (fetch, resource, options) => {
    const response = await send(fetch, resource, options);
    if (!isRefused(response)) return { response, notice: noticeOf(response) };
    const session = await activity.csrf.renew();
    if (session === "ended") return { response, notice: ENDED };
    if (session === "away") return { response, notice: AWAY };
    const again = await send(fetch, resource, options);
    return { response: again, notice: noticeOf(again) };
  };

  activity.network.intercept(async (fetch, resource, options) => {
    const request = new URL(resource.url ?? resource, window.location.href).pathname;
    const isUpdate = request === connection.updateAddress();
    const isOurs = isUpdate || request === connection.versionAddress();
    if (!isOurs) return fetch(resource, options);
    const timer = setTimeout(note, TIMEOUT_MS, request, AWAY);
    if (isUpdate) connection.busy += 1;
    try {
      const { response, notice } = await sendOrRenew(fetch, resource, options);
      note(request, notice);
      if (isUpdate && response.ok) connection.answered = performance.now();
      return response;
    } catch (failure) {
      // A request that the page itself has given up tells nothing.
      const lost = activity.network.hasCaused(failure) && failure.name !== "AbortError";
      if (lost) note(request, AWAY);
      throw failure;
    } finally {
      clearTimeout(timer);
      if (isUpdate) connection.busy -= 1;
    }
  });

  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    if (effectiveDirective === "img-src" && blockedURI.startsWith("blob")) note("picture", BLOCKED);
  });
})();
