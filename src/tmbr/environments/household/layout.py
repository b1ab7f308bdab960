"""What a scene looks like to the engine: names, indices and tables that no action changes.

Receptacles, things and locations are integers from here on, in the order of their ids, which is the
order in which the reference engine lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from tmbr.core.errors import DataError, nearest

from .scene import Scene, Thing, Version, numbered

#: Where things get clean; `alfred.pddl` differs here between the text versions.
BASINS = {"put": ("sinkbasin",), "move": ("sinkbasin", "sink")}
KNIVES = ("knife", "butterknife")

#: What a goal asks of its thing besides the type.
_ABLE = {
    "pick_clean_then_place_in_recep": "cleanable",
    "pick_heat_then_place_in_recep": "heatable",
    "pick_cool_then_place_in_recep": "coolable",
}


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The unchanging tables of one scene in one text version; equal when scene and version are.

    receptacles, things, locations: printed names by index.
    at: the location of each receptacle. here: the receptacles at each location.
    ways: each `go to` command with its receptacle, in order; `way` is the same for look-up.
    inside: for each receptacle, the things in it at the start.
    lying: for each location, the things that count as lying there at the start.
    fits: for each receptacle, the things that `put` allows in it.
    goal_things, goal_targets: what the goal may be met with (things; receptacles or lamps).
    """

    version: Version
    scene: Scene
    digest: str
    receptacles: tuple[str, ...]
    things: tuple[str, ...]
    locations: tuple[str, ...]
    start: int
    at: tuple[int, ...]
    here: tuple[tuple[int, ...], ...]
    ways: tuple[tuple[str, int], ...]
    way: Mapping[str, int]
    inside: tuple[tuple[int, ...], ...]
    lying: tuple[tuple[int, ...], ...]
    contents: tuple[tuple[int, ...], ...]
    fits: tuple[frozenset[int], ...]
    openable: frozenset[int]
    basins: frozenset[int]
    microwaves: frozenset[int]
    fridges: frozenset[int]
    knives: frozenset[int]
    goal_things: frozenset[int]
    goal_targets: frozenset[int]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @classmethod
    def of(cls, scene: Scene, version: Version) -> Layout:
        """The tables of `scene`. Raises DataError where a thing refers to what is not there."""
        receptacles, things, goal = scene.receptacles, scene.things, scene.goal
        places = {scene.start, *(r.location for r in receptacles)}
        locations = sorted(places.union(*(t.locations or () for t in things)))
        room = {key: i for i, key in enumerate(locations)}
        names = numbered([*(r.id for r in receptacles), *(t.id for t in things), *locations])
        at = tuple(room[r.location] for r in receptacles)
        ways = sorted((f"go to {names[r.id]}", i) for i, r in enumerate(receptacles))
        seat, berth, bowl = _indices(scene, room)
        looking = goal.task_type == "look_at_obj_in_light"
        kinds = [r.type for r in receptacles]
        return cls(
            version=version,
            scene=scene,
            digest=blake2b(f"{version} {_content(scene)}".encode(), digest_size=8).hexdigest(),
            receptacles=tuple(names[r.id] for r in receptacles),
            things=tuple(names[t.id] for t in things),
            locations=tuple(names[key] for key in locations),
            start=room[scene.start],
            at=at,
            here=_grouped(((place, r) for r, place in enumerate(at)), len(locations)),
            ways=tuple(ways),
            way=dict(ways),
            inside=_grouped(((r, t) for t, r in seat), len(receptacles)),
            lying=_grouped(((place, t) for t, place in berth), len(locations)),
            contents=_grouped(bowl, len(things)),
            fits=tuple(
                frozenset(i for i, t in enumerate(things) if (kind, t.type) in scene.can_contain)
                for kind in kinds
            ),
            openable=frozenset(i for i, r in enumerate(receptacles) if r.openable),
            basins=_of_types(kinds, BASINS[version]),
            microwaves=_of_types(kinds, ("microwave",)),
            fridges=_of_types(kinds, ("fridge",)),
            knives=_of_types((t.type for t in things), KNIVES),
            goal_things=_wanted(things, goal.thing, _ABLE.get(goal.task_type)),
            goal_targets=(
                _wanted(things, goal.target, "toggleable")
                if looking
                else _of_types(kinds, (goal.target,))
            ),
        )


Pairs = list[tuple[int, int]]


def _indices(scene: Scene, room: Mapping[str, int]) -> tuple[Pairs, Pairs, Pairs]:
    """(thing, receptacle), (thing, location) and (container, thing) of the start, as indices."""
    of_place = {r.id: i for i, r in enumerate(scene.receptacles)}
    of_thing = {t.id: i for i, t in enumerate(scene.things)}
    seat: Pairs = []
    berth: Pairs = []
    bowl: Pairs = []
    for i, thing in enumerate(scene.things):
        seat.extend((i, _found(name, thing, of_place)) for name in thing.inside)
        berth.extend((i, room[name]) for name in thing.locations or ())
        bowl.extend((i, _found(name, thing, of_thing)) for name in thing.contents)
    return seat, berth, bowl


def _found(name: str, thing: Thing, known: Mapping[str, int]) -> int:
    if name not in known:
        raise DataError(f"scene: {thing.id} refers to {name!r}, {nearest(name, known)}")
    return known[name]


def _grouped(pairs: Iterable[tuple[int, int]], count: int) -> tuple[tuple[int, ...], ...]:
    groups: list[list[int]] = [[] for _ in range(count)]
    for key, value in pairs:
        groups[key].append(value)
    return tuple(tuple(sorted(group)) for group in groups)


def _of_types(kinds: Iterable[str], wanted: tuple[str, ...]) -> frozenset[int]:
    return frozenset(i for i, kind in enumerate(kinds) if kind in wanted)


def _wanted(things: tuple[Thing, ...], kind: str, able: str | None) -> frozenset[int]:
    fit = {i for i, t in enumerate(things) if t.type == kind and (able is None or getattr(t, able))}
    return frozenset(fit)


def _content(scene: Scene) -> str:
    return repr((scene.receptacles, scene.things, sorted(scene.can_contain), scene.goal, scene.start))
