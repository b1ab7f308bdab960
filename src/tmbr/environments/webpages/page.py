"""Pages as immutable trees: read from Mind2Web's cleaned HTML, written as HTML that a browser shows.

Cleaned HTML is XML. Each element has a `backend_node_id`, and the page's words sit in `text` elements;
what stands between elements is white space.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from xml.parsers import expat

ID = "backend_node_id"
TEXT = "text"
#: As deep as libxml2 reads, with which the published pages were made.
DEEPEST = 256
#: Elements that HTML writes without an end tag.
VOID = frozenset(("input", "br", "hr", "img", "meta", "link"))


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An element. inside: elements and raw text, in order."""

    tag: str
    attributes: Mapping[str, str]
    inside: tuple[Node | str, ...] = ()

    @property
    def id(self) -> str:
        """Empty where the page gives none."""
        return self.attributes.get(ID, "")

    @property
    def children(self) -> list[Node]:
        return [part for part in self.inside if isinstance(part, Node)]

    def walk(self) -> Iterator[Node]:
        """This element and all below it, in document order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))

    @property
    def words(self) -> str:
        """What a reader sees of it."""
        told = (part for node in self.walk() if node.tag == TEXT for part in node.inside)
        return " ".join(" ".join(part for part in told if isinstance(part, str)).split())


class Page:
    """A tree with the ways through it. Where an id stands twice, the first element has it."""

    def __init__(self, root: Node) -> None:
        self.root = root

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        """Elements by id, in document order; `text` elements are none that could be chosen."""
        found: dict[str, Node] = {}
        for node in self.root.walk():
            if node.tag != TEXT and node.id:
                found.setdefault(node.id, node)
        return found

    @cached_property
    def parents(self) -> Mapping[Node, Node]:
        return {child: node for node in self.root.walk() for child in node.children}

    def ancestors(self, node: Node) -> Iterator[Node]:
        """From the parent to the root."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent


def parse(html: str) -> Page:
    """The page of a cleaned HTML text.

    Raises ValueError when it is no XML, declares entities of its own, or is nested more than DEEPEST
    elements deep. Prefixes of names need not be declared: published pages leave them open.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.ordered_attributes = False
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = reader.refuse
    try:
        parser.Parse(html.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise ValueError(f"the page is no XML ({error})") from error
    return Page(reader.root)


class _Reader:
    """Builds the tree from the inside out: an element is made when it ends."""

    def __init__(self) -> None:
        self._open: list[tuple[str, dict[str, str], list[Node | str]]] = [("", {}, [])]

    @property
    def root(self) -> Node:
        return next(part for part in self._open[0][2] if isinstance(part, Node))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._open) > DEEPEST:
            raise ValueError(f"the page is nested more than {DEEPEST} elements deep")
        self._open.append((tag, attributes, []))

    def end(self, _: str) -> None:
        tag, attributes, inside = self._open.pop()
        self._open[-1][2].append(Node(tag, attributes, tuple(inside)))

    def text(self, told: str) -> None:
        self._open[-1][2].append(told)

    def refuse(self, *_: object) -> None:
        raise ValueError("the page declares entities of its own")


def to_xml(root: Node) -> str:
    """As the data publishes a page: every element with its attributes, one a line."""
    lines: list[str] = []
    _write_xml(root, lines)
    return "\n".join(lines)


def _write_xml(node: Node, lines: list[str]) -> None:
    opened = f"<{node.tag}{_attributes(node)}"
    if node.tag == TEXT:
        lines.append(f"{opened}>{escape(_told(node), quote=False)}</{TEXT}>")
    elif not node.children:
        lines.append(f"{opened}/>")
    else:
        lines.append(f"{opened}>")
        for child in node.children:
            _write_xml(child, lines)
        lines.append(f"</{node.tag}>")


def to_html(root: Node) -> str:
    """As a browser reads a page: `text` elements are plain text there."""
    parts = ["<!DOCTYPE html>\n"]
    _write_html(root, parts)
    return "".join(parts)


def _write_html(node: Node, parts: list[str]) -> None:
    if node.tag == TEXT:
        parts.append(escape(_told(node), quote=False))
        return
    parts.append(f"<{node.tag}{_attributes(node)}>")
    for child in node.children:
        _write_html(child, parts)
    if node.tag not in VOID:
        parts.append(f"</{node.tag}>\n")


def _attributes(node: Node) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in node.attributes.items())


def _told(node: Node) -> str:
    return "".join(part for part in node.inside if isinstance(part, str))
