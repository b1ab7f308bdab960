"""A graph for one AgentBench question, made backwards from its gold actions and gold answer.

There is no Freebase here. From the last action to the first each variable gets the members that the
ones after it need; the facts are those that give each variable just its members. Around them lie other
relations, attributes and neighbours, so that what a tool lists is about as long as Freebase's lists are
(ten to forty relations). Such a graph proves the tools; how hard the question is, it does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from .gold import Call
from .graph import Fact
from .tools import Ontology

#: Fewest and most relations of a node on the gold way, and of one beside it.
LISTED = (10, 40)
BESIDE = (3, 8)
_TOPIC = "common.topic"


@dataclass(frozen=True)
class Vocabulary:
    """AgentBench's ontology: names as in its vocab.json, ranges as in its fb_roles (may be empty)."""

    relations: tuple[str, ...]
    attributes: tuple[str, ...]
    classes: tuple[str, ...]
    ranges: Mapping[str, str]

    @cached_property
    def relations_of(self) -> Mapping[str, Sequence[str]]:
        """Relations by the type that they belong to, by its domain, and all of them by ``."""
        return _by_owner(self.relations)

    @cached_property
    def attributes_of(self) -> Mapping[str, Sequence[str]]:
        return _by_owner(self.attributes)

    @cached_property
    def known(self) -> tuple[frozenset[str], frozenset[str]]:
        return frozenset(self.relations), frozenset(self.attributes)


def induce(
    calls: Sequence[Call],
    answer: frozenset[str],
    asked: str | None,
    vocabulary: Vocabulary,
    seed: int,
) -> tuple[list[Fact], Ontology]:
    """The facts around a question and the ontology they are read with; equal seeds, equal facts.

    answer: ids, or one number where the last action is a count. asked: the type of the answer, where
    the question's logical form tells it. Where the vocabulary has no ranges, types are those that the
    actions imply: what follows a variable tells what it holds.
    """
    plan = _Plan.of(calls)
    draft = _Draft(plan, vocabulary, Random(seed))
    draft.fill(answer)
    draft.state()
    draft.surround()
    known = {fact[1] for fact in draft.facts}
    ranges = dict(vocabulary.ranges) or _ranges(plan, asked, vocabulary, known, Random(seed))
    return draft.facts, Ontology(*vocabulary.known, ranges)


def _by_owner(names: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        owner = name.rpartition(".")[0]
        for key in {owner, owner.partition(".")[0], ""}:
            found.setdefault(key, []).append(name)
    return found


@dataclass(frozen=True, slots=True)
class _Plan:
    """calls: those that make variables. same: variable -> the first that is made alike."""

    calls: tuple[Call, ...]
    same: tuple[int, ...]

    @classmethod
    def of(cls, calls: Sequence[Call]) -> _Plan:
        made: list[Call] = []
        same: list[int] = []
        for call in calls:
            if call.makes:
                numbers = [(a, _number(a, same)) for a in call.arguments]
                alike = Call(call.name, tuple(a if k is None else f"#{same[k]}" for a, k in numbers))
                same.append(made.index(alike) if alike in made else len(made))
                made.append(alike)
        return cls(tuple(made), tuple(same))

    def base(self, call: Call, argument: int = 0) -> int | None:
        """Which variable an argument is, None for an entity or what is not made yet."""
        return _number(call.arguments[argument], self.same)

    def around(self, variable: int) -> set[int]:
        """The variables that hold all that this one holds, itself among them."""
        found, call = {variable}, self.calls[variable]
        if call.name in ("intersection", "argmax", "argmin"):
            for argument in range(2 if call.name == "intersection" else 1):
                base = self.base(call, argument)
                if base is not None:
                    found |= self.around(base)
        return found

    def next_on(self, variable: int) -> list[str]:
        """Relations and attributes that are used on a variable, in order."""
        return [
            call.arguments[1]
            for call in self.calls
            if call.name in ("get_neighbors", "argmax", "argmin") and self.base(call) == variable
        ]


def _number(argument: str, made: Sequence[object]) -> int | None:
    digits = argument[1:]
    if argument.startswith("#") and digits.isdecimal() and int(digits) < len(made):
        return int(digits)
    return None


@dataclass(slots=True)
class _Draft:
    """members: variable -> ids, in order. facts: grow; used: ids that are taken."""

    plan: _Plan
    vocabulary: Vocabulary
    rng: Random
    members: dict[int, dict[str, None]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def fill(self, answer: frozenset[str]) -> None:
        """Give each variable its members, from the last to the first."""
        calls = self.plan.calls
        self.used |= {a for call in calls for a in call.arguments} | answer
        self.members = {number: {} for number in range(len(calls))}
        if calls and calls[-1].name != "count":
            self._need(len(calls) - 1, sorted(answer))
        for number in reversed(range(len(calls))):
            if self.plan.same[number] != number:
                continue
            call = calls[number]
            if not self.members[number] and call.name != "count":
                self._need(number, self._fresh(self.rng.randint(1, 3)))
            needed = list(self.members[number])
            one = self.plan.base(call)
            if call.name == "count" and one is not None:
                wanted = min(answer) if number == len(calls) - 1 else "2"
                self._need(one, self._fresh(int(wanted) if wanted.isdecimal() else 2))
            elif call.name == "intersection":
                other = self.plan.base(call, 1)
                for side, beside in ((one, other), (other, one)):
                    if side is not None:
                        alone = beside not in self.plan.around(side)
                        extra = self._fresh(self.rng.randint(2, 8)) if alone else []
                        self._need(side, [*needed, *extra])
            elif call.name in ("argmax", "argmin") and one is not None:
                self._need(one, [*needed, *self._fresh(self.rng.randint(2, 8))])

    def _need(self, variable: int, ids: Sequence[str]) -> None:
        self.members[self.plan.same[variable]].update(dict.fromkeys(ids))

    def state(self) -> None:
        """The facts that give each variable its members."""
        for number, call in enumerate(self.plan.calls):
            if self.plan.same[number] != number:
                continue
            base = self.plan.base(call)
            if call.name == "get_neighbors":
                sources = list(self.members[base]) if base is not None else [call.arguments[0]]
                for member in self.members[number]:
                    self.facts.append((self.rng.choice(sources), call.arguments[1], member))
            elif call.name in ("argmax", "argmin") and base is not None:
                best = self.rng.randint(100, 900)
                sign = 1 if call.name == "argmax" else -1
                for member in self.members[base]:
                    less = 0 if member in self.members[number] else sign * self.rng.randint(1, 90)
                    self.facts.append((member, call.arguments[1], best - less))

    def surround(self) -> None:
        """Other relations, attributes and neighbours of all that can be met on the gold way."""
        gold = {fact[1] for fact in self.facts}
        met: dict[tuple[str, ...], list[str]] = {}
        for call in self.plan.calls:
            if call.name == "get_neighbors" and self.plan.base(call) is None:
                met[(call.arguments[0],)] = [call.arguments[1]]
        for number, members in self.members.items():
            met.setdefault(tuple(members), []).extend(self.plan.next_on(number))
        for nodes, hints in met.items():
            if not nodes:  # a number has no neighbours
                continue
            relations = self._near(hints, LISTED, self.vocabulary.relations_of, gold)
            for relation in relations:
                pool = self._fresh(self.rng.randint(1, 3))
                for node in self._some(nodes):
                    self.facts.append((node, relation, self.rng.choice(pool)))
                for node in pool:
                    beyond = self._near([relation], BESIDE, self.vocabulary.relations_of, gold)
                    self.facts += [(node, name, self._fresh(1)[0]) for name in beyond]
            for attribute in self._near(hints, BESIDE, self.vocabulary.attributes_of, gold):
                for node in self._some(nodes):
                    self.facts.append((node, attribute, self.rng.randint(1, 1000)))

    def _near(
        self,
        hints: Sequence[str],
        limits: tuple[int, int],
        names: Mapping[str, Sequence[str]],
        gold: set[str],
    ) -> list[str]:
        """Names as they would be listed beside `hints`: of the same type first, then of its domain."""
        wanted = self.rng.randint(*limits)
        owners = [hint.rpartition(".")[0] for hint in hints]
        places = [*owners, *(owner.partition(".")[0] for owner in owners), _TOPIC, ""]
        found: dict[str, None] = {}
        for place in places:
            listed = names.get(place, ())
            share = self.rng.sample(listed, min(len(listed), 1 + wanted // 2))
            found.update(dict.fromkeys(share))
        return [name for name in found if name not in gold][:wanted]

    def _some(self, nodes: Sequence[str]) -> Sequence[str]:
        """At least one of these nodes, and at most twelve."""
        return self.rng.sample(nodes, self.rng.randint(1, min(12, len(nodes))))

    def _fresh(self, count: int) -> list[str]:
        """Ids that nothing else has."""
        made: list[str] = []
        while len(made) < count:
            name = "m.0" + "".join(self.rng.choices("0123456789bcdfghjklmnpqrstvwxyz_", k=6))
            if name not in self.used:
                self.used.add(name)
                made.append(name)
        return made


def _ranges(
    plan: _Plan, asked: str | None, vocabulary: Vocabulary, known: set[str], rng: Random
) -> dict[str, str]:
    """Types as the actions imply them: variables that must agree do, and have the type to which what
    is used on them next belongs. A relation of which nothing is known leads to some type of its domain.
    """
    group = list(range(len(plan.calls)))

    def join(one: int, other: int) -> None:
        low, high = sorted((group[one], group[other]))
        group[:] = [low if mark == high else mark for mark in group]

    first: dict[str, int] = {}
    for number, call in enumerate(plan.calls):
        bases = [base for k in range(len(call.arguments)) if (base := plan.base(call, k)) is not None]
        if call.name in ("intersection", "argmax", "argmin"):
            for base in bases:
                join(base, number)
        elif call.name == "get_neighbors":
            join(first.setdefault(call.arguments[1], number), number)
    types: dict[int, str] = {}
    if asked is not None and plan.calls:
        last = plan.calls[-1]
        base = plan.base(last) if last.name == "count" else len(plan.calls) - 1
        if base is not None:
            types[group[base]] = asked
    for number in range(len(plan.calls)):
        for name in plan.next_on(number):
            types.setdefault(group[number], name.rpartition(".")[0])
    ranges: dict[str, str] = {}
    classes = _by_owner([f"{name}." for name in vocabulary.classes])
    for relation in sorted(known):
        near = classes.get(relation.partition(".")[0], [f"{_TOPIC}."])
        ranges[relation] = rng.choice(near).rstrip(".")
        if relation in first:
            ranges[relation] = types.get(group[first[relation]], ranges[relation])
            types.setdefault(group[first[relation]], ranges[relation])
    return ranges
