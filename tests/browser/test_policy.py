"""No page of the built site runs what an address tells it to, nor what is not ours."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from browser.browsing import SITE

HTML_FILES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
FOREIGN = "http://foreign.test/x.js"
DATA = "data:text/javascript,document.documentElement.dataset.ran='data'"
TRY_THEM = """addresses => Promise.all(addresses.map(address => new Promise(resolve => {
  const script = document.createElement("script");
  script.src = address;
  script.onload = script.onerror = resolve;
  document.head.append(script);
})))"""


def answer(route: Route) -> None:
    """What the foreign host would say."""
    mark = "document.documentElement.dataset.ran='foreign'"
    route.fulfill(body=mark, content_type="text/javascript")


@pytest.fixture(scope="module", params=["http", "file"])
def place(
    request: pytest.FixtureRequest, browser: Browser, address: str
) -> Iterator[tuple[Page, str]]:
    """A tab that goes from file to file, and where the site lies."""
    with browser.new_context() as context:
        context.route("http://foreign.test/**", answer)
        base = address if request.param == "http" else f"{SITE.as_uri()}/"
        yield context.new_page(), base


@pytest.mark.parametrize("file", HTML_FILES)
def test_no_address_brings_a_script_along(place: tuple[Page, str], file: str) -> None:
    """A file opened with a foreign or `data:` address runs neither; nor if asked to.

    Each stands once after the `?` and once after the `#`.
    """
    tab, base = place
    for query, fragment in [(FOREIGN, DATA), (DATA, FOREIGN)]:
        tab.goto(f"{base}{file}?{query}#{fragment}", wait_until="networkidle")
        assert what_ran(tab) is None
    tab.evaluate(TRY_THEM, [FOREIGN, DATA])
    assert what_ran(tab) is None


def what_ran(tab: Page) -> str | None:
    """Which of the two scripts has left its mark on a page."""
    return tab.locator("html").get_attribute("data-ran")


@pytest.mark.parametrize("wanted", [FOREIGN, DATA, "index.html", "assets/maths.js"])
def test_only_the_search_runs_in_place_of_a_worker(
    browser: Browser, wanted: str
) -> None:
    with browser.new_context() as context:
        tab = context.new_page()
        tab.goto(f"{SITE.as_uri()}/index.html", wait_until="networkidle")
        message = tab.evaluate(
            "url => { try { new Worker(url) } catch (error) { return error.message } }",
            wanted,
        )
        assert "is not the site's search" in message
        assert tab.locator("iframe").count() == 1  # the search itself
