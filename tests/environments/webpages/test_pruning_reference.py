"""What is shown of a page against AgentBench's own code, where a checkout of it is at hand.

    pip install lxml; TMBR_AGENTBENCH=~/AgentBench pytest tests/environments/webpages

AgentBench up to version 0.2 has the file.
"""

from __future__ import annotations

import importlib.util
import os
from html import escape
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from tmbr.environments.webpages import excerpt, parse

PAGES = 2_000
PLAIN = ("Book", "a", "table", "hidden", "none", "null", "role", "5", "naïve", "Sign-in", "&", "<", ">")
WORDS = (*PLAIN, "http://x.y/z", "internationalisation-x", '"quoted"', "'it'")
NAMES = (
    "role",
    "type",
    "alt",
    "aria_label",
    "label",
    "title",
    "name",
    "value",
    "input_value",
    "class",
    "id",
)


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    checkout = os.environ.get("TMBR_AGENTBENCH")
    if not checkout:
        pytest.skip("set TMBR_AGENTBENCH to a checkout of AgentBench v0.2, to compare with")
    pytest.importorskip("lxml", reason="AgentBench's code needs lxml")
    path = Path(checkout) / "src/server/tasks/mind2web/data_utils/dom_utils.py"
    spec = importlib.util.spec_from_file_location("dom_utils", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written(rng: Random, depth: int, count: list[int]) -> str:
    """A random element, with white space where published pages have it."""
    number = count[0]
    count[0] += 1
    if depth == 0 or rng.random() < 0.25:
        told = " ".join(rng.choices(WORDS, k=rng.choice((1, 2, 5, 25))))
        return f'<text backend_node_id="{number}">{escape(told, quote=False)}</text>'
    tag = rng.choice(["div", "a", "button", "span", "input", "li", "ul", "svg", "p"])
    held = rng.sample(NAMES, rng.choice((0, 0, 0, 1, 2, 5)))
    values = [" ".join(rng.choices(WORDS, k=rng.choice((1, 1, 2, 8)))) for _ in held]
    given = "".join(f' {n}="{escape(v)}"' for n, v in zip(held, values, strict=True))
    own = f' backend_node_id="{number}"' if rng.random() < 0.97 else ""
    parts = [
        written(rng, depth - 1, count) + rng.choice(("", "", "\n", "  "))
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 9)))
    ]
    lead = rng.choice(("", "\n "))
    return f"<{tag}{own}{given}>{lead}{''.join(parts)}</{tag}>"


def test_pages_are_shown_letter_by_letter_as_agentbench_shows_them(reference: ModuleType) -> None:
    from lxml import etree

    for seed in range(PAGES):
        rng, count = Random(seed), [1]
        html = "".join(written(rng, depth, count) for depth in (9, 9, 4))
        html = f'<html backend_node_id="0">{html}</html>'
        tree = etree.fromstring(html)
        ids = [
            e.attrib["backend_node_id"] for e in tree.xpath("//*[@backend_node_id]") if e.tag != "text"
        ]
        wanted = rng.sample(ids, min(len(ids), 5))
        pruned = reference.prune_tree(tree, wanted)
        told, numbers = reference.get_tree_repr(pruned, id_mapping={}, keep_html_brackets=True)
        choices = {
            node.attrib["backend_node_id"]: " ".join(
                reference.get_tree_repr(node, id_mapping=numbers, keep_html_brackets=True)[0].split()[
                    :10
                ]
            )
            for node in pruned.xpath("//*[@backend_node_id]")
        }
        ours, our_choices = excerpt(parse(html), wanted)
        assert (ours, list(our_choices.items())) == (told, list(choices.items())), html
