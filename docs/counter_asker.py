"""Questions about the counter of counter.py: how a team lets a teacher ask about its own world."""

import re
from random import Random

from tmbr.core.types import digest
from tmbr.teacher.asker import Content, Question, Unfit, by_turns, sentence


class CounterAsker:
    brief = (
        "The world is a number, which the agent may add one to, double, or halve when it is even."
        " Ask for another number that it can reach.\n"
        'Answer: {"question": "Make 24 of 11.", "goal": 24}'
    )

    def __init__(self, task):
        self.task = task
        self.categories = {"up": "a number above the start", "down": "a number below it"}

    def content(self, seed):
        start = Random(seed).randint(10, 60)
        return Content(seed, f"The number is {start}.", ("up", "down"))

    def read(self, content, said):
        told, goal = sentence(said), said.get("goal")
        start = int(re.search(r"\d+", content.text)[0])
        if not isinstance(goal, int) or goal < 1:
            raise Unfit("format", "`goal` is no number above zero")
        if told != f"Make {goal} of {start}.":
            raise Unfit("grounding", f"the question does not say `Make {goal} of {start}.`")
        if goal == start:
            raise Unfit("start", "the number is there already")
        category = "up" if goal > start else "down"
        return Question(told, {"start": start}, goal, category, told, digest([start, goal]))

    def level(self, question, turns):
        return by_turns(turns, 4, 8)

    def world(self, sample):
        return digest([sample.setup["start"], sample.target])
