// Names and keyboard access where Material leaves them out.

document.querySelector(".md-search")?.setAttribute("aria-label", "Search");

// A box that scrolls can be reached, and scrolled, with the keyboard.
const boxes = document.querySelectorAll(
  ".output pre, .output--html, .md-typeset__scrollwrap, div.arithmatex"
);
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const scrolls =
      target.scrollWidth > target.clientWidth ||
      target.scrollHeight > target.clientHeight;
    if (scrolls) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const box of boxes) sizes.observe(box);

// A note in code (Material puts it there when it gets to it) says what it is.
new MutationObserver(() => {
  for (const link of document.querySelectorAll(".md-annotation__index:not([aria-label])"))
    link.setAttribute("aria-label", `Note ${link.firstChild.dataset.mdAnnotationId}`);
}).observe(document.body, { childList: true, subtree: true });
