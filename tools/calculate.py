"""Arithmetic without running code: a few operators and functions over numbers, within bounds."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

from pydantic import Field

from tools.tool import ToolResult
from tools.typed import Arguments, BadArguments, TypedTool

#: Larger whole numbers and powers are refused: `9 ** 9 ** 9` must not fill the memory.
_BITS = 4096
_LONGEST = 500
#: Operators and brackets inside each other.
_DEEPEST = 40

Number = int | float


class Expression(Arguments):
    """What to calculate.

    Attributes:
        expression: such as `(12.5 - 3) * 2 / 7`, `sqrt(2)`, `round(pressure * 14.5038, 1)`.
        variables: numbers that the expression names.
    """

    expression: str = Field(min_length=1, max_length=_LONGEST, description="such as round(bar * 14.5038, 1)")
    variables: dict[str, float] = Field(
        default_factory=dict, max_length=50, description="numbers that the expression names"
    )


class Calculate(TypedTool[Expression]):
    """Evaluates an expression of numbers."""

    name = "calculate"
    description = (
        "Calculate with numbers: + - * / // % **, comparisons, sqrt, sin, log, round, min, max and the like."
    )
    arguments = Expression

    async def run(self, given: Expression) -> ToolResult:
        value = evaluate(given.expression, given.variables)
        return ToolResult(f"{given.expression} = {value}", {"value": value})


def evaluate(expression: str, variables: dict[str, float] | None = None) -> Number | bool:
    """The value of an expression.

    Raises:
        BadArguments: it is no expression of numbers, divides by zero, or its value is beyond the bounds.
    """
    import simpleeval

    names = _CONSTANTS | (variables or {})
    evaluator = simpleeval.SimpleEval(operators=_OPERATORS, functions=_FUNCTIONS, names=names)
    evaluator.nodes = {kind: handler for kind, handler in evaluator.nodes.items() if kind in _NODES}
    try:
        if _depth(ast.parse(expression.strip(), mode="eval")) > _DEEPEST:
            raise BadArguments(f"{expression!r} is nested too deeply", "calculate it in parts")
        value = evaluator.eval(expression.strip())
    except (simpleeval.InvalidExpression, SyntaxError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise BadArguments(
            f"{expression!r} cannot be calculated ({reason})",
            "use numbers, operators and the known functions",
        ) from error
    except (ArithmeticError, ValueError, RecursionError, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadArguments(f"{expression!r} has no value ({reason})", "check the numbers") from error
    return _bounded(value)


def _depth(node: ast.AST) -> int:
    deepest, level = 0, [node]
    while level:
        deepest += 1
        level = [child for one in level for child in ast.iter_child_nodes(one)]
    return deepest


def _bounded(value: Any) -> Number | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if value.bit_length() > _BITS:
            raise BadArguments(f"the value has more than {_BITS} bits", "use smaller numbers")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadArguments("the value is not finite", "check the numbers")
        return value
    raise BadArguments(f"the value is no number but {type(value).__name__}", "calculate with numbers only")


def _numbers(work: Callable[..., Any]) -> Callable[..., Number | bool]:
    """The operation with its operands and its value checked: a string times a number is not arithmetic."""

    def checked(*operands: Any) -> Number | bool:
        return _bounded(work(*map(_bounded, operands)))

    return checked


def _power(base: Number, exponent: Number) -> Number:
    if (
        isinstance(base, int)
        and isinstance(exponent, int)
        and abs(exponent) * max(1, base.bit_length()) > _BITS
    ):
        raise BadArguments(f"the power has more than {_BITS} bits", "use smaller numbers")
    value: Number | complex = base**exponent
    if isinstance(value, complex):
        raise BadArguments("the root of a negative number is no real number", "check the sign")
    return value


def _round(value: Number, digits: Number = 0) -> Number:
    return round(value, int(digits)) if digits else round(value)


_PLAIN_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: _power, ast.USub: operator.neg,
    ast.UAdd: operator.pos, ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_PLAIN_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs, "round": _round, "min": min, "max": max, "sqrt": math.sqrt, "exp": math.exp,
    "log": math.log, "log10": math.log10, "log2": math.log2, "sin": math.sin, "cos": math.cos,
    "tan": math.tan, "asin": math.asin, "acos": math.acos, "atan": math.atan, "atan2": math.atan2,
    "hypot": math.hypot, "degrees": math.degrees, "radians": math.radians, "floor": math.floor,
    "ceil": math.ceil,
}  # fmt: skip
_OPERATORS = {kind: _numbers(work) for kind, work in _PLAIN_OPERATORS.items()}
_FUNCTIONS = {name: _numbers(work) for name, work in _PLAIN_FUNCTIONS.items()}
_CONSTANTS = {"pi": math.pi, "e": math.e}
#: No strings, no attributes, no subscripts, no comprehensions: none of them is arithmetic.
_NODES = (ast.Expr, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Call, ast.Name, ast.Constant, ast.IfExp)
