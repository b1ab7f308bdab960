"""A task's teachers as models: expert, walkthrough, and an expert that errs on purpose."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Literal

from tmbr.core.errors import ConfigError, ModelFault
from tmbr.core.types import Completion, Message, Sample, derive_seed, digest
from tmbr.models.scripted import Answer, ScriptedModel

#: Reads a conversation, and nothing else; writes the next turn.
Policy = Callable[[Sequence[Message]], Message]
#: A wrong turn that is well-formed.
Mistake = Callable[[Sequence[Message], random.Random], Message]

#: Turns from which no action can be read, in any form of actions.
MALFORMED = (
    "I am not sure what to do next.",
    "Let me think about this for a while",
    '<tool_call>\n{"name": \n</tool_call>',
    "",
)


class ExpertModel(ScriptedModel):
    """All n candidates are what the policy says."""

    def __init__(self, name: str, policy: Policy) -> None:
        super().__init__(lambda messages, n, _: [policy(messages)] * n, name, weights_version="expert")


class Walkthrough(ScriptedModel):
    """The privileged teacher: it knows the solution of a sample and tells it turn by turn.

    A model hears only the conversation, so `of` makes the one that answers for a given sample.
    """

    def __init__(self, name: str, solution: Callable[[Sample], Sequence[Message]]) -> None:
        super().__init__([], name, weights_version="walkthrough")
        self._solution = solution

    def of(self, sample: Sample) -> ScriptedModel:
        """Raises ModelFault when it is asked for more turns than the solution has."""
        turns = self._solution(sample)

        def next_turn(messages: Sequence[Message], n: int, _: int) -> list[Answer]:
            told = sum(message.role == "assistant" for message in messages)
            if told >= len(turns):
                raise ModelFault(f"{sample.id}: its walkthrough has only {len(turns)} turns")
            return [turns[told]] * n

        return ScriptedModel(next_turn, self.name, weights_version=self.weights_version)


class NoisyExpert(ScriptedModel):
    """The policy, except that with probability `p` a turn is an error, finished as `mistake`.

    Of the errors `malformed_share` are malformed, the others a mistake. Candidate i has its own
    generator, from (the call's seed, i), which always chooses the words of its error. The decision
    whether it errs, and in which way, is drawn

    - `anew`: from that same generator, so candidates err independently and a retry helps;
    - `per state`: from (the model's own `seed`, digest of the conversation), so that all candidates
      share it at any seed of the call, and only another conversation helps.

    Raises ConfigError for shares outside [0, 1].
    """

    def __init__(
        self,
        name: str,
        policy: Policy,
        mistake: Mistake,
        p: float,
        errors: Literal["anew", "per state"] = "anew",
        malformed_share: float = 0.5,
        seed: int = 0,
    ) -> None:
        for share, what in ((p, "p"), (malformed_share, "malformed_share")):
            if not 0 <= share <= 1:
                raise ConfigError(f"{name}: {what} is {share}; give a share between 0 and 1")
        version = f"noisy p={p} {errors} malformed={malformed_share} seed={seed}"
        super().__init__(self._answers, name, weights_version=version)
        self._policy, self._mistake = policy, mistake
        self._p, self._malformed_share = p, malformed_share
        self._errors, self._seed = errors, seed

    def _answers(self, messages: Sequence[Message], n: int, seed: int) -> list[Answer]:
        return [self._answer(messages, random.Random(derive_seed(seed, i))) for i in range(n)]

    def _answer(self, messages: Sequence[Message], own: random.Random) -> Answer:
        decides = own if self._errors == "anew" else random.Random(self._state(messages))
        errs, malformed = decides.random() < self._p, decides.random() < self._malformed_share
        if not errs:
            return self._policy(messages)
        if malformed:
            return Completion(own.choice(MALFORMED), finish_reason="mistake")
        wrong = self._mistake(messages, own)
        return Completion(wrong.content, wrong.tool_calls, finish_reason="mistake")

    def _state(self, messages: Sequence[Message]) -> int:
        said = [
            [m.role, m.content, [[call.name, call.arguments] for call in m.tool_calls]]
            for m in messages
        ]
        return derive_seed(self._seed, digest(said))
