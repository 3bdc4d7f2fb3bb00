"""Words and integers exactly, decimals within tolerance, whatever is around them."""

import pytest

from page_runner.compare import compare, tokenize

SAME = [
    ("accuracy 97.4%", "accuracy 97.3%"),
    ("loss:0.31", "loss:0.32"),
    ("The loss is 0.31.", "The loss is 0.30."),
    ("took 3.2s", "took 3.3s"),
    ("-0.0", "0.0"),
    ("-0", "0"),
    ("1e-05", "2e-05"),
    ("1.00e-05", "1.01e-05"),
    ("nan inf -inf", "nan inf -inf"),
    ("1234.567", "1235.7"),
    ("tensor([ 0.10, -0.20])", "tensor([0.10, -0.20])"),
    ("tensor([[0.4689],\n        [0.4699]])", "tensor([[0.4690], [0.4698]])"),
    (
        "tensor([0.4689], grad_fn=<SigmoidBackward0>)",
        "tensor([0.4690], grad_fn=<SigmoidBackward0>)",
    ),
    ("tensor([1., 2.])", "tensor([1., 2.])"),
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
    ("1e-05", "3e-05", "3e-05 is not within"),
    ("0.5", "nan", "nan where 0.5"),
    ("inf", "-inf", "-inf where inf"),
    ("inf", "1e30", "1e30 where inf"),
    ("SigmoidBackward0", "SigmoidBackward1", "'SigmoidBackward1' where"),
    ("SigmoidBackward0", "ReluBackward0", "'ReluBackward0' where"),
    ("tensor([1., 2.])", "tensor([1., 3.])", "3 where exactly 2"),
    ("epoch 10", "epoch 11", "11 where exactly 10"),
    ("60,000", "60,001", "001 where exactly 000"),
    ("3", "3.0", "3.0 where exactly 3"),
    ("the loss falls", "the loss rises", "'rises' where 'falls'"),
    ("a", "a b", "more than was recorded: 'b'"),
    ("a b", "a", "the recorded 'b' is missing"),
    ("0.25", "-0.25", "-0.25 is not within"),
]


@pytest.mark.parametrize(("expected", "actual"), SAME)
def test_within_tolerance(expected: str, actual: str) -> None:
    difference, _ = compare(expected, actual)
    assert difference is None


@pytest.mark.parametrize(("expected", "actual", "message"), DIFFERENT)
def test_difference_is_named(expected: str, actual: str, message: str) -> None:
    difference, _ = compare(expected, actual)
    assert difference is not None
    assert message in difference.message


def test_difference_shows_its_lines() -> None:
    difference, compared = compare("a 1\nb 0.50\nc", "a 1\nb 0.60\nc")
    assert (difference.expected_line, difference.actual_line) == ("b 0.50", "b 0.60")
    assert compared == 1


def test_own_tolerance_replaces_one_part_in_a_thousand() -> None:
    assert compare("0.5000", "0.5080", relative=0.02)[0] is None
    assert compare("0.5000", "0.5080")[0] is not None
    assert compare("0.5000", "0.5120", relative=0.02)[0] is not None


def test_cuda_is_ten_times_as_wide() -> None:
    assert compare("0.5000", "0.5045", factor=10)[0] is None
    assert compare("0.5000", "0.5055", factor=10)[0] is not None
    assert compare("0.31", "0.41", factor=10)[0] is None


def test_words_only() -> None:
    assert (
        compare("took 3.2 s, nan, 4", "took 9 s, 1.5, inf", words_only=True)[0] is None
    )
    assert compare("took 3.2 s", "took 3.2 m", words_only=True)[0] is not None


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
        ("tensor([2.]) .5", ["2", ".5"]),
    ],
)
def test_tokens_that_are_numbers(text: str, numbers: list[str]) -> None:
    assert [token.text for token in tokenize(text) if token.is_number] == numbers
