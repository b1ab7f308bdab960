"""The search engine: Lucene's words, stems and order."""

from __future__ import annotations

import re
import time
import unicodedata
from itertools import pairwise
from math import log
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.environments.webshop_files import lucene, needs_files, needs_lucene, shop
from tmbr.environments.webshop import Catalogue, Index
from tmbr.environments.webshop import index as index_module
from tmbr.environments.webshop.analysis import LONGEST, analyse, words
from tmbr.environments.webshop.index import MOST_TERMS, _from_byte, _to_byte
from tmbr.environments.webshop.letters import word_break
from tmbr.environments.webshop.porter import stem


@needs_files
@needs_lucene
def test_all_fifty_places_of_every_query_are_lucenes() -> None:
    there, queries = shop(), lucene()
    assert len(queries) == 428
    for query in queries:
        assert analyse(query["query"]) == query["tokens"]
        found = [there.products[place].id for place in there.search(query["query"])]
        assert found == query["asins"], query["query"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("can't O'Neil's 5'9 3's", ["can't", "O'Neil's", "5'9", "3", "s"]),
        ("u.s.a. 12.5,3 1:2 a:b", ["u.s.a", "12.5,3", "1", "2", "a:b"]),
        ("a.1 1,a a;b 1;2", ["a", "1", "1", "a", "a", "b", "1;2"]),
        ("a_b __ _c 1_2_ -x- t-shirt", ["a_b", "_c", "1_2_", "x", "t", "shirt"]),
        ("★★ © 100% ❤\ufe0f x", ["★", "★", "©", "100", "❤\ufe0f", "x"]),
        ("👨\u200d👩\u200d👧👍🏽👍", ["👨\u200d👩\u200d👧", "👍🏽", "👍"]),
        ("#\ufe0f\u20e3 1\ufe0f\u20e3", ["#\ufe0f\u20e3", "1\ufe0f\u20e3"]),
        ("🇩🇪🇫🇷🇮", ["🇩🇪", "🇫🇷"]),
        ("小米混 カタカナひら ไทยนะ 한국", ["小", "米", "混", "カタカナ", "ひ", "ら", "ไทยนะ", "한국"]),
        ("e\u0301te\u0301 a\u00adb", ["e\u0301te\u0301", "a\u00adb"]),
        ("שׁ\"ץ ץ' x'", ['שׁ"ץ', "ץ'", "x"]),
        ("a" * 600, ["a" * LONGEST, "a" * LONGEST, "a" * 90]),
    ],
)
def test_words_are_cut_as_unicode_says(text: str, found: list[str]) -> None:
    assert list(words(text)) == found


@given(
    st.text(st.characters() | st.sampled_from("a1_.,:'\"ם❤👍🏽\u200d\ufe0f\u20e3#🇩ア漢"), max_size=60)
)
def test_any_text_has_words_and_they_stand_in_it_in_order(text: str) -> None:
    at = 0
    for word in words(text):
        at = text.index(word, at) + len(word)
    assert analyse(text) == analyse(f" {text} ") == analyse(f"the {text} of")


@pytest.mark.parametrize(
    "part", ["_", "\u200d", "a_", "e\u0301'", "'", "❤\u200d", "a.", "#\ufe0f", 'ס"']
)
def test_hostile_texts_take_no_longer_than_others(part: str) -> None:
    start = time.process_time()
    analyse(part * (400_000 // len(part)))
    assert time.process_time() - start < 5


def test_word_classes_are_unicodes() -> None:
    regex = pytest.importorskip("regex", reason="regex, which knows Word_Break, is not installed")
    named = {
        "A": "ALetter",
        "H": "Hebrew_Letter",
        "N": "Numeric",
        "K": "Katakana",
        "_": "ExtendNumLet",
        ":": "MidLetter",
        ",": "MidNum",
        ".": "MidNumLet",
        "x": "Extend",
    }
    # Ranges that Unicode changed after version 9, from which Lucene's rules are made.
    later = re.compile(
        "[\xb8\u02c2-\u02ff\u055a-\u0560\u0588-\u058a\u0600-\u0605\u06dd\u070f\u0890-\u0891"
        "\u08e2\u19da\u200c\ufe10\ufe14\uff9e-\uff9f\ua708-\ua721\ua789-\ua78a\uab5b\uab6a-\uab6b\u3005\u303b"
        "\U0001f3fb-\U0001f3ff\U000110bd\U000110cd\U00016fe0-\U0001b2ff]"
    )
    kinds = {kind: regex.compile(rf"\p{{Word_Break={name}}}") for kind, name in named.items()}
    for code in range(0x10000):
        character = chr(code)
        if unicodedata.category(character) in ("Cn", "Cs", "Co") or later.match(character):
            continue
        theirs = next((kind for kind, one in kinds.items() if one.match(character)), None)
        mine = word_break(code).replace("P", "A")  # letters that are pictures too
        mark = mine in "xztvks" and theirs in ("x", None)  # format characters are one class with marks
        assert mark or theirs == (mine if mine in named else None), hex(code)


def test_stems_are_porters() -> None:
    pairs = {
        "caresses": "caress", "ponies": "poni", "ties": "ti", "feed": "feed", "agreed": "agre",
        "plastered": "plaster", "bled": "bled", "motoring": "motor", "sing": "sing",
        "conflated": "conflat",
        "hopping": "hop", "falling": "fall", "hissing": "hiss", "filing": "file", "happy": "happi",
        "sky": "sky", "relational": "relat", "conditional": "condit", "digitizer": "digit",
        "vietnamization": "vietnam", "hopefulness": "hope", "triplicate": "triplic",
        "electrical": "electr",
        "revival": "reviv", "adjustment": "adjust", "adoption": "adopt", "ion": "ion",
        "probate": "probat",
        "rate": "rate", "cease": "ceas", "controll": "control", "roll": "roll", "possibly": "possibl",
        "psychology": "psycholog", "as": "as", "1990s": "1990", "everyday": "everydai",
    }  # fmt: skip
    assert {word: stem(word) for word in pairs} == pairs


def test_stems_are_nltks() -> None:
    porter = pytest.importorskip(
        "nltk.stem.porter", reason="nltk, the extra `reference`, is not installed"
    )
    theirs = porter.PorterStemmer(mode="MARTIN_EXTENSIONS")
    rng = Random(0)
    endings = (
        "ational tional enci izer bli alli ization ator alism iveness biliti logi icate ful ness ement "
    )
    parts = [*"aeioubcdfghklmnprstvwxyz", "ss", "ll", "ing", "ed", "eed", "y", *endings.split()]
    for _ in range(20_000):
        word = "".join(rng.choices(parts, k=rng.randint(1, 6)))
        assert stem(word) == theirs.stem(word), word


def test_a_length_has_one_byte() -> None:
    lengths = [_from_byte(byte) for byte in range(256)]
    assert lengths == sorted(set(lengths))
    assert lengths[:42] == [*range(40), 40, 42]
    assert [_to_byte(length) for length in lengths] == list(range(256))
    assert all(_from_byte(_to_byte(length)) <= length for length in range(0, 100_000, 7))
    assert _to_byte(2**31 - 1) == 255


SOME = ("red", "blue", "tea", "hat", "cup", "sea", "oak")


def documents(seed: int, size: int) -> list[tuple[str, str]]:
    rng = Random(seed)
    return [
        (f"{rng.random():.12f}", " ".join(rng.choices(SOME, k=rng.randint(0, 9)))) for _ in range(size)
    ]


@given(st.integers(0, 1000), st.lists(st.sampled_from((*SOME, "xyz")), max_size=5))
def test_the_order_is_that_of_bm25(seed: int, query: list[str]) -> None:
    """Against the formula in doubles: the same up to what single floats can tell."""
    texts = documents(seed, 40)
    split = [text.split() for _, text in texts]
    filled = sum(map(bool, split))  # Lucene counts no others
    mean = sum(map(len, split)) / filled
    scores = []
    for terms in split:
        score, length = 0.0, _from_byte(_to_byte(len(terms)))
        for word in query:
            holding = sum(word in other for other in split)
            count = terms.count(word)
            idf = log(1 + (filled - holding + 0.5) / (holding + 0.5))
            score += idf * count / (count + 0.9 * (0.6 + 0.4 * length / mean))
        scores.append(score)
    found = Index.build(texts).search(" ".join(query), 10)
    assert len(found) == min(10, sum(score > 0 for score in scores))
    for better, worse in pairwise(found):
        assert scores[better] > scores[worse] - 1e-5
        if split[better] == split[worse]:
            assert texts[better][0] < texts[worse][0]
    others = [score for place, score in enumerate(scores) if place not in found]
    assert not found or max(others) <= scores[found[-1]] + 1e-5


def test_an_index_that_is_kept_is_the_same(tmp_path: Path) -> None:
    texts = [(product.id, product.text) for product in Catalogue(0, 300)]
    built = Index.build(texts)
    built.save(tmp_path)
    kept = Index.load(tmp_path)
    for _, text in texts[::10]:
        assert kept.search(text, 50) == built.search(text, 50) != ()


def test_common_words_are_looked_up_for_contenders_only_and_nothing_changes() -> None:
    few, plain = 0, index_module._contenders
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(index_module, "_COMMON", 2)
        for seed in range(50):
            rng = Random(seed)
            texts = [
                (f"{n:06d}", " ".join(rng.choices(SOME, range(7, 0, -1), k=9))) for n in range(400)
            ]
            index = Index.build([*texts[:-3], *((name, f"{text} rare") for name, text in texts[-3:])])
            query = " ".join(["rare", *rng.choices(SOME, k=3)])
            seen: list[object] = []
            patched.setattr(
                index_module, "_contenders", lambda *a, seen=seen: seen.append(plain(*a)) or seen[-1]
            )
            found = index.search(query, 2)
            few += any(hits is not None for hits in seen)
            patched.setattr(index_module, "_contenders", lambda *_: None)
            assert index.search(query, 2) == found
    assert few > 25


def test_what_finds_nothing_finds_nothing() -> None:
    index = Index.build(documents(0, 10))
    assert index.search("", 5) == index.search("the of", 5) == index.search("unknown", 5) == ()
    assert index.search("red " + " ".join(f"w{n}" for n in range(MOST_TERMS - 1)), 5) != ()
    assert index.search("red " + " ".join(f"w{n}" for n in range(MOST_TERMS)), 5) == ()
    assert Index.build([]).search("red", 5) == ()
