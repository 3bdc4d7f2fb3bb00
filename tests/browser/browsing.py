"""A headless Chromium on the built site, served from this process."""

import functools
import gzip
import http.server
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    Response,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
SITE = Path(os.environ.get("SITE_DIR", ROOT / "site"))
PAGES = sorted(path.name for path in SITE.glob("*.html"))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SUB_PATH = "/some/where/"  # nothing on the site may take itself to lie at the root
HOME = urlsplit(os.environ.get("SITE_URL", "")).path or "/"  # as the 404 page knows it
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


@functools.cache
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
        path = Path(self.translate_path(self.path))
        if path.suffix not in COMPRESSED or not path.is_file():
            return super().send_head()
        body = compressed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
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
    handler = functools.partial(Handler, directory=folder, path=path)
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


class Visit:
    """A tab of a browser: what it complained about, what came over the wire."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.tab: Page = context.new_page()
        self.tab.add_init_script(NOTE_SHIFTS)
        self.host = urlsplit(address).netloc
        self.complaints: list[str] = []
        self.received: dict[str, int] = {}  # bytes by address, since `open`
        note = self.complaints.append
        self.tab.on("console", lambda m: note(f"{m.type}: {m.text}"))
        self.tab.on("pageerror", lambda error: note(f"error: {error}"))
        self.tab.on("requestfailed", self._note_failure)
        self.tab.on("request", lambda request: self._check_host(request.url))
        self.tab.on("response", self._note_refusal)
        self._count_bytes(context)

    def open(self, address: str) -> "Visit":
        """Go to a page and wait until all of it is there."""
        self.received.clear()
        self.tab.goto(address, wait_until="networkidle")
        self.tab.evaluate("document.fonts.ready.then(() => true)")
        return self

    @property
    def bytes(self) -> int:
        """Bytes that the last page opened has brought over the wire.

        Without the weights of a network that the reader plays with.
        """
        pages = {url: n for url, n in self.received.items() if "/published/" not in url}
        return sum(pages.values())

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

    def _count_bytes(self, context: BrowserContext) -> None:
        wire = context.new_cdp_session(self.tab)
        addresses: dict[str, str] = {}

        def asked(event: dict) -> None:
            addresses[event["requestId"]] = event["request"]["url"]

        def finished(event: dict) -> None:
            url = addresses.get(event["requestId"], "?")
            size = round(event["encodedDataLength"])
            self.received[url] = self.received.get(url, 0) + size

        wire.on("Network.requestWillBeSent", asked)
        wire.on("Network.loadingFinished", finished)
        wire.send("Network.enable")
