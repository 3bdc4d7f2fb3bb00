"""What a figure shows, as text: its data, to be compared like printed numbers.

An array comes down to its size, range, mean and standard deviation, and to sums of it
with a ramp and with two waves: values in another order, or of another array, give
others. All numbers have a decimal point, so that none is compared as an exact integer.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.category import StrCategoryFormatter
from matplotlib.collections import Collection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.spines import Spine
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter

ROUNDING = 1e-6  # relative: what 32 bits leave of a constant
GOLDEN = (5**0.5 - 1) / 2  # an angle by which no pattern of data repeats


def describe_figure(figure: Figure) -> str:
    """All axes of a figure, a line for each thing that is drawn in them."""
    lines = [f"text {_quoted(text)}" for text in _texts(figure)]
    for number, axes in enumerate(figure.axes, start=1):
        lines.append(f"axes {number}: {', '.join(_frame(axes))}")
        lines += [f"  {line}" for line in _contents(axes)]
    return "\n".join(lines)


def describe_picture(pixels: np.ndarray[Any, Any]) -> str:
    """A picture that is shown as it is, not as a figure."""
    return f"picture: {_array(pixels)}"


def _texts(figure: Figure) -> Iterator[str]:
    """What is written beside the axes, legends included."""
    for text in figure.texts:
        yield text.get_text()
    for legend in figure.legends:
        yield from (text.get_text() for text in legend.get_texts())


def _frame(axes: Axes) -> Iterator[str]:
    """What is written around one pair of axes, and their limits."""
    if title := axes.get_title() or axes.get_title("left") or axes.get_title("right"):
        yield f"title {_quoted(title)}"
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        name = axis.axis_name
        if label := axis.get_label_text():
            yield f"{name} {_quoted(label)}"
        if axes.axison and axis.get_visible():
            scale = axis.get_scale()
            yield f"{scale} {name} from {_number(limits[0])} to {_number(limits[1])}"
            yield from _ticks(axis)
    if legend := axes.get_legend():
        named = [legend.get_title().get_text()]
        named += [text.get_text() for text in legend.get_texts()]
        yield f"legend {' | '.join(_quoted(name) for name in named if name)}"


def _ticks(axis: Axis) -> Iterator[str]:
    """The names at an axis, where the page gave them."""
    if isinstance(axis.get_major_formatter(), FixedFormatter | StrCategoryFormatter):
        names = [label.get_text() for label in axis.get_ticklabels()]
        if any(names):
            yield f"at {' | '.join(map(_quoted, names))}"


def _contents(axes: Axes) -> Iterator[str]:
    """A line of text for each artist that shows data; bars of one kind are one."""
    patches: list[Patch] = []
    for artist in axes.get_children():
        if not artist.get_visible() or artist is axes.patch:
            continue
        if isinstance(artist, Spine):
            continue
        if isinstance(artist, Patch):
            patches.append(artist)
        else:
            yield from _artist(artist)
    for colour in dict.fromkeys(map(_colour_of_patch, patches)):
        alike = [patch for patch in patches if _colour_of_patch(patch) == colour]
        yield f"shapes {colour}, {_patches(alike)}"


def _artist(artist: Artist) -> Iterator[str]:
    match artist:
        case Line2D():
            x, y = artist.get_data(orig=False)
            colour = to_hex(artist.get_color())
            style = f"{artist.get_linestyle()} {artist.get_marker()}"
            yield f"line {colour} {style}: x {_array(x)}; y {_array(y)}"
        case AxesImage():
            extent = " ".join(map(_number, artist.get_extent()))
            yield f"image {_colours(artist)}at {extent}: {_array(artist.get_array())}"
        case ContourSet():
            levels = zip(artist.levels, artist.get_paths(), strict=False)
            for level, path in levels:
                yield f"contour {_number(level)} around {_centre(path.vertices)}"
        case QuadMesh():
            yield f"mesh {_array(artist.get_array())}"
        case Collection():
            colours = artist.get_array()
            shade = artist.get_facecolor() if colours is None else colours
            outlines = [path.vertices for path in artist.get_paths()]
            corners = _array(np.concatenate(outlines) if outlines else np.empty(0))
            places = _array(artist.get_offsets())
            yield f"points at {places}; colours {_array(shade)}; outlines {corners}"
        case Text() if artist.get_text() and not _is_title(artist):
            x, y = artist.get_position()
            yield f"text {_quoted(artist.get_text())} at {_number(x)} {_number(y)}"


def _centre(corners: Any) -> str:
    """The middle of a line whose number of corners depends on how it was found."""
    middle = np.asarray(corners).mean(axis=0) if len(corners) else ()
    return " ".join(map(_number, middle)) or "nothing"


def _is_title(text: Text) -> bool:
    """Whether a text is one of the three titles that any axes have."""
    axes = text.axes
    return axes is not None and text in (
        axes.title,
        getattr(axes, "_left_title", None),
        getattr(axes, "_right_title", None),
    )


def _colours(artist: AxesImage) -> str:
    """How an image of numbers is coloured; nothing for one of colours."""
    values = artist.get_array()
    if values is None or values.ndim > 2:
        return ""
    low, high = artist.get_clim()
    return f"{artist.get_cmap().name} from {_number(low)} to {_number(high)} "


def _colour_of_patch(patch: Patch) -> str:
    return to_hex(patch.get_facecolor() if patch.get_fill() else patch.get_edgecolor())


def _patches(patches: list[Patch]) -> str:
    """Rectangles by corner and size, other patches by their outlines."""
    bars = [patch for patch in patches if isinstance(patch, Rectangle)]
    if len(bars) == len(patches):
        bounds = np.array([bar.get_bbox().bounds for bar in bars])
        columns = zip(("x", "y", "width", "height"), bounds.T, strict=True)
        return "; ".join(f"{name} {_array(column)}" for name, column in columns)
    return _array(np.concatenate([patch.get_path().vertices for patch in patches]))


def _array(values: Any) -> str:
    """An array in a few numbers, which another array, or another order, changes."""
    array = np.ma.filled(np.ma.asarray(values).astype(float), np.nan)
    shape = "x".join(map(str, array.shape))
    flat = array.ravel()
    known = np.isfinite(flat)
    missing = "" if known.all() else f" ({(~known).sum()} missing)"
    if not known.any():
        return f"[{shape}]{missing}"
    flat = flat[known]
    if flat.size <= 3:
        return f"[{shape}]{missing} {' '.join(map(_number, flat))}"
    mean, deviation = flat.mean(), flat.std()
    text = f"[{shape}]{missing} {_number(flat.min())} to {_number(flat.max())}"
    if deviation <= ROUNDING * abs(mean):
        return text  # of what is left, only rounding would be told
    standard = (flat - mean) / deviation
    angle = 2 * np.pi * GOLDEN * np.arange(flat.size)
    trend = (standard * np.linspace(-1, 1, flat.size)).mean()
    # Terms of changing signs add up to about the root of their number.
    waves = [(standard * wave(angle)).sum() for wave in (np.cos, np.sin)]
    signs = [trend, *(wave / flat.size**0.5 for wave in waves)]
    order = " ".join(f"{sign:.3f}" for sign in signs)
    return f"{text} mean {_number(mean)} deviation {_number(deviation)} order {order}"


def _number(value: float) -> str:
    """Four digits, and a decimal point among them."""
    text = f"{value:#.4g}"
    return f"{value:.3e}" if text.endswith(".") else text


def _quoted(text: str) -> str:
    """A text in one line, in quotation marks with which its words stay apart."""
    return f'" {" / ".join(text.splitlines())} "'
