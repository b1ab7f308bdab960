"""What a variable stands for: a small program over the graph, and the SPARQL that it is asked by.

The text is what AgentBench sends to Virtuoso for the same program (its logic_form_util.lisp_to_sparql):
one flat pattern, the entities of the question filtered out of the answer, and for a superlative an
inner query for the extreme value, with which all that share it are found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

#: Where Freebase's names live.
NAMESPACE = "http://rdf.freebase.com/ns/"
#: Parts of a program. The same variable intersected with itself doubles it each round.
LARGEST = 100
_PREFIX = f"PREFIX ns: <{NAMESPACE}>"
_PLAIN = "FILTER (!isLiteral(?x) OR lang(?x) = '' OR langMatches(lang(?x), 'en'))"


class QueryError(Exception):
    """A query that cannot be answered as it is: the agent's error, and told to it."""


@dataclass(frozen=True, slots=True)
class Join:
    """All that `relation` leads to from `base`, which is an entity's id or another program."""

    relation: str
    base: Program
    size: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 1 + size(self.base))

    def __str__(self) -> str:
        return f"(JOIN {self.relation}_inv {self.base})"


@dataclass(frozen=True, slots=True)
class And:
    """What is in both."""

    left: Program
    right: Program
    size: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 1 + size(self.left) + size(self.right))

    def __str__(self) -> str:
        return f"(AND {self.left} {self.right})"


@dataclass(frozen=True, slots=True)
class Arg:
    """Those of `base` whose attribute is the greatest or the least."""

    name: Literal["ARGMAX", "ARGMIN"]
    base: Program
    attribute: str
    size: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 1 + size(self.base))

    def __str__(self) -> str:
        return f"({self.name} {self.base} {self.attribute})"


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are."""

    base: Program
    size: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 1 + size(self.base))

    def __str__(self) -> str:
        return f"(COUNT {self.base})"


#: An entity's id, or what is made of others.
Program = str | Join | And | Arg | Count


def size(program: Program) -> int:
    """Parts of a program, each counted as often as it is used."""
    return 1 if isinstance(program, str) else program.size


def sparql(program: Program) -> str:
    """The query for the members of a program that is no lone entity, each once, as `?x`.

    Raises QueryError for a program of more than `LARGEST` parts.
    """
    if size(program) > LARGEST:
        raise QueryError(f"the variable is made of more than {LARGEST} parts")
    pattern = _Pattern()
    answer = pattern.add(program)
    triples = [line.replace(f"?x{answer} ", "?x ") for line in pattern.lines()]
    filters = [f"FILTER (?x != ns:{entity})" for entity in dict.fromkeys(pattern.entities)]
    inner = ["WHERE {", _PLAIN, *triples, *filters, "}", *pattern.order]
    if pattern.counts:
        inner = ["SELECT COUNT DISTINCT ?x", *inner]
    elif pattern.order:
        inner = ["SELECT DISTINCT ?x", "WHERE {", *triples, "{SELECT ?sk0", *inner]
    else:
        inner = ["SELECT DISTINCT ?x", *inner]
    return "\n".join([_PREFIX, *inner, *(["}", "}"] if pattern.order else [])])


def relations_query(program: Program) -> str:
    """The query for the names of all that leads out of an entity or of a program's members."""
    if isinstance(program, str):
        return "\n".join(
            [
                _PREFIX,
                "SELECT DISTINCT ?rel",
                "WHERE {",
                f"ns:{program} ?rel ?obj .",
                f'FILTER regex(?rel, "{NAMESPACE}")',
                "}",
            ]
        )
    prefix, *rest = sparql(program).split("\n")
    outer = [prefix, "SELECT DISTINCT ?rel", "WHERE {", "?x ?rel ?obj .", "{"]
    return "\n".join([*outer, *rest, "}", "}"])


@dataclass(slots=True)
class _Pattern:
    """A program as flat triples; its parts are numbered as they end, equal ones share the lowest."""

    triples: list[tuple[int | str, str, int | str]] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    counts: bool = False
    same: list[int] = field(default_factory=list)

    def add(self, program: Program) -> int:
        """The number of a part, after those that it is made of."""
        match program:
            case Join(relation, str(entity)):
                me = self._number()
                if entity.startswith("m."):
                    self.entities.append(entity)
                    entity = f"ns:{entity}"
                self.triples.append((entity, relation, me))
            case Join(relation, base):
                source = self.add(base)
                me = self._number()
                self.triples.append((source, relation, me))
            case And(left, right):
                parts = self.add(left), self.add(right)
                me = self._number(*parts)
            case Arg(name, base, attribute):
                me = self._number(self.add(base))
                self.triples.append((me, attribute, "?sk0"))
                key = "?sk0" if name == "ARGMIN" else "DESC(?sk0)"
                self.order += [f"ORDER BY {key}", "LIMIT 1"]
            case Count(base):
                me = self._number(self.add(base))
                self.counts = True
            case _:
                raise AssertionError(f"{program!r} has no members to ask for")
        return self._root(me)

    def lines(self) -> list[str]:
        return [f"{self._term(s)} ns:{relation} {self._term(o)} ." for s, relation, o in self.triples]

    def _term(self, part: int | str) -> str:
        return part if isinstance(part, str) else f"?x{self._root(part)}"

    def _number(self, *equals: int) -> int:
        """A new number, of the same set as these."""
        me = len(self.same)
        self.same.append(me)
        roots = {me, *map(self._root, equals)}
        for root in roots:
            self.same[root] = min(roots)
        return me

    def _root(self, number: int) -> int:
        while self.same[number] != number:
            number = self.same[number]
        return number
