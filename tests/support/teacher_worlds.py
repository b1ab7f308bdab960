"""What the scripted teacher knows of three worlds: questions that can be solved, and some that cannot.

It reads a world's content as it stands in the prompt, as any teacher would.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

from tmbr.environments.database import Table
from tmbr.environments.household.furniture import KINDS, LAMPS, homes
from tmbr.environments.household.generate import generate as house
from tmbr.environments.webshop.goods import KINDS as GOODS
from tmbr.tasks.base import split_seed
from tmbr.tasks.database.generate import _Draft
from tmbr.tasks.database.generate import generate as problem
from tmbr.tasks.database.themes import THEMES
from tmbr.tasks.household.task import SIZES
from tmbr.tasks.webshop import Webshop
from tmbr.teacher.askers.household import GOALS

Said = dict[str, Any]
_WHEN = ("today", "now", "before noon", "after lunch", "this evening", "at last", "once more", "first")
_WHO = ("please", "for the guests", "for me", "as ever", "in peace", "for the child", "with care")
_TREATED = {"clean": ("clean", "w"), "heat": ("heat", "h"), "cool": ("cool", "c")}


def question(name: str, world: str, category: str, rng: Random) -> Said:
    """A question that can be solved; of another category where this world cannot have that one."""
    if name == "household":
        return _household(world, category, rng)
    return _database(world, category, rng) if name == "database" else _webshop(world, category, rng)


def faulty(name: str, world: str, category: str, rng: Random, fault: str) -> Said | None:
    """A question with a fault; None where this world cannot have it, or there is none."""
    good = question(name, world, category, rng)
    if fault == "wrong JSON":
        return good
    if fault == "copied from test":
        return _copied(name, rng)
    if not fault:
        return None
    make = {"household": _bad_house, "database": _bad_request, "webshop": _bad_wish}[name]
    return make(world, good, rng, fault)


# The household: `place: thing, thing` a line.


def read_room(world: str) -> dict[str, list[str]]:
    lines = [line.partition(": ") for line in world.split("\n")]
    return {
        place.removesuffix(" (closed)"): [] if held == "nothing" else held.split(", ")
        for place, _, held in lines
    }


def kind_of(name: str) -> str:
    return name.rsplit(" ", 1)[0]


def _household(world: str, category: str, rng: Random) -> Said:
    room = read_room(world)
    options = {goal: _goals(room, goal) for goal in GOALS}
    kinds = [goal for goal in options if options[goal]]
    goal = category if options.get(category) else rng.choice(kinds)
    thing, place = rng.choice(options[goal])
    return _told(goal, thing, place, rng)


def _told(goal: str, thing: str, place: str, rng: Random) -> Said:
    core = {
        "place": f"put a {thing} in {place}",
        "two": f"find two {thing} and put them in {place}",
        "light": f"look at {thing} under the {place}",
    }.get(goal, f"{goal} some {thing} and put it in {place}")
    told = f"{rng.choice(_WHEN)} {rng.choice(_WHO)}, {core}."
    return {"question": told, "goal": goal, "thing": thing, "place": place}


def _goals(room: dict[str, list[str]], goal: str) -> list[tuple[str, str]]:
    """(thing, place) that the room can have and that do not hold yet."""
    places = sorted({kind_of(place) for place in room})
    seats = [(kind_of(thing), kind_of(place)) for place in room for thing in room[place]]
    held = [thing for thing, _ in seats]
    if goal == "light":
        return [(t, lamp) for lamp in sorted(LAMPS & {*held}) for t in sorted({*held} - LAMPS)]
    station = {"clean": "sinkbasin", "heat": "microwave", "cool": "fridge"}.get(goal)
    if station and station not in places:
        return []
    found = []
    for thing in sorted({*held} - LAMPS):
        if station and _TREATED[goal][1] not in KINDS[thing].can:
            continue
        if goal == "two" and held.count(thing) < 2:
            continue
        for place in places:
            if place in homes(thing) and (station or (thing, place) not in seats):
                found.append((thing, place))
    return found


def _bad_house(world: str, good: Said, rng: Random, fault: str) -> Said | None:
    room = read_room(world)
    seats = [(kind_of(thing), kind_of(place)) for place in room for thing in room[place]]
    things = sorted({thing for thing, _ in seats} - LAMPS)
    if fault == "hallucinated object":
        thing = rng.choice(sorted({*KINDS} - {*things}))
        told = good["question"].replace(f" {good['thing']} ", f" {thing} ")
        return good | {"thing": thing, "question": told}
    if fault == "true at the start":
        lying = sorted({(t, p) for t, p in seats if t not in LAMPS})
        return _told("place", *rng.choice(lying), rng)
    unfit = [
        (goal, thing, kind_of(place))
        for goal in ("place", *_TREATED)
        for thing in things
        for place in room
        if kind_of(place) not in homes(thing)
    ]
    return _told(*rng.choice(unfit), rng) if unfit else None


# The database: the name of a table, its columns, its rows, a line each.


def read_table(world: str) -> Table:
    head, columns, *rows = world.split("\n")
    name = head.removeprefix("Table `").removesuffix("`")
    return Table(name, tuple(columns.split(" | ")), tuple(tuple(row.split(" | ")) for row in rows))


def _database(world: str, category: str, rng: Random) -> Said:
    table = read_table(world)
    theme = next(theme for theme in THEMES if tuple(c for c, _ in theme.columns) == table.columns)
    kinds = ("other", "counting", "UPDATE", "DELETE", "ranking", "comparison")
    while True:
        made = _Draft(rng, theme, table).problem(category or rng.choice(kinds))
        if made is not None:
            return {"question": made.instruction, "sql": made.query}


def _bad_request(world: str, _: Said, rng: Random, fault: str) -> Said | None:
    table = read_table(world)
    column, cell = table.columns[0], table.rows[0][0].replace("'", "''")
    if fault == "hallucinated object":
        sql = f"SELECT COUNT(*) FROM `{table.name}` WHERE `{column}` = 'Atlantis'"
        return {"question": f"How many entries have 'Atlantis' as their {column}?", "sql": sql}
    if fault == "true at the start":
        told = f"Set the {column} to '{cell}' where the {column} is '{cell}'."
        sql = f"UPDATE `{table.name}` SET `{column}` = '{cell}' WHERE `{column}` = '{cell}'"
        return {"question": told, "sql": sql}
    other = _database(world, rng.choice(("ranking", "comparison")), rng)
    told = f"Which {column} do people like best, number {rng.randrange(10**6)}?"
    return {"question": told, "sql": other["sql"]}


# The shop: a block for each product.


def _products(world: str) -> list[Said]:
    found = []
    for block in world.split("\n\n"):
        head, price, attributes, options = block.split("\n")
        number, _, rest = head.partition(": ")
        pairs = [one.split(": ") for one in options.removeprefix("options: ").split("; ")]
        found.append(
            {
                "number": number,
                "query": next(kind.name for kind in GOODS if rest.startswith(f"{kind.name}, ")),
                "price": float(price.removeprefix("price: ")),
                "attributes": attributes.removeprefix("attributes: ").split(", "),
                "options": {pair[0]: pair[1].split(", ") for pair in pairs if len(pair) == 2},
            }
        )
    return found


def _webshop(world: str, category: str, rng: Random) -> Said:
    products = _products(world)
    fit = [p for p in products if any(k.name == p["query"] and k.category == category for k in GOODS)]
    wanted = rng.choice(fit or products)
    attributes = rng.sample(wanted["attributes"], min(len(wanted["attributes"]), rng.randint(1, 3)))
    options = {name: rng.choice(values) for name, values in wanted["options"].items()}
    limit = 10.0 * (wanted["price"] // 10 + rng.randint(1, 3)) if rng.random() < 0.7 else None
    return _wish(wanted, attributes, options, limit)


def _wish(wanted: Said, attributes: list[str], options: dict[str, str], limit: float | None) -> Said:
    told = f"i am looking for {wanted['query']} with these properties: {', '.join(attributes)}"
    if options:
        told += " with " + ", and ".join(f"{name}: {value}" for name, value in options.items())
    if limit is not None:
        told += f", and price lower than {limit:.2f} dollars"
    return {
        "question": told,
        "product": wanted["number"],
        "attributes": attributes,
        "options": options,
        "limit": limit,
    }


def _bad_wish(world: str, good: Said, rng: Random, fault: str) -> Said | None:
    wanted = next(p for p in _products(world) if p["number"] == good["product"])
    if fault == "hallucinated object":
        return good | {"product": f"GX{rng.randrange(10**8):08d}"}
    if fault == "true at the start":
        return good | {"question": f"{good['question']}, number {good['product']}"}
    return _wish(wanted, good["attributes"], good["options"], 1.0)


# A question of the test split, with all that it needs.


def _copied(name: str, rng: Random) -> Said:
    index = rng.randrange(SIZES["test"])
    if name == "household":
        game = house(split_seed("test", index, SIZES))
        goal = next(short for short, (full, _) in GOALS.items() if full == game.scene.goal.task_type)
        of = game.scene.goal
        return {"question": game.instruction, "goal": goal, "thing": of.thing, "place": of.target}
    if name == "database":
        made = problem(split_seed("test", index, SIZES))
        return {"question": made.instruction, "sql": made.query}
    goal = shop_task().samples("test")[index].target
    return {
        "question": goal["instruction"],
        "product": goal["id"],
        "attributes": list(goal["attributes"]),
        "options": dict(goal["options"]),
        "limit": goal["limit"],
    }


@cache
def shop_task() -> Webshop:
    return Webshop()
