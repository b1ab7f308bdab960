"""Worlds that the scripted teacher plays itself, and what it says wrong of them on purpose."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.teacher_worlds import kind_of, read_room, read_table, shop_task
from tmbr.core.protocols import Session
from tmbr.core.types import Step, ToolCall
from tmbr.environments.database import Embedded
from tmbr.environments.household import Game, Goal, Receptacle
from tmbr.environments.household.furniture import KINDS, LAMPS, homes
from tmbr.environments.household.generate import thing_of
from tmbr.tasks.database.expert import asked
from tmbr.tasks.database.session import DatabaseSession
from tmbr.tasks.household.goal import read_goal
from tmbr.tasks.household.session import HouseholdSession
from tmbr.tasks.webshop.session import WebshopSession
from tmbr.teacher.askers.household import GOALS


def imagined(text: str) -> str:
    """The action with something in it that is nowhere."""
    text = re.sub(
        r"Action: (?!execute_sql|commit|search|click)(.*)", "Action: take unicorn 1 from bed 9", text
    )
    text = re.sub(r"Action: (search|click)\[.*\]", "Action: click[golden unicorn]", text)
    return re.sub(
        r"Action: (execute_sql|commit_final_answer) .*",
        "Action: execute_sql SELECT `unicorn` FROM `meadow`",
        text,
        flags=re.DOTALL,
    )


def imagined_call(made: ToolCall) -> ToolCall:
    match made.name:
        case "take_action":
            return ToolCall(made.id, made.name, '{"action": "unicorn"}')
        case "search_action" | "click_action":
            return ToolCall(made.id, "click_action", '{"value": "golden unicorn"}')
        case _:
            query = {"query": "SELECT `unicorn` FROM `meadow`"}
            return ToolCall(made.id, "execute_sql", json.dumps(query))


def wrong(fault: str, step: Step) -> tuple[str, bool]:
    """What a played world says, and whether it calls the task solved."""
    match fault:
        case "invents":
            return f"{step.observation} You also see a goose 7.", step.done
        case "refuses":
            return "Nothing happens.", step.done
        case "says solved":
            return step.observation, not step.done
        case "contradicts":
            return f"You are somewhere else now. {step.observation}", step.done
        case _:
            return step.observation, step.done


def world(name: str, told: str, task: Any) -> Session:
    """The world of a prompt, opened."""
    content = told.split("seen and unseen:\n", 1)[1]
    content, _, rest = content.partition("\n\nThe agent's task: ")
    instruction = rest.split("\n", 1)[0]
    if name == "household":
        return HouseholdSession(_game(content, instruction), task.form)
    if name == "database":
        table = read_table(content)
        return DatabaseSession(
            Embedded.of([table]), task.form, asked(table.name, table.columns, instruction)
        )
    shop = shop_task().shop(shop_task().samples("train")[0])
    return WebshopSession(shop.open(instruction), task.form)


def _game(content: str, instruction: str) -> Game:
    lines = sorted(content.split("\n"), key=lambda line: int(line.split(":")[0].split()[1]))
    closed = {line.split(" (")[0] for line in lines if " (closed): " in line}
    room = read_room("\n".join(lines))
    lying = sorted(((thing, place) for place in room for thing in room[place]), key=_number)
    goal = read_goal(instruction)
    assert goal
    kind = {"clean": "clean", "hot": "heat", "cool": "cool"}.get(goal.treatment or "", "place")
    kind = "light" if goal.lamp else "two" if goal.count == 2 else kind
    held = sorted(KINDS) + sorted(LAMPS)
    return Game.build(
        [Receptacle(kind_of(place), openable=place in closed) for place in room],
        [thing_of(kind_of(name), place) for name, place in lying],
        Goal(GOALS[kind][0], goal.thing, goal.lamp or goal.place or ""),
        [(place, thing) for thing in held for place in homes(thing)],
        instruction=instruction,
    )


def _number(pair: tuple[str, str]) -> int:
    return int(pair[0].rsplit(" ", 1)[1])
