// A fold marked data-open-wide stands open where there is room beside the content.
const wide = matchMedia("(min-width: 992px)");
const unfold = (root) => {
  for (const fold of root.querySelectorAll("details[data-open-wide]")) fold.open = wide.matches;
};
unfold(document);
wide.addEventListener("change", () => unfold(document));
document.addEventListener("htmx:load", (event) => unfold(event.detail.elt.parentElement ?? document));
