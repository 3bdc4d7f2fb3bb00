"""Builds the site as `mkdocs build --strict` does, as soon as its stdin has a line.

Until then it imports all that MkDocs needs, while pages run: see `nox -s docs`. Where
stdin ends without a line, for a page has failed, it ends without a build.
"""

import sys

from mkdocs.__main__ import cli
from mkdocs.config import load_config


def main() -> None:
    """Import, wait, build."""
    load_config("mkdocs.yml")  # with its plugins and hooks; it is read anew to build
    if sys.stdin.readline():
        cli(["build", "--strict"])


if __name__ == "__main__":
    main()
