"""Other projects with this site's set-up: for tests, faults and measurements."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Of docs/, what the set-up cannot do without.
HAND_WRITTEN, KATEX = "review.md", "assets/vendor/katex/katex.min.js"
ABOUT = re.compile(r"  - About:\n( {6}- .*\n)+")  # in the navigation


def set_up(folder: Path, about: str = "") -> None:
    """Copy hooks, templates, assets and settings into a project.

    It gets a home page and no places to read on. about: lines of the navigation that
    stand where this site has its pages about itself.
    """
    for name in ("hooks", "overrides", "assets"):
        skip = shutil.ignore_patterns("__pycache__", "vendor", "fonts")
        shutil.copytree(ROOT / "docs" / name, folder / "docs" / name, ignore=skip)
    for needed in (HAND_WRITTEN, KATEX):
        (folder / "docs" / needed).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "docs" / needed, folder / "docs" / needed)
    (folder / "docs" / "index.md").write_text("# Home\n\n{{ learning_path }}\n")
    (folder / "docs" / "reading.yml").write_text("{}\n")
    put_settings(folder, about)


def put_settings(folder: Path, about: str = "") -> None:
    """Write this site's settings into a project that has not its pages about itself."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    settings, count = ABOUT.subn(about, settings)
    assert count == 1
    (folder / "mkdocs.yml").write_text(settings, encoding="utf-8")
