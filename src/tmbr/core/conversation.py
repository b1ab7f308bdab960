"""What the model hears: from the nodes of a trace back to the conversation that each was asked with."""

from __future__ import annotations

from tmbr.core.types import Context, Message, Node, Trace, answer


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
