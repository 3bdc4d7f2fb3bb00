"""Downloads of a lesson that run on their own, in an empty folder."""

import ast
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import lru_cache
from itertools import pairwise

import nbformat

from asking import Question, questions_html
from lessons import CannotPublish
from prose import Link, links

FOLDED = {"jupyter": {"source_hidden": True}}  # JupyterLab shows the cell as one line
LANGUAGE = ("kernelspec", "language_info")  # in a notebook's metadata
HELPER_NOTE = "The data comes from this helper, which all lessons share."


@lru_cache
def runnable_script(script: str, helper: str) -> str:
    """A lesson's script in which the parts it takes from `load.py` stand themselves."""
    imports = load_imports(script)
    if not imports:
        return script
    lines = script.splitlines(keepends=True)
    first = imports[0].lineno - 1
    marker = max(i for i in range(first) if lines[i].startswith("# %%"))
    lines = without(lines, imports)
    helper = needed_source(helper, imported_names(imports))
    lines.insert(marker, f"# %% [markdown]\n# {HELPER_NOTE}\n\n# %%\n{helper}\n\n")
    return "".join(lines)


def runnable_notebook(
    notebook: nbformat.NotebookNode,
    helper: str,
    link: Callable[[Link], str],
    reading: Sequence[str] = (),
    questions: Sequence[Question] = (),
) -> str:
    """A lesson as a notebook file with its outputs; `link` writes a link for it.

    reading: places to read on, a line of Markdown each.
    questions: to come back to.
    """
    language = {name: notebook.metadata[name] for name in LANGUAGE}
    result = nbformat.v4.new_notebook(metadata=language)
    names: tuple[str, ...] = ()
    first = 0  # cell that needs the helper
    for cell in deepcopy(notebook.cells):
        for name in ("line", "predict"):  # for the site
            cell.metadata.pop(name, None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/webp", None)  # not all editors show it
        if cell.cell_type == "markdown":
            cell.source = with_links(cell.source, link)
        elif imports := load_imports(cell.source):
            first = first if names else len(result.cells)
            names += imported_names(imports)
            lines = cell.source.splitlines(keepends=True)
            cell.source = "".join(without(lines, imports)).strip()
        result.cells.append(cell)
        if margins := cell.metadata.get("margins"):
            text = f"On another machine: {margins}"
            note = nbformat.v4.new_markdown_cell(text, id=f"{cell.id}-margins")
            result.cells.append(note)
    if questions:
        text = f"### Questions to come back to\n\n{questions_html(questions)}"
        result.cells.append(nbformat.v4.new_markdown_cell(text, id="questions"))
    if reading:
        text = "\n".join(["### Read on", "", *(f"- {place}" for place in reading)])
        result.cells.append(nbformat.v4.new_markdown_cell(text, id="read-on"))
    if names:
        result.cells[first:first] = [
            nbformat.v4.new_markdown_cell(HELPER_NOTE, id="helper-note"),
            nbformat.v4.new_code_cell(
                needed_source(helper, names), id="helper", metadata=FOLDED
            ),
        ]
    return nbformat.v4.writes(result)  # without validating what we have made


def with_links(text: str, link: Callable[[Link], str]) -> str:
    """Markdown with its links written by `link`."""
    for found in reversed(links(text)):
        text = text[: found.start] + link(found) + text[found.end :]
    return text


def load_imports(source: str) -> list[ast.ImportFrom]:
    """The statements `from load import ...` of some code, in order."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "load":
            found.append(node)
        elif isinstance(node, ast.Import) and "load" in [a.name for a in node.names]:
            raise CannotPublish("write `from load import ...`, not `import load`")
    return sorted(found, key=lambda node: node.lineno)


def imported_names(imports: list[ast.ImportFrom]) -> tuple[str, ...]:
    """The names that some `from load import ...` bring."""
    aliases = [alias for node in imports for alias in node.names]
    for alias in aliases:
        if alias.asname or alias.name == "*":
            raise CannotPublish("`from load import` takes plain names: no `as`, no `*`")
    return tuple(alias.name for alias in aliases)


def without(lines: list[str], statements: list[ast.ImportFrom]) -> list[str]:
    """Lines without those of some statements, nor the blank ones before them."""
    gone = {i for node in statements for i in range(node.lineno - 1, last_line(node))}
    for node in statements:
        before = node.lineno - 2
        if before >= 0 and not lines[before].strip():
            gone.add(before)
    return [line for i, line in enumerate(lines) if i not in gone]


def last_line(node: ast.stmt) -> int:
    """The number of a statement's last line."""
    return node.end_lineno or node.lineno


@lru_cache
def needed_source(module: str, names: tuple[str, ...]) -> str:
    """The part of a module that some of its names need, in its order."""
    tree, lines = ast.parse(module), module.splitlines()
    providers = [(node, bound_names(node)) for node in tree.body]
    needed, queue = set(), list(names)
    while queue:
        name = queue.pop()
        if name in needed:
            continue
        needed.add(name)
        found = [node for node, bound in providers if name in bound]
        if not found and name in names:
            raise CannotPublish(f"load.py has no {name}")
        for node in found:
            if not isinstance(node, ast.Import | ast.ImportFrom):
                queue += used_names(node)
    parts = [
        (node, statement_source(node, lines, needed))
        for node, bound in providers
        if needed.intersection(bound)
    ]
    return join_statements(parts)


def bound_names(node: ast.stmt) -> set[str]:
    """The names that a statement at the top of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    return {
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    }


def used_names(node: ast.stmt) -> set[str]:
    """The names that a statement mentions."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def statement_source(node: ast.stmt, lines: list[str], needed: set[str]) -> str:
    """A statement with the comment above it; of an import only what is needed."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        keep = [
            alias
            for alias in node.names
            if (alias.asname or alias.name.partition(".")[0]) in needed
        ]
        node.names = keep
        return ast.unparse(node)
    start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    while start > 1 and lines[start - 2].startswith("#"):
        start -= 1
    return "\n".join(lines[start - 1 : last_line(node)])


def join_statements(parts: list[tuple[ast.stmt, str]]) -> str:
    """Statements under each other, spaced as a formatter would."""
    text = parts[0][1]
    for (before, _), (node, source) in pairwise(parts):
        kinds = {type(before), type(node)}
        if kinds & {ast.FunctionDef, ast.ClassDef}:
            text += "\n\n\n"
        elif (
            kinds <= {ast.Import, ast.ImportFrom}
            or node.lineno == last_line(before) + 1
        ):
            text += "\n"
        else:
            text += "\n\n"
        text += source
    return text
