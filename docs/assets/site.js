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

// What Material adds to code when it gets to it: buttons, and notes.
function nameNotesAndButtons() {
  for (const link of document.querySelectorAll(".md-annotation__index:not([aria-label])"))
    link.setAttribute("aria-label", `Note ${link.firstChild.dataset.mdAnnotationId}`);
  document.querySelectorAll(".md-code__nav").forEach((nav, i) => {
    if (!nav.ariaLabel) nav.ariaLabel = `Code ${i + 1}`;
  });
}
const watcher = new MutationObserver(nameNotesAndButtons);
watcher.observe(document.body, { childList: true, subtree: true });

// Paper cannot be unfolded: what is folded is printed open.
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll(".md-content details:not([open])"))
    Object.assign(folded, { open: true }).classList.add("opened-to-print");
});
addEventListener("afterprint", () => {
  for (const opened of document.querySelectorAll(".opened-to-print"))
    Object.assign(opened, { open: false }).classList.remove("opened-to-print");
});
