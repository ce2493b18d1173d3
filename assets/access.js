/**
 * Sends the access token of a link: browsers keep what stands behind a # to themselves, so no
 * log on the way to the server has it. Not part of the page's bundle: it runs before access.
 */
(() => {
  const form = document.getElementById("access");

  const send = () => {
    const token = decodeURIComponent(location.hash.slice(1));
    if (!token) return;
    // The history must not keep it.
    history.replaceState(null, "", location.pathname);
    form.elements.token.value = token;
    form.submit();
  };
  // The link may be opened where this page is open already.
  addEventListener("hashchange", send);
  send();
})();
