"""Every page of the built site in a real browser: whole, light, still, accessible.

Checks the folder `site/` (or SITE_DIR), which `nox -s docs` builds. A visit leads to
three pages, so that each is once the first one of a visit, once the next one in dark
colours, and once the next one on a phone.
"""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from browser.browsing import HOME, ON_THE_SITE, SITE, Visit, served, tab_at
from browser.test_policy import DATA, assert_nothing_runs, foreign

PHONE_WIDTH, PHONE_HEIGHT = 390, 844
NARROW = 320  # what WCAG wants to be read without scrolling to the side
MAX_FIRST_VISIT = 600_000  # bytes over the wire, compressed as hosts do
MAX_NEXT_PAGE = 150_000
MAX_SHIFT = 0.005  # moved share of the window, times how far, in windows
ACCESSIBLE: dict[str, Any] = {
    "runOnly": [
        *("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
    ],
    "resultTypes": ["violations"],  # no list of the thousands of elements that are well
}
COLOURS = {**ACCESSIBLE, "runOnly": ["color-contrast", "link-in-text-block"]}
LOADED = "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)"
OPEN = """async () => {
  document.documentElement.classList.remove("from-top"); // axe sees nothing that waits
  for (const it of document.querySelectorAll("details")) it.open = true;
  for (const it of document.querySelectorAll(".predict")) it.classList.add("is-open");
  // What has become visible is measured in the next frame, and then can be reached.
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
}"""
WITH_MANY_FACTS = ("lenet.html", "many-processes.html", "much-faster.html")
WITH_MATHS = "softmax-and-cross-entropy.html"
ROUND = ON_THE_SITE * 2
VISITS = [tuple(ROUND[at : at + 3]) for at in range(len(ON_THE_SITE))]

Kept = Callable[[str], set[str]]


@pytest.fixture(scope="module")
def kept_before(browser: Browser, address: str) -> Kept:
    """What a browser has kept that comes to a page from the home page.

    The home page itself is reached from a lesson.
    """

    def asked(page: str) -> set[str]:
        with browser.new_context() as context:
            return Visit(context, address).open(address + page).asked

    home, lesson = asked("index.html"), asked("tensors.html")
    return lambda page: lesson if page == "index.html" else home


@pytest.mark.parametrize("pages", VISITS, ids="-".join)
def test_visit(
    browser: Browser, address: str, kept_before: Kept, pages: tuple[str, str, str]
) -> None:
    """To a page in light colours, to one in dark colours, to one on a phone.

    The latter two have addresses that bring scripts along.
    """
    first, dark, on_a_phone = pages
    bait = foreign(address)
    with browser.new_context(color_scheme="light") as context:
        visit = Visit(context, address).open(address + first)
        assert_good(visit, "default")
        assert sum(visit.received.values()) == sum(visit.sizes.values())
        assert sum(visit.cost().values()) <= MAX_FIRST_VISIT, visit.cost()
        assert_accessible(visit.tab)
        assert visit.complaints == []

        visit.tab.emulate_media(color_scheme="dark")
        visit.open(f"{address}{dark}?{bait}#{DATA}")
        assert_good(visit, "slate")
        assert sum(visit.cost().values()) <= MAX_FIRST_VISIT, visit.cost()
        assert_accessible(visit.tab, COLOURS)
        assert visit.complaints == []
        assert_nothing_runs(visit.tab, bait)

        visit.tab.emulate_media(color_scheme="light")
        visit.take_a_phone(PHONE_WIDTH, PHONE_HEIGHT)
        visit.complaints.clear()
        visit.open(f"{address}{on_a_phone}?{DATA}#{bait}")
        assert_good(visit, "default")
        cost = visit.cost(kept_before(on_a_phone))
        assert sum(cost.values()) <= MAX_NEXT_PAGE, cost
        assert visit.tab.evaluate("matchMedia('(pointer: coarse)').matches")
        assert width(visit.tab) <= PHONE_WIDTH
        assert_accessible(visit.tab)
        assert visit.complaints == []
        assert_nothing_runs(visit.tab, bait)
        visit.take_a_phone(NARROW, PHONE_HEIGHT)
        assert width(visit.tab) <= NARROW


def width(tab: Page) -> int:
    """Pixels of the page from side to side, with what stands out of the window."""
    pixels: int = tab.evaluate("document.documentElement.scrollWidth")
    return pixels


def assert_good(visit: Visit, scheme: str) -> None:
    """The page is whole, in the colours that the reader wants, and has not moved."""
    assert_whole(visit)
    body = visit.tab.locator("body")
    assert body.get_attribute("data-md-color-scheme") == scheme
    assert sum(shift["value"] for shift in visit.shifts) <= MAX_SHIFT, visit.shifts


def assert_whole(visit: Visit) -> None:
    """Maths is set, the fonts are ours, and no picture is missing."""
    tab = visit.tab
    maths, typeset = tab.locator(".arithmatex"), tab.locator(".arithmatex .katex")
    expect(typeset).to_have_count(maths.count())
    assert {"Source Serif 4", "Source Sans 3"} <= {*tab.evaluate(LOADED)}
    sizes = tab.locator("img").evaluate_all("all => all.map(i => i.naturalWidth)")
    assert 0 not in sizes


def assert_accessible(tab: Page, rules: dict[str, Any] = ACCESSIBLE) -> None:
    """WCAG 2.2 A and AA, and what is held to be good practice, as far as axe sees.

    Where only colours are new, COLOURS are the rules that look at them. What is folded
    or waits for an answer is opened first, for axe looks at what is seen.
    """
    tab.evaluate(OPEN)
    found = Axe().run(tab, options=rules).response["violations"]
    assert [
        (violation["id"], node["html"], node["failureSummary"])
        for violation in found
        for node in violation["nodes"]
    ] == []


def test_formulas_are_there_without_scripts(browser: Browser, address: str) -> None:
    with tab_at(browser, address + WITH_MATHS, scripts=False) as tab:
        formulas = tab.locator(".arithmatex")
        assert formulas.count() > 20
        for formula in formulas.all():
            expect(formula.locator(".katex").first).to_be_visible()
            expect(formula).not_to_contain_text("\\")


def test_lines_break_alike_where_fonts_come_late(
    browser: Browser, address: str
) -> None:
    """With Arial in their place, or what is as wide; so nothing moves when they come.

    One of six may break otherwise: what it says may just fill a line.
    """
    others = []
    for page in WITH_MANY_FACTS:
        for width in (1280, PHONE_WIDTH):
            ours, late = (
                facts_height(browser, address + page, width, refused)
                for refused in ("no font", "**/*.woff2")
            )
            if abs(late - ours) > 3:
                others.append((page, width, ours, late))
    assert len(others) <= 1, others


def facts_height(browser: Browser, address: str, width: int, refused: str) -> float:
    """Pixels of a lesson's facts, in a window that gets no files of a pattern."""
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        tab = context.new_page()
        tab.route(refused, lambda route: route.abort())
        tab.goto(address)
        tab.evaluate("document.fonts.ready.then(() => true)")
        box = tab.locator(".lesson-facts").bounding_box()
        assert box
        return box["height"]


def test_an_address_that_leads_nowhere(browser: Browser) -> None:
    """The page for it, which is shown at any depth, and so knows where the site is."""
    with served(SITE, path=HOME) as root, browser.new_context() as context:
        visit = Visit(context, root).open(root + "404.html")
        assert visit.complaints == []
        assert_accessible(visit.tab)
