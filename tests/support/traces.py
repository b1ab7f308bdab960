"""Episodes of a household, written by hand: one of each shape a tree can have."""

from __future__ import annotations

from dataclasses import replace

from tests.support.grown import Grown, run, sample
from tmbr.core.trace import Finish, Spent, Trace
from tmbr.core.types import Message, Score, Usage


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
    """The first path ends badly; the second is told so, and begins again with a root of its own."""
    g = Grown(sample(), run("paper", "restart"))
    at = g.act(
        g.start, "go to cabinet 2", "The cabinet 2 is closed.", "Mugs are in cabinets.", value=0.5
    )
    g.act(g.start, "go to sinkbasin 1", None, "Perhaps the sink.", value=0.3)
    at = g.act(at, "open cabinet 2", "You open the cabinet 2. It is empty.", "I open it.", value=0.4)
    at = g.act(at, "close cabinet 2", "You close the cabinet 2.", "It is empty.", value=0.2)
    again = g.plant("go to cabinet 2, open cabinet 2, close cabinet 2 did not help. Go another way.")
    at = g.act(
        again,
        "go to countertop 1",
        "On the countertop 1, you see a knife 1, a mug 2, and a plate 1.",
        "The countertop, then.",
        value=0.6,
    )
    before = at
    at = g.act(
        before, "take mug 2 from countertop 1", "You pick up the mug 2.", "Here is a mug.", value=0.7
    )
    g.act(before, "take knife 1 from countertop 1", None, "A knife.", value=0.1)
    at = g.act(
        at, "go to fridge 1", "The fridge 1 is closed.", "It must be cool.", ends="task limit reached"
    )
    spent = Spent(Usage(15300, 415, 9100), 15, 6, 0)
    return g.ended(at, "task limit reached", False, spent, stop="step budget")


def planned() -> Trace:
    """A plan stands in the conversation, not among the world's states."""
    g = Grown(sample(), run("decompose"))
    said = "1. Find a mug. 2. Cool it. 3. Put it in a cabinet."
    plan = g.add(g.start, "plan", Message("assistant", said), sampled=True)
    g.act(g.start, "go to sinkbasin 1", None, "The sink.", error="duplicate")
    at = g.act(g.start, "go to countertop 1", "You see a mug 2.", "I find a mug.", context=plan)
    return g.ended(at, "task limit reached", False, Spent(Usage(900, 60, 900), 2, 1, 0))


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
    return [react(), multibranch(), restart(), planned(), task_error(), empty()]


def another(trace: Trace, at: int, seed: int = 0) -> Trace:
    """The same tree as an episode of another sample."""
    other = replace(trace.sample, id=f"generated-test-{at:04d}")
    return replace(trace, id=f"{trace.id}-{at}", sample=other, run=replace(trace.run, seed=seed))
