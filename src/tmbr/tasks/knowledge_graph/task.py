"""The knowledge graph task: samples, prompt, parsing, score, and the teachers that can play it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from tmbr.core.errors import ConfigError, DataError
from tmbr.core.protocols import Session
from tmbr.core.types import Action, Message, Sample, Score, Step, derive_seed
from tmbr.environments.knowledge_graph import (
    FAMILIES,
    GENERATOR,
    KINDS,
    ONTOLOGY,
    Call,
    Endpoint,
    Knowledge,
    MemoryGraph,
    Ontology,
    State,
    World,
    ask,
    generate,
    induce,
    read_calls,
    why_not,
)
from tmbr.tasks.base import GENERATED, FormTask, split_seed
from tmbr.tasks.knowledge_graph import data as files
from tmbr.tasks.knowledge_graph.expert import Memory, Move, decide
from tmbr.tasks.knowledge_graph.forms import ANSWER, FORMS, Form
from tmbr.tasks.knowledge_graph.session import ROUNDS, KnowledgeGraphSession

#: Samples of each generated split; a split's graphs have names that no other split's have.
SIZES = {"train": 20_000, "validation": 500, "test": 500}
#: Generated data -> facts of each of its graphs; one graph serves a hundred questions per 10,000 facts.
TRIPLES = {"generated": 10_000, "generated-100k": 100_000, "generated-1m": 1_000_000}
#: Share of a learner's errors that are a call without a reason.
ASTRAY = 0.3
#: Raise it when prompt, rules or wording change: it is part of every episode's resume key.
VERSION = "1"
_ASKED = re.compile(r"^(.*)\nEntities: \[(.*)\]$", re.MULTILINE)


class KnowledgeGraph(FormTask[Form]):
    """data: one of `TRIPLES`, or a file of the benchmark as `induced-…` or `freebase-…`.

    form: `text` or `agentbench`. endpoint: URL of the SPARQL server with Freebase, by default that of
    TMBR_SPARQL. Raises ConfigError for an unknown name, or for Freebase without an endpoint.
    """

    name, called, rounds = "knowledge_graph", "knowledge graph", ROUNDS
    sources: ClassVar[tuple[str, ...]] = (*TRIPLES, *files.SPLITS)
    forms = FORMS
    sizes = SIZES

    def __init__(
        self,
        data: str = GENERATED,
        form: str = "text",
        root: Path | None = None,
        endpoint: str | None = None,
    ) -> None:
        super().__init__(data, form, root)
        self.version = f"{VERSION}/{GENERATOR}/{form}"
        self._endpoint: Endpoint | None = None
        if data.startswith("freebase-"):
            url = endpoint or os.environ.get("TMBR_SPARQL")
            if not url:
                raise ConfigError(f"{data} needs a SPARQL endpoint with Freebase; set TMBR_SPARQL")
            self._endpoint = Endpoint(url)

    def samples(self, split: str) -> Sequence[Sample]:
        """All samples of a split; generated ones are made when they are asked for.

        Raises ConfigError for an unknown split, DataError for files that are missing or broken.
        """
        if self.data not in TRIPLES:
            return files.samples(self.data, self.root)
        return self.generated(split, partial(_generated, TRIPLES[self.data]))

    def open(self, sample: Sample) -> Session:
        return KnowledgeGraphSession(sample.instruction, self.start(sample), self.form)

    def start(self, sample: Sample) -> State:
        """The state in which an episode begins. Episodes share a graph, which is only read."""
        setup = sample.setup
        if "triples" in setup:
            world = _world(setup["triples"], setup["seed"])
            return State(Knowledge(world.graph, ONTOLOGY), setup["entities"])
        if self._endpoint is None:
            graph, ontology = self._induced(sample)
            return State(Knowledge(graph, ontology), setup["entities"])
        vocabulary = files.vocabulary(self.root)
        if not vocabulary.ranges:
            raise DataError("knowledgegraph/fb_roles is not there; take it from AgentBench's ontology/")
        ontology = Ontology(*vocabulary.known, vocabulary.ranges)
        return State(Knowledge(self._endpoint, ontology), setup["entities"])

    def _induced(self, sample: Sample) -> tuple[MemoryGraph, Ontology]:
        calls, answer = read_calls(sample.setup["actions"]), frozenset(sample.target)
        seed = derive_seed("induce", sample.instruction, sample.setup["actions"])
        words = files.vocabulary(self.root)
        facts, ontology = induce(calls, answer, sample.setup["asked"], words, seed)
        return MemoryGraph(facts), ontology

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score:  # noqa: ARG002
        """AgentBench's score: F1 of the answer; success is the exact set."""
        found = session.answer if isinstance(session, KnowledgeGraphSession) else None
        return scored(found or frozenset(), frozenset(sample.target))

    def expert(self, messages: Sequence[Message]) -> Message:
        """What the expert answers in this conversation, from what was said in it alone."""
        return self._write(decide(*self._told(messages)))

    def mistake(self, messages: Sequence[Message], rng: Random) -> Message:
        """A call that can (nearly always) be done and does not lead on: no answer, so nothing ends."""
        question, entities, turns = self._told(messages)
        right, memory = decide(question, entities, turns), Memory.of(turns)
        wrong = [Call("get_relations", (source,)) for source in (*entities, *memory.variables)]
        wrong += [
            Call("get_neighbors", (source, relation))
            for source, listed in memory.relations.items()
            for relation in listed
        ]
        wrong += [Call(name, (variable,)) for variable in memory.variables for name in _ASIDE]
        fitting = [call for call in wrong if call != right.act] or [
            Call("get_relations", (f"m.0{rng.randrange(10**6)}",))
        ]
        return self._write(Move("I try something else.", rng.choice(fitting)))

    def slip(self, messages: Sequence[Message], rng: Random) -> Message:
        """A learner's error: one name of the right call mistaken for another, or a call astray."""
        question, entities, turns = self._told(messages)
        right, memory = decide(question, entities, turns), Memory.of(turns)
        if isinstance(right.act, str) or rng.random() < ASTRAY:
            return self.mistake(messages, rng)
        wrong = rng.choice(right.act.arguments)
        listed = [*memory.relations.values(), *memory.attributes.values()]
        links = {name for names in listed for name in names}
        things = {*entities, *memory.variables, f"#{len(memory.variables)}"}
        others = sorted((links if wrong in links else things) - {wrong})
        if not others:
            return self.mistake(messages, rng)
        other = rng.choice(others)
        call = Call(right.act.name, tuple(other if a == wrong else a for a in right.act.arguments))
        return self._write(Move(right.thought.replace(wrong, other), call))

    def walkthrough(self, sample: Sample) -> list[Message]:
        """The privileged teacher: the gold actions, as messages; entities by their names."""
        calls = read_calls(sample.setup["actions"])
        names = {told: name for name, told in sample.setup["entities"].items() if _sayable(name)}
        said = []
        for call in calls:
            told = Call(call.name, tuple(names.get(value, value) for value in call.arguments))
            said.append(self._write(Move("I know the way.", told)))
        last = sum(call.makes for call in calls) - 1
        return [*said, self._write(Move("That is all.", f"#{max(last, 0)}"))]

    def why_not(self, sample: Sample) -> str | None:
        """Why the gold actions do not give the gold answer here; None when they do."""
        calls = read_calls(sample.setup["actions"])
        return why_not(self.start(sample), calls, frozenset(sample.target))

    def _write(self, move: Move) -> Message:
        if isinstance(move.act, str):
            return self.form.write(move.thought, ANSWER, {"variable": move.act})
        return self.form.write(move.thought, move.act.name, move.act.named)

    def _told(
        self, messages: Sequence[Message]
    ) -> tuple[str, list[str], list[tuple[Action | None, str]]]:
        """The question, its entities, and (action, answer) of each turn since."""
        first, turns = self.turns(messages)
        asked = _ASKED.search(first)
        if asked is None:
            return "", [], turns
        return asked[1], asked[2].split(", ") if asked[2] else [], turns


#: What one may do with a variable that leads nowhere.
_ASIDE = ("get_attributes", "count")


def scored(found: frozenset[str], gold: frozenset[str]) -> Score:
    """F1 and exact match of two sets."""
    both = len(found & gold)
    f1 = 2 * both / (len(found) + len(gold)) if both else 0.0
    return Score(f1, found == gold, {"f1": f1, "exact_match": float(found == gold)})


def _sayable(name: str) -> bool:
    """Whether an entity's name is read back as it is in either form."""
    return bool(name) and name == " ".join(name.split()) and not name.startswith("#")


@lru_cache(maxsize=100_000)
def _generated(triples: int, split: str, index: int) -> Sample:
    seed = graph_seed(triples, split, index)
    kind = list(KINDS)[index % len(KINDS)]
    question = ask(_world(triples, seed), kind, Random(derive_seed("question", triples, seed, index)))
    setup: dict[str, Any] = {
        "triples": triples,
        "seed": seed,
        "generator": GENERATOR,
        "kind": kind,
        "entities": question.entities,
        "actions": [str(call) for call in question.calls],
    }
    told = f"generated-{triples}-{split}-{index}"
    return Sample(told, "knowledge_graph", split, question.text, setup, sorted(question.answer))


def graph_seed(triples: int, split: str, index: int) -> int:
    """The seed of a sample's graph: splits differ modulo FAMILIES, so they share no name."""
    return split_seed(split, index // (triples // 100), SIZES, FAMILIES)


def _world(triples: int, seed: int) -> World:
    return _large(triples, seed) if triples > TRIPLES["generated"] else _small(triples, seed)


_small = lru_cache(maxsize=32)(generate)
_large = lru_cache(maxsize=2)(generate)
