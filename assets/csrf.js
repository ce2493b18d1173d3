/**
 * Carries the host's CSRF token, and gets another one when it no longer holds.
 *
 * The token is in the page: in our own data, or in a <meta> element of the host's
 * template. A page may stay open for longer than its token lives; then the page is fetched
 * again, behind the login that guards everything, and the token is read from that copy.
 */
(() => {
  const HOST_ID = "activity-host"; // as in dashboard/page/mount.py
  const { activity } = window.dash_clientside;

  const factsIn = (page) => {
    const data = page.getElementById(HOST_ID);
    if (!data) return null;
    const { headers, meta, token } = JSON.parse(data.textContent).csrf;
    const element = page.querySelector(`meta[name="${CSS.escape(meta)}"]`);
    return { headers, token: token ?? element?.content ?? null };
  };

  let known = null;
  const headers = () => {
    known ??= factsIn(document);
    return known?.token ? known.headers.map((name) => [name, known.token]) : [];
  };

  const fetchPage = async () => {
    // Not following redirections, which may lead to a login on another server.
    const response = await fetch(window.location.pathname, { cache: "no-store", redirect: "manual" });
    if (response.status >= 500) return "away";
    const text = await activity.network.noted(response.text());
    const facts = factsIn(new DOMParser().parseFromString(text, "text/html"));
    // Without them it is a login, or whatever else the host shows instead of the page.
    if (!facts) return "ended";
    known = facts;
    return "renewed";
  };

  // Several requests that are refused together ask once.
  let renewal = null;
  const renew = () => {
    renewal ??= fetchPage().finally(() => {
      renewal = null;
    });
    return renewal;
  };

  activity.csrf = { headers, renew };
})();
