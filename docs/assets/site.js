// Names and keyboard access where Material leaves them out.

document.querySelector(".md-search")?.setAttribute("aria-label", "Search");

// Material searches when a key is let go; a mouse or a finger pastes without any.
const field = document.querySelector(".md-search__input");
field?.addEventListener("input", () => field.dispatchEvent(new Event("keyup")));

// On a narrow screen the navigation is a drawer, and what opens it and its parts are
// labels, which the Tab key passes over; the theme takes Enter for those that it does not.
const narrow = matchMedia("(max-width: 76.234375em)");
const opener = document.querySelector('.md-header__button[for="__drawer"]');
opener?.append(Object.assign(document.createElement("span"), {
  className: "visually-hidden", textContent: "Navigation",
}));
function reachHandles() {
  const chapters = document.querySelectorAll('.md-nav--primary label[for^="__nav_"]');
  for (const handle of [opener, ...chapters]) {
    if (narrow.matches) handle.tabIndex = 0;
    else handle.removeAttribute("tabindex");
  }
}
if (opener) {
  reachHandles();
  narrow.addEventListener("change", reachHandles);
}

// Who goes to another section goes through a page whose boxes all have their heights.
document.addEventListener("click", ({ target }) => {
  if (target.closest?.("a[href*='#']"))
    document.documentElement.classList.remove("from-top");
}, true);

// A tap where a button for copying is not seen yet shows it, no more.
let unseen; // the buttons on which a tap has begun that were not seen then
document.addEventListener("pointerdown", ({ target }) => {
  const nav = target.closest?.(".md-code__nav");
  unseen = nav && getComputedStyle(nav).opacity < 0.5 ? nav : undefined;
}, true);
document.addEventListener("click", (event) => {
  if (!event.detail || !unseen?.contains(event.target)) return; // a key has no detail
  event.stopPropagation();
  event.preventDefault();
}, true);

// A box that scrolls can be reached, and scrolled, with the keyboard. (Material says so
// of code, but not where there is no mouse.)
const BOXES =
  "pre > code, .output pre, .output--html, .md-typeset__scrollwrap, div.arithmatex";
function makeReachable(box) {
  const scrolls =
    box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  if (scrolls && box.tabIndex !== 0) box.tabIndex = 0;
  if (!scrolls) box.removeAttribute("tabindex");
}
const sizes = new ResizeObserver((boxes) => {
  for (const { target } of boxes) makeReachable(target);
});
const changes = new MutationObserver((boxes) => {
  for (const { target } of boxes) makeReachable(target);
});
const known = new WeakSet();
function watchBoxes() {
  for (const box of document.querySelectorAll(BOXES)) {
    if (known.has(box)) continue;
    known.add(box);
    sizes.observe(box);
    changes.observe(box, { attributeFilter: ["tabindex"] });
  }
}
watchBoxes();

// What Material adds to code when it gets to it: buttons, and notes.
function nameNotesAndButtons() {
  for (const link of document.querySelectorAll(".md-annotation__index:not([aria-label])"))
    link.setAttribute("aria-label", `Note ${link.firstChild.dataset.mdAnnotationId}`);
  document.querySelectorAll(".md-code__nav").forEach((nav, i) => {
    if (!nav.ariaLabel) nav.ariaLabel = `Code ${i + 1}`;
  });
}
const watcher = new MutationObserver(() => {
  nameNotesAndButtons();
  watchBoxes(); // Material wraps tables late
});
watcher.observe(document.body, { childList: true, subtree: true });
