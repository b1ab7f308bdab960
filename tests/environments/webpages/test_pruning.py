"""What is shown of a page: each rule of the protocol on a page of its own.

The whole is compared with AgentBench's own code in test_pruning_reference.py, where that is at hand.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.environments.webpages.trees import pages
from tmbr.environments.webpages import Node, Page, excerpt, parse, prune, short, whole
from tmbr.environments.webpages.page import TEXT


def row(*names: str) -> str:
    cells = "".join(
        f'<b backend_node_id="{name}" class="x"><text backend_node_id="t{name}">{name}</text></b>'
        for name in names
    )
    return f'<html backend_node_id="0"><p backend_node_id="p" class="row">{cells}</p></html>'


def test_three_siblings_stay_on_each_side() -> None:
    page = parse(row(*"abcdefghi"))
    assert prune(page, ["e"]).words == "b c d e f g h"
    assert prune(page, ["a"]).words == "a b c d"
    assert prune(page, ["a", "i"]).words == "a b c d f g h i"


def test_only_candidates_are_numbered_in_document_order() -> None:
    told, choices = excerpt(parse(row("a", "b", "c")), ["c", "a", "nowhere"])
    assert told == "<html><p row><b id=0 x>a</b><b x>b</b><b id=1 x>c</b></p></html>"
    assert list(choices.items()) == [("a", "<b id=0 x>a</b>"), ("c", "<b id=1 x>c</b>")]


def test_six_levels_and_fifty_descendants_stay() -> None:
    deep = "".join(f'<i backend_node_id="{n}" class="c{n}">' for n in range(9)) + "</i>" * 9
    told, _ = excerpt(parse(f'<html backend_node_id="h">{deep}</html>'), ["0"])
    assert "c6" in told
    assert "c7" not in told
    wide = "".join(f'<i backend_node_id="{n}" class="c{n}"/>' for n in range(60))
    page = parse(f'<html backend_node_id="h"><u backend_node_id="u">{wide}</u></html>')
    told, _ = excerpt(page, ["u"])
    assert "c49 " in told
    assert "c50" not in told


def test_wrappers_that_tell_nothing_give_way() -> None:
    inner = '<div backend_node_id="2"><div backend_node_id="3"><a backend_node_id="4"/></div></div>'
    page = parse(f'<html backend_node_id="0"><div backend_node_id="1">{inner}</div></html>')
    assert excerpt(page, ["4"])[0] == "<html><a id=0 /></html>"
    assert excerpt(page, ["2"])[0] == "<html><div id=0 /></html>"  # what is in it tells nothing either


def test_a_wrapper_of_two_or_of_words_stays() -> None:
    two = '<a backend_node_id="2"/><a backend_node_id="3"/>'
    page = parse(f'<html backend_node_id="0"><p backend_node_id="1">{two}</p></html>')
    assert excerpt(page, ["2", "3"])[0] == "<html><p><a id=0 /><a id=1 /></p></html>"
    words = '<p backend_node_id="1"><text backend_node_id="5">so</text><a backend_node_id="2"/></p>'
    page = parse(f'<html backend_node_id="0">{words}</html>')
    assert excerpt(page, ["2"])[0] == "<html><p>so<a id=0 /></p></html>"


def attributes(**given: str) -> str:
    page = Page(Node("html", {}, (Node("a", {"backend_node_id": "1", **given}),)))
    return excerpt(page, ["1"])[1]["1"]


def test_attributes_are_told_in_order_once_and_short() -> None:
    told = attributes(class_="x", value="Go", title="Now", role="BUTTON", alt="now", href="/y")
    assert told == "<a id=0 button now go />"
    assert attributes(name="one two three four five six") == "<a id=0 one two three four five />"
    assert (
        attributes(title="short internationalisation", name="null", type="hidden") == "<a id=0 short />"
    )
    assert attributes(value="http://x.y", role="none") == "<a id=0 />"
    many = {
        name: f"{name}1 {name}2 {name}3 {name}4"
        for name in ("role", "type", "alt", "label", "title", "name")
    }
    page = Page(Node("html", {"backend_node_id": "1", **many}))
    assert len(excerpt(page, ["1"])[0].split()) == 2 + 20 + 1


def test_twenty_words_of_a_text_and_ten_of_a_choice() -> None:
    told = " ".join(f"w{n}" for n in range(30))
    text = f'<text backend_node_id="2">{told}</text>'
    page = parse(f'<html backend_node_id="0"><a backend_node_id="1">{text}</a></html>')
    shown, choices = excerpt(page, ["1"])
    assert "w19</a>" in shown
    assert choices["1"].split()[-1] == "w8"


def test_what_is_short_is_what_an_element_tells() -> None:
    assert short("Anna Maria von Hohenzollern-Sigmaringen zu Berg") == "anna maria von zu berg"


@given(pages, st.data())
def test_pruning_keeps_candidates_and_invents_nothing(root: Node, data: st.DataObject) -> None:
    page = Page(root)
    wanted = data.draw(st.lists(st.sampled_from(sorted(page.nodes)), max_size=5, unique=True))
    told, choices = excerpt(page, wanted)
    assert list(choices) == [node for node in page.nodes if node in wanted]
    assert set(prune(page, wanted).words.split()) <= set(root.words.split())
    assert "\n" not in told
    assert list(whole(page, wanted)[1]) == list(choices)
    tags = [node.tag for node in prune(page, wanted).walk() if node.tag != TEXT]
    assert len(tags) <= len(page.nodes)
