"""No page of the built site runs what an address tells it to, nor what is not ours.

Pages on a server are asked while they are visited (`test_every_page.py`).
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from browser.browsing import FOREIGN, ON_THE_SITE, SITE, go

HTML_FILES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
DATA = "data:text/javascript,document.documentElement.dataset.ran='data'"
TRY_THEM = """addresses => Promise.all(addresses.map(address => new Promise(resolve => {
  const script = document.createElement("script");
  script.src = address;
  script.onload = script.onerror = resolve;
  document.head.append(script);
})))"""


def foreign(address: str) -> str:
    """A script that leaves a mark, from a host that is not the one of the site."""
    return f"http://localhost:{urlsplit(address).port}{FOREIGN}"


def assert_nothing_runs(tab: Page, bait: str) -> None:
    """A page has run neither script that its address holds; nor does it if asked to."""
    assert what_ran(tab) is None
    tab.evaluate(TRY_THEM, [bait, DATA])
    assert what_ran(tab) is None


def what_ran(tab: Page) -> str | None:
    """Which of the two scripts has left its mark on a page."""
    return tab.locator("html").get_attribute("data-ran")


@pytest.mark.parametrize("script", ["foreign", "data"])
def test_scripts_run_where_no_policy_is(
    browser: Browser, address: str, script: str
) -> None:
    """So that a page on which they do not run has stopped them."""
    with browser.new_context() as context:
        tab = context.new_page()
        tab.evaluate(TRY_THEM, [foreign(address) if script == "foreign" else DATA])
        assert what_ran(tab) == script


@pytest.mark.parametrize("file", HTML_FILES)
def test_no_address_brings_a_script_along_from_disk(
    disk: Page, address: str, file: str
) -> None:
    """A file opened with a foreign or `data:` address after its `?`, or its `#`."""
    bait = foreign(address)
    for query, fragment in [(bait, DATA), (DATA, bait)]:
        url = f"{SITE.as_uri()}/{file}?{query}#{fragment}"
        go(disk, url)
        assert what_ran(disk) is None
    assert_nothing_runs(disk, bait)


@pytest.mark.parametrize("file", sorted({*HTML_FILES} - {*ON_THE_SITE}))
def test_no_address_brings_a_script_along_where_nobody_visits(
    browser: Browser, address: str, file: str
) -> None:
    bait = foreign(address)
    with browser.new_context() as context:
        tab = context.new_page()
        for query, fragment in [(bait, DATA), (DATA, bait)]:
            go(tab, f"{address}{file}?{query}#{fragment}")
            assert_nothing_runs(tab, bait)


@pytest.fixture(scope="module")
def disk(browser: Browser) -> Iterator[Page]:
    """A tab that goes from file to file."""
    with browser.new_context() as context:
        yield context.new_page()


@pytest.mark.parametrize(
    "wanted", ["http://foreign.test/x.js", DATA, "index.html", "assets/search.js"]
)
def test_only_the_search_runs_in_place_of_a_worker(
    browser: Browser, wanted: str
) -> None:
    with browser.new_context() as context:
        tab = context.new_page()
        go(tab, f"{SITE.as_uri()}/index.html")
        message = tab.evaluate(
            "url => { try { new Worker(url) } catch (error) { return error.message } }",
            wanted,
        )
        assert "is not the site's search" in message
        assert tab.locator("iframe").count() == 1  # the search itself
