"""What a figure shows can be told from what another one shows."""

import io
from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

from page_runner.compare import compare, tokenize
from page_runner.figure_data import describe_figure, describe_picture

DRAW = Callable[[Axes], object]
RNG = np.random.default_rng(0)
CURVE = np.exp(-np.linspace(0, 3, 1000))
PICTURE = RNG.random((28, 28))
X, Y = RNG.random((2, 60))


@pytest.fixture(autouse=True)
def _agg() -> Iterator[None]:
    plt.switch_backend("agg")
    yield
    plt.close("all")


def described(draw: DRAW) -> str:
    fig, ax = plt.subplots()
    draw(ax)
    return describe_figure(fig)


OTHERS: dict[str, tuple[DRAW, DRAW]] = {
    "another curve": (lambda ax: ax.plot(CURVE), lambda ax: ax.plot(CURVE**1.02)),
    "backwards": (lambda ax: ax.plot(CURVE), lambda ax: ax.plot(CURVE[::-1])),
    "against itself": (lambda ax: ax.plot(X, Y, "o"), lambda ax: ax.plot(X, X, "o")),
    "one point moved": (
        lambda ax: ax.plot(X, Y, "o"),
        lambda ax: ax.plot(X, [*Y[:-1], Y[-1] + 0.2], "o"),
    ),
    "not drawn": (lambda ax: (ax.plot(X), ax.plot(Y)), lambda ax: ax.plot(X)),
    "transposed": (lambda ax: ax.imshow(PICTURE), lambda ax: ax.imshow(PICTURE.T)),
    "another picture": (
        lambda ax: ax.imshow(PICTURE),
        lambda ax: ax.imshow(np.roll(PICTURE, 1)),
    ),
    "other colours": (
        lambda ax: ax.imshow(PICTURE, vmin=0, vmax=1),
        lambda ax: ax.imshow(PICTURE, vmin=0, vmax=2),
    ),
    "bars swapped": (
        lambda ax: ax.bar(["a", "b"], [1, 2]),
        lambda ax: ax.bar(["a", "b"], [2, 1]),
    ),
    "names swapped": (
        lambda ax: ax.bar(["a", "b"], [1, 2]),
        lambda ax: ax.bar(["b", "a"], [1, 2]),
    ),
    "histogram": (lambda ax: ax.hist(X, bins=9), lambda ax: ax.hist(Y, bins=9)),
    "coloured points": (
        lambda ax: ax.scatter(X, Y, c=X),
        lambda ax: ax.scatter(X, Y, c=Y),
    ),
    "contour": (
        lambda ax: ax.contour(PICTURE, levels=[0.5]),
        lambda ax: ax.contour(PICTURE**2, levels=[0.5]),
    ),
    "area": (
        lambda ax: ax.fill_between([0, 1], [0, 1]),
        lambda ax: ax.fill_between([0, 1], [1, 0]),
    ),
    "limits": (
        lambda ax: ax.plot(X),
        lambda ax: (ax.plot(X), ax.set_ylim(0, 9)),
    ),
    "scale": (
        lambda ax: ax.plot(CURVE),
        lambda ax: ax.semilogy(CURVE),
    ),
    "label": (lambda ax: ax.set(ylabel="loss"), lambda ax: ax.set(ylabel="error")),
    "title": (lambda ax: ax.set_title("a"), lambda ax: ax.set_title("b")),
    "text": (lambda ax: ax.text(0, 0, "a"), lambda ax: ax.text(0, 0, "b")),
    "legend": (
        lambda ax: (ax.plot(X, label="a"), ax.legend()),
        lambda ax: (ax.plot(X, label="b"), ax.legend()),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_figure_is_noticed(name: str) -> None:
    one, other = (described(draw) for draw in OTHERS[name])
    again = described(OTHERS[name][0])
    assert compare(one, again, has_constants=False).difference is None
    assert compare(one, other, has_constants=False).difference is not None


@pytest.mark.parametrize("name", OTHERS)
def test_rounding_is_not_noticed(name: str) -> None:
    """Data that differ as those of two processors do come to the same."""
    global X, Y, CURVE, PICTURE
    draw = OTHERS[name][0]
    before = described(draw)
    kept = X, Y, CURVE, PICTURE
    try:
        X, Y, CURVE, PICTURE = (
            a * (1 + 1e-6 * RNG.standard_normal(a.shape)) for a in kept
        )
        after = described(draw)
    finally:
        X, Y, CURVE, PICTURE = kept
    assert compare(before, after, has_constants=False).difference is None


@pytest.mark.parametrize("name", OTHERS)
def test_no_number_of_a_figure_is_exact_by_its_looks(name: str) -> None:
    """But for the sizes of arrays and what the page itself wrote."""
    text = described(OTHERS[name][0])
    integers = [token.text for token in tokenize(text) if token.kind == "integer"]
    sizes = {*map(str, range(1, 30)), "60", "1000"}
    assert set(integers) <= sizes


def test_a_picture_that_is_no_figure_is_described() -> None:
    pixels = (255 * PICTURE).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    shown = np.asarray(Image.open(file))
    assert describe_picture(shown) == describe_picture(pixels)
    assert describe_picture(shown) != describe_picture(pixels[::-1])


def test_missing_values_are_counted() -> None:
    text = described(lambda ax: ax.plot([1, np.nan, 3, 4, 5]))
    assert "[5] (1 missing) 1.000 to 5.000" in text
