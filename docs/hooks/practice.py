"""A lesson to practise on: its exercises without their solutions, each with a check.

An exercise is a run of solutions that follow each other. Its check is made of the
asserts at the top level of their code. Those of its names that the solution binds, the
reader's code must bind.
"""

import ast
import inspect
import symtable
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import nbformat
from nbformat import NotebookNode

import checking
from downloads import FOLDED, runnable_notebook
from prose import Link

WIDTH = 88
COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}  # for symtable
HOW_TO = (
    "To practise: run the cells from the top, write your code into the empty cell of "
    "each exercise, and run it and the folded check after it, which says what is still "
    "to do."
)


@dataclass(frozen=True)
class Exercise:
    """One exercise of a page: the code of its solution, and the code around it."""

    solution: str
    before: str  # with the solutions of other exercises, as what comes after
    after: str
    known: frozenset[str]  # names that the page has bound by then, without solutions

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """The solution's code."""
        return ast.parse(self.solution).body

    @cached_property
    def claims(self) -> list[str]:
        """What the check claims: the asserts at the top level, taken apart at `and`."""
        asserts = [node for node in self.statements if isinstance(node, ast.Assert)]
        return [self._text(part) for node in asserts for part in conjuncts(node.test)]

    def _text(self, node: ast.expr) -> str:
        """Code as it is written; over several lines, as Python writes it in one."""
        text = ast.get_source_segment(self.solution, node) or ""
        return ast.unparse(node) if "\n" in text else text

    @cached_property
    def names(self) -> list[str]:
        """What the check looks at, and the reader's code must give."""
        looked_at = reads("\n".join(self.claims))
        return [name for name in binds(self.solution) if name in looked_at]

    @cached_property
    def emptied(self) -> list[str]:
        """Those names that may be `...` before the reader's code.

        Not one whose old value is still wanted: by the solution itself, by a function
        of the page, or by later code. The check of an empty cell fails by these names.
        """
        bound = binds(self.before)
        in_functions = reads_in_functions(self.before)
        return [
            name
            for name in self.names
            if not reads_old_value(self.statements, name)
            if name not in bound
            or (
                name not in in_functions
                and not reads_old_value(ast.parse(self.after).body, name)
            )
        ]

    @property
    def borrowed(self) -> list[str]:
        """Names of the check that only the solution of another exercise binds."""
        there = {*binds(self.solution), *self.known}
        elsewhere = {*binds(self.before)} - there
        return sorted(reads("\n".join(self.claims)) & elsewhere)

    @property
    def lost(self) -> list[int]:
        """Lines of asserts that stand in a block, where no check is made of them."""
        inner = {
            node.lineno
            for node in ast.walk(ast.parse(self.solution))
            if isinstance(node, ast.Assert)
        }
        return sorted(inner - {node.lineno for node in self.statements})

    def empty_cell(self) -> str:
        """The cell for the reader's code."""
        if not self.claims:
            return "# Your code."
        shown = ", ".join(self._signature(name) for name in self.names)
        comment = textwrap.fill(
            f"# Your code. The check below looks at: {shown}",
            WIDTH,
            subsequent_indent="# ",
        )
        return "\n".join([comment, *(f"{name} = ..." for name in self.emptied)])

    def _signature(self, name: str) -> str:
        """A name; that of a function with its arguments."""
        for node in self.statements:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return f"{name}({ast.unparse(node.args)})"
        return name

    def check_cell(self) -> str:
        """The cell that says whether the reader's code does what is asked."""
        names = ", ".join(map(quoted, self.names))
        arguments = [f"[{names}]", *map(quoted, self.claims)]
        lines = "".join(f"    {argument},\n" for argument in arguments)
        return f"# Run this after your code.\ncheck_exercise(\n{lines})"


def practice_notebook(
    notebook: NotebookNode,
    helper: str,
    link: Callable[[Link], str],
    reading: Sequence[str] = (),
) -> str:
    """A lesson as a notebook file without outputs, to solve its exercises in."""
    tools = nbformat.v4.new_code_cell(
        inspect.getsource(checking), id="checking", metadata=FOLDED
    )
    cells = [nbformat.v4.new_markdown_cell(HOW_TO, id="how-to"), tools]
    number = 0
    for part in parts(notebook.cells):
        if isinstance(part, Exercise):
            number += 1
            cells += exercise_cells(part, number)
        else:
            cells.append(without_outputs(part))
    practice = nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)
    return runnable_notebook(practice, helper, link, reading)


def exercise_cells(exercise: Exercise, number: int) -> list[NotebookNode]:
    """A cell for the reader's code, and one that checks it, if there is a check."""
    place = nbformat.v4.new_code_cell(
        exercise.empty_cell(), id=f"exercise-{number}", metadata={"tags": ["exercise"]}
    )
    check = nbformat.v4.new_code_cell(
        exercise.check_cell(),
        id=f"check-{number}",
        metadata={**FOLDED, "tags": ["check"]},  # folded: it may tell the answer
    )
    return [place, check] if exercise.claims else [place]


def without_outputs(cell: NotebookNode) -> NotebookNode:
    """A cell as nobody has run it."""
    cell = cell.copy()
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
        cell.metadata = NotebookNode(cell.metadata)
        cell.metadata.pop("margins", None)
    return cell


def exercises(cells: list[NotebookNode]) -> list[Exercise]:
    """The exercises of a page."""
    return [part for part in parts(cells) if isinstance(part, Exercise)]


def parts(cells: list[NotebookNode]) -> Iterator[NotebookNode | Exercise]:
    """A page's cells in their order, each exercise in the place of its solutions."""
    place, before, known = 0, "", ""
    for is_solution, group in groupby(cells, is_a_solution):
        members = list(group)
        place += len(members)
        code = code_of(members)
        if is_solution:
            after = code_of(cells[place:])
            yield Exercise(code, before, after, frozenset(binds(known)))
        else:
            yield from members
            known += code
        before += code


def is_a_solution(cell: NotebookNode) -> bool:
    """Whether a cell is part of the solution of an exercise."""
    return "solution" in cell.metadata.get("tags", [])


def code_of(cells: list[NotebookNode]) -> str:
    """The code of cells, one after the other."""
    return "".join(f"{cell.source}\n" for cell in cells if cell.cell_type == "code")


def conjuncts(test: ast.expr) -> list[ast.expr]:
    """The parts of `a and b`; of any other condition, itself."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return test.values
    return [test]


def quoted(text: str) -> str:
    """A text as a string of Python, in double quotes where that is plain."""
    return repr(text) if '"' in text or "\\" in text else f'"{text}"'


def binds(code: str) -> list[str]:
    """The names that code binds at its top level, in the order of its lines."""
    table = symtable.symtable(code, "code", "exec")
    return [
        name.get_name()
        for name in table.get_symbols()
        if name.is_assigned() or name.is_imported() or name.is_namespace()
    ]


def reads(code: str) -> set[str]:
    """The names of the top level that code reads, in functions as well."""
    table = symtable.symtable(code, "code", "exec")
    here = {name.get_name() for name in table.get_symbols() if name.is_referenced()}
    return here | inner_reads(table, at_once=True)


def reads_in_functions(code: str) -> set[str]:
    """The names of the top level that its functions and classes read."""
    return inner_reads(symtable.symtable(code, "code", "exec"), at_once=False)


def inner_reads(table: symtable.SymbolTable, at_once: bool) -> set[str]:
    """The names of the top level that are read further in.

    at_once: in comprehensions, too, which run where they stand.
    """
    found = set()
    for inner in table.get_children():
        found |= inner_reads(inner, at_once)
        if at_once or inner.get_name() not in COMPREHENSIONS:
            names = inner.get_symbols()
            found |= {
                n.get_name() for n in names if n.is_global() and n.is_referenced()
            }
    return found


def reads_old_value(statements: Sequence[ast.stmt], name: str) -> bool:
    """Whether code reads a name before it binds it; if in doubt, it does."""
    for step in steps(statements):
        is_own_definition = (
            isinstance(step, ast.FunctionDef | ast.ClassDef) and step.name == name
        )
        is_changed = isinstance(step, ast.AugAssign) and name in binds(
            ast.unparse(step.target) + " = 0"
        )
        code = ast.unparse(step)
        if is_own_definition:
            return False
        if is_changed or name in reads(code):
            return True
        if name in binds(code):
            return False
    return False


def steps(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements in the order in which they run; of a block, first what is above it."""
    for node in statements:
        match node:
            case ast.For():
                yield ast.For(node.target, node.iter, [ast.Pass()], [], lineno=0)
            case ast.While() | ast.If():
                yield ast.Expr(node.test)
            case ast.With():
                yield ast.With(node.items, [ast.Pass()], lineno=0)
            case ast.Try():
                pass
            case _:
                yield node
                continue
        yield from steps(node.body)
        for handler in getattr(node, "handlers", []):
            yield from steps(handler.body)
        yield from steps(getattr(node, "orelse", []))
        yield from steps(getattr(node, "finalbody", []))
