"""The planning problem inside a `game.tw-pddl` file: text to scene, and back.

This is no PDDL parser. It knows the shape that ALFWorld's generator writes (one room, facts of known
predicates, one of six goals) and refuses everything else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NoReturn

from tmbr.core.errors import DataError, nearest

from .scene import Goal, Receptacle, Scene, TaskType, Thing

#: Predicate: the kinds of its arguments, as declared in `alfred.pddl`.
PREDICATES: dict[str, tuple[str, ...]] = {
    "atlocation": ("agent", "location"),
    "receptacletype": ("receptacle", "rtype"),
    "receptacleatlocation": ("receptacle", "location"),
    "openable": ("receptacle",),
    "opened": ("receptacle",),
    "cancontain": ("rtype", "otype"),
    "objecttype": ("object", "otype"),
    "objectatlocation": ("object", "location"),
    "inreceptacle": ("object", "receptacle"),
    "isreceptacleobject": ("object",),
    "inreceptacleobject": ("object", "object"),
    "pickupable": ("object",),
    "toggleable": ("object",),
    "istoggled": ("object",),
    "sliceable": ("object",),
    "issliced": ("object",),
    "heatable": ("object",),
    "ishot": ("object",),
    "coolable": ("object",),
    "iscool": ("object",),
    "cleanable": ("object",),
    "isclean": ("object",),
}

#: Field of a Thing: the predicate that sets it.
FLAGS = {
    "pickupable": "pickupable",
    "toggleable": "toggleable",
    "toggled": "istoggled",
    "sliceable": "sliceable",
    "sliced": "issliced",
    "heatable": "heatable",
    "hot": "ishot",
    "coolable": "coolable",
    "cool": "iscool",
    "cleanable": "cleanable",
    "clean": "isclean",
    "container": "isreceptacleobject",
}

#: The goals, as the generator writes them; `{thing}` and `{target}` are type names.
_TREATED = (
    "(:goal (and (exists (?r - receptacle) (exists (?o - object) (and ({able} ?o) "
    "(objecttype ?o {{thing}}type) (receptacletype ?r {{target}}type) ({state} ?o) "
    "(inreceptacle ?o ?r) ) ) ) ) )"
)
GOALS: dict[TaskType, str] = {
    "pick_and_place_simple": (
        "(:goal (and (exists (?r - receptacle) (exists (?o - object) (and (inreceptacle ?o ?r) "
        "(objecttype ?o {thing}type) (receptacletype ?r {target}type) ) ) ) ) )"
    ),
    "pick_two_obj_and_place": (
        "(:goal (and (exists (?r - receptacle) (exists (?o1 - object) (and "
        "(objecttype ?o1 {thing}type) (receptacletype ?r {target}type) (inreceptacle ?o1 ?r) "
        "(exists (?o2 - object) (and (not (= ?o1 ?o2)) (objecttype ?o2 {thing}type) "
        "(receptacletype ?r {target}type) (inreceptacle ?o2 ?r) ) ) ) ) ) ) )"
    ),
    "pick_clean_then_place_in_recep": _TREATED.format(able="cleanable", state="isclean"),
    "pick_heat_then_place_in_recep": _TREATED.format(able="heatable", state="ishot"),
    "pick_cool_then_place_in_recep": _TREATED.format(able="coolable", state="iscool"),
    "look_at_obj_in_light": (
        "(:goal (and (exists (?ot - object ?r - receptacle ?a - agent ?l - location) (and "
        "(objecttype ?ot {target}type) (toggleable ?ot) (istoggled ?ot) (receptacleatlocation ?r ?l) "
        "(atlocation ?a ?l) (inreceptacle ?ot ?r) ) ) (exists (?o - object ?a - agent) (and "
        "(objecttype ?o {thing}type) (holds ?a ?o) ) ) ) )"
    ),
}

_SECTIONS = re.compile(
    r"\s*\(define\s+\(problem\s+\S+\)\s*\(:domain\s+alfred\)\s*"
    r"\(:objects\s+([^()]*)\)\s*\(:init\s+(.*)\)\s*(\(:goal\b.*\))\s*\)\s*",
    re.DOTALL,
)
_FACT = re.compile(r"\(([a-z]+)((?: [^\s()]+)*)\)")
Facts = dict[str, list[tuple[str, ...]]]


def _compiled(goal: str) -> re.Pattern[str]:
    """Spaces are free around brackets; a type named twice must be the same type."""
    tokens = []
    seen: set[str] = set()
    for token in goal.replace("(", " ( ").replace(")", " ) ").split():
        name = re.fullmatch(r"\{(\w+)\}type", token)
        if name is None:
            tokens.append(re.escape(token))
        elif name[1] in seen:
            tokens.append(f"(?P={name[1]})type")
        else:
            seen.add(name[1])
            tokens.append(f"(?P<{name[1]}>[a-z]+)type")
    return re.compile(" ".join(tokens))


_GOALS = {task_type: _compiled(goal) for task_type, goal in GOALS.items()}


def read_problem(text: str, name: str) -> Scene:
    """The scene of a problem text. name: the file, for messages.

    Raises DataError when the text is truncated or holds a fact, a goal or a reference that the
    household does not know.
    """
    text = text.lower()  # as the reference engine's parser does
    match = _SECTIONS.fullmatch(text)
    if match is None or text.count("(") != text.count(")"):
        _refuse(name, "the planning problem is truncated or not ALFWorld's; fetch the file again")
    objects, init, goal = match.groups()
    kinds = _kinds(objects, name)
    facts = _facts(init, kinds, name)
    places = _receptacles(facts, name)
    if len(facts["atlocation"]) != 1:
        _refuse(name, "the agent must start at one location; fetch the file again")
    return Scene.of(
        places,
        _things(facts),
        frozenset((r.removesuffix("type"), t.removesuffix("type")) for r, t in facts["cancontain"]),
        _goal(goal, name),
        facts["atlocation"][0][1],
    )


def write_problem(scene: Scene) -> str:
    """The problem text of a scene, such that `read_problem` gives the scene back."""
    facts = [f"(atlocation agent1 {scene.start})"]
    for r in scene.receptacles:
        facts.append(f"(receptacletype {r.id} {r.type}type)")
        facts.append(f"(receptacleatlocation {r.id} {r.location})")
        facts += [f"({flag} {r.id})" for flag in ("openable", "opened") if getattr(r, flag)]
    for t in scene.things:
        facts += [f"(objecttype {t.id} {t.type}type)"] if t.type else []
        facts += [f"(objectatlocation {t.id} {place})" for place in t.locations or ()]
        facts += [f"(inreceptacle {t.id} {place})" for place in t.inside]
        facts += [f"(inreceptacleobject {other} {t.id})" for other in t.contents]
        facts += [f"({predicate} {t.id})" for flag, predicate in FLAGS.items() if getattr(t, flag)]
    facts += [f"(cancontain {r}type {t}type)" for r, t in sorted(scene.can_contain)]
    goal = GOALS[scene.goal.task_type].format(thing=scene.goal.thing, target=scene.goal.target)
    return (
        f"(define (problem tmbr)\n(:domain alfred)\n(:objects\n{_declared(scene)}\n)\n"
        f"(:init\n{_lines(facts)}\n)\n{goal}\n)\n"
    )


#: Types that the domain's actions name; they are declared even where a scene lacks them.
_NAMED = {"rtype": {"microwave", "fridge", "sinkbasin"}, "otype": {"knife", "butterknife", "sink"}}


def _declared(scene: Scene) -> str:
    goal, looking = scene.goal, scene.goal.task_type == "look_at_obj_in_light"
    kinds = {
        "agent": {"agent1"},
        "object": {t.id for t in scene.things},
        "receptacle": {r.id for r in scene.receptacles},
        "location": {scene.start, *(r.location for r in scene.receptacles)}.union(
            *(t.locations or () for t in scene.things)
        ),
    }
    rtypes = _NAMED["rtype"] | {r.type for r in scene.receptacles} | {r for r, _ in scene.can_contain}
    otypes = _NAMED["otype"] | {t.type for t in scene.things if t.type} | {goal.thing}
    otypes |= {t for _, t in scene.can_contain}
    (otypes if looking else rtypes).add(goal.target)
    kinds["rtype"] = {f"{kind}type" for kind in rtypes}
    kinds["otype"] = {f"{kind}type" for kind in otypes - rtypes}
    return _lines(f"{key} - {kind}" for kind, keys in kinds.items() for key in sorted(keys))


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(f"        {line}" for line in lines)


def _refuse(name: str, why: str) -> NoReturn:
    raise DataError(f"{name}: {why}")


def _kinds(objects: str, name: str) -> dict[str, str]:
    """The declared kind of each symbol."""
    words = objects.split()
    if words[1::3] != ["-"] * (len(words) // 3) or len(words) % 3:
        _refuse(name, "the object list is not lines of `NAME - KIND`; fetch the file again")
    return dict(zip(words[::3], words[2::3], strict=True))


def _facts(init: str, kinds: Mapping[str, str], name: str) -> Facts:
    """The facts by predicate, each once, all of known form and about declared symbols."""
    found: dict[str, dict[tuple[str, ...], None]] = {predicate: {} for predicate in PREDICATES}
    matches = _FACT.findall(init)
    if len(matches) != init.count("("):
        _refuse(
            name, "the initial facts are not of the form `(PREDICATE NAME …)`; fetch the file again"
        )
    for predicate, rest in matches:
        arguments = tuple(rest.split())
        wanted = PREDICATES.get(predicate)
        if wanted is None:
            _refuse(name, f"unknown predicate {predicate!r}, {nearest(predicate, PREDICATES)}")
        if tuple([kinds.get(argument) for argument in arguments]) != wanted:
            _refuse(name, f"({predicate}{rest}) is not about a declared {' and '.join(wanted)}")
        found[predicate][arguments] = None
    return {predicate: list(arguments) for predicate, arguments in found.items()}


def _receptacles(facts: Facts, name: str) -> list[Receptacle]:
    types = {r: kind.removesuffix("type") for r, kind in facts["receptacletype"]}
    places = {fact[0]: fact[1] for fact in facts["receptacleatlocation"]}
    if len(places) != len(facts["receptacleatlocation"]) or types.keys() != places.keys():
        _refuse(name, "a receptacle lacks its type or its one location; fetch the file again")
    doors, opened = set(facts["openable"]), set(facts["opened"])
    return [Receptacle(types[r], places[r], (r,) in doors, (r,) in opened, r) for r in places]


def _things(facts: Facts) -> list[Thing]:
    """Every object that a fact is about; those that are only declared have no name in the game."""
    types = {t: kind.removesuffix("type") for t, kind in facts["objecttype"]}
    inside, lying, contents = (defaultdict[str, list[str]](list) for _ in range(3))
    for t, place in facts["inreceptacle"]:
        inside[t].append(place)
    for t, place in facts["objectatlocation"]:
        lying[t].append(place)
    for t, bowl in facts["inreceptacleobject"]:
        contents[bowl].append(t)
    flags = {field: {t for (t,) in facts[predicate]} for field, predicate in FLAGS.items()}
    ids = types.keys() | inside.keys() | lying.keys() | contents.keys() | set().union(*flags.values())
    ids.update(t for t, _ in facts["inreceptacleobject"])
    return [
        Thing(
            type=types.get(t, ""),
            inside=tuple(sorted(inside[t])),
            locations=tuple(sorted(lying[t])),
            contents=tuple(sorted(contents[t])),
            id=t,
            **{field: t in those for field, those in flags.items()},
        )
        for t in ids
    ]


def _goal(text: str, name: str) -> Goal:
    words = " ".join(text.replace("(", " ( ").replace(")", " ) ").split())
    for task_type, pattern in _GOALS.items():
        match = pattern.fullmatch(words)
        if match is not None:
            return Goal(task_type, match["thing"], match["target"])
    _refuse(name, "the goal is none of ALFRED's six; see the household's GOALS")
