"""Task decomposition: a planner lists subtasks, and each is done before the next one begins."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from tmbr.core.protocols import Judge, Model, Outcome, World
from tmbr.core.trace import Judgement
from tmbr.core.types import Access, Sampling
from tmbr.reasoning.prompts import prompt
from tmbr.reasoning.questions import ask
from tmbr.reasoning.tree import Part, Tree
from tmbr.reasoning.walk import Walk

#: A line of a plan, whatever it is numbered with; and the most characters of a subtask.
_LINE = re.compile(r"^[ \t]*(?:\d+[ \t]*[.):]|[-*•])[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Division:
    """How a task is divided. count: subtasks asked for; more are cut off.

    limit: turns of a subtask, after which it has failed; None waits until it is complete. replans: how
    often a failure makes a new plan. own_context: each subtask has a conversation of its own, with a
    summary of what is known; else one conversation goes on.
    """

    count: int
    limit: int | None = None
    replans: int = 0
    own_context: bool = False


async def in_parts(
    tree: Tree, at: int, world: World, division: Division, walk: Callable[[Tree], Awaitable[Outcome]]
) -> Outcome:
    """Plan after a node and walk one part after the other, at last the whole of what is left.

    A plan without a readable line leaves the task whole, and is not spoken of.
    """
    facts, replans = "", division.replans
    here, todo = await _plan(tree, at, division.count, facts)
    planned = bool(todo)
    if not planned:
        here = at
    while True:
        words = todo.pop(0) if todo else ""
        part = _part(tree, here, world, division, words)
        if planned:
            seen = world.observation if division.own_context else ""
            part.note = prompt("subtask", subtask=words, facts=facts, observation=seen)
        outcome = await walk(replace(tree, part=part))
        if not part.complete and outcome.stop != "part limit":
            return outcome
        here, world = outcome.leaf, outcome.world
        if division.own_context:
            here = await tree.say(here, prompt("summary"), "summary")
            facts = tree.trace.nodes[here].message.content.strip()
        if not part.complete and replans:
            replans -= 1
            here, todo = await _plan(tree, here, division.count, facts, words)


def _part(tree: Tree, here: int, world: World, division: Division, words: str) -> Part:
    async def finished(at: int) -> bool:
        doubt = await ask(tree.model, tree.contexts[at], prompt("complete", subtask=words))
        tree.charge(doubt.usage)
        reason = f"complete: {words}" if doubt.yes is not None else "said neither Yes nor No"
        tree.trace.judgements.append(Judgement(at, "complete", doubt.yes or 0.0, reason, doubt.usage))
        return doubt.yes is not None and doubt.yes > 0.5

    async def never(at: int) -> bool:  # noqa: ARG001
        return False

    return Part(
        start=here,
        world=world,
        prompt=tree.episode.messages() if division.own_context else None,
        limit=division.limit if words else None,
        finished=finished if words else never,
    )


async def _plan(tree: Tree, at: int, count: int, facts: str, failed: str = "") -> tuple[int, list[str]]:
    """Ask for subtasks; the node of the answer, and what can be read of it."""
    asked = prompt("plan", count=count, facts=facts, failed=failed)
    node = await tree.say(at, asked, "plan")
    return node, subtasks(tree.trace.nodes[node].message.content)[:count]


def subtasks(plan: str) -> list[str]:
    """The numbered or listed lines of a plan, each once."""
    return list(dict.fromkeys(line[:_LONGEST] for line in _LINE.findall(plan)))


@dataclass(frozen=True, slots=True)
class Decompose(Walk):
    """Subtasks, each by another strategy in a short conversation of its own.

    subtasks: of a plan at most. part_steps: turns of a subtask, after which it has failed. replans: new
    plans after failures.
    """

    of: Walk
    subtasks: int = 3
    part_steps: int = 12
    replans: int = 2

    @property
    def name(self) -> str:
        return f"decompose+{self.of.name}"

    @property
    def access(self) -> Access:
        return self.of.access

    @property
    def sampling(self) -> Sampling:
        return self.of.sampling

    def default_judge(self, model: Model) -> Judge:
        return self.of.default_judge(model)

    async def walk(self, tree: Tree, judge: Judge) -> Outcome:
        division = Division(self.subtasks, self.part_steps, self.replans, own_context=True)
        at = tree.plant()
        return await in_parts(tree, at, tree.world, division, lambda part: self.of.walk(part, judge))
