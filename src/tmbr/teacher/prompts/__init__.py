"""The sentences of the teacher's side; files beside this one."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import StrictUndefined, Template


@cache
def _template(name: str) -> Template:
    text = files(__name__).joinpath(f"{name}.jinja").read_text("utf-8")
    template: Template = Template(text, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return template


def prompt(name: str, **told: object) -> str:
    """The text of NAME.jinja."""
    return _template(name).render(**told).strip()
