"""Sessions: each prepares the one shared environment and calls pytest, mkdocs or ruff;
`versions` and `generators` have environments of their own.

The commands that they call work in any environment that has the packages: on a machine
with a torch of its own, `python -m pytest tests/test_pages.py --device cuda`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox

sys.path.append(str(Path(__file__).parent / "tests"))
from tools.built import Build, Installed
from tools.check_site import problems

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "tests", "docs"]
nox.options.default_venv_backend = "none"

os.environ["NO_MKDOCS_2_WARNING"] = "1"  # Material prints a banner for each build

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT, max_version="3.13")
ENVIRONMENTS = Path(".nox").absolute()
BINARY = "Scripts/python.exe" if os.name == "nt" else "bin/python"
PYTHON = ENVIRONMENTS / "shared" / BINARY
SITE = Path("site").absolute()
PINS = Path("pins").absolute()  # with digests: what installs and checks the rest
NPM = ENVIRONMENTS / "npm"
GENERATORS = ["properdocs", "materialx", "zensical"]  # beside MkDocs and Material


def prepare(session: nox.Session, *groups: str) -> None:
    """Install dependency groups, at tested versions, into the shared environment."""
    requirements = nox.project.dependency_groups(PROJECT, *groups)
    installed = Installed(PYTHON, requirements, Path("constraints.txt"))
    if not installed.is_done():
        pinned = "--constraint=constraints.txt"
        install(session, sys.executable, PYTHON, pinned, *requirements)
        installed.note()
    session.env["PATH"] = os.pathsep.join([str(PYTHON.parent), os.environ["PATH"]])


def install(session: nox.Session, base: str, python: Path, *arguments: str) -> None:
    """Run `pip install` in an environment, which is made from `base` if it is new."""
    quiet = ["--quiet", "--disable-pip-version-check"]
    pip = [str(python), "-m", "pip", "install", *quiet]
    if not python.exists():
        session.run_install(base, "-m", "venv", str(python.parents[1]))
        tools = ["--require-hashes", f"--requirement={PINS / 'tools.txt'}"]
        session.run_install(*pip, *tools, silent=True)
    session.run_install(*pip, *arguments, silent=True)


def run(
    session: nox.Session, module: str, *arguments: str, python: Path = PYTHON
) -> bool:
    """Run a module with an environment's Python; False where nox only installs."""
    return bool(session.run(str(python), "-m", module, *arguments))


def run_tool(session: nox.Session, name: str, *arguments: str) -> None:
    """Run a module of tests/tools/ in the same way."""
    command = [str(PYTHON), "-m", f"tools.{name}", *arguments]
    session.run(*command, env={"PYTHONPATH": os.pathsep.join(["tests", "snippets"])})


def install_validator(session: nox.Session) -> None:
    """Have npm install the W3C's validator of HTML, where it has not done so."""
    lock = "package-lock.json"
    wanted, done = PINS / lock, NPM / "node_modules" / f".{lock}"  # npm's last file
    if done.exists() and (NPM / lock).read_bytes() == wanted.read_bytes():
        return
    NPM.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", lock):
        shutil.copy(PINS / name, NPM)
    install = ["npm", "ci", "--silent", f"--prefix={NPM}"]
    session.run_install(*install, external=True)


def check_site(session: nox.Session, site: Path) -> None:
    """Stop where a page shows a mark of a template, or a lesson has no page."""
    if found := list(problems(site)):
        session.error("\n".join(found))


@contextmanager
def prepared_mkdocs() -> Iterator[subprocess.Popen[str]]:
    """A process that imports what `mkdocs build` needs, and builds when it is told."""
    environment = {**os.environ, "PYTHONPATH": "tests"}
    command = [str(PYTHON), "-m", "tools.build_site"]
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.communicate()  # where it was not told to build, it ends


def has_cuda(session: nox.Session) -> bool:
    """Whether the shared environment's torch finds a CUDA device."""
    code = "import torch; print(torch.cuda.is_available())"
    printed = session.run(str(PYTHON), "-c", code, silent=True)
    return printed is not None and printed.strip() == "True"


def run_pages(session: nox.Session, *options: str, python: Path = PYTHON) -> None:
    """Run and judge the pages whose names contain one of the session's arguments."""
    names, shard = selection(session)
    command = ["pytest", "tests/test_pages.py", *options, *names, *shard]
    run(session, *command, python=python)


def selection(session: nox.Session) -> tuple[list[str], list[str]]:
    """What the session's arguments select, for pytest: names of pages, a shard."""
    parser = argparse.ArgumentParser(prog="nox -s SESSION --", add_help=False)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--shard")
    chosen = parser.parse_args(session.posargs)
    names = ["-k", " or ".join(chosen.names)] if chosen.names else []
    return names, [f"--shard={chosen.shard}"] if chosen.shard else []


def find_python(version: str) -> str | None:
    """The Python of a version, such as "3.13", on this machine; None if there is none.

    pyenv has a `python3.13` for all that it installed, and runs only what is chosen.
    """
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    if not (command := shutil.which(f"python{version}")):
        return None
    done = subprocess.run(
        [command, "-c", "import ensurepip, sys, venv; print(sys.executable)"],
        env={**os.environ, "PYENV_VERSION": version},
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or None


def at_lowest(requirement: str) -> str:
    """`numpy>=1.26` as `numpy==1.26.*`: the lowest series that it admits."""
    return re.sub(r">=([\w.]+).*", r"==\1.*", requirement)


@nox.session
@nox.parametrize("device", ["cpu", "cuda"], ids=["cpu", "cuda"])
def tests(session: nox.Session, device: str) -> None:
    """Run every page and every check; `-- rings` selects pages by name.

    `-- --shard 2/5` selects the second of five shares, which take about the same time;
    the first has all checks but the pages.
    """
    prepare(session, "tests", "docs")
    names, shard = selection(session)
    if device == "cuda":
        if not has_cuda(session):
            session.skip("torch finds no CUDA device: nothing was run on CUDA")
        run_pages(session, "--device=cuda")
    elif names:
        run_pages(session)
    else:
        side_by_side = ["--numprocesses=2", "--dist=loadgroup"]
        run(session, "pytest", *side_by_side, "--no-loadscope-reorder", *shard)


@nox.session
@nox.parametrize("pair", ["lowest", "newest"], ids=["lowest", "newest"])
def versions(session: nox.Session, pair: str) -> None:
    """Judge what pages claim under the lowest and newest versions; `-- rings`: those.

    The lowest that pyproject.toml admits, of Python and of every package that it names;
    the newest that pip finds, under the newest Python that is on this machine.
    """
    is_lowest = pair == "lowest"
    wanted = PYTHONS[:1] if is_lowest else PYTHONS[::-1]
    found = [(version, base) for version in wanted if (base := find_python(version))]
    if not found:
        message = f"no Python {' or '.join(wanted)} here: nothing was run"
        if "CI" in os.environ or not any(map(find_python, PYTHONS)):
            session.error(message)
        session.skip(message)
    version, base = found[0]
    python = ENVIRONMENTS / f"{pair}-{version}" / BINARY
    admitted = nox.project.dependency_groups(PROJECT, "tests")
    requirements = map(at_lowest, admitted) if is_lowest else admitted
    upgrade = ["--upgrade", "--upgrade-strategy=eager"]
    install(session, base, python, *upgrade, *requirements)
    run(session, "pip", "list", python=python)
    # What a library says of another one is for neither the pages nor their runner.
    run_pages(session, "--claims-only", "-W", "default", python=python)


@nox.session
def new(session: nox.Session) -> None:
    """Start a page from the model page: `-- 29_title`."""
    prepare(session, "tests")
    run_tool(session, "new_page", *session.posargs)


@nox.session
def record(session: nox.Session) -> None:
    """Write down what pages print now (`-- rings`: those pages); review the diff."""
    prepare(session, "tests")
    run_pages(session, "--record")


@nox.session
def drifts(session: nox.Session) -> None:
    """Plant ten small changes: the measured tolerances have to notice nine."""
    prepare(session, "tests")
    run_tool(session, "plant_drifts")


@nox.session
def luck(session: nox.Session) -> None:
    """Run pages with other seeds: do their claims hold? `-- --seeds 20 rings`."""
    prepare(session, "tests")
    run_tool(session, "luck", *session.posargs)


@nox.session
def prose(session: nox.Session) -> None:
    """List the numbers of the prose that no print, assert or code beside it has."""
    prepare(session, "tests")
    run_tool(session, "prose", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Break pages as people do: is it noticed? `-- --each 2 rings`."""
    prepare(session, "tests")
    run_tool(session, "mutants", *session.posargs)


@nox.session
def practice(session: nox.Session) -> None:
    """Solve every practice notebook, and leave it empty; `-- rings`: those."""
    prepare(session, "tests", "docs")
    names, shard = selection(session)
    if shard:
        session.error("practice has no shards: name pages")
    session.env["PRACTICE"] = "all"
    workers = ["--numprocesses=2", "--dist=worksteal"]
    run(session, "pytest", "tests/test_practice.py", *workers, *names)


@nox.session
def faults(session: nox.Session) -> None:
    """Build under kills, full and read-only disks and the like; Linux, minutes."""
    prepare(session, "tests", "docs")
    run(session, "pytest", "tests/faults", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Run pages that changed, build the site; by hand, `-- serve` then serves it.

    With `-- joined`, no page is run: their files were joined from other machines.
    """
    build = Build(SITE.parent, PYTHON)
    if build.is_done():
        session.log("nothing has changed since the site was built")
    else:
        prepare(session, "tests", "docs")
        build.start()
        with prepared_mkdocs() as mkdocs:
            is_joined = "joined" in session.posargs
            if not is_joined and not run(session, "pytest", "tests/test_pages.py"):
                return
            build.note_pages()
            mkdocs.communicate("build\n")
        if mkdocs.returncode:
            session.error(f"mkdocs build --strict ended with {mkdocs.returncode}")
        check_site(session, SITE)
        if not is_joined:  # else nobody here has judged the pages
            build.end()
    session.log(f"the site is in {SITE}: open {SITE / 'index.html'}")
    if "serve" in session.posargs and session.interactive:
        session.notify("serve", posargs=[])


@nox.session
def serve(session: nox.Session) -> None:
    """Serve the site; saving a page re-runs that page, renders it and reloads it."""
    prepare(session, "tests", "docs")
    run(session, "mkdocs", "serve", *session.posargs)


@nox.session
@nox.parametrize("program", GENERATORS, ids=GENERATORS)
def generators(session: nox.Session, program: str) -> None:
    """Build the site of the executed pages with another program, and look at it."""
    prepare(session, "docs")
    python = ENVIRONMENTS / program / BINARY
    pinned = "--constraint=constraints.txt"
    requirements = nox.project.dependency_groups(PROJECT, program)
    install(session, sys.executable, python, pinned, *requirements)
    if program == "materialx":  # mkdocs-jupyter asks for Material, of the same files
        alone = [pinned, "--no-deps", "mkdocs-jupyter"]
        install(session, sys.executable, python, *alone)
    run_tool(session, "generators", program, str(python))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting of all code, and the types of the machine's."""
    prepare(session, "lint")
    run(session, "ruff", "check")
    run(session, "ruff", "format", "--check")
    run(session, "mypy")


@nox.session
def browser(session: nox.Session) -> None:
    """Check the built site's files, and read it in headless Chromium (CHROMIUM)."""
    prepare(session, "docs", "browser")
    install_validator(session)
    # A check waits now and then, for the network to be quiet: a third fills two cores.
    workers = ["--numprocesses=3", "--dist=worksteal"]
    run(session, "pytest", "tests/browser", *workers, *session.posargs)


@nox.session
def validator(session: nox.Session) -> None:
    """Install the validator of HTML, which can take minutes: beside other sessions."""
    install_validator(session)


@nox.session
def minute(session: nox.Session) -> None:
    """What a minute of one thread learns of CIFAR-10, five times; `-- --valid`."""
    prepare(session, "tests")
    run_tool(session, "minute", *session.posargs)


@nox.session
def steps(session: nox.Session) -> None:
    """What bfloat16 and `torch.compile` save of a training step here; `-- --write`."""
    prepare(session, "tests")
    run_tool(session, "steps", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """How fast it all is: `-- --sets twelve`, `-- --rows live`, `-- --write`."""
    prepare(session, "tests", "docs")
    run_tool(session, "bench", f"--nox={sys.executable}", *session.posargs)
