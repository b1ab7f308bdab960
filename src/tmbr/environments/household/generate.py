"""Seeded scenes of our own: solvable by construction, all six task types, no download.

`generate(seed)` draws a room, furnishes it, draws a goal that the room can meet, hides the wanted
things where such things are kept, and writes down a walkthrough.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from .furniture import KINDS, LAMPS, OPENABLE, ROOMS, Room, homes
from .game import Game
from .scene import TASK_TYPES, Goal, Receptacle, TaskType, Thing, Version

#: Part of every sample's digest; raise it when the same seed gives another scene.
GENERATOR = "1"

_TREATED: dict[TaskType, tuple[str, str, str, str]] = {
    "pick_clean_then_place_in_recep": ("w", "sinkbasin", "clean", "clean"),
    "pick_heat_then_place_in_recep": ("h", "microwave", "heat", "hot"),
    "pick_cool_then_place_in_recep": ("c", "fridge", "cool", "cool"),
}
_PLACE_WORDINGS = ("put a {thing} in {place}.", "put some {thing} on {place}.")
_TWO_WORDINGS = ("put two {thing} in {place}.", "find two {thing} and put them in {place}.")
_LAMP_WORDINGS = ("look at {thing} under the {place}.", "examine the {thing} with the {place}.")
_TREAT_WORDINGS = (
    "{verb} some {thing} and put it in {place}.",
    "put a {adjective} {thing} in {place}.",
)


@dataclass(slots=True)
class _Draft:
    """A room being furnished. things: (kind, place) in the order in which they are numbered."""

    room: Room
    places: list[str]
    things: list[tuple[str, str]] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[str]:
        return [place for place in self.places if place.rsplit(" ", 1)[0] == kind]


def generate(seed: int, version: Version = "put") -> Game:
    """The game of a seed. Equal seeds give equal games, in either text version."""
    rng = Random(seed)
    while True:
        task_type = rng.choice(TASK_TYPES)
        draft = _furnished(rng, task_type)
        goal = _goal(rng, draft, task_type)
        if goal is not None and _hide(rng, draft, goal):
            return _game(rng, seed, draft, goal, version)


def _furnished(rng: Random, task_type: TaskType) -> _Draft:
    """A room that can meet the task type, with six to ten places."""
    needs = _TREATED[task_type][1] if task_type in _TREATED else None
    lamp = task_type == "look_at_obj_in_light"
    while True:
        room = rng.choice(ROOMS)
        kinds = {kind for kind, _, _ in room.places}
        if (needs and needs not in kinds) or (lamp and room.lamp is None):
            continue
        places = []
        for kind, fewest, most in rng.sample(room.places, len(room.places)):
            places += [f"{kind} {k + 1}" for k in range(rng.randint(fewest, most))]
        if 6 <= len(places) <= 10:
            return _Draft(room, places)


def _goal(rng: Random, draft: _Draft, task_type: TaskType) -> Goal | None:
    """A goal for which the room has a place to go to and another one to hide the thing in."""
    letter = _TREATED[task_type][0] if task_type in _TREATED else ""
    here = sorted({place.rsplit(" ", 1)[0] for place in draft.places})
    fitting = [
        kind
        for kind, can in sorted(KINDS.items())
        if letter in can.can and len(homes(kind).keys() & set(here)) >= 2
    ]
    if not fitting:
        return None
    thing = rng.choice(fitting)
    if task_type == "look_at_obj_in_light":
        return Goal(task_type, thing, draft.room.lamp or "")
    return Goal(task_type, thing, rng.choice([kind for kind in here if kind in homes(thing)]))


def _hide(rng: Random, draft: _Draft, goal: Goal) -> bool:
    """Put the wanted things, the lamp and eight to sixteen others into the room."""
    lamp = goal.task_type == "look_at_obj_in_light"
    targets = [] if lamp else draft.of_kind(goal.target)
    elsewhere = [
        p for p in draft.places if p not in targets and p.rsplit(" ", 1)[0] in homes(goal.thing)
    ]
    count = 2 if goal.task_type == "pick_two_obj_and_place" else 1
    if not elsewhere:
        return False
    for _ in range(count + (rng.random() < 0.25)):
        draft.things.append((goal.thing, _kept(rng, goal.thing, elsewhere)))
    if lamp:
        stands = [p for p in draft.places if p.rsplit(" ", 1)[0] in homes(goal.target)]
        if not stands:
            return False
        draft.things.append((goal.target, _kept(rng, goal.target, stands)))
    others = [k for k in sorted(KINDS) if k != goal.thing]
    for kind in rng.choices(others, k=40):
        at_home = [p for p in draft.places if p.rsplit(" ", 1)[0] in homes(kind)]
        if at_home and len(draft.things) < 9 + rng.randrange(8):
            draft.things.append((kind, _kept(rng, kind, at_home)))
    rng.shuffle(draft.things)
    return True


def _kept(rng: Random, kind: str, places: list[str]) -> str:
    weights = [homes(kind)[place.rsplit(" ", 1)[0]] for place in places]
    return rng.choices(places, weights)[0]


def _game(rng: Random, seed: int, draft: _Draft, goal: Goal, version: Version) -> Game:
    kinds = [place.rsplit(" ", 1)[0] for place in draft.places]
    receptacles = [Receptacle(kind, openable=kind in OPENABLE) for kind in kinds]
    things = [thing_of(kind, place) for kind, place in draft.things]
    held = sorted(KINDS) + sorted(LAMPS)
    allowed = [(place, kind) for kind in held for place in homes(kind)]
    return Game.build(
        receptacles,
        things,
        goal,
        allowed,
        instruction=_sentence(rng, goal),
        version=version,
        walkthrough=_walkthrough(draft, goal),
        name=f"generated-{seed}",
    )


def thing_of(kind: str, place: str) -> Thing:
    """A thing of this kind, and all that can be done with it."""
    if kind in LAMPS:
        return Thing(kind, (place,), pickupable=False, toggleable=True)
    can = KINDS[kind].can
    return Thing(
        kind,
        (place,),
        heatable="h" in can,
        coolable="c" in can,
        cleanable="w" in can,
        sliceable="s" in can,
    )


def _sentence(rng: Random, goal: Goal) -> str:
    _, _, verb, adjective = _TREATED.get(goal.task_type, ("", "", "", ""))
    wordings = {
        "pick_and_place_simple": _PLACE_WORDINGS,
        "pick_two_obj_and_place": _TWO_WORDINGS,
        "look_at_obj_in_light": _LAMP_WORDINGS,
    }.get(goal.task_type, _TREAT_WORDINGS)
    return rng.choice(wordings).format(
        thing=goal.thing, place=goal.target, verb=verb, adjective=adjective
    )


def _walkthrough(draft: _Draft, goal: Goal) -> tuple[str, ...]:
    """The privileged solution: straight to the things, which it knows the places of."""
    commands: list[str] = []
    opened: set[str] = set()
    here = ""

    def go(place: str) -> None:
        nonlocal here
        if place != here:
            commands.append(f"go to {place}")
        here = place
        if place.rsplit(" ", 1)[0] in OPENABLE and place not in opened:
            opened.add(place)
            commands.append(f"open {place}")

    wanted = [pair for pair in _numbered(draft) if pair[0].rsplit(" ", 1)[0] == goal.thing]
    if goal.task_type == "look_at_obj_in_light":
        thing, place = wanted[0]
        go(place)
        commands.append(f"take {thing} from {place}")
        lamp, stand = next(pair for pair in _numbered(draft) if pair[0].startswith(goal.target))
        go(stand)
        return (*commands, f"use {lamp}")
    target = draft.of_kind(goal.target)[0]
    for thing, place in wanted[: 2 if goal.task_type == "pick_two_obj_and_place" else 1]:
        go(place)
        commands.append(f"take {thing} from {place}")
        if goal.task_type in _TREATED:
            _, station, verb, _ = _TREATED[goal.task_type]
            if here != f"{station} 1":
                commands.append(f"go to {station} 1")
                here = f"{station} 1"
            commands.append(f"{verb} {thing} with {station} 1")
        go(target)
        commands.append(f"put {thing} in/on {target}")
    return tuple(commands)


def _numbered(draft: _Draft) -> list[tuple[str, str]]:
    """(printed name, place): the k-th thing of a kind has number k."""
    counts: dict[str, int] = {}
    found = []
    for kind, place in draft.things:
        counts[kind] = counts.get(kind, 0) + 1
        found.append((f"{kind} {counts[kind]}", place))
    return found
