"""WebShop's files as products: what its download has (`items_shuffle*.json`) or its index keeps.

Files may be larger than memory, so a list is read an element at a time.
"""

from __future__ import annotations

import codecs
import json
import lzma
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import IO, Any

from tmbr.core.errors import DataError

from .product import Product

#: What a product costs that has no price.
NO_PRICE = 100.0
#: The reference draws range prices and limits before it sets its seed; here they are drawn with it.
SEED = 233
_CHUNK = 1 << 22
#: No product is longer than this; a file that seems to hold one is broken.
_LONGEST = 1 << 26
_BLANK = re.compile(r"[ \t\r\n,]+")
_MONEY = re.compile(r"[^\d.]")
_MEND = "get it again from WebShop's download"


def elements(file: IO[bytes], path: Path) -> Iterator[Any]:
    """The objects of a JSON list, one after the other. Raises DataError where it is broken."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    rest, opened, whole = "", False, False
    while not whole:
        try:
            chunk = file.read(_CHUNK)
            rest += decode(chunk, final=not chunk)
            if not opened:
                rest = rest.lstrip(" \t\r\n\ufeff")
                opened, rest = rest.startswith("["), rest.removeprefix("[")
            found, rest, whole = _scanned(rest) if opened else ([], rest, False)
        except (ValueError, RecursionError, EOFError, OSError, lzma.LZMAError) as error:
            raise DataError(f"{path}: no JSON ({error}); {_MEND}") from error
        yield from found
        if not whole and (not chunk or len(rest) > _LONGEST or (rest and not opened)):
            raise DataError(f"{path}: truncated or no list in JSON; {_MEND}")


def _scanned(text: str) -> tuple[list[Any], str, bool]:
    """The objects that a piece of a list has whole, what is left of it, and whether the list ends."""
    scan = json.JSONDecoder().raw_decode
    found: list[Any] = []
    at = 0
    while True:
        blank = _BLANK.match(text, at)
        at = blank.end() if blank else at
        if text.startswith("]", at):
            return found, "", True
        try:
            element, at = scan(text, at)
        except json.JSONDecodeError:  # it goes on in the next piece, or never
            return found, text[at:], False
        found.append(element)


def read_products(
    rows: Iterator[Any], path: Path, attributes: Mapping[str, Sequence[str]], rng: Random
) -> Iterator[Product]:
    """The products of a file in its order, without doubles and ids that are none.

    attributes: of each id; a product without is what the reference makes of it. rng: for range prices.
    Raises DataError for a row that lacks something.
    """
    seen: set[str] = set()
    for number, row in enumerate(rows):
        try:
            name = row["asin"]
            if name == "nan" or len(name) > 10 or name in seen:
                continue
            seen.add(name)
            yield _product(row, tuple(attributes.get(name, ("DUMMY_ATTR",))), rng)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            why = f"{type(error).__name__}: {error}"
            raise DataError(f"{path}: product {number} cannot be read ({why}); {_MEND}") from error


def _product(row: Mapping[str, Any], attributes: tuple[str, ...], rng: Random) -> Product:
    prices = _prices(row.get("pricing"))
    tag = f"${prices[0]}" if len(prices) == 1 else f"${prices[0]} to ${prices[1]}"
    bullets = row["small_description"]
    return Product(
        id=row["asin"],
        title=row["name"],
        description=row["full_description"],
        bullets=tuple(bullets) if isinstance(bullets, list) else (bullets,),
        tag=tag,
        price=prices[0] if len(prices) == 1 else rng.uniform(*prices),
        options=_options(row["customization_options"] or {}),
        attributes=attributes,
        category=row["category"],
        query=row["query"].lower().strip(),
        kind=row["product_category"],
    )


def _prices(pricing: str | Sequence[float] | None) -> list[float]:
    """One price, or both ends of a range: `$1.00$2.00` in the download, a list in the index."""
    if isinstance(pricing, str):
        parts = (_MONEY.sub("", part) for part in pricing.split("$")[1:])
        pricing = [float(part) for part in parts if part.strip(".")]
    return [float(price) for price in pricing[:2]] if pricing else [NO_PRICE]


def _options(told: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        name.lower(): tuple(one["value"].strip().replace("/", " | ").lower() for one in values)
        for name, values in told.items()
        if values is not None
    }
