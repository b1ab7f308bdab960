"""Episodes of a household, written by hand with the real types: one of each shape a tree can have."""

from __future__ import annotations

from dataclasses import replace

from tmbr.core.types import (
    Access,
    Action,
    Completion,
    Finish,
    Judgement,
    Message,
    Node,
    NodeKind,
    Run,
    Sample,
    Score,
    Spent,
    Status,
    Step,
    Trace,
    Usage,
)

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
        self.add(None, "root", Message("system", SYSTEM))
        asked = f"{ROOM}\n\nYour task is to: {sample.instruction}."
        self.start = self.add(0, "root", Message("user", asked))

    def add(self, parent: int | None, kind: NodeKind, message: Message, **more: object) -> int:
        return self.trace.add(Node(parent, parent, kind, message, **more))  # type: ignore[arg-type]

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


def react() -> Trace:
    """One path that forgets to cool the mug and runs out of rounds."""
    g = Grown(sample(), run("react"))
    at = g.act(
        g.start,
        "go to countertop 1",
        "On the countertop 1, you see a knife 1, a mug 2, and a plate 1.",
        "I need a mug. Mugs stand on countertops more often than not, so I look there first.",
    )
    at = g.act(
        at,
        "take mug 2 from countertop 1",
        "You pick up the mug 2 from the countertop 1.",
        "Here is a mug.",
    )
    at = g.act(
        at, "go to cabinet 1", "The cabinet 1 is closed.", "I have the mug. It goes to a cabinet."
    )
    at = g.act(
        at,
        "put mug 2 in cabinet 1",
        "Nothing happens.",
        "I put the mug in the cabinet.",
        admissible=False,
    )
    at = g.act(
        at,
        "open cabinet 1",
        "You open the cabinet 1. In it, you see a bowl 1.",
        "It is closed, I open it.",
    )
    at = g.act(
        at,
        "put mug 2 in/on cabinet 1",
        "You put the mug 2 in/on the cabinet 1.",
        "Now the mug fits in.",
    )
    at = g.act(
        at,
        None,
        "Nothing happens.",
        "The mug is in the cabinet. I am done!",
        error="no line begins with Action:",
    )
    at = g.act(at, "look", "You are facing the cabinet 1.", "I look around.", ends="task limit reached")
    return g.ended(at, "task limit reached", False, Spent(Usage(6210, 214, 1480), 8, 8, 0))


def multibranch() -> Trace:
    """Candidates at each step: some dropped, some judged lower, one followed and left again."""
    g = Grown(sample(), run("multibranch", "fork"))
    at = g.act(
        g.start,
        "go to countertop 1",
        "On the countertop 1, you see a knife 1, a mug 2, and a plate 1.",
        "I need a mug. I look on the countertop first.",
        value=0.62,
    )
    g.act(
        g.start, "go to cabinet 2", "The cabinet 2 is closed.", "A cabinet may hold a mug.", value=0.35
    )
    g.act(
        g.start,
        "go to countertop 1",
        None,
        "The countertop is near.",
        error="duplicate of another candidate",
    )
    g.act(g.start, None, None, "mug mug mug cabinet", error="no line begins with Action:")
    at = g.act(
        at,
        "take mug 2 from countertop 1",
        "You pick up the mug 2 from the countertop 1.",
        "Here is a mug.",
        value=0.81,
    )
    wrong = g.act(
        at, "go to cabinet 1", "The cabinet 1 is closed.", "The mug goes to a cabinet.", value=0.66
    )
    fridge = g.act(
        at,
        "go to fridge 1",
        "The fridge 1 is closed.",
        "The mug has to be cool, so the fridge comes before the cabinet.",
        value=0.58,
    )
    g.act(at, "go to microwave 1", "The microwave 1 is closed.", "Perhaps the microwave.", value=0.12)
    opened = g.act(
        wrong,
        "open cabinet 1",
        "You open the cabinet 1. In it, you see a bowl 1.",
        "It is closed.",
        value=0.44,
    )
    g.act(
        wrong,
        "look",
        "You are facing the cabinet 1.",
        "I look.",
        error="no effect: the state was seen before",
    )
    g.act(
        opened,
        "put mug 2 in/on cabinet 1",
        "You put the mug 2 in/on the cabinet 1.",
        "The mug goes in.",
        value=0.08,
        reason="the mug was never cooled, and the goal asks for a cool one",
    )
    at = g.act(
        fridge,
        "cool mug 2 with fridge 1",
        "You cool the mug 2 using the fridge 1.",
        "Now I cool it.",
        value=0.93,
    )
    g.act(
        fridge,
        "open fridge 1",
        "You open the fridge 1. In it, you see an egg 1.",
        "It is closed.",
        value=0.51,
    )
    at = g.act(
        at, "go to cabinet 1", "The cabinet 1 is closed.", "It is cool. Back to the cabinet.", value=0.9
    )
    at = g.act(
        at,
        "open cabinet 1",
        "You open the cabinet 1. In it, you see a bowl 1.",
        "I open it.",
        value=0.92,
    )
    at = g.act(
        at,
        "put mug 2 in/on cabinet 1",
        "You put the mug 2 in/on the cabinet 1.",
        "A cool mug in a cabinet: that is the goal.",
        ends="completed",
        value=0.97,
    )
    return g.ended(at, "completed", True, Spent(Usage(19840, 702, 3120), 14, 7, 11))


def restart() -> Trace:
    """The first path ends badly; the second is told so, and begins again at the root."""
    g = Grown(sample(), run("paper", "restart"))
    at = g.act(
        g.start, "go to cabinet 2", "The cabinet 2 is closed.", "A cabinet may hold a mug.", value=0.5
    )
    at = g.act(
        at, "open cabinet 2", "You open the cabinet 2. In it, you see nothing.", "I open it.", value=0.4
    )
    at = g.act(at, "close cabinet 2", "You close the cabinet 2.", "It is empty.", value=0.2)
    said = "The path go to cabinet 2, open cabinet 2, close cabinet 2 did not help. Avoid it."
    note = g.add(g.start, "reflect", Message("user", said))
    first = Message("assistant", "Thought: The countertop, then.\nAction: go to countertop 1")
    seen = Step("On the countertop 1, you see a knife 1, a mug 2, and a plate 1.", admissible=True)
    action = Action("take_action", {"action": "go to countertop 1"}, "go to countertop 1")
    at = g.trace.add(Node(g.start, note, "act", first, True, action, step=seen))
    at = g.act(
        at,
        "take mug 2 from countertop 1",
        "You pick up the mug 2 from the countertop 1.",
        "A mug.",
        value=0.7,
    )
    g.act(g.trace.nodes[at].parent or 0, "take knife 1 from countertop 1", None, "A knife.", value=0.1)
    at = g.act(
        at,
        "go to fridge 1",
        "The fridge 1 is closed.",
        "It must be cool.",
        ends="task limit reached",
        value=0.8,
    )
    return g.ended(
        at, "task limit reached", False, Spent(Usage(15300, 415, 9100), 15, 6, 0), stop="step budget"
    )


def task_error() -> Trace:
    """The endpoint fell silent after the first turn."""
    g = Grown(sample(2, "find two newspapers and put them in sofa"), run("react", model="base"))
    at = g.act(g.start, "go to sofa 1", "On the sofa 1, you see a pillow 1.", "I look at the sofa.")
    why = "ModelFault: no answer from http://localhost:8000/v1 after 5 tries"
    return g.ended(at, "task error", False, Spent(Usage(700, 22, 700), 1, 1, 0), error=why)


def empty() -> Trace:
    """The world could not even be opened."""
    trace = Trace("empty", sample(3, "examine a book with the desklamp"), run("react", model="base"))
    error = "EnvironmentFault: scene 3 has no desklamp"
    trace.finish = Finish(0, Score(0.0, False), "task error", error=error)
    return trace


def huge(steps: int, candidates: int) -> Trace:
    """An episode whose every step had several candidates, all of them wordy."""
    grown = Grown(sample(), run("multibranch", "fork"))
    at = grown.start
    for step in range(steps):
        nodes = [
            grown.act(
                at, f"go to cabinet {step}", "You see nothing. " * 200, "I think. " * 200, value=0.5
            )
            for _ in range(candidates)
        ]
        at = nodes[0]
    grown.trace.finish = Finish(at, Score(0.0, False), "task limit reached")
    return grown.trace


def all_shapes() -> list[Trace]:
    return [react(), multibranch(), restart(), task_error(), empty()]


def another(trace: Trace, at: int, seed: int = 0) -> Trace:
    """The same tree as an episode of another sample."""
    other = replace(trace.sample, id=f"generated-test-{at:04d}")
    return replace(trace, id=f"{trace.id}-{at}", sample=other, run=replace(trace.run, seed=seed))
