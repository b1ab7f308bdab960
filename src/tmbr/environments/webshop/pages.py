"""WebShop's pages as text, and what can be clicked on them.

The observation is the one that agents get in WebShop's `text` mode: the visible texts of the page, in
order, joined by ` [SEP] `. What is whitespace only is dropped where it holds a line break and left
empty where it does not, because that is what becomes of it on the way through the HTML parser.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .product import Product

PER_PAGE = 10
BACK, NEXT, PREV, BUY, SEARCH = "Back to Search", "Next >", "< Prev", "Buy Now", "Search"
SUB_PAGES = ("Description", "Features", "Reviews", "Attributes")
_HTML_SPACES = " \n\t\f\r"

#: What a text on the page is, when it can be clicked: a button, a product's link, or an option's name.
Clickable = tuple[Literal["button", "product", "option"], str]


@dataclass(frozen=True, slots=True)
class View:
    """A page as an agent gets it. clickables: what to write in a click, in order of the page's kind."""

    observation: str
    clickables: Mapping[str, Clickable]
    has_search_bar: bool = False


def search_page(instruction: str) -> View:
    texts = ["WebShop", "Instruction: ", instruction, SEARCH]
    return _view(texts, [SEARCH], has_search_bar=True)


def results_page(instruction: str, shown: Sequence[Product], number: int, total: int) -> View:
    """shown: the products of this page. number: of the page, from 1."""
    ways = [PREV, NEXT] if number > 1 else [NEXT]
    texts = [*_head(instruction), f"Page {number} (Total results: {total})", *ways]
    for product in shown:
        texts += [product.id, product.title, product.tag]
    return _view(texts, [BACK, *ways], products=[product.id for product in shown])


def item_page(instruction: str, product: Product, *, show_attributes: bool) -> View:
    texts = [*_head(instruction), PREV]
    for name, values in product.options.items():
        texts += [name, *values]
    buttons = [name for name in SUB_PAGES if name != "Attributes" or show_attributes]
    texts += [product.title, f"Price: {product.tag}", f"Rating: {product.rating}", *buttons, BUY]
    return _view(texts, [BACK, PREV, *buttons, BUY], options=product.options)


def sub_page(instruction: str, product: Product, name: str) -> View:
    """name: one of SUB_PAGES."""
    return _view([*_head(instruction), PREV, *_told(product, name)], [BACK, PREV])


def done_page(product: Product, options: Mapping[str, str]) -> View:
    """What was bought. WebShop's page goes on with the score, which no observation may show."""
    chosen = json.dumps(dict(sorted(options.items())))
    return _view(
        ["Thank you for shopping with us!", "Purchased", "asin", product.id, "options", chosen]
    )


def _head(instruction: str) -> list[str]:
    return ["Instruction:", instruction, BACK]


def _told(product: Product, name: str) -> Iterator[str]:
    match name:
        case "Description":
            yield product.description
        case "Features":
            yield from (f" {bullet}" for bullet in product.bullets)
        case "Reviews":
            for review in product.reviews:
                yield from (f'"{review.title}"', str(review.score), review.body)
        case _:
            yield from (f" {attribute}" for attribute in product.attributes)
            yield from (product.category, product.query, product.kind)


def _view(
    texts: Sequence[str],
    buttons: Sequence[str] = (),
    *,
    products: Sequence[str] = (),
    options: Mapping[str, Sequence[str]] | None = None,
    has_search_bar: bool = False,
) -> View:
    # A later thing of the same text takes the place of an earlier one, as in the reference.
    clickables: dict[str, Clickable] = {button.lower(): ("button", button) for button in buttons}
    clickables |= {name.lower(): ("product", name) for name in products}
    for name, values in (options or {}).items():
        clickables |= dict.fromkeys(values, ("option", name))
    seen = (text for text in texts if text.strip(_HTML_SPACES) or (text and "\n" not in text))
    return View(" [SEP] ".join(text.strip() for text in seen), clickables, has_search_bar)
