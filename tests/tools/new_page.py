"""Starts a page of the site from the model page: `nox -s new -- 29_title`."""

import sys
from pathlib import Path

from page_runner.script import NAME

ROOT = Path(__file__).parents[2]
MODEL = Path(__file__).with_name("model_page.py")


def create(name: str, folder: Path) -> Path:
    """Write the model page under a new name and title; the path of the script.

    ValueError where the name is no name of a page, or its place is taken.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name of a page: write a digit for the chapter, the place "
            "in it, and words in small letters, as in 27_data_sets or 310_more_data"
        )
    number, _, words = name.partition("_")
    if taken := [path.name for path in folder.glob(f"{number}_*.py")]:
        raise ValueError(f"the place {number} is taken by {taken[0]}")
    title = words.replace("_", " ").capitalize()
    script = folder / f"{name}.py"
    model = MODEL.read_text(encoding="utf-8")
    script.write_text(model.replace("# # A model page", f"# # {title}"), "utf-8")
    return script


def main(arguments: list[str]) -> None:
    """Create the page that is named, and say what to do with it."""
    if len(arguments) != 1:
        sys.exit(__doc__)
    try:
        script = create(arguments[0], ROOT / "snippets")
    except ValueError as error:
        sys.exit(str(error))
    print(
        f"{script.relative_to(ROOT)} is a copy of the model page: write yours over "
        f"it.\n`nox -s record -- {script.stem}` writes down what it prints; from then "
        "on `nox -s serve` shows it."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
