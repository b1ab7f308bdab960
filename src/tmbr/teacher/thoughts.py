"""Thoughts that are added afterwards to the actions of a path that is known to work.

A model that explains an action after the fact is tempted to know too much. So a thought is kept only if
it names nothing that was not yet seen: a rule that can be checked, strict rather than clever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from tmbr.core.conversation import conversation
from tmbr.core.errors import ActionError
from tmbr.core.protocols import Model
from tmbr.core.rows import teaches
from tmbr.core.trace import Node, Trace
from tmbr.core.types import Action, Completion, Context, Message, Sampling, derive_seed, digest
from tmbr.teacher.prompts import prompt

#: A name with its number (`mug 2`), anything with a digit or an underscore, and what is quoted.
_IDS = re.compile(r"[A-Za-z_]+ \d+|\w*[\d_]\w*|(?<=\")[^\"\n]{2,60}(?=\")|(?<=`)[^`\n]{2,60}(?=`)")
_WORD = re.compile(r"[^\W\d_]{3,}")
_THOUGHT = re.compile(r"\A(?:[ \t]*Thought:)?.*?(?=^[ \t]*Action:)", re.MULTILINE | re.DOTALL)
#: Longest thought, in characters.
LONGEST = 300
#: Words that give nothing away, wherever they occur later.
PLAIN = frozenset((files("tmbr.teacher") / "plain.txt").read_text("utf-8").split())


def hidden_names(thought: str, seen: str, hidden: str) -> list[str]:
    """What a thought names that it cannot know yet, in the order in which it names it.

    seen: all that was said so far, and the action itself. hidden: what the sample holds and what is
    said later. An id or quotation must have been seen, wherever it comes from; of all other words
    those are hidden that occur only in `hidden`. Case and a plural s do not matter; PLAIN words never
    do.
    """
    known, later = _words(seen), _words(hidden)
    flat = " ".join(seen.casefold().split())
    found = [
        name
        for name in _IDS.findall(thought)
        if not re.search(rf"(?<!\w){re.escape(' '.join(name.casefold().split()))}(?!\w)", flat)
    ]
    found += [
        word
        for word in _WORD.findall(thought)
        if (stem := _stem(word)) in later and stem not in known and word.casefold() not in PLAIN
    ]
    return list(dict.fromkeys(found))


def _words(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text)}


def _stem(word: str) -> str:
    return word.casefold().removesuffix("s")


@dataclass(frozen=True, slots=True)
class Thinker:
    """Who explains. tries: answers asked for at once, of which the first sound one is kept. parse: how
    the task reads an action, which a new thought must not change."""

    model: Model
    parse: Callable[[Completion], Action]
    sampling: Sampling
    tries: int = 2
    seed: int = 0

    def key(self, trace: Trace) -> str:
        """The id of the trace that is made of this one."""
        told = [self.model.name, self.model.weights_version, repr(self.sampling), self.tries, self.seed]
        return digest([trace.id, "thoughts", *told])

    async def explain(self, trace: Trace) -> tuple[Trace, int, int]:
        """The episode with new thoughts in the turns of its committed branch; how many turns were
        explained, and how many keep their own words because every answer named what is hidden (or was
        none). Raises ModelFault."""
        assert trace.finish is not None, "only a finished episode has a path that is known to work"
        branch = [i for i in trace.branch(trace.finish.leaf) if trace.nodes[i].kind == "act"]
        nodes = list(trace.nodes)
        explained = kept = 0
        for index in branch:
            node = trace.nodes[index]
            if node.action is None or node.context is None or not teaches(node):
                continue
            made = replace(trace, nodes=nodes)  # what was explained before is what is read now
            thought = await self._thought(made, index, _hidden(trace, branch, index))
            message = None if thought is None else self._with(node, thought)
            if message is None:
                kept += 1
                continue
            explained += 1
            said = Completion(message.content, message.tool_calls, finish_reason="stop")
            nodes[index] = replace(node, message=message, completion=said)
        run = replace(trace.run, model=f"{trace.run.model}, thoughts by {self.model.name}")
        return replace(trace, id=self.key(trace), run=run, nodes=nodes), explained, kept

    async def _thought(self, trace: Trace, index: int, hidden: str) -> str | None:
        """The first answer that names nothing hidden."""
        node = trace.nodes[index]
        assert node.action is not None
        assert node.context is not None
        heard = conversation(trace, node.context).messages()
        action = _written(node.action)
        asked = Context(Message("user", prompt("why", heard=heard, action=action)))
        seed = derive_seed(self.seed, trace.sample.id, index)
        answers = await self.model.complete(asked, (), self.tries, self.sampling, seed)
        seen = "\n".join([*map(_text, heard), action])
        for answer in answers:
            thought = " ".join(answer.text.split()).removeprefix("Thought:").strip()
            is_thought = 0 < len(thought) <= LONGEST and "Action:" not in thought
            if is_thought and not hidden_names(thought, seen, hidden):
                return thought
        return None

    def _with(self, node: Node, thought: str) -> Message | None:
        """The turn with another thought; None where that would change what is done."""
        before = node.message
        if before.tool_calls:
            return replace(before, content=thought)
        if not _THOUGHT.match(before.content):
            return None
        content = _THOUGHT.sub(lambda _: f"Thought: {thought}\n", before.content, count=1)
        try:
            action = self.parse(Completion(content))
        except ActionError:
            return None
        same = node.action is not None and action.key == node.action.key
        return replace(before, content=content) if same else None


def _hidden(trace: Trace, branch: Sequence[int], index: int) -> str:
    """What is not known when this turn is taken: the sample, and all that is said from now on."""
    later = (trace.nodes[i] for i in branch if i >= index)
    told = [text for n in later for text in (_text(n.message), n.step.observation if n.step else "")]
    return "\n".join([json.dumps([dict(trace.sample.setup), trace.sample.target], default=str), *told])


def _text(message: Message) -> str:
    return "\n".join([message.content, *(f"{c.name} {c.arguments}" for c in message.tool_calls)])


def _written(action: Action) -> str:
    return " ".join([action.name, *action.arguments.values()])
