"""What an agent is shown of a page: the surroundings of a few candidates, as short text.

Both follow Mind2Web's protocol (AgentBench src/server/tasks/mind2web/data_utils/dom_utils.py), so that
a published page reads as it did for others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from .page import ID, TEXT, Node, Page

#: Around a candidate: levels and number of its descendants, siblings to either side.
LEVELS = 6
DESCENDANTS = 50
SIBLINGS = 3
#: Words of an attribute, of an element's attributes together, of a text, of a choice.
VALUE_WORDS, ELEMENT_WORDS, TEXT_WORDS, CHOICE_WORDS = 5, 20, 20, 10
#: A word of an attribute as long as this tells nothing.
LONG_WORD = 15
#: What is told of an element, in this order.
ATTRIBUTES = (
    "role",
    "aria_role",
    "type",
    "alt",
    "aria_description",
    "aria_label",
    "label",
    "title",
    "name",
    "text_value",
    "value",
    "placeholder",
    "input_checked",
    "input_value",
    "option_selected",
    "class",
)
_EMPTY_VALUES = frozenset(("hidden", "none", "presentation", "null", "undefined"))


def excerpt(page: Page, candidates: Collection[str]) -> tuple[str, dict[str, str]]:
    """The page pruned to candidates, as text; and what is told of each candidate, in document order.

    A candidate's number in the text (`id=0`, `id=1`, …) is its place in that order. Ids that the page
    does not have are left out.
    """
    pruned = prune(page, candidates)
    return _told(pruned, [node for node in pruned.walk() if node.tag != TEXT and node.id])


def whole(page: Page, candidates: Collection[str]) -> tuple[str, dict[str, str]]:
    """The same of a page that is small enough to be told as it is."""
    given = frozenset(candidates)
    return _told(page.root, [node for node in page.nodes.values() if node.id in given])


def _told(root: Node, wanted: Sequence[Node]) -> tuple[str, dict[str, str]]:
    numbers = {node.id: number for number, node in enumerate(wanted)}
    told = {node.id: describe(node, numbers).split()[:CHOICE_WORDS] for node in wanted}
    return describe(root, numbers), {key: " ".join(words) for key, words in told.items()}


def prune(page: Page, candidates: Collection[str]) -> Node:
    """Candidates, their ancestors, descendants and near siblings. Only candidates keep their ids;
    wrappers that tell nothing give way to what they hold."""
    keep: set[str] = set()
    for candidate in candidates:
        if (node := page.nodes.get(candidate)) is not None:
            keep |= _around(page, node)
    return _pruned(page.root, keep, frozenset(candidates))


def _around(page: Page, node: Node) -> set[str]:
    kept = {node.id, *(above.id for above in page.ancestors(node))}
    below: list[str] = []
    _descend(node, LEVELS, below)
    kept.update(below[:DESCENDANTS])
    parent = page.parents.get(node)
    if parent is not None:
        siblings = [child for child in parent.children if child.tag != TEXT]
        at = siblings.index(node)
        near = siblings[max(0, at - SIBLINGS) : at + SIBLINGS + 1]
        kept.update(sibling.id for sibling in near)
    return kept


def _descend(node: Node, levels: int, found: list[str]) -> None:
    if levels == 0 or len(found) >= DESCENDANTS:
        return
    for child in node.children:
        found.append(child.id)
        _descend(child, levels - 1, found)


def _pruned(node: Node, keep: set[str], candidates: frozenset[str]) -> Node:
    """The element with what is kept below it. What is removed takes the white space behind it along."""
    inside: list[Node | str] = []
    behind = True
    for part in node.inside:
        if isinstance(part, str):
            if behind:
                inside.append(part)
            continue
        kept = node.id in keep if part.tag == TEXT else part.id in keep
        behind = False
        if kept:
            below = _pruned(part, keep, candidates)
            if _tells_nothing(below):
                inside.extend(_unwrapped(below))
            else:
                inside.append(below)
                behind = True
    bare = node.tag == TEXT or node.id not in candidates
    attributes = {k: v for k, v in node.attributes.items() if not (bare and k == ID)}
    return Node(node.tag, attributes, tuple(inside))


def _tells_nothing(node: Node) -> bool:
    children = node.children
    return (
        not node.attributes
        and node.tag != TEXT
        and len(children) <= 1
        and not any(child.tag == TEXT for child in children)
    )


def _unwrapped(node: Node) -> tuple[Node | str, ...]:
    """The only child, with the white space behind it."""
    first = next((at for at, part in enumerate(node.inside) if isinstance(part, Node)), None)
    return () if first is None else node.inside[first:]


def describe(node: Node, numbers: Mapping[str, int]) -> str:
    """An element as text, with the attributes' values but not their names."""
    parts: list[str] = []
    _describe(node, numbers, parts)
    return " ".join("".join(parts).split())


def _describe(node: Node, numbers: Mapping[str, int], parts: list[str]) -> None:
    if node.tag == TEXT:
        told = "".join(part for part in node.inside if isinstance(part, str))
        parts.append(" ".join(told.split()[:TEXT_WORDS]).replace('"', " "))
        return
    number = f" id={numbers[node.id]}" if node.id in numbers else ""
    values = shown(node)
    head = f"<{node.tag}{number}{f' {values}' if values else ''}"
    if not node.inside:
        parts.append(f"{head} />" if number or values else f"{head}/>")
        return
    parts.append(f"{head}>")
    for part in node.inside:
        if isinstance(part, str):
            parts.append(part)
        else:
            _describe(part, numbers, parts)
    parts.append(f"</{node.tag}>")


def shown(node: Node) -> str:
    """What is told of an element's attributes: distinct values, in the order of ATTRIBUTES."""
    values: dict[str, None] = {}
    for name in ATTRIBUTES:
        value = node.attributes.get(name, "").lower()
        if value not in _EMPTY_VALUES and not value.startswith("http"):
            values[short(value)] = None
    return " ".join(" ".join(values).split()[:ELEMENT_WORDS])


def short(value: str) -> str:
    """An attribute's value as it is told."""
    words = [word for word in value.lower().split() if len(word) < LONG_WORD]
    return " ".join(words[:VALUE_WORDS])
