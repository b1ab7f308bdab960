"""Pages for tests: random cleaned HTML, as hypothesis draws it."""

from __future__ import annotations

from hypothesis import strategies as st

from tmbr.environments.webpages import Node
from tmbr.environments.webpages.page import ID, TEXT

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn")), max_size=12)
attributes = st.dictionaries(
    st.sampled_from(("role", "type", "name", "class", "title", "href", "input_value")),
    words,
    max_size=3,
)


def _text(told: str) -> Node:
    return Node(TEXT, {}, (told,))


def _element(tag: str, held: dict[str, str], inside: list[Node]) -> Node:
    return Node(tag, held, tuple(inside))


bare = st.recursive(
    words.filter(str.strip).map(_text),
    lambda inner: st.builds(
        _element, st.sampled_from(("div", "a", "li", "button")), attributes, st.lists(inner, max_size=5)
    ),
    max_leaves=25,
)


def numbered(root: Node) -> Node:
    """The tree under an `html` element, with ids in document order."""
    count = 0

    def number(node: Node) -> Node:
        nonlocal count
        count += 1
        own = {ID: str(count), **node.attributes}
        return Node(node.tag, own, tuple(number(p) if isinstance(p, Node) else p for p in node.inside))

    return number(Node("html", {}, (root,)))


pages = bare.map(numbered)
