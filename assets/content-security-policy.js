/**
 * Lets Dash and Plotly work under a strict Content-Security-Policy.
 *
 * Both put style sheets into the page as text, which `style-src 'self'` forbids; rules that
 * are given as objects are allowed. It has to be there before their scripts are, and
 * changes only their elements, not the host's.
 */
(() => {
  const DASH_AND_PLOTLY = ["/_dash-component-suites/", "/assets/plotly-"];

  class StyleSheet extends HTMLElement {
    constructor() {
      super();
      this.sheet = new CSSStyleSheet();
      new MutationObserver(() => this.read()).observe(this, {
        characterData: true,
        childList: true,
        subtree: true,
      });
    }

    connectedCallback() {
      this.hidden = true;
      this.read();
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.sheet];
    }

    disconnectedCallback() {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter(
        (sheet) => sheet !== this.sheet,
      );
    }

    read() {
      // Without text, rules have been put in one by one.
      if (this.textContent) this.sheet.replaceSync(this.textContent);
    }
  }
  customElements.define("activity-style", StyleSheet);

  const isTheirs = () => {
    const { stack } = new Error();
    return DASH_AND_PLOTLY.some((place) => stack.includes(place));
  };
  const { createElement } = document;
  document.createElement = (name, options) => {
    const theirs = String(name).toLowerCase() === "style" && isTheirs();
    return createElement.call(document, theirs ? "activity-style" : name, options);
  };

  // A style attribute is text too; the style of an element is an object.
  const { setAttribute } = Element.prototype;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style" && isTheirs()) this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };
})();
