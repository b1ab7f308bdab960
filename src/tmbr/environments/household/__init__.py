"""The household: ALFWorld's text games in pure Python, with states that fork for nothing."""

from .engine import State
from .game import Game, to_pddl
from .generate import GENERATOR, generate
from .scene import TASK_TYPES, VERSIONS, Goal, Receptacle, Scene, TaskType, Thing, Version

__all__ = [
    "GENERATOR",
    "TASK_TYPES",
    "VERSIONS",
    "Game",
    "Goal",
    "Receptacle",
    "Scene",
    "State",
    "TaskType",
    "Thing",
    "Version",
    "generate",
    "to_pddl",
]
