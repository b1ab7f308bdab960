"""WebShop's small set for tests: where it is, and walks and purchases drawn from it.

The draws see only what any shop shows, so the reference can be driven by the same ones; what it
answered is kept as digests in the tests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tmbr.environments.webshop import Product, Shop
from tmbr.tasks.webshop.data import Market, market

DATA = Path(os.environ.get("TMBR_DATA", Path(__file__).parents[2] / "../shared/data"))
FOLDER = DATA / "webshop"
needs_files = pytest.mark.skipif(
    not (FOLDER / "items_ins_v2_1000.json").is_file(),
    reason="WebShop's small set is not here; set TMBR_DATA",
)
needs_lucene = pytest.mark.skipif(
    not (FOLDER / "lucene_top50.jsonl").is_file(),
    reason="what Lucene found on WebShop's small set is not here; set TMBR_DATA",
)


@lru_cache(maxsize=1)
def small_set() -> Market:
    return market("webshop-1k", DATA)


def shop() -> Shop:
    return small_set().shop


def lucene() -> list[dict[str, Any]]:
    """Queries with the terms and the fifty ids that Lucene gives them."""
    text = (FOLDER / "lucene_top50.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def next_move(
    rng: Random, has_search_bar: bool, clickables: Sequence[str], words: Sequence[str]
) -> str:
    """A search or a click: mostly what the page offers, seldom Buy Now, sometimes nonsense."""
    if rng.random() < 0.15 or (has_search_bar and rng.random() < 0.9):
        return f"search[{rng.choice(words)}]"
    wanted = [name for name in clickables if rng.random() < 0.9 and name != "buy now"]
    if rng.random() < 0.07 or not clickables:
        return "click[nothing of the kind]"
    return f"click[{rng.choice(wanted or list(clickables))}]"


def words_to_search(instruction: str, products: Sequence[Product]) -> list[str]:
    some = products[:: max(len(products) // 20, 1)]
    return [instruction, "the", "zzz qqq", "a b", *(p.query for p in some), *(p.title for p in some)]


def purchase(rng: Random, product: Product) -> dict[str, str]:
    """Options as a buyer may leave them."""
    return {n: rng.choice(v) for n, v in product.options.items() if v and rng.random() < 0.8}
