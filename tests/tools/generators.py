"""Builds the site with other programs than MkDocs and Material, and looks at it.

    PYTHONPATH=tests python -m tools.generators PROGRAM PYTHON

PYTHON is that of an environment that has the program; MkDocs is in this one. All is
built in a copy of the project, from the executed pages that are there, and stays in
`.cache/generators/PROGRAM`. `nox -s generators` calls it.
"""

import gzip
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.check_site import problems

ROOT = Path(__file__).parents[2]
# Of the project, to build the site; the last is shown on a page.
PARTS = ("docs", "snippets", ".cache/pages", "mkdocs.yml", "tests/tools/minute.py")
GENERATOR = re.compile(rb'<meta name="generator" content="[^"]*">')
ARTICLE = re.compile(rb"<article[^>]*>(.*)</article>", re.DOTALL)
HASH = re.compile(r"\.[0-9a-f]{8}(?=\.)")  # in the name of a theme's file
# What Material's continuation calls otherwise; its search has two programs.
MATERIALX = {
    r"^  name: material$": "  name: materialx",
    r"^      separator: ": "      provider: lunr\n      lunr:\n        separator: ",
}


class Differs(Exception):
    """A site is not what it has to be."""


def copy_project(folder: Path) -> Path:
    """A copy of what the site is made of."""
    shutil.rmtree(folder, ignore_errors=True)
    skip = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=skip)
        else:
            shutil.copy(ROOT / part, folder / part)
    return folder


def build(python: str | Path, module: str, folder: Path, name: str = "site") -> Path:
    """Have a program build a project, as strictly as it can; the site is named so."""
    command = [str(python), "-m", module, "build", "--strict", "-f", "mkdocs.yml"]
    if subprocess.run(command, cwd=folder).returncode:
        raise Differs(f"{module} builds no site in {folder}")
    return (folder / "site").rename(folder / name)


def files_of(site: Path) -> dict[str, bytes]:
    """All that a site consists of, without its generator's name.

    What is packed is compared by what is inside.
    """
    found: dict[str, bytes] = {}
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        name = path.relative_to(site).as_posix()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as packed:
                found.update(
                    {f"{name}/{one}": packed.read(one) for one in packed.namelist()}
                )
        elif path.suffix == ".gz":
            found[name] = gzip.decompress(path.read_bytes())
        else:
            found[name] = path.read_bytes()
    return {name: GENERATOR.sub(b"", content) for name, content in found.items()}


def properdocs(python: Path, folder: Path) -> None:
    """The whole site by MkDocs' continuation: only the generator's name differs."""
    copy_project(folder)
    ours = files_of(build(sys.executable, "mkdocs", folder, "by-mkdocs"))
    site = build(python, "properdocs", folder)
    theirs = files_of(site)
    names = sorted(ours.keys() | theirs.keys())
    if differ := [name for name in names if ours.get(name) != theirs.get(name)]:
        raise Differs("\n".join(["these files differ:", *differ]))
    check(site)
    print(f"{len(names)} files are the same, byte for byte, but the generator's name")


def materialx(python: Path, folder: Path) -> None:
    """The whole site with Material's continuation: what differs is told by its kind."""
    copy_project(folder)
    ours = files_of(build(sys.executable, "mkdocs", folder, "by-mkdocs"))
    settings = (folder / "mkdocs.yml").read_text(encoding="utf-8")
    for old, new in MATERIALX.items():
        settings, count = re.subn(old, new, settings, flags=re.MULTILINE)
        if count != 1:
            raise Differs(f"mkdocs.yml has {count} times {old!r}, not once")
    (folder / "mkdocs.yml").write_text(settings, encoding="utf-8")
    site = build(python, "mkdocs", folder)
    check(site)
    print("\n".join(kinds_of_difference(ours, files_of(site))))


def kinds_of_difference(
    ours: dict[str, bytes], theirs: dict[str, bytes]
) -> Iterator[str]:
    """What differs between two sites, the same theme's files by their folders."""
    pages = [name for name in ours if re.fullmatch(r"[\w-]+\.html", name)]
    both = [name for name in pages if name in theirs]
    differ = [name for name in both if ours[name] != theirs[name]]
    articles = [
        name
        for name in both
        if ARTICLE.findall(ours[name]) != ARTICLE.findall(theirs[name])
    ]
    yield f"pages that are missing: {len(pages) - len(both)} of {len(pages)}"
    yield f"pages that differ: {len(differ)} of {len(both)}"
    yield f"pages whose article differs: {len(articles)} {' '.join(articles)}"
    our_files, their_files = (
        {HASH.sub("", name): content for name, content in files.items()}
        for files in (ours, theirs)
    )
    for what, names in {
        "only with Material": our_files.keys() - their_files.keys(),
        "only with its continuation": their_files.keys() - our_files.keys(),
        "other content": {
            name
            for name in our_files.keys() & their_files.keys()
            if our_files[name] != their_files[name]
        },
    }.items():
        others = [n for n in names if n not in pages and ".zip/" not in n]
        folders = Counter(str(Path(name).parent) for name in others)
        for folder, count in sorted(folders.items()):
            named = [Path(n).name for n in others if str(Path(n).parent) == folder]
            shown = f": {' '.join(sorted(named))}" if count <= 4 else ""
            yield f"{what}, in {folder}/: {count}{shown}"


def zensical(python: Path, folder: Path) -> None:
    """A plain site by Material's successor, which runs no hook, of the build folder."""
    source = ROOT / "docs" / "hooks" / "build_folder.py"
    command = [sys.executable, str(source), str(folder)]
    if subprocess.run(command).returncode:
        raise Differs(f"{source.name} writes no build folder")
    check(build(python, "zensical", folder))


def check(site: Path) -> None:
    """No mark of a template is left, and no lesson is missing."""
    if found := list(problems(site)):
        raise Differs("\n".join(found))


PROGRAMS: dict[str, Callable[[Path, Path], None]] = {
    "properdocs": properdocs,
    "materialx": materialx,
    "zensical": zensical,
}


def main() -> None:
    """Build with the program that the command line names."""
    program, python = sys.argv[1:]
    folder = ROOT / ".cache" / "generators" / program
    try:
        PROGRAMS[program](Path(python).absolute(), folder)
    except Differs as error:
        sys.exit(str(error))
    print(f"the site is in {folder / 'site'}")


if __name__ == "__main__":
    main()
