"""Outputs of executed cells as HTML: text, tables, figures."""

import base64
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from html import escape

from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode
from PIL import Image

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
POINT = 4 / 3  # CSS pixels
LEFT_TO_THE_PAGE = ("font-family", "image-rendering")  # see site.css
CSS_DPI = 96  # pixels of a page; also of a picture that does not say

ET.register_namespace("", SVG[1:-1])


def is_picture(output: NotebookNode) -> bool:
    """Whether an output is a picture, which needs a text alternative."""
    return any(kind.startswith("image/") for kind in output.get("data", {}))


def output_markdown(output: NotebookNode) -> str | None:
    """An output that is Markdown or TeX, as a block of Markdown; None for any other."""
    data = output.get("data", {})
    if is_picture(output) or "text/html" in data:
        return None
    if "text/markdown" in data:
        text = data["text/markdown"]
    elif "text/latex" in data:
        text = data["text/latex"].strip()
        text = text if text.startswith("$") else f"$$\n{text}\n$$"
    else:
        return None
    return (
        '<div class="output output--html" role="group" aria-label="Output" '
        f'markdown="block">\n\n{text}\n\n</div>'
    )


def output_html(
    output: NotebookNode, alt: str, prefix: str, save: Callable[[bytes], str]
) -> str:
    """One output as a block of HTML.

    `prefix` starts every id in a figure; `save` stores a picture and gives its address.
    Raises ValueError where there is nothing in it that the site can show.
    """
    if output.output_type == "stream":
        return text_html(output.text, output.name)
    data = output.get("data", {})
    if "image/svg+xml" in data:
        return figure_html(inline_svg(data["image/svg+xml"], alt, prefix))
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            size = output.metadata.get(kind, {})
            content = base64.b64decode(data[kind])
            small = base64.b64decode(data["image/webp"])  # made by the page's run
            return figure_html(image_html(content, small, alt, save, size))
    if "text/html" in data:
        return table_html(data["text/html"])
    if [*data] != ["text/plain"]:
        kinds = ", ".join(data) or output.output_type
        raise ValueError(f"an output that the site cannot show ({kinds})")
    return text_html(data["text/plain"])


def text_html(text: str, stream: str = "stdout") -> str:
    """Printed text, or the text of a value, character by character."""
    label = "Output" if stream == "stdout" else "Written to stderr"
    text = escape(text.removesuffix("\n"), quote=False)
    return (
        f'<div class="output output--{stream}" role="group" aria-label="{label}">'
        f"<pre><samp>{text}</samp></pre></div>"
    )


def table_html(html: str) -> str:
    """A value's HTML, without the styles and old attributes that pandas writes.

    Cells of a column that holds more than numbers are of the class `text`.
    """
    tree = BeautifulSoup(html, "html.parser")
    for style in tree.find_all("style"):
        style.decompose()
    for element in tree.find_all(True):
        for name in ("border", "style"):
            element.attrs.pop(name, None)
        if element.name == "th" and not element.text.strip():
            element.name = "td"  # a header that says nothing is none
    for table in tree.find_all("table"):
        rows = [row.find_all(["th", "td"]) for row in table.find_all("tr")]
        for column in zip(*rows, strict=False):
            if not all(map(is_number, column[1:])):
                for cell in column:
                    cell["class"] = "text"
    return (
        '<div class="output output--html" role="group" aria-label="Output">'
        f"{str(tree).strip()}</div>"
    )


def is_number(cell: Tag) -> bool:
    """Whether a cell of a table holds a number, or nothing."""
    return (
        re.fullmatch(r"[-+]?[\d,.]*(e[-+]?\d+)?\s?%?|nan", cell.text, re.I) is not None
    )


def figure_html(picture: str) -> str:
    """A picture in its frame."""
    return f'<div class="output figure">{picture}</div>'


def image_html(
    content: bytes,
    small: bytes,
    alt: str,
    save: Callable[[bytes], str],
    shown: dict[str, int],
) -> str:
    """A picture, kept as WebP (`small`): in a quarter of the bytes.

    It is shown at the width and height that come with it, else at its size on paper.
    """
    picture = Image.open(io.BytesIO(content))
    dpi = picture.info.get("dpi", (CSS_DPI,))[0]
    width, height = (round(pixels * CSS_DPI / dpi) for pixels in picture.size)
    width, height = shown.get("width", width), shown.get("height", height)
    size = f'width="{width}" height="{height}"'
    return f'<img src="{save(small)}" {size} alt="{escape(alt)}">'


def inline_svg(svg: str, alt: str, prefix: str) -> str:
    """A figure as an SVG element that can stand in a page beside others.

    Its ids are its own, its style is in attributes (as strict pages want it), it has
    a size and a text alternative, and takes fonts and colours from the page.
    """
    root = ET.fromstring(svg)
    _drop(root, SVG + "metadata", SVG + "style")
    _own_ids(root, prefix)
    for element in root.iter():
        _style_to_attributes(element)
        if "d" in element.attrib:
            element.set("d", _short_path(element.attrib["d"]))
        for text in ("text", "tail"):
            if not (getattr(element, text) or "").strip():
                setattr(element, text, None)
    for side in ("width", "height"):
        points = float(root.attrib[side].removesuffix("pt"))
        root.set(side, f"{points * POINT:.0f}")
    root.attrib.pop("version", None)
    root.attrib.update(
        {
            "role": "img",
            "aria-label": alt,
            "stroke-linejoin": "round",  # matplotlib's style sheet, as attributes
            "stroke-linecap": "butt",
        }
    )
    return ET.tostring(root, encoding="unicode")


def _drop(root: ET.Element, *tags: str) -> None:
    """Remove elements by tag, and definitions that are then empty."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in tags:
                parent.remove(child)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == SVG + "defs" and len(child) == 0:
                parent.remove(child)


def _own_ids(root: ET.Element, prefix: str) -> None:
    """Drop ids that nothing refers to; number the others after `prefix`."""
    text = ET.tostring(root, encoding="unicode")
    used = dict.fromkeys(re.findall(r'(?:href="|url\()#([^")]+)', text))
    names = {old: f"{prefix}{i}" for i, old in enumerate(used)}
    for element in root.iter():
        if (old := element.attrib.pop("id", None)) in names:
            element.set("id", names[old])
        if link := element.attrib.pop(HREF, None):
            element.set("href", "#" + names[link[1:]] if link[0] == "#" else link)
        for key, value in element.attrib.items():
            if "url(#" in value:
                renamed = re.sub(
                    r"url\(#([^)]+)\)", lambda m: f"url(#{names[m[1]]})", value
                )
                element.set(key, renamed)


def _style_to_attributes(element: ET.Element) -> None:
    """A `style` as presentation attributes."""
    for rule in element.attrib.pop("style", "").split(";"):
        name, _, value = rule.partition(":")
        if value and name.strip() not in LEFT_TO_THE_PAGE:
            element.set(name.strip(), value.strip())


def _short_path(path: str) -> str:
    """A path in steps of a hundredth of a point, which is less than one can see.

    Lines are drawn from point to point, by steps that are rounded together: no error
    adds up. A path with other commands than matplotlib's keeps its own.
    """
    if set(re.findall("[a-df-zA-Z]", path)) - {*"MLCQz"}:
        return " ".join(path.split())
    parts: list[str] = []
    start = at = (0, 0)  # of this line, and of the pen, in hundredths
    for command, numbers in re.findall("([MLCQz])([^MLCQz]*)", path):
        values = [round(100 * float(number)) for number in numbers.split()]
        points = list(_points(values))
        if command == "L":
            for x, y in points:
                is_first = not parts or parts[-1][0] != "l"
                step = _numbers(x - at[0], y - at[1])
                parts += ["l"] if is_first else []
                parts[-1] += step if is_first else _joined(step)
                at = (x, y)
            continue
        parts.append(command + _numbers(*values))
        at = start if command == "z" else points[-1]
        start = at if command == "M" else start
    return "".join(parts)


def _points(values: list[int]) -> Iterator[tuple[int, int]]:
    """Coordinates as points."""
    return zip(values[::2], values[1::2], strict=True)


def _numbers(*values: int) -> str:
    """Hundredths as a list of numbers: `1.5-.25`."""
    texts = [re.sub(r"^(-?)0\.", r"\1.", f"{value / 100:.10g}") for value in values]
    return "".join(texts[:1] + [_joined(text) for text in texts[1:]])


def _joined(text: str) -> str:
    """A number as it follows another: a minus sign parts them as well."""
    return text if text.startswith("-") else f" {text}"
