"""Errors, named by the boundary at which they arise.

Each message is one line: what is wrong, where, and how to mend it. The command line prints it as it is
and exits with code 2, so nothing below a boundary formats for a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Literal


class TmbrError(Exception):
    """Whatever tmbr can explain to its user in one line."""


class ConfigError(TmbrError):
    """A setting, option, path or name that the user gave is wrong."""


class DataError(TmbrError):
    """A file is missing, truncated, or not of the form that its name promises."""


class ModelFault(TmbrError):
    """A model or its endpoint did not answer; the episode becomes a recorded `task error`."""


class ModelRefused(ModelFault):
    """The endpoint does not take this very request; to ask again would not help."""


class EnvironmentFault(TmbrError):
    """A world broke for a reason that is not the agent's; the episode becomes a `task error`."""


class ActionError(Exception):
    """What the model wrote is no action. It is data, not a failure: recorded and counted.

    kind: `malformed` (no call could be read from the text) or `arguments` (a known call whose
    arguments do not fit its schema).
    """

    def __init__(self, kind: Literal["malformed", "arguments"], why: str) -> None:
        super().__init__(why)
        self.kind = kind
        self.why = why


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that ends an error message: the closest known name, or all of them."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}" if names else "none is known"


def no_file(path: Path) -> str:
    """What to say of a path that is not there: with the closest name in the folder that is."""
    names = [found.name for found in path.parent.iterdir()] if path.parent.is_dir() else []
    close = get_close_matches(path.name, names, n=1)
    hint = f"; did you mean {str(path.parent / close[0])!r}?" if close else ""
    return f"{path}: no such file{hint}"
