"""A page sees the world of `python page.py`, and nothing that it says gets lost."""

import base64
import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from made_pages import is_running, on_linux, page_of, run_page
from page_runner import pool
from page_runner.environment import page_environment
from page_runner.pool import PageDied, PagePool
from page_runner.run import Failure, Run
from page_runner.variations import Variation

TESTS = Path(__file__).parent
FIRST_LINE = 13  # of the first code cell


def failure_of(run: Run) -> Failure:
    """The failure of a run that has one."""
    assert run.failure is not None
    return run.failure


def outputs_of(folder: Path, code: str, **options: Any) -> list:
    """The outputs of a page's first cell; the page fails in nothing."""
    run = run_page(folder, code, **options)
    assert run.failure is None, run.failure
    assert run.warnings == []
    assert run.complaints == []
    return run.outputs[1]


def printed_by(folder: Path, code: str, **options: Any) -> str:
    """What a page prints that shows nothing else."""
    (output,) = outputs_of(folder, code, **options)
    assert output.name == "stdout"
    return output.text


def complaints_in(run: Run) -> list[tuple[int, str, str]]:
    """The complaints of a run that did not fail: line of its code, kind, text."""
    assert run.failure is None, run.failure
    return [(c.line - FIRST_LINE + 1, c.kind, c.message) for c in run.complaints]


PROBE = """\
import builtins, json, locale, logging, multiprocessing, os, signal, sys, threading
import IPython, matplotlib, torch
main = sys.modules["__main__"]
streams = [sys.stdout, sys.stderr]
print(json.dumps({
    "names": sorted(globals()),
    "builtins": sorted(dir(builtins)),
    "name": __name__,
    "file": __file__,
    "loader": type(__loader__).__name__,
    "main": main.__dict__ is globals(),
    "argv": sys.argv,
    "path": sys.path,
    "flags": repr(sys.flags),
    "prompt": hasattr(sys, "ps1"),
    "excepthook": sys.excepthook is sys.__excepthook__,
    "displayhook": sys.displayhook is sys.__displayhook__,
    "streams": [[type(s).__name__, type(s.buffer).__name__] for s in streams],
    "encodings": [s.encoding for s in streams],
    "descriptors": [[s.fileno(), s.name, s.mode, s.isatty()] for s in streams],
    "original": sys.stdout is sys.__stdout__ and sys.stderr is sys.__stderr__,
    "stdin": os.read(0, 1).decode(),
    "method": multiprocessing.get_start_method(),
    "process": multiprocessing.current_process().name,
    "parent": repr(multiprocessing.parent_process()),
    "signals": [str(signal.getsignal(number)) for number in (2, 15, 17)],
    "logging": repr(logging.root.handlers),
    "locale": locale.getlocale(),
    "environment": {name: os.environ[name] for name in os.environ if name != "TMPDIR"},
    "hash": hash("a"),
}))"""


@pytest.mark.parametrize(
    "start_method", [pytest.param("fork", marks=on_linux), "spawn"]
)
def test_page_sees_what_plain_python_sees(tmp_path: Path, start_method: str) -> None:
    run = run_page(tmp_path, PROBE, start_method=start_method)
    assert run.failure is None, run.failure
    script = tmp_path / "snippets" / "11_page.py"
    plain = subprocess.run(
        [sys.executable, script],
        env=page_environment("cpu", tmp_path, {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    here, there = json.loads(run.printed()[1]), json.loads(plain.stdout)
    differing = [name for name in here if here[name] != there[name]]
    assert differing == [], (here[differing[0]], there[differing[0]])


@on_linux
def test_page_has_the_main_thread_alone(tmp_path: Path) -> None:
    code = "import threading, os\nprint(threading.active_count())\n"
    code += "print(len(os.listdir('/proc/self/task')))"
    assert printed_by(tmp_path, code) == "1\n1\n"


def test_generators_that_are_not_seeded_differ(tmp_path: Path) -> None:
    code = "import random, numpy, torch\n"
    code += "print(random.random(), numpy.random.rand(), torch.rand(1).item())"
    first, second = (printed_by(tmp_path, code).split() for _ in range(2))
    assert not set(first) & set(second)


def test_environment_is_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "LC_ALL", "PYTHONHASHSEED", "MPLBACKEND", "PAGE_OF_MINE"):
        monkeypatch.setenv(name, "31")
    monkeypatch.setenv("SNIPPETS_OFFLINE", "1")
    environment = page_environment("cpu", tmp_path, {"OMP_NUM_THREADS": "3"})
    assert environment["COLUMNS"] == "80"
    assert environment["LC_ALL"] == "C.UTF-8"
    assert environment["PYTHONHASHSEED"] == "0"
    assert environment["SNIPPETS_OFFLINE"] == "1"
    assert environment["CUDA_VISIBLE_DEVICES"] == ""
    assert environment["OMP_NUM_THREADS"] == "3"
    assert not {"MPLBACKEND", "PAGE_OF_MINE"} & environment.keys()


def test_matplotlibrc_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "config" / "matplotlib" / "matplotlibrc"
    settings.parent.mkdir(parents=True)
    settings.write_text("lines.linewidth: 9\ntimezone: Asia/Tokyo\n")
    monkeypatch.setattr("page_runner.environment.INHERITED", ("PATH",))
    page = page_of(
        tmp_path,
        "import matplotlib as mpl\n"
        "print(mpl.matplotlib_fname())\n"
        "print(mpl.rcParams['lines.linewidth'], mpl.rcParams['timezone'])",
    )
    with PagePool("cpu", tmp_path) as pages:
        elsewhere = Variation("", {"XDG_CONFIG_HOME": str(tmp_path / "config")})
        run = pages.submit(page, elsewhere).result()
    assert run.printed()[1] == f"{settings}\n1.5 UTC\n"


def test_data_loader_has_workers(tmp_path: Path) -> None:
    code = """\
from torch.utils.data import DataLoader, Dataset, get_worker_info
class Numbers(Dataset):
    def __len__(self): return 4
    def __getitem__(self, i): return i, get_worker_info().id
print([batch[1].item() for batch in DataLoader(Numbers(), num_workers=2)])
print([batch[1].item() for batch in DataLoader(Numbers(), num_workers=1)])"""
    assert printed_by(tmp_path, code) == "[0, 1, 0, 1]\n[0, 0, 0, 0]\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_guarded_pool(tmp_path: Path, method: str) -> None:
    code = f"""\
import multiprocessing
def square(x): return x * x
if __name__ == "__main__":
    with multiprocessing.get_context({method!r}).Pool(2) as workers:
        print(workers.map(square, [1, 2, 3]))"""
    assert printed_by(tmp_path, code) == "[1, 4, 9]\n"


def test_what_workers_print_and_warn_is_the_pages(tmp_path: Path) -> None:
    code = """\
import multiprocessing, warnings
def work(x):
    print("at work", flush=True)
    warnings.warn("tired")
worker = multiprocessing.Process(target=work, args=[1])
worker.start()
worker.join()"""
    run = run_page(tmp_path, code)
    assert run.printed()[1] == "at work\n"
    (warning,) = run.warnings
    assert (warning.line, warning.message) == (FIRST_LINE + 3, "tired")


@pytest.mark.parametrize("name", ["display", "get_ipython", "In", "Out", "_"])
def test_names_that_plain_python_lacks(tmp_path: Path, name: str) -> None:
    run = run_page(tmp_path, f"1\n{name}")
    assert failure_of(run).kind == "NameError"
    assert failure_of(run).line == FIRST_LINE + 1


def test_future_import_holds_for_all_cells(tmp_path: Path) -> None:
    code = """\
from __future__ import annotations

# %%
def f(x: unknown): pass
print(f.__annotations__)"""
    assert run_page(tmp_path, code).printed()[2] == "{'x': 'unknown'}\n"


def test_script_is_compiled_as_one(tmp_path: Path) -> None:
    run = run_page(tmp_path, "x = 1\n\n# %%\nfrom __future__ import annotations")
    failure = failure_of(run)
    assert (run.failed_cell, failure.line) == (2, FIRST_LINE + 3)
    assert failure.kind == "SyntaxError"


def test_warning_of_the_compiler_is_raised_once(tmp_path: Path) -> None:
    (warning,) = run_page(tmp_path, 'x = 1\nprint("\\d")').warnings
    assert warning.line == FIRST_LINE + 1
    assert "invalid escape sequence" in warning.message


@pytest.mark.parametrize(
    ("code", "shown"),
    [("3", True), ("3;", False), ("3;  # no", False), ("3  # yes;", True)],
)
def test_semicolon_hides_a_value(tmp_path: Path, code: str, shown: bool) -> None:
    assert bool(outputs_of(tmp_path, code)) == shown


def test_figure_that_is_drawn_on_is_shown_as_it_is_now(tmp_path: Path) -> None:
    code = """\
import matplotlib.pyplot as plt
import numpy as np
fig, ax = plt.subplots()
dots = ax.scatter(*np.random.default_rng(0).random((2, 20000)))
plt.show()
dots.remove()
ax.set_title("later")
fig"""
    large, small = outputs_of(tmp_path, code)
    assert "image/png" in large.data
    assert "later" in small.data["image/svg+xml"]
    assert "currentColor" in small.data["image/svg+xml"]
    assert "#808080" not in small.data["image/svg+xml"]


def test_pictures_of_every_kind_are_encoded(tmp_path: Path) -> None:
    code = """\
from PIL import Image
from IPython.display import Image as Shown, display
import io
picture = Image.new("RGB", (3, 2))
display(picture)
file = io.BytesIO()
picture.save(file, "JPEG")
display(Shown(file.getvalue(), format="jpeg"))
class Own:
    def _repr_jpeg_(self): return file.getvalue()
Own()"""
    outputs = outputs_of(tmp_path, code)
    kinds = ["image/png", "image/jpeg", "image/jpeg"]
    for output, kind in zip(outputs, kinds, strict=True):
        assert set(output.data) == {kind, "image/webp", "text/plain"}
        for form in (kind, "image/webp"):  # for notebooks, and for the site
            picture = Image.open(io.BytesIO(base64.b64decode(output.data[form])))
            assert picture.size == (3, 2)
            assert picture.format == form.removeprefix("image/").upper()


def test_picture_that_is_none_is_the_pages_failure(tmp_path: Path) -> None:
    code = """\
from IPython.display import display
display({"image/png": "bm9uZQ==", "text/plain": "x"}, raw=True)"""
    failure = failure_of(run_page(tmp_path, code))
    assert failure.kind == "output"
    assert "a picture that no WebP can be" in failure.message


def test_markup_is_no_repr(tmp_path: Path) -> None:
    code = """\
from IPython.display import HTML, Markdown, Math, display
display(Markdown("*so*"), Math("x^2"), HTML("<b>so</b>"))"""
    markdown, maths, html = outputs_of(tmp_path, code)
    assert markdown.data == {"text/markdown": "*so*", "text/plain": "*so*"}
    assert maths.data["text/plain"] == maths.data["text/latex"]
    assert "x^2" in maths.data["text/latex"]
    assert html.data == {"text/html": "<b>so</b>", "text/plain": "<b>so</b>"}


@pytest.mark.parametrize("kind", ["Javascript", "JSON", "Pretty"])
def test_what_cannot_be_published_is_refused(tmp_path: Path, kind: str) -> None:
    code = f"from IPython.display import *\ndisplay({kind}('[1]'))"
    run = run_page(tmp_path, code)
    if kind == "Pretty":
        assert run.printed()[1] == "[1]\n"
        return
    assert failure_of(run).line == FIRST_LINE + 1
    assert (
        f"application/{kind.lower()}, which the site cannot" in failure_of(run).message
    )


def test_error_of_a_repr_is_the_pages(tmp_path: Path) -> None:
    code = """\
class Broken:
    def _repr_html_(self): return 1 / 0
Broken()"""
    failure = failure_of(run_page(tmp_path, code))
    assert (failure.kind, failure.line) == ("ZeroDivisionError", FIRST_LINE + 1)


def test_updated_display_is_shown_once(tmp_path: Path) -> None:
    code = """\
from IPython.display import Markdown, clear_output, display
print("gone")
clear_output()
shown = display(Markdown("first"), display_id=True)
print("between")

# %%
shown.update(Markdown("last"))"""
    run = run_page(tmp_path, code)
    shown, between = run.outputs[1]
    assert shown.data["text/markdown"] == "last"
    assert between.text == "between\n"
    assert run.outputs[2] == []


def test_text_is_published_as_it_was_printed(tmp_path: Path) -> None:
    code = r"""print("a\tb\n\x1b[31mred\x1b[0m bell\a null\0 next\x85line back\b")"""
    assert printed_by(tmp_path, code) == "a\tb\nred bell␇ null␀ next\\x85line bac\n"


def test_half_a_character_is_that_pages_failure(tmp_path: Path) -> None:
    failure = failure_of(run_page(tmp_path, "x = 1\nprint('\\udc80')"))
    assert (failure.kind, failure.line) == ("UnicodeEncodeError", FIRST_LINE + 1)
    code = "class Half:\n    def _repr_html_(self): return '\\ud800'\nHalf()"
    failure = failure_of(run_page(tmp_path, code))
    assert (failure.kind, failure.line) == ("output", FIRST_LINE + 2)
    assert "half a character" in failure.message


def test_descriptors_are_heard_in_order(tmp_path: Path) -> None:
    code = """\
import os, subprocess, sys
print("one")
print("two", file=sys.stderr)
os.write(1, b"three\\n");
subprocess.run(["echo", "four"])
subprocess.run("echo five >&2", shell=True)
print("six")
os.write(1, b"\\xff\\n");

# %%
os.write(2, b"seven\\n");"""
    run = run_page(tmp_path, code)
    assert [(output.name, output.text) for output in run.outputs[1]] == [
        ("stdout", "one\n"),
        ("stderr", "two\n"),
        ("stdout", "three\nfour\n"),
        ("stderr", "five\n"),
        ("stdout", "six\n\\xff\n"),
    ]
    assert run.written() == {1: "two\nfive\n", 2: "seven\n"}


def test_what_comes_at_the_end_is_heard(tmp_path: Path) -> None:
    code = """\
import atexit, threading, time
atexit.register(print, "goodbye")
def late():
    time.sleep(0.2)
    print("late")
threading.Thread(target=late).start()"""
    assert printed_by(tmp_path, code) == "late\ngoodbye\n"


def test_errors_that_python_only_prints(tmp_path: Path) -> None:
    code = """\
import logging, threading, warnings
class Broken:
    def __del__(self): 1 / 0
broken = Broken()
del broken
def fail(): [].pop()
thread = threading.Thread(target=fail)
thread.start()
thread.join()
logging.getLogger("mine").warning("look out")
logging.captureWarnings(True)
warnings.warn("old")"""
    run = run_page(tmp_path, code)
    ignored, thread, logged = complaints_in(run)
    assert ignored[0] == 3
    assert "ZeroDivisionError" in ignored[2]
    assert thread == (6, "error in a thread", "IndexError: pop from empty list")
    assert logged == (10, "logged WARNING", "look out")
    assert [(w.line, w.message) for w in run.warnings] == [(FIRST_LINE + 11, "old")]


def test_logging_to_elsewhere_is_none(tmp_path: Path) -> None:
    code = """\
import io, logging, sys
log = logging.getLogger("mine")
log.propagate = False
log.addHandler(logging.StreamHandler(sys.stdout))
log.addHandler(logging.StreamHandler(io.StringIO()))
log.error("shown")"""
    assert printed_by(tmp_path, code) == "shown\n"


@pytest.mark.parametrize(
    "code",
    [
        "import os; print(os.getcwd())",
        "print(__file__)",
        "from pathlib import Path; print(Path.home() / 'x')",
        "import torch; print(torch.__file__)",
        "import os, sys; print(os.environ['SNIPPETS_DATA'], file=sys.stderr)",
        "import tempfile; tempfile.mkdtemp()",
        "from pathlib import Path; Path('x').absolute()",
    ],
)
def test_paths_of_this_machine_are_not_published(tmp_path: Path, code: str) -> None:
    (line, kind, message), *_ = complaints_in(run_page(tmp_path, code))
    assert (line, kind) == (1, "path of this machine")
    assert "it shows /" in message


def test_other_paths_are(tmp_path: Path) -> None:
    code = "print('/dev/null', 'a/b', '/api', '1/2', '/usr/bin/env')"
    outputs_of(tmp_path, code)


def test_many_short_prints(tmp_path: Path) -> None:
    code = """\
import time
start = time.process_time()
for i in range(20000): print(i)
assert time.process_time() - start < 2"""
    assert printed_by(tmp_path, code).count("\n") == 20_000


@pytest.mark.parametrize(
    "code",
    [
        "print('x' * 5_000_000)",
        "print('x' * 100_000_000)",
        "while True: print('x' * 100_000)",
        "import subprocess; subprocess.run('yes')",
    ],
)
def test_too_much_output(tmp_path: Path, code: str) -> None:
    """It is the failure of its line, and costs the runner no memory to speak of."""
    before = peak_memory()
    try:
        failure = failure_of(run_page(tmp_path, code))
        found = (failure.line, failure.message)
        assert found[1] == "the page writes more than 1 MB"
    except PageDied as died:
        found = (died.line, died.message)
        assert found[1] == "the page writes more than 10 MB to a stream"
    assert found[0] == FIRST_LINE
    assert peak_memory() - before < 50_000_000


def peak_memory() -> int:
    """The most bytes of memory that this process has held."""
    resource = pytest.importorskip("resource")  # there is none on Windows
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_too_large_a_value_or_picture(tmp_path: Path) -> None:
    code = "from IPython.display import HTML\nHTML('x' * 11_000_000)"
    failure = failure_of(run_page(tmp_path, code))
    assert (failure.line, failure.message) == (
        FIRST_LINE + 1,
        "the page shows more than 10 MB",
    )


def test_what_goes_wrong_a_million_times_is_told_in_short(tmp_path: Path) -> None:
    """A long message, many warnings, a large file that a page publishes."""
    code = "raise ValueError('x' * 10_000_000)"
    failure = failure_of(run_page(tmp_path, code))
    assert len(failure.message) + len(failure.traceback) < 30_000
    assert "9,990,000 letters" in failure.message
    code = "import warnings\nfor i in range(10_000): warnings.warn('x' * 1000)"
    assert 50 < len(run_page(tmp_path, code).warnings) < 200


@on_linux
@pytest.mark.parametrize(
    "code",
    [
        "import torch\nhoard = []\nwhile True: hoard.append(torch.ones(10**7))",
        "hoard = []\nmore = [1] * 10**6\nwhile True: hoard.append(more * 2)",
        """\
import os, time
if os.fork(): time.sleep(600)
while True: os.fork() or [bytearray(b"x") * 10**9, time.sleep(600)]""",
    ],
)
def test_memory_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """That page alone is ended, with its line, in itself or in what it starts."""
    monkeypatch.setenv("SNIPPETS_MEMORY", "2")
    try:
        failure = failure_of(run_page(tmp_path, code))
        line, message = failure.line, failure.message
    except PageDied as died:
        line, message = died.line, died.message
    assert FIRST_LINE < line <= FIRST_LINE + 2
    assert "hold more than 2 GiB of memory (SNIPPETS_MEMORY=2 sets" in message
    assert printed_by(tmp_path, "print('another')") == "another\n"


@pytest.mark.parametrize(
    "code",
    [
        "import torch; torch.set_default_dtype(torch.float64)",
        "import locale; locale.setlocale(locale.LC_ALL, 'C')",
        "import os, shutil; shutil.rmtree(os.getcwd())",
        "import os, shutil; shutil.rmtree(os.path.dirname(os.getcwd()))",
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
        "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
        "import re, signal; signal.signal(6, signal.SIG_IGN)\n"
        "re.match('(a*)*b', 'a' * 99)",
    ],
)
def test_what_a_page_does_to_itself_is_no_other_pages_fault(
    tmp_path: Path, code: str
) -> None:
    """Whatever becomes of it, within its limit, the next page runs as ever."""
    with PagePool("cpu", tmp_path) as pages:
        future = pages.submit(page_of(tmp_path, code, time_limit=5))
        if error := future.exception():
            assert isinstance(error, PageDied)
            assert error.line >= FIRST_LINE
        after = "import torch, os, locale\nprint(torch.ones(1).dtype, os.listdir())"
        run = pages.submit(page_of(tmp_path, after)).result()
    assert run.printed()[1] == "torch.float32 []\n"


def test_crash_names_its_line(tmp_path: Path) -> None:
    code = """\
import ctypes
def crash():
    ctypes.string_at(0)
crash()"""
    with pytest.raises(PageDied, match="SIGSEGV") as died:
        run_page(tmp_path, code)
    assert (died.value.cell, died.value.line) == (1, FIRST_LINE + 2)


def test_page_that_dies_shows_its_last_words(tmp_path: Path) -> None:
    code = "import os\nos.write(2, b'I have seen it\\n')\nos._exit(3)"
    with pytest.raises(PageDied, match=r"code 3(.|\n)*I have seen it"):
        run_page(tmp_path, code)


def test_failure_shows_stderr_and_what_it_is_chained_to(tmp_path: Path) -> None:
    code = """\
import sys
print("a hint", file=sys.stderr)
try:
    1 / 0
except ZeroDivisionError as error:
    raise ValueError("bad") from error"""
    failure = failure_of(run_page(tmp_path, code))
    assert (failure.kind, failure.line) == ("ValueError", FIRST_LINE + 5)
    assert "ZeroDivisionError: division by zero" in failure.traceback
    assert "The above exception was the direct cause" in failure.traceback
    assert "wrote to stderr:\na hint" in failure.traceback
    assert "page_runner" not in failure.traceback


def test_time_limit_is_for_the_whole_page(tmp_path: Path) -> None:
    cells = "\n\n# %%\n".join(["import time; time.sleep(0.7)"] * 9)
    page = page_of(tmp_path, cells, time_limit=2)
    start = time.monotonic()
    with PagePool("cpu", tmp_path) as pages:
        pages.prepare()
        with pytest.raises(PageDied, match="after its time limit of 2 s"):
            pages.submit(page).result()
    assert time.monotonic() - start < 60


def test_page_that_does_not_start_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "START_LIMIT", 0.0)
    with pytest.raises(PageDied, match="did not start within 0 s"):
        run_page(tmp_path, "print(1)", start_method="spawn")


def test_error_of_the_runners_child_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "SERVER", "raise ImportError('no torch here')")
    with pytest.raises(PageDied, match="no torch here"):
        run_page(tmp_path, "print(1)", start_method="spawn")


def test_progress_bar_collapses(tmp_path: Path) -> None:
    code = """\
from tqdm import tqdm
for _ in tqdm(range(3), ncols=40):
    pass
print("10%\\r50%\\rdone")"""
    error, printed = outputs_of(tmp_path, code)
    assert (error.name, printed.name) == ("stderr", "stdout")
    assert error.text.count("\n") == 1
    assert "3/3" in error.text
    assert printed.text == "done\n"


def test_large_figure_is_png(tmp_path: Path) -> None:
    code = """\
import matplotlib.pyplot as plt
import numpy as np
fig, ax = plt.subplots()
ax.scatter(*np.random.default_rng(0).random((2, 20000)))"""
    figure = outputs_of(tmp_path, code)[-1].data
    assert "image/png" in figure
    assert "image/svg+xml" not in figure


def test_page_has_one_thread_and_no_accelerator(tmp_path: Path) -> None:
    code = "import torch; print(torch.get_num_threads(), torch.cuda.is_available())"
    assert printed_by(tmp_path, code) == "1 False\n"


@on_linux
def test_data_loader_workers_are_ended(tmp_path: Path) -> None:
    code = """\
import os, subprocess, sys
sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(sleeper.pid)"""
    assert not is_running(int(printed_by(tmp_path, code)))


def test_warning_that_the_page_catches_is_none(tmp_path: Path) -> None:
    code = """\
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    warnings.warn("old", DeprecationWarning)
print(len(caught))"""
    assert printed_by(tmp_path, code) == "1\n"


def test_spawned_as_on_other_systems(tmp_path: Path) -> None:
    code = "import matplotlib.pyplot as plt; fig, ax = plt.subplots(); print('drawn')"
    printed = outputs_of(tmp_path, code, start_method="spawn")[0]
    assert printed.text == "drawn\n"


def test_exit_codes_are_described() -> None:
    assert "code 3" in pool.describe_exit(3)
    assert "SIGSEGV" in pool.describe_exit(-11)
