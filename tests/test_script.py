"""A percent script becomes a page, or an error that names its line."""

from pathlib import Path

import pytest

from lessons import place_of
from page_runner.predictions import Prediction
from page_runner.script import PageError, find_pages, loads_data, parse

SNIPPETS = Path(__file__).parents[1] / "snippets"

HEADER = """\
# ---
# jupyter:
#   page:
#     teaches:
#       D1: A section
#       E10: A section
#     level: beginner
#     read_first: [11_tensors]
# ---

"""
BODY = """\
# %% [markdown]
# # A title
#
# ## A section

# %% tags=["solution"] alt="what it shows"
x = 1
print(x)

# %%

# a comment
y = "# %% not a marker"
"""

PREDICT = 'tags=["predict"] why="Because."'


def write(folder: Path, text: str, name: str = "12_sample.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_cells_know_their_lines_and_tags(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + BODY)
    page = parse(path)
    lines = path.read_text().splitlines()
    assert page.title == "A title"
    assert [cell.number for cell in page.code] == [1, 2]
    for cell in page.code:
        assert lines[cell.line - 1] == cell.source.splitlines()[0]
    first, second = page.code
    assert first.tags == ("solution",)
    assert first.alt == "what it shows"
    assert second.tags == ()


def test_header(tmp_path: Path) -> None:
    header = parse(write(tmp_path, HEADER + BODY)).header
    assert header.teaches == {"D1": "A section", "E10": "A section"}
    assert header.read_first == ("11_tensors",)
    assert header.result is None


def test_a_cell_asks_what_it_will_print(tmp_path: Path) -> None:
    asks = f'# %% {PREDICT} ask="Which?" answers=["(4, 1)", "(4,)"]\n'
    _, second = parse(write(tmp_path, HEADER + BODY.replace("# %%\n", asks))).code
    prediction = second.prediction
    assert prediction == Prediction("Because.", ("(4, 1)", "(4,)"), "Which?")
    assert prediction.problem("torch.Size(\n(4,  1))") is None
    assert "none occur" in (prediction.problem("(4, 10)") or "")
    assert "'(4, 1)', '(4,)' occur" in (prediction.problem("(4, 1) (4,)") or "")


@pytest.mark.parametrize(
    ("printed", "problem"),
    [("is 4", None), ("-1.5e3", None), ("none", "has 0"), ("1 of 2", "has 2")],
)
def test_a_cell_asks_for_the_number_that_it_prints(
    printed: str, problem: str | None
) -> None:
    found = Prediction("Because.").problem(printed)
    assert found is None if problem is None else problem in (found or "")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("page:", "pages:", "no header"),
        ("level: beginner", "level: easy", "`level` is none of beginner"),
        ("level: beginner", "levels: beginner", "lacks `level`"),
        ("D1: A", "F1: A", "`teaches` has 'F1': 'A section'"),
        ("D1: A section", "D1:", "`teaches` has 'D1': None"),
        ("D1: A section", "D1: Elsewhere", "`D1` names no section 'Elsewhere'"),
        ("level: beginner", "level: beginner\n#     time: 3", "unknown time"),
        ("[11_tensors]", "[11_tensors", "12_sample.py:8: the header is no YAML"),
        ("# # A title", "# A title", "no H1"),
        ("# # A title", "# ## A title", "no H1"),
        ('"solution"', '"solutions"', "unknown tag 'solutions'"),
        ("# %% [markdown]\n", "", "12_sample.py:11: every cell starts with a line"),
        ("x = 1", "x = 1\n#%%", "12_sample.py:18: `#%%` is no marker"),
        ("# %%\n", "# %%a title\n", "12_sample.py:20: `# %%a title` is no marker"),
        ("# %%\n", "# %% a title\n", "12_sample.py:20: `a title` is neither"),
        ("# %%\n", "# %% alt='a'\n", "12_sample.py:20: `alt='a'` is neither"),
        ("# %%\n", "# %% alt=3\n", "12_sample.py:20: tags are a list"),
        ("# %%\n", "# %% [raw]\n", "12_sample.py:20: a cell of kind raw"),
        ("# %%\n", '# %% why="a"\n', "12_sample.py:20: `why` is of a cell with"),
        ("# %%\n", '# %% tags=["predict"]\n', "12_sample.py:20: `predict` wants `why"),
        ('["solution"]', '["solution", "predict"]', "that is no solution"),
        ("# %%\n", f"# %% {PREDICT} answers=[3, 4]\n", "two or three different texts"),
        ("# %%\n", f'# %% {PREDICT} answers=["a"]\n', "two or three different texts"),
        ("# ## A section", "## A section\nx = 1", "12_sample.py:15: prose is written"),
    ],
)
def test_malformed(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (HEADER + BODY).replace(old, new)
    with pytest.raises(PageError) as caught:
        parse(write(tmp_path, text))
    assert message in str(caught.value)


def test_script_is_the_source(tmp_path: Path) -> None:
    """Nothing in a code cell is taken for a magic, a shell command or a marker."""
    code = [
        "# cat comes first\nx = 1  # why?\n# why?\n# %d items\n# !important",
        "# %matplotlib inline\n# %d not a marker either",
        'text = """\n# %%\n#%%\n"""\n    # %% indented\n# pip install x',
        "name = 'a\N{LINE SEPARATOR}b\x0c'   \n# cat",
    ]
    text = HEADER + "# %% [markdown]\n# # A title\n#\n# ## A section\n"
    for source in code:
        text += f"\n# %%\n{source}\n"
    page = parse(write(tmp_path, text))
    assert [cell.source for cell in page.code] == code
    crlf = tmp_path / "13_crlf.py"
    crlf.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert parse(crlf).cells == page.cells


@pytest.mark.parametrize("script", find_pages(SNIPPETS), ids=lambda path: path.stem)
def test_every_page_is_its_own_source(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").split("\n")
    page = parse(script)
    for cell in page.code:
        own = lines[cell.line - 1 :][: len(cell.source.split("\n"))]
        assert cell.source.split("\n") == own
    markers = [line for line in lines if line.startswith("# %%")]
    assert len(markers) == len(page.cells)


def test_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "12_sample.py"
    path.write_bytes((HEADER + BODY).encode().replace(b"a comment", b"caf\xe9"))
    with pytest.raises(PageError, match=r"12_sample.py:22: byte 0xe9 is not UTF-8"):
        parse(path)


def test_syntax_error_leaves_the_cells_below_it(tmp_path: Path) -> None:
    for broken in ("print((", 'print("""', "print('", "x = $", "  y = 1"):
        text = (HEADER + BODY).replace("print(x)", broken)
        assert len(parse(write(tmp_path, text)).cells) == 3


@pytest.mark.parametrize(
    "name", ["1_short.py", "12-dash.py", "12_Upper.py", "301_same_place_as_31.py"]
)
def test_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(PageError, match="chapter, place and words"):
        parse(write(tmp_path, HEADER + BODY, name))


def test_a_chapter_may_have_more_than_ten_pages(tmp_path: Path) -> None:
    """Pages are in the order of their numbers, for the runner and for the site."""
    names = ["30_a", "31_b", "39_c", "310_d", "3100_e", "40_a"]
    for name in [*reversed(names), "load", "save"]:
        write(tmp_path, HEADER + BODY, f"{name}.py")
    scripts = find_pages(tmp_path)
    assert [script.stem for script in scripts] == names
    assert [parse(script).stem for script in scripts] == names
    mixed = [tmp_path / f"{name}.py" for name in sorted(names)]
    assert sorted(mixed, key=place_of) == scripts
    assert {place_of(script)[0] for script in scripts} == {3, 4}


def test_nothing_to_run(tmp_path: Path) -> None:
    text = HEADER + BODY[: BODY.index("# %% tags")]
    with pytest.raises(PageError, match="a page runs"):
        parse(write(tmp_path, text))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("import load", "`load` is a module of its own folder"),
        ("import helper.part", "`helper.part` is a module of its own folder"),
        ("from helper import x", "`helper` is a module of its own folder"),
        ("from . import load", "`.` is a module of its own folder"),
        ("from load import mnist as m", "takes plain names"),
        ("from load import *", "takes plain names"),
    ],
)
def test_local_modules_are_refused(
    tmp_path: Path, statement: str, message: str
) -> None:
    """The site could not offer such a page, nor know when to run it again."""
    for name in ("load.py", "helper.py"):
        write(tmp_path, "", name)
    text = (HEADER + BODY).replace("x = 1", f"import os\n{statement}\nx = 1")
    with pytest.raises(PageError, match=r"12_sample\.py:18: ") as caught:
        parse(write(tmp_path, text))
    assert message in str(caught.value)


def test_data_is_loaded(tmp_path: Path) -> None:
    text = HEADER + BODY
    assert not loads_data(parse(write(tmp_path, text)))
    text = text.replace("x = 1", "from load import (\n    mnist,\n)")
    assert loads_data(parse(write(tmp_path, text)))
