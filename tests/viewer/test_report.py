"""The page as a reader's browser gets it: complete, closed to the network, deaf to what it quotes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.support import traces
from tests.viewer.rows import row
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.trace import Judgement, Trace
from tmbr.core.types import Message
from tmbr.viewer.report import render, report

VOID = {"meta", "input", "br"}
HOSTILE = (
    "</script></style></title></textarea><img src=x onerror=alert(1)>\"'`{{ 7 * 7 }}<!-- ]]> &lt;"
    " \x00\x07\x1b[31m\u202egnp.exe\u2066\ud800\ufeff"
)


class Page(HTMLParser):
    """Tags and attribute names in order, text, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.inside: dict[str, str] = {}
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] in (["style"], ["script"]):
            self.inside[self.open[-1]] = data
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def summary() -> dict[str, Any]:
    compared = {"a": "tuned · multibranch", "b": "tuned · react", "n": 200}
    return {
        "rows": [row("react", 0.68), row("multibranch", 0.865, access="fork", tokens_in=19842.7)],
        "comparisons": [
            {**compared, "difference": 0.185, "ci95": (0.125, 0.245), "failures_gone": None}
        ],
    }


def everything(episodes: Sequence[Trace]) -> Sequence[Trace]:
    return episodes


def test_tells_results_comparisons_and_trees() -> None:
    page = Page(render(summary(), traces.all_shapes(), everything))
    assert page.open == []
    for said in (
        "tuned · multibranch solves 86.5% of 200 episodes (95% interval 80.5% to 92.5%).",
        "20.1k",
        "+18.5",
        "1 other candidate, 2 dropped",
        "↩ went another way for 3 steps, then back here",
        "↩ went another way for 3 steps, then began again",
        "duplicate of another candidate",
        "the mug was never cooled, and the goal asks for a cool one",
        "ModelFault: no answer from http://localhost:8000/v1 after 5 tries",
        "EnvironmentFault: scene 3 has no desklamp",
        "stopped: step budget",
        "18 world steps, 11 on forks · 20.5k tokens · 14 calls",
        "6 of 6 recorded",
    ):
        assert said in page.text
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert "success 68.0%, 95% interval 62.0% to 74.0%" in labels
    assert "136 completed, 60 task limit reached, 4 task error" in labels


def test_asks_nothing_of_the_network_and_runs_only_its_own_script() -> None:
    page = Page(render(summary(), traces.all_shapes()))
    names = {name for name, _ in page.attributes}
    assert not names & {"src", "href", "srcset", "style", "action", "data"}
    assert not [name for name in names if name.startswith("on")]
    assert "url(" not in page.inside["style"]
    assert "@import" not in page.inside["style"]
    policy = next(value or "" for name, value in page.attributes if name == "content")
    for kind in ("style", "script"):
        hashed = base64.b64encode(hashlib.sha256(page.inside[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{hashed}';" in policy
    assert policy.startswith("default-src 'none';")


def quoting(text: str) -> tuple[dict[str, Any], list[Trace]]:
    """A summary and episodes that say `text` wherever a model, a world or a user can say something."""
    episodes = traces.all_shapes()
    for trace in episodes:
        trace.sample = replace(trace.sample, instruction=text, id=trace.sample.id + text)
        trace.run = replace(trace.run, strategy=text, model=text, version=text)
        for index, node in enumerate(trace.nodes):
            message = Message(node.message.role, text)
            action = node.action and replace(node.action, name=text, arguments={text: text, "b": text})
            step = node.step and replace(node.step, observation=text)
            trace.nodes[index] = replace(
                node, message=message, action=action, step=step, error=node.error and text
            )
        trace.judgements = [Judgement(j.node, text, j.value, text) for j in trace.judgements]
        if trace.finish:
            trace.finish = replace(trace.finish, error=text, stop=text)
    found = summary()
    found["rows"] = [row(text, 0.5, model=text, data=text, split=text, task=text)]
    found["comparisons"][0].update(a=text, b=text)
    return {**found, "versions": {text: text}}, episodes


def test_hostile_text_changes_no_element_and_is_made_visible() -> None:
    hostile, tame = (render(*quoting(text), everything) for text in (HOSTILE, "quiet"))
    assert Page(hostile).tags == Page(tame).tags
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", hostile
    )
    text = Page(hostile).text
    assert "<img src=x onerror=alert(1)>" in text
    assert "{{ 7 * 7 }}" in text
    assert "⟨U+202E⟩gnp.exe" in text
    assert "⟨U+0000⟩⟨U+0007⟩⟨U+001B⟩[31m" in text


def test_a_thousand_traces_stay_under_two_megabytes(tmp_path: Path) -> None:
    episodes = [traces.another(traces.huge(60, 5), at) for at in range(12)]
    episodes += [traces.another(traces.multibranch(), at) for at in range(12, 1000)]
    page = report(summary(), iter(episodes), tmp_path / "report.html", lambda all_: all_[:12])
    assert page.stat().st_size < 2_000_000
    assert "12 of 1,000 recorded" in Page(page.read_text("utf-8")).text


def test_the_same_input_gives_the_same_bytes() -> None:
    assert render(summary(), traces.all_shapes()) == render(summary(), traces.all_shapes())


def test_a_summary_without_episodes_or_successes() -> None:
    nothing = row(
        "react", 0.0, statuses={}, n=0, ci95=(0.0, 1.0), tokens_in=None, prefill_computed=None
    )
    text = Page(render({"rows": [nothing]}, [])).text
    assert "No episode was recorded." in text
    assert "solves" not in text


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({}, "the summary has no 'rows'"),
        ({"rows": [row("react", 0.5), {"task": "household"}]}, "summary row 2 has no 'split'"),
    ],
)
def test_a_broken_summary_is_named_and_the_old_page_stays(
    tmp_path: Path, broken: dict[str, Any], says: str
) -> None:
    out = tmp_path / "report.html"
    report(summary(), traces.all_shapes(), out)
    before = out.read_bytes()
    with pytest.raises(DataError, match=says):
        report(broken, [], out)
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]


def test_a_place_that_cannot_be_written_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot write the report to .*missing.*No such file"):
        report(summary(), [], tmp_path / "missing" / "report.html")
    (tmp_path / "taken").mkdir()
    with pytest.raises(ConfigError, match="cannot write the report"):
        report(summary(), [], tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
