"""What readers do: search, walk with the keyboard, play, print, read from a disk."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as Late

from browser.browsing import (
    NEXT_PAGE,
    PAGES,
    PHONE,
    ROOT,
    SITE,
    Visit,
    bring,
    drag,
    tab_at,
)

LESSON = "gradient-descent-by-hand.html"
DIGITS = "draw-a-digit.html"
ERRORS = "50_errors_you_will_meet"
ERRORS_PAGE = "errors-you-will-meet.html"
FOUND = ".md-search-result__link"
LONG = 10_000  # ms for one of many searches
MAX_STOPS = 400  # of the Tab key on a page
COUNT_INDEXES = """
window.indexes = 0;
const send = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message) {
  if (message.data?.docs) indexes++;
  return send.call(this, message);
};
"""


# Search -------------------------------------------------------------------------------


def search(tab: Page, words: str) -> Locator:
    """The links that a search finds, pages and their sections in order.

    The words are pasted as with a mouse or a finger: no key is pressed.
    """
    tab.keyboard.press("/")  # Material's key for search
    field, found = tab.locator(".md-search__input"), tab.locator(FOUND)
    field.fill("")  # what was found before goes
    expect(found).to_have_count(0)
    field.fill(words)
    found.first.wait_for()
    return found


def test_search_finds_code_inside_a_page(visit: Visit, base: str) -> None:
    visit.open(base + "index.html")
    search(visit.tab, "w_h")
    visit.tab.keyboard.type("istory")  # first come the answers to half of it
    found = visit.tab.locator(FOUND)
    expect(found.first).to_have_attribute("href", re.compile(LESSON))


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_the_index_is_built_for_who_searches(visit: Visit, base: str) -> None:
    """Not while the page loads, which would keep others waiting."""
    visit.tab.add_init_script(COUNT_INDEXES)
    tab = visit.open(base + "index.html").tab
    assert tab.evaluate("indexes") == 0
    search(tab, "softmax")
    assert tab.evaluate("indexes") == 1
    visit.open(base + "index.html?q=softmax")
    tab.locator(FOUND).first.wait_for()


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_search_for_a_title_finds_the_page(visit: Visit, base: str) -> None:
    """The page itself, before any section, among the first two that are found."""
    visit.open(base + "index.html")
    for page in PAGES:
        if page in ("404.html", "index.html"):
            continue
        heading = re.search(r"<h1[^>]*>(.*?)<a class", (SITE / page).read_text(), re.S)
        assert heading is not None
        search(visit.tab, re.sub("<[^>]*>", "", heading[1]))
        visit.tab.wait_for_function(
            """page => {
              const first = [...document.querySelectorAll(".md-search-result__item")]
                .slice(0, 2).map(item => item.querySelector("a").href);
              return first.some(href => {
                const url = new URL(href);
                return url.pathname.endsWith("/" + page) && !url.hash;
              });
            }""",
            arg=page,
        )


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_search_answers_whatever_is_typed(visit: Visit, base: str) -> None:
    """One letter or digit brings up every word of the index that begins with it."""
    visit.open(base + "index.html")
    for start in "abcdefghijklmnopqrstuvwxyz0123456789":
        search(visit.tab, f"gradient {start}")
        visit.tab.wait_for_timeout(100)
        assert visit.complaints == []


PRINTED = re.compile(r"\w+(?:Error|Warning): .*")
QUOTED = re.compile(r"`(\w+Error: [^`]*)`")
FIRST = """([page, title]) => {
  const links = document.querySelectorAll(".md-search-result__item:first-child a");
  return links.length > 1 && links[1].textContent.startsWith(title)
    && [...links].every(link => new URL(link).pathname.endsWith("/" + page));
}"""


def messages_shown() -> Iterator[tuple[str, str]]:
    """What the page on errors prints and quotes, each with the title of its section."""
    script = (ROOT / "snippets" / f"{ERRORS}.py").read_text()
    recorded = (ROOT / "tests" / "expected" / f"{ERRORS}.txt").read_text()
    for cell in recorded.split("\ncell ")[1:]:
        code = cell.splitlines()[0].partition(": ")[2]
        before = script.partition(f"\n{code}\n")[0]
        for message in PRINTED.findall(cell):
            yield message, before.rpartition("\n# ## ")[2].splitlines()[0]
    for section in script.split("\n# ## ")[1:]:
        for message in QUOTED.findall(section):
            yield message, section.splitlines()[0]


def as_readers_have_it(message: str) -> set[str]:
    """A message as it was recorded, without its class, and with other numbers."""
    return {message, message.partition(": ")[2], re.sub(r"\b\d+", "64", message)}


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_search_for_an_error_message_finds_its_section(visit: Visit, base: str) -> None:
    visit.open(base + "index.html")
    missed, messages = [], list(messages_shown())
    assert len(messages) >= 12  # errors that the page promises
    for message, title in messages:
        for words in as_readers_have_it(message):
            search(visit.tab, words)
            try:
                visit.tab.wait_for_function(
                    FIRST, arg=[ERRORS_PAGE, title], timeout=LONG
                )
            except Late:
                missed.append(words)
    assert missed == []


def test_enter_leads_to_the_section_of_an_error_message(
    visit: Visit, base: str
) -> None:
    """Of one that is pasted with a name and numbers that the page does not show."""
    visit.open(base + "index.html")
    search(visit.tab, "Function 'SqrtBackward7' returned nan values in its 1th output.")
    visit.tab.wait_for_function(FIRST, arg=[ERRORS_PAGE, "Not a number"])
    visit.tab.keyboard.press("Enter")
    expect(visit.tab).to_have_url(re.compile(rf"{ERRORS_PAGE}\b.*#not-a-number$"))


# Keyboard -----------------------------------------------------------------------------

NEXT_STOP = """() => {
  const at = document.activeElement;
  (window.reached ??= new WeakSet()).add(at);
  const shown = at.matches("input[type=radio]") ? at.nextElementSibling : at;
  const box = shown.getBoundingClientRect();
  return {
    tag: at.tagName, text: (at.ariaLabel || at.innerText || "").slice(0, 60),
    isSearch: at.matches(".md-search__scrollwrap"),
    href: at.getAttribute("href"),
    seen: box.width > 1 && box.height > 1 && box.right > 0 && box.left < innerWidth,
    marked: getComputedStyle(shown).outlineStyle !== "none"
      || at.matches(".md-search__input"), // it opens, and has the caret
  };
}"""
UNREACHED = """() => [...document.querySelectorAll(
    "article a[href], article button, article summary, .md-footer a[href]")]
  .filter(e => e.checkVisibility() && !e.matches("[role=toolbar] > :not(:first-child)"))
  .filter(e => !window.reached?.has(e))
  .map(e => e.getAttribute("href") || e.ariaLabel || e.innerText.slice(0, 60))"""


def stops(tab: Page) -> list[dict]:
    """Where the Tab key leads on a page, from its start to its end."""
    found: list[dict] = []
    for _ in range(MAX_STOPS):
        tab.keyboard.press("Tab")
        stop = tab.evaluate(NEXT_STOP)
        if stop["tag"] == "BODY":
            return found
        if not stop["isSearch"]:  # it has opened, and may still be fetching its index
            found.append(stop)
    raise AssertionError(f"more than {MAX_STOPS} stops")


@pytest.mark.parametrize("base", ["http"], indirect=True)
@pytest.mark.parametrize(
    "page",
    ["index.html", LESSON, DIGITS, "rings.html", "lenet.html", "results.html"],
)
def test_keyboard_reaches_everything_and_shows_where_it_is(
    visit: Visit, base: str, page: str
) -> None:
    tab = visit.open(base + page).tab
    found = stops(tab)
    assert found[0]["text"] == "Skip to content"
    assert [stop for stop in found if not (stop["seen"] and stop["marked"])] == []
    assert tab.evaluate(UNREACHED) == []


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_keyboard_opens_the_navigation_of_a_narrow_window(
    visit: Visit, base: str
) -> None:
    """Which is a drawer there; closed, it is passed over."""
    visit.tab.set_viewport_size({"width": 640, "height": 600})
    tab = visit.open(base + LESSON).tab
    found = stops(tab)
    assert [stop for stop in found if not (stop["seen"] and stop["marked"])] == []
    (opener,) = [stop for stop in found if stop["text"].strip() == "Navigation"]
    assert opener["tag"] == "LABEL"
    tab.locator('.md-header__button[for="__drawer"]').press("Enter")
    link = tab.locator(".md-nav--primary a.md-nav__link:visible").first
    expect(link).to_be_in_viewport()


def test_keyboard_leads_to_the_next_page(visit: Visit, base: str) -> None:
    """By the link at the foot of a page; `test_files.py` follows all of them."""
    tab = visit.open(base + LESSON).tab
    link = tab.locator(NEXT_PAGE)
    following = link.get_attribute("href")
    link.focus()
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    assert tab.url == base + str(following)


def test_solution_unfolds_with_the_keyboard(visit: Visit, base: str) -> None:
    tab = visit.open(base + LESSON).tab
    solution = tab.locator("details.solution").first
    solution.locator("summary").focus()
    tab.keyboard.press("Enter")
    assert solution.get_attribute("open") is not None


# Widgets ------------------------------------------------------------------------------


def test_gradient_descent_shows_the_numbers_of_the_page(
    visit: Visit, base: str
) -> None:
    tab = visit.open(base + LESSON).tab
    printed = tab.locator(".output").all_text_contents()
    epochs = re.findall(r"epoch +(\d+) +w (\S+) +loss (\S+)", "\n".join(printed))
    assert [epoch for epoch, *_ in epochs[:3]] == ["1", "2", "3"]
    widget = tab.locator('[data-widget="gradient-descent"]')
    for epoch, w, loss in epochs[:3]:
        widget.get_by_role("button", name="Epoch").press("Enter")
        values = widget.locator("dd").all_inner_texts()
        assert [values[0], values[3], values[4]] == [epoch, w, loss]

    rates = re.findall(r"learning rate (\S+) +w +(\S+)", "\n".join(printed))
    assert len(rates) == 4
    for rate, w in rates:
        widget.get_by_role("button", name=rate, exact=True).press("Enter")
        for _ in range(10):
            widget.get_by_role("button", name="Epoch").press("Enter")
        assert widget.locator("dd").nth(3).inner_text() == w


PLACES = """async ([press, dot]) => {
  const at = () => dot.getAttribute("transform");
  const places = [at()], last = performance.now() + 1500; // milliseconds; an epoch: 750
  press.click();
  while (performance.now() < last) {
    if (at() !== places.at(-1)) places.push(at());
    await new Promise(requestAnimationFrame);
  }
  return places;
}"""


def test_the_dot_moves_for_those_who_like_motion(
    browser: Browser, address: str
) -> None:
    """It runs along the curve to where it lands at once for the others."""
    motions: list[Literal["reduce", "no-preference"]] = ["reduce", "no-preference"]
    ends = []
    for motion in motions:
        with browser.new_context(reduced_motion=motion) as context:
            visit = Visit(context, address)
            tab = visit.open(address + LESSON).tab
            widget = tab.locator('[data-widget="gradient-descent"]')
            press = widget.get_by_role("button", name="Epoch").element_handle()
            dot = widget.locator(".descent-dot").element_handle()
            places = tab.evaluate(PLACES, [press, dot])
            assert visit.complaints == []
        ends.append((places[0], places[-1]))
        assert len(places) == 2 if motion == "reduce" else len(places) > 5, places
    start, end = ends[0]
    assert start != end
    assert ends[1] == (start, end)


def test_digits_are_read_with_the_keyboard(visit: Visit, base: str) -> None:
    widget = visit.open(base + DIGITS).tab.locator('[data-widget="draw-a-digit"]')
    toolbar = widget.get_by_role("toolbar")
    toolbar.get_by_role("button").first.focus()
    for digit in range(10):
        visit.tab.keyboard.press("Enter")
        widget.get_by_text(f"Read as {digit}").first.wait_for()
        visit.tab.keyboard.press("ArrowRight")


def test_a_digit_is_drawn_with_the_mouse(visit: Visit, base: str) -> None:
    tab = visit.open(base + DIGITS).tab
    widget = tab.locator('[data-widget="draw-a-digit"]')
    paper = widget.get_by_role("img", name="Box to draw")
    bring(paper)
    box = paper.bounding_box()
    assert box is not None
    for x, y, press in [(0.5, 0.2, True), (0.5, 0.5, False), (0.5, 0.8, False)]:
        tab.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if press:
            tab.mouse.down()
    tab.mouse.up()
    widget.get_by_text("Read as 1").first.wait_for()
    chances = widget.locator(".draw-number").all_inner_texts()
    assert sum(float(chance.removesuffix(" %")) for chance in chances) == pytest.approx(
        100, abs=0.5
    )


def test_clearing_during_a_stroke_ends_it(visit: Visit, base: str) -> None:
    tab = visit.open(base + DIGITS).tab
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    widget = tab.locator('[data-widget="draw-a-digit"]')
    paper = widget.get_by_role("img", name="Box to draw")
    bring(paper)
    box = paper.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x, y + 40)
    widget.get_by_role("button", name="Clear").press("Enter")
    tab.mouse.move(x, y + 80)  # threw, before
    tab.mouse.up()
    widget.get_by_text("Nothing to read yet").first.wait_for()
    assert errors == []


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_a_digit_is_drawn_with_a_finger(browser: Browser, base: str) -> None:
    """And the page stays where it is."""
    with browser.new_context(**PHONE) as context:
        tab = Visit(context, base).open(base + DIGITS).tab
        widget = tab.locator('[data-widget="draw-a-digit"]')
        paper = widget.get_by_role("img", name="Box to draw")
        bring(paper)
        box, before = paper.bounding_box(), tab.evaluate("scrollY")
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"]
        drag(tab, (x, y + 0.2 * box["height"]), (x, y + 0.8 * box["height"]))
        widget.get_by_text("Read as 1").first.wait_for()
        assert tab.evaluate("scrollY") == before


# Copying ------------------------------------------------------------------------------


def test_a_cell_is_copied_as_its_script_has_it(visit: Visit, base: str) -> None:
    (script,) = (ROOT / "snippets").glob("*_gradient_descent_by_hand.py")
    tab = visit.open(base + LESSON).tab
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    cell = tab.locator("article .highlight pre").first
    cell.get_by_role("button").first.press("Enter")
    expect(tab.locator(".md-dialog")).to_have_text("Copied to clipboard")
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.count("\n") >= 1
    assert f"# %%\n{copied.strip()}\n" in script.read_text(encoding="utf-8")


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_a_tap_shows_the_button_that_copies_before_it_copies(
    browser: Browser, base: str
) -> None:
    with browser.new_context(**PHONE) as context:
        tab = Visit(context, base).open(base + LESSON).tab
        button = tab.locator("article .highlight pre button").first
        bring(button)
        box = button.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        tab.touchscreen.tap(x, y)
        expect(tab.locator(".md-code__nav").first).to_have_css("opacity", "1")
        expect(tab.locator(".md-dialog")).not_to_have_text("Copied to clipboard")
        tab.touchscreen.tap(x, y)
        expect(tab.locator(".md-dialog")).to_have_text("Copied to clipboard")


# Paper --------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_paper_is_light_for_who_reads_in_dark_colours(visit: Visit, base: str) -> None:
    visit.tab.emulate_media(color_scheme="dark")
    tab = visit.open(base + LESSON).tab
    text = tab.locator("article > p").first
    expect(text).to_have_css("color", "rgb(216, 218, 224)")
    tab.emulate_media(media="print", color_scheme="dark")
    expect(text).to_have_css("color", "rgb(35, 38, 43)")
    expect(tab.locator("pre code").first).to_have_css("color", "rgb(35, 38, 43)")


FRAME = ".md-header, .md-sidebar, .md-footer, .md-code__nav"


@pytest.mark.parametrize("scripts", [True, False])
def test_paper_shows_solutions_and_no_navigation(
    browser: Browser, base: str, scripts: bool
) -> None:
    """Whether the theme's script unfolds what is folded, has yet to, or never will."""
    with tab_at(browser, base + LESSON, scripts) as tab:
        solutions = tab.locator("details.solution pre").all()
        assert len(solutions) >= 3
        for solution in solutions:
            expect(solution).to_be_hidden()
        assert tab.locator(FRAME).filter(visible=True).count() > 3

        tab.emulate_media(media="print")
        for folded in tab.locator("details").all():
            expect(folded.locator("> summary + *")).to_be_visible()
        expect(tab.locator(FRAME).filter(visible=True)).to_have_count(0)

        tab.emulate_media(media="screen")
        for solution in solutions:
            expect(solution).to_be_hidden()
