"""An expert that acts from what it is told only.

It reads the question, remembers what each variable is, looks at what a tool lists before it uses it,
and answers when there is a variable of what is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tmbr.core.types import Action
from tmbr.environments.knowledge_graph import TOOLS, And, Arg, Call, Count, Join, Program
from tmbr.environments.knowledge_graph.questions import read
from tmbr.environments.knowledge_graph.schema import ATTRIBUTES, RELATIONS

_LISTED = re.compile(r"Observation: \[(.*)\]")
_MADE = re.compile(r"Observation: variable #(\d+), which ")


@dataclass(frozen=True, slots=True)
class Move:
    """A short thought, and the call or the variable to answer with that follows from it."""

    thought: str
    act: Call | str


@dataclass(slots=True)
class Memory:
    """What was told. variables: number -> program; relations, attributes: of what -> as listed.

    done: the calls that need not be made again, whatever came of them: what they named was there.
    """

    variables: dict[str, Program] = field(default_factory=dict)
    relations: dict[str, list[str]] = field(default_factory=dict)
    attributes: dict[str, list[str]] = field(default_factory=dict)
    done: set[Call] = field(default_factory=set)

    @classmethod
    def of(cls, turns: Sequence[tuple[Action | None, str]]) -> Memory:
        memory = cls()
        for action, answer in turns:
            if action is not None and action.name in TOOLS:
                arguments = tuple(action.arguments[key] for key in TOOLS[action.name][1])
                memory.hear(Call(action.name, arguments), answer)
        return memory

    def hear(self, call: Call, answer: str) -> None:
        if all(name in self.variables for name in call.arguments if name.startswith("#")):
            self.done.add(call)
        listed, made = _LISTED.match(answer), _MADE.match(answer)
        if listed:
            lists = self.relations if call.name == "get_relations" else self.attributes
            lists[call.arguments[0]] = listed[1].split(", ") if listed[1] else []
        elif made:
            program = self._program(call)
            if program is not None:
                self.variables[f"#{made[1]}"] = program

    def known(self, program: Program) -> str | None:
        """What a program is called here: an entity's own name, or the first variable that holds it."""
        if isinstance(program, str):
            return program
        return next((name for name, held in self.variables.items() if held == program), None)

    def _program(self, call: Call) -> Program | None:
        first, second = self._meant(call.arguments[0]), call.arguments[-1]
        if first is None:
            return None
        match call.name:
            case "get_neighbors":
                return Join(second, first)
            case "intersection":
                other = self._meant(second)
                return None if other is None else And(first, other)
            case "argmax" | "argmin":
                return Arg("ARGMAX" if call.name == "argmax" else "ARGMIN", first, second)
            case _:
                return Count(first)

    def _meant(self, name: str) -> Program | None:
        return self.variables.get(name) if name.startswith("#") else name


def decide(question: str, entities: Sequence[str], turns: Sequence[tuple[Action | None, str]]) -> Move:
    """The expert's next move after these (action, answer) turns."""
    memory = Memory.of(turns)
    program = read(question)
    move = None if program is None else _towards(program, memory)
    if program is None or (move is not None and move.act in memory.done):
        return _at_a_loss(entities, memory)
    found = memory.known(program) or "#0"
    return move or Move(f"{found} is what was asked for.", found)


def _towards(program: Program, memory: Memory) -> Move | None:
    """The next call on the way to a program; None when there is a variable of it.

    Each thought names what is needed next, in the question's words and in the graph's.
    """
    if isinstance(program, str) or memory.known(program) is not None:
        return None
    if isinstance(program, And):
        sides = (program.left, program.right)
        names = tuple(memory.known(side) or "" for side in sides)
        both = Move(f"I need what is in {names[0]} and in {names[1]}.", Call("intersection", names))
        return _towards(sides[0], memory) or _towards(sides[1], memory) or both
    first = _towards(program.base, memory)
    if first is not None:
        return first
    source = memory.known(program.base) or ""
    match program:
        case Join(relation, _):
            return _join(source, relation, memory)
        case Arg(name, _, attribute):
            return _extreme(source, name, attribute, memory)
        case Count():
            return Move(f"I need the number of {source}.", Call("count", (source,)))


def _join(source: str, relation: str, memory: Memory) -> Move:
    need = RELATIONS[relation].phrases[0] + source
    if source not in memory.relations:
        return Move(f"I need {need}.", Call("get_relations", (source,)))
    return Move(f"{relation} gives {need}.", Call("get_neighbors", (source, relation)))


def _extreme(source: str, name: str, attribute: str, memory: Memory) -> Move:
    most = "greatest" if name == "ARGMAX" else "least"
    need = f"the {most} {ATTRIBUTES[attribute].noun} of {source}"
    if source not in memory.attributes:
        return Move(f"I need {need}.", Call("get_attributes", (source,)))
    return Move(f"{attribute} gives {need}.", Call(name.lower(), (source, attribute)))


def _at_a_loss(entities: Sequence[str], memory: Memory) -> Move:
    """A question that it cannot read, or a way that is not there: look around, then guess the last."""
    why = "I do not see the way."
    for entity in entities:
        if Call("get_relations", (entity,)) not in memory.done:
            return Move(why, Call("get_relations", (entity,)))
        for relation in memory.relations.get(entity, [])[:1]:
            step = Call("get_neighbors", (entity, relation))
            if step not in memory.done:
                return Move(why, step)
    return Move(why, next(reversed(memory.variables), "#0"))
