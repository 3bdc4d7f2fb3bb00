"""What checks a reader's code. This file stands in each practice notebook.

Its names are those that no page and no reader would think of: all share a notebook.
"""

import ast
from typing import Any

LETTERS_TO_SHOW = 100  # of a value


class NotYet(AssertionError):
    """Says what is still to do. Jupyter shows these words, and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def check_exercise(names: list[str], *claims: str) -> None:
    """Raise NotYet unless the names are there, and all that is claimed of them holds.

    A claim is an expression of Python.
    """
    missing = [name for name in names if globals().get(name, ...) is ...]
    if missing:
        raise NotYet(
            f"Not there yet: {', '.join(missing)}.\nWrite code for what the exercise "
            "asks into the cell above, run that cell, and then this one again."
        )
    for claim in claims:
        try:
            holds = bool(eval(claim, globals()))
        except Exception as error:  # whatever comes of a reader's values
            said = (
                f"This cannot be checked yet: {claim}\n{type(error).__name__}: {error}"
            )
            raise NotYet(said + values_behind(claim, names)) from None
        if not holds:
            said = f"This does not hold yet: {claim}"
            raise NotYet(said + values_behind(claim, names))
    print("This holds:", ", and ".join(claims))


def values_behind(claim: str, names: list[str]) -> str:
    """A line for each part of a claim: the sides of a comparison, what a call takes."""
    claimed = ast.parse(claim, mode="eval").body
    parts: list[ast.expr] = []
    if isinstance(claimed, ast.Compare):
        parts += [claimed.left, *claimed.comparators]
    elif isinstance(claimed, ast.Call):
        parts += claimed.args
    parts += [node for node in ast.walk(claimed) if isinstance(node, ast.Name)]
    shown = [part for part in parts if says_something(part, names)]
    lines = ""
    for text in dict.fromkeys(map(ast.unparse, shown)):
        try:
            value = eval(text, globals())
        except Exception:
            continue  # the message has the error
        if not callable(value):
            lines += f"\n    {text} is {in_few_letters(value)}"
    return lines


def says_something(part: ast.expr, names: list[str]) -> bool:
    """Whether the value of a part of a claim follows from those of names.

    What follows from others only would be the answer: it is for the reader to find.
    """
    used = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
    return not used.isdisjoint(names) and not isinstance(part, ast.GeneratorExp)


def in_few_letters(value: Any) -> str:
    """A value; one that is too long by its type and shape, or by its beginning."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = " ".join(repr(value).split())
    if " object at 0x" in text:
        return f"of type {type(value).__name__}"
    if isinstance(value, list):
        text = f"[{', '.join(map(in_few_letters, value))}]"
    if len(text) <= LETTERS_TO_SHOW:
        return text
    if hasattr(value, "shape"):
        return f"of type {type(value).__name__}, of shape {tuple(value.shape)}"
    return f"{text[: LETTERS_TO_SHOW - 2]} …"
