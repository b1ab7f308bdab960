"""What a household game is made of: receptacles, things, what may hold what, and the goal.

Names follow ALFWorld's planning domain (`alfred.pddl`, ALFWorld json_2.1.1). Everything is lower case,
as the reference engine's parser makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

from tmbr.core.errors import DataError, nearest

#: The two text versions: `put X in/on Y` (AgentBench) and `move X to Y` (ALFWorld 0.4 and its files).
Version = Literal["put", "move"]

TaskType = Literal[
    "pick_and_place_simple",
    "pick_two_obj_and_place",
    "pick_clean_then_place_in_recep",
    "pick_heat_then_place_in_recep",
    "pick_cool_then_place_in_recep",
    "look_at_obj_in_light",
]

VERSIONS: tuple[Version, ...] = get_args(Version)
TASK_TYPES: tuple[TaskType, ...] = get_args(TaskType)

Part = TypeVar("Part", "Receptacle", "Thing")


@dataclass(frozen=True, slots=True)
class Receptacle:
    """A place that holds things and that the agent can go to.

    In `Scene.build`, `id` and `location` may stay empty: the receptacle then gets a place of its own.
    Receptacles with equal locations are reached together.
    """

    type: str
    location: str = ""
    openable: bool = False
    opened: bool = False
    id: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """An object: where it is at the start, what can be done with it, and what has been done.

    inside: the receptacles that hold it, by id or (in `Scene.build`) by printed name; real scenes
        have pots that are on a stove burner and on the counter at once.
    locations: where it counts as lying, which decides slicing and the floor list; real scenes have
        things whose location is not their receptacle's. `None`: the locations of `inside`.
    container: it can hold other things (a plate); `contents` are their ids, which only `examine` shows.
    """

    type: str
    inside: tuple[str, ...] = ()
    locations: tuple[str, ...] | None = None
    pickupable: bool = True
    toggleable: bool = False
    sliceable: bool = False
    heatable: bool = False
    coolable: bool = False
    cleanable: bool = False
    container: bool = False
    contents: tuple[str, ...] = ()
    hot: bool = False
    cool: bool = False
    clean: bool = False
    sliced: bool = False
    toggled: bool = False
    id: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """One of ALFRED's six: a thing of type `thing`, at a receptacle (or lamp) of type `target`."""

    task_type: TaskType
    thing: str
    target: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A room and a goal, without words. Receptacles and things are in the order of their ids.

    can_contain: pairs (receptacle type, thing type) that `put` allows.
    start: the location at which the agent begins.
    """

    receptacles: tuple[Receptacle, ...]
    things: tuple[Thing, ...]
    can_contain: frozenset[tuple[str, str]]
    goal: Goal
    start: str

    @classmethod
    def build(
        cls,
        receptacles: Iterable[Receptacle],
        things: Iterable[Thing],
        goal: Goal,
        can_contain: Iterable[tuple[str, str]],
        start: str = "",
    ) -> Scene:
        """A scene from parts that may lack ids, locations and lower case.

        The k-th receptacle or thing of a type is printed as `type k`, and the k-th place as `loc k`.
        Raises DataError for a reference to nothing, an id given twice, or an unknown task type.
        """
        places = _placed([_lowered(receptacle) for receptacle in receptacles])
        wanted = [_lowered(thing) for thing in things]
        objects = [replace(t, id=key) for t, key in zip(wanted, _ids(wanted), strict=True)]
        named = _named([*places, *objects])
        where = {r.id: r.location for r in places}
        objects = [_settled(thing, named, where) for thing in objects]
        if goal.task_type not in TASK_TYPES:
            raise DataError(f"unknown goal {goal.task_type!r}: {nearest(goal.task_type, TASK_TYPES)}")
        goal = Goal(goal.task_type, goal.thing.lower(), goal.target.lower())
        pairs = frozenset((r.lower(), t.lower()) for r, t in can_contain)
        return cls.of(places, objects, pairs, goal, _location(start or "000"))

    @classmethod
    def of(
        cls,
        receptacles: Iterable[Receptacle],
        things: Iterable[Thing],
        can_contain: frozenset[tuple[str, str]],
        goal: Goal,
        start: str,
    ) -> Scene:
        """The scene of complete parts, put in order. Raises DataError for an id given twice."""
        places = tuple(sorted(receptacles, key=lambda r: r.id))
        objects = tuple(sorted(things, key=lambda t: t.id))
        seen: set[str] = set()
        parts: list[Receptacle | Thing] = [*places, *objects]
        for part in parts:
            if part.id in seen:
                raise DataError(f"scene: the id {part.id!r} is given twice; make ids unique")
            if "_bar_" not in part.id:
                raise DataError(f"scene: the id {part.id!r} is not of the form TYPE_bar_PLACE")
            seen.add(part.id)
        return cls(places, objects, can_contain, goal, start)


def numbered(ids: Iterable[str]) -> dict[str, str]:
    """The printed name of each id, as ALFWorld's `Demangler` gives it (agents/utils/misc.py).

    Within a type the numbers go down as the ids go up, and a sink's basin is a `sinkbasin`.
    """
    of_type: dict[str, list[str]] = {}
    for key in sorted(ids):
        head = key.split("_bar_", 1)[0]
        of_type.setdefault(head + "basin" if "basin" in key else head, []).append(key)
    return {
        key: f"{head} {len(keys) - rank}"
        for head, keys in of_type.items()
        for rank, key in enumerate(keys)
    }


def _named(parts: Iterable[Receptacle | Thing]) -> dict[str, str]:
    """The id of each part by its printed name and by itself."""
    names = numbered(part.id for part in parts)
    return {name: key for key, name in names.items()} | {key: key for key in names}


def _ids(parts: Sequence[Receptacle | Thing]) -> list[str]:
    """An id for each part, such that the k-th of a type is printed with number k."""
    left: dict[str, int] = {}
    for part in parts:
        left[part.type] = left.get(part.type, 0) + 1
    ids = []
    for part in parts:
        suffix = f"{left[part.type]:03d}"
        left[part.type] -= 1
        head = part.type.removesuffix("basin")
        basin = f"_bar_{part.type}" if head != part.type else ""
        ids.append(part.id or f"{head}_bar_{suffix}{basin}")
    return ids


def _placed(receptacles: list[Receptacle]) -> list[Receptacle]:
    count = len(receptacles)
    return [
        replace(r, id=key, location=_location(r.location or f"{count - rank:03d}"))
        for rank, (r, key) in enumerate(zip(receptacles, _ids(receptacles), strict=True))
    ]


def _settled(thing: Thing, named: Mapping[str, str], where: Mapping[str, str]) -> Thing:
    """The thing with what it refers to as ids, and its locations filled in."""
    inside = tuple(sorted(_found(name, thing, named) for name in thing.inside))
    if thing.locations is None:
        locations = tuple(sorted({where[r] for r in inside if r in where}))
    else:
        locations = tuple(sorted(_location(place) for place in thing.locations))
    contents = tuple(sorted(_found(name, thing, named) for name in thing.contents))
    return replace(thing, inside=inside, locations=locations, contents=contents)


def _found(name: str, thing: Thing, named: Mapping[str, str]) -> str:
    if name not in named:
        raise DataError(f"scene: {thing.id} refers to {name!r}, {nearest(name, named)}")
    return named[name]


def _location(name: str) -> str:
    return name.lower() if name.lower().startswith("loc_bar_") else f"loc_bar_{name.lower()}"


def _lowered(part: Part) -> Part:
    return replace(part, type=part.type.lower(), id=part.id.lower())
