"""BM25 over a page's candidates, and the recall that it gives."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from tmbr.environments.webpages import DEPTHS, parse, query, rank, rank_step, recall
from tmbr.environments.webpages.ranker import _bm25, words
from tmbr.environments.webpages.sites import generate, record

PAGE = parse(
    '<html backend_node_id="0"><div backend_node_id="1" class="menu"><text>Shoes</text>'
    '<a backend_node_id="2"><text>Red boots</text></a>'
    '<a backend_node_id="3"><text>Blue hats</text></a></div>'
    '<div backend_node_id="4"><a backend_node_id="5"><text>Red boots</text></a></div></html>'
)


def test_what_shares_more_words_comes_first_and_ancestors_count() -> None:
    assert rank(PAGE, ["2", "3", "5"], "buy red boots") == ["5", "2", "3"]  # 5 is shorter
    assert rank(PAGE, ["2", "3", "5"], "red shoes boots") == ["2", "5", "3"]
    assert rank(PAGE, ["3", "5", "2"], "nothing of it") == ["2", "3", "5"]
    assert rank(PAGE, ["9", "2"], "red") == ["2"]


def test_the_scores_are_the_formula() -> None:
    documents = [Counter("a a b".split()), Counter("b c".split()), Counter()]  # noqa: SIM905
    idf_a, idf_b = math.log(1 + 2.5 / 1.5), math.log(1 + 1.5 / 2.5)
    mean = 5 / 3
    first = idf_a * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / mean))
    first += 2 * idf_b * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 3 / mean))
    second = 2 * idf_b * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / mean))
    assert _bm25(documents, ["a", "b", "b"]) == pytest.approx([first, second, 0.0])


def test_the_query_is_the_task_and_three_actions() -> None:
    assert query("Buy it", ["one", "two", "three", "four"]) == "Buy it two three four"
    assert words("It's 3 <b>BIG</b>") == ["it", "s", "3", "b", "big", "b"]


def test_recall_on_generated_steps() -> None:
    """Far above chance at 10 (there are 12 candidates on average, 25 on the fullest pages)."""
    tasks = [record(generate(seed)) for seed in range(40)]
    ranked = [
        (step, rank_step(task, number, parse(step.html)))
        for task in tasks
        for number, step in enumerate(task.steps)
    ]
    found = recall(ranked)
    assert tuple(found) == DEPTHS == (5, 10, 20, 50)
    assert list(found.values()) == sorted(found.values())
    assert found[5] > 0.5
    assert found[10] > 0.8
    assert found[50] == 1.0
    assert recall([]) == dict.fromkeys(DEPTHS, 0.0)
