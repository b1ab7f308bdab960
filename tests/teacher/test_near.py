from __future__ import annotations

import tracemalloc
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import grown
from tmbr.core.trace import Finish, Trace
from tmbr.core.types import Score
from tmbr.teacher.ledger import steps
from tmbr.teacher.near import NearIndex, band_width, jaccard, shingles, sketch, text_sketch


def shared(one: str, other: str) -> float:
    ours, theirs = {*shingles(one)}, {*shingles(other)}
    return len(ours & theirs) / len(ours | theirs)


@given(st.text(), st.lists(st.text(min_size=1), max_size=20))
def test_the_same_text_is_found_whatever_it_is(text: str, others: list[str]) -> None:
    index = NearIndex(0.85)
    for number, other in enumerate(others):
        index.add(str(number), text_sketch(other))
    held = index.add("mine", text_sketch(text))
    assert index.find(text_sketch(text)) == (held or "mine")


def test_case_and_punctuation_make_no_difference() -> None:
    index = NearIndex(0.85)
    index.add("a", text_sketch("Put a clean mug in the cabinet."))
    assert index.find(text_sketch("put a clean mug -- in the cabinet!")) == "a"


def test_near_duplicates_are_found_and_others_are_not() -> None:
    """Of a thousand texts, those that are 0.92 alike are nearly all found, none that is 0.6 alike."""
    rng = Random(0)
    words = [f"{rng.randrange(10**6):06d}" for _ in range(2000)]
    texts = [" ".join(rng.sample(words, 40)) for _ in range(1000)]
    index = NearIndex(0.85)
    for number, text in enumerate(texts):
        assert index.add(str(number), text_sketch(text)) is None

    def changed(text: str, count: int) -> str:
        said = text.split()
        for at in range(0, count * 3, 3):
            said[at] = rng.choice(words)
        return " ".join(said)

    near = [changed(text, 1) for text in texts]
    far = [changed(text, 7) for text in texts]
    assert min(map(shared, near, texts)) > 0.9
    assert max(map(shared, far, texts)) < 0.75
    found = sum(index.find(text_sketch(text)) == str(number) for number, text in enumerate(near))
    assert found > 950
    assert sum(index.find(text_sketch(text)) is not None for text in far) < 10


def test_the_most_alike_is_named_and_the_first_of_equals() -> None:
    said = [f"put the mug numbered {n} on the shelf by the window of the second room" for n in range(9)]
    index = NearIndex(0.99)
    for number, text in enumerate(said):
        assert index.add(str(number), text_sketch(text)) is None
    for number, text in enumerate(said):
        assert index.find(text_sketch(text)) == str(number)
        assert index.add("again", text_sketch(text)) == str(number)


def test_memory_does_not_grow_with_what_is_held() -> None:
    """What Python holds; SQLite's own cache has a size."""
    rng, index = Random(0), NearIndex(0.85)

    def fill(count: int) -> int:
        tracemalloc.start()
        for number in range(count):
            index.add(str(number), rng.randbytes(4 * 256))
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return held

    assert fill(3000) < 100_000


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.9, 0.99])
def test_bands_are_as_wide_as_the_threshold_allows(threshold: float) -> None:
    wide = band_width(threshold)
    assert 1 - (1 - threshold**wide) ** (128 // wide) >= 0.95 or wide == 1
    assert wide == 16 or 1 - (1 - threshold ** (2 * wide)) ** (128 // (2 * wide)) < 0.95


def path(*actions: str) -> Trace:
    made = grown.Grown(grown.sample(), grown.run("react"))
    at = made.start
    for action in actions:
        at = made.act(at, action, "A shelf.", "I see.")
    made.trace.finish = Finish(at, Score(1.0, True), "completed")
    return made.trace


def test_the_estimate_for_paths_is_near_the_truth() -> None:
    one = steps(path(*(f"go to shelf {n}" for n in range(30))))
    other = steps(path(*(f"go to shelf {n}" for n in range(10, 40))))
    assert len(one & other) == 20 + 19 + 1  # actions, pairs of them, the instruction
    assert jaccard(sketch(one), sketch(other)) == pytest.approx(40 / len(one | other), abs=0.1)
    assert jaccard(sketch(one), sketch(one)) == 1.0


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9])
def test_paths_that_are_alike_are_found_and_others_are_not(threshold: float) -> None:
    long = [f"go to shelf {n}" for n in range(60)]
    index = NearIndex(threshold)
    index.add("one", sketch(steps(path(*long))))
    assert index.find(sketch(steps(path(*long[:-1])))) == "one"
    assert index.find(sketch(steps(path(*(f"open drawer {n}" for n in range(60)))))) is None
