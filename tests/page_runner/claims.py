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

    comparison: str
    sign: type[ast.cmpop]
    constant: tuple[bool, bool]  # whether a number was written down left, right

    def test(self, left: Any, right: Any) -> Any:
        """The value of the comparison."""
        return TESTS[self.sign][0](left, right)

    def room(self, left: Any, right: Any) -> "Room | None":
        """What is left until it fails; None for what is no number."""
        is_less = TESTS[self.sign][1]
        value = right if self.constant[0] else left
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
            is_bound=self.constant[0] != self.constant[1],
            is_below=is_less != self.constant[0],
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
        self._comparisons: list[list[Sign]] = []

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

    def add_comparison(self, node: ast.Compare) -> int:
        """Remember a comparison; its place in the list."""
        sides = [node.left, *node.comparators]
        constant = [_is_constant(side) for side in sides]
        text = ast.unparse(node)
        signs = [
            Sign(text, type(sign), beside)
            for sign, beside in zip(node.ops, pairwise(constant), strict=True)
        ]
        self._comparisons.append(signs)
        return len(self._comparisons) - 1

    def reached(self, line: int) -> None:
        """Called before an assert runs."""
        self.ran.setdefault(line, Claim(line)).runs += 1

    def judged(self, line: int, holds: object) -> None:
        """Called in place of an assert, with what it claims."""
        self.ran[line].holds &= bool(holds)

    def compared(self, line: int, place: int, *sides: Any) -> Any:
        """Called in place of a comparison; the value that it has."""
        result: Any = True
        for i, sign in enumerate(self._comparisons[place]):
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
        return [reached, _call("judged", node, line, self._measured(node.test))]

    def _measured(self, test: ast.expr) -> ast.expr:
        """What is claimed, with a note of each comparison that must hold for it."""
        match test:
            case ast.Compare(left, signs, others):
                if all(type(sign) in TESTS for sign in signs):
                    place = ast.Constant(self.claims.add_comparison(test))
                    line = ast.Constant(self.line)
                    call = _call("compared", test, line, place, left, *others)
                    return call.value
            case ast.BoolOp(ast.And(), values):
                test.values = [self._measured(value) for value in values]
            case ast.IfExp(_, body, orelse):
                test.body, test.orelse = self._measured(body), self._measured(orelse)
            case ast.Call(ast.Attribute(value, "all") as method, []):
                method.value = self._measured(value)
            case ast.Call(ast.Name("all"), [ast.GeneratorExp(elt) as each]):
                each.elt = self._measured(elt)
        return test


def _call(method: str, at: ast.stmt | ast.expr, *arguments: ast.expr) -> ast.Expr:
    """A call of one of our methods, as a statement in the place of another."""
    function = ast.Attribute(ast.Constant(PLACE), method, ast.Load())
    statement = ast.Expr(ast.Call(function, list(arguments), []))
    for node in (statement, statement.value, function, function.value):
        ast.copy_location(node, at)
    return statement


def _is_constant(node: ast.expr) -> bool:
    """Whether an expression is a number that was written down: `0.9`, `28 * 28`."""
    if isinstance(node, ast.UnaryOp):
        return _is_constant(node.operand)
    if isinstance(node, ast.BinOp):
        return _is_constant(node.left) and _is_constant(node.right)
    return isinstance(node, ast.Constant) and not isinstance(node.value, str | bytes)


def _flat(value: Any) -> list[float]:
    """A number, or an array of them on whatever device, as a list."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, list):
        return [float(value)]
    return [number for item in value for number in _flat(item)]
