"""Every page of the built site in a real browser: whole, light, still, accessible.

Checks the folder `site/` (or SITE_DIR), which `nox -s docs` builds.
"""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from browser.browsing import HOME, PAGES, SITE, Visit, served

Scheme = Literal["light", "dark"]
BODY_SCHEME: dict[Scheme, str] = {"light": "default", "dark": "slate"}
PHONE: ViewportSize = {"width": 390, "height": 844}
MAX_FIRST_VISIT = 600_000  # bytes over the wire, compressed as hosts do
MAX_NEXT_PAGE = 150_000
MAX_SHIFT = 0.005  # moved share of the window, times how far, in windows
ACCESSIBLE = {
    "runOnly": [
        *("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
    ],
    "resultTypes": ["violations"],  # no list of the thousands of elements that are well
}
ON_THE_SITE = [page for page in PAGES if page != "404.html"]


@pytest.mark.parametrize("scheme", BODY_SCHEME)
@pytest.mark.parametrize("page", ON_THE_SITE)
def test_page_as_the_first_of_a_visit(
    browser: Browser, address: str, page: str, scheme: Scheme
) -> None:
    with browser.new_context(color_scheme=scheme) as context:
        visit = Visit(context, address).open(address + page)
        assert_whole(visit)
        body = visit.tab.locator("body")
        assert body.get_attribute("data-md-color-scheme") == BODY_SCHEME[scheme]
        assert visit.bytes <= MAX_FIRST_VISIT, visit.received
        assert sum(shift["value"] for shift in visit.shifts) <= MAX_SHIFT, visit.shifts
        assert_accessible(visit.tab)
        assert visit.complaints == []


@pytest.mark.parametrize("page", ON_THE_SITE)
def test_page_as_the_next_of_a_visit_on_a_phone(
    browser: Browser, address: str, page: str
) -> None:
    earlier = "index.html" if page != "index.html" else "tensors.html"
    with browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True) as context:
        visit = Visit(context, address).open(address + earlier).open(address + page)
        assert_whole(visit)
        assert visit.bytes <= MAX_NEXT_PAGE, visit.received
        assert sum(shift["value"] for shift in visit.shifts) <= MAX_SHIFT, visit.shifts
        width = visit.tab.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]
        assert_accessible(visit.tab)
        assert visit.complaints == []


def assert_whole(visit: Visit) -> None:
    """Maths is set, the fonts are ours, and no picture is missing."""
    tab = visit.tab
    maths, typeset = tab.locator(".arithmatex"), tab.locator(".arithmatex .katex")
    expect(typeset).to_have_count(maths.count())
    assert tab.locator(".katex-error").count() == 0
    assert tab.evaluate("document.fonts.check('16px \"Source Serif 4\"')")
    sizes = tab.locator("img").evaluate_all("all => all.map(i => i.naturalWidth)")
    assert 0 not in sizes


def assert_accessible(tab: Page) -> None:
    """WCAG 2.2 A and AA, and what is held to be good practice, as far as axe sees."""
    found = Axe().run(tab, options=ACCESSIBLE).response["violations"]
    assert [
        (violation["id"], node["html"], node["failureSummary"])
        for violation in found
        for node in violation["nodes"]
    ] == []


def test_an_address_that_leads_nowhere(browser: Browser) -> None:
    """The page for it, which is shown at any depth, and so knows where the site is."""
    with served(SITE, path=HOME) as root, browser.new_context() as context:
        visit = Visit(context, root).open(root + "404.html")
        assert visit.complaints == []
        assert_accessible(visit.tab)
