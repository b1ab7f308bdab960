"""The environment played by a model, and what it gets wrong: the paper's way, against the real world.

A played world can contradict itself. So every action that was taken in it is taken in the real one too,
where there is one, and each turn is compared. The verdict is the real world's, and the episode ends at
the first turn in which the played one is wrong: nothing that follows would be worth learning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from tmbr.core.errors import ActionError
from tmbr.core.protocols import Episode, Judge, Model, Outcome
from tmbr.core.trace import Judgement, Node, answer
from tmbr.core.types import Access, Action, Completion, Context, Message, Sampling, Step, derive_seed
from tmbr.teacher.asker import Unfit, read_json
from tmbr.teacher.prompts import prompt

#: Who judges the turns of a played world.
REAL = "real world"
#: How turns differ, the worst first.
UNREADABLE = "no readable answer"
TOO_EARLY = "says solved, the task is not"
MISSED = "goes on, the task is solved or over"
CONTRADICTS = "contradicts itself"
ALLOWED = "allows what is impossible"
REFUSED = "refuses what is possible"
INVENTED = "names what is not there"
OTHER = "tells something else"
CLASSES = (UNREADABLE, TOO_EARLY, MISSED, CONTRADICTS, ALLOWED, REFUSED, INVENTED, OTHER)
#: How a played world answers.
PLAYING = Sampling(temperature=0.0, max_tokens=300)
_NOTHING = "nothing happens"
_NAME = re.compile(r"\b[a-z]+ \d+\b")


@dataclass(frozen=True, slots=True)
class Simulated:
    """A strategy that plays one path in a world that a model plays, beside the real one.

    model: plays the environment. world: its content, in words. instruction: what is asked. done_when:
    what then holds, for a world that nobody else knows. real: whether the session is a world; where it
    is not, what is said is taken as said.
    """

    sampling: Sampling
    model: Model
    world: str
    instruction: str
    done_when: str = ""
    real: bool = True
    name: str = "simulated"
    access: Access = "privileged"

    async def solve(
        self,
        episode: Episode,
        model: Model,
        judge: Judge | None,  # noqa: ARG002
        seed: int,
    ) -> Outcome:
        trace = episode.trace
        at: int | None = None
        context: Context | None = None
        for message in episode.messages():
            at = trace.add(Node(at, at, "root", message))
            context = Context(message, context)
        assert at is not None
        assert context is not None
        first = trace.nodes[at].message.content
        told = told_environment(self.world, self.instruction, first, self.done_when)
        played = Context(Message("system", told))
        compared = Comparison(f"{self.world}\n{trace.nodes[at].message.content}")
        stop: str | None = None
        for turn in range(episode.rounds):
            if stop := episode.spent():
                break
            drawn = derive_seed(seed, trace.sample.id, turn)
            tools = episode.world.tools
            completion = (await model.complete(context, tools, 1, self.sampling, drawn))[0]
            action, error = _parsed(episode, completion)
            written = completion.message()
            calls = "".join(f" {call.name}({call.arguments})" for call in written.tool_calls)
            asked = played.then(Message("user", f"{written.content}{calls}"))
            heard = (await self.model.complete(asked, (), 1, PLAYING, drawn))[0]
            played = asked.then(Message("assistant", heard.text))
            trace.spent.calls += 2
            trace.spent.usage += completion.usage + heard.usage
            step, readable = read_answer(heard.text)
            real = episode.world.step(action)
            step = replace(step, admissible=real.admissible)
            node = Node(at, at, "act", written, True, action, error, step, completion)
            at = trace.add(node)
            why = None if readable else UNREADABLE
            if self.real:
                why = compared.difference(action, real, step, readable)
                trace.judgements.append(Judgement(at, REAL, float(why is None), why or ""))
            reply = answer(node)
            assert reply is not None
            context = context.then(written, completion.token_ids or None).then(reply)
            if (real if self.real else step).done or (stop := why):
                break
        return Outcome(at, episode.world, stop)


def told_environment(world: str, instruction: str, first: str, done_when: str = "") -> str:
    """The prompt of who plays a world; first: what the agent was told, the others as in `Simulated`."""
    return prompt("environment", world=world, instruction=instruction, first=first, done_when=done_when)


def _parsed(episode: Episode, completion: Completion) -> tuple[Action | None, str | None]:
    try:
        return episode.parse(completion), None
    except ActionError as bad:
        return None, bad.why


def read_answer(text: str) -> tuple[Step, bool]:
    """What the played world answered; an answer that cannot be read is as if nothing happened."""
    try:
        told = read_json(text)
    except Unfit:
        return Step("Nothing happens."), False
    shown, solved = told.get("observation"), told.get("solved")
    if not isinstance(shown, str) or not isinstance(solved, bool):
        return Step("Nothing happens."), False
    return Step(shown, solved, "completed" if solved else None), True


@dataclass(slots=True)
class Comparison:
    """Turn by turn. known: all that was told of the world so far; what it lacks is an invention."""

    known: str
    _heard: dict[tuple[str, str], str] = field(default_factory=dict)

    def difference(self, action: Action | None, real: Step, told: Step, readable: bool) -> str | None:
        """One of CLASSES, the worst that holds; None where the played world is right."""
        self.known += f"\n{real.observation}"
        if not readable:
            return UNREADABLE
        if told.done != real.done:
            return TOO_EARLY if told.done else MISSED
        ours, theirs = _plain(told.observation), _plain(real.observation)
        same_before = self._heard.setdefault((action.key if action else "", theirs), ours)
        if ours == theirs or real.done:
            return None
        if same_before != ours:
            return CONTRADICTS
        nothing = _NOTHING in ours
        if real.admissible is False and not nothing:
            return ALLOWED
        if real.admissible is False or (_NOTHING in theirs and nothing):
            return None
        if nothing:
            return REFUSED
        names, right = {*_NAME.findall(ours)}, {*_NAME.findall(theirs)}
        if names - {*_NAME.findall(self.known.lower())}:
            return INVENTED
        return None if names and names == right else OTHER


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
