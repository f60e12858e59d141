"""Arithmetic: right values, and bounds that no expression passes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.calculate import Calculate, evaluate
from tools.tool import Tool, Toolbox
from tools.typed import BadArguments


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(12.5 - 3) * 2 / 4", 4.75),
        ("round(6.4 * 14.5038, 1)", 92.8),
        ("2 ** 10 + 7 // 2 - 7 % 4", 1024),
        ("sqrt(2) == 2 ** 0.5", True),
        ("max(1, 2, 3) if 1 < 2 else 0", 3),
        ("round(2.5)", 2),
        ("sin(pi / 2)", 1.0),
        ("-bar * 100", -640.0),
    ],
)
def test_values(expression: str, value: float) -> None:
    assert evaluate(expression, {"bar": 6.4}) == value


_REFUSED = (
    "9 ** 9 ** 9", "9 ** 9999", "2.0 ** 99999", "10 ** 1000 * 10 ** 1000", "1 / 0", "(-1) ** 0.5",
    "'a' * 10 ** 9", "__import__('os')", "(1).__class__", "[x for x in (1,)]", "open('x')", "lambda: 1",
    "x = 1", "1 +", "f'{1}'", "print(1)", "max", "max()", "1 << 99999999", "(1, 2)", "unknown + 1",
    "sqrt(-1)", "sqrt('a')", "exp(9999)", "-" * 400 + "1", "1;2", "True + __builtins__",
    "abs(min)", "9" * 5000,
)  # fmt: skip


@pytest.mark.parametrize("expression", _REFUSED)
def test_what_is_no_bounded_arithmetic_is_refused(expression: str) -> None:
    with pytest.raises(BadArguments):
        evaluate(expression)


@given(st.text("0123456789+-*/%().e <>=,sqrtmaxpi", max_size=80))
def test_anything_gives_a_number_or_a_sentence(expression: str) -> None:
    try:
        value = evaluate(expression) if expression.strip() else 0
    except BadArguments as error:
        assert str(error)
    else:
        assert isinstance(value, int | float) and math.isfinite(value)


async def test_as_a_tool() -> None:
    tool = Calculate()
    assert isinstance(tool, Tool)
    box = Toolbox([tool])
    outcome = await box.call("calculate", {"expression": "bar * 2", "variables": {"bar": 3}})
    assert outcome.ok and outcome.data == {"text": "bar * 2 = 6.0", "data": {"value": 6.0}}
    wrong: list[Mapping[str, object]] = [{}, {"expression": ""}, {"expression": "1", "odd": 1}]
    for arguments in wrong:
        assert (await box.call("calculate", arguments)).reason == "invalid"
    failed = await box.call("calculate", {"expression": "1 / 0"})
    assert not failed.ok and "has no value" in failed.detail
