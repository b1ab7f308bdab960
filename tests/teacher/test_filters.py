"""Each filter says what it drops and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support import grown
from tmbr.core.trace import Finish, Judgement, Trace
from tmbr.core.types import Completion, Message, Score
from tmbr.teacher.filters import (
    Filter,
    Inadmissible,
    Judged,
    Language,
    Length,
    Loops,
    Malformed,
    Outcome,
    branch_turns,
    verdict,
)


def _episode(*actions: str | None, answer: str = "A shelf.", success: bool = True) -> Trace:
    made = grown.Grown(grown.sample(), grown.run("react"))
    at = made.start
    for action in actions:
        at = made.act(at, action, answer, "I see.")
    made.trace.finish = Finish(at, Score(float(success), success), "completed")
    made.trace.judgements.append(Judgement(at, "rules", 0.3))
    return made.trace


def _refused(trace: Trace, at: int) -> Trace:
    node = trace.nodes[at]
    assert node.step is not None
    trace.nodes[at] = replace(node, step=replace(node.step, admissible=False))
    return trace


def _said(trace: Trace, at: int, text: str) -> Trace:
    trace.nodes[at] = replace(
        trace.nodes[at], message=Message("assistant", text), completion=Completion(text)
    )
    return trace


@pytest.mark.parametrize(
    ("rule", "trace", "why"),
    [
        (Outcome(), _episode("look", success=False), "not solved"),
        (Outcome(), _episode("look"), None),
        (Outcome(least=0.0), _episode("look", success=False), None),
        (Outcome(), _episode(), "no turn of it was sampled"),
        (Malformed(0.4), _episode(None, "look"), "50% turns without an action"),
        (Malformed(0.5), _episode(None, "look"), None),
        (Inadmissible(0.4), _refused(_episode("a", "b"), 2), "50% refused actions"),
        (Inadmissible(0.5), _refused(_episode("a", "b"), 2), None),
        (
            Loops(1),
            _episode("a", "b", "a"),
            '2 times ["take_action", {"action": "a"}] with the same answer',
        ),
        (Loops(2), _episode("a", "b", "a"), None),
        (Length((2, 3)), _episode("a"), "1 turns"),
        (Length((1, 3)), _episode("a"), None),
        (Length(tokens=(0, 10), count=lambda text: len(text.split())), _episode("a"), "tokens"),
        (Language(), _said(_episode("a", "b"), 2, "Thought: 我去"), "letters are CJK"),
        (Language(("LATIN", "CJK")), _said(_episode("a", "b"), 2, "Thought: 我去"), None),
        (Judged("rules", 0.5), _episode("a"), "rules says 0.30"),
        (Judged("rules", 0.3), _episode("a"), None),
        (Judged("self", 0.1), _episode("a"), "self has not judged it"),
    ],
)
def test_a_filter_objects_with_a_reason(rule: Filter, trace: Trace, why: str | None) -> None:
    said = rule(trace, branch_turns(trace))
    assert said is None if why is None else said is not None and why in said


def test_the_first_objection_counts() -> None:
    dropped = verdict([Loops(1), Length((9, 9))], _episode("a", "a"))
    assert dropped is not None
    assert dropped.filter == "loops"
    assert verdict([Outcome(), Loops(2)], _episode("a", "a")) is None
