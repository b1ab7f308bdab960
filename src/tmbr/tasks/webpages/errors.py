"""Errors on purpose: a wrong turn that the world takes, and a learner's slip that it often refuses."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tmbr.environments.webpages.sites import DEAD_ENDS, MEMBER, THEMES
from tmbr.tasks.webpages.expert import Element, Move, Seen, decide
from tmbr.tasks.webpages.forms import Choice
from tmbr.tasks.webpages.question import NONE, Question, letter

#: Share of slips that are a wrong turn; the others do the right thing with a wrong element or value.
ASTRAY = 0.4
#: What ends a visit, or leads to where none comes back from.
_FINAL = frozenset(label for theme in THEMES for label in (theme.commit, theme.rush))
AVOID = _FINAL | frozenset((*DEAD_ENDS, MEMBER))
_ASIDE = "I try something else."


def mistake(questions: Sequence[Question], live: bool, rng: Random) -> Move:
    """A choice that is not the expert's: on a live site one that changes something and ends nothing."""
    right = decide(questions, live).choice
    seen = Seen(questions[-1]) if questions else None
    if seen is None:
        return Move(_ASIDE, Choice())
    if live:
        wrong = [Choice(e.letter, "CLICK") for e in seen.elements if _harmless(e)]
    else:
        wrong = [Choice(letter(at), "CLICK") for at in range(len(seen.question.choices))] + [Choice()]
    others = [choice for choice in wrong if choice.answer != right.answer]
    return Move(_ASIDE, rng.choice(others) if others else Choice())


def _harmless(element: Element) -> bool:
    clicked = element.tag in ("a", "button") or element.told.startswith("checkbox ")
    return clicked and element.text not in AVOID


def slip(questions: Sequence[Question], live: bool, rng: Random) -> Move:
    """The right move with a wrong element, operation or value, or a wrong turn."""
    right = decide(questions, live)
    choice = right.choice
    if choice.answer == NONE or not questions or rng.random() < ASTRAY:
        return mistake(questions, live, rng)
    if choice.value and rng.random() < 0.5:
        wrong = _mistyped(choice.value, rng)
        return Move(right.thought, Choice(choice.answer, choice.operation, wrong))
    operation = rng.choice([one for one in ("CLICK", "TYPE", "SELECT") if one != choice.operation])
    value = choice.value or ("yes" if operation != "CLICK" else "")
    return Move(right.thought, Choice(choice.answer, operation, "" if operation == "CLICK" else value))


def _mistyped(value: str, rng: Random) -> str:
    """The value with one character less, or more."""
    at = rng.randrange(len(value))
    return (value[:at] + value[at + 1 :] if rng.random() < 0.5 else f"{value[:at]}{value[at:]}s") or "s"
