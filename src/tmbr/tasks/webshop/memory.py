"""What a shopper knows from what it was shown, built from the conversation alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tmbr.environments.webshop.pages import BACK, BUY, NEXT, PREV

_RESULTS = re.compile(r"Page (\d+) \(Total results: (\d+)\)")
_MONEY = re.compile(r"\$([\d.]+)")


#: What a page of results shows of a product: number, title, price.
Offer = tuple[str, str, float]


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was read.

    number, total, offers: of a page of results. options: names and values, as they stand on an item's
    page. text: the title of an item or what a sub-page tells, in lower case.
    """

    kind: Literal["search", "results", "item", "sub", "other"]
    instruction: str = ""
    offers: tuple[Offer, ...] = ()
    number: int = 0
    total: int = 0
    options: tuple[str, ...] = ()
    text: str = ""


def read_page(heard: str) -> Page:
    """The page that an answer shows, in either form."""
    shown = heard.rsplit("\n\nAvailable Actions:\n", 1)[0]
    shown = re.sub(
        r"\A(?:Action: .*?\n\n)?(?:The initial o|O)bservation:\n", "", shown, flags=re.DOTALL
    )
    parts = [part.strip() for part in shown.split("[SEP]")]
    if len(parts) >= 3 and parts[0].endswith("WebShop"):
        return Page("search", parts[2])
    if len(parts) < 4 or parts[0] != "Instruction:" or parts[2] != BACK:
        return Page("other")
    told, rest = parts[1], parts[3:]
    if found := _RESULTS.fullmatch(rest[0]):
        sold = rest[rest.index(NEXT) + 1 :] if NEXT in rest else []
        offers = zip(sold[::3], sold[1::3], map(_price, sold[2::3]), strict=False)
        return Page("results", told, tuple(offers), int(found[1][:9]), int(found[2][:9]))
    prices = [at for at, part in enumerate(rest) if part.startswith("Price: ")]
    if rest[-1] == BUY and prices:
        return Page(
            "item", told, options=tuple(rest[1 : prices[-1] - 1]), text=rest[prices[-1] - 1].lower()
        )
    return (
        Page("sub", told, text=" ".join(rest[1:]).lower()) if rest[0] == PREV else Page("other", told)
    )


def _price(text: str) -> float:
    """The lower end of a price that is shown."""
    found = _MONEY.search(text)
    return float(found[1]) if found and found[1].count(".") < 2 and found[1] != "." else 0.0


@dataclass(slots=True)
class Item:
    """A product that was opened. text: all that was read of it. read: sub-pages that were opened."""

    options: tuple[str, ...]
    text: str
    read: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Memory:
    """page: where one is. results: the page of results that one was on last. at: the product looked at.

    chosen: the option values clicked on it. searches: made so far.
    """

    page: Page
    results: Page = Page("other")
    items: dict[str, Item] = field(default_factory=dict)
    at: str = ""
    chosen: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()

    @classmethod
    def of(cls, first: str, turns: Iterable[tuple[str, str, str]]) -> Memory:
        """From the first answer, and (tool, argument, answer) of each turn since."""
        memory = cls(read_page(first))
        for name, argument, heard in turns:
            memory._hear(name, argument.strip().lower(), read_page(heard))
        return memory

    def _hear(self, name: str, argument: str, page: Page) -> None:
        if page.kind == "other":
            return
        before, self.page = self.page, page
        if name.startswith("search"):
            self.searches = (*self.searches, argument)
        if page.kind == "results":
            self.results = page
        if page.kind in ("search", "results"):
            self.chosen = ()
        elif page.kind == "item":
            self._look(argument, before, page)
        elif self.at in self.items:
            item = self.items[self.at]
            if argument not in item.read:
                item.read.add(argument)
                item.text = f"{item.text} {page.text}"

    def _look(self, argument: str, before: Page, page: Page) -> None:
        if before.kind == "results":
            self.at = argument
        elif argument in page.options:
            self.chosen = (*self.chosen, argument)
        self.items.setdefault(self.at, Item(page.options, page.text))
