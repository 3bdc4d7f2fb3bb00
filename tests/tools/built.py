"""Whether the site that was built last is what a build would give now.

`nox -s docs` asks this first, and then starts no program at all. Like Make and Git, it
reads no file, but knows each by its size, its number and its times of change, which no
program can set back. So it may build once too often (a file was copied, or written with
the same content), and never once too seldom. It needs nothing but Python, for nox has
an environment of its own. In the same way it knows whether pip has anything to do.
"""

import datetime
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

# All that the session reads in the checkout, but for the executed pages.
SOURCES = (
    *("snippets", "docs", "tests", "mkdocs.yml", "noxfile.py"),
    *("pyproject.toml", "constraints.txt", "pins"),
)
VARIABLES = (  # that say how pages run, what they run on, or how the site is built
    *("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_CBWR"),
    *("PYTEST_ADDOPTS", "SOURCE_DATE_EPOCH"),
)


class Build:
    """A build of a project: what it is made of, noted while it goes on.

    python: of the environment in which it is built.
    """

    def __init__(self, root: Path, python: Path) -> None:
        self.root, self.python = root, python
        self.record = root / ".cache" / "built.json"
        self.sources, self.pages = self._sources(), ""

    def is_done(self) -> bool:
        """Whether the last build that came to its end was of all this, and is there."""
        try:
            then = json.loads(self.record.read_bytes())
        except (OSError, ValueError):
            return False
        return then == [self.sources, self._pages(), self._site()]

    def start(self) -> None:
        """Begin anew: until its end, there is no build."""
        self.record.unlink(missing_ok=True)
        self.sources = self._sources()

    def note_pages(self) -> None:
        """Note the executed pages, which are all current now."""
        self.pages = self._pages()

    def end(self) -> None:
        """Write down that the site is built."""
        self.record.parent.mkdir(exist_ok=True)
        text = json.dumps([self.sources, self.pages, self._site()])
        self.record.write_text(text, encoding="utf-8")

    def _sources(self) -> str:
        """Of what pages and site are made of; today's date, for data may be there."""
        data = Path(os.environ.get("SNIPPETS_DATA") or self.root / "data")
        return _digest(
            [_stamps(self.root / name) for name in SOURCES],
            _stamps(data),
            _packages(self.python),
            _variables(self.root / "mkdocs.yml"),
            _processor(),
            datetime.date.today().isoformat(),
        )

    def _pages(self) -> str:
        return _digest(_stamps(self.root / ".cache" / "pages"))

    def _site(self) -> str:
        return _digest(_stamps(self.root / "site"))


class Installed:
    """Whether an environment has some requirements: asking pip takes seconds.

    They were installed, and no package has come or gone since.
    """

    def __init__(self, python: Path, requirements: Sequence[str], pins: Path) -> None:
        self.python = python
        self.record = python.parents[1] / "installed.json"
        self.wanted = _digest(requirements, pins.read_text(encoding="utf-8"))

    def is_done(self) -> bool:
        """Whether pip would have nothing to do."""
        return self._read().get(self.wanted) == _digest(_packages(self.python))

    def note(self) -> None:
        """Write down that it has been done."""
        done = {**self._read(), self.wanted: _digest(_packages(self.python))}
        self.record.write_text(json.dumps(done), encoding="utf-8")

    def _read(self) -> dict[str, str]:
        with suppress(OSError, ValueError):
            return dict(json.loads(self.record.read_bytes()))
        return {}


def _packages(python: Path) -> list[tuple]:
    """Stamps of an environment's Python, and of the folders that packages are in.

    Without their paths: a copy of the project may share the environment by a link.
    """
    environment = python.parents[1]
    folders = [
        *environment.glob("lib/python*/site-packages"),
        *environment.glob("Lib/site-packages"),  # on Windows
    ]
    return [_stamp(path)[1:] for path in (python, *folders)]


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _stamps(path: Path) -> list[tuple]:
    """The stamps of a file, or of all files below a folder, in order of their paths."""
    if path.is_dir():
        return sorted(_below(str(path)))
    return [_stamp(path)]


def _below(folder: str) -> Iterator[tuple]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _below(entry.path)
            else:
                yield _stamp(entry.path)


def _stamp(path: str | Path) -> tuple:
    """What changes when a file is written; its path alone where there is none."""
    with suppress(OSError):
        found = Path(path).stat()
        times = found.st_mtime_ns, found.st_ctime_ns
        return str(path), found.st_ino, found.st_size, *times
    return (str(path),)


def _variables(settings: Path) -> dict[str, str | None]:
    """The environment variables that count, and those that mkdocs.yml names."""
    text = settings.read_text(encoding="utf-8") if settings.exists() else ""
    named = re.findall(r"!ENV\s*\[?\s*(\w+)", text)
    ours = [name for name in os.environ if name.startswith("SNIPPETS_")]
    names = sorted({*VARIABLES, *named, *ours})
    return {name: os.environ.get(name) for name in names}


def _processor() -> list[str]:
    """The processor's name and instruction sets, where Linux says them."""
    with suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        text = file.read(8192)  # of the first core
        return re.findall(r"^(?:model name|flags)\s.*$", text, re.MULTILINE)[:2]
    return []
