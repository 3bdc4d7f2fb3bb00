"""Finished work of earlier builds, kept under the digest of all that it was made of.

A piece is taken whole or made anew: one whose digest is another, or which is damaged,
is as good as none. Nothing here is needed, and the folder may be deleted at any time.
"""

import hashlib
import json
import os
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any


def digest(*parts: object) -> str:
    """The SHA-256 of some values that JSON can hold; of any other, of its text."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_files(*folders: Path) -> str:
    """Of the names and the content of all files in some folders, but compiled ones."""
    return digest(
        [
            (path.relative_to(folder).as_posix(), _sha256(path.read_bytes()))
            for folder in folders
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        ]
    )


def installed() -> list[str]:
    """Every package that can be imported, with its version, and Python's own."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    names = [path.name for folder in folders for path in Path(folder).glob("*-info")]
    return [sys.version, *sorted(names)]


class Kept:
    """Pieces of work in a folder, one file for each name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: set[str] = set()

    def take(self, name: str, made_of: str) -> Any | None:
        """The work of that name, if it was made of just that; None if there is none."""
        self._names.add(name)
        try:
            first_line, content = self._path(name).read_bytes().split(b"\n", 1)
        except (OSError, ValueError):  # not there, or cut
            return None
        if first_line.decode(errors="replace") != f"{made_of} {_sha256(content)}":
            return None
        return json.loads(content)

    def keep(self, name: str, made_of: str, work: Any) -> None:
        """Write a piece of work, whole or not at all; an older one is replaced.

        Where the folder cannot be written, nothing is kept: the site is built anyway.
        """
        self._names.add(name)
        content = json.dumps(work).encode()
        path = self._path(name)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                part.write_bytes(f"{made_of} {_sha256(content)}\n".encode() + content)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)

    def drop_others(self) -> None:
        """Delete what this build has neither taken nor kept."""
        for path in self._files():
            if path.name not in self._names:
                with suppress(OSError):
                    path.unlink()

    def _files(self) -> Iterable[Path]:
        return list(self.folder.iterdir()) if self.folder.is_dir() else []

    def _path(self, name: str) -> Path:
        return self.folder / name


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
