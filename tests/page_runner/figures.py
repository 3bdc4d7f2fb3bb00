"""Figures as pictures for the site: their style, as SVG or PNG, and as WebP."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.colors import is_color_like, same_color
from matplotlib.figure import Figure
from PIL import Image

MAX_SVG = 150_000  # bytes; a larger figure is published as PNG
WEBP: dict[str, Any] = {
    "quality": 70,  # of a hundred
    "method": 4,  # at 6 for 4 % less, in twenty times the time
}

FIGURE_STYLE: dict[Any, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.framealpha": 0.0,
    "svg.fonttype": "none",  # text stays text: sharp, small, read aloud
    "image.interpolation": "none",  # pixels stay pixels
    "savefig.bbox": "tight",
    "figure.max_open_warning": 0,
}
INK = "#010203"  # what text and axes are drawn in: `currentColor` in an SVG
INK_PNG = "#808080"  # a PNG cannot follow the theme: a grey that both sides read
INK_SETTINGS: tuple[Any, ...] = (
    "text.color",
    "axes.edgecolor",
    "axes.labelcolor",
    "axes.titlecolor",
    "xtick.color",
    "ytick.color",
)


def set_style(salt: str) -> None:
    """Matplotlib's own defaults, whatever a matplotlibrc says, with our few changes.

    `salt` is what the ids in SVGs are made from.
    """
    plt.close("all")
    matplotlib.rcParams.update(matplotlib.rcParamsDefault)
    matplotlib.use("agg")
    matplotlib.rcParams.update(FIGURE_STYLE)
    matplotlib.rcParams.update(dict.fromkeys(INK_SETTINGS, INK))
    matplotlib.rcParams["svg.hashsalt"] = salt


def figure_data(figure: Figure) -> dict[str, str]:
    """A figure as it is now, by kind: an SVG, or a PNG where that would be large.

    The text of an SVG takes the colour of the page; a PNG (base64) has twice the
    screen's resolution.
    """
    drawing = io.StringIO()
    figure.savefig(drawing, format="svg", metadata={"Date": None})
    svg = drawing.getvalue().replace(INK, "currentColor")
    if len(svg) <= MAX_SVG:
        return {"image/svg+xml": svg}
    picture = io.BytesIO()
    with _grey_ink(figure):
        figure.savefig(picture, format="png", dpi=2 * figure.dpi)
    return {"image/png": base64.b64encode(picture.getvalue()).decode()}


def webp(picture: str) -> str:
    """A PNG or JPEG (base64) as WebP: in a quarter of the bytes, for the site.

    Notebooks keep the first: not every editor shows a WebP.
    """
    file = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        image.save(file, "WEBP", **WEBP)
    return base64.b64encode(file.getvalue()).decode()


@contextmanager
def _grey_ink(figure: Figure) -> Iterator[None]:
    """Meanwhile, what is drawn in ink is grey."""
    changed = []
    for artist in figure.findobj():
        for name in ("color", "edgecolor", "facecolor", "markeredgecolor"):
            color: Any = getattr(artist, f"get_{name}", lambda: None)()
            if is_color_like(color) and same_color(color, INK):
                change = getattr(artist, f"set_{name}")
                change(INK_PNG)
                changed.append(change)
    try:
        yield
    finally:
        for change in changed:
            change(INK)
