"""No page of the built site runs what an address tells it to, nor what is not ours."""

import pytest
from playwright.sync_api import Browser, Route

from browser.browsing import SITE

HTML_FILES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
MARK = "document.documentElement.dataset.ran = 1"
FOREIGN = "http://foreign.test/x.js"
DATA = f"data:text/javascript,{MARK}"
TRY_THEM = """addresses => Promise.all(addresses.map(address => new Promise(resolve => {
  const script = document.createElement("script");
  script.src = address;
  script.onload = script.onerror = resolve;
  document.head.append(script);
})))"""


def answer(route: Route) -> None:
    """What the foreign host would say."""
    route.fulfill(body=MARK, content_type="text/javascript")


@pytest.mark.parametrize("place", ["http", "file"])
@pytest.mark.parametrize("file", HTML_FILES)
def test_no_address_brings_a_script_along(
    browser: Browser, address: str, file: str, place: str
) -> None:
    """A file opened with a foreign or `data:` address runs neither; nor if asked to."""
    base = address if place == "http" else f"{SITE.as_uri()}/"
    with browser.new_context() as context:
        context.route(FOREIGN, answer)
        tab = context.new_page()
        for wanted in (FOREIGN, DATA):
            for mark in ("#", "?"):
                tab.goto(f"{base}{file}{mark}{wanted}", wait_until="networkidle")
                assert tab.locator("[data-ran]").count() == 0
        tab.evaluate(TRY_THEM, [FOREIGN, DATA])
        assert tab.locator("[data-ran]").count() == 0


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
