"""Plays one doors episode with a scripted model, and draws its tree as text."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.support.doors import DoorsTask
from tmbr.begun import Begun
from tmbr.core.protocols import Judge, Model, Strategy, Task
from tmbr.core.trace import Budget, Judgement, Node, Run, Trace
from tmbr.core.types import Sample
from tmbr.models.scripted import ScriptedModel
from tmbr.rollout import episode


def doors(way: str) -> Sample:
    """The sample whose only way out is `way`."""
    return Sample(f"way {way}", "doors", "test", "Find the way out.", {"way": way}, way)


def play(
    strategy: Strategy,
    model: Model | Sequence[str],
    sample: Sample,
    *,
    task: Task | None = None,
    judge: Judge | None = None,
    budget: Budget = Budget(),  # noqa: B008 (it is frozen)
    begun: Begun | None = None,
) -> Trace:
    """A sequence is given out answer by answer, in the order of the calls."""
    task = task or DoorsTask()
    model = ScriptedModel(model) if isinstance(model, Sequence) else model
    run = Run("", task.name, model.name, strategy.name, strategy.access, 0)
    return asyncio.run(episode(sample, task, strategy, model, judge, budget, run, begun))


def always(*answers: str, context_limit: int = 1_000_000) -> ScriptedModel:
    """A model that gives the same answers to every question, in turn."""
    return ScriptedModel(lambda _, n, __: (answers * n)[:n], context_limit=context_limit)


@dataclass(frozen=True, slots=True)
class Likes:
    """A judge of doors: the value of a branch by the doors that it takes (`!` stands for `leave`), 0
    where none is given."""

    values: Mapping[str, float]
    name: str = "likes"

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:
        return [Judgement(i, self.name, self.values.get(_doors(trace, i), 0.0)) for i in nodes]


def _doors(trace: Trace, leaf: int) -> str:
    actions = [trace.nodes[i].action for i in trace.branch(leaf)]
    return "".join(action.arguments.get("door", "!") for action in actions if action is not None)


def drawn(trace: Trace) -> str:
    """The tree, a line a node: `*` committed, `+` executed or looked at, `-` never executed.

    After the action stand the judge's last value and why the node was dropped.
    """
    assert trace.finish is not None
    main = set(trace.branch(trace.finish.leaf))
    values = {judgement.node: judgement.value for judgement in trace.judgements}
    lines: list[str] = []

    def draw(parent: int | None, depth: int) -> None:
        for index, node in enumerate(trace.nodes):
            if node.parent == parent:
                mark = "*" if index in main else "+" if node.step or node.kind == "root" else "-"
                value = f" {values[index]:.2f}" if index in values else ""
                why = f" ({node.error})" if node.error else ""
                lines.append(f"{'  ' * depth}{mark} {_said(node)}{value}{why}")
                draw(index, depth + 1)

    draw(None, 0)
    end = trace.finish
    lines.append(f"{end.status}, {end.stop or 'no stop'}, score {end.score.value:g}")
    return "\n".join(lines)


def _said(node: Node) -> str:
    if node.action is None:
        return "root" if node.kind == "root" else repr(node.message.content)
    return " ".join([node.action.name, *node.action.arguments.values()])
