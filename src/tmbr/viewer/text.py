"""From any text to text that a page may carry, and from numbers to what a reader sees.

Model and world text is data: it is made visible, never obeyed. Escaping itself is Jinja's; here is
what escaping does not do.
"""

from __future__ import annotations

import re

from markupsafe import Markup

#: What would act on its neighbours, or on the reader, without being seen: control, bidi, zero-width.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_UNPAIRED = re.compile("[\ud800-\udfff\ufffe\uffff]")


def visible(value: object) -> object:
    """Strings in which what cannot be seen is named, as ⟨U+202E⟩, and None as nothing.

    Used as Jinja's `finalize`, so every expression of the template passes here before it is escaped.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return "" if value is None else value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    text = _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)
    return _UNPAIRED.sub("\ufffd", text)


def clip(text: str, limit: int) -> str:
    """At most about `limit` characters, mostly of the beginning, and how many there were between."""
    text = text.strip()
    if len(text) <= limit:
        return text
    head, tail = limit - limit // 4, limit // 4
    between = f" … [{len(text) - limit:,} characters] … "
    return text[:head].rstrip() + between + text[len(text) - tail :].lstrip()


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}%".replace("-", "−")


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    value = f"{100 * difference:+.1f}"
    return "0.0" if float(value) == 0 else value.replace("-", "−")


def count(number: float | None) -> str:
    """Whole from 100 on, else one decimal where there is one."""
    if number is None:
        return "–"
    return f"{number:,.0f}" if abs(number) >= 100 or number == int(number) else f"{number:,.1f}"


def compact(number: float | None) -> str:
    """12,345 as `12.3k`."""
    if number is None:
        return "–"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{unit}"
    return count(number)


def plural(number: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
