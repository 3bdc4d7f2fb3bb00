"""One page's cells, run in this process, with the outputs that Jupyter would show.

IPython formats values (rich reprs, figures); the cells are compiled here, with the
script's own name and line numbers, so that a traceback points into the script.
"""

import __future__

import ast
import atexit
import os
import platform
import sys
import threading
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
import torchvision
from IPython.core.displayhook import DisplayHook
from nbformat import NotebookNode

from page_runner.claims import Claims
from page_runner.environment import memory_limit, over
from page_runner.outputs import OutputError, take_figures
from page_runner.run import Failure, Run, shortened, stderr_of
from page_runner.script import Cell, Page
from page_runner.world import World, script_line

NO_MEMORY = "can't allocate memory"  # of torch's RuntimeError
MAX_FILE = 10_000_000  # bytes of all files that a page may publish


@dataclass(frozen=True)
class Compiled:
    """A cell's statements, and its last expression where that is shown."""

    cell: Cell
    body: types.CodeType
    value: types.CodeType | None
    last_line: int  # where its last statement begins


def compile_page(page: Page, claims: Claims) -> list[Compiled]:
    """The cells, compiled as Python compiles the script; SyntaxError where it cannot.

    A `from __future__ import` holds for all of them. Their asserts tell `claims`.
    """
    lines: list[str] = []
    for cell in page.code:
        lines += [""] * (cell.line - 1 - len(lines)) + cell.source.split("\n")
    filename = str(page.path)
    script = compile("\n".join(lines), filename, "exec", dont_inherit=True)
    names = __future__.all_feature_names
    masks = [getattr(__future__, name).compiler_flag for name in names]
    flags = script.co_flags & sum(set(masks))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the script as a whole has raised them
        return [_compile_cell(cell, filename, flags, claims) for cell in page.code]


def _compile_cell(cell: Cell, filename: str, flags: int, claims: Claims) -> Compiled:
    tree = ast.increment_lineno(ast.parse(cell.source, filename), cell.line - 1)
    last = tree.body[-1] if tree.body else None
    tree, value = claims.instrument(tree), None
    if isinstance(last, ast.Expr) and not _is_silenced(cell.source):
        shown = ast.Expression(last.value)
        tree.body.pop()
        value = compile(shown, filename, "eval", flags, dont_inherit=True)
    body = claims.bind(compile(tree, filename, "exec", flags, dont_inherit=True))
    return Compiled(cell, body, value, last.lineno if last else cell.line)


def _is_silenced(source: str) -> bool:
    """Whether a semicolon ends a cell, by IPython's own rule."""
    return bool(DisplayHook.semicolon_at_end_of_expression(source))


def run_page(
    page: Page,
    folder: Path,
    on_cell: Callable[[int], None],
    measure: bool = False,
) -> Run:
    """Run all cells of a page, until one fails. Changes this process for good.

    With `measure`, its claims are measured, and none of them stops it.
    """
    world, run, claims = World(page, folder), Run(), Claims(measure)
    start = time.perf_counter()
    try:
        cells = compile_page(page, claims)
    except (SyntaxError, ValueError) as error:  # ValueError: a null byte
        run.failure = _failure(page, page.code[0].line, error)
        run.failed_cell = page.cell_at(run.failure.line).number
        return run
    for compiled in cells:
        on_cell(compiled.cell.number)
        _run_cell(world, compiled, run, is_last=compiled is cells[-1])
        if run.failure:
            break
    run.seconds = time.perf_counter() - start
    run.claims, run.unclaimed = claims.ran, claims.never_ran()
    for heard in world.complaints():
        (run.warnings if heard.is_warning else run.complaints).append(heard)
    _add_facts(run, page, world.module)
    return run


def _run_cell(world: World, compiled: Compiled, run: Run, is_last: bool) -> None:
    """Run one cell; what it shows, and what stops it, go into `run`."""
    cell, namespace = compiled.cell, world.module.__dict__
    world.line = cell.line
    outputs: list[NotebookNode] = []
    with _failing(world, cell, run):
        exec(compiled.body, namespace)
        if compiled.value is not None:
            world.line = compiled.last_line
            world.show_value(eval(compiled.value, namespace))
        world.show_figures()
        if is_last:
            _end_as_python_does()
    world.line = cell.line
    with _failing(world, cell, run):
        outputs = world.take_outputs()
    run.outputs[cell.number] = outputs
    run.figures[cell.number] = take_figures(outputs)
    if run.failure and (said := stderr_of(outputs).strip()):
        run.failure.traceback += f"The cell wrote to stderr:\n{shortened(said)}\n"


def _end_as_python_does() -> None:
    """Wait for threads, then let what was registered with `atexit` run."""
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()


@contextmanager
def _failing(world: World, cell: Cell, run: Run) -> Iterator[None]:
    """Whatever is raised meanwhile is the failure of the run, unless it has one."""
    try:
        yield
    except BaseException as error:
        if run.failure is None:
            run.failure = _failure(world.page, world.line, error)
            run.failed_cell = cell.number


def _failure(page: Page, line: int, error: BaseException) -> Failure:
    """The exception as a message and a traceback; at `line`, if at none it says."""
    if isinstance(error, SyntaxError) and error.filename == str(page.path):
        return Failure(error.lineno or line, type(error).__name__, error.msg)
    kind, message = type(error).__name__, shortened(str(error))
    if isinstance(error, MemoryError) or NO_MEMORY in message:
        message += f" (the limit: a page may not {over(memory_limit(os.environ))})"
    if isinstance(error, SystemExit):
        message = "the page called exit()"
    if isinstance(error, OutputError):
        kind = "output"
    frames = traceback.extract_tb(error.__traceback__)
    report = traceback.TracebackException.from_exception(error)
    _hide_runner(report)
    line = script_line(page.path, frames) or line
    return Failure(line, kind, message, shortened("".join(report.format())))


def _hide_runner(report: traceback.TracebackException | None) -> None:
    """Take the frames of the runner out of a traceback and those it is chained to."""
    if report is None:
        return
    own = str(Path(__file__).parent)
    report.stack[:] = [f for f in report.stack if not f.filename.startswith(own)]
    _hide_runner(report.__cause__)
    _hide_runner(report.__context__)


def _add_facts(run: Run, page: Page, module: types.ModuleType) -> None:
    """Add what the site says of a run: its result, data, versions and device."""
    if page.header.result and not run.failure:
        run.result = _result(run, page.header.result, module)
    if not run.failure:
        _collect_files(run, page)
    load = sys.modules.get("load")
    run.data = dict(getattr(load, "used", {}))
    run.copies = dict(getattr(load, "COPIES", {}))
    run.versions = {
        "python": ".".join(map(str, sys.version_info[:3])),
        "torch": torch.__version__.partition("+")[0],
        "torchvision": torchvision.__version__.partition("+")[0],
    }
    run.on_gpu = torch.cuda.is_available()
    if run.on_gpu:
        run.device_name = torch.cuda.get_device_name()
    else:
        number = torch.get_num_threads()
        run.device_name = f"CPU, {'one thread' if number == 1 else f'{number} threads'}"
    run.processor = f"{processor()}, {torch.backends.cpu.get_cpu_capability()}"


def processor() -> str:
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
            if Path(name).stat().st_size > MAX_FILE:
                raise ValueError(f"it has more than {MAX_FILE // 10**6} MB")
            run.files[name] = Path(name).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            run.failure = Failure(1, "header", f"`publishes: {name}`: {error}")


def _result(run: Run, name: str, module: types.ModuleType) -> float | None:
    """The page's headline figure; a failure where the variable is not there."""
    try:
        return float(getattr(module, name))
    except (AttributeError, TypeError, ValueError) as error:
        run.failure = Failure(1, "header", f"`result: {name}` is no number: {error}")
        return None
