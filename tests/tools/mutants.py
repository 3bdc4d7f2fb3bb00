"""Is a page that is broken noticed? By hand:

    nox -s mutants                   eight mutants of every page
    nox -s mutants -- --each 2 14_   two of each page whose name contains `14_`
    nox -s mutants -- --shorter 3    those of pages whose last run took less than 3 s

A mutant is a page with one mistake of the kind that people make. It is noticed if it
fails as any page does: an error, an assert, a warning, a number, a word, a figure. Of
all mutants 95 % have to be. Those that nothing notices are listed, with the reason that
`tests/tools/unnoticed.yml` gives. (On the method: DeMillo, Lipton and Sayward, "Hints
on test data selection", 1978.)
"""

import argparse
import ast
import datetime
import hashlib
import json
import math
import os
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from pathlib import Path

import yaml

from page_runner import expected as recorded
from page_runner import store
from page_runner.execute import processor
from page_runner.judge import judge
from page_runner.pool import PageDied, PagePool
from page_runner.run import Run
from page_runner.script import Page, find_pages, parse
from page_runner.seconds import read_seconds

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "measured" / "mutants.json"
REASONS = Path(__file__).with_name("unnoticed.yml")
EACH = 8  # mutants of a page
ENOUGH = 0.95  # of the mutants, noticed
PATIENCE = 4  # times a page's own seconds that its mutant may take
START = 30.0  # seconds more

LOSSES = {
    "BCELoss": "MSELoss",
    "BCEWithLogitsLoss": "MSELoss",
    "CrossEntropyLoss": "MultiMarginLoss",
    "MSELoss": "L1Loss",
    "MultiLabelSoftMarginLoss": "MSELoss",
    "binary_cross_entropy": "mse_loss",
    "binary_cross_entropy_with_logits": "mse_loss",
    "cross_entropy": "multi_margin_loss",
    "mse_loss": "l1_loss",
}
OPTIMIZERS = {"Adam": "Adamax", "AdamW": "NAdam", "RMSprop": "Adagrad", "SGD": "Rprop"}
ACTIVATIONS = {"ReLU", "Sigmoid", "Tanh", "Softmax"}
FUNCTIONS = {"relu", "sigmoid", "tanh", "softmax", "log_softmax"}
DRAWING = {"bar", "barh", "contour", "contourf", "hist", "imshow", "loglog", "plot"}
DRAWING |= {"scatter", "semilogx", "semilogy", "step"}
STEPS = {"zero_grad": "zero_grad", "zero_": "zero_grad", "backward": "backward"}
STEPS |= {"step": "step"}

LITERAL = {"full", "ones", "tensor", "zeros"}  # what makes up labels

# Whose order of arguments, or whose constants, nobody can see.
SYMMETRIC = {"add", "allclose", "assert_close", "equal", "isclose", "max", "min"}
SYMMETRIC |= {"print", "shares_memory", "zip"}
UNSEEN_ARGUMENTS = {"alpha", "figsize", "fontsize", "linewidth", "markersize", "size"}
UNSEEN_ARGUMENTS |= {"num_workers", "rtol", "atol", "rel_tol", "width", "ms", "pad"}
UNSEEN_CALLS = {"manual_seed", "default_rng", "seed", "Generator", "subplots", "figure"}


@dataclass(frozen=True)
class Mutant:
    """One mistake: which kind, and what stands in the place of which piece of code."""

    page: str
    line: int
    kind: str
    old: str
    new: str
    start: int  # in bytes of the script
    end: int

    @property
    def change(self) -> str:
        """The mistake, as it is listed."""
        return f"{self.old} → {self.new}"

    def rank(self) -> str:
        """By which it is chosen: any fixed order that follows nothing."""
        return hashlib.sha256(
            f"{self.page} {self.kind} {self.change}".encode()
        ).hexdigest()


class Finder(ast.NodeVisitor):
    """Finds where a page can be broken."""

    def __init__(self, page: str, source: bytes) -> None:
        self.page, self.source = page, source
        self.found: list[Mutant] = []
        lines = source.splitlines(keepends=True)
        self.starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
        self.tree = ast.parse(source)
        self.visit(self.tree)

    def text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self.source[start:end].decode()

    def add(self, kind: str, node: ast.AST, new: str) -> None:
        """Note that `node` could be replaced."""
        start, end = self._span(node)
        line = self.source[:start].count(b"\n") + 1
        old = self.text(node)
        if old != new:
            self.found.append(Mutant(self.page, line, kind, old, new, start, end))

    def _span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.starts[node.lineno - 1] + node.col_offset
        return start, self.starts[node.end_lineno - 1] + node.end_col_offset

    def visit_Import(self, node: ast.Import) -> None:
        pass

    visit_ImportFrom = visit_Assert = visit_JoinedStr = visit_Import  # type: ignore

    def visit_Expr(self, node: ast.Expr) -> None:
        name = _called(node.value)
        if kind := STEPS.get(name):
            self.add(f"{kind} dropped", node, "pass")
        if name in DRAWING:
            self.add("not drawn", node, "pass")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        name = getattr(target, "id", getattr(target, "attr", ""))
        if "rate" in name.split("_") and _number(node.value) is not None:
            self._rates(node.value)
        elif name == "grad" and isinstance(node.value, ast.Constant):
            self.add("zero_grad dropped", node, "pass")
        else:
            self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg in UNSEEN_ARGUMENTS:
            return
        if (
            node.arg in ("lr", "max_lr", "learning_rate")
            and _number(node.value) is not None
        ):
            self._rates(node.value)
        elif node.arg == "dim" and isinstance(node.value, ast.Constant):
            self.add("other dim", node.value, "0" if node.value.value else "1")
        else:
            self.generic_visit(node)

    def _rates(self, node: ast.expr) -> None:
        value = _number(node)
        assert value is not None
        for kind, factor in [("times 3", 3), ("by 3", 1 / 3), ("10 % off", 1.1)]:
            self.add(f"rate {kind}", node, f"{value * factor:.4g}")

    def visit_Call(self, node: ast.Call) -> None:
        name = _called(node)
        if name in UNSEEN_CALLS:
            return
        function, arguments = node.func, node.args
        if isinstance(function, ast.Attribute):
            owner = self.text(function.value)
            for kind, others in [("loss", LOSSES), ("optimizer", OPTIMIZERS)]:
                if name in others:
                    self.add(f"{kind} swapped", function, f"{owner}.{others[name]}")
            if name in ACTIVATIONS and not arguments:
                self.add("activation gone", node, f"{owner}.Identity()")
            if name in FUNCTIONS:
                self.add("activation gone", node, self.text(_first(node, function)))
        if name in LOSSES or name in ("criterion", "loss_function"):
            if len(arguments) == 2 and not self._is_made_up(arguments[1]):
                self.add(
                    "labels shuffled",
                    arguments[1],
                    f"({self.text(arguments[1])}).roll(1, 0)",
                )
        elif name == "Sequential" and arguments and _called(arguments[-1]) == "Linear":
            last = self.text(arguments[-1])
            self.add(
                "ReLU on logits", arguments[-1], f"{last}, {_owner(function)}ReLU()"
            )
        elif name == "range" and len(arguments) == 1:
            self.add("off by one", arguments[0], f"{self.text(arguments[0])} + 1")
        elif name in DRAWING:
            self._draw(arguments)
        elif len(arguments) >= 2 and name not in SYMMETRIC:
            first, second = self.text(arguments[0]), self.text(arguments[1])
            if not any(isinstance(argument, ast.Starred) for argument in arguments):
                both = ast.copy_location(ast.Tuple(arguments[:2]), arguments[0])
                both.end_lineno = arguments[1].end_lineno
                both.end_col_offset = arguments[1].end_col_offset
                self.add("arguments swapped", both, f"{second}, {first}")
        self.generic_visit(node)

    def _is_made_up(self, labels: ast.expr) -> bool:
        """Whether labels are a literal, or all the same: their order says nothing."""
        if isinstance(labels, ast.Name):
            values = [
                node.value
                for node in ast.walk(self.tree)
                if isinstance(node, ast.Assign)
                for target in node.targets
                if labels.id in ast.unparse(target).strip("()").split(", ")
            ]
            return any(_called(part) in LITERAL for v in values for part in ast.walk(v))
        return _called(labels) in LITERAL

    def _draw(self, arguments: list[ast.expr]) -> None:
        """A figure of another array: its own abscissa, or itself backwards."""
        shown = [a for a in arguments if not isinstance(a, ast.Starred | ast.Constant)]
        if len(shown) >= 2:
            self.add("other array drawn", shown[1], self.text(shown[0]))
        elif shown and len(shown) == len(arguments):
            self.add("other array drawn", shown[0], f"({self.text(shown[0])})[::-1]")

    def visit_Subscript(self, node: ast.Subscript) -> None:
        match node.slice:
            case ast.Slice(None, ast.expr() as upper, None):
                self.add("other split", node.slice, f"{self.text(upper)}:")
            case ast.Slice(ast.expr() as lower, None, None):
                self.add("other split", node.slice, f":{self.text(lower)}")
            case ast.Constant(int() as value):
                self.add("off by one", node.slice, f"{value + 1}")
        self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = _number(node)
        if value is not None:
            new = f"{value + 1}" if isinstance(value, int) else f"{value * 1.1:.4g}"
            self.add("constant changed", node, new)


def _called(node: ast.AST) -> str:
    """The last name of what an expression calls; nothing if it is no call."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", ""))


def _owner(function: ast.expr) -> str:
    is_attribute = isinstance(function, ast.Attribute)
    return f"{ast.unparse(function.value)}." if is_attribute else ""  # type: ignore


def _first(node: ast.Call, function: ast.Attribute) -> ast.expr:
    """What an activation is applied to: its argument, or the object of its method."""
    return node.args[0] if node.args else function.value


def _number(node: ast.expr) -> int | float | None:
    """The number that a constant is; None for anything else."""
    value = node.value if isinstance(node, ast.Constant) else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None  # type: ignore[return-value]


def choose(page: str, source: bytes, number: int) -> list[Mutant]:
    """Some mutants of a page, always the same: of each kind one, then a second."""
    found = {(one.start, one.end, one.new): one for one in Finder(page, source).found}
    by_kind: dict[str, list[Mutant]] = {}
    for mutant in sorted(found.values(), key=Mutant.rank):
        by_kind.setdefault(mutant.kind, []).append(mutant)
    rounds = zip_longest(*sorted(by_kind.values(), key=lambda found: found[0].rank()))
    chosen = [mutant for together in rounds for mutant in together if mutant]
    return chosen[:number]


def plant(folder: Path, script: Path, mutant: Mutant, limit: float) -> Page:
    """The broken page, in a folder of its own, beside what it loads data with."""
    folder.mkdir(parents=True)
    shutil.copy(script.with_name("load.py"), folder)
    source = script.read_bytes()
    broken = folder / script.name
    broken.write_bytes(
        source[: mutant.start] + mutant.new.encode() + source[mutant.end :]
    )
    page = parse(broken)
    return replace(page, header=replace(page.header, time_limit=limit))


def what_noticed(page: Page, future: "Future[Run]") -> str:
    """The first thing that is wrong with a broken page; nothing, if nothing is."""
    try:
        run = future.result()
    except PageDied as died:
        return f"{page.path.name}:{died.line}: {died.message}"
    original = ROOT / "snippets" / page.path.name
    problems = judge(page, run, recorded.read(store.expected_path(original)), "cpu")
    return problems.problems[0] if problems.problems else ""


def how(problem: str) -> str:
    """What kind of check noticed a mutant."""
    for words, name in [
        ("a claim of the page does not hold", "assert"),
        (": printed ", "number or word"),
        (": drew ", "figure"),
        (": wrote to stderr", "number or word"),
        (": raised ", "warning"),
        ("time limit", "time limit"),
    ]:
        if words in problem:
            return name
    return "error"


def main() -> None:
    """Break pages, print what noticed each mutant, and count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=EACH, help="mutants of each page")
    parser.add_argument("--shorter", type=float, default=math.inf, help="seconds")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    reasons = yaml.safe_load(REASONS.read_text(encoding="utf-8")) or {}
    listed = []
    with tempfile.TemporaryDirectory() as temporary:
        pool = PagePool("cpu", store.data_root())
        with pool:
            started: list[tuple[Mutant, Page, Future[Run]]] = []
            for script in find_pages(ROOT / "snippets"):
                if asked.names and not any(n in script.stem for n in asked.names):
                    continue
                if (seconds := _seconds(script)) >= asked.shorter:
                    continue
                limit = START + PATIENCE * seconds
                mutants = choose(script.stem, script.read_bytes(), asked.each)
                for i, mutant in enumerate(mutants):
                    folder = Path(temporary, script.stem, str(i))
                    page = plant(folder, script, mutant, limit)
                    started.append((mutant, page, pool.submit(page)))
            for mutant, page, future in started:
                problem = what_noticed(page, future)
                reason = reasons.get(mutant.page, {}).get(mutant.change, "")
                by = how(problem) if problem else "NOT NOTICED"
                place = f"{mutant.page}.py:{mutant.line}"
                print(f"{place}: {mutant.kind}: {mutant.change}: {by}", flush=True)
                if not problem:
                    print(f"    {reason or 'no reason is given'}", flush=True)
                kept = {
                    name: value
                    for name, value in asdict(mutant).items()
                    if name not in ("start", "end")
                }
                listed.append({**kept, "by": by, "reason": reason})
    sys.exit(report(listed, keep=asked.each == EACH))


def report(listed: list[dict], keep: bool) -> bool:
    """Print the counts, keep them for the site; whether too few were noticed."""
    if not listed:
        sys.exit("no page with such a name, or so short, has anything to break")
    count = Counter(one["by"] for one in listed)
    missed = count.pop("NOT NOTICED", 0)
    share = 1 - missed / len(listed)
    kinds = ", ".join(f"{number} by {by}" for by, number in count.most_common())
    print(f"{len(listed)} mutants, {share:.1%} noticed: {kinds}; {missed} not")
    unexplained = sum(
        one["by"] == "NOT NOTICED" and not one["reason"] for one in listed
    )
    if unexplained:
        print(f"{unexplained} of them without a reason in {REASONS.name}")
    if keep:
        write_table(listed)
    return share < ENOUGH or bool(unexplained)


def write_table(listed: list[dict]) -> None:
    """Keep what became of the mutants of some pages for the site, beside the others.

    Those of other pages are kept, with their own date and machine, if they could be
    made today: a page may have changed.
    """
    table = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else []
    run = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{processor()}, {os.cpu_count()} cores",
    }
    new = {one["page"] for one in listed}
    there = {
        (mutant.page, mutant.line, mutant.old, mutant.new)
        for script in find_pages(ROOT / "snippets")
        if script.stem not in new
        for mutant in choose(script.stem, script.read_bytes(), EACH)
    }
    kept = [
        one
        for one in table
        if (one["page"], one["line"], one["old"], one["new"]) in there
    ]
    listed = [{**one, **run} for one in listed]
    table = sorted([*kept, *listed], key=lambda one: one["page"])
    text = json.dumps(table, indent=1, ensure_ascii=False)
    store.write_whole(TABLE, f"{text}\n")


def _seconds(script: Path) -> float:
    """What a page's last run took, or else the recorded one, or else a guess."""
    if stored := store.read(script):
        return stored.metadata.run.seconds
    return read_seconds(script.parent).get(script.stem, 60.0)


if __name__ == "__main__":
    main()
