"""What a model was told up to a node of a trace, word for word.

The strategies speak through these functions and training data is read back through them, so what is
trained is what was seen.
"""

from __future__ import annotations

from collections.abc import Iterable

from tmbr.core.trace import Node, Trace, answer
from tmbr.core.types import Context, Message


def conversation(trace: Trace, leaf: int) -> Context:
    """What the model was told up to a node of a trace, that node's answer included."""
    context: Context | None = None
    for index in trace.conversation(leaf):
        context = heard(context, trace.nodes[index])
    assert context is not None, "a conversation has at least one message"
    return context


def conversations(trace: Trace) -> list[Context]:
    """The conversation after each node and the world's answer to it, with what was sampled as ids."""
    found: list[Context] = []
    for node in trace.nodes:
        found.append(heard(None if node.context is None else found[node.context], node))
    return found


def heard(context: Context | None, node: Node) -> Context:
    """The conversation after a node, its answer included; `context` is the one that it continues."""
    if node.message.role == "user" and context is not None and context.message.role == "user":
        context = saying(context, node.message.content)
    else:
        ids = node.completion.token_ids if node.completion else ()
        context = Context(node.message, context, ids or None)
    told = answer(node)
    return context.then(told) if told else context


def saying(context: Context, words: str) -> Context:
    """A conversation in which the user says more; templates take no two user turns in a row."""
    last = context.message
    if last.role == "user":
        return Context(Message("user", f"{last.content}\n{words}"), context.parent)
    return context.then(Message("user", words))


def spoken(trace: Trace, nodes: Iterable[int]) -> list[tuple[Message, int | None]]:
    """The messages of these nodes with the world's answers, and which node wrote each; None for an
    answer. Of `trace.conversation(leaf)` the messages are those of `conversation(trace, leaf)`."""
    said: list[tuple[Message, int | None]] = []
    for index in nodes:
        node = trace.nodes[index]
        if node.message.role == "user" and said and said[-1][0].role == "user":
            before, of = said[-1]
            said[-1] = (Message("user", f"{before.content}\n{node.message.content}"), of)
        else:
            said.append((node.message, index))
        told = answer(node)
        if told is not None:
            said.append((told, None))
    return said
