"""WebShop's files: small and whole, missing and broken; a whole shop that stays on disk."""

from __future__ import annotations

import io
import json
import lzma
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.environments.webshop_files import DATA, needs_files
from tests.tasks.playing import play
from tmbr.core.errors import DataError
from tmbr.environments.webshop import Catalogue, Product
from tmbr.environments.webshop import rows as webshop_rows
from tmbr.environments.webshop.rows import elements
from tmbr.tasks.webshop import Webshop
from tmbr.tasks.webshop.data import _full, market


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def row(product: Product) -> dict[str, Any]:
    """A product as WebShop's download has it."""
    return {
        "asin": product.id,
        "name": product.title,
        "full_description": product.description,
        "small_description": list(product.bullets),
        "pricing": product.tag.replace(" to ", ""),
        "customization_options": {
            name.title(): [{"value": value.upper(), "image": None} for value in values]
            for name, values in product.options.items()
        },
        "category": product.category,
        "query": product.query.title(),
        "product_category": product.kind,
        "images": [""],
    }


def written(folder: Path, products: Iterable[Product]) -> Path:
    """The files of a whole shop, two goals for every tenth product, one of them without attributes."""
    shop = folder / "webshop"
    shop.mkdir(parents=True)
    products = list(products)
    attributes = {p.id: {"attributes": list(p.attributes)} for p in products}
    goals = {
        p.id: [
            {
                "instruction": f"i want {p.query}.",
                "instruction_attributes": list(p.attributes[:1]),
                "instruction_options": [values[0] for values in p.options.values()],
            },
            {"instruction": "anything", "instruction_attributes": [], "instruction_options": []},
        ]
        for p in products[::10]
    }
    (shop / "items_shuffle.json").write_text(json.dumps([row(p) for p in products]))
    (shop / "items_ins_v2.json").write_text(json.dumps(attributes))
    (shop / "items_human_ins.json").write_text(json.dumps(goals))
    return folder


@needs_files
def test_the_small_set_is_webshops() -> None:
    found = market("webshop-1k", DATA)
    assert len(found.shop.products) == 1000
    assert len(found.goals) == 6910
    task = Webshop("webshop-1k", root=DATA)
    sizes = {split: len(task.samples(split)) for split in ("train", "validation", "test")}
    assert sizes == {"train": 5410, "validation": 1000, "test": 500}
    first = task.samples("test")[0]
    assert first.setup["shop"] == found.digest
    assert json.dumps(first.target)
    assert market("webshop-1k", DATA) is found


@needs_files
def test_the_small_set_is_the_same_unpacked(tmp_path: Path) -> None:
    packed = market("webshop-1k", DATA)
    shop = tmp_path / "webshop"
    shop.mkdir()
    with lzma.open(DATA / "webshop" / "products_1000.json.xz") as file:
        (shop / "items_shuffle_1000.json").write_bytes(file.read())
    attributes = (DATA / "webshop" / "items_ins_v2_1000.json").read_bytes()
    (shop / "items_ins_v2_1000.json").write_bytes(attributes)
    plain = market("webshop-1k", tmp_path)
    assert (plain.digest, plain.goals) == (packed.digest, packed.goals)


def test_a_whole_shop_is_indexed_once_and_stays_on_disk(tmp_path: Path, cache: Path) -> None:
    sold = Catalogue(0, 600)
    written(tmp_path, sold)
    task = Webshop("webshop-full", root=tmp_path)
    samples = task.samples("test")
    assert len(samples) == 60
    assert len(task.samples("validation")) == len(task.samples("train")) == 0
    shop = task.shop(samples[0])
    for place in (0, 299, -1):
        told, made = shop.products[place], sold[place]
        assert (told.id, told.title, told.tag, told.query) == (
            made.id,
            made.title,
            made.tag,
            made.query,
        )
        assert told.attributes == made.attributes
        assert {n: [v.replace(" | ", "/") for v in vs] for n, vs in told.options.items()} == {
            name: list(values) for name, values in made.options.items()
        }
    for sample in samples[:10]:
        said = task.walkthrough(sample)
        game = play(task, sample, lambda messages, said=said: said[len(messages) // 2])  # type: ignore[misc]
        assert game.score.value == 1.0
    (kept,) = (cache / "tmbr").iterdir()
    mark = (kept / "products.jsonl").stat().st_mtime_ns
    _full.cache_clear()  # as in another process
    again = Webshop("webshop-full", root=tmp_path)
    assert list(again.samples("test")) == list(samples)
    assert (kept / "products.jsonl").stat().st_mtime_ns == mark
    assert shop.products[3] == again.shop(samples[0]).products[3]
    assert again.shop(samples[0]).search("oil free") == shop.search("oil free")


def test_goals_and_prices_are_drawn_with_the_same_seed_wherever_the_files_lie(tmp_path: Path) -> None:
    a, b = (market("webshop-full", written(tmp_path / name, Catalogue(1, 100))) for name in "ab")
    assert a.goals == b.goals
    assert a.digest == b.digest
    assert [p.price for p in a.shop.products] == [p.price for p in b.shop.products]


def test_a_broken_whole_shop_is_one_line_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    path = written(tmp_path, Catalogue(0, 50)) / "webshop" / "items_shuffle.json"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(
        DataError, match=r"items_shuffle.json: truncated or no list in JSON; get it again"
    ):
        Webshop("webshop-full", root=tmp_path).samples("test")
    assert list((cache / "tmbr").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "spoil", "told"),
    [
        ("items_ins_v2.json", "[]", "is no JSON object by product"),
        ("items_ins_v2.json", "{", "truncated or no JSON"),
        ("items_human_ins.json", None, "no such file"),
        ("items_shuffle.json", None, "no such file"),
        ("items_shuffle.json", '[{"asin": "B1"}]', "product 0 cannot be read"),
        ("items_shuffle.json", "[1]", "product 0 cannot be read"),
        ("items_shuffle.json", '{"asin": "B1"}', "truncated or no list in JSON"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, name: str, spoil: str | None, told: str) -> None:
    path = written(tmp_path, Catalogue(0, 20)) / "webshop" / name
    path.unlink() if spoil is None else path.write_text(spoil)
    with pytest.raises(DataError, match=f"{name}.*{told}") as caught:
        Webshop("webshop-full", root=tmp_path).samples("test")
    assert "\n" not in str(caught.value)


def test_a_goal_without_its_fields_is_one_line(tmp_path: Path) -> None:
    folder = written(tmp_path, Catalogue(0, 20)) / "webshop"
    name = Catalogue(0, 20)[0].id
    (folder / "items_human_ins.json").write_text(json.dumps({name: [{"instruction": "x"}]}))
    with pytest.raises(DataError, match=f"a goal of {name} lacks a field"):
        Webshop("webshop-full", root=tmp_path).samples("test")


def test_missing_files_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="set TMBR_DATA"):
        Webshop("webshop-1k", root=tmp_path).samples("test")
    (tmp_path / "webshop").mkdir()
    with pytest.raises(DataError, match=r"items_shuffle_1000\.json: no such file.*tmbr data check"):
        Webshop("webshop-1k", root=tmp_path).samples("test")


@pytest.mark.parametrize(
    ("pricing", "tag", "price"),
    [
        ("$1,234.50", "$1234.5", 1234.5),
        ("", "$100.0", 100.0),
        (None, "$100.0", 100.0),
        ("free", "$100.0", 100.0),
        ([5.0], "$5.0", 5.0),
        ("$3.00$3.00", "$3.0 to $3.0", 3.0),
    ],
)
def test_prices_are_read_in_both_forms(tmp_path: Path, pricing: object, tag: str, price: float) -> None:
    (product,) = Catalogue(0, 1)
    written(tmp_path, [product])
    path = tmp_path / "webshop" / "items_shuffle.json"
    odd = [
        {**row(product), "asin": name, "pricing": pricing} for name in ("A", "nan", "A", "B" * 11, "C")
    ]
    path.write_text(json.dumps(odd))
    (tmp_path / "webshop" / "items_human_ins.json").write_text("{}")
    products = market("webshop-full", tmp_path).shop.products
    assert [p.id for p in products] == ["A", "C"]
    assert (products[0].tag, products[0].price) == (tag, price)
    assert products[0].attributes == ("DUMMY_ATTR",)


values = st.dictionaries(
    st.text(max_size=3), st.text() | st.lists(st.integers(), max_size=2), max_size=3
)


@given(st.lists(values), st.integers(1, 40), st.booleans())
def test_a_list_is_read_in_pieces_of_any_size(given_: list[Any], size: int, plain: bool) -> None:
    text = json.dumps(given_, ensure_ascii=plain).encode("utf-8", "surrogatepass")
    try:
        text.decode()
    except UnicodeDecodeError:
        text = json.dumps(given_).encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(webshop_rows, "_CHUNK", size)
        assert list(elements(io.BytesIO(text), Path("x"))) == given_
        for cut in {len(text) // 2, len(text) - 1}:
            with pytest.raises(DataError):
                list(elements(io.BytesIO(text[:cut]), Path("x")))
