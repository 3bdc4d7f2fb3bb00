"""The Content-Security-Policy of every page, and what on a page would break it."""

import base64
import hashlib
import re
from html.parser import HTMLParser

CHARSET = '<meta charset="utf-8">'
META = '<meta http-equiv="Content-Security-Policy" content="'
POLICY = {
    "default-src": "'self'",  # what Firefox asks for a prefetch; all else is named
    "script-src": "'self'",  # and the theme's own scripts, by their digests
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    **dict.fromkeys(("media-src", "object-src", "frame-src", "manifest-src"), "'none'"),
}
ASKED_FOR = {  # attributes whose address a browser asks for, and the directive for it
    "script src": "script-src",
    "script href": "script-src",
    "img src": "img-src",
    "img srcset": "img-src",
    "source srcset": "img-src",
    "image href": "img-src",
    "feimage href": "img-src",
    "input src": "img-src",
    "video poster": "img-src",
    "video src": "media-src",
    "audio src": "media-src",
    "source src": "media-src",
    "track src": "media-src",
    "iframe src": "frame-src",
    "frame src": "frame-src",
    "object data": "object-src",
    "embed src": "object-src",
    "use href": "img-src",
    "form action": "form-action",
    "button formaction": "form-action",
    "base href": "base-uri",
    "a ping": "connect-src",
}
LINKS = {  # of what a `<link>` asks for; others, such as `canonical`, only name a page
    "stylesheet": "style-src",
    "icon": "img-src",
    "preload": "connect-src",
    "prefetch": "default-src",
    "next": "default-src",  # Firefox fetches it ahead
    "preconnect": "connect-src",
    "dns-prefetch": "connect-src",
    "modulepreload": "script-src",
    "manifest": "manifest-src",
}
CSS_ADDRESS = re.compile(r"(?:url\(|@import)\s*[\"']?([^\"')]*)")
NEXT_PICTURE = re.compile(r",\s+|(?<=\d[wx]),")  # in a `srcset`
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|[/\\]{2}")
SCRIPT_TYPES = ("", "module", "text/javascript", "application/javascript")
END_OF_CELL = re.compile(r"<!--end of ([\w-]+)-->\n?")


def end_of_cell(identity: str) -> str:
    """A mark that says which cell of a lesson ends here, until the page is finished."""
    return f"<!--end of {identity}-->"


def is_closed(html: str) -> bool:
    """Whether a page has the policy."""
    return f"{META}default-src {POLICY['default-src']}; " in html


def closed(html: str) -> tuple[str, list[tuple[str | None, str]]]:
    """A page that asks no other host for anything, and runs no script but its own.

    With it comes what the policy will stop on it, and the cell that each comes from.
    """
    page = Inspector(html)
    hashes = [hashlib.sha256(script.encode()).digest() for script in page.scripts]
    sources = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in hashes]
    policy = {**POLICY, "script-src": " ".join([POLICY["script-src"], *sources])}
    content = "; ".join(f"{name} {value}" for name, value in policy.items())
    html = re.sub(CHARSET, rf'\g<0>\n{META}{content}">', html, count=1, flags=re.I)
    if not is_closed(html):
        page.complaints.append((None, f"no `{CHARSET}` for the policy to follow"))
    return END_OF_CELL.sub("", html), page.complaints


def allows(directive: str, address: str) -> bool:
    """Whether the policy lets a page ask for an address."""
    sources = POLICY.get(directive, POLICY["default-src"]).split()
    scheme = SCHEME.match(address.lower().strip())
    source = scheme[0] if scheme else "'self'"
    return source in sources or address.startswith("#")


class Inspector(HTMLParser):
    """The theme's own inline scripts, and what the policy stops, with its cell.

    No script in an article is the theme's.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: dict[str, None] = {}  # in order, each once
        self.complaints: list[tuple[str | None, str]] = []
        self._unplaced: list[str] = []  # of the cell whose end is still to come
        self._in_article = False
        self._num_ends = 0  # of articles
        self._open = ""  # a script of the page itself, or a style sheet
        self._text = ""
        self.feed(html)
        self.close()
        self._place(None)

    def _place(self, cell: str | None) -> None:
        self.complaints += [(cell, complaint) for complaint in self._unplaced]
        self._unplaced = []

    def handle_comment(self, data: str) -> None:
        if mark := END_OF_CELL.fullmatch(f"<!--{data}-->"):
            self._place(mark[1])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name.removeprefix("xlink:"): value or "" for name, value in attrs}
        for name, value in found.items():
            self._inspect(tag, name, value, found)
        if tag == "article":
            self._in_article = True
        if tag == "script" and found.get("type", "") in SCRIPT_TYPES:
            self._open = "" if "src" in found or "href" in found else "script"
        elif tag == "style":
            self._open = "style"
        self._text = ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._in_article = False
            self._num_ends += 1
            if self._num_ends > 1:  # the theme's own comes last
                self._unplaced.append("an end of the article, </article>")
        if tag != self._open:
            return
        if tag == "style":
            self._inspect_style(self._text)
        elif self._in_article:
            self._unplaced.append(f"a script, {self._text.strip()[:40]!r}")
        else:
            self.scripts[self._text] = None
        self._open = ""

    def _inspect(self, tag: str, name: str, value: str, others: dict[str, str]) -> None:
        """Note what the policy stops of an attribute."""
        directive = ASKED_FOR.get(f"{tag} {name}")
        if (tag, name) == ("link", "href"):
            kinds = others.get("rel", "").lower().split()
            directive = next((LINKS[kind] for kind in kinds if kind in LINKS), None)
        if name.startswith("on"):
            self._unplaced.append(f"a handler, {name}={value!r}")
        elif value.lower().lstrip().startswith("javascript:"):
            self._unplaced.append(f"a script as an address, {value!r}")
        elif (tag, name, value.lower()) == ("meta", "http-equiv", "refresh"):
            self._unplaced.append("an order to go to another page")
        elif name == "srcdoc":
            self._unplaced.append("a page in the page, srcdoc")
        elif name == "style":
            self._inspect_style(value)
        elif directive:
            several = name == "srcset"
            for address in re.split(NEXT_PICTURE, value) if several else [value]:
                self._ask(directive, address)

    def _inspect_style(self, style: str) -> None:
        for address in CSS_ADDRESS.findall(style):
            self._ask("img-src", address)

    def _ask(self, directive: str, address: str) -> None:
        if not allows(directive, address):
            self._unplaced.append(f"an address against {directive}, {address[:80]!r}")
