"""The last touch on a page's HTML: small, valid, and closed to other hosts."""

import base64
import hashlib
import re

CHARSET = '<meta charset="utf-8">'
POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'"
)
VERBATIM = re.compile("(<(pre|script|style).*?</\\2>)", re.DOTALL)
QUIET_TOKEN = re.compile(r'<span class="(?:n|o|p|w)">([^<]*)</span>')


def compact(html: str) -> str:
    """A page without what nobody sees: about half of what surrounds its text.

    That is the indentation of the templates, and marks around names, operators and
    brackets in code, which have the colour of plain code.
    """
    parts = VERBATIM.split(html)  # text, block, kind of block, text, ...
    parts[0::3] = [re.sub(r"\s*\n\s*", "\n", text) for text in parts[0::3]]
    parts[1::3] = [QUIET_TOKEN.sub(r"\1", block) for block in parts[1::3]]
    del parts[2::3]
    return "".join(parts)


def valid(html: str) -> str:
    """A page without two attributes of the theme that HTML does not have there."""
    html = html.replace(' tabindex=""', "")
    return re.sub(r'(<input [^>]*type="checkbox"[^>]*) autocomplete="off"', r"\1", html)


def with_policy(html: str) -> str:
    """A page that asks no other host for anything and runs no script but its own."""
    scripts = dict.fromkeys(re.findall("<script>(.*?)</script>", html, re.DOTALL))
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    hashes = " ".join(f"'sha256-{base64.b64encode(d).decode()}'" for d in digests)
    policy = POLICY.format(hashes=hashes)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return html.replace(CHARSET, f"{CHARSET}\n{meta}", 1)
