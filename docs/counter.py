"""A whole task in one file: reach a number by adding, doubling and halving."""

import re
from dataclasses import dataclass
from random import Random

from tmbr.core.errors import ActionError
from tmbr.core.types import Action, Message, Sample, Score, Step

LIMIT = 16


@dataclass
class Session:
    number: int
    goal: int
    turns: int = 0
    tools = ()

    @property
    def observation(self):
        return f"The number is {self.number}."

    def step(self, action):
        self.turns += 1
        possible = action is not None and not (action.name == "halve" and self.number % 2)
        if possible:
            self.number = {
                "add": self.number + 1,
                "double": self.number * 2,
                "halve": self.number // 2,
            }[action.name]
        done = self.number == self.goal
        status = "completed" if done else "task limit reached" if self.turns >= LIMIT else None
        told = self.observation if possible else f"That cannot be done. {self.observation}"
        return Step(told, status is not None, status, admissible=action and possible)

    def close(self):
        pass


class Counter:
    name, version = "counter", "1"

    def samples(self, split):
        rng = Random(split)
        pairs = [(rng.randint(1, 9), rng.randint(10, 40)) for _ in range(100)]
        return [
            Sample(f"{split}-{i}", self.name, split, f"Make {goal} of {start}.", {"start": start}, goal)
            for i, (start, goal) in enumerate(pairs)
        ]

    def open(self, sample):
        return Session(sample.setup["start"], sample.target)

    def messages(self, sample, observation):
        return [Message("user", f"{sample.instruction} Say add, double or halve. {observation}")]

    def parse(self, completion):
        found = re.search(r"\b(add|double|halve)\b", completion.text)
        if not found:
            raise ActionError("malformed", "there is none of add, double, halve")
        return Action(found[1], {}, completion.text)

    def score(self, sample, session, branch):
        return Score(float(session.number == sample.target), session.number == sample.target)

    def expert(self, messages):
        goal = int(re.search(r"Make (\d+)", messages[0].content)[1])
        number = int(re.search(r"number is (\d+)\.", messages[-1].content)[1])
        far = goal >= 2 * number and (goal - number) > 1
        return Message("assistant", "double" if far else "add" if number < goal else "halve")
