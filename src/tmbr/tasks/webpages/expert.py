"""An expert that acts from questions only: it reads the task, the page and what was done so far.

On a live site it recognises each page by what it shows and mends what is not as it was asked for. In a
recorded step it knows what comes after the last action, and looks for that among the choices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tmbr.environments.webpages import short
from tmbr.environments.webpages.sites import Field, Goal, Screen, read
from tmbr.tasks.webpages.forms import Choice
from tmbr.tasks.webpages.question import Question, letter

_ELEMENT = re.compile(r"<(\w+) id=(\d+)(?: ([^<>]*?))? ?/?>(?: ([^<>]*?) </\1>)?")
_OFFERED = re.compile(
    r"<(a|h1)(?: id=\d+)?> ([^<>]*?) </\1> <span(?: id=\d+)? summary> ([^<>]*?) </span>"
)
_ITEM = re.compile(r"<h1> ([^<>]*?) </h1> <span summary>")
_KEPT = re.compile(r"<li> <span> ([^<>]*?) </span> <button id=(\d+) button> Remove </button>")
_LINE = re.compile(r"<li> <span> ([^<>]*?) </span>")
_DONE = re.compile(r"\[(\w+)\]  (.*?) -> (?:CLICK|TYPE|SELECT)")
_VERBS = {"textbox": "TYPE", "combobox": "SELECT", "checkbox": "CLICK"}
_TAGS = {"textbox": ("input", "text"), "combobox": ("select", ""), "checkbox": ("input", "checkbox")}


@dataclass(frozen=True, slots=True)
class Move:
    """A short thought and the choice that follows from it."""

    thought: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class Element:
    """What can be chosen, as the page tells it. told: values of its attributes; text: its words."""

    letter: str
    tag: str
    told: str
    text: str


class Seen:
    """A question's page, read."""

    def __init__(self, question: Question) -> None:
        self.question = question

    @cached_property
    def elements(self) -> Sequence[Element]:
        return [
            Element(letter(int(number)), tag, told, text)
            for tag, number, told, text in _ELEMENT.findall(self.question.page)
            if len(number) < 4 and int(number) < len(self.question.choices)
        ]

    @property
    def offers(self) -> Mapping[str, str]:
        return offers(self.question.page)

    @property
    def last(self) -> tuple[str, str]:
        """Kind and label of what was done last."""
        found = _DONE.match(self.question.history[-1]) if self.question.history else None
        return (found[1], found[2]) if found else ("", "")

    def named(self, name: str) -> Element | None:
        """The link or button of a name."""
        return next((e for e in self.elements if e.text == name and e.tag in ("a", "button")), None)

    def starting(self, start: str) -> Element | None:
        return next((e for e in self.elements if e.text.startswith(start)), None)

    def field(self, field: Field) -> tuple[Element, str] | None:
        """The control of a field, and its value as the page tells it."""
        tag, kind = _TAGS[field.kind]
        start = f"{kind} {field.label.lower()}".strip()
        for element in self.elements:
            if element.tag == tag and (element.told == start or element.told.startswith(f"{start} ")):
                return element, element.told[len(start) :].strip()
        return None


@lru_cache(maxsize=4096)
def offers(page: str) -> Mapping[str, str]:
    """Name -> summary of the items that a page shows with one."""
    return {name: summary for _, name, summary in _OFFERED.findall(page)}


def decide(questions: Sequence[Question], live: bool) -> Move:
    """The next move after these questions; the last one is open."""
    if not questions:
        return Move("I do not see a question.", Choice())
    goal, seen = read(questions[-1].task), Seen(questions[-1])
    if goal is None:
        return _guess(seen)
    if not live:
        return _Recorded(goal, seen).move()
    return _Live(goal, seen, questions).move()


def _guess(seen: Seen) -> Move:
    """A task that it cannot read: the choice that shares most words with it."""
    wanted = set(re.findall(r"\w+", seen.question.task.lower()))
    shared = [len(wanted & set(re.findall(r"\w+", told.lower()))) for told in seen.question.choices]
    if not any(shared):
        return Move("Nothing here speaks of the task.", Choice())
    best = max(range(len(shared)), key=shared.__getitem__)
    return Move("This speaks most of the task.", Choice(letter(best), "CLICK"))


def _click(element: Element, why: str) -> Move:
    return Move(why, Choice(element.letter, "CLICK"))


def _fill(element: Element, field: Field, value: str, goal: Goal) -> Move:
    choice = Choice(element.letter, _VERBS[field.kind], "" if field.kind == "checkbox" else value)
    return Move(f"I want {goal.pick}. {field.label}: {value or 'no'}.", choice)


@dataclass(slots=True)
class _Recorded:
    """The straight way, of which the history tells how far one is."""

    goal: Goal
    seen: Seen

    def move(self) -> Move:
        wanted = self._wanted()
        if isinstance(wanted, Field):
            found = self.seen.field(wanted)
            if found is not None:
                return _fill(found[0], wanted, self.goal.value(wanted), self.goal)
            return Move(f"I want {self.goal.pick}. {wanted.label} is not here.", Choice())
        if wanted:
            button = self.seen.named(wanted)
            if button is not None:
                return _click(button, f"I want {self.goal.pick}. {wanted} is next.")
            return Move(f"I want {self.goal.pick}. {wanted} is not here.", Choice())
        for name, summary in self.seen.offers.items():
            link = self.seen.named(name)
            if link is not None and self.goal.pick.fits(name, summary):
                return _click(link, f"I want {self.goal.pick}. {name} is one.")
        more = self.seen.named("Next page")
        if more is not None:
            return _click(more, f"I want {self.goal.pick}. There are more of them.")
        return Move(f"I want {self.goal.pick}. None is here.", Choice())

    def _wanted(self) -> Field | str | None:
        """A field, a button's name, or None for the item itself."""
        way = list(self._way())
        kind, label = self.seen.last
        if not label:
            return way[0]
        names = [step.label if isinstance(step, Field) else step for step in way]
        if label in names:
            at = names.index(label)
            return way[min(at + 1, len(way) - 1)]
        picked = kind == "link" and label != "Next page"
        return way[names.index(None) + picked]

    def _way(self) -> Iterable[Field | str | None]:
        theme = self.goal.theme
        if theme.search.fields:
            yield from self._screen(theme.search)
        yield None
        yield from self._screen(theme.item)
        if theme.kept:
            yield theme.kept[1]
        for screen in theme.details:
            yield from self._screen(screen)
        yield theme.commit

    def _screen(self, screen: Screen) -> Iterable[Field | str]:
        yield from (field for field in screen.fields if self.goal.value(field))
        yield screen.advance


@dataclass(slots=True)
class _Live:
    """A page of a live site, recognised by what it shows; `before` has all pages so far."""

    goal: Goal
    seen: Seen
    before: Sequence[Question]

    def move(self) -> Move:
        theme, seen = self.goal.theme, self.seen
        if (commit := seen.named(theme.commit)) is not None:
            return self._review(commit)
        for screen in (*theme.details, theme.search):
            if screen.fields and (button := seen.named(screen.advance)) is not None:
                return self._screen(screen, button)
        if theme.kept and f"<h1> {theme.kept[0]} </h1>" in seen.question.page:
            return self._kept(theme.kept[1])
        if (bag := self._bag()) is not None:
            return _click(bag, f"I want {self.goal.pick}. Something is in my list.")
        item = _ITEM.search(seen.question.page)
        if item and self._meant(item[1]) and (button := seen.named(theme.item.advance)) is not None:
            return self._screen(theme.item, button)
        return self._results()

    def _results(self) -> Move:
        for name in self.seen.offers:
            link = self.seen.named(name)
            if link is not None and self._meant(name):
                return _click(link, f"I want {self.goal.pick}. {name} is one.")
        more = self.seen.named("Next page")
        if more is not None:
            return _click(more, f"I want {self.goal.pick}. There are more of them.")
        return self._home(f"I want {self.goal.pick}. It is not here.")

    def _home(self, why: str) -> Move:
        home = next((e for e in self.seen.elements if e.tag == "a" and e.text.endswith(" home")), None)
        return Move(why, Choice()) if home is None else _click(home, why)

    def _screen(self, screen: Screen, button: Element) -> Move:
        for field in screen.fields:
            found, wanted = self.seen.field(field), self.goal.value(field)
            if found is not None and found[1] != self._shown(field, wanted):
                return _fill(found[0], field, wanted or field.default, self.goal)
        bag = self._bag() if screen is self.goal.theme.search else None
        if bag is not None:
            return _click(bag, f"I want {self.goal.pick}. Something is in my list.")
        return _click(button, f"I want {self.goal.pick}. {screen.advance} is next.")

    def _shown(self, field: Field, wanted: str) -> str:
        """How the page tells a wanted value; an unticked box tells nothing."""
        if field.kind == "checkbox":
            return "true" if wanted else ""
        return short(wanted or field.default)

    def _kept(self, advance: str) -> Move:
        right = False
        for line, number in _KEPT.findall(self.seen.question.page):
            if right or not self._right(line):
                why = f"I want {self.goal.pick}. {line} is too much."
                return Move(why, Choice(letter(int(number)), "CLICK"))
            right = True
        button = self.seen.named(advance)
        if not right or button is None:
            return self._home(f"I want {self.goal.pick}. It is not in my list.")
        if self.seen.last[1].startswith("Back to "):
            return self._home(f"I want {self.goal.pick}. Something before was wrong.")
        return _click(button, f"I want {self.goal.pick}. It is in my list.")

    def _review(self, commit: Element) -> Move:
        page, theme = self.seen.question.page, self.goal.theme
        lines = _LINE.findall(page)
        for at, screen in enumerate((theme.search, *theme.details)):
            asked = screen.fields[1:] if at == 0 else screen.fields
            wrong = [field.label for field in asked if not self._says(page, field)]
            if wrong and at > 0:
                change = self.seen.named(f"Change {screen.title.lower()}")
                if change is not None:
                    return _click(change, f"I want {self.goal.pick}. {wrong[0]} is wrong.")
            if wrong:
                return self._back(f"{wrong[0]} is wrong.")
        if len(lines) != 1 or not self._right(lines[0]):
            return self._back("This is something else.")
        return _click(commit, f"I want {self.goal.pick}. All is as it should be.")

    def _back(self, why: str) -> Move:
        back = self.seen.starting("Back to ")
        why = f"I want {self.goal.pick}. {why}"
        return Move(why, Choice()) if back is None else _click(back, why)

    def _says(self, page: str, field: Field) -> bool:
        value = self.goal.value(field) or field.default or "no"
        return f"> {field.label}: {value} <" in page

    def _right(self, line: str) -> bool:
        """Whether a line of the list is what was asked for."""
        name, *chosen = line.split(", ")
        asked = self.goal.theme.item.fields
        wanted = [self.goal.value(field) or field.default or "no" for field in asked]
        return self._meant(name) and chosen == wanted

    def _meant(self, name: str) -> bool:
        """Whether an item is what was asked for, by what was shown of it on any page."""
        shown = (offers(question.page) for question in self.before)
        return self.goal.pick.fits(name, next((found[name] for found in shown if name in found), ""))

    def _bag(self) -> Element | None:
        """The link to the list of what is kept, where something is in it."""
        kept = self.goal.theme.kept
        found = self.seen.starting(f"{kept[0]} (") if kept else None
        return None if found is None or found.text.endswith("(0)") else found
