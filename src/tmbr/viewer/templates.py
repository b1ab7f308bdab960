"""The templates beside this file, with all text made visible and escaped on its way in."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from tmbr.viewer import text, tree


def template(name: str) -> Template:
    """A template by its file's name, in which every expression passes `tmbr.viewer.text.visible`."""
    environment = Environment(
        loader=PackageLoader("tmbr.viewer", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=text.visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=text.percent,
        points=text.points,
        count=text.count,
        compact=text.compact,
        plural=text.plural,
        clip=text.clip,
        says=tree.says,
    )
    return environment.get_template(name)
