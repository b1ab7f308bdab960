"""All functions by MySQL's name: what it calls, how many arguments it takes, and of what kind it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import (
    encodings,
    kinds,
    numbers,
    operators,
    regular_expressions,
    strings,
    temporal,
    temporal_formats,
    weeks,
)
from . import json_functions as json
from .comparison import compare
from .values import Value

KindOf = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Function:
    """strict: NULL when any argument is NULL, without a call. most: None is no limit."""

    call: Callable[..., Value]
    fewest: int
    most: int | None
    kind: str | KindOf
    strict: bool = True


def coalesce(*options: Value) -> Value:
    return next((option for option in options if option is not None), None)


def nullif(value: Value, other: Value) -> Value:
    return None if compare(value, other) == 0 else value


def if_any(apply: Callable[..., Value]) -> Callable[..., Value]:
    """NULL in, NULL out, by the first argument."""

    def call(value: Value, *rest: Value) -> Value:
        return None if value is None else apply(value, *rest)

    return call


def is_null(value: Value) -> Value:
    return int(value is None)


def greatest(*options: Value, sign: int = 1) -> Value:
    best = options[0]
    for option in options[1:]:
        if (compare(option, best) or 0) * sign > 0:
            best = option
    return best


def _first(seen: Sequence[str]) -> str:
    return seen[0]


def _number_like(seen: Sequence[str]) -> str:
    kind = seen[0]
    return kind if kinds.digits(kind) is not None or kind == "any" else "double"


def _whole(seen: Sequence[str]) -> str:
    if kinds.exact(seen[0]):
        return "uint" if seen[0] == "uint" else "int"
    return "any" if seen[0] == "any" else "double.0"


_TEXT: dict[str, tuple[Any, int, int | None]] = {
    "concat": (strings.concat, 1, None), "left": (strings.left, 2, 2), "right": (strings.right, 2, 2),
    "substring": (strings.substring, 2, 3), "substr": (strings.substring, 2, 3),
    "mid": (strings.substring, 2, 3), "upper": (strings.upper, 1, 1), "ucase": (strings.upper, 1, 1),
    "lower": (strings.lower, 1, 1), "lcase": (strings.lower, 1, 1), "trim": (strings.trim, 1, 3),
    "ltrim": (strings.ltrim, 1, 1), "rtrim": (strings.rtrim, 1, 1),
    "replace": (strings.replace, 3, 3), "reverse": (strings.reverse, 1, 1),
    "lpad": (strings.lpad, 2, 3), "rpad": (strings.rpad, 2, 3), "repeat": (strings.repeat, 2, 2),
    "space": (strings.space, 1, 1), "substring_index": (strings.substring_index, 3, 3),
    "insert": (strings.insert, 4, 4), "hex": (encodings.hexed, 1, 1), "md5": (encodings.md5, 1, 1),
    "sha": (encodings.sha1, 1, 1), "sha1": (encodings.sha1, 1, 1), "sha2": (encodings.sha2, 2, 2),
    "format": (strings.formatted, 2, 3), "soundex": (strings.soundex, 1, 1),
    "regexp_replace": (regular_expressions.regexp_replace, 3, 6),
    "regexp_substr": (regular_expressions.regexp_substr, 2, 5),
    "conv": (encodings.convert_base, 3, 3),
    "bin": (partial(encodings.convert_base, old=10, new=2), 1, 1),
    "oct": (partial(encodings.convert_base, old=10, new=8), 1, 1),
    "date_format": (temporal_formats.date_format, 2, 2),
    "time_format": (temporal_formats.time_format, 2, 2),
    "dayname": (temporal.day_name, 1, 1), "monthname": (temporal.month_name, 1, 1),
    "to_base64": (encodings.to_base64, 1, 1), "make_set": (encodings.make_set, 2, None),
    "inet_ntoa": (encodings.address, 1, 1), "unhex": (encodings.unhex, 1, 1),
    "load_file": (strings.no_file, 1, 1),
}  # fmt: skip
_INT: dict[str, tuple[Any, int, int | None]] = {
    "length": (strings.length, 1, 1), "octet_length": (strings.length, 1, 1),
    "char_length": (strings.char_length, 1, 1), "character_length": (strings.char_length, 1, 1),
    "instr": (strings.instr, 2, 2), "locate": (strings.locate, 2, 3),
    "position": (strings.locate, 2, 2),
    "find_in_set": (strings.find_in_set, 2, 2), "ascii": (encodings.ascii_code, 1, 1),
    "ord": (encodings.ordinal, 1, 1), "strcmp": (strings.strcmp, 2, 2),
    "regexp_like": (regular_expressions.regexp_like, 2, 3),
    "regexp_instr": (regular_expressions.regexp_instr, 2, 6),
    "sign": (numbers.sign, 1, 1), "crc32": (numbers.crc32, 1, 1),
    "bit_count": (numbers.bit_count, 1, 1), "inet_aton": (encodings.address_number, 1, 1),
    "week": (weeks.week, 1, 2), "yearweek": (weeks.year_week, 1, 2),
    "period_add": (weeks.period_add, 2, 2), "period_diff": (weeks.period_diff, 2, 2),
    "sleep": (lambda _: 0, 1, 1), "benchmark": (lambda *_: 0, 2, 2),
    "datediff": (temporal.date_diff, 2, 2), "to_days": (temporal.to_days, 1, 1),
    "time_to_sec": (temporal.time_to_sec, 1, 1), "timestampdiff": (temporal.timestamp_diff, 3, 3),
    "unix_timestamp": (temporal.unix_timestamp, 0, 1),
}  # fmt: skip
_DOUBLE: dict[str, tuple[Any, int, int | None]] = {
    "pow": (numbers.power, 2, 2), "power": (numbers.power, 2, 2), "sqrt": (numbers.sqrt, 1, 1),
    "exp": (numbers.exp, 1, 1), "ln": (numbers.ln, 1, 1), "log": (numbers.log, 1, 2),
    "log2": (numbers.log2, 1, 1), "log10": (numbers.log10, 1, 1), "sin": (numbers.sin, 1, 1),
    "cos": (numbers.cos, 1, 1), "tan": (numbers.tan, 1, 1), "asin": (numbers.asin, 1, 1),
    "acos": (numbers.acos, 1, 1), "atan": (numbers.atan, 1, 2), "atan2": (numbers.atan, 2, 2),
    "cot": (numbers.cot, 1, 1), "degrees": (numbers.degrees, 1, 1),
    "radians": (numbers.radians, 1, 1), "pi": (numbers.pi, 0, 0),
}  # fmt: skip
_MOMENTS: dict[str, tuple[Any, int, int | None, str]] = {
    "date": (temporal.cast_date, 1, 1, "date"), "time": (temporal.cast_time, 1, 1, "time"),
    "timestamp": (temporal.timestamp, 1, 2, "datetime"),
    "last_day": (temporal.last_day, 1, 1, "date"),
    "from_days": (temporal.from_days, 1, 1, "date"), "makedate": (temporal.make_date, 2, 2, "date"),
    "now": (temporal.now, 0, 1, "datetime"), "sysdate": (temporal.now, 0, 1, "datetime"),
    "current_timestamp": (temporal.now, 0, 1, "datetime"),
    "localtime": (temporal.now, 0, 1, "datetime"), "localtimestamp": (temporal.now, 0, 1, "datetime"),
    "utc_timestamp": (temporal.now, 0, 1, "datetime"), "utc_date": (temporal.today, 0, 0, "date"),
    "curdate": (temporal.today, 0, 0, "date"), "current_date": (temporal.today, 0, 0, "date"),
    "curtime": (temporal.clock, 0, 1, "time"), "current_time": (temporal.clock, 0, 1, "time"),
    "addtime": (weeks.add_time, 2, 2, "any"),
    "subtime": (partial(weeks.add_time, sign=-1), 2, 2, "any"),
    "maketime": (weeks.make_time, 3, 3, "time"),
    "sec_to_time": (temporal.sec_to_time, 1, 1, "time"), "timediff": (temporal.time_diff, 2, 2, "time"),
    "from_unixtime": (temporal_formats.from_unixtime, 1, 2, "any"),
    "str_to_date": (temporal_formats.str_to_date, 2, 2, "any"),
}  # fmt: skip
_PARTS = {
    "year": "YEAR", "month": "MONTH", "day": "DAY", "dayofmonth": "DAY", "hour": "HOUR",
    "minute": "MINUTE", "second": "SECOND", "microsecond": "MICROSECOND", "quarter": "QUARTER",
    "dayofweek": "DAYOFWEEK", "weekday": "WEEKDAY", "dayofyear": "DAYOFYEAR",
    "weekofyear": "WEEKOFYEAR",
}  # fmt: skip

#: What the agent may call, by MySQL's name in lower case.
FUNCTIONS: dict[str, Function] = {
    **{name: Function(call, few, most, "text") for name, (call, few, most) in _TEXT.items()},
    **{name: Function(call, few, most, "int") for name, (call, few, most) in _INT.items()},
    **{name: Function(call, few, most, "double") for name, (call, few, most) in _DOUBLE.items()},
    **{name: Function(call, few, most, kind) for name, (call, few, most, kind) in _MOMENTS.items()},
    **{name: Function(partial(temporal.part, unit=unit), 1, 1, "int") for name, unit in _PARTS.items()},
    "concat_ws": Function(strings.concat_ws, 2, None, "text", strict=False),
    "field": Function(strings.field, 2, None, "int", strict=False),
    "char": Function(encodings.char, 1, None, "exact", strict=False),
    "from_base64": Function(encodings.from_base64, 1, 1, "exact"),
    "elt": Function(strings.elt, 2, None, "text", strict=False),
    "quote": Function(strings.quote, 1, 1, "text", strict=False),
    "coalesce": Function(coalesce, 1, None, kinds.merge, strict=False),
    "ifnull": Function(coalesce, 2, 2, kinds.merge, strict=False),
    "nullif": Function(nullif, 2, 2, _first, strict=False),
    "isnull": Function(is_null, 1, 1, "int", strict=False),
    "greatest": Function(greatest, 2, None, kinds.merge),
    "least": Function(partial(greatest, sign=-1), 2, None, kinds.merge),
    "abs": Function(numbers.absolute, 1, 1, _number_like),
    "ceil": Function(numbers.ceiling, 1, 1, _whole),
    "ceiling": Function(numbers.ceiling, 1, 1, _whole),
    "floor": Function(numbers.floor, 1, 1, _whole),
    "round": Function(numbers.rounded, 1, 2, _number_like),
    "truncate": Function(numbers.truncate, 2, 2, _number_like),
    "mod": Function(operators.mod, 2, 2, lambda seen: kinds.arithmetic("mod", *seen)),
    "json_extract": Function(json.extract, 2, None, "json"),
    "json_unquote": Function(json.unquote, 1, 1, "exact"),
    "json_quote": Function(json.quote, 1, 1, "text"),
    "json_valid": Function(json.valid, 1, 1, "int"),
    "json_type": Function(json.type_of, 1, 1, "text"),
    "json_length": Function(json.length, 1, 2, "int"),
    "json_depth": Function(json.depth_of, 1, 1, "int"),
    "json_keys": Function(json.keys, 1, 2, "json"),
    "json_contains": Function(json.contains, 2, 3, "int"),
    "json_contains_path": Function(json.contains_path, 3, None, "int"),
    "json_object": Function(json.new_object, 0, None, "json", strict=False),
    "json_array": Function(json.new_array, 0, None, "json", strict=False),
    "json_set": Function(json.set_, 3, None, "json", strict=False),
    "json_insert": Function(json.insert, 3, None, "json", strict=False),
    "json_replace": Function(json.replace, 3, None, "json", strict=False),
    "json_array_append": Function(json.array_append, 3, None, "json", strict=False),
    "json_remove": Function(json.remove, 2, None, "json"),
    "json_merge": Function(json.merge_preserve, 2, None, "json"),
    "json_merge_preserve": Function(json.merge_preserve, 2, None, "json"),
    "json_merge_patch": Function(json.merge_patch, 2, None, "json"),
    "json_value": Function(json.value_at, 2, 2, "text"),
    "rand": Function(numbers.random, 0, 1, "double", strict=False),
}
