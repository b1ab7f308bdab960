"""The household as a value: a state, what it admits, and the state after a command.

A state never changes, so a fork is the state itself. Texts, the order of the admissible commands and
every quirk are those of the reference engine, TextWorld 1.7.0 with ALFWorld's domain and grammar; where
a rule looks odd, a comment names the line of `alfred.pddl` or `alfred.twl2` that makes it so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

from .actions import Offer, go, offers
from .layout import Layout
from .words import NOTHING_HAPPENS

Indices = frozenset[int]


@dataclass(frozen=True, slots=True)
class State:
    """One moment of a household; equal states are the same world.

    at: the agent's location. held: the thing in its hand, or -1. opened: receptacles.
    contents: for each receptacle, the things in it. lying: for each location, the things there.
    left: (thing, receptacle) pairs of things that were taken from where they now are not. The domain's
    `checked`, `examined` and `isOn` show in no text, command or goal, so a state does not hold them.
    """

    layout: Layout
    at: int
    held: int
    opened: Indices
    contents: tuple[tuple[int, ...], ...]
    lying: tuple[tuple[int, ...], ...]
    left: frozenset[tuple[int, int]]
    hot: Indices
    cool: Indices
    clean: Indices
    sliced: Indices
    toggled: Indices
    _offers: dict[str, Offer] | None = field(default=None, init=False, compare=False, repr=False)
    _admissible: tuple[str, ...] | None = field(default=None, init=False, compare=False, repr=False)

    @classmethod
    def first(cls, layout: Layout) -> State:
        """The state in which every game of `layout` begins."""
        things = list(enumerate(layout.scene.things))
        return cls(
            layout=layout,
            at=layout.start,
            held=-1,
            opened=frozenset(i for i, r in enumerate(layout.scene.receptacles) if r.opened),
            contents=layout.inside,
            lying=layout.lying,
            left=frozenset(),
            hot=frozenset(i for i, t in things if t.hot),
            cool=frozenset(i for i, t in things if t.cool),
            clean=frozenset(i for i, t in things if t.clean),
            sliced=frozenset(i for i, t in things if t.sliced),
            toggled=frozenset(i for i, t in things if t.toggled),
        )

    def step(self, command: str) -> tuple[State, str]:
        """The state after `command` and what the world answers.

        Outer white space is ignored; anything else must be as in `admissible`, or nothing happens and
        the state stays. Going on after the goal is met is allowed.
        """
        command = command.strip()
        place = self.layout.way.get(command)
        if place is not None and self.layout.at[place] != self.at:
            return go(self, place)
        offer = self._local().get(command)
        if offer is None:
            return self, NOTHING_HAPPENS
        act, first, second = offer
        return act(self, first, second)

    @property
    def admissible(self) -> tuple[str, ...]:
        """The commands that would do something, sorted as text."""
        if self._admissible is None:
            # Going to the current location changes nothing, so the planner drops it.
            at, place = self.at, self.layout.at
            commands = [command for command, to in self.layout.ways if place[to] != at]
            commands.extend(self._local())
            commands.sort()
            object.__setattr__(self, "_admissible", tuple(commands))
        assert self._admissible is not None
        return self._admissible

    @property
    def won(self) -> bool:
        """Whether the goal is met in this state; it may be unmet again later."""
        layout = self.layout
        wanted, targets = layout.goal_things, layout.goal_targets
        match layout.scene.goal.task_type:
            case "look_at_obj_in_light":
                return self.held in wanted and self._lit(targets)
            case "pick_two_obj_and_place":
                return any(len(wanted.intersection(self.contents[r])) > 1 for r in targets)
            case "pick_clean_then_place_in_recep":
                wanted &= self.clean
            case "pick_heat_then_place_in_recep":
                wanted &= self.hot
            case "pick_cool_then_place_in_recep":
                wanted &= self.cool
            case _:
                pass
        return any(not wanted.isdisjoint(self.contents[r]) for r in targets)

    @property
    def key(self) -> str:
        """16 hex digits that stand for the world's content, the same in every process."""
        agent = (self.layout.digest, self.at, self.held)
        places = (sorted(self.opened), self.contents, self.lying, sorted(self.left))
        things = [sorted(s) for s in (self.hot, self.cool, self.clean, self.sliced, self.toggled)]
        content = repr((agent, places, things))
        return blake2b(content.encode(), digest_size=8).hexdigest()

    def fork(self) -> State:
        """This state: nothing can disturb it."""
        return self

    def _lit(self, lamps: Indices) -> bool:
        """Whether one of `lamps` has been used and stands at the agent's location."""
        on = lamps & self.toggled
        return bool(on) and any(not on.isdisjoint(self.contents[r]) for r in self.layout.here[self.at])

    def _local(self) -> dict[str, Offer]:
        """What can be done without going anywhere, by command."""
        if self._offers is None:
            object.__setattr__(self, "_offers", offers(self))
        assert self._offers is not None
        return self._offers
