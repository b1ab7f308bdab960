"""Questions about a generated graph, in English that can be read back.

A question is a program with words around it: `the actors in the films directed by NAME`. Up to four
hops from a name, two such sets in one, how many there are, and which has the most of something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from .generate import World
from .gold import Call
from .program import And, Arg, Count, Join, Program
from .schema import ATTRIBUTES, NAMED, RELATIONS, Relation, leading_from

#: Most members of any set on the way of a question, and of its answer.
LARGEST_SET, LARGEST_ANSWER = 300, 40
_BOTH = "those among both "
_ASKED = ("What are {}?", "Name {}.")
_COUNTED = ("How many are {}?", "Give the number of {}.")
_ALL = [*_ASKED, *_COUNTED]


@dataclass(frozen=True, slots=True)
class Question:
    """entities: name -> id. calls: the gold actions. kind: one of `KINDS`."""

    text: str
    kind: str
    entities: Mapping[str, str]
    program: Program
    calls: tuple[Call, ...]
    answer: frozenset[str]


def ask(world: World, kind: str, rng: Random) -> Question:
    """A question of a kind that the world answers; drawn until there is one."""
    while True:
        program = KINDS[kind](world, rng)
        if program is None:
            continue
        answer = answered(world, program)
        asked = entities(program)
        if answer and len(answer) <= LARGEST_ANSWER and not answer & set(asked):
            text = sentence(program, world.names, rng)
            names = {world.names[entity]: entity for entity in asked}
            return Question(text, kind, names, program, calls_of(program), answer)


def answered(world: World, program: Program) -> frozenset[str]:
    """The answer from the plain facts, without SPARQL: ids, or the one number of a count."""
    members = _members(world, program.base if isinstance(program, Count) else program)
    return frozenset({str(len(members))}) if isinstance(program, Count) else frozenset(members)


def entities(program: Program) -> list[str]:
    """The ids that a program starts from, in order."""
    match program:
        case str():
            return [program]
        case And(left, right):
            return list(dict.fromkeys([*entities(left), *entities(right)]))
        case _:
            return entities(program.base)


def _members(world: World, program: Program) -> set[str]:
    match program:
        case str():
            return {program}
        case Join(relation, base):
            found = (world.index.get((one, relation), ()) for one in _members(world, base))
            return {str(value) for values in found for value in values}
        case And(left, right):
            return _members(world, left) & _members(world, right)
        case Arg(name, base, attribute):
            numbers = {
                one: float(world.index[one, attribute][0])
                for one in _members(world, base)
                if (one, attribute) in world.index
            }
            if not numbers:
                return set()
            best = (max if name == "ARGMAX" else min)(numbers.values())
            return {one for one, number in numbers.items() if number == best}
        case Count():
            raise AssertionError("a number has no members")


def calls_of(program: Program) -> tuple[Call, ...]:
    """The shortest way to a program with AgentBench's tools: look before each step, then step."""
    made: dict[str, str] = {}
    calls: list[Call] = []

    def add(part: Program) -> str:
        if isinstance(part, str):
            return part
        if str(part) not in made:
            calls.extend(_step(part, add))
            made[str(part)] = f"#{len(made)}"
        return made[str(part)]

    add(program)
    return tuple(calls)


def _step(part: Join | And | Arg | Count, add: Callable[[Program], str]) -> list[Call]:
    match part:
        case Join(relation, base):
            source = add(base)
            return [Call("get_relations", (source,)), Call("get_neighbors", (source, relation))]
        case And(left, right):
            one, other = add(left), add(right)
            return [Call("intersection", (one, other))]
        case Arg(name, base, attribute):
            source = add(base)
            return [Call("get_attributes", (source,)), Call(name.lower(), (source, attribute))]
        case Count(base):
            return [Call("count", (add(base),))]


def sentence(program: Program, names: Mapping[str, str], rng: Random) -> str:
    """The question that asks for a program. names: id -> name."""
    match program:
        case Count(base):
            return rng.choice(_COUNTED).format(_phrase(base, names, rng))
        case Arg(name, base, attribute):
            most = "greatest" if name == "ARGMAX" else "least"
            noun = ATTRIBUTES[attribute].noun
            return f"Of {_phrase(base, names, rng)}, which has the {most} {noun}?"
        case _:
            return rng.choice(_ASKED).format(_phrase(program, names, rng))


def _phrase(program: Program, names: Mapping[str, str], rng: Random) -> str:
    match program:
        case str():
            return names[program]
        case Join(relation, base):
            return rng.choice(RELATIONS[relation].phrases) + _phrase(base, names, rng)
        case And(left, right):
            return f"{_BOTH}{_phrase(left, names, rng)} and {_phrase(right, names, rng)}"
        case _:
            raise AssertionError(f"{program} can only be asked for as a whole")


def read(text: str) -> Program | None:
    """The program that a question asks for, with names in place of ids; None for any other text."""
    if text.startswith("Of ") and text.endswith("?"):
        said, found, end = text[3:-1].rpartition(", which has the ")
        most, _, noun = end.partition(" ")
        base = _read_set(said)
        if not found or most not in ("greatest", "least") or base is None:
            return None
        owner = target(base)
        wanted = [a.name for a in ATTRIBUTES.values() if (a.owner, a.noun) == (owner, noun)]
        name = "ARGMAX" if most == "greatest" else "ARGMIN"
        return Arg(name, base, wanted[0]) if wanted else None  # type: ignore[arg-type]
    for form in _ALL:
        head, _, tail = form.partition("{}")
        if text.startswith(head) and text.endswith(tail):
            base = _read_set(text[len(head) : -len(tail)])
            if base is not None:
                return Count(base) if form in _COUNTED else base
    return None


def _read_set(said: str) -> Program | None:
    """A phrase, which is links around a name, or around two phrases."""
    links: list[Relation] = []
    while link := _link(said):
        links.append(link[0])
        said = said[link[1] :]
    base: Program | None = said or None
    if said.startswith(_BOTH):
        one, found, other = said.removeprefix(_BOTH).partition(" and the ")
        left, right = _read_set(one), _read_set(f"the {other}")
        joined = found and isinstance(left, Join) and isinstance(right, Join)
        base = And(left, right) if joined and left and right else None
    elif not links:
        return None
    for relation in reversed(links):
        base = Join(relation.name, base) if base is not None else None
    return base


def _link(said: str) -> tuple[Relation, int] | None:
    """The link that a phrase begins with, the longest where several do, and how long its words are."""
    found = [(r, len(p)) for r in RELATIONS.values() for p in r.phrases if said.startswith(p)]
    return max(found, key=lambda pair: pair[1], default=None)


def target(program: Program) -> str | None:
    """The type of a program's members; None for a name alone."""
    match program:
        case Join(relation, _):
            return RELATIONS[relation].target
        case And(left, _):
            return target(left)
        case Arg(_, base, _):
            return target(base)
        case _:
            return None


def _chain(world: World, rng: Random, hops: int) -> Join | None:
    """A walk along links from a named thing; it never turns straight back."""
    kind = rng.choice(NAMED)
    return _walk(world, rng, rng.choice(world.types[kind]), kind, hops)


def _walk(world: World, rng: Random, start: Program, kind: str, hops: int) -> Join | None:
    program: Program = start
    last: Relation | None = None
    for _ in range(hops):
        ways = [way for way in leading_from(kind) if last is None or way.name != last.inverse]
        if not ways:
            return None
        last = rng.choice(ways)
        program, kind = Join(last.name, program), last.target
        if not 0 < len(_members(world, program)) <= LARGEST_SET:
            return None
    return program if isinstance(program, Join) else None


def _both(world: World, rng: Random) -> And | None:
    """Two walks that meet: from one member back along another link to another name."""
    left = _chain(world, rng, rng.choice((1, 1, 2)))
    if left is None:
        return None
    kind = RELATIONS[left.relation].target
    member = rng.choice(sorted(_members(world, left)))
    back = _walk(world, rng, member, kind, rng.choice((1, 1, 2)))
    if back is None:
        return None
    ends = [one for one in sorted(_members(world, back)) if one in world.names]
    forth = _reversed(back, rng.choice(ends)) if ends and target(back) in NAMED else None
    if forth is None or str(forth) == str(left) or len(_members(world, forth)) > LARGEST_SET:
        return None
    return And(left, forth)


def _reversed(way: Program, start: str) -> Join | None:
    """A walk's links taken back, from one of its ends."""
    back: Program = start
    while isinstance(way, Join):
        back, way = Join(RELATIONS[way.relation].inverse, back), way.base
    return back if isinstance(back, Join) else None


def _both_and_on(world: World, rng: Random) -> Join | None:
    base = _both(world, rng)
    return None if base is None else _walk(world, rng, base, target(base) or "", 1)


def _extreme(world: World, rng: Random) -> Arg | None:
    base = _both(world, rng) if rng.random() < 0.3 else _chain(world, rng, rng.randint(1, 3))
    fitting = [a.name for a in ATTRIBUTES.values() if base is not None and a.owner == target(base)]
    if base is None or not fitting or len(_members(world, base)) < 2:
        return None
    return Arg(rng.choice(("ARGMAX", "ARGMIN")), base, rng.choice(fitting))


def _number(world: World, rng: Random) -> Count | None:
    base = _both(world, rng) if rng.random() < 0.3 else _chain(world, rng, rng.randint(1, 3))
    members = set() if base is None else _members(world, base)
    if base is None or len(members) < 2 or members & set(entities(base)):
        return None
    return Count(base)


#: How each kind of question is drawn: None where this try led nowhere.
KINDS: Mapping[str, Callable[[World, Random], Program | None]] = {
    "one hop": lambda world, rng: _chain(world, rng, 1),
    "two hops": lambda world, rng: _chain(world, rng, 2),
    "three hops": lambda world, rng: _chain(world, rng, 3),
    "four hops": lambda world, rng: _chain(world, rng, 4),
    "both": _both,
    "both and on": _both_and_on,
    "extreme": _extreme,
    "number": _number,
}
