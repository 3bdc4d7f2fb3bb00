"""Executed notebooks that passed, valid until something that they depend on changes.

This is all that the site knows of the runner: `current_notebook`. It imports neither
torch nor IPython, so that building a site from what is stored takes no time.
"""

import hashlib
import importlib.metadata
import json
import os
import tempfile
from functools import lru_cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from page_runner.script import Page, parse

PACKAGES = (
    "torch",
    "torchvision",
    "numpy",
    "pandas",
    "matplotlib",
    "pillow",
    "ipython",
)
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def data_root() -> Path:
    """Where pages find data: SNIPPETS_DATA, else data/ in the current folder."""
    return Path(os.environ.get("SNIPPETS_DATA") or "data").absolute()


def expected_path(script: Path) -> Path:
    """Where what a page printed is recorded: tests/expected/ beside its folder."""
    return script.parents[1] / "tests" / "expected" / f"{script.stem}.txt"


def executed_path(script: Path, device: str) -> Path:
    """Where a page's executed notebook is kept: .cache/executed/ beside its folder."""
    folder = script.parents[1] / ".cache" / "executed"
    return folder / ("" if device == "cpu" else device) / f"{script.stem}.ipynb"


def dependencies(page: Page, device: str) -> dict[str, str]:
    """A digest of each thing that a page's executed notebook depends on, by name."""
    code = [(cell.source, cell.tags, cell.alt) for cell in page.code]
    found = {
        "code": _digest([code, page.header.result, page.header.publishes]),
        "recorded output": _file_digest(expected_path(page.path)),
        "packages": _digest(_versions()),
        "runner": _runner_digest(),
        "device": device,
    }
    if any("from load import" in cell.source for cell in page.code):
        found["load.py"] = _file_digest(page.path.parent / "load.py")
        found["data"] = _digest(_listing(data_root()))
    return found


def changed(page: Page, device: str = "cpu") -> list[str]:
    """What has changed since a page's executed notebook was stored; [] if current."""
    notebook = _read(executed_path(page.path, device))
    if notebook is None:
        return ["never run"]
    then = notebook.metadata.run.dependencies
    now = dependencies(page, device)
    return [name for name in {**then, **now} if then.get(name) != now.get(name)]


def current_notebook(script: Path, device: str = "cpu") -> NotebookNode | None:
    """A page as it is to be published, or None where it has no current run.

    The cells are those of the script as it is now, the outputs those of its last run
    that passed. `metadata.page` is the header; `metadata.run` says when, how fast, on
    which device and data it ran, and how many of its numbers were compared.
    """
    page = parse(script)
    if changed(page, device):
        return None
    return _merge(page, _read(executed_path(script, device)))


def last_notebook(script: Path, device: str = "cpu") -> NotebookNode | None:
    """A page as `current_notebook` gives it, with outputs that may be out of date."""
    stored = _read(executed_path(script, device))
    return _merge(parse(script), stored) if stored else None


def save(page: Page, outputs: dict[int, list], run: dict, device: str) -> None:
    """Store the outputs of a run that passed, whole or not at all."""
    run = {**run, "dependencies": dependencies(page, device)}
    metadata = {"kernelspec": KERNEL, "page": _header(page), "run": run}
    cells = [_cell(cell, outputs.get(cell.number, [])) for cell in page.cells]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    write_whole(executed_path(page.path, device), nbformat.writes(notebook))


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is never seen half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, delete=False
    ) as part:
        try:
            part.write(text)
            part.flush()
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink()
            raise


def _merge(page: Page, stored: NotebookNode) -> NotebookNode:
    """The script's present cells with the stored outputs, code cell by code cell."""
    outputs = [cell.outputs for cell in stored.cells if cell.cell_type == "code"]
    outputs += [[]] * (len(page.code) - len(outputs))
    stored.metadata.page = NotebookNode(_header(page))
    stored.cells = [
        _cell(cell, outputs[cell.number - 1] if cell.kind == "code" else [])
        for cell in page.cells
    ]
    return stored


def _cell(cell, outputs: list) -> NotebookNode:
    metadata = {"tags": list(cell.tags)} if cell.tags else {}
    if cell.alt:
        metadata["alt"] = cell.alt
    identity = f"{cell.kind}-{cell.number}"
    if cell.kind == "markdown":
        return nbformat.v4.new_markdown_cell(
            cell.source, metadata=metadata, id=identity
        )
    return nbformat.v4.new_code_cell(
        cell.source,
        metadata=metadata,
        id=identity,
        outputs=outputs,
        execution_count=cell.number,
    )


def _header(page: Page) -> dict:
    header = {
        "teaches": page.header.teaches,
        "level": page.header.level,
        "read_first": list(page.header.read_first),
        "title": page.title,
    }
    for name in ("result", "source_result"):
        if (value := getattr(page.header, name)) is not None:
            header[name] = value
    return header


def _read(path: Path) -> NotebookNode | None:
    """A stored notebook; None where it is missing or damaged."""
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
        notebook.metadata.run.dependencies  # noqa: B018  (there, or it is damaged)
        return notebook
    except (OSError, ValueError, AttributeError, nbformat.ValidationError):
        return None


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def _file_digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except FileNotFoundError:
        return "none"


@lru_cache
def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def _runner_digest() -> str:
    """Of the modules that decide what a run shows and whether it passes."""
    names = ("execute", "preload", "compare", "judge", "script")
    folder = Path(__file__).parent
    return _digest([_file_digest(folder / f"{name}.py") for name in names])


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of change of each data file, stand-ins left out."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(
        (str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in files
        if not path.relative_to(folder).parts[0].startswith((".", "stand-in"))
    )
