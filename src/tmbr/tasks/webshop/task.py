"""The web shop task: samples, prompt, parsing, score, and the teachers that can play it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import ClassVar

from tmbr.core.protocols import Session
from tmbr.core.types import Message, Sample, Score, Step
from tmbr.environments.webshop import GENERATOR, TAGGER, Catalogue, Shop, ask, reward
from tmbr.environments.webshop.pages import BACK, BUY, PER_PAGE, PREV
from tmbr.tasks.base import GENERATED, FormTask
from tmbr.tasks.samples import Lazy
from tmbr.tasks.webshop import data as files
from tmbr.tasks.webshop.expert import Move, decide
from tmbr.tasks.webshop.forms import ARGUMENTS, CLICK, FORMS, SEARCH, Form
from tmbr.tasks.webshop.memory import Memory
from tmbr.tasks.webshop.session import ROUNDS, WebshopSession

#: Goals of each generated split. Each has a shop of its own, which shares no product with the others'.
SIZES = {"train": 20_000, "validation": 500, "test": 500}
#: Products of a generated shop.
PRODUCTS = 1000
#: Share of a learner's errors that are a move without a reason.
ASTRAY = 0.3
#: What one may do with a product that leads nowhere.
_ASIDE = ("description", "features", "reviews")
#: Raise it when prompt, rules or wording change: it is part of every episode's resume key.
VERSION = "1"


class Webshop(FormTask[Form]):
    """data: `generated`, `webshop-1k` or `webshop-full`. form: `text` or `agentbench`."""

    name, called, rounds = "webshop", "web shop", ROUNDS
    sources: ClassVar[tuple[str, ...]] = (GENERATED, *files.FILES)
    forms = FORMS
    sizes = SIZES

    def __init__(self, data: str = GENERATED, form: str = "text", root: Path | None = None) -> None:
        super().__init__(data, form, root)
        self.version = f"{VERSION}/{GENERATOR}/{TAGGER}/{form}"

    def samples(self, split: str) -> Sequence[Sample]:
        """All samples of a split, made when they are asked for.

        Raises ConfigError for an unknown split, DataError for files that are missing or broken.
        """
        if self.data == GENERATED:
            return self.generated(split, _generated)
        self.check(split, SIZES)
        market = files.market(self.data, self.root)
        goals = market.goals[files.SPLITS[split]]

        def sample(index: int) -> Sample:
            setup = {"shop": market.digest}
            told = f"{self.data}-{split}-{index}"
            return Sample(told, "webshop", split, goals[index].instruction, setup, asdict(goals[index]))

        return Lazy(len(goals), sample)

    def shop(self, sample: Sample) -> Shop:
        """The shop in which a sample is played; episodes share it, because it never changes."""
        if self.data == GENERATED:
            return _shop(sample.setup["seed"], sample.setup["products"])
        return files.market(self.data, self.root).shop

    def open(self, sample: Sample) -> Session:
        return WebshopSession(self.shop(sample).open(sample.instruction), self.form)

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score:  # noqa: ARG002
        """WebShop's reward of what was bought; success is the full reward."""
        if not isinstance(session, WebshopSession) or session.state.page != "done":
            return Score(0.0, False)
        chosen = dict(session.state.options).values()
        value, detail = reward(files.read_goal(sample.target), session.state.item, chosen)
        return Score(value, value == 1.0, detail)

    def expert(self, messages: Sequence[Message]) -> Message:
        """What the expert answers in this conversation, from what was said in it alone."""
        return self._write(decide(*self._told(messages)))

    def mistake(self, messages: Sequence[Message], rng: Random) -> Message:
        """A move that can be done, does not lead on, and does not end the episode."""
        first, turns = self._told(messages)
        page, right = Memory.of(first, turns).page, decide(first, turns)
        wrong = {
            "search": [(SEARCH, word) for word in right.argument.split()],
            "results": [(CLICK, name.lower()) for name, _, _ in page.offers] + [(CLICK, BACK.lower())],
            "item": [(CLICK, name.lower()) for name in (*_ASIDE, PREV, BACK)],
            "sub": [(CLICK, BACK.lower())],
        }.get(page.kind, [])
        others = [move for move in wrong if move != (right.name, right.argument)]
        name, argument = rng.choice(others or [(SEARCH, "something else")])
        return self._write(Move("I try something else.", name, argument))

    def slip(self, messages: Sequence[Message], rng: Random) -> Message:
        """A learner's error: a product, an option or a word mistaken for another, or a move astray."""
        first, turns = self._told(messages)
        page, right = Memory.of(first, turns).page, decide(first, turns)
        near = [name.lower() for name, _, _ in page.offers] + list(page.options)
        if right.name == SEARCH:
            words = right.argument.split()
            near = [" ".join(words[:at] + words[at + 1 :]) for at in range(len(words))][1:]
        others = [other for other in near if other not in (right.argument, "")]
        if not others or right.argument == BUY.lower() or rng.random() < ASTRAY:
            return self.mistake(messages, rng)
        other = rng.choice(others)
        return self._write(Move(right.thought.replace(right.argument, other), right.name, other))

    def walkthrough(self, sample: Sample) -> list[Message]:
        """The privileged teacher: straight to the product that the goal was made from."""
        goal, shop = files.read_goal(sample.target), self.shop(sample)
        wanted = sample.target["title"].replace("[", " ").replace("]", " ")
        found = [shop.products[place].id for place in shop.search(wanted.lower())]
        pages = found.index(goal.id) // PER_PAGE
        options = goal.options.values() if isinstance(goal.options, dict) else goal.options
        moves = [Move("I know the way.", SEARCH, wanted)]
        clicks = [*["next >"] * pages, goal.id.lower(), *options, BUY.lower()]
        moves += [Move("I know the way.", CLICK, value) for value in clicks]
        return [self._write(move) for move in moves]

    def _told(self, messages: Sequence[Message]) -> tuple[str, list[tuple[str, str, str]]]:
        """The first page, and (tool, argument, answer) of each turn since."""
        first, turns = self.turns(messages)
        told = [
            (action.name, action.arguments[ARGUMENTS[action.name]], answer)
            if action
            else ("", "", answer)
            for action, answer in turns
        ]
        return first.removeprefix(self.form.prompt), told

    def _write(self, move: Move) -> Message:
        return self.form.write(move.thought, move.name, move.argument)


@lru_cache(maxsize=100_000)
def _generated(split: str, index: int) -> Sample:
    seed = list(SIZES).index(split)
    goal = ask(Catalogue(seed, PRODUCTS), index)
    setup = {"seed": seed, "products": PRODUCTS, "generator": GENERATOR}
    told = f"generated-{split}-{index}"
    return Sample(told, "webshop", split, goal.instruction, setup, asdict(goal))


@lru_cache(maxsize=4)
def _shop(seed: int, products: int) -> Shop:
    return Shop.build(list(Catalogue(seed, products)))
