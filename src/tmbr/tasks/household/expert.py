"""An expert that acts from observations only: it plans where to look, remembers, and finishes.

`decide` is a policy over conversations. The order in which it searches comes from a prior: how often
things of a kind are found in places of a kind. Its thoughts speak as the base's practice does
(recipes/nano_base/drills.py), so that a short tuning has little wording to teach.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from tmbr.tasks.household.goal import Goal, read_goal
from tmbr.tasks.household.memory import Memory, kind
from tmbr.tasks.household.prior import Prior

#: How many places a plan names.
PLAN = 6
_STATION = {"clean": "sinkbasin", "hot": "microwave", "cool": "fridge"}
_VERB = {"clean": "clean", "hot": "heat", "cool": "cool"}


@dataclass(frozen=True, slots=True)
class Move:
    """A short thought and the command that follows from it."""

    thought: str
    command: str


def decide(room: str, turns: Iterable[tuple[str, str]], prior: Prior) -> Move:
    """The expert's next move after these (command, answer) turns in this room."""
    goal = read_goal(room.rsplit("Your task is to:", 1)[-1].split("\n", 1)[0])
    memory = Memory.of(room, turns)
    if goal is None or not memory.places:
        return Move("I do not understand this task.", "look")
    return _Decision(goal, memory, prior).move()


def imagine(room: str, turns: Iterable[tuple[str, str]], rng: Random) -> Move | None:
    """A learner's commonest error: what is looked for is seen where it is not.

    None when nothing is looked for at a place.
    """
    goal = read_goal(room.rsplit("Your task is to:", 1)[-1].split("\n", 1)[0])
    memory = Memory.of(room, turns)
    if goal is None or memory.at is None:
        return None
    wanted = goal.lamp if memory.holding else goal.thing
    if wanted is None or wanted in map(kind, memory.contents.get(memory.at, [])):
        return None
    need = _Decision(goal, memory, {}).need()
    name = f"{wanted} {rng.choice((1, 1, 2, 3))}"
    command = f"use {name}" if memory.holding else f"take {name} from {memory.at}"
    return Move(f"{need} {wanted}: {name} is here.", command)


@dataclass(slots=True)
class _Decision:
    goal: Goal
    memory: Memory
    prior: Prior

    def move(self) -> Move:
        """Each thought begins with the goal, so that no later one depends on a far-away sentence."""
        move = self._wanted()
        if move.command not in self.memory.failed:
            return Move(f"{self.need()} {move.thought}", move.command)
        elsewhere = [p for p in self.memory.places if not self.memory.at_hand(p)]
        ways = [way for p in elsewhere if (way := f"go to {p}") not in self.memory.failed]
        return Move("That does not work here.", ways[0] if ways else "look")

    def need(self) -> str:
        goal = self.goal
        if goal.lamp is not None:
            return f"I need a {goal.thing} under {goal.lamp}."
        if goal.count == 2:
            done = ", one is there" if self.memory.placed else ""
            return f"I need two {goal.thing} for {goal.place}{done}."
        adjective = f"{goal.treatment} " if goal.treatment else ""
        return f"I need a {adjective}{goal.thing} for {goal.place}."

    def _wanted(self) -> Move:
        held = self.memory.holding
        if held and kind(held) != self.goal.thing:
            return self._put_back(held)
        if held:
            return self._finish(held)
        return self._fetch()

    def _fetch(self) -> Move:
        target = self._target()
        wanted = [
            (o, p) for o, p in self.memory.where(self.goal.thing) if self._open_goal(o, p, target)
        ]
        for thing, place in wanted:
            if self.memory.at_hand(place):
                found = f"{self.goal.thing}: {thing} is here."
                return Move(found, f"take {thing} from {place}")
        if wanted:
            thing, place = wanted[0]
            return Move(f"{thing} is at {place}.", f"go to {place}")
        return self._search(self.goal.thing)

    def _open_goal(self, thing: str, place: str, target: str | None) -> bool:
        """Whether this thing still has to be fetched; one that was put down for good has not."""
        if thing in self.memory.placed:
            return False
        return not (self.goal.count == 2 and place == target)

    def _search(self, wanted: str) -> Move:
        here = self.memory.at
        if here is not None and here in self.memory.hidden and not self.memory.searched(here):
            return Move(f"{here} is closed.", f"open {here}")
        unseen = self._order(wanted)
        if not unseen:
            return Move("All was searched.", "look")
        if self.memory.at_hand(unseen[0]):
            verb = "open" if unseen[0] in self.memory.hidden else "examine"
            return Move(f"{unseen[0]} is here too.", f"{verb} {unseen[0]}")
        if here is None or self.memory.since_change % PLAN == 0:
            return Move(f"Try {', '.join(unseen[:PLAN])}.", f"go to {unseen[0]}")
        return Move(f"{wanted}: not here. Next is {unseen[0]}.", f"go to {unseen[0]}")

    def _order(self, wanted: str) -> list[str]:
        """Places not yet searched, likeliest first."""
        likely = self.prior.get(wanted, {})
        places = [p for p in self.memory.places if not self.memory.searched(p)]
        return sorted(places, key=lambda place: -likely.get(kind(place), 0.0))

    def _finish(self, held: str) -> Move:
        if self.goal.lamp is not None:
            return self._under_lamp(self.goal.lamp)
        treatment = self.goal.treatment
        if treatment and (held, treatment) not in self.memory.treated:
            station = self._first(_STATION[treatment])
            if station is None:
                return Move(f"There is no {_STATION[treatment]}.", "look")
            thought = f"{held}, plain. {held} gets {treatment} at {station}."
            if self.memory.at_hand(station):
                return Move(thought, f"{_VERB[treatment]} {held} with {station}")
            return Move(thought, f"go to {station}")
        return self._place(f"{held}, {treatment or 'plain'}.", held)

    def _place(self, state: str, held: str) -> Move:
        target = self._target()
        if target is None:
            return Move(f"There is no {self.goal.place}.", "look")
        if not self.memory.at_hand(target):
            return Move(f"{state} Next is {target}.", f"go to {target}")
        if target in self.memory.hidden:
            return Move(f"{target} is closed.", f"open {target}")
        if not self.memory.searched(target):
            return Move(f"{target} is here too.", f"examine {target}")
        return Move(f"{state} {target} is here.", f"put {held} in/on {target}")

    def _under_lamp(self, lamp: str) -> Move:
        for found, place in self.memory.where(lamp):
            if self.memory.at_hand(place):
                return Move(f"{lamp}: {found} is here.", f"use {found}")
            return Move(f"{found} is at {place}.", f"go to {place}")
        return self._search(lamp)

    def _put_back(self, held: str) -> Move:
        fitting = [p for p in self.memory.places if (kind(held), p) not in self.memory.unfit]
        if not fitting:
            return Move(f"{held} fits nowhere.", "look")
        place = next(filter(self.memory.at_hand, fitting), fitting[0])
        if not self.memory.at_hand(place):
            return Move(f"{held} is not what I need.", f"go to {place}")
        if place in self.memory.hidden:
            return Move(f"{place} is closed.", f"open {place}")
        return Move(f"{held} is not what I need.", f"put {held} in/on {place}")

    def _target(self) -> str | None:
        """The place that all goes to: where one was already put, else the first that may take it."""
        placed = [p for o, p in self.memory.placed.items() if kind(o) == self.goal.thing]
        if placed:
            return placed[0]
        return self._first(self.goal.place) if self.goal.place else None

    def _first(self, place: str) -> str | None:
        fitting = (p for p in self.memory.places if (self.goal.thing, p) not in self.memory.unfit)
        return next((p for p in fitting if kind(p) == place), None)
