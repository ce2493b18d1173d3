/**
 * Starts Dash where the page has `<activity-start>`, behind Dash's own scripts.
 *
 * Dash has an inline script there, which a strict Content-Security-Policy forbids. The
 * browser runs an element's code as soon as it meets the element, so nothing waits for the
 * rest of a host's page.
 */
(() => {
  class Start extends HTMLElement {
    connectedCallback() {
      window.renderer = new window.DashRenderer();
    }
  }
  customElements.define("activity-start", Start);
})();
