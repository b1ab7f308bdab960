"""The scripted teacher in a world that only a model can play: lamps in a dark room, to be lit."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

NAME = "lamps"
LAMPS = ("red lamp", "blue lamp", "green lamp", "old lamp", "tall lamp", "oil lamp")
FAULTS = ("hallucinated object", "without solution", "unknown category")
#: By which a prompt is known to speak of it.
ABOUT = "dark room with lamps"
WORLD = f"""
name: {NAME}
about: A {ABOUT}. A lamp is lit, or put out, by saying so once.
actions: [light LAMP, put out LAMP, look]
rounds: 6
first: It is dark.
holds: {{lamps: {{some: 3, of: [{", ".join(LAMPS)}]}}}}
questions: {{light: one lamp lit, both: two lamps lit}}
"""


def question(world: str, category: str, rng: Random, fault: str) -> dict[str, Any]:
    """A proposal, or one with this fault."""
    held = [name for name in LAMPS if name in re.findall(r"lamps: .*", world)[-1]]
    wanted = rng.sample(held, 1 if category == "light" else 2)
    if fault == "hallucinated object":
        wanted = [next(name for name in LAMPS if name not in held)]
    if fault == "without solution":
        return {
            "question": f"Make the {wanted[0]} fly.",
            "category": category,
            "solved_when": "it flies",
        }
    told = "Light the " + " and the ".join(wanted) + rng.choice((".", ", please.", " for the guests."))
    category = "sing" if fault else category
    category = "light" if fault == "hallucinated object" else category
    return {
        "question": told,
        "category": category,
        "solved_when": f"lit: the {' and the '.join(wanted)}",
    }


def act(text: str) -> str:
    """The next lamp that was asked for; text: all that was said so far."""
    asked = re.findall(r"Your task: .*", text)[-1]
    left = [name for name in re.findall(r"the (\w+ lamp)", asked) if f"The {name} is lit." not in text]
    return f"Thought: It is next.\nAction: light {left[0] if left else 'nothing'}"


def play(told: str, turns: list[str], fault: str) -> str:
    """What the environment answers to the last of these turns."""
    if fault == "wrong JSON":
        return '{"observation": "The'
    goal = {*re.findall(r"the (\w+ lamp)", re.findall(r"done when this holds: (.*)", told)[-1])}
    lit = re.findall(r"Action: light (\w+ lamp)", "\n".join(turns))
    last = re.search(r"Action: light (\w+ lamp)", turns[-1])
    if fault == "refuses":
        return json.dumps({"observation": "Nothing happens.", "solved": False})
    solved = fault == "says solved" or (bool(goal) and goal <= {*lit})
    return json.dumps(
        {"observation": f"The {last[1]} is lit." if last else "Nothing happens.", "solved": solved}
    )
