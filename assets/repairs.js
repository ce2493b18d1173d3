/**
 * Repairs what Dash's components tell to screen readers and keyboards.
 *
 * Dash 4 calls its radio buttons options of a list box, though they are real radio
 * buttons already, leaves the list of a dropdown without a name, and has the dropdown's
 * button out of the tab order, behind a hidden field that hands the focus on. The frame
 * around the two fields of a range of days claims to be a button, which it is not, and
 * the field for the year in its calendar has no name.
 */
(() => {
  const nameOf = (element) =>
    element.closest(".activity-choice")?.querySelector("label[for]")?.id ?? null;

  // By selector: attributes, and their values or null for none.
  const REPAIRS = {
    ".activity .dash-options-list": { role: () => null },
    ".activity .dash-options-list-option": { role: () => null, "aria-selected": () => null },
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

  const repair = (element, name, wanted) => {
    if (element.getAttribute(name) === wanted) return;
    if (wanted === null) element.removeAttribute(name);
    else element.setAttribute(name, wanted);
  };

  const repairAll = () => {
    for (const [selector, attributes] of Object.entries(REPAIRS)) {
      for (const element of document.querySelectorAll(selector)) {
        for (const [name, valueOf] of Object.entries(attributes)) {
          repair(element, name, valueOf(element));
        }
      }
    }
  };

  new MutationObserver(repairAll).observe(document, {
    childList: true,
    subtree: true,
    attributeFilter: ["role", "aria-selected", "aria-expanded"],
  });
})();
