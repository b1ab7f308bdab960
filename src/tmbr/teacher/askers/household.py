"""Questions about a household: a furnished room, and one of ALFRED's six goals in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tmbr.core.types import Sample, digest
from tmbr.environments.household import GENERATOR, TASK_TYPES, Game
from tmbr.environments.household.furniture import KINDS, LAMPS, OPENABLE, ROOMS
from tmbr.tasks.base import split_seed
from tmbr.tasks.household.task import SIZES, Household
from tmbr.teacher.asker import Content, Question, Unfit, by_turns, sentence, texts
from tmbr.teacher.prompts import prompt

#: Short name of each goal, ALFRED's, and what it wants.
GOALS = {
    "place": ("pick_and_place_simple", "a thing put into or on a place"),
    "two": ("pick_two_obj_and_place", "two things of a kind put into or on one place"),
    "clean": ("pick_clean_then_place_in_recep", "a thing cleaned at the sinkbasin, then put somewhere"),
    "heat": ("pick_heat_then_place_in_recep", "a thing heated in the microwave, then put somewhere"),
    "cool": ("pick_cool_then_place_in_recep", "a thing cooled in the fridge, then put somewhere"),
    "light": ("look_at_obj_in_light", "a thing held and looked at under a lamp that is switched on"),
}
assert {full for full, _ in GOALS.values()} == set(TASK_TYPES)
_NEEDS = {"clean": {"sinkbasin"}, "heat": {"microwave"}, "cool": {"fridge"}}
_NAMES = frozenset({*KINDS, *LAMPS, *OPENABLE, *(name for room in ROOMS for name, _, _ in room.places)})
_WORD = re.compile(r"[a-z]+")


class HouseholdAsker:
    """The rooms are those of the training split: no other has their seeds."""

    categories: Mapping[str, str] = {name: told for name, (_, told) in GOALS.items()}
    brief = prompt("household")

    def __init__(self, task: Household) -> None:
        self._task = task

    def content(self, seed: int) -> Content:
        game = self._house(seed)
        layout = game.layout
        lines = [
            f"{name}{' (closed)' if place in layout.openable else ''}: "
            + (", ".join(layout.things[thing] for thing in layout.inside[place]) or "nothing")
            for place, name in enumerate(layout.receptacles)
        ]
        kinds = _kinds(layout.receptacles) | _kinds(layout.things)
        fit = [name for name in GOALS if _NEEDS.get(name, set()) <= kinds]
        if not kinds & LAMPS:
            fit.remove("light")
        if len(_kinds(layout.things)) == len(layout.things):
            fit.remove("two")
        return Content(seed, "\n".join(lines), tuple(fit))

    def read(self, content: Content, said: Mapping[str, Any]) -> Question:
        told = sentence(said)
        goal, thing, place = texts(said, "goal", "thing", "place")
        if goal not in GOALS:
            raise Unfit("format", f"there is no goal {goal!r}")
        game = self._house(content.seed)
        layout = game.layout
        things, places = _kinds(layout.things), _kinds(layout.receptacles)
        _grounded(told, thing, place, things, things & LAMPS if goal == "light" else places)
        if unknown := (_NAMES & {*_WORD.findall(told.lower())}) - things - places:
            raise Unfit("grounding", f"the sentence names {min(unknown)}, which is not in this room")
        setup = {
            "seed": _seed(content.seed),
            "generator": GENERATOR,
            "goal": [GOALS[goal][0], thing, place],
        }
        found = [layout.receptacles[p] for p, t in _seats(game) if layout.things[t].split()[0] == thing]
        facts = f"{told} {goal} | {thing}: {', '.join(found)} | {place}: {len(places)}"
        return Question(told, setup, None, goal, facts, _world(game))

    def _house(self, seed: int) -> Game:
        """As the task will open it."""
        setup = {"seed": _seed(seed), "generator": GENERATOR}
        return self._task.game(Sample("", "household", "train", "", setup))

    def level(self, question: Question, turns: int) -> str:  # noqa: ARG002
        return by_turns(turns, 6, 10)

    def world(self, sample: Sample) -> str:
        return _world(self._task.game(sample))


def _seed(seed: int) -> int:
    return split_seed("train", seed, SIZES)


def _grounded(told: str, thing: str, place: str, things: set[str], targets: set[str]) -> None:
    for name, known in ((thing, things), (place, targets)):
        if name not in known:
            raise Unfit("grounding", f"there is no {name!r} of that kind in this room")
        if name not in _WORD.findall(told.lower()):
            raise Unfit("grounding", f"the sentence does not name {name!r}")


def _kinds(names: tuple[str, ...]) -> set[str]:
    return {name.rsplit(" ", 1)[0] for name in names}


def _seats(game: Game) -> list[tuple[int, int]]:
    return [(place, thing) for place, held in enumerate(game.layout.inside) for thing in held]


def _world(game: Game) -> str:
    """Of what is where, whatever is asked."""
    layout = game.layout
    seats = sorted((layout.receptacles[place], layout.things[thing]) for place, thing in _seats(game))
    return digest([sorted(layout.receptacles), seats])
