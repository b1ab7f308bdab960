from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tmbr.teacher.near import NearIndex, shingles


def jaccard(one: str, other: str) -> float:
    ours, theirs = {*shingles(one)}, {*shingles(other)}
    return len(ours & theirs) / len(ours | theirs)


@given(st.text(), st.lists(st.text(min_size=1), max_size=20))
def test_the_same_text_is_found_whatever_it_is(text: str, others: list[str]) -> None:
    index = NearIndex(0.85)
    for number, other in enumerate(others):
        index.add(str(number), other)
    held = index.add("mine", text)
    assert index.find(text) == (held or "mine")


def test_case_and_punctuation_make_no_difference() -> None:
    index = NearIndex(0.85)
    index.add("a", "Put a clean mug in the cabinet.")
    assert index.find("put a clean mug -- in the cabinet!") == "a"


def test_near_duplicates_are_found_and_others_are_not() -> None:
    """Of a thousand texts, those that are 0.92 alike are nearly all found, none that is 0.6 alike."""
    rng = Random(0)
    words = [f"{rng.randrange(10**6):06d}" for _ in range(2000)]
    texts = [" ".join(rng.sample(words, 40)) for _ in range(1000)]
    index = NearIndex(0.85)
    for number, text in enumerate(texts):
        assert index.add(str(number), text) is None

    def changed(text: str, count: int) -> str:
        said = text.split()
        for at in range(0, count * 3, 3):
            said[at] = rng.choice(words)
        return " ".join(said)

    near = [changed(text, 1) for text in texts]
    far = [changed(text, 7) for text in texts]
    assert min(map(jaccard, near, texts)) > 0.9
    assert max(map(jaccard, far, texts)) < 0.75
    found = sum(index.find(text) == str(number) for number, text in enumerate(near))
    assert found > 950
    assert sum(index.find(text) is not None for text in far) < 10
