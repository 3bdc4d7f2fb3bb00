"""The widgets that compute with a network which the run of their page has trained."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from browser.browsing import Visit, bring

RINGS, LENET = "rings.html", "lenet.html"
PHONE = ViewportSize(width=390, height=844)
DASH, TIMES = "\u2013", "\u00d7"
PLAYED = "from => document.querySelector('input[type=range]').value > from"
BOX = """element => {
  const { x, y, width, height } = element.getBBox();
  return [x, y, -(x + width), -(y + height)];
}"""


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Visit]:
    """A visit with a finger, by a reader who has nothing against motion."""
    with browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True) as context:
        visit = Visit(context, address)
        yield visit
        assert visit.complaints == []


def widget_of(tab: Page, name: str) -> Locator:
    """A widget, brought into sight."""
    widget = tab.locator(f'[data-widget="{name}"]')
    bring(widget)
    return widget


def published(tab: Page, name: str) -> dict:
    """A file that the page has published for its widget."""
    return tab.evaluate("name => window.published[name]", name)


def printed(tab: Page) -> str:
    """All that the page has printed."""
    return "\n".join(tab.locator(".output").all_text_contents())


# The rings ----------------------------------------------------------------------------


def numbers(widget: Locator) -> tuple[int, str, str, str]:
    """What it shows: epoch, wrong points, error, loss."""
    wrong, error, loss = widget.locator("dd").all_inner_texts()
    return int(widget.get_by_role("slider").input_value()), wrong, error, loss


def test_boundary_counts_the_errors_of_the_page(visit: Visit, base: str) -> None:
    """At every epoch, with the arrow key: as many as PyTorch, and as printed."""
    tab = visit.open(base + RINGS).tab
    file, widget = published(tab, "rings.json"), widget_of(tab, "boundary")
    num_points = len(file["labels"])
    widget.get_by_role("slider").focus()
    shown = {}
    for epoch, error in enumerate(file["errors"], start=1):
        tab.keyboard.press("ArrowRight")
        at, wrong, *shown[epoch] = numbers(widget)
        assert (at, wrong) == (epoch, f"{round(error * num_points)} of {num_points}")

    rows = re.findall(r"epoch +(\d+): loss (\S+), error (\S+)", printed(tab))
    assert [shown[int(epoch)] for epoch, *_ in rows] == [
        [error, loss] for _, loss, error in rows
    ]
    assert int(rows[-1][0]) == len(shown)
    assert shown[len(shown)][0] == "0.000"


def test_boundary_is_where_the_answer_changes(visit: Visit, base: str) -> None:
    """Nowhere before training; at the end around the cloud, which is right."""
    tab = visit.open(base + RINGS).tab
    widget = widget_of(tab, "boundary")
    line, cloud = widget.locator(".rings-boundary"), widget.locator(".rings-cloud")
    assert line.get_attribute("d") == ""
    assert numbers(widget)[3] == DASH  # no loss where there was no batch
    widget.get_by_role("slider").press("End")
    outer, inner = line.evaluate(BOX), cloud.evaluate(BOX)
    assert all(out < of_cloud for out, of_cloud in zip(outer, inner, strict=True))


def test_where_nothing_may_move_play_goes_to_the_end(visit: Visit, base: str) -> None:
    tab = visit.open(base + RINGS).tab
    widget = widget_of(tab, "boundary")
    widget.get_by_role("button", name="Play").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_function(PLAYED, arg=0)
    assert numbers(widget)[0] == len(published(tab, "rings.json")["errors"])
    expect(widget.get_by_role("button")).to_have_text("Play")


def test_a_finger_finds_its_epoch(phone: Visit, address: str) -> None:
    """Three pixels or more of the slider for each."""
    widget = widget_of(phone.open(address + RINGS).tab, "boundary")
    slider = widget.get_by_role("slider").bounding_box()
    assert slider is not None
    num_epochs = int(widget.get_by_role("slider").get_attribute("max") or 0)
    assert slider["width"] >= 3 * num_epochs > 0


def test_boundary_plays_under_a_finger(phone: Visit, address: str) -> None:
    """It pauses, goes on from there, and stops at the end."""
    tab = phone.open(address + RINGS).tab
    widget = widget_of(tab, "boundary")
    button, slider = widget.get_by_role("button"), widget.get_by_role("slider")
    button.tap()
    tab.wait_for_function(PLAYED, arg=2)
    button.tap()
    expect(button).to_have_text("Play")
    paused, last = numbers(widget)[0], len(published(tab, "rings.json")["errors"])
    assert paused < last
    tab.wait_for_timeout(300)
    assert numbers(widget)[0] == paused

    box = slider.bounding_box()
    assert box is not None
    slider.tap(position={"x": 0.9 * box["width"], "y": box["height"] / 2})
    tapped = numbers(widget)[0]
    assert 0.8 * last < tapped < last
    button.tap()
    tab.wait_for_function(PLAYED, arg=last - 1)
    expect(button).to_have_text("Play")


# What LeNet sees ----------------------------------------------------------------------


def test_probabilities_are_those_of_pytorch(visit: Visit, base: str) -> None:
    """For every picture, chosen with the arrow key; one of them is on the page."""
    tab = visit.open(base + LENET).tab
    file = published(tab, "lenet.json")
    assert tab.locator(".lenet-verdict").inner_text() == ""  # it is not near yet
    widget = widget_of(tab, "what-the-network-sees")
    expect(widget.locator(".lenet-verdict")).to_contain_text("it is")
    widget.get_by_role("radio").first.focus()
    verdicts = []
    for expected in file["probabilities"]:
        shown = widget.locator(".lenet-chance").all_inner_texts()
        chances = [float(chance.removesuffix(" %")) / 100 for chance in shown]
        assert chances == pytest.approx(expected, abs=0.002)
        verdicts.append(widget.locator(".lenet-verdict").inner_text().lower())
        tab.keyboard.press("ArrowRight")
    for picture, verdict in zip(file["classes"], verdicts, strict=True):
        assert verdict.endswith(f"it is {picture}")
    (said,) = re.findall(r"it says \w+, it is \w+", printed(tab))
    assert said in verdicts


def test_maps_are_shown_large_with_the_keyboard(visit: Visit, base: str) -> None:
    tab = visit.open(base + LENET).tab
    widget = widget_of(tab, "what-the-network-sees")
    heading, frame = widget.locator(".lenet-heading"), widget.locator("rect").first
    toolbars = widget.get_by_role("toolbar")
    steps = [(28, 3, 5), (14, 3, 6), (10, 6, 14), (5, 6, 16)]
    brightest = []
    for toolbar, (side, num_parts, field) in zip(toolbars.all(), steps, strict=True):
        toolbar.get_by_role("button").first.focus()
        for key in ("ArrowRight", "ArrowRight", "Enter"):
            tab.keyboard.press(key)
        expect(heading).to_contain_text(f"map 3, {side} {TIMES} {side}")
        expect(widget.locator("[aria-pressed=true]")).to_have_count(1)
        assert widget.locator(".lenet-filter svg").count() == num_parts
        sentence = widget.locator(".lenet-large > p").nth(1).inner_text()
        assert sentence.endswith(f"sees {field}\u00a0{TIMES}\u00a0{field} pixels.")
        brightest.append(re.findall(r"\d+\.\d+", sentence))
        assert frame.get_attribute("width") == str(field)
    assert brightest[0] == brightest[1]  # pooling keeps the largest
    assert brightest[2] == brightest[3]


def test_maps_and_pictures_are_chosen_with_a_finger(phone: Visit, address: str) -> None:
    tab = phone.open(address + LENET).tab
    widget = widget_of(tab, "what-the-network-sees")
    widget.get_by_role("toolbar").last.get_by_role("button").last.tap()
    expect(widget.locator(".lenet-heading")).to_contain_text(f"map 16, 5 {TIMES} 5")
    widget.locator(".lenet-pictures label").nth(7).tap()
    expect(widget.locator(".lenet-verdict")).to_contain_text("it is horse")
    expect(widget.locator(".lenet-heading")).to_contain_text(f"map 16, 5 {TIMES} 5")
