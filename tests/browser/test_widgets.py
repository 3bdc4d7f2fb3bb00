"""Widgets: with keyboard and finger, and with the numbers of their pages."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from browser.browsing import PHONE, SITE, Visit, bring, drag, tab_at
from browser.test_reading import stops

CONVOLUTION = "convolution.html"
SOFTMAX = "softmax-and-cross-entropy.html"
MAX_SCRIPT = 15_000  # bytes of a widget
SIDE, FRAME = 32, 36  # of the picture; with the widest padding
UPRIGHT = [[-1.0, 0.0, 1.0]] * 3
CORNER = """canvas => {
  const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""  # the colour of its upper left pixel

Square = list[list[float]]


@pytest.fixture
def phone(browser: Browser, base: str) -> Iterator[Visit]:
    """A visit with a phone, in which nothing may be complained about."""
    with browser.new_context(**PHONE) as context:
        visit = Visit(context, base)
        yield visit
        assert visit.complaints == []


def widget_on(visit: Visit, address: str, name: str) -> Locator:
    """A widget, in sight, on a page that is opened."""
    widget = visit.open(address).tab.locator(f'[data-widget="{name}"]')
    bring(widget)
    return widget


def printed(widget: Locator) -> str:
    """All that the page of a widget has printed."""
    return "\n".join(widget.page.locator(".output").all_text_contents())


def choose(widget: Locator, group: str, name: str) -> None:
    """Choose in a group of radio buttons, with the keyboard."""
    radios = widget.get_by_role("group", name=group)
    radios.get_by_role("radio", name=name, exact=True).press("Space")


def number(text: str) -> float:
    """The last number of a text."""
    return float(re.findall(r"-?\d+\.\d+", text)[-1])


@pytest.mark.parametrize("path", sorted((SITE / "assets/widgets").glob("*.js")))
def test_script_is_small(path: Any) -> None:
    assert path.stat().st_size < MAX_SCRIPT


@pytest.mark.parametrize("base", ["http"], indirect=True)
@pytest.mark.parametrize("page", [CONVOLUTION, SOFTMAX])
def test_keyboard_shows_where_it_is(visit: Visit, base: str, page: str) -> None:
    found = stops(visit.open(base + page).tab)
    assert [stop for stop in found if not (stop["seen"] and stop["marked"])] == []


@pytest.mark.parametrize("base", ["http"], indirect=True)
@pytest.mark.parametrize("page", [CONVOLUTION, SOFTMAX])
def test_without_scripts_a_sentence_stands_there(
    browser: Browser, base: str, page: str
) -> None:
    with tab_at(browser, base + page, scripts=False) as tab:
        text = tab.locator("[data-widget]").inner_text()
        assert text.startswith("On the page's own site, and with JavaScript")


@pytest.mark.parametrize("base", ["http"], indirect=True)
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("page", [CONVOLUTION, SOFTMAX, "review.html"])
def test_paper_has_a_sentence_in_place_of_a_widget(
    browser: Browser, base: str, page: str, scripts: bool
) -> None:
    """Once, and no control; on the screen it is there without scripts only."""
    with tab_at(browser, base + page, scripts) as tab:
        sentence = tab.get_by_text("with JavaScript")
        shown = sentence.filter(visible=True)
        expect(shown).to_have_count(0 if scripts else 1)
        tab.emulate_media(media="print")
        expect(shown).to_have_count(1)
        expect(tab.locator(".parts-row:visible")).to_have_count(0)


# A convolution ------------------------------------------------------------------------


def published() -> dict[str, Any]:
    """The picture and the learned filters that the page has published."""
    script = (SITE / "published/convolution.js").read_text(encoding="utf-8")
    file: dict[str, Any] = json.loads(script.partition(" = ")[2].strip().rstrip(";"))
    return file


def grey_picture(file: dict[str, Any]) -> Square:
    """The picture in grey, from 0 to 1."""
    rows = zip(*file["picture"], strict=True)
    return [[sum(three) / 3 / 255 for three in zip(*row, strict=True)] for row in rows]


def standardized(file: dict[str, Any]) -> list[Square]:
    """The channels of the picture as the network sees them."""
    scales = zip(
        file["picture"], file["channel_mean"], file["channel_std"], strict=True
    )
    return [
        [[(byte - mean) / std for byte in row] for row in channel]
        for channel, mean, std in scales
    ]


def answer(channel: Square, weights: Square, top: int, left: int) -> float:
    """Sum of the products of a filter, laid on a channel that zeros surround."""
    return sum(
        weight * channel[top + i][left + j]
        for i, row in enumerate(weights)
        for j, weight in enumerate(row)
        if 0 <= top + i < SIDE and 0 <= left + j < SIDE
    )


def learned_answer(
    file: dict[str, Any], index: int, top: int, left: int
) -> tuple[float, float]:
    """The answer of a learned filter, with its bias, and what ReLU makes of it."""
    slices = zip(standardized(file), file["filters"][index], strict=True)
    total = file["biases"][index] + sum(
        answer(channel, weights, top, left) for channel, weights in slices
    )
    return total, max(total, 0)


def results(widget: Locator) -> list[float]:
    """The numbers in bold: the sum, or the answer before and after ReLU."""
    texts = widget.locator(".convolution-sum strong").all_inner_texts()
    return [float(text) for text in texts]


def place(widget: Locator) -> tuple[int, int]:
    """Row and column of the map that the sum fills."""
    text = widget.locator(".convolution-sum").inner_text()
    found = re.search(r"row (\d+), column (\d+)", text)
    assert found is not None
    return int(found[1]), int(found[2])


def table(widget: Locator, name: str) -> list[float]:
    """The numbers of one of the tables."""
    cells = widget.get_by_role("table", name=name).locator("td")
    return [float(text) for text in cells.all_inner_texts()]


def test_convolution_adds_up_where_the_arrow_keys_lead(visit: Visit, base: str) -> None:
    """It starts at the dot of the page's figure."""
    widget = widget_on(visit, base + CONVOLUTION, "convolution")
    grey = grey_picture(published())
    picture = widget.get_by_role("application")
    assert place(widget) == (12, 14)
    steps = ["ArrowDown", "ArrowRight", "ArrowLeft", "ArrowUp", "End", "PageDown"]
    row, column = 12, 14
    moves = {"Down": (1, 0), "Right": (0, 1), "Left": (0, -1), "Up": (-1, 0)}
    for step in ["ArrowDown"] * 8 + steps:
        picture.press(step)
        down, right = moves.get(step.removeprefix("Arrow"), (0, 0))
        row, column = row + down, column + right
        row = 29 if step == "PageDown" else row
        column = 29 if step == "End" else column
        assert place(widget) == (row, column)
        want = answer(grey, UPRIGHT, row, column)
        assert results(widget) == [pytest.approx(want, abs=0.0006)]
        assert sum(table(widget, "Products")) == pytest.approx(want, abs=0.05)
    picture.press("ArrowRight")
    assert place(widget) == (29, 29)


def test_convolution_has_the_sizes_of_the_page(visit: Visit, base: str) -> None:
    widget = widget_on(visit, base + CONVOLUTION, "convolution")
    filters = {"3": "level edges", "5": "learned filter 1"}
    line = r"filter (\d), padding (\d), stride (\d): (\d+) x (\d+)"
    sizes = re.findall(line, printed(widget))
    assert len(sizes) == 4
    for k, padding, stride, rows, columns in sizes:
        choose(widget, "Filter", filters[k])
        choose(widget, "Padding", padding)
        choose(widget, "Stride", stride)
        assert widget.get_by_text(f"Map, {rows} \u00d7 {columns}").is_visible()
        assert f"+ 1 = {rows}" in widget.inner_text()
        widget.get_by_role("application").press("End")
        assert place(widget)[1] == int(columns) - 1


def test_convolution_shows_what_the_network_has_learned(
    visit: Visit, base: str
) -> None:
    """Slices, bias and ReLU; then at a corner, where the padding adds nothing."""
    file = published()
    widget = widget_on(visit, base + CONVOLUTION, "convolution")
    for index in range(6):
        choose(widget, "Filter", f"learned filter {index + 1}")
        row, column = place(widget)
        assert results(widget) == pytest.approx(
            learned_answer(file, index, row, column), abs=0.0006
        )
    for c, name in enumerate(["red", "green", "blue"]):
        choose(widget, "Slice", name)
        flat = [weight for row in file["filters"][5][c] for weight in row]
        assert table(widget, "Weights") == pytest.approx(flat, abs=0.0051)
    choose(widget, "Padding", "2")
    choose(widget, "Stride", "3")
    for key in ("Home", "PageUp", "ArrowRight"):
        widget.get_by_role("application").press(key)
    assert place(widget) == (0, 1)
    assert table(widget, "Patch")[:10] == [0.0] * 10
    assert results(widget) == pytest.approx(learned_answer(file, 5, -2, 1), abs=0.0006)


def test_convolution_takes_weights_that_are_typed(visit: Visit, base: str) -> None:
    widget = widget_on(visit, base + CONVOLUTION, "convolution")
    for i in range(9):
        name = f"Weight in row {i // 3}, column {i % 3}"
        widget.get_by_role("spinbutton", name=name).fill(f"{i / 10}")
    assert widget.get_by_role("radio", name="your own").is_checked()
    weights = [[(3 * i + j) / 10 for j in range(3)] for i in range(3)]
    want = answer(grey_picture(published()), weights, 12, 14)
    assert results(widget) == [pytest.approx(want, abs=0.0006)]


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_convolution_shows_the_weight_that_it_takes(visit: Visit, base: str) -> None:
    """It goes to 99; what was typed beyond stands corrected when the field is left."""
    widget = widget_on(visit, base + CONVOLUTION, "convolution")
    field = widget.get_by_role("spinbutton").first
    field.fill("500")
    expect(field).to_have_value("500")  # not while it is typed
    field.press("Tab")
    expect(field).to_have_value("99")


def test_convolution_follows_the_mouse(visit: Visit, base: str) -> None:
    """Pressed on the map and drawn over its edge, it goes to the last column."""
    widget = widget_on(visit, base + CONVOLUTION, "convolution")
    canvas = widget.get_by_role("img", name="Map")
    bring(canvas)
    box = canvas.bounding_box()
    assert box is not None
    mouse, pixel = visit.tab.mouse, box["width"] / FRAME
    mouse.move(box["x"] + (3 + 9.5) * pixel, box["y"] + (3 + 4.5) * pixel)
    assert place(widget) == (12, 14)
    mouse.down()
    assert place(widget) == (4, 9)
    mouse.move(box["x"] + 40 * pixel, box["y"] + (3 + 6.5) * pixel)
    mouse.up()
    assert place(widget) == (6, 29)
    mouse.move(box["x"] + 10 * pixel, box["y"] + 10 * pixel)
    assert place(widget) == (6, 29)


def test_convolution_follows_a_finger(phone: Visit, base: str) -> None:
    widget = widget_on(phone, base + CONVOLUTION, "convolution")
    picture = widget.get_by_role("application")
    bring(picture)
    box = picture.bounding_box()
    assert box is not None

    def middle(row: int, column: int) -> tuple[float, float]:
        pixel = box["width"] / FRAME
        return box["x"] + (column + 3.5) * pixel, box["y"] + (row + 3.5) * pixel

    phone.tab.touchscreen.tap(*middle(3, 20))
    assert place(widget) == (3, 20)
    before = phone.tab.evaluate("scrollY")
    drag(phone.tab, middle(3, 20), middle(25, 8))
    assert place(widget) == (25, 8)
    assert phone.tab.evaluate("scrollY") == before


def test_pictures_change_with_the_colours(visit: Visit, base: str) -> None:
    widget = widget_on(visit, base + CONVOLUTION, "convolution")
    canvas = widget.get_by_role("img", name="Map")
    light = canvas.evaluate(CORNER)
    visit.tab.emulate_media(color_scheme="dark")
    visit.tab.locator('body[data-md-color-scheme="slate"]').wait_for()
    assert max(canvas.evaluate(CORNER)) < 60 < min(light)


# Softmax ------------------------------------------------------------------------------


def columns(widget: Locator) -> list[list[float]]:
    """Scores, probabilities and gradients of the classes."""
    rows = widget.locator(".softmax-row:not(.softmax-heads)").all()
    values = [row.locator(".parts-value").all_inner_texts() for row in rows]
    return [[float(text) for text in column] for column in zip(*values, strict=True)]


def loss(widget: Locator) -> float:
    return number(widget.locator(".softmax-loss").inner_text())


def test_softmax_shows_the_numbers_of_the_page(visit: Visit, base: str) -> None:
    """For its two answers in logits; and it starts with the first."""
    widget = widget_on(visit, base + SOFTMAX, "softmax")
    line = r"\[([\d., ]+)\]  p ([\d.]+)  loss ([\d.]+)"
    examples = re.findall(line, printed(widget))
    assert len(examples) == 2
    at_first = loss(widget)
    for scores, p, cost in examples:
        widget.get_by_role("button", name=scores).press("Enter")
        shown, chances, gradient = columns(widget)
        assert shown == [float(score) for score in scores.split(",")]
        assert (f"{chances[0]:.4f}", f"{loss(widget):.4f}") == (p, cost)
        assert gradient == [round(chances[0] - 1, 4), *chances[1:]]
    assert f"{at_first:.4f}" == examples[0][2]


def test_softmax_follows_the_keyboard(visit: Visit, base: str) -> None:
    """Five classes, another right one, one score moved: all as computed here."""
    widget = widget_on(visit, base + SOFTMAX, "softmax")
    choose(widget, "Classes", "5")
    choose(widget, "Right class", "4")
    slider = widget.get_by_role("slider", name="Class 4")
    for _ in range(3):
        slider.press("ArrowRight")
    scores = [2.0, 1.0, 0.1, 0.0, 0.3]
    total = sum(map(math.exp, scores))
    chances = [math.exp(score) / total for score in scores]
    gradient = [*chances[:4], chances[4] - 1]
    for shown, want in zip(columns(widget), [scores, chances, gradient], strict=True):
        assert shown == pytest.approx(want, abs=0.00006)
    assert loss(widget) == pytest.approx(-math.log(chances[4]), abs=0.00006)

    widget.get_by_role("button", name="All scores + 1").press("Enter")
    moved, same, _ = columns(widget)
    assert moved == pytest.approx([score + 1 for score in scores], abs=1e-9)
    assert same == pytest.approx(chances, abs=0.00006)
    widget.get_by_role("button", name="Step against").press("Enter")
    stepped = [score - slope for score, slope in zip(moved, gradient, strict=True)]
    assert columns(widget)[0] == pytest.approx(stepped, abs=0.0051)
    new_loss = math.log(sum(map(math.exp, stepped))) - stepped[4]
    assert loss(widget) == pytest.approx(new_loss, abs=0.0002)
    assert new_loss < -math.log(chances[4])

    choose(widget, "Classes", "3")  # of which class 4 is none
    assert (
        widget.get_by_role("group", name="Right class")
        .get_by_role("radio", name="0")
        .is_checked()
    )


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_softmax_goes_on_past_its_sliders(visit: Visit, base: str) -> None:
    """Raised nine times nothing but the scores has changed; steps go on from there."""
    widget = widget_on(visit, base + SOFTMAX, "softmax")
    note = widget.get_by_text("past the end")
    before, cost = columns(widget), loss(widget)
    for _ in range(4):
        widget.get_by_role("button", name="All scores + 1").press("Enter")
    expect(note).to_have_count(0)  # 6 is the end
    for _ in range(5):
        widget.get_by_role("button", name="All scores + 1").press("Enter")
    scores, chances, gradient = columns(widget)
    assert scores == pytest.approx([score + 9 for score in before[0]], abs=1e-9)
    assert [chances, gradient, loss(widget)] == [*before[1:], cost]
    expect(note).to_be_visible()
    widget.get_by_role("button", name="Step against").press("Enter")
    stepped = [score - slope for score, slope in zip(scores, gradient, strict=True)]
    assert columns(widget)[0] == pytest.approx(stepped, abs=0.0051)
    assert loss(widget) < cost
    widget.get_by_role("button", name="2.0, 1.0, 0.1").press("Enter")
    expect(note).to_have_count(0)


def test_softmax_follows_a_finger(phone: Visit, base: str) -> None:
    widget = widget_on(phone, base + SOFTMAX, "softmax")
    widget.get_by_role("group", name="Right class").get_by_text("1").tap()
    slider = widget.get_by_role("slider", name="Class 1")
    box = slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    drag(phone.tab, (box["x"] + 0.6 * box["width"], y), (box["x"] + box["width"], y))
    scores, chances, _ = columns(widget)
    assert scores == [2.0, 6.0, 0.1]
    assert chances[1] > 0.97
    assert loss(widget) == pytest.approx(-math.log(chances[1]), abs=0.0002)
