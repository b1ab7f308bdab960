"""Small rooms built in Python: a plain one for each goal, and one that holds every quirk."""

from __future__ import annotations

from tmbr.environments.household import Game, Goal, Receptacle, TaskType, Thing, Version

GOALS: dict[TaskType, Goal] = {
    goal.task_type: goal
    for goal in (
        Goal("pick_and_place_simple", "Apple", "SideTable"),
        Goal("pick_two_obj_and_place", "Apple", "SideTable"),
        Goal("pick_clean_then_place_in_recep", "Apple", "SideTable"),
        Goal("pick_heat_then_place_in_recep", "Apple", "SideTable"),
        Goal("pick_cool_then_place_in_recep", "Apple", "SideTable"),
        Goal("look_at_obj_in_light", "Apple", "DeskLamp"),
    )
}

_TAKE = ("go to cabinet 1", "open cabinet 1", "take apple 1 from cabinet 1")
_LAY = ("go to sidetable 1", "put apple 1 in/on sidetable 1")
WALKTHROUGHS: dict[TaskType, tuple[str, ...]] = {
    "pick_and_place_simple": (*_TAKE, *_LAY),
    "pick_two_obj_and_place": (
        *(*_TAKE, *_LAY),
        *("go to diningtable 1", "take apple 2 from diningtable 1"),
        *("go to sidetable 1", "put apple 2 in/on sidetable 1"),
    ),
    "pick_clean_then_place_in_recep": (
        *(*_TAKE, "go to sinkbasin 1", "clean apple 1 with sinkbasin 1", *_LAY),
    ),
    "pick_heat_then_place_in_recep": (
        *(*_TAKE, "go to microwave 1", "heat apple 1 with microwave 1", *_LAY),
    ),
    "pick_cool_then_place_in_recep": (*_TAKE, "go to fridge 1", "cool apple 1 with fridge 1", *_LAY),
    "look_at_obj_in_light": (*_TAKE, "go to sidetable 1", "use desklamp 1"),
}

FITS = [
    (place, thing)
    for place in ("Cabinet", "DiningTable", "SideTable", "Fridge", "Microwave", "SinkBasin")
    for thing in ("Apple", "Knife", "Plate", "Mug")
]


def _apple(place: str) -> Thing:
    return Thing("Apple", (place,), sliceable=True, heatable=True, coolable=True, cleanable=True)


def small(task_type: TaskType, version: Version = "put") -> Game:
    """A kitchen of six places in which the goal of `task_type` can be met."""
    return Game.build(
        [
            Receptacle("Cabinet", openable=True),
            Receptacle("DiningTable"),
            Receptacle("SideTable"),
            Receptacle("Fridge", openable=True),
            Receptacle("Microwave", openable=True),
            Receptacle("SinkBasin"),
        ],
        [
            _apple("cabinet 1"),
            _apple("diningtable 1"),
            Thing("Knife", ("diningtable 1",), cleanable=True),
            Thing("DeskLamp", ("sidetable 1",), pickupable=False, toggleable=True),
        ],
        GOALS[task_type],
        FITS,
        instruction=f"{task_type.replace('_', ' ')}.",
        version=version,
        walkthrough=WALKTHROUGHS[task_type],
    )


def quirky(version: Version = "put") -> Game:
    """A kitchen that begins in front of a table, with all that real scenes have of odd facts.

    Two places share a location, a pot is in two receptacles, a plate has contents, a mug lies where
    its receptacle is not, a cabinet is open from the start, an apple is cool already, a lamp is in a
    closed cabinet, and a window is in nothing.
    """
    return Game.build(
        [
            Receptacle("DiningTable", location="here"),
            Receptacle("SideTable", location="here"),
            Receptacle("Cabinet", location="here", openable=True, opened=True),
            Receptacle("Cabinet", openable=True),
            Receptacle("Microwave", openable=True),
            Receptacle("Fridge", openable=True),
            Receptacle("SinkBasin"),
        ],
        [
            _apple("diningtable 1"),
            Thing("Apple", ("sidetable 1",), heatable=True, coolable=True, cool=True),
            Thing("Bread", ("fridge 1",), sliceable=True, pickupable=False),
            Thing("Knife", ("diningtable 1",), cleanable=True),
            Thing(
                "Plate",
                ("diningtable 1", "sidetable 1"),
                container=True,
                contents=("apple 2", "knife 1"),
            ),
            Thing("Mug", ("cabinet 1",), locations=("elsewhere",), container=True, cleanable=True),
            Thing("DeskLamp", ("cabinet 2",), pickupable=False, toggleable=True),
            Thing("Window", locations=("elsewhere", "here")),
        ],
        Goal("pick_two_obj_and_place", "Apple", "SideTable"),
        FITS,
        instruction="put two apple in sidetable.",
        version=version,
        walkthrough=(),
        start="here",
        name="quirky",
    )
