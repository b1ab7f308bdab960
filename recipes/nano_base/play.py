"""Household play without a purpose: random legal and illegal commands, in the prompt's own format.

What the player thinks are true remarks on what it sees or holds, never a plan; what it does next is
drawn at random and does not depend on the goal. So the base learns the world's language, its answers
and its rules, and no expert's decision.
"""

from __future__ import annotations

from random import Random

from drills import PLACES, THINGS, Turns

from tmbr.core.types import Action
from tmbr.environments.household import State
from tmbr.tasks.household import Household
from tmbr.tasks.household.goal import Goal, read_goal
from tmbr.tasks.household.memory import Memory, kind, names

VERBS = ("take", "put", "open", "use", "heat", "cool", "clean", "slice", "go to", "examine", "close")


def play(rng: Random, task: Household) -> Turns:
    """One random episode of a train scene: prompt, then up to twelve turns."""
    sample = task.samples("train")[rng.randrange(20_000)]
    session = task.open(sample)
    prompt = task.messages(sample, session.observation)[0].content
    goal = read_goal(sample.instruction)
    turns: Turns = [("user", prompt)]
    told: list[tuple[str, str]] = []
    used: dict[str, int] = {}
    for _ in range(rng.choice((3, 5, 8, 12, 16))):
        command = _command(rng, session.state, used)  # type: ignore[attr-defined]
        thought = _remark(rng, Memory.of(prompt, told), goal, told[-1][1] if told else "")
        turns.append(("assistant", f"Thought: {thought}\nAction: {command}"))
        step = session.step(Action("take_action", {"action": command}))
        told.append((command, step.observation))
        if step.done:
            break
        turns.append(("user", step.observation))
    return turns


def _command(rng: Random, state: State, used: dict[str, int]) -> str:
    """Legal every other time, by the verb used least so far; otherwise very likely illegal."""
    if rng.random() < 0.5:
        offered: dict[str, list[str]] = {}
        for command in state.admissible:
            verb = next((v for v in VERBS if command.startswith(v + " ")), command)
            offered.setdefault(verb, []).append(command)
        verb = min(
            sorted(offered),
            key=lambda v: (used.get(v, 0) + 2 * (v in ("look", "inventory", "close")), rng.random()),
        )
        used[verb] = used.get(verb, 0) + 1
        return rng.choice(offered[verb])
    verb = rng.choice(VERBS)
    place = f"{rng.choice(PLACES)} {rng.randint(1, 4)}"
    thing = f"{rng.choice(THINGS)} {rng.randint(1, 3)}"
    return {
        "take": f"take {thing} from {place}",
        "put": f"put {thing} in/on {place}",
        "use": f"use {thing}",
        "examine": f"examine {thing}",
        "slice": f"slice {thing} with knife 1",
    }.get(
        verb, f"{verb} {thing} with {place}" if verb in ("heat", "cool", "clean") else f"{verb} {place}"
    )


def _remark(rng: Random, memory: Memory, goal: Goal | None, answer: str) -> str:
    """Something true: what is here, what is held, whether the goal's thing is in view."""
    remarks = []
    if goal is not None:
        here = memory.contents.get(memory.at or "", [])
        match = next((name for name in here if kind(name) == goal.thing), None)
        if memory.at and memory.at in memory.contents:
            found = f"{match} is here" if match else "not here"
            remarks += [f"{goal.thing}: {found}."] * 4
        remarks.append(f"The task speaks of {goal.thing}.")
        if goal.place:
            remarks.append(f"The task speaks of {goal.place}.")
    if memory.at:
        remarks.append(f"I am at {memory.at}.")
        if memory.at in memory.hidden:
            remarks += [f"{memory.at} is closed."] * 3
    if memory.holding:
        remarks += [f"I hold {memory.holding}."] * 2
    if answer.startswith("Nothing"):
        remarks += ["That did not work."] * 3
    elif found_names := names(answer):
        remarks.append(f"I see {', '.join(found_names[:5])}.")
    return rng.choice(remarks or ["I try something."])
