"""Practice for the base: short exercises in what small models lack, with one right answer each.

Copying names from a list, finding the successor in a list, comparing a name with a goal, keeping a
goal over distance, and plain knowledge of where things are kept. An exercise is a list of (role, text)
turns. No exercise is an episode, and none tells what to do in one.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tmbr.environments.household.furniture import KINDS, LAMPS, OPENABLE, ROOMS, homes

Turns = list[tuple[str, str]]

PLACES = sorted(
    {kind for room in ROOMS for kind, _, _ in room.places} | {"towelholder", "handtowelholder"}
)
THINGS = sorted({*KINDS, *LAMPS, "handtowel", "towel", "papertowelroll", "houseplant", "teddybear"})
STATIONS = {"clean": "sinkbasin", "heat": "microwave", "cool": "fridge"}
STATES = {"clean": "clean", "heat": "hot", "cool": "cool"}


def some_places(rng: Random, fewest: int = 5, most: int = 26) -> list[str]:
    """Names of places as a room lists them: by kind, numbers going down."""
    size = rng.randint(fewest, most)
    names: list[str] = []
    for kind in sorted(rng.sample(PLACES, min(len(PLACES), size))):
        if len(names) >= size:
            break
        many = rng.choice((1, 1, 1, 2, 3, 4, 6)) if size < 14 else rng.choice((1, 1, 2, 3, 6, 10, 14))
        names += [f"{kind} {number}" for number in range(many, 0, -1)]
    return names


def some_things(rng: Random, fewest: int = 0, most: int = 9) -> list[str]:
    kinds = sorted(rng.choices(THINGS, k=rng.randint(fewest, most)))
    return [f"{kind} {rng.choice((1, 1, 1, 2, 2, 3, 4))}" for kind in kinds]


def listed(names: list[str]) -> str:
    """As the world lists: `a mug 1, a pen 2, and a cd 1`."""
    if not names:
        return "nothing"
    if len(names) == 1:
        return f"a {names[0]}"
    return ", ".join(f"a {name}" for name in names[:-1]) + f", and a {names[-1]}"


def seen(place: str, things: list[str]) -> str:
    if place.split()[0] in OPENABLE:
        return f"The {place} is open. In it, you see {listed(things)}."
    return f"On the {place}, you see {listed(things)}."


def kind(name: str) -> str:
    return name.rsplit(" ", 1)[0]


def room(names: list[str]) -> str:
    return f"You are in the middle of a room. Looking quickly around you, you see {listed(names)}."


def copy_list(rng: Random) -> Turns:
    names = some_places(rng)
    return [
        ("user", f"{room(names)}\nName all places."),
        ("assistant", "Answer: " + ", ".join(names) + "."),
    ]


def copy_kind(rng: Random) -> Turns:
    names = some_places(rng)
    wanted = kind(rng.choice(names)) if rng.random() < 0.8 else rng.choice(PLACES)
    found = [name for name in names if kind(name) == wanted]
    ask = f"{room(names)}\nName each {wanted}."
    return [("user", ask), ("assistant", "Answer: " + (", ".join(found) or "none") + ".")]


def successor(rng: Random) -> Turns:
    """A plan is told; then, in later turns, what comes after each of its places."""
    names = some_places(rng, 5, 14)
    rng.shuffle(names)
    plan = names[: rng.randint(4, 8)]
    turns: Turns = [
        ("user", f"Keep this in mind: try {', '.join(plan)}."),
        ("assistant", "Answer: Yes."),
    ]
    at = 0 if rng.random() < 0.7 else rng.randrange(len(plan) - 1)
    while at < len(plan) - 1 and rng.random() < 0.9:
        noise = seen(plan[at], some_things(rng, 0, 5))
        turns += [
            ("user", f"{noise}\nWhat is next after {plan[at]}?"),
            ("assistant", f"Answer: Next is {plan[at + 1]}."),
        ]
        at += 1
    return turns


def order(rng: Random) -> Turns:
    """Places sorted by a given order of kinds."""
    names = some_places(rng, 5, 16)
    kinds = sorted({kind(name) for name in names})
    rng.shuffle(kinds)
    wanted = kinds[: rng.randint(2, 5)]
    found = [name for k in wanted for name in names if kind(name) == k]
    ask = f"{room(names)}\nName the places in this order: {', '.join(wanted)}."
    return [("user", ask), ("assistant", "Answer: " + ", ".join(found[:10]) + ".")]


def likely(rng: Random) -> Turns:
    """Where in this room such a thing may be, likeliest first: knowledge met with a list."""
    thing = rng.choice(sorted(KINDS))
    rooms = [r for r in ROOMS if len({k for k, _, _ in r.places} & set(homes(thing))) > 1]
    names = []
    for place, fewest, most in sorted(rng.choice(rooms).places):
        many = rng.randint(fewest, most + rng.choice((0, 0, 3, 8)))
        names += [f"{place} {number}" for number in range(many, 0, -1)]
    at_home = [name for name in names if kind(name) in homes(thing)]
    if not at_home:
        return knowledge(rng)
    at_home.sort(key=lambda name: -homes(thing)[kind(name)])
    ask = f"{room(names)}\nWhere in this room may a {thing} be?"
    return [("user", ask), ("assistant", "Answer: " + ", ".join(at_home[:8]) + ".")]


def present(rng: Random) -> Turns:
    """A goal once, then several observations: is such a thing there, and which?"""
    wanted = rng.choice(THINGS)
    rule = rng.choice((f"I need a {wanted}.", f"The goal is {wanted}.", f"Watch for {wanted}."))
    turns: Turns = [("user", rule), ("assistant", f"Answer: A {wanted}.")]
    for _ in range(rng.randint(1, 6)):
        things = [name for name in some_things(rng) if kind(name) != wanted]
        if rng.random() < 0.5:
            things = sorted([*things, f"{wanted} {rng.choice((1, 1, 2, 3))}"])
        place = f"{rng.choice(PLACES)} {rng.randint(1, 4)}"
        found = next((name for name in things if kind(name) == wanted), None)
        turns += [
            ("user", f"{seen(place, things)}\nIs it here?"),
            (
                "assistant",
                f"Answer: {wanted}: {found} is here." if found else f"Answer: {wanted}: not here.",
            ),
        ]
    return turns


def remembered(rng: Random) -> Turns:
    """Several observations, then: where was it?"""
    wanted = rng.choice(THINGS)
    names = some_places(rng, 6, 12)
    places = rng.sample(names, k=min(len(names), rng.choice((2, 3, 4, 6))))
    hidden = rng.randrange(len(places))
    turns: Turns = [("user", "Remember what you see."), ("assistant", "Answer: Yes.")]
    name = f"{wanted} {rng.randint(1, 3)}"
    for index, place in enumerate(places):
        things = [t for t in some_things(rng, 0, 5) if kind(t) != wanted]
        if index == hidden:
            things = sorted([*things, name])
        turns += [("user", seen(place, things)), ("assistant", f"Answer: {place}: seen.")]
    return [
        *turns,
        ("user", f"Where was a {wanted}?"),
        ("assistant", f"Answer: {name} is at {places[hidden]}."),
    ]


def left(rng: Random) -> Turns:
    """A plan, some of its places looked into in any order, then: which are left?"""
    names = some_places(rng, 5, 14)
    rng.shuffle(names)
    plan = names[: rng.randint(4, 9)]
    done = rng.sample(plan, rng.randint(1, len(plan) - 1))
    turns: Turns = [
        ("user", f"Keep this in mind: try {', '.join(plan)}."),
        ("assistant", "Answer: Yes."),
    ]
    for place in done:
        noise = seen(place, some_things(rng, 0, 4))
        turns += [("user", noise), ("assistant", f"Answer: {place} is done.")]
    rest = [place for place in plan if place not in done]
    return [*turns, ("user", "Which are left?"), ("assistant", f"Answer: {', '.join(rest)}.")]


def hands(rng: Random) -> Turns:
    """What the world told of things taken, treated and put down; what is held now, and how is it?"""
    turns: Turns = [("user", "Watch the hands."), ("assistant", "Answer: nothing.")]
    held, state = "", "plain"
    for _ in range(rng.randint(2, 8)):
        place = f"{rng.choice(PLACES)} {rng.randint(1, 4)}"
        chance = rng.random()
        if chance < 0.3:
            told = seen(place, some_things(rng, 0, 5))
        elif chance < 0.4:
            told = "Nothing happens."
        elif not held:
            held, state = f"{rng.choice(THINGS)} {rng.randint(1, 3)}", "plain"
            told = f"You pick up the {held} from the {place}."
        elif chance < 0.7:
            verb = rng.choice(sorted(STATIONS))
            state = STATES[verb]
            told = f"You {verb} the {held} using the {STATIONS[verb]} 1."
        else:
            told, held = f"You put the {held} in/on the {place}.", ""
        turns += [
            ("user", told),
            ("assistant", f"Answer: {held}, {state}." if held else "Answer: nothing."),
        ]
    return turns


def first_of(rng: Random) -> Turns:
    names = some_places(rng, 5, 20)
    wanted = kind(rng.choice(names))
    found = next(name for name in names if kind(name) == wanted)
    return [("user", f"{room(names)}\nName one {wanted}."), ("assistant", f"Answer: {found}.")]


def station(rng: Random) -> Turns:
    """What a treatment is done with, and that place's name in a room."""
    verb = rng.choice(sorted(STATIONS))
    other = [name for name in some_places(rng, 5, 16) if kind(name) != STATIONS[verb]]
    names = sorted([*other, f"{STATIONS[verb]} {rng.choice((1, 1, 1, 2))}"], key=kind)
    where = next(name for name in names if kind(name) == STATIONS[verb])
    thing = f"{rng.choice(THINGS)} {rng.randint(1, 3)}"
    ask = rng.choice((f"Where do I {verb} the {thing}?", f"Where does the {thing} get {STATES[verb]}?"))
    return [
        ("user", f"{room(names)}\n{ask}"),
        ("assistant", f"Answer: {thing} gets {STATES[verb]} at {where}."),
    ]


def closed(rng: Random) -> Turns:
    place = f"{rng.choice(sorted(OPENABLE))} {rng.randint(1, 9)}"
    if rng.random() < 0.5:
        told, said = f"The {place} is closed.", f"{place} is closed."
    else:
        told, said = seen(place, some_things(rng)), f"{place} is open."
    return [("user", f"{told}\nIs it open?"), ("assistant", f"Answer: {said}")]


def goal_parts(rng: Random) -> Turns:
    """A task sentence taken apart: which thing, how treated, to which place."""
    thing, place = rng.choice(sorted(KINDS)), rng.choice(PLACES)
    verb = rng.choice(sorted(STATIONS))
    sentence, answer = rng.choice(
        (
            (f"put a {thing} in {place}.", f"thing {thing}, place {place}."),
            (f"put some {thing} on {place}.", f"thing {thing}, place {place}."),
            (f"put two {thing} in {place}.", f"thing two {thing}, place {place}."),
            (f"find two {thing} and put them in {place}.", f"thing two {thing}, place {place}."),
            (
                f"{verb} some {thing} and put it in {place}.",
                f"thing {STATES[verb]} {thing}, place {place}.",
            ),
            (
                f"put a {STATES[verb]} {thing} in {place}.",
                f"thing {STATES[verb]} {thing}, place {place}.",
            ),
            (f"examine the {thing} with the desklamp.", f"thing {thing}, lamp desklamp."),
            (f"look at {thing} under the floorlamp.", f"thing {thing}, lamp floorlamp."),
        )
    )
    return [
        ("user", f"Your task is to: {sentence}\nWhat is asked?"),
        ("assistant", f"Answer: {answer}"),
    ]


def knowledge(rng: Random) -> Turns:
    thing = rng.choice(sorted(KINDS))
    kept = sorted(homes(thing), key=lambda place: -homes(thing)[place])
    return [
        ("user", f"Where is a {thing} kept?"),
        ("assistant", "Answer: " + ", ".join(kept[:6]) + "."),
    ]


DRILLS: tuple[tuple[Callable[[Random], Turns], float], ...] = (
    (copy_list, 0.4),
    (copy_kind, 1.0),
    (successor, 2.0),
    (order, 1.5),
    (likely, 3.0),
    (present, 3.0),
    (remembered, 2.5),
    (left, 2.0),
    (hands, 1.5),
    (first_of, 0.7),
    (station, 0.7),
    (closed, 0.4),
    (goal_parts, 0.4),
    (knowledge, 0.2),
)


def drill(rng: Random) -> Turns:
    functions, weights = zip(*DRILLS, strict=True)
    chosen: Callable[[Random], Turns] = rng.choices(functions, weights)[0]
    return chosen(rng)


def practice(rng: Random) -> Turns:
    """One drill, or several in one conversation: what is asked must be found among what is not."""
    return [turn for _ in range(rng.choice((1, 1, 2, 4, 6, 9))) for turn in drill(rng)]
