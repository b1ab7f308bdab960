"""One household game: read from an ALFWorld file or built in Python, and begun.

The files are the `game.tw-pddl` of ALFWorld json_2.1.1 (JSON with pddl_domain, grammar, pddl_problem,
solvable, walkthrough). They carry the text version `move`; AgentBench plays the same problems in `put`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tmbr.core.errors import DataError, nearest

from .actions import looked
from .engine import State
from .layout import Layout
from .problem import read_problem, write_problem
from .scene import VERSIONS, Goal, Receptacle, Scene, TaskType, Thing, Version
from .words import WELCOME, around

#: How each text version's grammar says `put`, from which a file's version is read.
_TEMPLATES: dict[Version, str] = {"put": "put {o} in/on {r}", "move": "move {o} to {r}"}
_TEMPLATE = re.compile(r'action PutObject \{\s*template :: "([^"]*)"')
_TASK = re.compile(r'"Your task is to: ([^"\\]*)"')
_PUT = re.compile(r"^(?:put|move) (\S+ \d+) (?:in/on|to) (\S+ \d+)$")


@dataclass(frozen=True, slots=True)
class Game:
    """A scene with its words; immutable, and shared by all states of all its episodes.

    name: where it is from, for messages. instruction: what follows `Your task is to: `, as printed.
    walkthrough: commands that meet the goal in this text version, empty where none is known.
    Raises DataError for an unknown version or a scene that refers to what is not there.
    """

    name: str
    scene: Scene
    instruction: str
    walkthrough: tuple[str, ...]
    version: Version
    layout: Layout = field(init=False, compare=False, repr=False)

    @classmethod
    def load(cls, path: Path, version: Version | None = None) -> Game:
        """The game of a `game.tw-pddl` file, by default in the text version of its own grammar.

        Raises DataError when the file is missing, truncated, or not such a file.
        """
        try:
            data = path.read_text(encoding="utf-8")
        except OSError as error:
            raise DataError(
                f"{path}: cannot be read ({error.strerror}); name a game.tw-pddl file"
            ) from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: is not UTF-8 text; name a game.tw-pddl file") from error
        return cls.parse(data, str(path), version)

    @classmethod
    def parse(cls, data: str, name: str, version: Version | None = None) -> Game:
        """The game in the text of a `game.tw-pddl` file. name: the file, for messages.

        Raises DataError when the text is truncated or not what ALFWorld's generator writes.
        """
        grammar, problem, walkthrough = _fields(data, name)
        template = _TEMPLATE.search(grammar)
        spoken = {text: v for v, text in _TEMPLATES.items()}.get(template[1]) if template else None
        task = _TASK.search(grammar)
        if spoken is None or task is None:
            raise DataError(
                f"{name}: its grammar is of neither text version ({' or '.join(VERSIONS)}); "
                "fetch the file again"
            )
        version = version or spoken
        scene = read_problem(problem, name)
        return cls(name, scene, task[1], _said(walkthrough, version), version)

    @classmethod
    def build(
        cls,
        receptacles: Iterable[Receptacle],
        things: Iterable[Thing],
        goal: Goal,
        can_contain: Iterable[tuple[str, str]],
        *,
        instruction: str,
        version: Version = "put",
        walkthrough: Iterable[str] = (),
        start: str = "",
        name: str = "built",
    ) -> Game:
        """A game made in Python; see `Scene.build` for what the parts may leave out.

        can_contain: pairs (receptacle type, thing type). walkthrough: in either text version. Raises
        DataError for parts that do not fit.
        """
        scene = Scene.build(receptacles, things, goal, can_contain, start)
        return cls(name, scene, instruction, _said(walkthrough, version), version)

    def __post_init__(self) -> None:
        if self.version not in VERSIONS:
            raise DataError(f"unknown text version {self.version!r}: {nearest(self.version, VERSIONS)}")
        object.__setattr__(self, "layout", Layout.of(self.scene, self.version))

    @property
    def task_type(self) -> TaskType:
        """Which of ALFRED's six tasks it is."""
        return self.scene.goal.task_type

    @property
    def intro(self) -> str:
        """What the world says before the first command."""
        state = self.start()
        # Not yet bound to a location, the first look names every receptacle; see `looked`.
        alone = not self.layout.here[state.at]
        view = around(self.layout.receptacles) if alone else looked(state)
        return f"{WELCOME}\n\n{view}\n\nYour task is to: {self.instruction}"

    def start(self) -> State:
        """The state in which an episode begins."""
        return State.first(self.layout)


def to_pddl(game: Game) -> dict[str, object]:
    """The fields of a `game.tw-pddl` file that speak of this game.

    The domain and the grammar, which belong to ALFWorld, are for the caller to add.
    """
    return {
        "pddl_problem": write_problem(game.scene),
        "solvable": bool(game.walkthrough),
        "walkthrough": list(game.walkthrough),
    }


def _said(walkthrough: Iterable[str], version: Version) -> tuple[str, ...]:
    """The commands in a text version, from either."""
    form = r"put \1 in/on \2" if version == "put" else r"move \1 to \2"
    return tuple(_PUT.sub(form, command) for command in walkthrough)


def _fields(data: str, name: str) -> tuple[str, str, list[str]]:
    """Grammar, problem and walkthrough of a file."""
    try:
        content = json.loads(data)
    except ValueError as error:
        raise DataError(f"{name}: truncated or no JSON ({error}); fetch the file again") from error
    if not isinstance(content, dict):
        raise DataError(f"{name}: not a game.tw-pddl file (a JSON object); name another file")
    for key, kind in (("grammar", str), ("pddl_problem", str), ("walkthrough", list)):
        if not isinstance(content.get(key), kind):
            raise DataError(f"{name}: not a game.tw-pddl file (no {key!r} in it); name another file")
    if not all(isinstance(command, str) for command in content["walkthrough"]):
        raise DataError(f"{name}: its walkthrough is not a list of commands; fetch the file again")
    return content["grammar"], content["pddl_problem"], content["walkthrough"]
