"""The world of a page: what `python page.py` sees, with an ear on all that it says.

What a page prints goes to a file that is read after each cell. What would be said on
stderr where nobody reads it, a warning, an error in a thread, an error that is ignored
or logged, becomes a complaint with the line of the script that it came from.
"""

import builtins
import json
import logging
import os
import random
import re
import sys
import sysconfig
import tempfile
import threading
import traceback
import types
import warnings
from collections.abc import Iterable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from nbformat import NotebookNode

from page_runner.figures import set_style
from page_runner.outputs import (
    Descriptor,
    DisplayShell,
    Outputs,
    Publisher,
    publishable,
)
from page_runner.run import Complaint, shortened
from page_runner.script import Page

MAX_COMPLAINTS = 100_000  # bytes after which no more is noted
BETWEEN_LIBRARIES = (
    DeprecationWarning,
    PendingDeprecationWarning,
    ImportWarning,
    ResourceWarning,
)


class World:
    """This process as the page's own. Changes it for good."""

    def __init__(self, page: Page, folder: Path) -> None:
        """`folder` is the page's: it holds its current folder, and what it writes."""
        self.page, self.folder = page, folder
        self.line = 1  # where the cell that runs begins
        stdout = Descriptor(1, "stdout", folder / "stdout")
        stderr = Descriptor(2, "stderr", folder / "stderr")
        self.outputs = Outputs(stdout, stderr)
        sys.stdout, sys.stderr = self.outputs.streams
        vars(sys).update(__stdout__=sys.stdout, __stderr__=sys.stderr)
        self._complaints = os.open(
            folder / "complaints", os.O_RDWR | os.O_CREAT | os.O_APPEND
        )
        self.module = self._become_main()
        self._start_in_own_folder()
        self._listen()
        self._start_display()

    def _become_main(self) -> types.ModuleType:
        """The module `__main__`, run from the script, without arguments."""
        script = str(self.page.path)
        module = types.ModuleType("__main__")
        vars(module).update(
            __file__=script,
            __loader__=SourceFileLoader("__main__", script),
            __cached__=None,
            __annotations__={},
            __builtins__=builtins,
        )
        sys.modules["__main__"] = module
        sys.argv[:] = [script]
        sys.path[0] = str(self.page.path.parent)
        return module

    def _start_in_own_folder(self) -> None:
        """A current folder and a folder for temporary files, deleted with the page."""
        for name in ("current", "tmp"):
            (self.folder / name).mkdir()
        os.chdir(self.folder / "current")
        os.environ["TMPDIR"] = str(self.folder / "tmp")
        tempfile.tempdir = None
        random.seed()  # as in a fresh Python, not as in the server's other pages
        np.random.seed()
        torch.default_generator.seed()

    def _start_display(self) -> None:
        self.shell = DisplayShell.instance()
        self.shell.display_pub = Publisher(self.outputs)
        set_style(salt=self.page.stem)
        plt.show = lambda *args, **kwargs: self.show_figures()

    def show_figures(self) -> None:
        """`plt.show()`: each open figure becomes an output, and is closed."""
        for number in plt.get_fignums():
            figure = plt.figure(number)
            data, metadata = self.shell.data_of(figure)
            self.shell.display_pub.publish(data, metadata)
            plt.close(figure)

    def show_value(self, value: object) -> None:
        """The value of a cell's last expression, as Jupyter would show it."""
        if value is None:
            return
        data, metadata = self.shell.data_of(value)
        if data:  # else the value has displayed itself
            output = NotebookNode(
                output_type="execute_result",
                data=publishable(data),
                metadata=metadata,
                execution_count=None,
            )
            self.outputs.add(output)

    def take_outputs(self) -> list[NotebookNode]:
        """What the cell has shown; naming a path of this machine is a complaint."""
        outputs = self.outputs.take()
        for path in sorted(_named_in(outputs, self._machine_paths())):
            advice = "readers have other folders: print the name of a file only"
            self.complain("path of this machine", f"it shows {path}; {advice}")
        return outputs

    def _machine_paths(self) -> set[Path]:
        """Folders whose names say nothing to a reader."""
        named = [self.folder.parent, Path.home(), self.page.path.parents[1]]
        kinds = ("purelib", "platlib", "stdlib")
        named += [Path(sysconfig.get_path(kind)) for kind in kinds]
        named += [Path(sys.prefix)] if sys.prefix != sys.base_prefix else []
        named += [Path(os.environ["SNIPPETS_DATA"])]
        folders = {form for path in named for form in (path, path.resolve())}
        return {folder for folder in folders if folder != folder.parent}

    def _listen(self) -> None:
        """Hear what would be said on stderr, in this process and in forked workers."""
        warnings.resetwarnings()
        warnings.simplefilter("always")
        warnings.showwarning = self._hear_warning
        threading.excepthook = self._hear_thread
        sys.unraisablehook = self._hear_unraisable
        write = logging.StreamHandler.emit

        def emit(
            handler: "logging.StreamHandler[Any]", record: logging.LogRecord
        ) -> None:
            if record.levelno >= logging.WARNING and _is_stderr(handler.stream):
                self.complain(f"logged {record.levelname}", handler.format(record))
            else:
                write(handler, record)

        # For any handler, whenever it was made; what logging captures stays a warning.
        setattr(logging.StreamHandler, "emit", emit)  # noqa: B010
        setattr(logging, "captureWarnings", lambda capture: None)  # noqa: B010

    def _hear_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        *_: object,
        **__: object,
    ) -> None:
        is_own = filename == str(self.page.path)
        self.complain(
            category.__name__,
            str(message),
            line=lineno if is_own else 0,
            is_warning=True,
            is_hidden=not is_own and issubclass(category, BETWEEN_LIBRARIES),
        )

    def _hear_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit:
            frames = traceback.extract_tb(args.exc_traceback)
            message = _one_line(args.exc_type, args.exc_value)
            line = script_line(self.page.path, frames)
            self.complain("error in a thread", message, line)

    def _hear_unraisable(self, args: "sys.UnraisableHookArgs") -> None:
        frames = traceback.extract_tb(args.exc_traceback)
        message = _one_line(args.exc_type, args.exc_value)
        line = script_line(self.page.path, frames)
        self.complain(args.err_msg or "error that Python ignored", message, line)

    def complain(self, kind: str, message: str, line: int = 0, **about: bool) -> None:
        """Note a complaint in a file, in one write, for workers complain as well."""
        if os.fstat(self._complaints).st_size > MAX_COMPLAINTS:
            return  # the first ones will do
        line = line or script_line(self.page.path, traceback.extract_stack())
        message = shortened(message)
        fields = {"line": line or self.line, "kind": kind, "message": message, **about}
        os.write(self._complaints, f"{json.dumps(fields)}\n".encode())

    def complaints(self) -> list[Complaint]:
        """The complaints so far, in order."""
        os.lseek(self._complaints, 0, os.SEEK_SET)
        with open(self._complaints, closefd=False) as file:
            return [Complaint(**json.loads(line)) for line in file]


def script_line(path: Path, frames: Iterable[traceback.FrameSummary]) -> int:
    """The innermost line of the script among the frames; 0 where there is none."""
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return lines[-1] or 0 if lines else 0


def _named_in(outputs: list[NotebookNode], folders: set[Path]) -> set[str]:
    """Those of some folders that the text of outputs names."""
    texts = [output.get("text", "") for output in outputs]
    for output in outputs:
        data = output.get("data", {})
        texts += [
            data[kind] for kind in data if kind not in ("image/png", "image/jpeg")
        ]
    longest_first = sorted(map(str, folders), key=len, reverse=True)
    either = "|".join(map(re.escape, longest_first))
    pattern = re.compile(rf"(?<![\w./-])(?:{either})(?![\w.-])")
    return {match[0] for text in texts for match in pattern.finditer(text)}


def _one_line(kind: type[BaseException], error: BaseException | None) -> str:
    return "".join(traceback.format_exception_only(kind, error)).strip()


def _is_stderr(stream: Any) -> bool:
    try:
        return stream.fileno() == 2
    except Exception:  # closed, or no file: not the page's stderr
        return False
