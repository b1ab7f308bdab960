"""What the rewrite calls for operators, casts, conversions and subqueries."""

from __future__ import annotations

import marshal
from collections.abc import Callable

from . import (
    encodings,
    functions,
    json_functions,
    numbers,
    operators,
    regular_expressions,
    strings,
    temporal,
)
from .columns import store as _store
from .comparison import compare
from .errors import SqlError
from .running import statement
from .values import Value, decode, text

#: MySQL's `cte_max_recursion_depth`.
MAX_ROUNDS = 1000


def depth(value: Value) -> Value:
    """The next round of a recursion. Raises SqlError 3636 beyond MySQL's limit."""
    assert isinstance(value, int)
    if value >= MAX_ROUNDS:
        raise SqlError(3636)
    return value + 1


def _unpacked(packed: Value) -> list[list[Value]]:
    if packed is None:
        return []
    assert isinstance(packed, bytes)
    return [[decode(raw) for raw in row] for row in marshal.loads(packed)]


def in_rows(packed: Value, *wanted: Value) -> Value:
    """`(a, b) IN (SELECT …)` under three-valued logic."""
    unknown = False
    for row in _unpacked(packed):
        orders = [compare(a, b) for a, b in zip(wanted, row, strict=True)]
        if all(order == 0 for order in orders):
            return 1
        unknown |= all(order in (0, None) for order in orders)
    return None if unknown else 0


def quantified(test: Value, which: Value, value: Value, packed: Value) -> Value:
    """`value OP ANY (…)` and `value OP ALL (…)`"""
    apply = INTERNAL[str(test)]
    seen = [apply(value, row[0]) for row in _unpacked(packed)]
    if which == "any":
        return 1 if 1 in seen else None if None in seen else 0
    return 0 if 0 in seen else None if None in seen else 1


def store(value: Value, name: Value, *rule: Value) -> Value:
    made = _store(value, name, *rule)
    statement.stored[str(name)] = text(made) or ""
    return made


def variable(name: Value) -> Value:
    """`@name` as it is now."""
    found: Value = statement.variables.get(str(name))
    return found


def assign(name: Value, value: Value) -> Value:
    """`@name := value`"""
    statement.variables[str(name)] = value
    return value


INTERNAL: dict[str, Callable[..., Value]] = {
    "add": operators.add, "sub": operators.sub, "mul": operators.mul, "div": operators.div,
    "intdiv": operators.intdiv, "mod": operators.mod, "neg": operators.neg, "fix": operators.fix,
    "to_kind": operators.to_kind, "eq": operators.eq, "ne": operators.ne, "lt": operators.lt,
    "le": operators.le, "gt": operators.gt, "ge": operators.ge, "same": operators.same,
    "between": operators.between, "is_in": operators.is_in, "xor": operators.xor,
    "is_truth": operators.is_truth, "like": operators.like, "regexp": regular_expressions.regexp,
    "bit_and": operators.bit_and, "bit_or": operators.bit_or, "bit_xor": operators.bit_xor,
    "bit_not": operators.bit_not,
    "shift_left": operators.shift_left, "shift_right": operators.shift_right,
    "shift": temporal.shift, "part": temporal.part, "signed": numbers.cast_signed,
    "unsigned": numbers.cast_unsigned, "to_double": numbers.cast_double, "to_float": numbers.cast_float,
    "to_decimal": numbers.cast_decimal, "to_char": functions.if_any(strings.cast_char),
    "to_binary": functions.if_any(encodings.cast_binary), "to_date": temporal.cast_date,
    "to_datetime": temporal.cast_datetime, "to_time": temporal.cast_time,
    "to_exact": functions.if_any(strings.to_exact), "to_plain": functions.if_any(strings.to_plain),
    **{f"u{name}": apply for name, apply in operators.UNSIGNED.items()}, "shown": operators.shown,
    "depth": depth, "in_rows": in_rows, "quantified": quantified, "store": store,
    "as_json": json_functions.as_json, "arrow": json_functions.extract_text,
    "member_of": json_functions.member_of, "variable": variable, "assign": assign,
}  # fmt: skip
