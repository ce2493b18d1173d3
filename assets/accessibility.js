/**
 * Corrects what Dash's components tell screen readers and keyboards.
 *
 * Dash 4 gives its radio buttons, which are real ones, the role of options in a list box,
 * leaves the list of a dropdown without a name, and takes the dropdown's button out of the
 * tab order, behind a hidden field that hands the focus on. The frame around the two fields
 * of a range of days claims to be a button, which it is not, and the field for the year in
 * its calendar has no name. A chosen name that is cut shows itself on hover.
 */
(() => {
  const nameOf = (element) =>
    element.closest(".activity-choice")?.querySelector("label[for]")?.id ?? null;

  // By selector: attributes and their values, null for attributes to be removed.
  const CORRECTIONS = {
    ".activity .dash-options-list": { role: () => null },
    ".activity .dash-options-list-option": { role: () => null, "aria-selected": () => null },
    ".activity .dash-dropdown-value": { title: ({ textContent }) => textContent },
    ".activity .dash-dropdown": { tabindex: () => "0", "aria-haspopup": () => "dialog" },
    ".activity .dash-dropdown-content": { "aria-labelledby": nameOf },
    ".activity .dash-datepicker-input-wrapper": {
      role: () => "group",
      "aria-label": () => "Range of days",
      "aria-labelledby": () => null,
      "aria-expanded": () => null,
      "aria-haspopup": () => null,
    },
    ".activity .dash-datepicker-content": { "aria-label": () => "Calendar" },
    ".activity .dash-datepicker-content input[type=number]": { "aria-label": () => "Year" },
    // The figure has a summary in words; its labels one by one make no sense.
    ".activity .main-svg": { "aria-hidden": () => "true" },
  };

  const correct = (element, name, wanted) => {
    if (element.getAttribute(name) === wanted) return;
    if (wanted === null) element.removeAttribute(name);
    else element.setAttribute(name, wanted);
  };

  const correctAll = () => {
    for (const [selector, attributes] of Object.entries(CORRECTIONS)) {
      for (const element of document.querySelectorAll(selector)) {
        for (const [name, valueOf] of Object.entries(attributes)) {
          correct(element, name, valueOf(element));
        }
      }
    }
  };

  new MutationObserver(correctAll).observe(document, {
    childList: true,
    subtree: true,
    characterData: true,
    attributeFilter: ["role", "aria-selected", "aria-expanded"],
  });
})();
