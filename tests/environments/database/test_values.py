"""Values, their order and their looks."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.environments.database.collation import collate, key, like
from tmbr.environments.database.values import Exact, Value, decode, encode, number, show_double

values = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4)
    | st.dates()
    | st.datetimes()
    | st.timedeltas()
    | st.text().map(Exact)
)


@given(values)
def test_a_value_survives_its_way_through_sqlite(value: Value) -> None:
    back = decode(encode(value))
    assert back == value
    assert type(back) is type(value)


@given(st.text(), st.text())
def test_texts_are_ordered_as_their_keys(a: str, b: str) -> None:
    assert collate(a, b) == -collate(b, a) == (key(a) > key(b)) - (key(a) < key(b))


@given(st.text(max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_a_text_is_like_its_pieces(text: str, a: int, b: int) -> None:
    a, b = sorted((a, b))
    safe = "".join(f"\\{c}" if c in "%_\\" else c for c in text[a:b])
    assert like(text, f"%{safe}%")
    assert like(text, "_" * len(text))
    assert not like(text, "_" * (len(text) + 1))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.1, "0.1"),
        (1e15, "1e15"),
        (1e14, "100000000000000"),
        (1e-5, "0.00001"),
        (2.0, "2"),
        (1.5e20, "1.5e20"),
    ],
)
def test_doubles_are_shown_as_mysql_shows_them(value: float, shown: str) -> None:
    assert show_double(value) == shown


def test_what_is_a_number() -> None:
    assert [number(v) for v in ("12abc", "", " 3.5", "1e2x", "-", None)] == [
        12.0,
        0.0,
        3.5,
        100.0,
        0.0,
        None,
    ]
    assert number(date(2001, 2, 3)) == 20010203
    assert number(datetime(2001, 2, 3, 4, 5, 6)) == 20010203040506
    assert number(timedelta(hours=1, minutes=2, seconds=3)) == 10203
    assert number(Decimal("1.50")) == Decimal("1.5")
