"""What a buyer is asked for, and how well a purchase meets it: WebShop's reward."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product as combinations
from pathlib import Path
from random import Random
from typing import Any

from .fuzzy import token_set_ratio
from .nouns import TAGGER, nouns
from .product import Product

#: Prices below which a goal may ask for.
_LIMITS = [10.0 * tens for tens in range(1, 100)]
#: The limit of a goal that has none.
NO_LIMIT = 1_000_000.0
#: A match is a likeness above this.
_ALIKE = 85
#: WebShop's colours, in the order in which they are looked for.
_COLOURS = (Path(__file__).parent / "colors.txt").read_text(encoding="utf-8").split()


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing to buy.

    options: the wanted value of each option, or only the values where a person wrote the goal. limit:
    the price must not be above it. The rest is as in `Product`, of the one the goal is made from.
    """

    id: str
    instruction: str
    attributes: tuple[str, ...]
    options: Mapping[str, str] | tuple[str, ...]
    limit: float
    title: str
    category: str
    query: str
    kind: str


def goal_of(
    product: Product,
    sentence: str,
    attributes: Sequence[str],
    options: Mapping[str, str] | tuple[str, ...],
    limit: float,
) -> Goal:
    """A goal that is made from this product."""
    return Goal(
        id=product.id,
        instruction=sentence,
        attributes=tuple(attributes),
        options=options,
        limit=limit,
        title=product.title,
        category=product.category,
        query=product.query,
        kind=product.kind,
    )


def synthetic(product: Product, told: str, attributes: Sequence[str], rng: Random) -> list[Goal]:
    """A goal for each combination of the product's options; the limit is drawn once for all.

    told: the sentence without options and price.
    """
    limit, price = _limit(product.price, rng)
    names = sorted(product.options)
    goals = []
    for values in combinations(*(product.options[name] for name in names)):
        chosen = dict(zip(names, values, strict=True))
        asked = ", and ".join(f"{name}: {value}" for name, value in chosen.items())
        sentence = f"{told}{' with ' + asked if asked else ''}{price}"
        goals.append(goal_of(product, sentence, attributes, chosen, limit))
    return goals


def human(
    product: Product, told: str, attributes: Sequence[str], options: Sequence[str], rng: Random
) -> Goal:
    """A goal that a person wrote."""
    limit, price = _limit(product.price, rng)
    return goal_of(product, told.strip(".") + price, attributes, tuple(options), limit)


def _limit(price: float, rng: Random) -> tuple[float, str]:
    """Two of the next four round prices are drawn; the higher is the limit."""
    above = [limit for limit in _LIMITS if limit > price][:4]
    if len(above) < 2:
        return NO_LIMIT, ""
    upper = max(rng.sample(above, 2))
    return upper, f", and price lower than {upper:.2f} dollars"


def reward(goal: Goal, product: Product, options: Iterable[str]) -> tuple[float, dict[str, Any]]:
    """WebShop's score of a purchase, in [0, 1], and what it is made of. options: the chosen values."""
    attributes = sum(_has(product, wanted) for wanted in goal.attributes)
    chosen = [_colour(value) for value in options]
    matched = sum(any(token_set_ratio(o, w) > _ALIKE for o in chosen) for w in _wanted(goal.options))
    in_limit = product.price <= goal.limit
    parts = len(goal.attributes) + len(goal.options) + 1
    factor, detail = type_factor(goal, product)
    detail |= {
        "attributes": attributes / len(goal.attributes) if goal.attributes else 1.0,
        "options": matched / len(goal.options) if goal.options else 1.0,
        "price": float(in_limit),
        "tagger": TAGGER,
    }
    return factor * ((attributes + matched + in_limit) / parts), detail


def type_factor(goal: Goal, product: Product) -> tuple[float, dict[str, Any]]:
    """How far the product is of the wanted type: 1, 0.5, 0.1 or 0."""
    same_query = product.query == goal.query
    ours, theirs = ({part.strip() for part in kind.split("›")} for kind in (product.kind, goal.kind))
    same_kind = len(ours & theirs) >= 2
    bought, wanted = nouns(product.title), nouns(goal.title)
    title = len({*bought} & {*wanted}) / len(wanted) if wanted else 0.2
    factor = 1.0 if same_query or same_kind or title > 0.2 else 0.5
    if title < 0.1:
        factor = 0.1 if title > 0.0 else 0.0
    told = {"type": factor, "query": same_query, "category": same_kind, "title": title}
    return factor, told


def _has(product: Product, wanted: str) -> bool:
    if any(token_set_ratio(attribute, wanted) > _ALIKE for attribute in product.attributes):
        return True
    texts = (product.title, " ".join(product.bullets), product.description)
    return any(wanted in text.lower() for text in texts)


def _wanted(options: Mapping[str, str] | tuple[str, ...]) -> list[str]:
    """The wanted options as they are compared.

    A goal that names its options compares `('size', 'large')` as a whole, name, brackets and all,
    unless the value is just a colour; so does the reference.
    """
    if isinstance(options, tuple):
        return [_colour(value) for value in options]
    pairs = options.items()
    return [next((c for c in _COLOURS if c in pair), str(pair)) for pair in pairs]


def _colour(value: str) -> str:
    """The first known colour in a value, else the value."""
    return next((colour for colour in _COLOURS if colour in value), value)
