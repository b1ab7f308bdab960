"""The page on which a person decides on one trajectory after another; served by `tmbr data review`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from markupsafe import Markup

from tmbr.core.types import Message
from tmbr.viewer.report import policy
from tmbr.viewer.templates import template


@dataclass(frozen=True, slots=True)
class Line:
    """A turn as shown. at: what a cut after it names, if one can be made; left: it was cut off."""

    message: Message
    at: int | None
    trains: bool
    mark: str
    left: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One trajectory and what was decided of it.

    number: from 1. prompt: turns before the first answer. counts: trajectories by verdict, and `open`
    ones. back, on: numbers of the pages before and after, None at the ends.
    """

    title: str
    facts: Sequence[str]
    prompt: Sequence[Line]
    lines: Sequence[Line]
    number: int
    total: int
    counts: Mapping[str, int]
    verdict: str | None
    note: str
    back: int | None
    on: int | None


def render(page: Page) -> tuple[str, str]:
    """The page, and the Content-Security-Policy under which it is to be served."""
    beside = files("tmbr.viewer")
    look, more, script = (
        beside.joinpath(name).read_text("utf-8") for name in ("report.css", "review.css", "review.js")
    )
    style = Markup(look + more)
    told = template("review.html.jinja").render(page=page, style=style, script=Markup(script))
    return told, policy(style, Markup(script), forms="'self'") + "; frame-ancestors 'none'"
