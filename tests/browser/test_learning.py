"""What a reader is asked, and what this browser keeps of that."""

import datetime
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from browser.browsing import ON_THE_SITE, SITE, Visit, tab_at

CHOICES, TYPED, NEARLY = "shapes.html", "neural-network.html", "overfitting.html"
REVIEW = "review.html"
TODAY = datetime.date(2026, 3, 1)
WITH_WIDGETS = ("convolution.html", "lenet.html", "review.html", "rings.html")
MAX_READY = 3  # times what the lightest page takes


def first_prediction(tab: Page, kind: str) -> Locator:
    """The first cell on a page that asks for a choice, or for a number."""
    control = "button:not(.predict-show)" if kind == "choice" else "input"
    return tab.locator(".predict").filter(has=tab.locator(control)).first


# What will it print? ------------------------------------------------------------------


@pytest.mark.parametrize("is_right", [True, False])
def test_an_output_comes_after_an_answer(
    visit: Visit, base: str, is_right: bool
) -> None:
    """By keyboard; the reader is told, and the focus leads to the output."""
    tab = visit.open(base + CHOICES).tab
    asked = first_prediction(tab, "choice")
    output = asked.locator(".predict-output")
    expect(output).to_be_hidden()
    right = asked.get_attribute("data-right") or ""
    choices = asked.locator("button:not(.predict-show)")
    texts = choices.all_inner_texts()
    assert len(texts) in (2, 3)
    assert right in texts
    chosen = next(text for text in texts if (text == right) == is_right)
    choices.nth(texts.index(chosen)).press("Enter")
    expect(output).to_be_visible()
    expect(output).to_be_focused()
    said = asked.get_by_role("status")
    expect(said).to_have_text("Right." if is_right else "No.")
    expect(asked.locator("button").first).to_be_disabled()


@pytest.mark.parametrize(("change", "said"), [(0, "Right."), (1, "No.")])
def test_a_number_is_typed(visit: Visit, base: str, change: int, said: str) -> None:
    tab = visit.open(base + TYPED).tab
    asked = first_prediction(tab, "number")
    right = int(asked.get_attribute("data-right") or "")
    field = asked.get_by_role("textbox")
    field.press("Enter")  # nothing typed is no answer
    expect(asked.locator(".predict-output")).to_be_hidden()
    field.fill(str(right + change))
    field.press("Enter")
    expect(asked.get_by_role("status")).to_have_text(said)
    expect(asked.locator(".predict-output")).to_be_visible()


def test_an_output_is_shown_to_who_only_wants_to_read(visit: Visit, base: str) -> None:
    asked = first_prediction(visit.open(base + CHOICES).tab, "choice")
@pytest.mark.parametrize("base", ["http"], indirect=True)
@pytest.mark.parametrize(
    ("page", "typed", "said"),
    [
        (NEARLY, "100,000", "Right."),  # to within a twentieth of 103,186
        (NEARLY, "98100", "Right."),
        (NEARLY, "90,000", "No."),
        (NEARLY, "103,186", "Right."),
        (TYPED, "1,3", "No."),  # 13, but with a decimal comma
        (TYPED, "13,0", "Right."),
    ],
)
def test_a_number_is_read_as_it_was_meant(
    visit: Visit, base: str, page: str, typed: str, said: str
) -> None:
    asked = first_prediction(visit.open(base + page).tab, "number")
    asked.get_by_role("textbox").fill(typed)
    asked.get_by_role("button", name="Check").press("Enter")
    expect(asked.get_by_role("status")).to_have_text(said)


    asked.get_by_role("button", name="Show it").press("Enter")
    expect(asked.locator(".predict-output")).to_be_visible()
    expect(asked.get_by_role("status")).to_have_text("")


def test_paper_shows_what_was_not_predicted(visit: Visit, base: str) -> None:
    tab = visit.open(base + CHOICES).tab
    tab.emulate_media(media="print")
    asked = first_prediction(tab, "choice")
    expect(asked.locator(".predict-output")).to_be_visible()
    expect(asked.locator("button").first).to_be_hidden()


@pytest.mark.parametrize("page", [CHOICES, TYPED, "review.html"])
def test_a_page_is_whole_without_scripts(
    browser: Browser, address: str, page: str
) -> None:
    with tab_at(browser, address + page, scripts=False) as tab:
        for output in tab.locator(".predict-output").all():
            expect(output).to_be_visible()
        expect(tab.locator("article button:visible")).to_have_count(0)


# Questions to come back to ------------------------------------------------------------


def on_day(tab: Page, days: int) -> None:
    """Let it be noon of a day, so many after the first one."""
    date = TODAY + datetime.timedelta(days=days)
    tab.clock.set_fixed_time(datetime.datetime.combine(date, datetime.time(12)))


def answer_first(tab: Page, known: bool) -> None:
    """Answer the first question of a page, at its end."""
    card = tab.locator("details.recall").first
    card.locator("summary").press("Enter")
    card.get_by_role("button", name="I knew it" if known else "Not yet").press("Enter")
    card.get_by_text("Comes back on").wait_for()


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_what_was_known_comes_back_later_and_later(visit: Visit, base: str) -> None:
    tab = visit.tab
    on_day(tab, 0)
    visit.open(base + CHOICES)
    asks = tab.locator("details.recall summary").first.inner_text()
    answer_first(tab, known=True)
    day = 0
    for wait in (1, 4, 14, 60, 60):
        day += wait
        on_day(tab, day - 1)
        visit.open(base + "review.html")
        tab.get_by_text("Nothing is due today").wait_for()
        on_day(tab, day)
        visit.open(base + "review.html")
        card = tab.get_by_role("group", name="Question")
        expect(card.locator(".review-asks")).to_have_text(asks)
        card.get_by_role("button", name="Turn over").press("Enter")
        card.get_by_role("button", name="I knew it").press("Enter")
    on_day(tab, day + 60)
    visit.open(base + "review.html")
    tab.get_by_role("button", name="Turn over").press("Enter")
    tab.get_by_role("button", name="Not yet").press("Enter")
    on_day(tab, day + 61)
    visit.open(base + "review.html")
    tab.get_by_text("1 question due").wait_for()


def test_an_answer_counts_once_a_day(visit: Visit, base: str) -> None:
    """Else a few presses would put a question off for months."""
    tab = visit.open(base + CHOICES).tab
    answer_first(tab, known=True)
    known = tab.get_by_role("button", name="I knew it").first
    known.press("Enter")
    known.press("Enter")
    (card,) = json.loads(tab.evaluate(KEPT))["cards"].values()
    assert card["step"] == 0
    tab.get_by_role("button", name="Not yet").first.press("Enter")
    (card,) = json.loads(tab.evaluate(KEPT))["cards"].values()
    assert card["step"] == -1


def test_answers_move_to_another_browser(
    browser: Browser, visit: Visit, base: str, tmp_path: Path
) -> None:
    tab = visit.open(base + CHOICES).tab
    answer_first(tab, known=False)
    visit.open(base + "review.html")
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Export").press("Enter")
    exported = tmp_path / "kept.json"
    download.value.save_as(exported)
    with browser.new_context() as context:
        other = Visit(context, base).open(base + "review.html").tab
        other.get_by_text("No question has been answered yet").wait_for()
        bad = tmp_path / "bad.json"
        bad.write_text("no JSON")
        other.locator("input[type=file]").set_input_files(bad)
        other.get_by_text("holds nothing that was exported here").wait_for()
        other.locator("input[type=file]").set_input_files(exported)
        other.get_by_text("1 answer imported").wait_for()
        kept = [json.loads(it.evaluate(KEPT)) for it in (tab, other)]
        assert kept[0]["cards"] == kept[1]["cards"]


KEPT = "localStorage.getItem('torch-pages')"


# What was read ------------------------------------------------------------------------


def test_a_page_that_was_read_is_ticked_and_can_be_continued(
    visit: Visit, base: str
) -> None:
    tab = visit.open(base + CHOICES).tab
    tab.locator("details.recall").first.scroll_into_view_if_needed()
    tab.wait_for_function(f"() => JSON.parse({KEPT})?.read")
    visit.open(base + "tensors.html")
    ticked = tab.locator(".md-nav--primary a[data-read]:visible")
    expect(ticked).to_have_count(1)
    expect(ticked).to_have_text("Shapes (read)")
    visit.open(base + "index.html")
    expect(tab.locator(".path a[data-read]")).to_have_count(1)
    link = tab.locator(".continue a")
    expect(link).to_have_text("Tensors")
    with tab.expect_navigation():
        link.press("Enter")
    assert "/tensors.html" in tab.url


def test_nothing_is_noted_of_who_does_not_want_it(visit: Visit, base: str) -> None:
    tab = visit.open(base + "review.html").tab
    tab.get_by_label("Note which pages I have read").uncheck()
    tab.get_by_label("Ask what a cell prints").uncheck()
    visit.open(base + CHOICES)
    expect(tab.locator(".predict-output").first).to_be_visible()
    tab.locator("details.recall").first.scroll_into_view_if_needed()
    visit.open(base + "index.html")
    assert json.loads(tab.evaluate(KEPT)) == {"off": True, "tells": True}
    expect(tab.locator("[data-read], .continue a")).to_have_count(0)


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_a_browser_that_keeps_nothing_can_be_read_with(visit: Visit, base: str) -> None:
    visit.tab.add_init_script("Storage.prototype.setItem = () => { throw Error(); }")
    for page in (CHOICES, "review.html", "index.html"):
        visit.open(base + page)
    visit.open(base + CHOICES)
    first_prediction(visit.tab, "choice").get_by_role("button").first.press("Enter")
    expect(visit.tab.locator(".predict-output").first).to_be_visible()


# A problem is reported ----------------------------------------------------------------

REPORT = (
    '<a class="report" href="https://a.org/new?title=Shapes&amp;body=Page%3A">R</a>'
)
STAY = "link => link.addEventListener('click', event => event.preventDefault())"


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_a_report_has_the_cell_that_was_last_pressed_on(
    visit: Visit, base: str
) -> None:
    """On a page with the link that it has where a repository is set."""

    def with_link(route: Route) -> None:
        html = (SITE / CHOICES).read_text(encoding="utf-8")
        route.fulfill(body=html.replace("</article>", f"{REPORT}</article>", 1))

    visit.tab.route(f"**/{CHOICES}", with_link)
    tab = visit.open(base + CHOICES).tab
    link = tab.locator("a.report")
    link.evaluate(STAY)
    code, output = tab.locator("article .highlight"), tab.locator("article .output")
    for pressed in (code.nth(1), output.first):  # the first time leaves no trace
        pressed.click()
        link.click()
    address = urlsplit(link.get_attribute("href") or "")
    (body,) = parse_qs(address.query)["body"]
    said = body.replace("    ", "")
    assert said.startswith("Page:\n\nCell:")
    assert said.count("Cell:") == said.count("Expected, as the page has it:") == 1
    assert output.first.inner_text().split()[-1] in said


# Soon ---------------------------------------------------------------------------------


def ready_after(browser: Browser, address: str) -> float:
    """Seconds of processor that a page takes until it answers, the best of three."""
    took = []
    for _ in range(3):
        with browser.new_context() as context:
            tab = context.new_page()
            wire = context.new_cdp_session(tab)
            wire.send("Performance.enable", {"timeDomain": "threadTicks"})
            tab.goto(address, wait_until="domcontentloaded")
            metrics = wire.send("Performance.getMetrics")["metrics"]
            took += [it["value"] for it in metrics if it["name"] == "TaskDuration"]
            tab.wait_for_load_state("networkidle")
    return min(took)


def test_no_page_keeps_its_reader_waiting(browser: Browser, address: str) -> None:
    """The heaviest and those with widgets, in parts of what the lightest page takes.

    Processors differ too much for seconds, and the lightest page is mostly the theme.
    """
    lightest, *_, heaviest = sorted(ON_THE_SITE, key=weight)
    bare = ready_after(browser, address + lightest)
    for page in [heaviest, *WITH_WIDGETS]:
        assert ready_after(browser, address + page) < MAX_READY * bare, page


def weight(page: str) -> int:
    """Bytes of a page's HTML."""
    return (SITE / page).stat().st_size
