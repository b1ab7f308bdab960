"""Yes or no, by the probability that a model gives to either word."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tmbr.core.conversation import saying
from tmbr.core.protocols import Model
from tmbr.core.types import FREE, Context, Usage

ANSWERS = ("Yes", "No")
#: Room that both answers take.
_ROOM = 8
#: An answer less likely than this is no answer: the model said something else.
_HEARD = math.log(0.02)


@dataclass(frozen=True, slots=True)
class Doubt:
    """yes: probability of Yes as against No; None where the model cannot be asked, or says neither."""

    yes: float | None
    usage: Usage = FREE


async def ask(model: Model, context: Context, words: str) -> Doubt:
    """Ask after a conversation; one that has no room left for a question is not asked."""
    asked = saying(context, words)
    if model.count(asked) + _ROOM > model.context_limit:
        return Doubt(None)
    scored = await model.score(asked, ANSWERS)
    yes, no = scored.logprobs
    likelier = max(yes, no)
    if not likelier >= _HEARD or math.isnan(yes + no):
        return Doubt(None, scored.usage)
    said_yes, said_no = math.exp(yes - likelier), math.exp(no - likelier)
    return Doubt(said_yes / (said_yes + said_no), scored.usage)
