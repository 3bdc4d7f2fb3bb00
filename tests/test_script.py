"""A percent script becomes a page, or an error that names its line."""

from pathlib import Path

import pytest

from page_runner.script import PageError, loads_data, parse

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

# %% tags=["tolerance-0.02", "solution"] alt="what it shows"
x = 1
print(x)

# %%

# a comment
y = "# %% not a marker"
"""


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
    assert first.tolerance == 0.02
    assert first.alt == "what it shows"
    assert second.tolerance is None
    assert not second.varies


def test_header(tmp_path: Path) -> None:
    header = parse(write(tmp_path, HEADER + BODY)).header
    assert header.teaches == {"D1": "A section", "E10": "A section"}
    assert header.read_first == ("11_tensors",)
    assert header.result is None


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
        ("[11_tensors]", "[11_tensors", "12_sample.py:1: "),
        ("# # A title", "# A title", "no H1"),
        ("# # A title", "# ## A title", "no H1"),
        ('"solution"', '"solutions"', "unknown tag 'solutions'"),
        ("# %% [markdown]\n", "", "starts with a line `# %%`"),
    ],
)
def test_malformed(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (HEADER + BODY).replace(old, new)
    with pytest.raises(PageError) as caught:
        parse(write(tmp_path, text))
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["1_short.py", "12-dash.py", "12_Upper.py"])
def test_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(PageError, match="two digits and words"):
        parse(write(tmp_path, HEADER + BODY, name))


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
