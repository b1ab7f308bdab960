"""Questions about a web shop: a product to buy, told by its properties, options and a price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from random import Random
from typing import Any

from tmbr.core.types import Sample, derive_seed, digest
from tmbr.environments.webshop import GENERATOR, NO_LIMIT, Catalogue, Product, goal_of
from tmbr.environments.webshop.goods import KINDS
from tmbr.tasks.webshop.task import PRODUCTS, SIZES, Webshop
from tmbr.teacher.asker import Content, Question, Unfit, by_turns, sentence, texts
from tmbr.teacher.prompts import prompt

#: Products that a world shows to the question generator.
SHOWN = 4


class WebshopAsker:
    """The shop is that of the training split, of which each world shows some products."""

    categories: Mapping[str, str] = {
        kind.category: f"something of the department {kind.category}" for kind in KINDS
    }
    brief = prompt("webshop")

    def __init__(self, task: Webshop) -> None:
        self._task = task
        self._places: dict[int, dict[str, int]] = {}

    def content(self, seed: int) -> Content:
        shown = _shown(seed)
        return Content(seed, "\n\n".join(map(_told, shown)), tuple(sorted({p.category for p in shown})))

    def read(self, content: Content, said: Mapping[str, Any]) -> Question:
        told, (number,) = sentence(said), texts(said, "product")
        product = next((p for p in _shown(content.seed) if p.id == number), None)
        if product is None:
            raise Unfit("grounding", f"the product {number!r} is none of those shown")
        attributes, options = _list(said.get("attributes")), _pairs(said.get("options"))
        limit = _limit(said.get("limit"), product)
        _grounded(told, product, attributes, options)
        wanted = goal_of(product, told, attributes, options, limit)
        setup = {"seed": _SHOP, "products": PRODUCTS, "generator": GENERATOR}
        facts = f"{told} | {product.id}"
        return Question(told, setup, asdict(wanted), product.category, facts, _world(product))

    def level(self, question: Question, turns: int) -> str:  # noqa: ARG002
        return by_turns(turns, 4, 7)

    def world(self, sample: Sample) -> str:
        """Of the product that is wanted: a shop shares none with another split's."""
        products = self._task.shop(sample).products
        places = self._places.setdefault(id(products), {})
        if not places:
            places.update((product.id, place) for place, product in enumerate(products))
        return _world(products[places[sample.target["id"]]])


_SHOP = list(SIZES).index("train")


def _shown(seed: int) -> list[Product]:
    places = Random(derive_seed("shown", seed)).sample(range(PRODUCTS), SHOWN)
    catalogue = Catalogue(_SHOP, PRODUCTS)
    return [catalogue[place] for place in places]


def _told(product: Product) -> str:
    options = "; ".join(f"{name}: {', '.join(values)}" for name, values in product.options.items())
    return (
        f"{product.id}: {product.query}, {product.title}\nprice: {product.price:.2f}\n"
        f"attributes: {', '.join(product.attributes)}\noptions: {options or 'none'}"
    )


def _list(given: Any) -> list[str]:
    if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
        raise Unfit("format", "`attributes` is no list of texts")
    return given


def _pairs(given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
        raise Unfit("format", "`options` is no object of texts")
    return given


def _limit(given: Any, product: Product) -> float:
    if given is None:
        return NO_LIMIT
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise Unfit("format", "`limit` is neither a number nor null")
    if not given <= NO_LIMIT:  # nor not-a-number, nor what no file holds
        raise Unfit("format", f"`limit` is above {NO_LIMIT:g}")
    if product.price > given:
        raise Unfit("grounding", f"the product costs {product.price:.2f}, above the limit")
    return float(given)


def _grounded(told: str, product: Product, attributes: list[str], options: dict[str, str]) -> None:
    if unknown := [one for one in attributes if one not in product.attributes]:
        raise Unfit("grounding", f"the product is not {unknown[0]!r}")
    if set(options) != set(product.options):
        raise Unfit("grounding", f"the product's options are {sorted(product.options)}")
    for name, value in options.items():
        if value not in product.options[name]:
            raise Unfit("grounding", f"the product has no {name} {value!r}")
    for wanted in (*attributes, *options.values()):
        if wanted not in told.lower():
            raise Unfit("grounding", f"the request does not say {wanted!r}")
    if product.id.lower() in told.lower() or product.title.lower() in told.lower():
        raise Unfit("start", "the request names the product itself")


def _world(product: Product) -> str:
    return digest({**asdict(product), "id": ""})
