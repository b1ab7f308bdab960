"""WebShop's products and goals, found under `TMBR_DATA/webshop` and read as its own code reads them.

`webshop-1k` has the thousand products of WebShop's small set and the goals that its attribute file
tells; `webshop-full` has all products, which a user must have downloaded, and the goals that people
wrote. Goals are shuffled and cut as in WebShop: the first 500 are test (AgentBench has the first 200
of them as its standard set), the next 1,000 validation, the rest train.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import IO, Any

from tmbr.core.errors import DataError, no_file
from tmbr.environments.webshop import Goal, Product, Shop, human, synthetic
from tmbr.environments.webshop.rows import SEED, elements, read_products
from tmbr.environments.webshop.stored import store, stored_shop
from tmbr.tasks.samples import data_root

#: Data set -> names that its products can lie under, its attributes, and the goals that people wrote.
FILES: Mapping[str, tuple[tuple[str, ...], str, str | None]] = {
    "webshop-1k": (
        ("items_shuffle_1000.json", "products_1000.json", "products_1000.json.xz"),
        "items_ins_v2_1000.json",
        None,
    ),
    "webshop-full": (("items_shuffle.json",), "items_ins_v2.json", "items_human_ins.json"),
}
#: Where each split of the goals starts and ends.
SPLITS = {"train": slice(1500, None), "validation": slice(500, 1500), "test": slice(500)}
_MEND = "get it from WebShop's download, see `tmbr data check`"


@dataclass(frozen=True, slots=True)
class Market:
    """A shop with its goals. digest: of the files that they come from."""

    shop: Shop
    goals: Sequence[Goal]
    digest: str


def market(name: str, root: Path | None) -> Market:
    """The shop and goals of one of `FILES`. Raises DataError when a file is missing or broken.

    The whole shop is indexed once, which takes some minutes, and kept in the user's cache folder.
    """
    folder = data_root(root) / "webshop"
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder; set TMBR_DATA to the folder that holds webshop/, see "
            "`tmbr data check`"
        )
    products, attributes, written = FILES[name]
    found = next((path for n in products if (path := folder / n).is_file()), folder / products[0])
    paths = [found, folder / attributes, *([folder / written] if written else [])]
    for path in paths:
        if not path.is_file():
            raise DataError(f"{no_file(path)}; {_MEND}")
    marks = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    key = hashlib.sha256(json.dumps(marks).encode()).hexdigest()[:16]
    return _small(found, paths[1], key) if len(paths) == 2 else _full(*paths, key)


@lru_cache(maxsize=2)
def _small(products: Path, attributes: Path, _key: str) -> Market:
    told = _object(attributes)
    rng = Random(SEED)
    with _open(products) as file:
        sold = list(read_products(elements(file, products), products, _attributes(told), rng))
    goals = [goal for product in sold for goal in _synthetic(product, told, rng, attributes)]
    return Market(Shop.build(sold), _shuffled(goals), _digest(products, attributes))


@lru_cache(maxsize=1)
def _full(products: Path, attributes: Path, written: Path, key: str) -> Market:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tmbr"
    folder = cache / f"webshop-{key}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            _index(aside, products, attributes, written)
            if not folder.is_dir():
                aside.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    goals = [read_goal(row) for row in json.loads((folder / "goals.json").read_text("utf-8"))]
    return Market(stored_shop(folder), goals, (folder / "digest.txt").read_text())


def _index(folder: Path, products: Path, attributes: Path, written: Path) -> None:
    """Write the whole shop under a folder, with the goals that people wrote for it."""
    told = _object(written)
    wanted: list[Product] = []
    rng = Random(SEED)

    def sold() -> Iterator[Product]:
        known = _attributes(_object(attributes))
        with _open(products) as file:
            for product in read_products(elements(file, products), products, known, rng):
                if product.id in told:
                    wanted.append(product)
                yield product

    store(folder, sold())
    goals = [goal for product in wanted for goal in _human(product, told, rng, written)]
    rows = [asdict(goal) for goal in _shuffled(goals)]
    (folder / "goals.json").write_text(json.dumps(rows), "utf-8")
    (folder / "digest.txt").write_text(_digest(products, attributes, written))


def _synthetic(product: Product, told: Mapping[str, Any], rng: Random, path: Path) -> list[Goal]:
    asked = told.get(product.id, {})
    if asked.get("instruction") is None:
        return []
    try:
        return synthetic(product, asked["instruction"], asked["instruction_attributes"], rng)
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{path}: {product.id} has an instruction without attributes; {_MEND}"
        ) from error


def _human(product: Product, told: Mapping[str, Any], rng: Random, path: Path) -> Iterator[Goal]:
    for asked in told[product.id]:
        try:
            attributes, options = asked["instruction_attributes"], asked["instruction_options"]
            if attributes:
                yield human(product, asked["instruction"], attributes, options, rng)
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path}: a goal of {product.id} lacks a field; {_MEND}") from error


def _shuffled(goals: list[Goal]) -> list[Goal]:
    Random(SEED).shuffle(goals)
    return goals


def read_goal(row: Mapping[str, Any]) -> Goal:
    """A goal from JSON data."""
    options = row["options"]
    chosen = options if isinstance(options, dict) else tuple(options)
    return Goal(**{**row, "attributes": tuple(row["attributes"]), "options": chosen})


def _attributes(told: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(row["attributes"]) for name, row in told.items() if "attributes" in row}


def _digest(*paths: Path) -> str:
    """Of the contents, which are the same however they are packed."""
    whole = hashlib.sha256()
    for path in paths:
        with _open(path) as file:
            while chunk := file.read(1 << 20):
                whole.update(chunk)
    return whole.hexdigest()[:16]


def _open(path: Path) -> IO[bytes]:
    return lzma.open(path) if path.suffix == ".xz" else path.open("rb")


def _object(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: truncated or no JSON ({error}); {_MEND}") from error
    if not isinstance(told, dict):
        raise DataError(f"{path}: is no JSON object by product; {_MEND}")
    return told
