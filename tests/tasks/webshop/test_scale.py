"""A whole shop of generated products: what it takes to index, to hold and to search.

CI takes a few thousand products; `TMBR_WEBSHOP_PRODUCTS=1180000` as many as WebShop has, which takes
some minutes and three gigabytes of disk. Each part runs in a process of its own, so that its memory is
its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from tests.tasks.webshop.test_data import row
from tmbr.environments.webshop import Catalogue

PRODUCTS = int(os.environ.get("TMBR_WEBSHOP_PRODUCTS", "3000"))
GIGABYTE = 1 << 30
CODE = """
import json, resource, sys, time
from pathlib import Path
from tmbr.tasks.webshop import Webshop
start = time.perf_counter()
task = Webshop("webshop-full", root=Path(sys.argv[1]))
samples = task.samples("test")
shop = task.shop(samples[0])
opened, taken, found = time.perf_counter() - start, [], 0
for sample in [*samples[:100], *samples[:100]]:
    start = time.perf_counter()
    found += len(shop._search(sample.instruction))
    taken.append(time.perf_counter() - start)
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"opened": opened, "taken": taken[100:], "found": found, "memory": memory}))
"""


def write(folder: Path) -> None:
    """The three files, a product at a time."""
    shop = folder / "webshop"
    shop.mkdir(parents=True)
    sold = Catalogue(0, PRODUCTS)
    with (
        (shop / "items_shuffle.json").open("w") as items,
        (shop / "items_ins_v2.json").open("w") as told,
    ):
        for place, product in enumerate(sold):
            items.write(("[" if place == 0 else ", ") + json.dumps(row(product)))
            attributes = {"attributes": list(product.attributes)}
            told.write(("{" if place == 0 else ", ") + f'"{product.id}": {json.dumps(attributes)}')
        items.write("]")
        told.write("}")
    goals = {
        p.id: [
            {
                "instruction": f"i need {p.query} that are {' and '.join(p.attributes[:2])}",
                "instruction_attributes": list(p.attributes[:2]),
                "instruction_options": [values[0] for values in p.options.values()],
            }
        ]
        for p in sold[:: max(PRODUCTS // 500, 1)]
    }
    (shop / "items_human_ins.json").write_text(json.dumps(goals))


def test_a_whole_shop_is_held_and_searched_within_its_bars(tmp_path: Path) -> None:
    write(tmp_path)
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    for part in ("indexed", "opened"):
        said = subprocess.run(
            [sys.executable, "-c", CODE, str(tmp_path)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        told = json.loads(said)
        middle = statistics.median(told["taken"])
        slow, gigabytes = sorted(told["taken"])[94], told["memory"] / GIGABYTE
        print(f"{PRODUCTS} products {part} in {told['opened']:.1f} s, {gigabytes:.2f} GB;", end=" ")
        print(f"search p50 {middle * 1e3:.1f} ms, p95 {slow * 1e3:.1f} ms")
        assert told["found"] == 200 * 50
        assert told["memory"] < 6 * GIGABYTE
        assert middle < 0.05
