"""Generated sites: four kinds, seeded, live and recorded."""

from .flow import DEAD_ENDS, MEMBER, Item, Site
from .generate import FAMILIES, GENERATOR, Done, Visit, generate, in_words, play, record
from .goal import Goal, Pick, fields, read
from .parts import CHECKED, TAKES, Control, LivePage
from .state import LONGEST, Answer, Line, Outcome, State, act
from .themes import THEMES, Field, Screen, Theme

__all__ = [
    "CHECKED",
    "DEAD_ENDS",
    "FAMILIES",
    "GENERATOR",
    "LONGEST",
    "MEMBER",
    "TAKES",
    "THEMES",
    "Answer",
    "Control",
    "Done",
    "Field",
    "Goal",
    "Item",
    "Line",
    "LivePage",
    "Outcome",
    "Pick",
    "Screen",
    "Site",
    "State",
    "Theme",
    "Visit",
    "act",
    "fields",
    "generate",
    "in_words",
    "play",
    "read",
    "record",
]
