"""Walks that reach every verb: errands of least-used verbs, loose steps, and commands that fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

from tmbr.environments.household import Game, State

TREATMENTS = {
    "heat": ("heatable", "microwave"),
    "cool": ("coolable", "fridge"),
    "clean": ("cleanable", "sinkbasin"),
}
ERRANDS = (*TREATMENTS, "slice", "use", "carry", "rest")
NONSENSE = (
    "",
    "fly",
    "LOOK",
    " look ",
    "go to",
    "go to nowhere 1",
    "take",
    "examine room 1",
    "help me",
)


def verb(command: str) -> str:
    return command.split(" ", 1)[0] if command.strip() else ""


def walk(game: Game, used: Counter[str], rng: Random, steps: int) -> Iterator[str]:
    """`steps` commands or a few more, beginning with the walkthrough and going on past the win.

    used: commands that did something, by verb, and errands, over all walks so far; it is added to. The
    walk follows the game in the native engine; the caller plays the same commands in both.
    """
    state, given = game.start(), 0
    plan: list[str | None] = list(game.walkthrough)  # None: whatever has been used least
    while given < steps:
        if not plan:
            plan = [*_next_errand(game, state, used, rng), None, None]
        planned = plan.pop(0)
        command = loose(state, used, rng) if planned is None else planned
        if rng.random() < 0.1:
            plan.insert(0, None)
        yield command
        given += 1
        if command.strip() in state.admissible:
            used[verb(command.strip())] += 1
        state, _ = state.step(command)


def _next_errand(game: Game, state: State, used: Counter[str], rng: Random) -> list[str]:
    """The errand run least so far among those that this room has."""
    for kind in sorted(ERRANDS, key=lambda kind: (used[kind], rng.random())):
        plan = errand(game, state, kind, rng)
        if plan:
            used[kind] += kind in ("carry", "rest")
            return plan
    return []


def loose(state: State, used: Counter[str], rng: Random) -> str:
    """An admissible command of a verb that has been used least; now and then one that fails."""
    draw = rng.random()
    if draw < 0.05:
        return rng.choice(NONSENSE)
    if draw < 0.1:
        return _wrong(state, rng)
    rare = _least({verb(command) for command in state.admissible}, used, rng)
    return rng.choice([command for command in state.admissible if verb(command) == rare])


def _wrong(state: State, rng: Random) -> str:
    """A command that is well formed and mostly not admissible here."""
    thing = rng.choice(state.layout.things or ("apple 1",))
    place = rng.choice(state.layout.receptacles)
    forms = (
        f"go to {place}",
        f"open {place}",
        f"close {place}",
        f"examine {thing}",
        f"use {thing}",
        f"take {thing} from {place}",
        f"put {thing} in/on {place}",
        f"move {thing} to {place}",
        f"heat {thing} with {place}",
        f"slice {thing} with {thing}",
    )
    return rng.choice(forms)


def errand(game: Game, state: State, kind: str, rng: Random) -> list[str]:
    """Commands that do one thing of `kind` from `state`, or nothing where the room cannot."""
    layout, things = game.layout, game.scene.things
    plan = _emptied(game, state, rng) if state.held >= 0 else []

    def held(fits: Callable[[int], bool]) -> list[str]:
        options = [
            (thing, place)
            for place, inside in enumerate(state.contents)
            for thing in inside
            if things[thing].pickupable and fits(thing)
        ]
        if not options:
            return []
        thing, place = rng.choice(options)
        reach = _reached(game, place)
        return [
            layout.things[thing],
            *reach,
            f"take {layout.things[thing]} from {layout.receptacles[place]}",
        ]

    if kind in TREATMENTS:
        able, station = TREATMENTS[kind]
        stations = [name for name in layout.receptacles if name.startswith(f"{station} ")]
        taken = held(lambda t: getattr(things[t], able))
        if not stations or not taken:
            return []
        name, *reach = taken
        at = rng.choice(stations)
        return [
            *plan,
            *reach,
            f"go to {at}",
            f"{kind} {name} with {at}",
            f"examine {name}",
            "inventory",
        ]
    if kind == "slice":
        return _sliced(game, state, plan, held(lambda t: t in layout.knives), rng)
    if kind == "use":
        lamps = [
            (t, r) for r, inside in enumerate(state.contents) for t in inside if things[t].toggleable
        ]
        if not lamps:
            return []
        thing, place = rng.choice(lamps)
        return [f"go to {layout.receptacles[place]}", f"use {layout.things[thing]}"]
    if kind == "carry":
        taken = held(lambda t: things[t].container or rng.random() < 0.3)
        return [*plan, *taken[1:], f"examine {taken[0]}", "look"] if taken else []
    return _shuffled(game, state, rng)


def _sliced(game: Game, state: State, plan: list[str], knife: list[str], rng: Random) -> list[str]:
    """Take a knife, slice something, lay the knife down, and look at what was sliced."""
    layout = game.layout
    goods = [
        (thing, place)
        for place, inside in enumerate(state.contents)
        for thing in inside
        if game.scene.things[thing].sliceable
    ]
    if not knife or not goods:
        return []
    thing, place = rng.choice(goods)
    name, where = layout.things[thing], layout.receptacles[place]
    put = f"put {knife[0]} in/on {where}" if game.version == "put" else f"move {knife[0]} to {where}"
    cut = [*plan, *knife[1:], *_reached(game, place), f"slice {name} with {knife[0]}", put]
    return [*cut, f"take {name} from {where}", f"examine {name}"]


def _shuffled(game: Game, state: State, rng: Random) -> list[str]:
    """From one receptacle into its neighbour at the same location, then the floor."""
    layout = game.layout
    options = [
        (thing, place, other)
        for place, inside in enumerate(state.contents)
        for other in layout.here[layout.at[place]]
        for thing in inside
        if other != place and thing in layout.fits[other] and game.scene.things[thing].pickupable
    ]
    if not options or state.held >= 0:
        return _emptied(game, state, rng)
    thing, place, other = rng.choice(options)
    name, where = layout.things[thing], layout.receptacles[other]
    put = f"put {name} in/on {where}" if game.version == "put" else f"move {name} to {where}"
    opened = [f"open {where}"] if other in layout.openable else []
    return [
        *_reached(game, place),
        *opened,
        f"take {name} from {layout.receptacles[place]}",
        put,
        "look",
    ]


def _emptied(game: Game, state: State, rng: Random) -> list[str]:
    """Put what is held somewhere."""
    layout = game.layout
    fits = [place for place, allowed in enumerate(layout.fits) if state.held in allowed]
    if not fits or state.held < 0:
        return []
    place = rng.choice(fits)
    name, where = layout.things[state.held], layout.receptacles[place]
    put = f"put {name} in/on {where}" if game.version == "put" else f"move {name} to {where}"
    return [*_reached(game, place), put]


def _reached(game: Game, place: int) -> list[str]:
    name = game.layout.receptacles[place]
    return [f"go to {name}", *([f"open {name}"] if place in game.layout.openable else [])]


def _least(verbs: set[str] | tuple[str, ...], used: Counter[str], rng: Random) -> str:
    options = sorted(verbs)
    rng.shuffle(options)
    return min(options, key=lambda v: used[v])
