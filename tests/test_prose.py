"""Numbers in prose that nothing says are found, and those that are said are not."""

from pathlib import Path

import pytest

from page_runner.script import PageError, parse
from tools.prose import Said, numbers_in, unfounded, unused_citations

PAGE = """\
# ---
# jupyter:
#   page:
#     teaches: {{}}
#     level: beginner
#     read_first: []
#     cites: {cites}
# ---

# %% [markdown]
# # A page
# {opening}

# %%
batch_size = 64

# %% [markdown]
# ## First
# {first}

# %%
share = 0.9813
assert share > 0.975

# %% [markdown]
# ## Second

# %%
number = 32 * 2

# %% [markdown]
# ## Third
# {third}

# %%
print(batch_size)
"""


def write(folder: Path, cites: str = "{}", **texts: str) -> Path:
    """A page of four sections with this prose, not recorded."""
    texts = {"opening": "", "first": "", "third": ""} | texts
    script = folder / "11_page.py"
    script.write_text(PAGE.format(cites=cites, **texts))
    return script


def found(folder: Path, cites: str = "{}", **texts: str) -> list[str]:
    return [said.text for said in unfounded(parse(write(folder, cites, **texts)))]


@pytest.mark.parametrize(
    "text",
    [
        *("98 %", "98.1 %", "98.13 %", "98 in every 100", "0.981", "more than 97.5 %"),
        *("CIFAR-10 and float32", "in 1998", "PyTorch 2.6", "64-bit", "`17`", "$17$"),
        *("either 0 or 1", "1. first\n# 2. second", "**3.** An exercise", "page 17"),
    ],
)
def test_said_by_the_section_or_no_number(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, first=text) == []


@pytest.mark.parametrize(
    "text", ["97 %", "1 %", "0.98129", "64.5", "3", "\u221217", "1,981"]
)
def test_said_by_nothing(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, third=text) == [text]


def test_a_section_speaks_for_itself_and_the_next(tmp_path: Path) -> None:
    assert found(tmp_path, opening="98 %, 64", first="98 %, 64", third="64") == []
    assert found(tmp_path, third="98 %") == ["98 %"]


def test_a_link_brings_what_its_page_says(tmp_path: Path) -> None:
    write(tmp_path).rename(tmp_path / "12_other.py")
    assert found(tmp_path, third="[That page](12_other.py) reaches 98 %.") == []
    assert found(tmp_path, third="[That page](12_other.py)\n# reaches 98 %.") == [
        "98 %"
    ]


def test_what_the_page_cites_is_excused(tmp_path: Path) -> None:
    cites = '{"62 %": the old tutorial}'
    assert found(tmp_path, cites, first="62 % and 63 %") == ["63 %"]
    page = parse(write(tmp_path, cites, first="63 %"))
    assert unused_citations(page) == ["62 %"]
    with pytest.raises(PageError, match='write `"39 %": where it comes from`'):
        parse(write(tmp_path, "{62: the old tutorial}"))


def test_recordings_are_read(tmp_path: Path) -> None:
    script = write(tmp_path, first="0.71 and 12,345 and 0.72 and 3")
    folder = tmp_path / "tests" / "expected"
    folder.mkdir(parents=True)
    snippets = tmp_path / "snippets"
    snippets.mkdir()
    script = script.rename(snippets / script.name)
    text = (
        "data: none\nprocessor: any\ncell 2: share = 0.9813\n    0.711±0.003 12,345 a\n"
    )
    (folder / "11_page.txt").write_text(text)
    assert [said.text for said in unfounded(parse(script))] == ["0.72", "3"]


def test_where_a_number_stands() -> None:
    (said,) = numbers_in("one\ntwo 2.50 %\nthree", first_line=10)
    assert said == Said(11, "2.50 %", 2.5, 2, True)
