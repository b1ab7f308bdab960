"""The pages of a site: find an item, choose for it, keep it, give details, review, commit.

Beside this way there is what sites have: links astray, a newsletter, a button that commits too early,
and two dead ends from which no link leads back (a sign-in that knows nobody, a partner's pages).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .parts import Control, Part, button, checkbox, combobox, link, part, textbox
from .state import Line, Outcome, State
from .themes import Field, Screen, Theme

#: Items on a page of results; links to others on an item's page.
PER_PAGE, RELATED = 5, 3
#: Lines that are kept at most.
MOST_KEPT = 6
#: Links to pages from which none leads back.
DEAD_ENDS = ("Sign in", "Partner offers")
#: A button that leads to the sign-in.
MEMBER = "Go on as a member"
_STYLE = (
    "body{font-family:sans-serif;margin:1em 2em;max-width:60em}nav a,footer a{margin-right:1em}"
    "li,label{display:block;margin:.6em 0}.summary{color:#555;margin-left:.6em}.notice{color:#a00}"
)


@dataclass(frozen=True, slots=True)
class Item:
    """Something on offer. price: in pounds, 0 where there is none. place: where it is, or empty."""

    name: str
    noun: str
    qualities: tuple[str, ...]
    price: int
    place: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A theme with a name and items."""

    theme: Theme
    title: str
    items: tuple[Item, ...]

    def start(self) -> State:
        return State(self, self.home, {})

    @property
    def home(self) -> tuple[str, ...]:
        return ("home",) if self.theme.search.fields else ("results", "", "0")

    @property
    def settled(self) -> tuple[Field, ...]:
        """The fields whose values are committed beside the lines."""
        later = (field for screen in self.theme.details for field in screen.fields)
        return (*self.theme.search.fields[1:], *later)

    def commit(self, state: State, control: Control) -> Outcome:
        details = tuple((field.label, self.value(state, field)) for field in self.settled)
        return Outcome(state.kept if control.keeps is None else control.keeps, details)

    def value(self, state: State, field: Field, item: int | None = None) -> str:
        return state.filled.get(_key(field, item)) or field.default

    def page_of(self, query: str, item: int) -> int:
        """On which page of the results an item is."""
        return self.found(query).index(item) // PER_PAGE

    def found(self, query: str) -> list[int]:
        """The numbers of the items that have all words of a query."""
        wanted = set(query.lower().split())
        return [at for at, item in enumerate(self.items) if wanted <= self._searched(item)]

    def _searched(self, item: Item) -> set[str]:
        return set((item.place if self.theme.by_place else item.name).lower().split())

    def summary(self, item: Item) -> str:
        unit = self.theme.unit
        price = [] if unit is None else [f"£{item.price}{unit}"]
        return ", ".join((*price, *item.qualities))

    def show(self, state: State) -> Part:
        """The page of a state. Raises KeyError for a page that the site does not have."""
        name, *arguments = state.at
        free = name in ("home", "results", "item", "kept", "aside")
        main = _PAGES[name](self, state, *arguments)
        notice = [part("p", state.notice, class_="notice", role="alert")] if state.notice else []
        around = [self._header(state)] if free else []
        below = [self._footer(state)] if free else []
        body = part("body", *around, part("main", *notice, *main), *below)
        head = part("head", part("meta", charset="utf-8"), part("title", self.title))
        styled = Part(head.tag, (*head.inside, part("style", _STYLE)))
        return part("html", styled, body, lang="en")

    def _header(self, state: State) -> Part:
        kept = self.theme.kept
        bag = [link(f"{kept[0]} ({len(state.kept)})", ("kept",))] if kept else []
        sign_in = link(DEAD_ENDS[0], ("account",))
        return part("nav", link(f"{self.title} home", self.home), *bag, *self._asides(), sign_in)

    def _asides(self) -> Iterator[Part]:
        for at, label in enumerate(self.theme.asides):
            yield link(label, ("aside", str(at)))

    def _footer(self, state: State) -> Part:
        box = textbox("Newsletter email", "newsletter", state.filled.get("newsletter", ""))
        needs = (("Newsletter email", "newsletter"),)
        join = button(Control("button", "Subscribe", needs=needs, told="You are subscribed."))
        return part("footer", box, join, link(DEAD_ENDS[1], ("partner", "0")))

    def _home(self, state: State) -> Iterator[Part]:
        search = self.theme.search
        yield part("h1", search.title)
        yield from self._fields(state, search)
        query = self.value(state, search.fields[0])
        yield self._advance(search, ("results", query, "0"))

    def _results(self, _: State, query: str, page: str) -> Iterator[Part]:
        found, at = self.found(query), int(page)
        yield part("h1", f"{len(found)} found for {query}" if query else self.theme.search.title)
        shown = found[at * PER_PAGE : (at + 1) * PER_PAGE]
        yield part("ul", *(self._card(number) for number in shown))
        if at > 0:
            yield link("Previous page", ("results", query, str(at - 1)))
        if len(found) > (at + 1) * PER_PAGE:
            yield link("Next page", ("results", query, str(at + 1)))

    def _card(self, number: int) -> Part:
        item = self.items[number]
        summary = part("span", self.summary(item), class_="summary")
        return part("li", link(item.name, ("item", str(number))), summary)

    def _item(self, state: State, argument: str) -> Iterator[Part]:
        number = int(argument)
        item, theme = self.items[number], self.theme
        yield part("h1", item.name)
        yield part("span", self.summary(item), class_="summary")
        yield from self._fields(state, theme.item, number)
        line: Line = (item.name, *(self.value(state, f, number) for f in theme.item.fields))
        if len(state.kept) >= MOST_KEPT:
            yield button(Control("button", theme.item.advance, told="There is no room for more."))
        elif theme.kept:
            yield self._advance(theme.item, ("kept",), number, (*state.kept, line))
        else:
            yield self._advance(theme.item, ("details", "0"), number, (line,))
        if theme.rush:
            yield button(Control("button", theme.rush, keeps=(line,), commits=True))
        near = [at for at, one in enumerate(self.items) if one.noun == item.noun and at != number]
        yield part("ul", *(part("li", self._offer(at)) for at in near[:RELATED]))

    def _offer(self, number: int) -> Part:
        return link(self.items[number].name, ("item", str(number)))

    def _kept(self, state: State) -> Iterator[Part]:
        assert self.theme.kept is not None
        title, advance = self.theme.kept
        yield part("h1", title)
        lines = []
        for at, line in enumerate(state.kept):
            left = (*state.kept[:at], *state.kept[at + 1 :])
            remove = button(Control("button", "Remove", keeps=left, to=("kept",)))
            lines.append(part("li", part("span", told(line)), remove))
        yield part("ul", *lines) if lines else part("p", "Nothing is here yet.")
        if lines:
            yield button(Control("button", advance, to=("details", "0")))

    def _details(self, state: State, argument: str) -> Iterator[Part]:
        number = int(argument)
        screen = self.theme.details[number]
        last = number + 1 == len(self.theme.details)
        yield part("h1", screen.title)
        yield from self._fields(state, screen)
        yield self._advance(screen, ("review",) if last else ("details", str(number + 1)))
        yield button(Control("button", MEMBER, to=("account",)))
        yield self._back()

    def _review(self, state: State) -> Iterator[Part]:
        yield part("h1", "Please check")
        yield part("ul", *(part("li", part("span", told(line))) for line in state.kept))
        for field in self.settled:
            yield part("p", f"{field.label}: {self.value(state, field) or 'no'}")
        for at, screen in enumerate(self.theme.details):
            yield link(f"Change {screen.title.lower()}", ("details", str(at)))
        yield self._back()
        yield button(Control("button", self.theme.commit, commits=True))

    def _back(self) -> Part:
        title = self.theme.kept[0] if self.theme.kept else self.theme.search.title
        return link(f"Back to {title.lower()}", ("kept",) if self.theme.kept else self.home)

    def _done(self, _: State) -> Iterator[Part]:
        yield part("h1", self.theme.thanks)

    def _aside(self, _: State, argument: str) -> Iterator[Part]:
        yield part("h1", self.theme.asides[int(argument)])
        yield part("p", f"All that {self.title} has to say about this will be here soon.")

    def _account(self, state: State) -> Iterator[Part]:
        yield part("h1", "Sign in")
        for label in ("User name", "Password"):
            yield textbox(label, label, state.filled.get(label, ""))
        needs = (("User name", "User name"), ("Password", "Password"))
        yield button(Control("button", "Sign in", needs=needs, told="This account is not known."))

    def _partner(self, _: State, argument: str) -> Iterator[Part]:
        yield part("h1", f"Partner offer {int(argument) + 1}")
        for at in range(3):
            yield link(f"See offer {at + 1}", ("partner", str(at)))

    def _fields(self, state: State, screen: Screen, item: int | None = None) -> Iterator[Part]:
        for field in screen.fields:
            key = _key(field, item)
            value = state.filled.get(key, "")
            if field.kind == "combobox":
                yield combobox(field.label, key, field.options, value)
            elif field.kind == "checkbox":
                yield checkbox(field.label, key, value)
            else:
                yield textbox(field.label, key, value)

    def _advance(
        self,
        screen: Screen,
        to: tuple[str, ...],
        item: int | None = None,
        keeps: tuple[Line, ...] | None = None,
    ) -> Part:
        """The button that leads on, once all is filled in that has no default."""
        needs = tuple((field.label, _key(field, item)) for field in screen.fields if field.open)
        return button(Control("button", screen.advance, needs=needs, to=to, keeps=keeps))


_PAGES: Mapping[str, Callable[..., Iterator[Part]]] = {
    "home": Site._home,
    "results": Site._results,
    "item": Site._item,
    "kept": Site._kept,
    "details": Site._details,
    "review": Site._review,
    "done": Site._done,
    "aside": Site._aside,
    "account": Site._account,
    "partner": Site._partner,
}


def _key(field: Field, item: int | None) -> str:
    """The name under which a field is filled in: an item's fields are its own."""
    return field.label if item is None else f"{item}/{field.label}"


def told(line: Line) -> str:
    """A line as a page shows it."""
    return ", ".join(value or "no" for value in line)
