# ruff: noqa: E501
"""Queries for the comparison with a real server: templates over a table, filled in by a seed.

In a template `c`, `d` and `e` are columns, `v` and `w` values of c and d, `n` a column that looks like
numbers, `x` a number of it, `i` a small number, `s` a piece of v, `l` a LIKE pattern made of it, `all` all
columns. Rows are compared as sets unless the template orders by all columns (`rank`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random

from tmbr.environments.database import Table, quoted

_NUMBER = re.compile(r"-?[\d,]*\.?\d+%?\Z")


def literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


class Draw(dict[str, str]):
    """The parts of one query, drawn when a template asks for them."""

    def __init__(self, rng: Random, table: Table) -> None:
        super().__init__()
        self.rng = rng
        self.table = table
        self.at = {name: rng.randrange(len(table.columns)) for name in "cde"}
        numeric = [i for i in range(len(table.columns)) if self._numeric(i)]
        self.at["n"] = rng.choice(numeric) if numeric else self.at["c"]
        self.at["m"] = rng.choice(numeric) if numeric else self.at["d"]

    def _numeric(self, at: int) -> bool:
        cells = [row[at] for row in self.table.rows]
        return sum(bool(_NUMBER.match(cell)) for cell in cells) * 2 > len(cells)

    def __missing__(self, key: str) -> str:
        made: Callable[[], str] | None = getattr(self, f"_{key}", None)
        value = quoted(self.table.columns[self.at[key]]) if made is None else made()
        self[key] = value
        return value

    def cell(self, name: str) -> str:
        return self.rng.choice(self.table.rows)[self.at[name]] if self.table.rows else ""

    def _t(self) -> str:
        return quoted(self.table.name)

    def _v(self) -> str:
        return literal(self.cell("c"))

    def _v2(self) -> str:
        return literal(self.cell("c"))

    def _w(self) -> str:
        return literal(self.cell("d"))

    def _x(self) -> str:
        found = re.search(r"\d+(?:\.\d+)?", self.cell("n"))
        return found[0][:9] if found else str(self.rng.randint(0, 50))

    def _i(self) -> str:
        return str(self.rng.randint(1, 6))

    def _j(self) -> str:
        return str(self.rng.randint(-4, 9))

    def _s(self) -> str:
        cell = self.cell("c")
        start = self.rng.randrange(max(1, len(cell)))
        return literal(cell[start : start + self.rng.randint(1, 4)])

    def _l(self) -> str:
        piece = self["s"][1:-1]
        return "'" + self.rng.choice(["%{}%", "{}%", "%{}", "_{}%", "{}"]).format(piece) + "'"

    def _r(self) -> str:
        cell = re.sub(r"[^A-Za-z0-9 ]", ".", self.cell("c"))[:3]
        return literal(
            self.rng.choice(["^{}", "{}$", "{}", "[0-9]+", "^[A-Za-z ]+$", "{}|x"]).format(cell)
        )

    def _all(self) -> str:
        return ", ".join(map(quoted, self.table.columns))

    def _rank(self) -> str:
        return ", ".join(
            f"{quoted(name)}{self.rng.choice(['', ' DESC', ' ASC'])}" for name in self.table.columns
        )

    def _values(self) -> str:
        return ", ".join(
            literal(self.rng.choice(self.table.rows)[i]) for i in range(len(self.table.columns))
        )

    def _op(self) -> str:
        return self.rng.choice(["=", "<", ">", "<=", ">=", "<>", "!="])


#: class of query -> template.
QUERIES: dict[str, str] = {
    "select all": "SELECT * FROM {t}",
    "columns": "SELECT {c}, {d} FROM {t}",
    "equality": "SELECT {d} FROM {t} WHERE {c} = {v}",
    "unequal": "SELECT {c} FROM {t} WHERE {c} <> {v}",
    "text order": "SELECT {c} FROM {t} WHERE {c} {op} {v}",
    "number compare": "SELECT {n} FROM {t} WHERE {n} {op} {x}",
    "lower case": "SELECT {c} FROM {t} WHERE {c} = LOWER({v})",
    "and": "SELECT * FROM {t} WHERE {c} = {v} AND {d} = {w}",
    "or": "SELECT * FROM {t} WHERE {c} = {v} OR {d} = {w}",
    "not": "SELECT {c} FROM {t} WHERE NOT ({c} = {v} OR {d} LIKE {l})",
    "in": "SELECT {c} FROM {t} WHERE {c} IN ({v}, {v2}, 'none of these')",
    "not in": "SELECT {c} FROM {t} WHERE {c} NOT IN ({v}, {v2})",
    "in numbers": "SELECT {n} FROM {t} WHERE {n} IN ({x}, {i}, {j})",
    "between": "SELECT {c} FROM {t} WHERE {c} BETWEEN {v} AND {v2}",
    "between numbers": "SELECT {n} FROM {t} WHERE {n} BETWEEN {j} AND {x}",
    "like": "SELECT {c} FROM {t} WHERE {c} LIKE {l}",
    "not like": "SELECT {c} FROM {t} WHERE {c} NOT LIKE {l}",
    "regexp": "SELECT {c} FROM {t} WHERE {c} REGEXP {r}",
    "is null": "SELECT {c} IS NULL, {d} IS NOT NULL, {c} <=> NULL FROM {t}",
    "count": "SELECT COUNT(*), COUNT({c}), COUNT(DISTINCT {c}) FROM {t}",
    "count where": "SELECT COUNT(*) FROM {t} WHERE {c} LIKE {l} AND {n} {op} {x}",
    "sum": "SELECT SUM({n}) FROM {t}",
    "avg": "SELECT AVG({n}), SUM({n}) / COUNT(*) FROM {t}",
    "min max": "SELECT MIN({c}), MAX({c}), MIN({n} + 0), MAX({n} * 1) FROM {t}",
    "sum cast": "SELECT SUM(CAST({n} AS SIGNED)), AVG(CAST({n} AS DECIMAL(12,2))) FROM {t}",
    "replace cast": "SELECT SUM(CAST(REPLACE({n}, ',', '') AS DECIMAL(20,2))) FROM {t}",
    "group": "SELECT {c}, COUNT(*) FROM {t} GROUP BY {c}",
    "group having": "SELECT {c}, COUNT(*) AS k FROM {t} GROUP BY {c} HAVING k > 1",
    "group order": "SELECT {c}, COUNT(*) k FROM {t} GROUP BY {c} ORDER BY k DESC, {c}",
    "group two": "SELECT {c}, {d}, MAX({n}) FROM {t} GROUP BY {c}, {d}",
    "group sum": "SELECT {c}, SUM({n}), AVG({m}) FROM {t} GROUP BY {c} ORDER BY 1",
    "group expression": "SELECT LEFT({c}, 1) AS f, COUNT(*) FROM {t} GROUP BY f",
    "full group by": "SELECT {c}, {d}, COUNT(*) FROM {t} GROUP BY LENGTH({e})",
    "mixed aggregate": "SELECT {c}, MAX({n}) FROM {t}",
    "where aggregate": "SELECT {c} FROM {t} WHERE COUNT(*) > 1",
    "distinct": "SELECT DISTINCT {c} FROM {t}",
    "distinct two": "SELECT DISTINCT {c}, {d} FROM {t}",
    "order": "SELECT {all} FROM {t} ORDER BY {rank}",
    "order limit": "SELECT {all} FROM {t} ORDER BY {rank} LIMIT {i}",
    "order offset": "SELECT {all} FROM {t} ORDER BY {rank} LIMIT {i}, {i}",
    "order cast": "SELECT {n} FROM {t} ORDER BY CAST({n} AS SIGNED) DESC, {rank} LIMIT {i}",
    "order plus": "SELECT {n}, {c} FROM {t} ORDER BY {n} + 0, {rank}",
    "concat": "SELECT CONCAT({c}, ' - ', {d}), CONCAT_WS('|', {c}, NULL, {d}) FROM {t}",
    "substring": "SELECT SUBSTRING({c}, {i}, {i}), LEFT({c}, {i}), RIGHT({d}, {i}), MID({c}, {j}) FROM {t}",
    "substring index": "SELECT SUBSTRING_INDEX({c}, ' ', 1), SUBSTRING_INDEX({c}, {s}, {j}) FROM {t}",
    "lengths": "SELECT LENGTH({c}), CHAR_LENGTH({c}), UPPER({c}), LOWER({d}), REVERSE({c}) FROM {t}",
    "trim": "SELECT TRIM({c}), LTRIM({d}), TRIM(LEADING {s} FROM {c}), TRIM(BOTH '1' FROM {c}) FROM {t}",
    "replace": "SELECT REPLACE({c}, {s}, '#'), INSERT({c}, {i}, {i}, 'zz') FROM {t}",
    "locate": "SELECT INSTR({c}, {s}), LOCATE({s}, {c}, {i}), POSITION({s} IN {c}) FROM {t}",
    "pad": "SELECT LPAD({c}, {i}, '*'), RPAD({n}, 12, '0'), REPEAT({c}, 2), SPACE({i}) FROM {t}",
    "field": "SELECT FIELD({c}, {v}, {v2}), FIND_IN_SET({v}, 'a,b'), ELT({i}, 'a', {c}, 'c') FROM {t}",
    "hashes": "SELECT MD5({c}), SHA1({d}), HEX({c}), ASCII({c}), ORD({d}) FROM {t}",
    "arithmetic": "SELECT {n} + {i}, {n} - {m}, {n} * 2, -{n} FROM {t}",
    "division": "SELECT {n} / {i}, {n} DIV {i}, {n} % {i}, {n} / 0 FROM {t}",
    "constants": "SELECT {x} / {i}, {i} / 7, {x} * 1.25, {x} DIV {i}, {x} % {i}, 2 / 3 * 3, {j} / 0",
    "round": "SELECT ROUND({n}), ROUND({n}, 1), ROUND({x} / 3, 2), TRUNCATE({n}, 1), CEIL({n}), FLOOR({n}) FROM {t}",
    "maths": "SELECT ABS({n}), SIGN({n}), SQRT(ABS({x})), POW({i}, 2), MOD({x}, {i}), GREATEST({x}, {i}), LEAST({x}, {j}) FROM {t}",
    "if": "SELECT IF({n} > {x}, 'more', {c}), IFNULL({c}, 'x'), NULLIF({c}, {v}), COALESCE(NULL, {d}) FROM {t}",
    "if numbers": "SELECT IF({n} > {x}, 1, 0.5), IF({c} = {v}, {i}, 'no'), IFNULL(NULL, {i}) FROM {t}",
    "case": "SELECT CASE WHEN {c} = {v} THEN 'a' WHEN {n} > {x} THEN {d} ELSE 0 END FROM {t}",
    "simple case": "SELECT CASE {c} WHEN {v} THEN 1 WHEN {v2} THEN 2 END FROM {t}",
    "sum case": "SELECT SUM(CASE WHEN {c} = {v} THEN 1 ELSE 0 END), SUM({c} = {v}), SUM(IF({d} LIKE {l}, 1, 0)) FROM {t}",
    "cast": "SELECT CAST({n} AS SIGNED), CAST({n} AS DECIMAL(10,3)), CAST({x} AS CHAR), CONVERT({n}, UNSIGNED) FROM {t}",
    "group concat": "SELECT GROUP_CONCAT({c} ORDER BY {rank} SEPARATOR ';') FROM {t} GROUP BY {d}",
    "group concat distinct": "SELECT GROUP_CONCAT(DISTINCT {c} ORDER BY {c} DESC) FROM {t} WHERE {n} > {j}",
    "scalar subquery": "SELECT {c} FROM {t} WHERE {n} = (SELECT MAX({n}) FROM {t})",
    "subquery many": "SELECT {c} FROM {t} WHERE {c} = (SELECT {c} FROM {t} WHERE {d} = {w})",
    "in subquery": "SELECT {c} FROM {t} WHERE {d} IN (SELECT {d} FROM {t} WHERE {c} = {v})",
    "exists": "SELECT {c} FROM {t} a WHERE EXISTS (SELECT 1 FROM {t} b WHERE b.{d} = a.{d} AND b.{c} <> a.{c})",
    "correlated": "SELECT {c}, (SELECT COUNT(*) FROM {t} b WHERE b.{c} = a.{c}) FROM {t} a",
    "derived": "SELECT k, COUNT(*) FROM (SELECT {c}, COUNT(*) AS k FROM {t} GROUP BY {c}) AS g GROUP BY k",
    "all": "SELECT {n} FROM {t} WHERE {n} + 0 >= ALL (SELECT {n} + 0 FROM {t})",
    "join": "SELECT a.{c}, b.{d} FROM {t} a JOIN {t} b ON a.{c} = b.{c} WHERE a.{d} < b.{d}",
    "left join": "SELECT a.{c}, b.{d} FROM {t} a LEFT JOIN {t} b ON a.{n} = b.{n} + 1",
    "union": "SELECT {c} FROM {t} UNION SELECT {d} FROM {t}",
    "union all": "SELECT {c}, 1 FROM {t} UNION ALL SELECT {d}, 'b' FROM {t}",
    "cte": "WITH q AS (SELECT {c}, COUNT(*) AS k FROM {t} GROUP BY {c}) SELECT MAX(k), MIN({c}) FROM q",
    "recursive": "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < {i}) SELECT n, n * {i} FROM r",
    "row number": "SELECT {c}, ROW_NUMBER() OVER (ORDER BY {rank}) FROM {t}",
    "rank": "SELECT {c}, RANK() OVER (ORDER BY {c}) AS a, DENSE_RANK() OVER (PARTITION BY {d} ORDER BY {c} DESC) AS b FROM {t}",
    "window sum": "SELECT {c}, COUNT(*) OVER (PARTITION BY {c}), MAX({d}) OVER (PARTITION BY {c}) FROM {t}",
    "unknown column": "SELECT nothing_here FROM {t} WHERE {c} = {v}",
    "unknown column where": "SELECT {c} FROM {t} WHERE nothing_here = {v}",
    "unknown table": "SELECT {c} FROM no_such_table",
    "unknown function": "SELECT NOFUNC({c}) FROM {t}",
    "syntax": "SELECT {c} FROM {t} WHERE",
    "syntax twice": "SELECT {c} FROM {t} WHERE {c} = = {v}",
    "parameter count": "SELECT SUBSTRING_INDEX({c}, 'a') FROM {t}",
    "ambiguous": "SELECT {c} FROM {t} a JOIN {t} b ON a.{d} = b.{d}",
    "union width": "SELECT {c}, {d} FROM {t} UNION SELECT {c} FROM {t}",
    "insert": "INSERT INTO {t} VALUES ({values})",
    "insert columns": "INSERT INTO {t} ({c}) VALUES ({v}), ({i})",
    "insert count": "INSERT INTO {t} ({c}) VALUES ({v}, {w}, 1, 2, 3)",
    "insert select": "INSERT INTO {t} SELECT * FROM {t} WHERE {c} = {v}",
    "update": "UPDATE {t} SET {d} = {w} WHERE {c} = {v}",
    "update number": "UPDATE {t} SET {c} = 'x' WHERE {n} {op} {x}",
    "update concat": "UPDATE {t} SET {c} = CONCAT({c}, '!'), {d} = UPPER({d}) WHERE {c} LIKE {l}",
    "update arithmetic": "UPDATE {t} SET {n} = {n} + {i} WHERE {c} = {v}",
    "update unknown": "UPDATE {t} SET nothing_here = 1",
    "delete": "DELETE FROM {t} WHERE {c} = {v} OR {d} = {w}",
    "delete number": "DELETE FROM {t} WHERE {n} {op} {x}",
    "delete order": "DELETE FROM {t} ORDER BY {rank} LIMIT {i}",
}  # fmt: skip


def queries(
    rng: Random, table: Table, templates: dict[str, str] = QUERIES
) -> Iterator[tuple[str, str]]:
    """(class, query) for one draw of each class."""
    for name, template in templates.items():
        yield name, template.format_map(Draw(rng, table))


def ordered(template: str) -> bool:
    """Whether the rows' order is asked for, and by all columns."""
    return re.search(r"FROM \{t\}.* ORDER BY .*\{rank\}", template) is not None
