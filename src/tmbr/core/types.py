"""What flows through tmbr: messages, actions, steps, answers and scores.

All values are immutable. Names are the field's own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tmbr.core.grammar import Constraint, Grammar

Role = Literal["system", "user", "assistant", "tool"]
Access = Literal["none", "restart", "fork", "privileged", "oracle"]
#: How an episode ended, in AgentBench's words.
Status = Literal[
    "completed",
    "agent context limit",
    "agent validation failed",
    "agent invalid action",
    "task limit reached",
    "task error",
]
#: A tool in the OpenAI function schema.
Tool = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the model wrote it; `arguments` is JSON text and may be broken."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn in the OpenAI chat shape."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Context:
    """A conversation as a linked list: siblings share their prefix, and share it by identity.

    token_ids: what the model sampled for this message, so that it is never tokenised a second time.
    """

    message: Message
    parent: Context | None = None
    token_ids: tuple[int, ...] | None = None

    def messages(self) -> list[Message]:
        """All messages, oldest first."""
        return [link.message for link in self.links()]

    def links(self) -> list[Context]:
        """This context and all before it, oldest first."""
        found: list[Context] = []
        at: Context | None = self
        while at is not None:
            found.append(at)
            at = at.parent
        return found[::-1]

    def then(self, message: Message, token_ids: tuple[int, ...] | None = None) -> Context:
        return Context(message, self, token_ids)


@dataclass(frozen=True, slots=True)
class Action:
    """One call of a world's tool, parsed from what the model wrote (`raw`)."""

    name: str
    arguments: Mapping[str, str]
    raw: str = ""

    @property
    def key(self) -> str:
        """Equal for equal calls, however they were written."""
        return json.dumps([self.name, dict(self.arguments)], sort_keys=True, ensure_ascii=False)

    def same(self, other: Action) -> bool:
        """Whether the keys are equal, without writing them down."""
        return self.name == other.name and self.arguments == other.arguments


@dataclass(frozen=True, slots=True)
class Step:
    """What the world answered; never a reward.

    done: the episode is over. status: how it ended, None while it goes on.
    admissible: the action as written, before any repair, was one the world offers; None where the
    world does not say.
    """

    observation: str
    done: bool = False
    status: Status | None = None
    admissible: bool | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens: prompt asked, generated, and prefill really computed (after prefix reuse)."""

    prompt: int = 0
    generated: int = 0
    prefill: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt + other.prompt,
            self.generated + other.generated,
            self.prefill + other.prefill,
        )

    @property
    def total(self) -> int:
        """What a budget counts: prompt tokens asked plus tokens generated."""
        return self.prompt + self.generated


#: What costs nothing.
FREE = Usage()


@dataclass(frozen=True, slots=True)
class Completion:
    """One sampled answer. token_ids and logprobs are empty where the model does not tell them.

    finish_reason: `stop`, `length`, `tool_calls`, `context` (no room was left to answer), or `mistake`
    (a teacher's error on purpose, from which only its mending is learnt).
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    finish_reason: str = "stop"
    usage: Usage = FREE

    def message(self) -> Message:
        """As a turn. A local model's text holds its calls too, which a template writes anew."""
        content = self.text.partition("<tool_call>")[0].rstrip() if self.tool_calls else self.text
        return Message("assistant", content, self.tool_calls)


@dataclass(frozen=True, slots=True)
class Scored:
    """Log-probabilities of given texts, in nats, each summed over its tokens, and what they cost."""

    logprobs: tuple[float, ...]
    usage: Usage = FREE


@dataclass(frozen=True, slots=True)
class Rewarded:
    """What a reward model says of a conversation, in [0, 1], and what it cost; None where it found no
    room to read it."""

    value: float | None
    usage: Usage = FREE


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw: greedy at temperature 0.

    constrain: what a strategy wants its actions to be. grammar: the same for one question, which is
    what a model obeys.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 256
    constrain: Constraint | None = None
    grammar: Grammar | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A task's verdict: value in [0, 1], success, and what it was made of.

    Where nobody has said what would be right, `unscored` in detail says why there is none.
    """

    value: float
    success: bool
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        return "unscored" not in self.detail


@dataclass(frozen=True, slots=True)
class Sample:
    """One thing asked. setup: JSON data from which `Task.open` builds the world; target: hidden."""

    id: str
    task: str
    split: str
    instruction: str
    setup: Mapping[str, Any]
    target: Any = None

    @property
    def digest(self) -> str:
        """Hash of the content; with the world's version it is part of an episode's id."""
        return digest([self.id, self.task, self.split, self.instruction, self.setup, self.target])


def digest(value: Any) -> str:
    """Short, stable hash of JSON data."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def derive_seed(*parts: object) -> int:
    """A seed in [0, 2**31) from anything printable: independent of order of execution."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big") >> 1
