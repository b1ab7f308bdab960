"""A lexical ranker for where there is no score file: BM25 of a candidate against what is wanted.

A candidate's document is what it tells itself and what its ancestors tell: attributes and the words
that stand in them directly. The query is the task with the last three actions in words.
(BM25 as Robertson and Zaragoza, 2009, with Lucene's idf, which is never negative.)
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from .page import TEXT, Node, Page
from .pruning import describe, shown
from .schema import WebStep, WebTask

K1, B = 1.2, 0.75
ACTIONS = 3
#: Depths at which the share of steps with a positive among the first candidates is reported.
DEPTHS = (5, 10, 20, 50)
_WORD = re.compile(r"[a-z0-9]+")
_IN_ANGLES = re.compile(r"</?\w[\w-]*(?: id=\d+)?|/?>")


def query(instruction: str, told: Sequence[str]) -> str:
    return " ".join((instruction, *told[-ACTIONS:]))


def rank(page: Page, candidates: Collection[str], wanted: str) -> list[str]:
    """The candidates that are on the page, the likeliest first; among equals in document order."""
    given = frozenset(candidates)
    nodes = [node for node in page.nodes.values() if node.id in given]
    around: dict[Node, Counter[str]] = {}
    documents = [_own(node) + _above(page, node, around) for node in nodes]
    scores = _bm25(documents, words(wanted))
    order = sorted(range(len(nodes)), key=lambda at: -scores[at])
    return [nodes[at].id for at in order]


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _own(node: Node) -> Counter[str]:
    return Counter(words(_IN_ANGLES.sub(" ", describe(node, {}))))


def _above(page: Page, node: Node, known: dict[Node, Counter[str]]) -> Counter[str]:
    """The words of all ancestors. Siblings have the same, so each element is read once."""
    parent = page.parents.get(node)
    if parent is None:
        return Counter()
    if parent not in known:
        path = [parent, *page.ancestors(parent)]
        total: Counter[str] = Counter()
        for above in path:
            total.update(words(shown(above)))
            for child in above.children:
                if child.tag == TEXT:
                    total.update(words(child.words))
        known[parent] = total
    return known[parent]


def _bm25(documents: Sequence[Counter[str]], wanted: Sequence[str]) -> list[float]:
    """Each document's score for a query; the statistics are the page's own."""
    lengths = [document.total() for document in documents]
    mean = sum(lengths) / len(lengths) if sum(lengths) else 1.0
    scores = [0.0] * len(documents)
    for term, times in Counter(wanted).items():
        holders = [at for at, document in enumerate(documents) if term in document]
        idf = math.log(1 + (len(documents) - len(holders) + 0.5) / (len(holders) + 0.5))
        for at in holders:
            frequency = documents[at][term]
            norm = K1 * (1 - B + B * lengths[at] / mean)
            scores[at] += times * idf * frequency * (K1 + 1) / (frequency + norm)
    return scores


def rank_step(task: WebTask, number: int, page: Page) -> list[str]:
    """All candidates of a step, the likeliest first."""
    step = task.steps[number]
    every = [one.id for one in (*step.positives, *step.negatives)]
    return rank(page, every, query(task.instruction, task.history(number)))


def recall(ranked: Sequence[tuple[WebStep, Sequence[str]]]) -> Mapping[int, float]:
    """Depth -> share of steps with a positive among so many first candidates; of no steps, 0."""
    best = [_first_positive(step, order) for step, order in ranked]
    return {k: sum(at < k for at in best) / max(1, len(best)) for k in DEPTHS}


def _first_positive(step: WebStep, order: Sequence[str]) -> float:
    positives = {one.id for one in step.positives}
    return next((at for at, node in enumerate(order) if node in positives), math.inf)
