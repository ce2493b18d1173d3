/**
 * Starts Dash where the page has `<activity-start>`, behind Dash's own scripts.
 *
 * Dash has an inline script there, which a strict Content-Security-Policy forbids. The
 * browser runs an element's code as soon as it meets the element, so nothing waits for the
 * rest of a host's page.
 */
(() => {
  const { activity } = window.dash_clientside;

  const replaceComponents = () => {
    const components = window.dash_core_components;
    const { Graph, Dropdown } = components;
    window.dash_core_components = Object.create(components, {
      Graph: { value: activity.deferredGraph(Graph) },
      Dropdown: { value: activity.deferredDropdown(Dropdown) },
    });
  };

  class Start extends HTMLElement {
    connectedCallback() {
      replaceComponents();
      window.renderer = new window.DashRenderer();
    }
  }
  customElements.define("activity-start", Start);
})();
