"""What the scripted teacher says in each role: well, or with one of the faults that teachers have.

A role takes a request, a generator and the share of faults; it returns the fault's name (empty where
there is none), the answer (text, tool calls), and what was asked, for the log.
"""

from __future__ import annotations

import json
import re
from functools import cache
from random import Random
from typing import Any

from tests.support import teacher_imagined as imagined
from tests.support import teacher_played as played
from tests.support import teacher_worlds as worlds
from tmbr.core.errors import ActionError
from tmbr.core.types import Action, Completion, Message, Step, ToolCall
from tmbr.tasks.database import DatabaseTask
from tmbr.tasks.household import Household
from tmbr.tasks.webshop import Webshop

Answer = tuple[str, list[dict[str, Any]]]
QUESTION_FAULTS = (
    *("wrong JSON", "empty answer", "hallucinated object", "without solution", "true at the start"),
    "copied from test",
)
ACTION_FAULTS = ("empty answer", "unknown tool", "hallucinated object", "wrong JSON")
WORLD_FAULTS = ("wrong JSON", "empty answer", "invents", "refuses", "says solved", "contradicts")
#: The world that a question is asked of, and the category.
ASKED = re.compile(
    r"This world holds:\n(?P<world>.*)\n\nWrite one task of the category \"(?P<category>[^\"]+)\"",
    re.DOTALL,
)


@cache
def task(name: str, form: str) -> Any:
    return {"household": Household, "database": DatabaseTask, "webshop": Webshop}[name](form=form)


def which(text: str) -> str:
    """The task that a prompt speaks of."""
    if imagined.ABOUT in text:
        return imagined.NAME
    if "web shop" in text:
        return "webshop"
    return "database" if "MySQL" in text else "household"


def ask(body: dict[str, Any], rng: Random, faults: float) -> tuple[str, Answer, str]:
    """The question generator. In some worlds it lacks ideas and always says the same."""
    told = body["messages"][0]["content"]
    found = ASKED.search(told)
    assert found
    world, category, name = found["world"], found["category"], which(told)
    own = Random(world)
    if name == imagined.NAME:
        fault = rng.choice(imagined.FAULTS) if rng.random() < faults else ""
        return fault, (text := json.dumps(imagined.question(world, category, rng, fault)), []), text
    if own.random() < faults / len(QUESTION_FAULTS):
        text = json.dumps(worlds.question(name, world, "", own))
        return "duplicate", (text, []), text
    fault = rng.choice(QUESTION_FAULTS) if rng.random() < faults else ""
    if fault == "empty answer":
        return fault, ("", []), ""
    said = worlds.faulty(name, world, category, rng, fault)
    if said is None:
        fault, said = "", worlds.question(name, world, category, rng)
    text = json.dumps(said)
    text = text[: len(text) // 2] if fault == "wrong JSON" else text
    return fault, (text, []), text


def act(body: dict[str, Any], rng: Random, faults: float) -> tuple[str, Answer, str]:
    """The action maker: the task's expert, from the conversation alone."""
    messages = [message(told) for told in body["messages"]]
    form = "agentbench" if body.get("tools") else "text"
    name = which(messages[0].content + messages[1].content)
    if name == imagined.NAME:
        said = Message("assistant", imagined.act("\n".join(one.content for one in messages)))
    else:
        said = task(name, form).expert(messages)
    fault = rng.choice(ACTION_FAULTS) if rng.random() < faults else ""
    text, calls = said.content, list(said.tool_calls)
    if fault == "empty answer":
        text, calls = "", []
    if fault == "hallucinated object":
        text, calls = played.imagined(text), [played.imagined_call(one) for one in calls]
    if fault == "unknown tool":
        text = re.sub(r"Action: .*", "Action: teleport[home]", text, flags=re.DOTALL)
        calls = [ToolCall("call_0", "teleport", "{}")] if calls else []
    if fault == "wrong JSON":
        text = text.replace("Action:", "Act")
        calls = [ToolCall("call_0", one.name, '{"action": ') for one in calls]
    return fault, (text, [call(one) for one in calls]), text


def play(body: dict[str, Any], rng: Random, faults: float) -> tuple[str, Answer, str]:
    """The environment: the real world played along, which now and then is not quite what it was."""
    told = [message(one) for one in body["messages"]]
    name = which(told[0].content)
    if name == imagined.NAME:
        fault = (
            rng.choice(("says solved", "wrong JSON", "refuses", "refuses"))
            if rng.random() < faults
            else ""
        )
        said = [one.content for one in told if one.role == "user"]
        text = imagined.play(told[0].content, said, fault)
        return fault, (text, []), text
    teacher = task(name, "text")
    session = played.world(name, told[0].content, teacher)
    step = Step("")
    for said in told[1:]:
        if said.role == "user":
            step = session.step(read(teacher, said))
    fault = rng.choice(WORLD_FAULTS) if rng.random() < faults else ""
    if fault in ("wrong JSON", "empty answer"):
        return fault, ("" if fault == "empty answer" else '{"observation": "You', []), step.observation
    shown, solved = played.wrong(fault, step)
    if (shown, solved) == (step.observation, step.done):
        fault = ""
    return fault, (json.dumps({"observation": shown, "solved": solved}), []), step.observation


def read(teacher: Any, said: Message) -> Action | None:
    try:
        action: Action = teacher.parse(Completion(said.content))
    except ActionError:
        return None
    return action


def message(told: dict[str, Any]) -> Message:
    calls = tuple(
        ToolCall(one["id"], one["function"]["name"], one["function"]["arguments"])
        for one in told.get("tool_calls", [])
    )
    return Message(told["role"], told["content"] or "", calls, told.get("tool_call_id"))


def call(made: ToolCall) -> dict[str, Any]:
    function = {"name": made.name, "arguments": made.arguments}
    return {"id": made.id, "type": "function", "function": function}
