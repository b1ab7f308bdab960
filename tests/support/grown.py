"""A trace grown by hand, one line a node: household text, real types."""

from __future__ import annotations

from tmbr.core.trace import Finish, Judgement, Node, NodeKind, Run, Spent, Trace
from tmbr.core.types import Access, Action, Completion, Message, Sample, Score, Status, Step, Usage

SYSTEM = (
    "You act in a household to reach a goal. In each turn write a short thought and one action.\n"
    "Thought: what you know and what comes next\nAction: one of the available actions"
)
ROOM = (
    "You are in the middle of a room. Looking quickly around you, you see a cabinet 2, a cabinet 1, a "
    "countertop 1, a diningtable 1, a fridge 1, a microwave 1, a sinkbasin 1."
)


def sample(at: int = 1, instruction: str = "put a cool mug in cabinet") -> Sample:
    return Sample(f"generated-test-{at:04d}", "household", "test", instruction, {"scene": at})


def run(strategy: str, access: Access = "none", model: str = "tuned", seed: int = 0) -> Run:
    adapter = None if model == "base" else "runs/quickstart/adapter"
    return Run(
        "4f2a9c10", "household", model, strategy, access, seed, adapter, "0.1.0", data="generated"
    )


class Grown:
    """A trace that grows by one line of script a node."""

    def __init__(self, sample: Sample, run: Run) -> None:
        self.trace = Trace(f"{sample.id}-{run.model}-{run.strategy}-{run.seed}", sample, run)
        self.start = self.plant()

    def plant(self, note: str = "") -> int:
        """The prompt as root nodes; returns the last."""
        first = self.add(None, "root", Message("system", SYSTEM))
        asked = f"{ROOM}\n\nYour task is to: {self.trace.sample.instruction}.\n{note}"
        return self.add(first, "root", Message("user", asked.strip()))

    def add(
        self,
        parent: int | None,
        kind: NodeKind,
        message: Message,
        context: int | None = None,
        **more: object,
    ) -> int:
        told = parent if context is None else context
        return self.trace.add(Node(parent, told, kind, message, **more))  # type: ignore[arg-type]

    def act(
        self,
        parent: int,
        action: str | None,
        observation: str | None,
        thought: str = "",
        *,
        error: str | None = None,
        admissible: bool | None = True,
        ends: Status | None = None,
        value: float | None = None,
        reason: str = "",
        context: int | None = None,
    ) -> int:
        """A turn of the model: `action` None is text from which nothing could be read."""
        text = thought if action is None else f"Thought: {thought}\nAction: {action}"
        step = None
        if observation is not None:
            step = Step(observation, ends is not None, ends, None if action is None else admissible)
        node = self.add(
            parent,
            "act",
            Message("assistant", text),
            context,
            sampled=True,
            action=None if action is None else Action("take_action", {"action": action}, action),
            error=error,
            step=step,
            completion=Completion(text, usage=Usage(420, 24, 60)),
        )
        if value is not None:
            self.trace.judgements.append(Judgement(node, "progress", value, reason, Usage(300, 1, 20)))
        return node

    def ended(
        self,
        leaf: int,
        status: Status,
        won: bool,
        spent: Spent,
        stop: str | None = None,
        error: str | None = None,
    ) -> Trace:
        self.trace.spent = spent
        self.trace.finish = Finish(leaf, Score(float(won), won), status, stop, error)
        return self.trace
