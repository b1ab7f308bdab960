"""Episodes → tokens: what the policy wrote, with the prompt that it was written to, and its reward."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tmbr.core.conversation import conversations
from tmbr.core.trace import Node, Trace
from tmbr.core.types import Context, Tool
from tmbr.tuning.masks import IGNORED, Example
from tmbr.tuning.policy.sampler import Rewards

Prompt = Callable[[Context, Sequence[Tool]], tuple[int, ...]]
#: Nodes and the reward of each.
Earned = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Turn:
    """One sampled answer. node: of its trace; logprobs: by the sampler, in nats, one a token."""

    node: int
    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    reward: float = 0.0


@dataclass(slots=True)
class Strand:
    """A conversation as one sequence: the turns whose prompts go on where the one before ended.

    spans: [start, end) of each turn's tokens in `ids`. A template that rewrites the past, or a restart,
    makes an episode more than one strand.
    """

    ids: list[int]
    turns: list[Turn] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)


def outcome(trace: Trace, nodes: Sequence[int]) -> list[float]:
    """The world's score, for the last turn; nothing for any other."""
    assert trace.finish is not None
    return [0.0] * (len(nodes) - 1) + [trace.finish.score.value]


def earned(trace: Trace, rewards: Rewards = outcome, invalid_cost: float = 0.0) -> Earned:
    """Of the sampled turns of the committed branch, oldest first.

    What was not sampled in this episode, such as the beginning of a forked one, is not among them.
    """
    assert trace.finish is not None
    nodes = [index for index in trace.branch(trace.finish.leaf) if trace.nodes[index].completion]
    if not nodes:
        return []
    return [
        (index, reward - invalid_cost * _invalid(trace.nodes[index]))
        for index, reward in zip(nodes, rewards(trace, nodes), strict=True)
    ]


def turns(trace: Trace, prompt: Prompt, rewards: Earned) -> list[Turn]:
    """The turns of which a reward is told. One without tokens (no room was left to answer) is not among
    them: its reward goes to the one before."""
    found: list[Turn] = []
    after = conversations(trace)
    for index, reward in rewards:
        node = trace.nodes[index]
        assert node.completion is not None
        assert node.context is not None
        if node.completion.token_ids:
            ids = prompt(after[node.context], trace.tools if node.kind == "act" else ())
            found.append(Turn(index, ids, node.completion.token_ids, node.completion.logprobs, reward))
        elif found:
            found[-1] = _rewarded(found[-1], reward)
    return found


def strands(content: Iterable[Turn], max_length: int) -> tuple[list[Strand], int]:
    """The turns of one episode as sequences, and how many were left out as longer than `max_length`.

    The reward of a turn that is left out goes to the one before, if there is one.
    """
    found: list[Strand] = []
    cut = 0
    for turn in content:
        end = len(turn.prompt) + len(turn.tokens)
        if end > max_length:
            cut += 1
            if found:
                found[-1].turns[-1] = _rewarded(found[-1].turns[-1], turn.reward)
            continue
        last = found[-1].ids if found else []
        if not found or list(turn.prompt[: len(last)]) != last:
            found.append(Strand([]))
        strand = found[-1]
        strand.ids = [*turn.prompt, *turn.tokens]
        strand.turns.append(turn)
        strand.spans.append((len(turn.prompt), end))
    return found, cut


def labelled(example: Example) -> tuple[Strand, list[float]]:
    """A row's labelled stretches, as if they had been sampled, and the weight of each token in them."""
    spans: list[tuple[int, int]] = []
    for at, label in enumerate(example.labels):
        if label == IGNORED:
            continue
        if spans and spans[-1][1] == at:
            spans[-1] = (spans[-1][0], at + 1)
        else:
            spans.append((at, at + 1))
    weights = [weight for start, end in spans for weight in example.weights[start:end]]
    return Strand(example.input_ids, spans=spans), weights


def _rewarded(turn: Turn, more: float) -> Turn:
    return Turn(turn.node, turn.prompt, turn.tokens, turn.logprobs, turn.reward + more)


def _invalid(node: Node) -> bool:
    return node.error is not None or (node.step is not None and node.step.admissible is False)
