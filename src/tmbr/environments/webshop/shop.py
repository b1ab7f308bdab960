"""The shop as a value: a page is an immutable state, and a click or a search gives the next one.

Two things of the reference are left out: its search words for debugging (`<r>`, `<a>`, `<c>`, `<q>` are
plain words here), and that it takes the kind of a page from an address in which the keywords stand too,
so that to search for `item_page` confuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

from . import pages
from .index import Index
from .pages import PER_PAGE, SUB_PAGES, View
from .product import Product

#: Results that a search gives at most.
MOST_RESULTS = 50
#: Longer searches are not remembered.
_REMEMBERED = 1000
Page = Literal["search", "results", "item", "sub", "done"]
_SUB_PAGES = {name.lower(): name for name in SUB_PAGES}


class Shop:
    """A catalogue with its search engine; it never changes, so that all episodes share it.

    show_attributes: whether an item has the page `Attributes` (AgentBench: no).
    """

    def __init__(
        self, products: Sequence[Product], index: Index, *, show_attributes: bool = False
    ) -> None:
        self.products = products
        self.show_attributes = show_attributes
        self._index = index
        self._remembered = lru_cache(maxsize=4096)(self._search)

    @classmethod
    def build(cls, products: Sequence[Product], *, show_attributes: bool = False) -> Shop:
        index = Index.build((product.id, product.text) for product in products)
        return cls(products, index, show_attributes=show_attributes)

    def search(self, keywords: str) -> tuple[int, ...]:
        """Places in the catalogue, best first. Other branches often make the same search again."""
        return (self._remembered if len(keywords) <= _REMEMBERED else self._search)(keywords)

    def _search(self, keywords: str) -> tuple[int, ...]:
        return self._index.search(keywords, MOST_RESULTS)

    def open(self, instruction: str) -> State:
        """The search page, on which every episode begins."""
        return State(self, instruction)


@dataclass(frozen=True, slots=True)
class State:
    """Where a buyer is in the shop.

    results: what the last search found, as places in the catalogue. number: the page of results.
    product: the item looked at. options: what is chosen of it, as (option, value).
    """

    shop: Shop
    instruction: str
    page: Page = "search"
    keywords: str = ""
    results: tuple[int, ...] = ()
    number: int = 0
    product: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    sub: str = ""
    _view: View | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def view(self) -> View:
        """The page as it is shown."""
        if self._view is None:
            object.__setattr__(self, "_view", self._render())
        assert self._view is not None
        return self._view

    @property
    def item(self) -> Product:
        """The product looked at. Raises LookupError where there is none."""
        if self.product is None:
            raise LookupError("no product is looked at")
        return self.shop.products[self.product]

    @property
    def key(self) -> str:
        """16 hex digits that stand for the page and what is chosen on it."""
        place = (self.instruction, self.page, self.keywords, self.results, self.number)
        content = repr((*place, self.product, self.options, self.sub))
        return blake2b(content.encode(errors="surrogatepass"), digest_size=8).hexdigest()

    def search(self, keywords: str) -> State:
        """The first page of results. A search works on every page, whether or not it has a bar."""
        return self._at_results(keywords, self.shop.search(keywords), 1)

    def click(self, value: str) -> State | None:
        """The page after a click on what is called `value`; None when there is no such thing here.

        The order in which names are looked at is the reference's: an option that is called like a
        button does what the button does.
        """
        kind, name = self.view.clickables.get(value, ("", ""))
        if not kind or value == pages.SEARCH.lower():
            return None
        if value == pages.BUY.lower():
            return replace(self, page="done")
        if value == pages.BACK.lower():
            return self.shop.open(self.instruction)
        if value == pages.NEXT.lower() and self.page == "results":
            return self._at_results(self.keywords, self.results, self.number + 1)
        if value == pages.PREV.lower() and self.page in ("results", "item"):
            number = self.number - (self.page == "results")
            return self._at_results(self.keywords, self.results, number)
        if value in _SUB_PAGES:
            return replace(self, page="sub", sub=_SUB_PAGES[value])
        if kind == "product":
            return replace(self, page="item", product=self._shown_as(name))
        if kind == "option":
            return replace(
                self, page="item", options=tuple({**dict(self.options), name: value}.items())
            )
        return replace(self, page="item", sub="")

    def _at_results(self, keywords: str, results: tuple[int, ...], number: int) -> State:
        return State(self.shop, self.instruction, "results", keywords, results, number)

    @property
    def _shown(self) -> tuple[int, ...]:
        return self.results[(self.number - 1) * PER_PAGE : self.number * PER_PAGE]

    def _shown_as(self, name: str) -> int:
        return next(place for place in self._shown if self.shop.products[place].id == name)

    def _render(self) -> View:
        shop, told = self.shop, self.instruction
        match self.page:
            case "search":
                return pages.search_page(told)
            case "results":
                shown = [shop.products[place] for place in self._shown]
                return pages.results_page(told, shown, self.number, len(self.results))
            case "item":
                return pages.item_page(told, self.item, show_attributes=shop.show_attributes)
            case "sub":
                return pages.sub_page(told, self.item, self.sub)
            case _:
                return pages.done_page(self.item, dict(self.options))
