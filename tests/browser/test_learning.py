"""What a reader is asked, and what this browser keeps of that."""

import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from browser.browsing import CHROMIUM, ON_THE_SITE, PHONE, QUIET, SITE, Visit, tab_at

CHOICES, TYPED, NEARLY = "shapes.html", "neural-network.html", "overfitting.html"
REVIEW = "review.html"
TODAY = datetime.date(2026, 3, 1)
BARE = "how-it-works.html"  # neither widgets nor maths nor drawings: mostly the theme
WITH_WIDGETS = ("draw-a-digit.html", "lenet.html", "review.html", "rings.html")
WITH_MATHS = (  # some with widgets, too
    *("computation-graph.html", "convolution.html", "gradient-descent-by-hand.html"),
    "softmax-and-cross-entropy.html",
)
MAX_READY, MAX_READY_MATHS = 3, 4  # times what the bare page takes
TICK_INSIDE = """link => {
  const left = parseFloat(getComputedStyle(link, "::before").left);
  const list = link.closest(".md-nav__list");
  const shown = link.getBoundingClientRect().left + left;
  return shown >= list.getBoundingClientRect().left;
}"""
FAR_AND_SKIPPED = """() => {
  const inside = [...document.querySelectorAll(":is(article > p, .highlight) > *")];
  const far = inside.filter(
    (it) => it.checkVisibility() && it.getBoundingClientRect().top > 3 * innerHeight
  );
  const skipped = far.filter(
    (it) => !it.checkVisibility({ contentVisibilityAuto: true })
  );
  return [far.length, skipped.length];
}"""


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
    expect(asked.locator(".predict-choices")).to_be_hidden()  # buttons in their place
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


@pytest.mark.parametrize("base", ["http"], indirect=True)
@pytest.mark.parametrize(
    ("page", "typed", "said"),
    [
        (NEARLY, "100,000", "Right."),  # to within a twentieth of 103,186
        (NEARLY, "98100", "Right."),
        (NEARLY, "90,000", "No."),
        (NEARLY, "103,186", "Right."),
        (NEARLY, "103 186", "Right."),
        (TYPED, "1,3", "No."),  # 13, but with a decimal comma
        (TYPED, "13,0", "Right."),
        (TYPED, "-13", "No."),
        (TYPED, "\u221213", "No."),  # a longer minus
        (TYPED, "13 numbers", "That is no number."),  # and may be typed again
    ],
)
def test_a_number_is_read_as_it_was_meant(
    visit: Visit, base: str, page: str, typed: str, said: str
) -> None:
    asked = first_prediction(visit.open(base + page).tab, "number")
    asked.get_by_role("textbox").fill(typed)
    asked.get_by_role("button", name="Check").press("Enter")
    expect(asked.get_by_role("status")).to_have_text(said)


def test_an_output_is_shown_to_who_only_wants_to_read(visit: Visit, base: str) -> None:
    asked = first_prediction(visit.open(base + CHOICES).tab, "choice")
    asked.get_by_role("button", name="Show it").press("Enter")
    expect(asked.locator(".predict-output")).to_be_visible()
    expect(asked.get_by_role("status")).to_have_text("")


def test_paper_shows_what_was_not_predicted(visit: Visit, base: str) -> None:
    tab = visit.open(base + CHOICES).tab
    tab.emulate_media(media="print")
    asked = first_prediction(tab, "choice")
    expect(asked.locator(".predict-output")).to_be_visible()
    expect(asked.locator(".predict-choices")).to_be_visible()  # to choose by pencil


@pytest.mark.parametrize("base", ["http"], indirect=True)
@pytest.mark.parametrize("page", [CHOICES, TYPED, REVIEW])
def test_paper_has_nothing_to_press(visit: Visit, base: str, page: str) -> None:
    end_with_report(visit.tab, page)
    tab = visit.open(base + page).tab
    tab.emulate_media(media="print")
    expect(tab.locator("article").first).to_be_visible()
    pressed = "button, input, .lesson-end, .recall-known"
    expect(tab.locator(f"article :is({pressed}):visible")).to_have_count(0)


@pytest.mark.parametrize("page", [CHOICES, TYPED, REVIEW])
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
def test_a_question_looks_like_text(visit: Visit, base: str) -> None:
    """Not like the titles of what else is folded, which the theme sets in bold sans."""
    tab = visit.open(base + CHOICES).tab
    question = tab.locator("details.recall summary").first
    expect(question).to_have_css("font-weight", "400")
    family = "it => getComputedStyle(it).fontFamily"
    text = tab.locator("article > p").first.evaluate(family)
    assert question.evaluate(family) == text


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
        visit.open(base + REVIEW)
        tab.get_by_text("Nothing is due today").wait_for()
        on_day(tab, day)
        visit.open(base + REVIEW)
        card = tab.get_by_role("group", name="Question")
        expect(card.locator(".review-asks")).to_have_text(asks)
        card.get_by_role("button", name="Turn over").press("Enter")
        card.get_by_role("button", name="I knew it").press("Enter")
    on_day(tab, day + 60)
    visit.open(base + REVIEW)
    tab.get_by_role("button", name="Turn over").press("Enter")
    tab.get_by_role("button", name="Not yet").press("Enter")
    on_day(tab, day + 61)
    visit.open(base + REVIEW)
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
    visit.open(base + REVIEW)
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Export").press("Enter")
    exported = tmp_path / "kept.json"
    download.value.save_as(exported)
    with browser.new_context() as context:
        other = Visit(context, base).open(base + REVIEW).tab
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
KEEP = "kept => localStorage.setItem('torch-pages', JSON.stringify(kept))"


def keep(visit: Visit, base: str, kept: Any) -> Page:
    """The Review page in a browser that has kept just that."""
    tab = visit.open(base + REVIEW).tab
    tab.evaluate(KEEP, kept)
    return visit.open(base + REVIEW).tab


def asked_on(page: str) -> list[str]:
    """By what the questions at the end of a page are known."""
    html = (SITE / page).read_text(encoding="utf-8")
    return re.findall(r'data-question="(\w+)"', html)


def bring(tab: Page, path: Path, kept: object) -> None:
    """Import a file."""
    path.write_text(json.dumps(kept), encoding="utf-8")
    tab.locator("input[type=file]").set_input_files(path)


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_an_import_keeps_what_is_newer(visit: Visit, base: str, tmp_path: Path) -> None:
    """Two devices are merged; an old export takes nothing back."""
    first, second, third = asked_on(CHOICES)[:3]
    old, new = {"step": 0, "due": "2020-01-01"}, {"step": 3, "due": "2099-01-01"}
    here = {
        "cards": {first: new, second: old},
        "read": {"shapes.html": "2026-02-01", "tensors.html": "2026-02-01"},
    }
    there = {
        "cards": {first: old, second: new, third: old},
        "read": {"shapes.html": "2026-03-01", "tensors.html": "2026-01-01"},
    }
    tab = keep(visit, base, here)
    bring(tab, tmp_path / "kept.json", there)
    tab.get_by_text("2 answers imported; 1 is as new here").wait_for()
    assert json.loads(tab.evaluate(KEPT)) == {
        "cards": {first: new, second: new, third: old},
        "read": {"shapes.html": "2026-02-01", "tensors.html": "2026-01-01"},
    }


@pytest.mark.parametrize("base", ["http"], indirect=True)
@pytest.mark.parametrize("brought", [True, False])
def test_an_import_keeps_the_later_answer(
    visit: Visit, base: str, tmp_path: Path, brought: bool
) -> None:
    """Not the later date: "Not yet", the answer of March, is due before that of May."""
    question = asked_on(CHOICES)[0]
    earlier = {"step": 3, "due": "2026-04-30"}  # answered sixty days before
    later = {"step": -1, "due": "2026-03-06"}
    tab = keep(visit, base, {"cards": {question: earlier if brought else later}})
    there = {"cards": {question: later if brought else earlier}}
    bring(tab, tmp_path / "kept.json", there)
    tab.get_by_text("imported").wait_for()
    assert json.loads(tab.evaluate(KEPT))["cards"] == {question: later}


@pytest.mark.parametrize("base", ["http"], indirect=True)
@pytest.mark.parametrize(
    "kept", [5, "x", {"cards": 5}, {"read": 7}, {"cards": {"a": {"step": 1}, "b": {}}}]
)
def test_what_others_have_written_ends_no_script(
    visit: Visit, base: str, kept: object
) -> None:
    """Under the same name, as another copy of the site may at the same host."""
    tab = keep(visit, base, kept)
    tab.get_by_text("No question has been answered yet").wait_for()
    visit.open(base + CHOICES)
    answer_first(tab, known=True)


@pytest.mark.parametrize("base", ["http"], indirect=True)
@pytest.mark.parametrize(
    "other", [{"name": "a-package", "version": "1.0.0"}, [1], None, {"cards": "all"}]
)
def test_a_file_that_is_none_of_ours_is_not_imported(
    visit: Visit, base: str, tmp_path: Path, other: object
) -> None:
    card = {asked_on(CHOICES)[0]: {"step": 0, "due": "2020-01-01"}}
    tab = keep(visit, base, {"cards": card})
    bring(tab, tmp_path / "package.json", other)
    tab.get_by_text("holds nothing that was exported here").wait_for()
    assert json.loads(tab.evaluate(KEPT)) == {"cards": card}


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_answers_are_forgotten_when_that_is_confirmed(visit: Visit, base: str) -> None:
    read = {"shapes.html": "2026-02-01"}
    card = {asked_on(CHOICES)[0]: {"step": 0, "due": "2020-01-01"}}
    tab = keep(visit, base, {"cards": card, "read": read})
    forget = tab.get_by_role("button", name="Forget all answers")
    tab.once("dialog", lambda dialog: dialog.dismiss())
    forget.press("Enter")
    assert json.loads(tab.evaluate(KEPT))["cards"] == card
    tab.once("dialog", lambda dialog: dialog.accept())
    forget.press("Enter")
    tab.get_by_text("No question has been answered yet").wait_for()
    assert json.loads(tab.evaluate(KEPT)) == {"read": read}


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_a_card_is_read_out_and_can_be_read(visit: Visit, base: str) -> None:
    """The focus leads to the answer, which stands apart, in letters of the text."""
    card = {asked_on(CHOICES)[0]: {"step": 0, "due": "2020-01-01"}}
    tab = keep(visit, base, {"cards": card})
    place = tab.get_by_role("group", name="Question")
    place.get_by_role("button", name="Turn over").press("Enter")
    asks, answer = place.locator(".review-asks"), place.locator(".review-answer")
    expect(answer).to_be_focused()
    tab.keyboard.press("Tab")
    knew, not_yet = (place.get_by_role("button", name=n) for n in ("I knew", "Not yet"))
    expect(knew).to_be_focused()
    for text in (asks, answer):
        assert text.evaluate("it => parseFloat(getComputedStyle(it).fontSize)") >= 17
    boxes = [it.bounding_box() for it in (asks, answer, knew, not_yet)]
    (above, below, left, right) = [box for box in boxes if box]
    assert below["y"] - above["y"] - above["height"] >= 8
    assert knew.evaluate("it => it.getBoundingClientRect().top") > below["y"] + 8
    assert right["x"] - left["x"] - left["width"] >= 6


def test_who_reads_from_disk_is_told_where_answers_are_kept(
    visit: Visit, base: str
) -> None:
    said = visit.open(base + REVIEW).tab.get_by_text("python -m http.server")
    expect(said).to_have_count(1 if base.startswith("file:") else 0)


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


def test_a_page_that_is_read_is_ticked_at_once(visit: Visit, base: str) -> None:
    tab = visit.open(base + CHOICES).tab
    own = tab.locator(".md-nav--primary a[data-read]")
    expect(own).to_have_count(0)
    tab.locator("details.recall").first.scroll_into_view_if_needed()
    expect(own.first).to_have_text("Shapes (read)")


def test_a_tick_is_seen_in_the_drawer_of_a_phone(browser: Browser, base: str) -> None:
    """Inside the list, which cuts off what lies beside it."""
    with browser.new_context(**PHONE) as context:
        visit = Visit(context, base)
        keep(visit, base, {"read": {"tensors.html": "2026-02-01"}})
        tab = visit.open(base + CHOICES).tab
        tab.locator('.md-header__button[for="__drawer"]').tap()
        link = tab.locator(".md-nav--primary a[data-read]:visible").first
        link.scroll_into_view_if_needed()
        assert link.evaluate(TICK_INSIDE)


def test_nothing_is_noted_of_who_does_not_want_it(visit: Visit, base: str) -> None:
    tab = visit.open(base + REVIEW).tab
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


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_who_keeps_nothing_is_told(visit: Visit, base: str) -> None:
    card = {asked_on(CHOICES)[0]: {"step": 0, "due": "2020-01-01"}}
    keep(visit, base, {"cards": card})
    visit.tab.add_init_script("Storage.prototype.setItem = () => { throw Error(); }")
    tab = visit.open(base + REVIEW).tab
    tab.get_by_role("button", name="Turn over").press("Enter")
    tab.get_by_role("button", name="I knew it").press("Enter")
    tab.get_by_text("nothing was noted").wait_for()
    visit.open(base + CHOICES)
    recall = tab.locator("details.recall").nth(1)
    recall.locator("summary").press("Enter")
    recall.get_by_role("button", name="I knew it").press("Enter")
    recall.get_by_text("it does not come back").wait_for()


REFUSED = """for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, {
    configurable: true,
    get() { throw new DOMException("no", "SecurityError"); },
  });"""


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_a_browser_that_refuses_storage_has_the_whole_theme(
    visit: Visit, base: str
) -> None:
    """As Chromium does where all cookies are blocked."""
    visit.tab.add_init_script(REFUSED)
    tab = visit.open(base + CHOICES).tab
    expect(tab.locator(".md-code__nav").first).to_be_attached()
    first_prediction(tab, "choice").get_by_role("button").first.press("Enter")
    expect(tab.locator(".predict-output").first).to_be_visible()


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_an_output_is_there_where_nobody_can_ask(visit: Visit, base: str) -> None:
    visit.tab.route("**/learning.js", lambda route: route.fulfill(body="// nothing"))
    tab = visit.open(base + CHOICES).tab
    expect(tab.locator(".predict-output").first).to_be_visible()


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_a_page_that_is_gone_is_not_offered(visit: Visit, base: str) -> None:
    last = {"title": "Old", "address": "renamed-since.html"}
    tab = keep(visit, base, {"last": last, "read": {"shapes.html": "2026-02-01"}})
    visit.open(base + "index.html")
    expect(tab.locator(".path a[data-read]")).to_have_count(1)
    expect(tab.locator(".continue a")).to_have_count(0)


# A page that is come back to ----------------------------------------------------------


@pytest.fixture(scope="module")
def restoring(browser: Browser) -> Iterator[Browser]:
    """A browser that shows a page again as it was left, as people's do.

    Playwright has Chromium load them anew.
    """
    other = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=QUIET,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield other
    other.close()


@pytest.fixture
def left(restoring: Browser, address: str) -> Iterator[Visit]:
    """A visit with that browser."""
    with restoring.new_context() as context:
        yield Visit(context, address)


def leave(visit: Visit, address: str) -> None:
    """Mark the page, which is shown again when the reader comes back, and go on."""
    visit.tab.evaluate("window.wasLeft = true")
    visit.open(address)


def come_back(visit: Visit) -> None:
    """By the browser's button."""
    visit.tab.go_back(wait_until="commit")
    visit.tab.wait_for_function("() => window.wasLeft")


def test_what_was_read_since_is_ticked(left: Visit, address: str) -> None:
    tab = left.open(address).tab
    expect(tab.locator("[data-read], .continue a")).to_have_count(0)
    leave(left, address + CHOICES)
    tab.locator("details.recall").first.scroll_into_view_if_needed()
    tab.wait_for_function(f"() => JSON.parse({KEPT})?.read")
    come_back(left)
    expect(tab.locator(".path a[data-read]")).to_have_text(re.compile(r"\(read\)"))
    expect(tab.locator(".continue a")).to_have_text("Shapes")


def test_what_was_answered_since_is_not_due(left: Visit, address: str) -> None:
    question = asked_on(CHOICES)[0]
    tab = keep(left, address, {"cards": {question: {"step": 0, "due": "2020-01-01"}}})
    tab.get_by_text("1 question due").wait_for()
    leave(left, address + CHOICES)
    answer_first(tab, known=True)
    come_back(left)
    tab.get_by_text("Nothing is due today").wait_for()


# A problem is reported ----------------------------------------------------------------

STAY = "link => link.addEventListener('click', event => event.preventDefault())"


def end_with_report(tab: Page, page: str) -> None:
    """Give a page the end that lessons have where a repository is set."""
    body = quote("Page: 12\n\nWhat I saw:\n\n\nWhat I expected:\n")
    link = f'<a class="report" href="https://a.org/new?body={body}">Report</a>'
    end = f'<p class="lesson-end">{link}, with the cell</p></article>'

    def with_link(route: Route) -> None:
        html = (SITE / page).read_text(encoding="utf-8")
        route.fulfill(body=html.replace("</article>", end, 1))

    tab.route(f"**/{page}", with_link)


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_a_report_has_the_cell_that_was_last_pressed_on(
    visit: Visit, base: str
) -> None:
    """With what the page expects of it, which the reader then need not say."""
    end_with_report(visit.tab, CHOICES)
    tab = visit.open(base + CHOICES).tab
    link = tab.locator("a.report")
    link.evaluate(STAY)
    link.click()
    assert reported(link) == "Page: 12\n\nWhat I saw:\n\n\nWhat I expected:\n"
    code, output = tab.locator("article .highlight"), tab.locator("article .output")
    for pressed in (code.nth(1), output.first):  # the first time leaves no trace
        pressed.click()
        link.click()
    said = reported(link).replace("    ", "")
    assert said.startswith("Page: 12\n\nWhat I saw:\n\n\nCell:\n\n")
    assert "What I expected" not in said
    assert said.count("Cell:") == said.count("Expected, as the page has it:") == 1
    assert (output.first.text_content() or "").split()[-1] in said


def reported(link: Locator) -> str:
    """What a report's link fills in."""
    query = urlsplit(link.get_attribute("href") or "").query
    (body,) = parse_qs(query)["body"]
    return body


@pytest.mark.parametrize("base", ["http"], indirect=True)
def test_a_report_in_a_new_tab_has_the_cell_as_well(visit: Visit, base: str) -> None:
    """A middle button presses the link and does not click it."""
    end_with_report(visit.tab, CHOICES)
    tab = visit.open(base + CHOICES).tab
    link = tab.locator("a.report")
    link.evaluate(STAY.replace("click", "auxclick"))
    tab.locator("article .highlight").first.click()
    link.click(button="middle")
    assert "Cell:" in reported(link)


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
    return min(took)


def test_no_page_keeps_its_reader_waiting(browser: Browser, address: str) -> None:
    """The heaviest and the slowest, in parts of what a bare page takes.

    Processors differ too much for seconds.
    """
    bare = ready_after(browser, address + BARE)
    for pages, limit in [
        ((max(ON_THE_SITE, key=weight), *WITH_WIDGETS), MAX_READY),
        (WITH_MATHS, MAX_READY_MATHS),
    ]:
        for page in pages:
            assert ready_after(browser, address + page) < limit * bare, page


def test_what_is_far_from_the_window_waits(visit: Visit, base: str) -> None:
    """Neither styles nor layout are its until the reader comes near."""
    tab = visit.open(base + max(ON_THE_SITE, key=weight)).tab
    far, skipped = tab.evaluate(FAR_AND_SKIPPED)
    assert skipped == far > 20


@pytest.mark.parametrize("way", ["address", "contents", "reload"])
def test_nothing_waits_for_who_goes_to_a_section(
    visit: Visit, base: str, way: str
) -> None:
    """What has no height yet would move the section away."""
    tab = visit.open(base + CHOICES).tab
    link = tab.locator(".md-sidebar--secondary a[href^='#']").first
    if way == "contents":
        link.click()
    elif way == "reload":
        tab.reload()
    else:
        section = link.get_attribute("href") or ""
        leave(visit, "about:blank")
        visit.open(base + CHOICES + section)
    far, skipped = tab.evaluate(FAR_AND_SKIPPED)
    assert far > 0
    assert skipped == 0


def weight(page: str) -> int:
    """Bytes of a page's HTML."""
    return (SITE / page).stat().st_size
