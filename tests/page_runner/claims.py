"""What a page claims: its asserts, counted as they run, and measured where asked.

Each assert is preceded by a note that its line was reached, so that one that never
runs is seen. Measured, it becomes a note instead: whether it holds, and how much room
each of its comparisons leaves. It then stops nothing: one run judges all claims.
"""

import ast
import operator
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

PLACE = "\N{REPLACEMENT CHARACTER} claims"  # in code: a constant that becomes `Claims`

TESTS: dict[type[ast.cmpop], tuple[Callable[[Any, Any], Any], bool]] = {
    ast.Lt: (operator.lt, True),  # whether the left side has to be less
    ast.LtE: (operator.le, True),
    ast.Gt: (operator.gt, False),
    ast.GtE: (operator.ge, False),
}


@dataclass(frozen=True)
class Sign:
    """One sign of a comparison such as `0.2 < loss < 0.5`, which has two."""

    line: int  # of its assert
    comparison: str
    sign: type[ast.cmpop]
    numbers: tuple[Any, Any]  # that were written down left and right; else None

    @property
    def is_bound(self) -> bool:
        """Whether a number that was chosen stands on one side."""
        return (self.numbers[0] is None) != (self.numbers[1] is None)

    @property
    def bound(self) -> Any:
        """That number; None where there is none."""
        return self.numbers[self.numbers[0] is None] if self.is_bound else None

    @property
    def is_below(self) -> bool:
        """Whether the value has to be less than what it is compared with."""
        return TESTS[self.sign][1] != (self.numbers[0] is not None)

    def test(self, left: Any, right: Any) -> Any:
        """The value of the comparison."""
        return TESTS[self.sign][0](left, right)

    def admits(self, value: float) -> bool:
        """Whether a value is on the right side of the bound."""
        left, right = self.numbers
        sides = (value, right) if left is None else (left, value)
        return bool(self.test(*sides))

    def room(self, left: Any, right: Any) -> "Room | None":
        """What is left until it fails; None for what is no number."""
        is_less = TESTS[self.sign][1]
        value = left if self.numbers[0] is None else right
        try:
            rooms, values = (
                _flat(right - left if is_less else left - right),
                _flat(value),
            )
        except (TypeError, ValueError):
            return None
        if not rooms:
            return None
        least = min(range(len(rooms)), key=rooms.__getitem__)
        return Room(
            self.comparison,
            value=values[least if len(values) == len(rooms) else 0],
            room=rooms[least],
            is_bound=self.is_bound,
            is_below=self.is_below,
        )


@dataclass
class Room:
    """One comparison of a claim: its text, the value nearest to failing, its bound."""

    text: str
    value: float
    room: float  # to the bound; negative where the comparison fails
    is_bound: bool  # whether a number that was chosen stands on one side
    is_below: bool  # whether the value has to be less


@dataclass
class Claim:
    """One assert, over all the times that it ran."""

    line: int
    runs: int = 0
    holds: bool = True
    rooms: dict[tuple[int, int], Room] = field(default_factory=dict)  # by its place


class Claims:
    """The claims of a page: those that it has, and those that ran."""

    def __init__(self, measure: bool) -> None:
        self.measure = measure
        self.written: list[int] = []  # lines
        self.ran: dict[int, Claim] = {}
        self.comparisons: list[list[Sign]] = []  # measured ones, by their place

    def instrument(self, tree: ast.Module) -> ast.Module:
        """The same code, whose asserts tell us of themselves once it is bound."""
        instrumented = _Instrument(self).visit(tree)
        return ast.fix_missing_locations(instrumented)

    def bind(self, code: types.CodeType) -> types.CodeType:
        """What was compiled from instrumented code, calling on us.

        We are a constant in it: no name of ours is in the page's world.
        """
        constants = [
            self.bind(constant)
            if isinstance(constant, types.CodeType)
            else self
            if isinstance(constant, str) and constant == PLACE
            else constant
            for constant in code.co_consts
        ]
        return code.replace(co_consts=tuple(constants))

    def never_ran(self) -> list[int]:
        """Lines of the asserts that were not reached."""
        return [line for line in self.written if line not in self.ran]

    def add_comparison(self, line: int, node: ast.Compare) -> int:
        """Remember a comparison of an assert; its place in the list."""
        numbers = [_number(side) for side in (node.left, *node.comparators)]
        text = ast.unparse(node)
        signs = [
            Sign(line, text, type(sign), beside)
            for sign, beside in zip(node.ops, pairwise(numbers), strict=True)
        ]
        self.comparisons.append(signs)
        return len(self.comparisons) - 1

    def reached(self, line: int) -> None:
        """Called before an assert runs."""
        self.ran.setdefault(line, Claim(line)).runs += 1

    def judged(self, line: int, holds: object) -> None:
        """Called in place of an assert, with what it claims."""
        self.ran[line].holds &= bool(holds)

    def compared(self, line: int, place: int, *sides: Any) -> Any:
        """Called in place of a comparison; the value that it has."""
        result: Any = True
        for i, sign in enumerate(self.comparisons[place]):
            left, right = sides[i], sides[i + 1]
            if room := sign.room(left, right):
                noted = self.ran[line].rooms.setdefault((place, i), room)
                if room.room < noted.room:
                    self.ran[line].rooms[place, i] = room
            result = sign.test(left, right)
            if len(sides) > 2 and not result:
                return result
        return result


class _Instrument(ast.NodeTransformer):
    def __init__(self, claims: Claims) -> None:
        self.claims = claims
        self.line = 0  # of the assert that is visited; 0 outside

    def visit_Expr(self, node: ast.Expr) -> Any:
        """A call of `torch.testing.assert_close` and its like is a claim, too."""
        function = node.value.func if isinstance(node.value, ast.Call) else None
        name = getattr(function, "attr", getattr(function, "id", ""))
        if not name.startswith("assert_"):
            return node
        self.claims.written.append(node.lineno)
        return [_call("reached", node, ast.Constant(node.lineno)), node]

    def visit_Assert(self, node: ast.Assert) -> Any:
        self.claims.written.append(node.lineno)
        line = ast.Constant(node.lineno)
        reached = _call("reached", node, line)
        if not self.claims.measure:
            return [reached, node]
        self.line = node.lineno
        claimed = _replaced(node.test, self._noted)
        return [reached, _call("judged", node, line, claimed)]

    def _noted(self, test: ast.Compare) -> ast.expr:
        """A comparison, made by a call that notes it."""
        place = ast.Constant(self.claims.add_comparison(self.line, test))
        sides = test.left, *test.comparators
        return _call("compared", test, ast.Constant(self.line), place, *sides).value


class _Unbound(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        node.test = _replaced(node.test, self._unbound)
        return node

    def _unbound(self, test: ast.Compare) -> ast.Compare:
        sides = [test.left, *test.comparators]
        numbers = [_number(side) for side in sides]
        for i, number in enumerate(numbers):
            beside = numbers[max(i - 1, 0) : i] + numbers[i + 1 : i + 2]
            if number is not None and None in beside:
                sides[i] = ast.Constant(0)
        test.left, *test.comparators = sides
        return test


def without_bounds(source: str) -> str:
    """Code without comments, with 0 for each number that bounds what is claimed.

    What it computes and compares does not depend on them: two pages of which only
    these differ can be judged by the same runs.
    """
    return ast.unparse(_Unbound().visit(ast.parse(source)))


def _replaced(test: ast.expr, replace: Callable[[ast.Compare], ast.expr]) -> ast.expr:
    """What is claimed, with another node for each comparison that must hold for it."""
    match test:
        case ast.Compare(ops=signs):
            if all(type(sign) in TESTS for sign in signs):
                return replace(test)
        case ast.BoolOp(ast.And(), values):
            test.values = [_replaced(value, replace) for value in values]
        case ast.IfExp(_, body, orelse):
            test.body, test.orelse = (
                _replaced(body, replace),
                _replaced(orelse, replace),
            )
        case ast.Call(ast.Attribute(value, "all") as method, []):
            method.value = _replaced(value, replace)
        case ast.Call(ast.Name("all"), [ast.GeneratorExp(elt) as each]):
            each.elt = _replaced(elt, replace)
    return test


def _call(method: str, at: ast.stmt | ast.expr, *arguments: ast.expr) -> ast.Expr:
    """A call of one of our methods, as a statement in the place of another."""
    function = ast.Attribute(ast.Constant(PLACE), method, ast.Load())
    statement = ast.Expr(ast.Call(function, list(arguments), []))
    for node in (statement, statement.value, function, function.value):
        ast.copy_location(node, at)
    return statement


def _number(node: ast.expr) -> Any:
    """The number that an expression was written down as, `0.9`, `28 * 28`, or None."""
    is_plain = all(
        isinstance(part, ast.Constant | ast.UnaryOp | ast.BinOp)
        for part in ast.walk(node)
        if isinstance(part, ast.expr)
    )
    if not is_plain:
        return None
    try:
        value = eval(compile(ast.Expression(node), "bound", "eval"), {})
    except (ArithmeticError, TypeError):  # for the page to raise, once it gets there
        return None
    return value if isinstance(value, int | float) else None


def _flat(value: Any) -> list[float]:
    """A number, or an array of them on whatever device, as a list."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, list):
        return [float(value)]
    return [number for item in value for number in _flat(item)]
