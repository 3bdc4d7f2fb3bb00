"""A page run as plain Python in the project's folder saves its figures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = """\
import matplotlib.pyplot as plt

for title in ["one", "two"]:
    fig, ax = plt.subplots()
    ax.set_title(title)
    plt.show()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the project's settings and a page that shows two figures."""
    for name in ("matplotlibrc", "snippets/save_figures.py"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    (tmp_path / "snippets" / "11_page.py").write_text(PAGE)
    return tmp_path


def run(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the page in a folder without a display; warnings are errors."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    environment = {k: v for k, v in os.environ.items() if k not in hidden} | variables
    return subprocess.run(
        [sys.executable, "-W", "error", "snippets/11_page.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_each_shown_figure_is_saved_and_named(project: Path) -> None:
    done = run(project)
    names = ["11_page-1.png", "11_page-2.png"]
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [f"figure saved: figures/{n}" for n in names]
    saved = sorted((project / "figures").iterdir())
    assert [path.name for path in saved] == names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in saved)
    assert saved[0].read_bytes() != saved[1].read_bytes()


def test_another_backend_may_be_named(project: Path) -> None:
    assert run(project, MPLBACKEND="svg").stderr == ""
    assert not (project / "figures").exists()
