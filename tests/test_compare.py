"""Words and integers exactly, decimals within tolerance, whatever is around them."""

import gc
import re
import time

import numpy as np
import pytest

from page_runner.compare import (
    CUDA_FACTOR,
    RELATIVE_TOLERANCE,
    SPREADS,
    Unstable,
    annotate,
    compare,
    margins,
    tokenize,
)
from page_runner.variations import VARIATIONS

SAME = [
    ("accuracy 97.4%", "accuracy 97.3%"),
    ("loss:0.31", "loss:0.32"),
    ("The loss is 0.31.", "The loss is 0.30."),
    ("took 3.2s", "took 3.3s"),
    ("-0.0", "0.0"),
    ("-0", "0"),
    ("1e-05", "1.0e-05"),
    ("0.1", "0.10"),
    ("1.3e-17", "4e-17"),
    ("tensor([0.])", "tensor([-7.8e-17])"),
    ("[0. 1.]", "[-7.8e-17 1.0000]"),
    ("1,999.9", "1,999.8"),
    ("9,917", "9917"),
    ("0e999", "0.0"),
    # From public reports: two processors, and two libraries.
    ("0.4804637", "0.4804629"),
    ("score 0.485", "score 0.486"),
    ("1.00e-05", "1.01e-05"),
    ("nan inf -inf", "nan inf -inf"),
    ("1234.567", "1235.7"),
    ("tensor([ 0.10, -0.20])", "tensor([0.10, -0.20])"),
    ("tensor([[0.4689],\n        [0.4699]])", "tensor([[0.4690], [0.4698]])"),
    (
        "tensor([0.4689], grad_fn=<SigmoidBackward0>)",
        "tensor([0.4690], grad_fn=<SigmoidBackward0>)",
    ),
    ("tensor([1., 2.])", "tensor([1.0000, 2.0000])"),
    ("3 of 4", "3  of\n4"),
    ("", "\n"),
]
DIFFERENT = [
    ("accuracy 97.4%", "accuracy 97.2%", "97.2 is not within"),
    ("loss:0.31", "loss:0.33", "0.33 is not within"),
    ("The loss is 0.31.", "The loss is 0.33.", "0.33 is not within"),
    ("The loss is 0.31.", "The loss is 0.31", "'.' is missing"),
    ("took 3.2s", "took 3.4s", "3.4 is not within"),
    ("took 3.2s", "took 3.2m", "'m' where 's'"),
    ("0.0", "-0.2", "-0.2 is not within"),
    ("1e-05", "2e-05", "2e-05 is not within"),
    ("0.1", "0.2", "0.2 is not within"),
    ("1e-3", "2e-3", "2e-3 is not within"),
    ("0e999", "1.0", "1.0 is not within"),
    ("1,999.9", "2,999.9", "2,999.9 is not within"),
    ("torch 2.14.1", "torch 2.15.1", "'2.15.1' where '2.14.1'"),
    ("-0.167", "-0.178", "-0.178 is not within"),  # a public report
    ("hits 9917", "hits 9914", "9914 where exactly 9917"),  # another
    ("0.5", "nan", "nan where 0.5"),
    ("inf", "-inf", "-inf where inf"),
    ("inf", "1e30", "1e30 where inf"),
    ("SigmoidBackward0", "SigmoidBackward1", "'SigmoidBackward1' where"),
    ("SigmoidBackward0", "ReluBackward0", "'ReluBackward0' where"),
    ("tensor([1., 2.])", "tensor([1., 3.])", "3. is not within 0.002 of"),
    ("epoch 10", "epoch 11", "11 where exactly 10"),
    ("60,000", "60,001", "60,001 where exactly 60,000"),
    ("3", "3.0", "3.0 where 3"),
    ("the loss falls", "the loss rises", "'rises' where 'falls'"),
    ("a", "a b", "more than was recorded: 'b'"),
    ("a b", "a", "the recorded 'b' is missing"),
    ("0.25", "-0.25", "-0.25 is not within"),
]


@pytest.mark.parametrize(("expected", "actual"), SAME)
def test_within_tolerance(expected: str, actual: str) -> None:
    difference, *_ = compare(expected, actual)
    assert difference is None


@pytest.mark.parametrize(("expected", "actual", "message"), DIFFERENT)
def test_difference_is_named(expected: str, actual: str, message: str) -> None:
    difference, *_ = compare(expected, actual)
    assert difference is not None
    assert message in difference.message


def test_difference_shows_its_lines() -> None:
    difference, compared, _ = compare("a 1\nb 0.50\nc", "a 1\nb 0.60\nc")
    assert difference is not None
    assert (difference.expected_line, difference.actual_line) == ("b 0.50", "b 0.60")
    assert compared == 1


def test_cuda_drifts_further_and_rounds_the_same() -> None:
    cuda = CUDA_FACTOR * RELATIVE_TOLERANCE
    assert compare("0.5000", "0.5025", cuda)[0] is None
    assert compare("0.5000", "0.5030", cuda)[0] is not None
    for recorded, printed in [("0.5", "-0.5"), ("97.4%", "98.4%"), ("0.31", "0.33")]:
        assert compare(recorded, printed, cuda)[0] is not None
    assert compare("0.138±0.006", "0.157", cuda)[0] is None


def test_a_recorded_spread_is_the_tolerance() -> None:
    assert SPREADS == 3
    assert compare("loss 0.138±0.006.", "loss 0.157.")[0] is None  # and a unit
    assert compare("loss 0.138±0.006", "loss 0.158")[0] is not None
    assert compare("9,917±3 hits", "9,908 hits")[0] is None
    difference, *_ = compare("9,917±3 hits", "9,907 hits")
    assert difference is not None
    assert "not within 9 of" in difference.message
    assert compare("0.4±0.1", "0.8")[0] is None
    assert compare("1.5e-05±2.0e-06", "2.1e-05")[0] is None


def test_margins_are_for_readers() -> None:
    assert margins("loss 0.500, 3 of 4") == ""
    assert margins("0.138±0.006, hits 9,917±3") == "0.138 ± 0.019, 9,917 ± 9"
    assert margins("0.1±0.1 " * 4 + "0.50±0.20") == "up to ± 0.61"


def test_what_is_printed_has_no_spread() -> None:
    difference, *_ = compare("0.97", "0.97±0.01")
    assert difference is not None
    assert "write blanks around ±" in difference.message
    assert compare("0.97 ± 0.01", "0.97 ± 0.01")[0] is None


def test_a_deviation_of_one_digit_is_no_constant() -> None:
    assert compare("0.433 ± 0.006", "0.433 ± 0.007")[0] is None
    assert compare("0.433 ± 0.006", "0.433 ± 0.008")[0] is not None
    assert compare("rate 0.006", "rate 0.007")[0] is not None


@pytest.mark.parametrize(
    ("plain", "others", "recorded"),
    [
        ("loss 0.138, 3 of 4", ["loss 0.139, 3 of 4"] * 2, "loss 0.138±0.001, 3 of 4"),
        ("0.138", ["0.136", "0.139", "0.138"], "0.138±0.002"),
        ("9,917 hits", ["9,914 hits", "9,918 hits"], "9,917±3 hits"),
        ("1.30e-05", ["1.20e-05"], "1.30e-05±1.0e-06"),
        ("[1., 2.]", ["[1.0000, 2.0003]"], "[1., 2.±3.0e-04]"),
        ("1.3e-17 -0.0", ["4e-17 0.0"], "1.3e-17 -0.0"),
        ("nan inf 0.5", ["nan inf 0.5"], "nan inf 0.5"),
        ("  12.5%\n\n  a", ["12.6%  a"], "  12.5±0.1%\n\n  a"),
    ],
)
def test_spreads_stand_beside_what_moved(
    plain: str, others: list[str], recorded: str
) -> None:
    annotated = annotate(plain, {f"run {i}": text for i, text in enumerate(others)})
    assert annotated == recorded
    for text in [plain, *others]:
        assert compare(annotated, text)[0] is None


@pytest.mark.parametrize(
    ("plain", "other", "message"),
    [
        ("{'a', 'b'}", "{'b', 'a'}", "\"{'a',\" was \"{'b',\" in it"),
        ("<A object at 0x7f01>", "<A object at 0x7f02>", "was"),
        ("it falls", "it rises", "'falls' was 'rises' in it"),
        ("1 2", "1 2 3", "'nothing' was '3' in it"),
        ("1.5", "nan", "'1.5' was 'nan' in it"),
        ("1.5", "2", "'1.5' was '2' in it"),
        ("0.97±0.01", "0.97±0.01", "write blanks around ±"),
    ],
)
def test_what_no_tolerance_covers_is_not_recorded(
    plain: str, other: str, message: str
) -> None:
    with pytest.raises(Unstable, match=re.escape(message)):
        annotate(plain, {"in it": other})


def test_three_spreads_are_enough() -> None:
    """A ninth deviation is beyond three times the largest of eight in one of 1,900."""
    values = np.random.default_rng(0).standard_normal((200_000, len(VARIATIONS) + 2))
    deviations = abs(values[:, 1:] - values[:, :1])
    beyond = deviations[:, -1] > SPREADS * deviations[:, :-1].max(axis=1)
    assert 1 / 2500 < beyond.mean() < 1 / 1500


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("97.4%", ["97.4"]),
        ("loss:0.31", ["0.31"]),
        ("0.31.", ["0.31"]),
        ("3.2s", ["3.2"]),
        ("[-0.0, +1]", ["-0.0", "+1"]),
        ("1e-05 2.5E+3", ["1e-05", "2.5E+3"]),
        ("nan, -inf, banana, info", ["nan", "-inf"]),
        ("Conv2d(3, 6) float32 x2 v1.2", ["3", "6"]),
        ("5x3 28×28", ["5", "28", "28"]),
        ("1-2", ["1", "2"]),
        ("tensor([2.]) .5", ["2.", ".5"]),
        ("1,999.9 12,3456 1,23", ["1,999.9", "12", "3456", "1", "23"]),
        ("2.14.1 3.", ["3"]),
        ("1.e-05 [0. 1.]", ["1.e-05", "0.", "1."]),
    ],
)
def test_tokens_that_are_numbers(text: str, numbers: list[str]) -> None:
    assert [token.text for token in tokenize(text) if token.kind != "word"] == numbers


@pytest.mark.parametrize(
    "piece", ["x", "1", "-", "0.123 ", "1. ", "1.", "1,111", "\n", "1e", "1 ±", "é "]
)
def test_time_is_proportional_to_the_text(piece: str) -> None:
    """Eight times the text takes about eight times as long, not 64 times.

    Other programs can make any run longer, up to several times, and none shorter: the
    two sizes take turns, and the shortest run of each counts. Collecting garbage, which
    takes the longer the more the whole suite keeps, is left out.
    """

    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        start = time.process_time()
        compare(text, text)
        return time.process_time() - start

    gc.disable()
    try:
        turns = [[seconds(20_000), seconds(160_000)] for _ in range(4)]
    finally:
        gc.enable()
    short, long = map(min, zip(*turns, strict=True))
    assert long < 24 * short + 0.05
