"""A headless Chromium on the built site, served from this process."""

import gzip
import http.server
import io
import os
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Request,
    Response,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
SITE = Path(os.environ.get("SITE_DIR", ROOT / "site"))
PAGES = sorted(path.name for path in SITE.glob("*.html"))
ON_THE_SITE = [page for page in PAGES if page != "404.html"]
NEXT_PAGE = ".md-footer__link--next"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Else each visit starts a second page, for the suggestions of an address bar.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,PaintHolding",
)
SUB_PATH = "/some/where/"  # nothing on the site may take itself to lie at the root
HOME = urlsplit(os.environ.get("SITE_URL", "")).path or "/"  # as the 404 page knows it
FOREIGN = "/x.js"  # on each server, for pages that come from another host
MARK = b"document.documentElement.dataset.ran = 'foreign'"
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "reduced_motion": "reduce",
}
QUIET_FOR, MAX_WAIT = 0.5, 30.0  # seconds without a request; for all of them
COMPRESSED = (".html", ".css", ".js", ".json", ".svg")  # by every host of sites
NOTE_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries())
    if (!shift.hadRecentInput) shifts.push({
      value: shift.value,
      of: shift.sources.map(({node}) => (node?.parentElement ?? node)?.outerHTML
        ?.slice(0, 80)),
    });
}).observe({type: "layout-shift", buffered: true});
"""


TWO_FRAMES = """new Promise(done =>
  requestAnimationFrame(() => requestAnimationFrame(done)))"""


@cache
def compressed(path: Path) -> bytes:
    """A file as hosts send it."""
    return gzip.compress(path.read_bytes(), 6)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a site under a path, as hosts do: compressed, and to be kept."""

    def __init__(self, *args: Any, path: str, **kwargs: Any) -> None:
        self.under = path
        super().__init__(*args, **kwargs)

    def translate_path(self, path: str) -> str:
        is_inside = path.startswith(self.under)
        inside = path.removeprefix(self.under) if is_inside else "missing"
        return super().translate_path(f"/{inside}")

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        if self.path == FOREIGN:
            return self._send(MARK, "text/javascript")
        path = Path(self.translate_path(self.path))
        if path.suffix not in COMPRESSED or not path.is_file():
            return super().send_head()
        return self._send(compressed(path), self.guess_type(path), "gzip")

    def _send(self, body: bytes, kind: str, encoding: str = "identity") -> io.BytesIO:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path, path: str = SUB_PATH) -> Iterator[str]:
    """The address at which a folder is served on this machine."""
    if not (folder / "index.html").exists():
        raise FileNotFoundError(f"{folder} holds no site: run `nox -s docs` first")
    handler = partial(Handler, directory=folder, path=path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{path}"
        finally:
            server.shutdown()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that asks for nothing but what a page asks for."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def tab_at(browser: Browser, address: str, scripts: bool) -> Iterator[Page]:
    """A tab on a page, whose scripts run, or do not."""
    with browser.new_context(java_script_enabled=scripts) as context:
        tab = context.new_page()
        tab.goto(address)
        yield tab


def go(tab: Page, address: str) -> None:
    """Go to a page; until its scripts have run and what they ask for has come.

    Playwright's `networkidle` is not enough: it comes to a page that computes for half
    a second while it loads, and if that page asks for more then, it never comes again.
    """
    pending: set[Request] = set()
    changed = time.monotonic()

    def ask(request: Request) -> None:
        nonlocal changed
        pending.add(request)
        changed = time.monotonic()

    def end(request: Request) -> None:
        nonlocal changed
        pending.discard(request)
        changed = time.monotonic()

    tab.on("request", ask)
    tab.on("requestfinished", end)
    tab.on("requestfailed", end)
    tab.goto(address, wait_until="load")
    loaded = time.monotonic()
    while pending or time.monotonic() - max(changed, loaded) < QUIET_FOR:
        if time.monotonic() - loaded > MAX_WAIT:
            raise TimeoutError(f"{address} still waits for {pending}")
        tab.wait_for_timeout(50)  # ms
    tab.remove_listener("request", ask)
    tab.remove_listener("requestfinished", end)
    tab.remove_listener("requestfailed", end)


def bring(box: Locator) -> None:
    """Scroll to a box until it stays: what comes near to the window gets its height."""
    for _ in range(20):
        box.scroll_into_view_if_needed()
        place = box.bounding_box()
        box.page.evaluate(TWO_FRAMES)
        if box.bounding_box() == place:
            return
    raise TimeoutError(f"{box} does not come to rest")


def drag(tab: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a finger over the window."""
    wire = tab.context.new_cdp_session(tab)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", start)
    for part in (0.25, 0.5, 0.75, 1):
        x, y = (a + part * (b - a) for a, b in zip(start, end, strict=True))
        touch("touchMove", (x, y))
    touch("touchEnd")


class Visit:
    """A tab of a browser: what it complained about, what came over the wire."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.tab: Page = context.new_page()
        self.tab.add_init_script(NOTE_SHIFTS)
        self.host = urlsplit(address).netloc
        self.complaints: list[str] = []
        self.asked: set[str] = set()  # addresses since `open`, kept ones too
        self.received: dict[str, int] = {}  # bytes by address, since `open`
        self.sizes: dict[str, int] = {}  # the same, of all that has ever come
        note = self.complaints.append
        self.tab.on("console", lambda m: note(f"{m.type}: {m.text}"))
        self.tab.on("pageerror", lambda error: note(f"error: {error}"))
        self.tab.on("requestfailed", self._note_failure)
        self.tab.on("request", lambda request: self._check_host(request.url))
        self.tab.on("response", self._note_refusal)
        self._wire = context.new_cdp_session(self.tab)
        self._count_bytes()

    def open(self, address: str) -> "Visit":
        """Go to a page and wait until all of it is there."""
        self.asked.clear()
        self.received.clear()
        go(self.tab, address)
        self.tab.evaluate("document.fonts.ready.then(() => true)")
        self.tab.evaluate("new Promise(requestIdleCallback)")  # widgets wait for it
        return self

    def take_a_phone(self, width: int, height: int) -> None:
        """Go on with a small window and fingers, and with all that was kept."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self._wire.send("Emulation.setDeviceMetricsOverride", {**size, "mobile": True})
        self._wire.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def cost(self, kept: Collection[str] = ()) -> dict[str, int]:
        """The bytes that the last page opened costs a reader who has what is `kept`.

        By address, without the search's worker, of which no size is told.
        """
        asked = self.asked.difference(kept) & self.sizes.keys()
        return {url: self.sizes[url] for url in asked}

    @property
    def shifts(self) -> list[dict]:
        """What moved after it had been shown, and how much of the window it took."""
        return self.tab.evaluate("shifts")

    def _note_refusal(self, response: Response) -> None:
        if not response.ok:
            self.complaints.append(f"{response.status}: {response.url}")

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the reader has gone on
            self.complaints.append(f"failed: {request.url}: {request.failure}")

    def _check_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self.host:
            self.complaints.append(f"other host: {url}")

    def _count_bytes(self) -> None:
        addresses: dict[str, str] = {}

        def asked(event: dict) -> None:
            url = addresses[event["requestId"]] = event["request"]["url"]
            self.asked.add(url)

        def finished(event: dict) -> None:
            url = addresses.get(event["requestId"], "?")
            size = round(event["encodedDataLength"])
            self.received[url] = self.received.get(url, 0) + size  # 0 if it was kept
            self.sizes[url] = max(self.sizes.get(url, 0), self.received[url])

        self._wire.on("Network.requestWillBeSent", asked)
        self._wire.on("Network.loadingFinished", finished)
        self._wire.send("Network.enable")
