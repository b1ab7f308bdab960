"""Seeded sites with a goal, and how a person reaches it: live, or recorded in Mind2Web's schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from zlib import crc32

from ..page import TEXT, Node, to_html, to_xml
from ..schema import Candidate, WebStep, WebTask
from .flow import Item, Site
from .goal import Goal, Pick, fields
from .parts import CHECKED, TAKES, Control
from .state import Outcome, State, act
from .themes import OPEN, THEMES, Field, Theme

#: Part of every sample's digest; raise it when the same seed gives another site or goal.
GENERATOR = "1"
#: Names on sites whose seeds differ modulo this never meet.
FAMILIES = 3
#: Items of a site; how often a field that has a default is asked for, and an item by its name.
FEWEST, MOST = 8, 14
ASKED, NAMED = 0.5, 0.4
#: Elements that nobody would click.
_FRAME = frozenset(("html", "body", "nav", "main", "footer", "ul", "label", "option", TEXT))
_HEADS = (*"bdfghjklmnprstvw", "br", "dr", "gr", "kl", "st", "tr")
_HEARTS = (*"aeiou", "ai", "ea", "ou")
_TAILS = (*"lmnrst", "nd", "rk", "ll", "st")


@dataclass(frozen=True, slots=True)
class Visit:
    """A site and what is asked of its visitor. target: number of the item that is meant."""

    seed: int
    site: Site
    goal: Goal
    target: int
    instruction: str

    @property
    def outcome(self) -> Outcome:
        """What has to be committed."""
        site, goal = self.site, self.goal
        chosen = (goal.value(f) or f.default for f in site.theme.item.fields)
        details = ((f.label, goal.value(f) or f.default) for f in site.settled)
        return Outcome(((site.items[self.target].name, *chosen),), tuple(details))

    @property
    def length(self) -> int:
        """Number of actions on the straight way."""
        theme, goal = self.goal.theme, self.goal
        asked = sum(bool(goal.value(field)) for field in fields(theme))
        query = goal.value(theme.search.fields[0]) if theme.search.fields else ""
        pages = self.site.page_of(query, self.target)
        buttons = bool(theme.search.fields) + bool(theme.kept) + len(theme.details) + 3
        return asked + pages + buttons


@dataclass(frozen=True, slots=True)
class Done:
    """One action of a person, and the state in which it was done."""

    state: State
    node: str
    control: Control
    value: str

    @property
    def operation(self) -> str:
        return TAKES[self.control.kind]

    def __str__(self) -> str:
        return in_words(self.control, self.value)


def in_words(control: Control, value: str) -> str:
    """An action as the data tells it: `[button]  Search -> CLICK`."""
    operation = TAKES[control.kind]
    said = operation if operation == "CLICK" else f"{operation}: {value}"
    return f"[{control.kind}]  {control.label} -> {said}"


def generate(seed: int) -> Visit:
    """The visit of a seed. Equal seeds give equal visits."""
    rng = Random(seed)
    names = _names(rng, seed % FAMILIES)
    while True:
        theme = rng.choice(THEMES)
        title = f"{next(names)} {theme.title}"
        site = Site(theme, title, _items(rng, theme, names))
        target = rng.randrange(len(site.items))
        goal = Goal(theme, _pick(rng, site, target), _wants(rng, site, target, names))
        found = site.found(goal.value(theme.search.fields[0]) if theme.search.fields else "")
        fitting = [at for at in found if _fits(site, goal.pick, at)]
        if fitting == [target]:
            return Visit(seed, site, goal, target, goal.sentence(rng.randrange(2)))


def _names(rng: Random, family: int) -> Iterator[str]:
    """Names of this family, none twice."""
    taken: set[str] = set()
    draw = rng.choice
    while True:
        name = "".join(draw(_HEADS) + draw(_HEARTS) + draw(_TAILS) for _ in range(2)).capitalize()
        if name not in taken and crc32(name.encode()) % FAMILIES == family:
            taken.add(name)
            yield name


def _items(rng: Random, theme: Theme, names: Iterator[str]) -> tuple[Item, ...]:
    places = [next(names) for _ in range(2)] if theme.by_place else [""]
    nouns = rng.sample(sorted(theme.nouns), 3)
    made = []
    for _ in range(rng.randint(FEWEST, MOST)):
        noun = rng.choice(nouns)
        most = 3 if theme.unit is not None else 1
        qualities = tuple(sorted(rng.sample(theme.nouns[noun], rng.randint(1, most))))
        price = 0 if theme.unit is None else rng.randint(20, 180)
        made.append(Item(f"{next(names)} {noun}", noun, qualities, price, rng.choice(places)))
    return tuple(made)


def _pick(rng: Random, site: Site, target: int) -> Pick:
    item = site.items[target]
    if rng.random() < NAMED:
        return Pick(name=item.name)
    priced = item.price > 0 and rng.random() < 0.7
    most = -(-item.price // 10) * 10 if priced else 0
    return Pick(noun=item.noun, quality=rng.choice(item.qualities), at_most=most)


def _fits(site: Site, pick: Pick, number: int) -> bool:
    item = site.items[number]
    return pick.fits(item.name, site.summary(item))


def _wants(rng: Random, site: Site, target: int, names: Iterator[str]) -> dict[str, str]:
    """What is asked for beside the item: all that has no default, and some of what has one."""
    theme, wants = site.theme, {}
    if theme.by_place:
        wants[theme.search.fields[0].label] = site.items[target].place
    for field in (*theme.search.fields[1:], *theme.item.fields, *theme.details_fields):
        if field.open or rng.random() < ASKED:
            wants[field.label] = _value(rng, field, names)
    return wants


def _value(rng: Random, field: Field, names: Iterator[str]) -> str:
    if field.kind == "checkbox":
        return CHECKED
    if field.kind == "combobox":
        return rng.choice([option for option in field.options[1:] if option != OPEN])
    number = rng.randint(100, 999)
    match field.label:
        case "Full name":
            return f"{next(names)} {next(names)}"
        case "Email":
            # Protocols tell no attribute's word of 15 letters or more.
            return f"{next(names)[:4]}@{next(names)[:3]}.org".lower()
        case "Street":
            return f"{number} {next(names)} Road"
        case _:
            return f"{next(names)[:2].upper()}{number}"


def play(visit: Visit) -> list[Done]:
    """The whole way, by one who knows the site: each action with the state in which it is done."""
    state, done = visit.site.start(), []
    while state.outcome is None:
        done.append(next_action(visit, state))
        state = act(state, done[-1].node, done[-1].operation, done[-1].value).state
    return done


def next_action(visit: Visit, state: State) -> Done:
    """What leads on from a state of the straight way."""
    site, theme = visit.site, visit.site.theme
    match state.at:
        case ("home",):
            return _on_screen(visit, state, theme.search.fields, theme.search.advance)
        case ("results", *_):
            name = site.items[visit.target].name
            shown = any(one.label == name for one in state.page.controls.values())
            return _control(state, name if shown else "Next page")
        case ("item", number):
            return _on_screen(visit, state, theme.item.fields, theme.item.advance, int(number))
        case ("kept",):
            assert theme.kept is not None
            return _control(state, theme.kept[1])
        case ("details", number):
            screen = theme.details[int(number)]
            return _on_screen(visit, state, screen.fields, screen.advance)
        case _:
            return _control(state, theme.commit)


def _on_screen(
    visit: Visit, state: State, fields: tuple[Field, ...], advance: str, item: int | None = None
) -> Done:
    for field in fields:
        wanted = visit.goal.value(field)
        if wanted and visit.site.value(state, field, item) != wanted:
            return _control(state, field.label, wanted)
    return _control(state, advance)


def _control(state: State, label: str, value: str = "") -> Done:
    found = ((node, one) for node, one in state.page.controls.items() if one.label == label)
    node, control = next(found)
    return Done(state, node, control, "" if control.kind == "checkbox" else value)


def record(visit: Visit) -> WebTask:
    """The way as the data publishes it."""
    done = play(visit)
    theme = visit.site.theme
    steps = tuple(_recorded(visit, number, one) for number, one in enumerate(done))
    return WebTask(
        f"generated-{visit.seed}",
        visit.site.title.lower().replace(" ", "-"),
        theme.domain,
        theme.subdomain,
        visit.instruction,
        tuple(map(str, done)),
        steps,
    )


def _candidate(node: Node, positive: bool) -> Candidate:
    return Candidate(node.tag, node.id, positive, positive, json.dumps(dict(node.attributes)))


def _recorded(visit: Visit, number: int, done: Done) -> WebStep:
    page = done.state.page
    choices = [node for node in page.cleaned.root.walk() if node.tag not in _FRAME]
    made = {node.id: _candidate(node, node.id == done.node) for node in choices}
    positive = made.pop(done.node)
    return WebStep(
        uid=f"{visit.seed}-{number}",
        html=to_xml(page.cleaned.root),
        operation=done.operation,
        value=done.value,
        positives=(positive,),
        negatives=tuple(made.values()),
        original_op=done.operation,
        raw=to_html(page.root),
    )
