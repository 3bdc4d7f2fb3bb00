"""What a page shows: the text on its descriptors, and what it displays, in order."""

import base64
import codecs
import io
import os
import re
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from IPython.core.displaypub import DisplayPublisher
from IPython.core.formatters import DisplayFormatter
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure
from nbformat import NotebookNode
from PIL import Image

from page_runner.figure_data import describe_figure, describe_picture
from page_runner.figures import figure_data, webp
from page_runner.run import PICTURES

MAX_TEXT = 1_000_000  # letters that a page may write, with all that it overprints
MAX_OUTPUT = 10_000_000  # letters that it may display, with its pictures

DATA = "figure_data"  # in the metadata of a figure: what it shows, as text
SOURCES = ("text/markdown", "text/latex", "text/html")  # what the site typesets
PUBLISHED = (*PICTURES, *SOURCES, "text/plain")

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_REPR = re.compile(r"<[\w.]+(?: object)?(?: at 0x\w+)?>")
_VISIBLE: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"},
    0x7F: "\u2421",
    **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)},
}


class OutputError(Exception):
    """Something that a page shows and that cannot be published: what to do instead."""


class Descriptor(io.FileIO):
    """Descriptor 1 or 2 of this process, led into a file that is read as it grows.

    Whoever writes to it, Python, compiled code or another process, is heard.
    """

    def __init__(self, number: int, stream: str, path: Path) -> None:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
        super().__init__(number, "w", closefd=False)
        self.name, self.stream = f"<{stream}>", stream
        self.outputs: Outputs | None = None  # to be told before Python writes
        self._written = path.open("rb", buffering=0)
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, data: Any) -> int:
        outputs = self.outputs
        switched = outputs is not None and outputs.before_write(self)
        written = super().write(data)
        if outputs is not None and switched:
            outputs.read(self)
        return written

    def has_news(self) -> bool:
        """Whether something was written that has not been read."""
        return os.fstat(self.fileno()).st_size > self._written.tell()

    def read_news(self, at_most: int) -> str:
        """What was written since the last call, up to some bytes."""
        return self._decoder.decode(self._written.read(at_most))

    def text_stream(self) -> io.TextIOWrapper:
        """A `sys.stdout` or `sys.stderr` that writes here, line by line."""
        errors = "strict" if self.stream == "stdout" else "backslashreplace"
        buffer = io.BufferedWriter(self)
        text = io.TextIOWrapper(buffer, "utf-8", errors, line_buffering=True)
        vars(text)["mode"] = "w"
        return text


class Outputs:
    """The outputs of the cell that runs, in the order in which they came."""

    def __init__(self, stdout: Descriptor, stderr: Descriptor) -> None:
        self._descriptors = (stdout, stderr)
        self._streams = (stdout.text_stream(), stderr.text_stream())
        self._cell: list[NotebookNode] = []
        self._displays: dict[str, NotebookNode] = {}  # by display_id
        self._clear_first = False
        self._room = {"writes": MAX_TEXT, "shows": MAX_OUTPUT}
        self._last: Descriptor | None = None  # the one that Python wrote to
        self._lock, self._process = threading.RLock(), os.getpid()
        stdout.outputs = stderr.outputs = self

    @property
    def streams(self) -> tuple[io.TextIOWrapper, io.TextIOWrapper]:
        """The page's `sys.stdout` and `sys.stderr`."""
        return self._streams

    def read(self, *descriptors: Descriptor) -> None:
        """Take over what was written to some descriptors, by default to both."""
        with self._lock:
            for descriptor in descriptors or self._descriptors:
                self._read_one(descriptor)

    def before_write(self, writer: Descriptor) -> bool:
        """Take over what was written elsewhere, which `writer` will now come after.

        True where there may have been some: what it writes is then to be read at once.
        """
        if os.getpid() != self._process:  # a worker; its page reads
            return False
        others = [one for one in self._descriptors if one is not writer]
        if self._last is writer and not any(other.has_news() for other in others):
            return False
        self._last = writer
        self.read(writer, *others)
        return True

    def _read_one(self, descriptor: Descriptor) -> None:
        if text := descriptor.read_news(max(self._room["writes"], 0) + 1):
            self._take_room("writes", len(text))
            self._append_text(descriptor.stream, text)

    def add(self, output: NotebookNode) -> None:
        """Append what is displayed, after what was written before it."""
        self._flush()
        self._take_room("shows", sum(map(len, output.data.values())))
        self._append(output)

    def display(self, data: dict, metadata: dict, display_id: str | None) -> None:
        """Append what a page displays; one with an id can be updated."""
        output = NotebookNode(
            output_type="display_data", data=publishable(data), metadata=metadata
        )
        self.add(output)
        if display_id:
            self._displays[display_id] = output

    def update(self, data: dict, metadata: dict, display_id: str | None) -> None:
        """Change what was displayed with an id, in whichever cell."""
        if output := self._displays.get(display_id or ""):
            output.data, output.metadata = NotebookNode(publishable(data)), metadata

    def clear(self, wait: bool) -> None:
        """Drop what there is, now or when the next output comes."""
        self._flush()
        self._clear_first = wait
        if not wait:
            self._cell.clear()

    def take(self) -> list[NotebookNode]:
        """The outputs of the cell, text as a terminal would show it; starts anew."""
        try:
            self._flush()
        finally:
            outputs, self._cell, self._clear_first = self._cell, [], False
            for output in outputs:
                if output.output_type == "stream":
                    output.text = visible(as_on_a_terminal(output.text))
                else:
                    _add_final_form(output.data)
        return outputs

    def _flush(self) -> None:
        for stream in self._streams:
            with suppress(ValueError):  # closed, or detached: the page's own doing
                stream.flush()
        self.read()

    def _append_text(self, stream: str, text: str) -> None:
        last = self._cell[-1] if self._cell and not self._clear_first else None
        if last is not None and last.get("name") == stream:
            last.text += text
        else:
            self._append(NotebookNode(output_type="stream", name=stream, text=text))

    def _append(self, output: NotebookNode) -> None:
        if self._clear_first:
            self._cell.clear()
            self._clear_first = False
        self._cell.append(output)

    def _take_room(self, what: str, size: int) -> None:
        """Count some output; OutputError, once, where there is too much of it."""
        full = self._room[what] < 0
        self._room[what] -= size
        if self._room[what] < 0 and not full:
            most = {"writes": MAX_TEXT, "shows": MAX_OUTPUT}[what]
            raise OutputError(f"the page {what} more than {most // 10**6} MB")


class Publisher(DisplayPublisher):
    """Where IPython's `display(...)` goes."""

    def __init__(self, outputs: Outputs) -> None:
        super().__init__()
        self.outputs = outputs

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        source: Any = None,
        *,
        transient: Any = None,
        update: Any = False,
        **_: Any,
    ) -> None:
        show = self.outputs.update if update else self.outputs.display
        show(data, metadata or {}, (transient or {}).get("display_id"))

    def clear_output(self, wait: bool = False) -> None:
        self.outputs.clear(wait)


class DisplayShell(InteractiveShell):
    """The part of IPython that formats what is shown, and no more.

    It runs no cell, keeps no history and adds no name to any namespace.
    """

    def __init__(self) -> None:
        super(
            InteractiveShell, self
        ).__init__()  # not its own: it changes builtins, sys
        self.init_events()
        self.display_formatter = DisplayFormatter(parent=self)
        bundles = self.display_formatter.mimebundle_formatter
        bundles.for_type(
            Figure, lambda it: (figure_data(it), {DATA: describe_figure(it)})
        )

    def data_of(self, value: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """A value by kind, and metadata; nothing where it has displayed itself."""
        assert self.display_formatter is not None
        return self.display_formatter.format(value)

    def showtraceback(self, exc_tuple: Any = None, *_: Any, **__: Any) -> None:
        """An error in a value's own `_repr_..._` is an error of the page."""
        if exc_tuple:
            raise exc_tuple[1]


def publishable(data: dict[str, Any]) -> NotebookNode:
    """What is shown, by kind, in the kinds that the site can publish.

    OutputError where there is none but the text of an object that is no text.
    """
    kinds = [kind for kind in PUBLISHED if data.get(kind) is not None]
    others = sorted(set(data) - set(PUBLISHED))
    if others and set(kinds) <= {"text/plain"}:
        raise OutputError(
            f"the page shows {', '.join(others)}, which the site cannot publish: "
            "show a picture, a table, Markdown or text"
        )
    pictures = [kind for kind in kinds if kind in PICTURES]
    shown = {kind: data[kind] for kind in kinds if kind not in pictures[1:]}
    for kind, value in shown.items():
        if isinstance(value, bytes):
            shown[kind] = base64.b64encode(value).decode()
        elif not isinstance(value, str):
            raise OutputError(f"the page shows {kind} that is {type(value).__name__}")
        elif kind not in PICTURES:
            shown[kind] = visible(value)
    source = next((shown[kind] for kind in SOURCES if kind in shown), None)
    if source is not None and _REPR.fullmatch(shown.get("text/plain", "<x>")):
        shown["text/plain"] = source
    return NotebookNode(shown)


def take_figures(outputs: list[NotebookNode]) -> list[str]:
    """What the pictures among outputs show, as text, taken out of their metadata."""
    figures = []
    for output in outputs:
        shown = output.get("metadata", {}).pop(DATA, None)
        data = output.get("data", {})
        picture = next((data[kind] for kind in PICTURES[1:] if kind in data), None)
        if shown is None and picture is not None:
            file = io.BytesIO(base64.b64decode(picture))
            shown = describe_picture(np.asarray(Image.open(file)))
        if shown is not None:
            figures.append(shown)
    return figures


def _add_final_form(data: NotebookNode) -> None:
    """Add to a picture what the site shows, while the next page runs already."""
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            try:
                data["image/webp"] = webp(data[kind])
            except (OSError, ValueError) as error:
                raise OutputError(f"a picture that no WebP can be: {error}") from error


def as_on_a_terminal(text: str) -> str:
    """Text without colours, each line in the last state that it was in."""
    lines = _ANSI.sub("", text).split("\n")
    return "\n".join(_overprinted(line) for line in lines)


def _overprinted(line: str) -> str:
    """A line after its carriage returns, which start it anew, and its backspaces."""
    line = line.rstrip("\r").rpartition("\r")[2]
    if "\b" not in line:
        return line
    letters: list[str] = []
    for letter in line:
        if letter != "\b":
            letters.append(letter)
        elif letters:
            letters.pop()
    return "".join(letters)


def visible(text: str) -> str:
    """Text whose control characters, but for tabs and ends of lines, can be seen.

    OutputError where half a character (a surrogate) cannot be written to a file.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        what = ascii(text[error.start])
        raise OutputError(f"the page shows {what}, half a character") from None
    return text.translate(_VISIBLE)
