"""Sessions: each prepares the one shared environment and calls pytest, mkdocs or ruff.

The commands that they call work in any environment that has the packages: on a machine
with a torch of its own, `python -m pytest tests/test_pages.py --device cuda`.
"""

import os
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "tests", "docs"]
nox.options.default_venv_backend = "none"

os.environ["NO_MKDOCS_2_WARNING"] = "1"  # Material prints a banner for each build

PROJECT = nox.project.load_toml("pyproject.toml")
ENVIRONMENT = Path(".nox", "shared").absolute()
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
SITE = Path("site").absolute()
HTML_VALIDATOR = "vnu-jar@26.9.27"  # of the W3C; runs on Java


def prepare(session: nox.Session, *groups: str) -> None:
    """Install dependency groups, at tested versions, into the shared environment."""
    if not PYTHON.exists():
        session.run_install(sys.executable, "-m", "venv", str(ENVIRONMENT))
        pip(session, "--upgrade", "pip")
    pip(session, *nox.project.dependency_groups(PROJECT, *groups))
    session.env["PATH"] = os.pathsep.join([str(PYTHON.parent), os.environ["PATH"]])


def pip(session: nox.Session, *arguments: str) -> None:
    """Run `pip install` in the shared environment."""
    quiet = ["--quiet", "--disable-pip-version-check", "--constraint=constraints.txt"]
    command = [str(PYTHON), "-m", "pip", "install", *quiet, *arguments]
    session.run_install(*command, silent=True)


def run(session: nox.Session, module: str, *arguments: str) -> None:
    """Run a module with the shared environment's Python."""
    session.run(str(PYTHON), "-m", module, *arguments)


def run_tool(session: nox.Session, name: str, *arguments: str) -> None:
    """Run a module of tests/tools/ in the same way."""
    command = [str(PYTHON), "-m", f"tools.{name}", *arguments]
    session.run(*command, env={"PYTHONPATH": "tests"})


def has_cuda(session: nox.Session) -> bool:
    """Whether the shared environment's torch finds a CUDA device."""
    code = "import torch; print(torch.cuda.is_available())"
    printed = session.run(str(PYTHON), "-c", code, silent=True)
    return printed is not None and printed.strip() == "True"


def run_pages(session: nox.Session, *options: str) -> None:
    """Run and judge the pages whose names contain one of the session's arguments."""
    names = " or ".join(session.posargs)
    selection = ["-k", names] if names else []
    run(session, "pytest", "tests/test_pages.py", *options, *selection)


@nox.session
@nox.parametrize("device", ["cpu", "cuda"], ids=["cpu", "cuda"])
def tests(session: nox.Session, device: str) -> None:
    """Run every page and every check; `-- rings` selects pages by name."""
    prepare(session, "tests", "docs")
    if device == "cuda":
        if not has_cuda(session):
            session.skip("torch finds no CUDA device: nothing was run on CUDA")
        run_pages(session, "--device=cuda")
    elif session.posargs:
        run_pages(session)
    else:
        run(session, "pytest")


@nox.session
def new(session: nox.Session) -> None:
    """Start a page from the model page: `-- 27_title`."""
    prepare(session, "tests")
    run_tool(session, "new_page", *session.posargs)


@nox.session
def record(session: nox.Session) -> None:
    """Write down what pages print now (`-- rings`: those pages); review the diff."""
    prepare(session, "tests")
    run_pages(session, "--record")


@nox.session
def docs(session: nox.Session) -> None:
    """Run pages that changed, build the site; by hand, `-- serve` then serves it."""
    prepare(session, "tests", "docs")
    run(session, "pytest", "tests/test_pages.py")
    run(session, "mkdocs", "build", "--strict")
    session.log(f"the site is in {SITE}: open {SITE / 'index.html'}")
    if "serve" in session.posargs and session.interactive:
        session.notify("serve", posargs=[])


@nox.session
def serve(session: nox.Session) -> None:
    """Serve the site; saving a page re-runs that page, renders it and reloads it."""
    prepare(session, "tests", "docs")
    run(session, "mkdocs", "serve", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting of all code."""
    prepare(session, "lint")
    run(session, "ruff", "check")
    run(session, "ruff", "format", "--check")


@nox.session
def browser(session: nox.Session) -> None:
    """Check the built site's files, and read it in headless Chromium (CHROMIUM)."""
    prepare(session, "docs", "browser")
    install = ["npm", "install", "--silent", "--no-save", "--prefix=.nox/npm"]
    session.run_install(*install, HTML_VALIDATOR, external=True)
    run(session, "pytest", "tests/browser", "--numprocesses=2", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Build times and page sizes as ratios to stock mkdocs-jupyter."""
    prepare(session, "tests", "docs")
    run_tool(session, "bench", *session.posargs)
