"""Page files: what the runner hands to the site, and what saves a page from running.

`.cache/pages/<page>.ipynb` holds the cells of a script as it is now, with the outputs
of its last run that passed. In its metadata, `page` is the script's header, `run` the
facts of that run, `script` the SHA-256 of the script, and `checksum` that of all the
rest as canonical JSON. The site reads these files, and nothing else of the runner.
"""

import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import threading
import tomllib
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from packaging.requirements import Requirement

from page_runner.environment import COMPUTES
from page_runner.judge import uses_stand_in
from page_runner.predictions import Prediction
from page_runner.run import text_of
from page_runner.script import Cell, Page, loads_data

PROJECT = Path(__file__).parents[2]
LANGUAGE = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
FAILED = "none: its last run failed"  # in the place of the script's digest

_CAPABILITIES = re.compile(  # in Linux' words, what a library chooses its code by
    r"\b(?:GenuineIntel|AuthenticAMD|(?:sse|avx|fma|amx|asimd|sve)\w*)\b"
)


def data_root() -> Path:
    """Where pages find data: SNIPPETS_DATA, else data/ in the current folder."""
    return Path(os.environ.get("SNIPPETS_DATA") or "data").absolute()


def expected_path(script: Path) -> Path:
    """Where what a page printed is recorded: tests/expected/ beside its folder."""
    return script.parents[1] / "tests" / "expected" / f"{script.stem}.txt"


def page_path(script: Path, device: str = "cpu") -> Path:
    """Where a page's file is kept: .cache/pages/ beside its folder."""
    folder = script.parents[1] / ".cache" / "pages"
    return folder / ("" if device == "cpu" else device) / f"{script.stem}.ipynb"


def script_digest(script: Path) -> str:
    """By which a page file knows its script. Raises OSError."""
    return hashlib.sha256(script.read_bytes()).hexdigest()


def dependencies(page: Page, device: str) -> dict[str, Any]:
    """What a run that starts now depends on, by name: digests, and the data's files."""
    code = [_marked(cell) for cell in page.code]
    found: dict[str, Any] = {
        "code": _digest([code, page.header.result, page.header.publishes]),
        **recorded(page),
        "packages": _digest(_versions()),
        "Python": platform.python_version(),
        "processor": _digest(_processor()),
        "runner": _runner_digest(),
        "device": device,
    }
    if loads_data(page):
        found["load.py"] = _file_digest(page.path.parent / "load.py")
        found["data"] = _listing(data_root())
    return found


def recorded(page: Page) -> dict[str, str]:
    """The dependency on what is recorded of a page."""
    return {"recorded output": _file_digest(expected_path(page.path))}


def changes(stored: NotebookNode | None, now: dict[str, Any]) -> list[str]:
    """What has changed since the run of a page file; [] if it is current."""
    if stored is None:
        return ["never run"]
    run = stored.metadata.run
    then = run.dependencies
    names = [name for name in {**then, **now} if name != "data"]
    changed = [name for name in names if then.get(name) != now.get(name)]
    return changed + _data_changes(run, now.get("data", {}))


def _data_changes(run: NotebookNode, files: dict[str, list[int]]) -> list[str]:
    """A run on real data needs its files as they were; one on a stand-in, better data.

    Whether a network has come is tried once a day, by running the page.
    """
    then = run.dependencies.get("data", {})
    if any(files.get(name) != stamp for name, stamp in then.items()):
        return ["data"]
    if not uses_stand_in(run.data):
        return []
    if files.keys() - then.keys():
        return ["data"]
    is_old = run.date != datetime.date.today().isoformat()
    is_offline = os.environ.get("SNIPPETS_OFFLINE") == "1"
    return ["stand-in data"] if is_old and not is_offline else []


def save(
    page: Page,
    digest: str,
    outputs: dict[int, list[NotebookNode]],
    run: dict[str, Any],
    device: str,
) -> None:
    """Write the file of a page that passed, whole or not at all.

    `digest` is that of the script as it was read; `run` has the facts of the run, with
    the dependencies as they were when it started, to which real data that has been
    downloaded meanwhile is added.
    """
    files = run["dependencies"].get("data")
    if files is not None and not uses_stand_in(run["data"]):
        files.update({**_listing(data_root()), **files})
    _write(page, digest, outputs, run, device)


def refresh(page: Page, digest: str, stored: NotebookNode, device: str) -> None:
    """Write a page's file anew where its script has changed, but no code in it."""
    if stored.metadata.script != digest:
        cells = [cell for cell in stored.cells if cell.cell_type == "code"]
        outputs = {number: cell.outputs for number, cell in enumerate(cells, start=1)}
        _write(page, digest, outputs, stored.metadata.run, device)


def disown(script: Path, device: str) -> None:
    """Say in a page's file that what it holds is no longer what the script gives."""
    if stored := read(script, device):
        stored.metadata.script = FAILED
        _write_file(page_path(script, device), stored)


def read(script: Path, device: str = "cpu") -> NotebookNode | None:
    """The file of a page; None where there is none, or a damaged one."""
    try:
        document = json.loads(page_path(script, device).read_bytes())
        if document["metadata"].pop("checksum") != _checksum(document):
            return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return nbformat.from_dict(document)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is never seen half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write(
    page: Page,
    digest: str,
    outputs: dict[int, list[NotebookNode]],
    run: dict[str, Any],
    device: str,
) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[_cell(cell, outputs, run["margins"]) for cell in page.cells],
        metadata={**LANGUAGE, "page": _header(page), "run": run, "script": digest},
    )
    nbformat.validate(notebook)
    _write_file(page_path(page.path, device), notebook)


def _write_file(path: Path, notebook: NotebookNode) -> None:
    document = json.loads(json.dumps(notebook))  # as it will be read
    document["metadata"]["checksum"] = _checksum(document)
    write_whole(path, json.dumps(document, indent=1))


def _checksum(document: dict[str, Any]) -> str:
    """The SHA-256 of a notebook without a checksum, as canonical JSON."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _cell(
    cell: Cell, outputs: dict[int, list[NotebookNode]], margins: dict[str, str]
) -> NotebookNode:
    """A cell of a page file.

    Its metadata are what its marker says, its line, and how far its numbers may move.
    """
    metadata: dict[str, Any] = {"line": cell.line}
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    if cell.alt:
        metadata["alt"] = cell.alt
    if cell.kind == "code" and (moving := margins.get(str(cell.number))):
        metadata["margins"] = moving
    if cell.prediction:
        metadata["predict"] = _asked(cell.prediction, outputs.get(cell.number, []))
    identity = f"{cell.kind}-{cell.number}"
    if cell.kind == "markdown":
        return nbformat.v4.new_markdown_cell(
            cell.source, metadata=metadata, id=identity
        )
    return nbformat.v4.new_code_cell(
        cell.source,
        metadata=metadata,
        id=identity,
        outputs=outputs.get(cell.number, []),
        execution_count=cell.number,
    )


def _asked(prediction: Prediction, outputs: list[NotebookNode]) -> dict[str, Any]:
    """A question and its right answer; none where drawn data gave another output."""
    right = prediction.right_ones(text_of(outputs))
    return {**asdict(prediction), "right": right[0] if len(right) == 1 else None}


def _header(page: Page) -> dict[str, Any]:
    """What the site shows of a page's header."""
    header = page.header
    return {
        "title": page.title,
        "teaches": header.teaches,
        "level": header.level,
        "read_first": list(header.read_first),
        "result": header.result,
        "source_result": header.source_result,
        "publishes": list(header.publishes),
    }


def _marked(cell: Cell) -> list[Any]:
    """The source of a cell, and what its marker says."""
    asked = [asdict(cell.prediction)] if cell.prediction else []
    return [cell.source, cell.tags, cell.alt, *asked]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def _file_digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except FileNotFoundError:
        return "none"


@lru_cache
def _versions() -> dict[str, str]:
    """The installed versions of what pages import and of what shows their values."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    group = project["dependency-groups"]["pages"]
    names = [Requirement(entry).name for entry in group]
    return {name: importlib.metadata.version(name) for name in [*names, "ipython"]}


@lru_cache
def _processor() -> list[str]:
    """The kind of processor, and what decides the last bits of its results."""
    try:
        described = Path("/proc/cpuinfo").read_text()
    except OSError:  # not Linux: the kind must do
        described = ""
    chosen = [os.environ.get(name, "") for name in COMPUTES]
    return [platform.machine(), *chosen, *sorted({*_CAPABILITIES.findall(described)})]


def _runner_digest() -> str:
    """Of all modules, which decide what a run shows and whether it passes."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return _digest([(path.name, _file_digest(path)) for path in modules])


def _listing(folder: Path) -> dict[str, list[int]]:
    """Size and time of change of each data file, by its path; no stand-in is one.

    What is moved or removed meanwhile, as by a page that downloads, is left out.
    """
    files = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if not name.startswith((".", "stand-in"))
        ]
        for path in [Path(place, name) for name in names if not name.startswith(".")]:
            try:
                status = path.stat()
            except OSError:
                continue
            inside = path.relative_to(folder).as_posix()
            files[inside] = [status.st_size, status.st_mtime_ns]
    return files
