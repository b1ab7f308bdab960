"""The figure of calibration as a document: it parses, stands where it should, and carries no code."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from tmbr.viewer.calibration import SIDE, calibration

SVG = "{http://www.w3.org/2000/svg}"


def row(judge: str, strategy: str = "react", **more: Any) -> dict[str, Any]:
    bins = [
        {"low": 0.2, "high": 0.3, "n": 25, "value": 0.25, "share": 0.5, "ci95": (0.4, 0.6)},
        {"low": 0.9, "high": 1.0, "n": 75, "value": 1.0, "share": 1.0, "ci95": (0.9, 1.0)},
    ]
    return {
        **{"task": "household", "split": "validation", "data": "generated", "model": "tuned"},
        **{"strategy": strategy, "judge": judge, "turns": 100, "solved": 0.875, "auc": 0.61},
        **{"ece": 0.06, "bins": bins, **more},
    }


def test_bins_stand_at_value_and_share() -> None:
    drawn = ElementTree.fromstring(calibration([row("rules")]))
    first, last = drawn.iter(f"{SVG}circle")
    assert (float(first.attrib["cx"]), float(first.attrib["cy"])) == (SIDE / 4, SIDE / 2)
    assert (float(last.attrib["cx"]), float(last.attrib["cy"])) == (SIDE, 0)
    assert float(first.attrib["r"]) < float(last.attrib["r"])
    title = last.find(f"{SVG}title")
    assert title is not None
    assert title.text == "value 1.00: 100.0% of 75 turns belong to a success"


def test_a_line_a_cell_and_a_panel_a_judge() -> None:
    rows = [row("rules"), row("rules", "multibranch"), row("self"), row("self", "multibranch")]
    drawn = ElementTree.fromstring(calibration(rows))
    titles = [node.text for node in drawn.iter(f"{SVG}text") if node.get("class") == "title"]
    assert titles == [
        f"household · generated · validation · tuned · {s}" for s in ("react", "multibranch")
    ]
    places = [node.attrib["transform"] for node in drawn.iter(f"{SVG}g")]
    assert len(set(places)) == 4
    judges = [node.text for node in drawn.iter(f"{SVG}text") if node.get("class") == "judge"]
    assert judges == ["rules", "self", "rules", "self"]


def test_names_are_text_and_nothing_measured_is_no_dot() -> None:
    hostile = row('<script>x</script>"', auc=None, ece=None, solved=None, turns=0, bins=[])
    page = calibration([hostile])
    assert "<script" not in page
    drawn = ElementTree.fromstring(page)
    assert list(drawn.iter(f"{SVG}circle")) == []
    assert "no AUC: one outcome only" in page
