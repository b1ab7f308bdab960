"""An expert that acts from observations only: it searches, reads what titles do not tell, and buys.

It buys the first product that shows every wish and, when time runs out, the best that it has seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from tmbr.environments.webshop.pages import BACK, BUY, NEXT, PER_PAGE, PREV
from tmbr.tasks.webshop.forms import CLICK, SEARCH
from tmbr.tasks.webshop.memory import Item, Memory, Offer
from tmbr.tasks.webshop.wish import Wish, read_wish

#: Turns of an episode, and how many are kept for choosing and buying.
ROUNDS = 20
_KEPT = 4
#: When offers are compared: what a wish that a title does not tell weighs, in places of the results;
#: what a place weighs, in wishes; and how much a product that was not opened is taken to lack.
_PER_WISH, _PLACE, _UNKNOWN = 1, 0.5, 4
#: What of a product is read, in this order.
_READ = ("features", "description")
#: Pages of results that are looked through.
_PAGES = 3


@dataclass(frozen=True, slots=True)
class Move:
    """A short thought, and the tool and its argument that follow from it."""

    thought: str
    name: str
    argument: str


def decide(first: str, turns: Iterable[tuple[str, str, str]]) -> Move:
    """The expert's next move after the first page and (tool, argument, answer) of each turn since."""
    turns = list(turns)
    memory = Memory.of(first, turns)
    wish = read_wish(memory.page.instruction)
    move = _Decision(wish, memory, ROUNDS - len(turns)).move()
    return Move(f"{_need(wish)} {move.thought}", move.name, move.argument)


def _need(wish: Wish) -> str:
    """Each thought begins with what is wanted, so that none depends on a far-away sentence."""
    options = f", {', '.join(wish.options)}" if wish.options else ""
    limit = "" if wish.limit is None else f", below {wish.limit:.2f}"
    return f"I need {wish.name}{options}{limit}."


@dataclass(slots=True)
class _Decision:
    """left: turns that are left."""

    wish: Wish
    memory: Memory
    left: int

    def move(self) -> Move:
        match self.memory.page.kind:
            case "search":
                return self._search()
            case "results":
                return self._results()
            case "item":
                return self._item()
            case "sub":
                return _click("I have read it.", PREV)
            case _:
                return _click("I do not know this page.", BACK)

    def _search(self) -> Move:
        words = self.wish.keywords
        if words in self.memory.searches:
            return Move("I search in fewer words.", SEARCH, self.wish.short)
        return Move("I search for it.", SEARCH, words)

    def _results(self) -> Move:
        page = self.memory.page
        fitting = [offer for offer in page.offers if self._may_fit(offer)]
        if self._late and page.offers:
            return _click("Of these, I take the best that I have seen.", self._best())
        if fitting:
            name, title, _ = min(fitting, key=self._distance)
            whole = not self.wish.missing(title.lower())
            return _click(f"{name} {'shows it all' if whole else 'comes closest'}.", name)
        if page.number < _PAGES and page.number * PER_PAGE < page.total and page.offers:
            return _click("Nothing more to try here.", NEXT)
        if self.wish.short not in self.memory.searches:
            return Move("I search in fewer words.", SEARCH, self.wish.short)
        if page.offers:
            return _click("Of these, I take the best that I have seen.", self._best())
        return _click("Nothing is here.", BACK)

    @property
    def _late(self) -> bool:
        """Whether what is left is needed to go to a product, choose its options and buy it."""
        return self.left <= len(self.wish.options) + _KEPT

    def _distance(self, offer: Offer) -> float:
        """How far an offer is from the wish, by its title and its place on the page."""
        place = self.memory.page.offers.index(offer)
        return place + _PER_WISH * len(self.wish.missing(offer[1].lower()))

    def _may_fit(self, offer: Offer) -> bool:
        item = self.memory.items.get(offer[0].lower())
        return not self._dear(offer) and (item is None or not self._unfit(item))

    def _dear(self, offer: Offer) -> bool:
        return self.wish.limit is not None and offer[2] > self.wish.limit

    def _best(self) -> str:
        """Of the last page of results, the one that lacks least; only opened ones are known."""

        def lacking(offer: Offer) -> tuple[bool, float]:
            item = self.memory.items.get(offer[0].lower())
            known = len(self._lacking(item)) if item else _UNKNOWN
            return self._dear(offer), known + _PLACE * self.memory.results.offers.index(offer)

        return min(self.memory.results.offers, key=lacking)[0].lower()

    def _lacking(self, item: Item) -> list[str]:
        return self.wish.missing(item.text) + [o for o in self.wish.options if o not in item.options]

    def _unfit(self, item: Item) -> bool:
        """Whether it lacks an option, or still lacks wishes when it is read; a page tells about one."""
        missing = len(self.wish.missing(item.text))
        unread = sum(name not in item.read for name in _READ)
        optionless = any(option not in item.options for option in self.wish.options)
        return optionless or (missing > 0 and (unread == 0 or (unread == 1 and missing > 1)))

    def _chosen(self) -> list[str]:
        """Wanted options that were clicked since one that is not, which may have taken their place."""
        return list(takewhile(self.wish.options.__contains__, reversed(self.memory.chosen)))

    def _item(self) -> Move:
        item = self.memory.items[self.memory.at]
        chosen = self._chosen()
        steps = [o for o in self.wish.options if o in item.options and o not in chosen]
        if self._late:
            other = self.memory.results.offers and self._best() != self.memory.at
            if other and not self.memory.chosen and self.left > len(self.wish.options) + 2:
                return _click("I have seen a better one.", PREV)
        elif self._unfit(item):
            return _click("This is not it.", PREV)
        missing = self.wish.missing(item.text)
        unread = [name for name in _READ if name not in item.read]
        if missing and unread and not self._late:
            return _click(f"Is it {missing[0]}? I look at the {unread[0]}.", unread[0].capitalize())
        if steps:
            return _click(f"I choose {steps[0]}.", steps[0])
        return _click("I take this." if missing else "This is it.", BUY)


def _click(thought: str, value: str) -> Move:
    return Move(thought, CLICK, value.lower())
