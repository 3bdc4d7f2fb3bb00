"""The built site in a real browser: nothing is missing, nothing complains.

Checks the folder `site/` (or SITE_DIR), which `nox -s docs` builds.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from browsing import SITE, chromium, served
from playwright.sync_api import Browser, BrowserContext, Page

SCHEMES = ("light", "dark")
LESSON = "gradient-descent-by-hand.html"
PAGES = ("index.html", LESSON)
EVERY_PAGE = sorted(path.name for path in SITE.glob("*.html"))
MAX_HTML = 80_000  # bytes of a page without its figures


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(SITE) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


class Watched:
    """A page of a browser, and everything it complained about or asked others for."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.host = urlsplit(address).netloc
        self.complaints: list[str] = []
        note = self.complaints.append
        self.page.on("console", lambda m: note(f"{m.type}: {m.text}"))
        self.page.on("pageerror", lambda error: note(f"error: {error}"))
        self.page.on("requestfailed", lambda request: note(f"failed: {request.url}"))
        self.page.on("request", lambda request: self._check_host(request.url))
        self.page.on("response", lambda r: r.ok or note(f"{r.status}: {r.url}"))

    def _check_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self.host:
            self.complaints.append(f"other host: {url}")


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_html_is_small(page: str) -> None:
    html = (SITE / page).read_text(encoding="utf-8")
    without_figures = re.sub(
        r'<svg[^>]* role="img".*?</svg>', "", html, flags=re.DOTALL
    )
    assert len(without_figures.encode()) <= MAX_HTML


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("page", EVERY_PAGE)
def test_page_opens_without_complaint(
    browser: Browser, address: str, page: str, scheme: str
) -> None:
    with browser.new_context(color_scheme=scheme) as context:
        watched = Watched(context, address)
        watched.page.goto(address + page, wait_until="networkidle")
        assert_sound(watched, scheme)


def assert_sound(watched: Watched, scheme: str) -> None:
    """No complaint, maths set, fonts there, in the colours that the system asks for."""
    page = watched.page
    assert watched.complaints == []
    maths, typeset = page.locator(".arithmatex"), page.locator(".arithmatex .katex")
    assert typeset.count() == maths.count()
    assert page.locator(".katex-error").count() == 0
    assert page.evaluate("document.fonts.check('16px \"Source Serif 4\"')")
    theme = page.locator("body").get_attribute("data-md-color-scheme")
    assert theme == {"light": "default", "dark": "slate"}[scheme]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_wider_than_the_window(
    browser: Browser, address: str, page: str, width: int
) -> None:
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        tab = context.new_page()
        tab.goto(address + page, wait_until="networkidle")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("start", ["http", "file"])
def test_search_finds_code_inside_a_page(
    browser: Browser, address: str, start: str
) -> None:
    base = address if start == "http" else f"{SITE.resolve().as_uri()}/"
    with browser.new_context() as context:
        watched = Watched(context, base)
        watched.page.goto(base + LESSON, wait_until="networkidle")
        watched.page.keyboard.press("/")  # Material's key for search
        watched.page.keyboard.type("mean_gradient")
        result = watched.page.locator(".md-search-result__link").first
        result.wait_for()
        assert LESSON in (result.get_attribute("href") or "")
        assert watched.complaints == []
