"""The last touch on a page's HTML: small and valid; and the zip of them all."""

import re
import zipfile
from pathlib import Path

VERBATIM = re.compile("(<(pre|script|style).*?</\\2>)", re.DOTALL)
PER_CENT = re.compile(r"(?<=\d) %(?![^<]*</code>)")
TITLE = re.compile('(?<=>)[^<>]*(?=<a class="headerlink"[^>]*>#</a></h1>)')
HYPHEN = re.compile(r"(?<=\w)-(?=\d)")
ARCHIVE_OFFER = re.compile('<p class="archive">.*?</p>', re.DOTALL)
COMPRESSED = (".png", ".webp", ".woff", ".woff2")
QUIET_TOKEN = re.compile(r'<span class="(?:n|o|p|w)">([^<]*)</span>')


def compact(html: str) -> str:
    """A page without what nobody sees: about half of what surrounds its text.

    That is the indentation of the templates, and marks around names, operators and
    brackets in code, which have the colour of plain code.
    """
    parts = VERBATIM.split(html)  # text, block, kind of block, text, ...
    parts[0::3] = [kept_together(re.sub(r"\s*\n\s*", "\n", t)) for t in parts[0::3]]
    parts[1::3] = [QUIET_TOKEN.sub(r"\1", block) for block in parts[1::3]]
    del parts[2::3]
    return "".join(parts)


def kept_together(text: str) -> str:
    """Text of a page in which no line ends inside `97.5 %` or a title's `CIFAR-10`."""
    text = TITLE.sub(lambda h1: HYPHEN.sub("-\N{WORD JOINER}", h1[0]), text)
    return PER_CENT.sub("\N{NO-BREAK SPACE}%", text)


def valid(html: str) -> str:
    """A page without attributes that HTML does not have there, or empty headers."""
    html = html.replace(' tabindex=""', "")
    html = re.sub(r"<th\b([^>]*)></th>", r"<td\1></td>", html)
    return re.sub(r'(<input [^>]*type="checkbox"[^>]*) autocomplete="off"', r"\1", html)


def write_archive(site: Path, name: str) -> None:
    """Put a zip of the site beside its pages, in a folder of that name.

    Two builds of the same pages give the same bytes. In the copy, the home page does
    not offer the zip, which would not be there.
    """
    target = site / f"{name}.zip"
    target.unlink(missing_ok=True)
    files = sorted(path for path in site.rglob("*") if path.is_file())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            if path.suffix in (".map", ".gz"):  # for debuggers, and for hosts
                continue
            content = path.read_bytes()
            if path == site / "index.html":
                content = ARCHIVE_OFFER.sub("", content.decode()).encode()
            inside = zipfile.ZipInfo(f"{name}/{path.relative_to(site).as_posix()}")
            is_small = path.suffix in COMPRESSED
            how = zipfile.ZIP_STORED if is_small else zipfile.ZIP_DEFLATED
            archive.writestr(inside, content, how)
