"""One page's cells, run in this process, with the outputs that Jupyter would show.

IPython formats values (rich reprs, figures); the cells are compiled here, with the
script's own name and line numbers, so that a traceback points into the script.
"""

import ast
import base64
import io
import linecache
import platform
import sys
import time
import traceback
import types
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import nbformat.v4
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.colors import is_color_like, same_color
from matplotlib.figure import Figure
from nbconvert.filters import strip_ansi
from nbconvert.preprocessors.coalescestreams import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

from page_runner.script import Cell, Page

MAX_SVG = 150_000  # bytes; a larger figure is published as PNG

FIGURE_STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.framealpha": 0.0,
    "svg.fonttype": "none",  # text stays text: sharp, small, read aloud
    "image.interpolation": "none",  # pixels stay pixels
    "savefig.bbox": "tight",
    "figure.max_open_warning": 0,
}
BETWEEN_LIBRARIES = (
    DeprecationWarning,
    PendingDeprecationWarning,
    ImportWarning,
    ResourceWarning,
)
INK = "#010203"  # what text and axes are drawn in: `currentColor` in an SVG
INK_PNG = "#808080"  # a PNG cannot follow the theme: a grey that both sides read
INK_SETTINGS = (
    "text.color",
    "axes.edgecolor",
    "axes.labelcolor",
    "axes.titlecolor",
    "xtick.color",
    "ytick.color",
)


@dataclass
class Failure:
    """What stopped a page: an exception, and the line of the script it came from."""

    line: int
    kind: str
    message: str
    traceback: str = ""


@dataclass
class RaisedWarning:
    """A warning, and the line of the script that caused it."""

    line: int
    category: str
    message: str
    shown: bool  # by plain Python, which hides what one library deprecates for another


@dataclass
class Run:
    """What running a page gave."""

    outputs: dict[int, list[NotebookNode]] = field(default_factory=dict)
    failure: Failure | None = None
    failed_cell: int | None = None
    warnings: list[RaisedWarning] = field(default_factory=list)
    seconds: float = 0.0
    result: float | None = None
    data: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # published, by name
    versions: dict[str, str] = field(default_factory=dict)
    device_name: str = ""
    processor: str = ""  # and its instruction set: `AMD EPYC, AVX512`

    def printed(self) -> dict[int, str]:
        """What each code cell printed or showed as text (its stdout and last value)."""
        return {number: _text(outputs) for number, outputs in self.outputs.items()}

    def written(self) -> dict[int, str]:
        """What each code cell wrote to stderr."""
        return {
            number: "".join(o.text for o in outputs if o.get("name") == "stderr")
            for number, outputs in self.outputs.items()
        }


def _text(outputs: list[NotebookNode]) -> str:
    """The comparable text of a cell: its stdout, and values that are not pictures."""
    parts = []
    for output in outputs:
        if output.output_type == "stream":
            parts.append(output.text if output.name == "stdout" else "")
        elif not any(kind.startswith("image/") for kind in output.data):
            parts.append(output.data.get("text/plain", "") + "\n")
    return "".join(parts)


class OutputList:
    """Collects the outputs of one cell in the order in which they come."""

    def __init__(self) -> None:
        self.outputs: list[NotebookNode] = []
        self._clear_first = False

    def add(self, output: NotebookNode) -> None:
        """Append an output; text joins the stream before it."""
        if self._clear_first:
            self.clear()
        last = self.outputs[-1] if self.outputs else None
        is_stream = output.output_type == "stream" and last is not None
        if is_stream and last.get("name") == output.name:
            last.text += output.text
        else:
            self.outputs.append(output)

    def clear(self, wait: bool = False) -> None:
        """Drop what there is, now or when the next output comes."""
        self._clear_first = wait
        if not wait:
            self.outputs.clear()

    def take(self) -> list[NotebookNode]:
        """The outputs so far, progress bars in their last state; starts anew."""
        outputs, self.outputs, self._clear_first = self.outputs, [], False
        cell = nbformat.v4.new_code_cell(outputs=outputs)
        CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, 0)
        for output in cell.outputs:
            if output.output_type == "stream":
                output.text = strip_ansi(output.text)
        return cell.outputs


class Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of a page."""

    def __init__(self, name: str, outputs: OutputList) -> None:
        self._name, self._outputs = name, outputs

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text:
            self._outputs.add(
                nbformat.v4.new_output("stream", name=self._name, text=text)
            )
        return len(text)


class Publisher(DisplayPublisher):
    """Where `display(...)` and figures go."""

    outputs: OutputList

    def publish(self, data: dict, metadata: dict | None = None, **_: object) -> None:
        output = nbformat.v4.new_output(
            "display_data", data=data, metadata=metadata or {}
        )
        self.outputs.add(output)

    def clear_output(self, wait: bool = False) -> None:
        self.outputs.clear(wait)


class FigureFormats:
    """A figure as SVG, or as PNG where the SVG would be large."""

    def __init__(self) -> None:
        self._figure: Figure | None = None
        self._svg = ""

    def svg(self, figure: Figure) -> str | None:
        """SVG whose text takes the colour of the page; None where it is too large."""
        if self._figure is not figure:
            buffer = io.StringIO()
            figure.savefig(buffer, format="svg", metadata={"Date": None})
            self._figure = figure
            self._svg = buffer.getvalue().replace(INK, "currentColor")
        return self._svg if len(self._svg) <= MAX_SVG else None

    def png(self, figure: Figure) -> str | None:
        """PNG (base64) at twice the screen's resolution; None where there is an SVG."""
        if self.svg(figure) is not None:
            return None
        for artist in figure.findobj():
            for name in ("color", "edgecolor", "facecolor", "markeredgecolor"):
                color = getattr(artist, f"get_{name}", lambda: None)()
                if is_color_like(color) and same_color(color, INK):
                    getattr(artist, f"set_{name}")(INK_PNG)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=2 * figure.dpi)
        return base64.b64encode(buffer.getvalue()).decode()


class Notebook:
    """The world a page runs in: a namespace, its streams, and its figures."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.outputs = OutputList()
        self.module = types.ModuleType("__main__")
        self.warnings: list[RaisedWarning] = []
        sys.modules["__main__"] = self.module
        sys.stdout = Stream("stdout", self.outputs)
        sys.stderr = Stream("stderr", self.outputs)
        sys.path.insert(0, str(page.path.parent))
        self._start_shell()
        self._start_figures()
        warnings.simplefilter("always")
        warnings.showwarning = self._note_warning

    def _start_shell(self) -> None:
        """An IPython shell that formats values; no history, and it runs no cell."""
        InteractiveShell.clear_instance()
        self.shell = InteractiveShell.instance(
            user_module=self.module, history_length=0, cache_size=0
        )
        self.shell.history_manager.enabled = False
        self.shell.display_pub = Publisher()
        self.shell.display_pub.outputs = self.outputs

    def _start_figures(self) -> None:
        formats = FigureFormats()
        formatters = self.shell.display_formatter.formatters
        formatters["image/svg+xml"].for_type(Figure, formats.svg)
        formatters["image/png"].for_type(Figure, formats.png)
        plt.close("all")
        matplotlib.rcParams.update(FIGURE_STYLE)
        matplotlib.rcParams.update(dict.fromkeys(INK_SETTINGS, INK))
        matplotlib.rcParams["svg.hashsalt"] = self.page.stem
        plt.show = lambda *args, **kwargs: self._show_figures()

    def _show_figures(self) -> None:
        """`plt.show()`: each open figure becomes an output, and is closed."""
        for number in plt.get_fignums():
            figure = plt.figure(number)
            data, metadata = self.shell.display_formatter.format(figure)
            self.shell.display_pub.publish(data, metadata)
            plt.close(figure)

    def _show_value(self, value: object) -> None:
        """The value of a cell's last expression, as Jupyter would show it."""
        if value is None:
            return
        data, metadata = self.shell.display_formatter.format(value)
        output = nbformat.v4.new_output(
            "execute_result", data=data, metadata=metadata, execution_count=None
        )
        self.outputs.add(output)

    def _note_warning(
        self,
        message: Warning,
        category: type[Warning],
        filename: str,
        *_: object,
        **__: object,
    ) -> None:
        path = self.page.path
        line = _script_line(path, traceback.extract_stack())
        shown = filename == str(path) or not issubclass(category, BETWEEN_LIBRARIES)
        raised = RaisedWarning(line, category.__name__, str(message), shown)
        self.warnings.append(raised)

    def run_cell(self, cell: Cell) -> Failure | None:
        """Run one cell; what it shows is in `outputs`."""
        filename = str(self.page.path)
        try:
            tree = ast.parse(cell.source, filename)
            ast.increment_lineno(tree, cell.line - 1)
            last = tree.body.pop() if _ends_in_value(cell.source, tree) else None
            namespace = self.module.__dict__
            exec(compile(tree, filename, "exec"), namespace)
            if last is not None:
                expression = ast.Expression(last.value)
                self._show_value(eval(compile(expression, filename, "eval"), namespace))
            self._show_figures()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return _failure(self.page, cell, error)
        return None


def _ends_in_value(source: str, tree: ast.Module) -> bool:
    """Whether a cell's last statement is an expression whose value is shown."""
    return (
        bool(tree.body)
        and isinstance(tree.body[-1], ast.Expr)
        and not source.rstrip().endswith(";")
    )


def _failure(page: Page, cell: Cell, error: BaseException) -> Failure:
    """The exception as a message with the line of the script, and a short traceback."""
    if isinstance(error, SystemExit):
        kind, message = "SystemExit", "the page called exit()"
    else:
        kind, message = type(error).__name__, str(error)
    if isinstance(error, SyntaxError) and error.filename == str(page.path):
        return Failure(cell.line + (error.lineno or 1) - 1, kind, message)
    frames = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in frames if frame.filename != __file__]
    line = _script_line(page.path, frames) or cell.line
    return Failure(line, kind, message, "".join(traceback.format_list(frames)))


def _script_line(path: Path, frames: list[traceback.FrameSummary]) -> int:
    """The innermost line of the script among the frames; 0 where there is none."""
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return lines[-1] if lines else 0


def run_page(page: Page, on_cell: Callable[[int], None] = lambda number: None) -> Run:
    """Run all cells of a page, until one fails. Changes this process for good."""
    linecache.checkcache(str(page.path))
    notebook, run = Notebook(page), Run()
    start = time.perf_counter()
    for cell in page.code:
        on_cell(cell.number)
        run.failure = notebook.run_cell(cell)
        run.outputs[cell.number] = notebook.outputs.take()
        if run.failure:
            run.failed_cell = cell.number
            break
    run.seconds = time.perf_counter() - start
    run.warnings = notebook.warnings
    _describe(run, page, notebook.module)
    return run


def _describe(run: Run, page: Page, module: types.ModuleType) -> None:
    """Add what the site says of a run: its result, data, versions and device."""
    import torch
    import torchvision

    if page.header.result and not run.failure:
        run.result = _result(run, page, module)
    if not run.failure:
        _collect_files(run, page)
    load = sys.modules.get("load")
    run.data = dict(getattr(load, "used", {}))
    run.versions = {
        "python": ".".join(map(str, sys.version_info[:3])),
        "torch": torch.__version__.partition("+")[0],
        "torchvision": torchvision.__version__.partition("+")[0],
    }
    if torch.cuda.is_available():
        run.device_name = torch.cuda.get_device_name()
    else:
        run.device_name = "CPU, one thread"
    run.processor = f"{_processor()}, {torch.backends.cpu.get_cpu_capability()}"


def _processor() -> str:
    """The processor's name as its maker gives it, or else its architecture."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _collect_files(run: Run, page: Page) -> None:
    """Keep the files that the page publishes; a failure where one is not there."""
    for name in page.header.publishes:
        try:
            run.files[name] = Path(name).read_text(encoding="utf-8")
        except OSError as error:
            run.failure = Failure(1, "header", f"`publishes: {name}`: {error}")


def _result(run: Run, page: Page, module: types.ModuleType) -> float | None:
    """The page's headline figure; a failure where the variable is not there."""
    name = page.header.result
    try:
        return float(getattr(module, name))
    except (AttributeError, TypeError, ValueError) as error:
        run.failure = Failure(1, "header", f"`result: {name}` is no number: {error}")
        return None
