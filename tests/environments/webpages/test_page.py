"""Pages are read as published, and written so that they are read back."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.environments.webpages.trees import pages
from tmbr.environments.webpages import Node, parse, to_html, to_xml
from tmbr.environments.webpages.page import DEEPEST, TEXT

PAGE = """<html backend_node_id="1">
 <body backend_node_id="2"><a backend_node_id="3" xlink:href="#x">
 <text backend_node_id="4">Buy &amp; go</text></a>
 <input backend_node_id="5" name="city"/></body></html>"""


def shape(node: Node) -> object:
    """A tree without the white space between its elements."""
    if node.tag == TEXT:
        return node.words
    return node.tag, dict(node.attributes), [shape(child) for child in node.children]


def test_a_page_is_read_with_ids_words_and_prefixes_that_nobody_declared() -> None:
    page = parse(PAGE)
    assert list(page.nodes) == ["1", "2", "3", "5"]
    assert page.nodes["3"].words == "Buy & go"
    assert page.nodes["3"].attributes["xlink:href"] == "#x"
    assert [node.id for node in page.ancestors(page.nodes["3"])] == ["2", "1"]
    assert page.root.words == "Buy & go"


def test_the_first_of_two_equal_ids_has_it() -> None:
    page = parse('<html><a backend_node_id="1"/><b backend_node_id="1"/></html>')
    assert page.nodes["1"].tag == "a"


@given(pages)
def test_what_is_written_is_read_back(root: Node) -> None:
    assert shape(parse(to_xml(root)).root) == shape(root)


@given(st.text())
def test_any_text_is_a_page_or_is_refused(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(parse(text).root, Node)


def test_a_page_that_would_grow_or_go_deep_is_refused() -> None:
    lol = '<!DOCTYPE html [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><html>&b;</html>'
    with pytest.raises(ValueError, match="declares entities"):
        parse(lol)
    fits = "<a>" * DEEPEST + "</a>" * DEEPEST
    assert sum(1 for _ in parse(fits).root.walk()) == DEEPEST
    with pytest.raises(ValueError, match=f"more than {DEEPEST} elements deep"):
        parse("<a>" * 100_000)
    with pytest.raises(ValueError, match="no XML"):
        parse(PAGE[:-20])


def test_html_has_plain_text_and_no_end_tags_where_html_has_none() -> None:
    html = to_html(parse(PAGE).root)
    assert html.startswith("<!DOCTYPE html>\n<html ")
    assert "Buy &amp; go</a>" in html
    assert "<text" not in html
    assert "</input>" not in html
    assert re.search(r'<input backend_node_id="5" name="city">', html)
