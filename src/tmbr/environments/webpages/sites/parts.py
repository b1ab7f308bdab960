"""What a live page is built of: elements, some of which do something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from ..page import ID, TEXT, Node, Page

Kind = Literal["link", "button", "textbox", "combobox", "checkbox"]
Operation = Literal["CLICK", "TYPE", "SELECT"]
#: The one operation that each kind of control takes.
TAKES: Mapping[Kind, Operation] = {
    "link": "CLICK",
    "button": "CLICK",
    "checkbox": "CLICK",
    "textbox": "TYPE",
    "combobox": "SELECT",
}
CHECKED = "yes"


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """What an element does. label: what a person calls it.

    field: the value that it fills in. needs: fields that must be filled in before a click leads on.
    to: the page that a click leads to, or the same one. keeps: what is kept of the visit after a click.
    commits: a click ends the visit for good. told: what the page says after a click.
    """

    kind: Kind
    label: str
    field: str = ""
    options: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    to: tuple[str, ...] = ()
    keeps: tuple[tuple[str, ...], ...] | None = None
    commits: bool = False
    told: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """An element before it has an id. inside: other parts, and words."""

    tag: str
    inside: tuple[Part | str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    control: Control | None = None


def part(tag: str, *inside: Part | str, **attributes: str) -> Part:
    """`class_` stands for class, `aria_label` for aria-label."""
    named = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    return Part(tag, inside, named)


def link(label: str, to: tuple[str, ...]) -> Part:
    href = "/" + "/".join(word.replace(" ", "-").lower() for word in to)
    return Part("a", (label,), {"href": href}, Control("link", label, to=to))


def button(control: Control) -> Part:
    kind = "submit" if control.commits else "button"
    return Part("button", (control.label,), {"type": kind}, control)


def textbox(label: str, name: str, value: str) -> Part:
    attributes = {"type": "text", "name": label.lower(), "maxlength": "100"}
    if value:
        attributes["value"] = value
    return _labelled(label, Part("input", (), attributes, Control("textbox", label, name)))


def combobox(label: str, name: str, options: Sequence[str], value: str) -> Part:
    chosen = value or options[0]
    lines = [
        Part("option", (option,), {"selected": "true"} if option == chosen else {})
        for option in options
    ]
    control = Control("combobox", label, name, tuple(options))
    attributes = {"name": label.lower(), "data-value": chosen}
    return _labelled(label, Part("select", tuple(lines), attributes, control))


def checkbox(label: str, name: str, value: str) -> Part:
    attributes = {"type": "checkbox", "name": label.lower()}
    if value == CHECKED:
        attributes["checked"] = "true"
    return _labelled(label, Part("input", (), attributes, Control("checkbox", label, name)))


def _labelled(label: str, control: Part) -> Part:
    return Part("label", (f"{label} ", control))


class LivePage:
    """A page with ids in document order. controls: what has an effect, by id, in that order."""

    def __init__(self, root: Part) -> None:
        self.controls: dict[str, Control] = {}
        self._count = 0
        self.root = self._number(root)

    def _number(self, made: Part | str) -> Node:
        number = str(self._count)
        self._count += 1
        if isinstance(made, str):
            return Node(TEXT, {ID: number}, (made,))
        if made.control is not None:
            self.controls[number] = made.control
        inside = tuple(self._number(one) for one in made.inside)
        return Node(made.tag, {ID: number, **made.attributes}, inside)

    @cached_property
    def cleaned(self) -> Page:
        """The page as the data publishes it: the body's elements, with the attributes that tell."""
        return Page(_cleaned(self.root))


#: Attributes of cleaned pages, and what they are called on the page itself. As the data's own recorder
#: had it, what is filled in is told apart from what the page came with.
_KEPT = {
    ID: ID,
    "type": "type",
    "name": "name",
    "aria-label": "aria_label",
    "role": "role",
    "class": "class",
    "value": "input_value",
    "data-value": "input_value",
    "checked": "input_checked",
    "selected": "option_selected",
}


def _cleaned(node: Node) -> Node:
    if node.tag == TEXT:
        return node
    inside: list[Node | str] = []
    for child in node.children:
        if child.tag != "head":
            inside += [_cleaned(child), "\n"]
    attributes = {_KEPT[key]: value for key, value in node.attributes.items() if key in _KEPT}
    return Node(node.tag, attributes, ("\n", *inside) if inside else ())
