"""The seven tools of AgentBench's knowledge graph (AgentBench src/server/tasks/knowledgegraph/api.py).

A state is a tuple of variables, which are programs and not sets: nothing is asked of the graph but what
a tool has to list. It is an immutable value, so a fork is a copy of a reference.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from .graph import Graph
from .program import And, Arg, Count, Join, Program, QueryError, relations_query, sparql

#: Answers kept by a view of a graph, the last used.
KEPT = 64
#: Characters of an id, and of what is told of an error.
LONGEST = 400
_UNFIT = "Arguments do not match the function signature. Error processing arguments for"
_ENTITY = re.compile(r"[mf]\.\w+")


@dataclass(frozen=True, slots=True)
class Ontology:
    """relations: those that get_relations may list, attributes: those of get_attributes.

    ranges: relation -> type of what it leads to.
    """

    relations: frozenset[str]
    attributes: frozenset[str]
    ranges: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A graph with its ontology. What was asked before is remembered: the graph does not change."""

    graph: Graph
    ontology: Ontology
    _kept: OrderedDict[str, tuple[str, ...]] = field(default_factory=OrderedDict, compare=False)

    def relations(self, program: Program) -> list[str]:
        """Sorted names of the relations that lead out of an entity or of a program's members."""
        return sorted(self.ontology.relations.intersection(self._leading_out(program)))

    def attributes(self, program: Program) -> list[str]:
        """The same for attributes."""
        return sorted(self.ontology.attributes.intersection(self._leading_out(program)))

    def members(self, program: Program) -> frozenset[str]:
        """What a program stands for. Raises QueryError."""
        return frozenset(self._ask(sparql(program)))

    def _leading_out(self, program: Program) -> tuple[str, ...]:
        # Nothing leads out of a number; AgentBench's own query would list the whole graph there.
        return () if isinstance(program, Count) else self._ask(relations_query(program))

    def _ask(self, query: str) -> tuple[str, ...]:
        if query not in self._kept:
            self._kept[query] = tuple(self.graph.select(query))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[query]


@dataclass(frozen=True, slots=True)
class Variable:
    type: str
    program: Program


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state after a call, what is told, and whether the call could be done."""

    state: State
    told: str
    done: bool


@dataclass(frozen=True, slots=True)
class State:
    """entities: what the question's entities are called -> id."""

    knowledge: Knowledge
    entities: Mapping[str, str]
    variables: tuple[Variable, ...] = ()

    def call(self, name: str, arguments: Mapping[str, str]) -> Outcome:
        """Use one of `TOOLS`. What cannot be done is told and changes nothing.

        Raises EnvironmentFault when the graph does not answer.
        """
        if name not in TOOLS:
            told = f"Provide an invalid function name. Function {name[:80]} does not exist"
            return Outcome(self, told, False)
        tool, parameters = TOOLS[name]
        if not all(key in arguments for key in parameters):
            return Outcome(self, f"{_UNFIT} {name}", False)
        try:
            made = tool(self, *(self._meant(arguments[key]) for key in parameters))
        except QueryError as error:
            return Outcome(self, f"Error processing tool call: {error}"[:LONGEST], False)
        if isinstance(made, list):
            return Outcome(self, f"Observation: [{', '.join(made)}]", True)
        kind = "is a number" if isinstance(made.program, Count) else f"are instances of {made.type}"
        told = f"Observation: variable #{len(self.variables)}, which {kind}"
        return Outcome(replace(self, variables=(*self.variables, made)), told, True)

    def answer(self, number: str) -> frozenset[str]:
        """The members of variable #number. Raises QueryError where there are none to be had."""
        return self.knowledge.members(self._numbered(number).program)

    def _meant(self, written: str) -> str | Variable:
        """A variable by its number, an entity by its name, or the text itself."""
        if written.startswith("#"):
            return self._numbered(written[1:])
        return self.entities.get(written, written)

    def _numbered(self, number: str) -> Variable:
        """Errors are told in the words of Python, as AgentBench tells them."""
        try:
            return self.variables[int(number)]
        except IndexError as error:
            raise QueryError("list index out of range") from error
        except ValueError as error:
            raise QueryError(str(error)) from error

    def get_relations(self, of: str | Variable) -> list[str]:
        return self.knowledge.relations(_source("get_relations", of))

    def get_neighbors(self, of: str | Variable, relation: str | Variable) -> Variable:
        source, name = _source("get_neighbors", of), _name(relation)
        if name not in self.knowledge.relations(source):
            raise QueryError("get_neighbors: relation must be a relation of the variable")
        leads_to = self.knowledge.ontology.ranges.get(name)
        if leads_to is None:
            raise QueryError(repr(name))
        return Variable(leads_to, Join(name, source))

    def intersection(self, one: str | Variable, other: str | Variable) -> Variable:
        left, right = _variable(one, "type"), _variable(other, "type")
        if left.type != right.type:
            raise QueryError("intersection: two variables must have the same type")
        return Variable(left.type, And(left.program, right.program))

    def get_attributes(self, of: str | Variable) -> list[str]:
        return self.knowledge.attributes(_variable(of, "program").program)

    def argmax(self, of: str | Variable, attribute: str | Variable) -> Variable:
        return self._extreme("argmax", of, attribute)

    def argmin(self, of: str | Variable, attribute: str | Variable) -> Variable:
        return self._extreme("argmin", of, attribute)

    def count(self, of: str | Variable) -> Variable:
        return Variable("type.int", Count(_variable(of, "program").program))

    def _extreme(self, tool: str, of: str | Variable, attribute: str | Variable) -> Variable:
        variable, name = _variable(of, "program"), _name(attribute)
        if name not in self.knowledge.attributes(variable.program):
            raise QueryError(f"{tool}: attribute must be an attribute of the variable")
        end: Arg = Arg("ARGMAX" if tool == "argmax" else "ARGMIN", variable.program, name)
        return Variable(variable.type, end)


Argument = str | Variable
#: Name -> tool and its parameters in order.
TOOLS: Mapping[str, tuple[Callable[..., list[str] | Variable], tuple[str, ...]]] = {
    "get_relations": (State.get_relations, ("variable",)),
    "get_neighbors": (State.get_neighbors, ("variable", "relation")),
    "intersection": (State.intersection, ("variable1", "variable2")),
    "get_attributes": (State.get_attributes, ("variable",)),
    "argmax": (State.argmax, ("variable", "attribute")),
    "argmin": (State.argmin, ("variable", "attribute")),
    "count": (State.count, ("variable",)),
}


def _source(tool: str, of: Argument) -> Program:
    if isinstance(of, Variable):
        return of.program
    if len(of) > LONGEST or not _ENTITY.fullmatch(of):
        raise QueryError(f"{tool}: variable must be a variable or an entity")
    return of


def _variable(of: Argument, wanted: str) -> Variable:
    """What is no variable is told in the words of Python, as AgentBench tells it."""
    if isinstance(of, Variable):
        return of
    raise QueryError(f"'str' object has no attribute '{wanted}'")


def _name(of: Argument) -> str:
    """The name of a relation or attribute; a variable is none, and never in a list."""
    return of if isinstance(of, str) else ""
