"""What candidates are worth in an episode: how often a further answer was a new one, at what price."""

from __future__ import annotations

from dataclasses import dataclass

from tmbr.core.types import Usage

#: Turns that a wrong turn costs: itself, and every other time one that takes it back.
DETOUR = 1.5
#: Keys of the actions that were answered to a question, None among them for an answer without one.
Said = frozenset[str | None]


@dataclass(slots=True)
class Variety:
    """Where answers to the same question never differ, more of them cost tokens and show nothing.

    answers: all; later: those to a question that had one already; differed: those of them that were
    new. asked, prompt and generated: questions, and tokens of all of them.
    """

    answers: int = 0
    later: int = 0
    differed: int = 0
    asked: int = 0
    prompt: int = 0
    generated: int = 0

    @property
    def rate(self) -> float:
        """Chance that one more answer is a new one, by a prior of one sixth, worth three answers."""
        return (0.5 + self.differed) / (3 + self.later)

    @property
    def none(self) -> bool:
        """Whether to ask the same again is known to be no use."""
        return self.rate <= 0.15

    def width(self, most: int) -> int:
        """As many candidates as the detours that they save would cost: where answers never differ, or
        are long and prompts short, few; two where nothing is known yet."""
        if not self.asked:
            return min(2, most)
        answer = self.generated / self.answers or 1.0
        turn = self.prompt / self.asked + answer
        return min(most, max(1, round(1 + DETOUR * self.rate * turn / answer)))

    def note(self, before: Said, said: Said, answers: int, usage: Usage) -> None:
        """Count answers to a question to which others had been given before."""
        first = not before
        self.answers += answers
        self.later += answers - first
        self.differed += len(said - before) - first
        self.asked += 1
        self.prompt += usage.prompt
        self.generated += usage.generated
