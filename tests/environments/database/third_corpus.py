# ruff: noqa: E501
"""A third grammar, written after the rewrite was frozen for the second time: how agents go about a question.

Unlike the first two it composes: in a template `p` is a condition, `y` a text, `z` a number and `g` an
aggregate, each drawn afresh and made of others to a small depth; `a` and `b` are such a text and number that
stay the same within one query. The other parts are those of `corpus`.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from tests.environments.database.corpus import Draw
from tmbr.environments.database import Table

CONDITIONS = (
    "{c} = {v}", "{d} <> {w}", "{c} LIKE {l}", "{n} > {x}", "{n} + 0 >= {x}", "{c} IN ({v}, {v2})", "{d} IS NOT NULL",
    "{d} <> ''", "{n} BETWEEN {i} AND {x}", "CHAR_LENGTH({d}) > {i}", "{c} REGEXP {r}", "LEFT({c}, 1) = LEFT({v}, 1)",
    "CAST({n} AS SIGNED) % 2 = 0", "LOWER({c}) LIKE LOWER({l})", "{z} > {i}", "{y} = {v}", "{y} < {y}", "{z} = {z}",
)  # fmt: skip
JOINED = ("({p}) AND ({p})", "({p}) OR ({p})", "NOT ({p})", "({p}) XOR ({p})", "({p}) IS TRUE")
TEXTS = (
    "{c}", "{d}", "UPPER({c})", "TRIM({d})", "LEFT({c}, {i})", "REPLACE({c}, {s}, '')", "SUBSTRING_INDEX({c}, ' ', 1)",
    "CONCAT({c}, ' / ', {d})", "IFNULL({d}, 'none')", "RIGHT({c}, 4)", "LOWER(SUBSTRING({d}, 2))", "CONCAT({n}, '')",
)  # fmt: skip
MADE_TEXTS = (
    "CASE WHEN {p} THEN {y} ELSE {y} END", "IF({p}, {y}, 'other')", "COALESCE(NULLIF({y}, ''), {y})", "CONCAT({y}, {z})",
    "CONCAT_WS('-', {y}, {y})", "IF({p}, {z}, {y})", "SUBSTRING({y}, {i}, 3)", "REVERSE({y})", "GREATEST({y}, {y})",
)  # fmt: skip
NUMBERS = (
    "{n} + {i}", "CAST({n} AS DECIMAL(12,2))", "CHAR_LENGTH({c})", "{n} * 1.5", "ABS({n} - {x})", "{i} / 7", "{x}",
    "CAST(REPLACE({n}, ',', '') AS SIGNED)", "FLOOR({n} / 10) * 10", "LOCATE(' ', {d})", "CAST({m} AS UNSIGNED)",
)  # fmt: skip
MADE_NUMBERS = (
    "({z} + {z})", "({z} - {z})", "({z} * {i})", "({z} / {i})", "ROUND({z}, 2)", "IF({p}, {z}, 0)", "MOD({z}, 5)",
    "-({z})", "CASE WHEN {p} THEN {z} END", "COALESCE({z}, {i})", "ROUND({z})", "{z} DIV 3", "NULLIF({z}, {i})",
    "TRUNCATE({z}, 1)", "ABS({z})", "CEIL({z})",
)  # fmt: skip
AGGREGATES = (
    "COUNT(*)", "COUNT({y})", "COUNT(DISTINCT {y})", "SUM({z})", "AVG({z})", "MAX({z})", "MIN({z})", "MIN({y})",
    "MAX({y})", "SUM({p})", "COUNT(CASE WHEN {p} THEN 1 END)", "ROUND(AVG({z}), 2)", "MAX({z}) - MIN({z})",
    "SUM(IF({p}, {z}, 0))", "SUM({z}) / COUNT(*)", "COUNT(*) * 100 / 7", "IFNULL(SUM({z}), 0)", "SUM({z}) > {i}",
)  # fmt: skip


class Composed(Draw):
    """Draws that may hold others, two deep."""

    depth = 0
    fresh: ClassVar = {
        "p": (CONDITIONS, JOINED),
        "y": (TEXTS, MADE_TEXTS),
        "z": (NUMBERS, MADE_NUMBERS),
        "g": (AGGREGATES, ()),
    }

    def __getitem__(self, key: str) -> str:
        if key not in self.fresh:
            return super().__getitem__(key)
        plain, made = self.fresh[key]
        self.depth += 1
        template = self.rng.choice(
            made if made and self.depth < 3 and self.rng.random() < 0.4 else plain
        )
        if self.depth > 3:  # nothing that draws again
            template = {"p": "{c} = {v}", "y": "{c}", "z": "{n} + {i}", "g": "COUNT(*)"}[key]
        shown = template.format_map(self)
        self.depth -= 1
        return shown

    def _a(self) -> str:
        return self["y"]

    def _b(self) -> str:
        return self["z"]

    def _word(self) -> str:
        words = self.cell("c").split()
        return self.rng.choice(words).replace("'", "''").replace("\\", "") if words else "x"


#: class of query -> template.
QUERIES: dict[str, str] = {
    # a first look
    "peek": "SELECT * FROM {t} LIMIT 5;",
    "how many": "SELECT COUNT(*) AS total_rows FROM {t};",
    "values of a column": "SELECT DISTINCT {c} FROM {t} ORDER BY {c}",
    "columns": "SHOW COLUMNS FROM {t}",
    "describe": "DESCRIBE {t};",
    "names from the schema": "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY ordinal_position",
    "lower case keywords": "select {c}, {d} from {t} where {p} order by {rank} limit 3",
    "several lines": "SELECT\n    {c},\n    {n} AS amount -- as it is\nFROM {t}\nWHERE {p}\nORDER BY {rank};",
    # one fact
    "fact": "SELECT {e} FROM {t} WHERE {c} = {v} AND {d} = {w}",
    "fact in double quotes": 'SELECT {d} FROM {t} WHERE {c} LIKE "%{word}%"',
    "fact by any case": "SELECT {d} FROM {t} WHERE LOWER(TRIM({c})) = LOWER(TRIM({v}))",
    "fact by a word": "SELECT {c}, {d} FROM {t} WHERE {c} LIKE '%{word}%' OR {d} LIKE '%{word}%'",
    "condition": "SELECT {c} FROM {t} WHERE {p}",
    "three conditions": "SELECT {c}, {d} FROM {t} WHERE {p} AND {p} AND NOT ({p})",
    "either": "SELECT COUNT(*) FROM {t} WHERE ({p} OR {p}) AND {p}",
    "text of it": "SELECT {y}, {y} FROM {t}",
    "number of it": "SELECT {z}, {z}, {z} FROM {t}",
    "truth of it": "SELECT {p}, {p} FROM {t}",
    "text from a part": "SELECT {y} AS label, {z} AS amount FROM {t} WHERE {p} ORDER BY {rank} LIMIT 10",
    # largest, smallest, place
    "largest": "SELECT {c} FROM {t} ORDER BY CAST(REPLACE(REPLACE({n}, ',', ''), '$', '') AS DECIMAL(20,4)) DESC, {rank} LIMIT 1",
    "smallest above": "SELECT {c}, {n} FROM {t} WHERE {p} ORDER BY {n} + 0 ASC, {rank} LIMIT 1",
    "second": "SELECT {c} FROM {t} ORDER BY {n} + 0 DESC, {rank} LIMIT 1 OFFSET 1",
    "largest by subquery": "SELECT {c}, {n} FROM {t} WHERE CAST({n} AS SIGNED) = (SELECT MAX(CAST({n} AS SIGNED)) FROM {t})",
    "smallest of a part": "SELECT {c} FROM {t} WHERE {p} AND {n} + 0 = (SELECT MIN({n} + 0) FROM {t} WHERE {p})",
    "below the mean": "SELECT COUNT(*) FROM {t} WHERE {b} < (SELECT AVG({b}) FROM {t})",
    "second by subquery": "SELECT MAX({n} + 0) FROM {t} WHERE {n} + 0 < (SELECT MAX({n} + 0) FROM {t})",
    "order by what is made": "SELECT {c} FROM {t} ORDER BY {z} DESC, {y}, {rank}",
    "order by alias": "SELECT {c}, {z} AS score FROM {t} ORDER BY score DESC, {rank} LIMIT 4",
    "place by counting": "SELECT a.{c}, (SELECT COUNT(*) + 1 FROM {t} b WHERE b.{n} + 0 > a.{n} + 0) AS place FROM {t} a",
    # counts, sums, shares
    "aggregate": "SELECT {g}, {g}, {g} FROM {t}",
    "aggregate of a part": "SELECT {g} AS result FROM {t} WHERE {p}",
    "aggregate of nothing": "SELECT {g}, {g} FROM {t} WHERE {c} = 'no such value here'",
    "share": "SELECT ROUND(100.0 * SUM(CASE WHEN {p} THEN 1 ELSE 0 END) / COUNT(*), 2) AS percent FROM {t}",
    "share by subquery": "SELECT (SELECT COUNT(*) FROM {t} WHERE {p}) / COUNT(*) FROM {t}",
    "difference": "SELECT (SELECT MAX({n} + 0) FROM {t} WHERE {p}) - (SELECT MIN({n} + 0) FROM {t}) AS difference",
    "sum of a cleaned column": "SELECT SUM(CAST(REPLACE({n}, ',', '') AS DECIMAL(15,2))) AS total, AVG(NULLIF({n}, '')) FROM {t}",
    "count distinct where": "SELECT COUNT(DISTINCT {c}) AS kinds FROM {t} WHERE {d} IS NOT NULL AND {p}",
    "arithmetic of aggregates": "SELECT SUM({z}) - SUM({z}), AVG({z}) * COUNT(*), -MAX({z}), COUNT(*) DIV 2, COUNT(*) / 3 FROM {t}",
    "text of aggregates": "SELECT CONCAT(COUNT(*), ' of ', MAX({c})), CONCAT(ROUND(AVG({z}), 1), '%') FROM {t}",
    "spread": "SELECT COUNT(*), MIN({z}), MAX({z}), ROUND(STDDEV({n}), 3), ROUND(VARIANCE({n}), 2) FROM {t}",
    # groups
    "per value": "SELECT {c}, {g}, {g} FROM {t} GROUP BY {c}",
    "per value of a part": "SELECT {c}, {g} AS k FROM {t} WHERE {p} GROUP BY {c} HAVING COUNT(*) > 1",
    "per made text": "SELECT {a} AS part, {g} FROM {t} GROUP BY part",
    "per made number": "SELECT {b} AS size, COUNT(*) FROM {t} GROUP BY {b}",
    "most common": "SELECT {c}, COUNT(*) AS cnt FROM {t} GROUP BY {c} ORDER BY cnt DESC, {c} LIMIT 1",
    "most by sum": "SELECT {c}, SUM({n}) AS total FROM {t} GROUP BY {c} ORDER BY total DESC, MIN({d}), {c} LIMIT 3",
    "having what is made": "SELECT {c} FROM {t} GROUP BY {c} HAVING {g} >= {i} AND {g} IS NOT NULL",
    "by two": "SELECT {c}, {d}, {g} FROM {t} WHERE {p} GROUP BY {c}, {d}",
    "count of groups": "SELECT COUNT(*) FROM (SELECT {c} FROM {t} GROUP BY {c} HAVING COUNT(*) >= 2) AS repeated",
    "mean of counts": "SELECT AVG(cnt), MAX(cnt) - MIN(cnt) FROM (SELECT {d}, COUNT(*) AS cnt FROM {t} GROUP BY {d}) AS counts",
    "largest group": "SELECT {c} FROM {t} GROUP BY {c} HAVING COUNT(*) = (SELECT MAX(k) FROM (SELECT COUNT(*) AS k FROM {t} GROUP BY {c}) q)",
    "bands": "SELECT CASE WHEN {n} + 0 < {i} THEN 'low' WHEN {n} + 0 < {x} THEN 'mid' ELSE 'high' END AS band, {g} FROM {t} GROUP BY band",
    "list of a group": "SELECT {d}, GROUP_CONCAT({c} ORDER BY {rank} SEPARATOR ', ') AS names FROM {t} GROUP BY {d} HAVING COUNT(*) < 9",
    "sub-totals": "SELECT {c}, COUNT(*), SUM({n}) FROM {t} GROUP BY {c} WITH ROLLUP",
    "totals below": "SELECT {c} AS k, COUNT(*) FROM {t} GROUP BY {c} UNION ALL SELECT 'Total', COUNT(*) FROM {t}",
    # several looks at the table
    "same value elsewhere": "SELECT DISTINCT a.{c}, a.{e} FROM {t} a JOIN {t} b ON a.{c} = b.{c} AND a.{e} <> b.{e}",
    "none like it": "SELECT a.{c} FROM {t} a WHERE NOT EXISTS (SELECT 1 FROM {t} b WHERE b.{d} = a.{c})",
    "with the mean": "SELECT t.{c}, t.{n}, s.mean FROM {t} AS t CROSS JOIN (SELECT AVG({n}) AS mean FROM {t}) AS s WHERE t.{n} > s.mean",
    "join the counts": "SELECT a.{c}, a.{d}, k.cnt FROM {t} a LEFT JOIN (SELECT {d}, COUNT(*) cnt FROM {t} WHERE {p} GROUP BY {d}) k ON k.{d} = a.{d}",
    "values of those": "SELECT {d} FROM {t} WHERE {c} IN (SELECT {c} FROM {t} GROUP BY {c} HAVING COUNT(*) > 1)",
    "not among those": "SELECT COUNT(*) FROM {t} WHERE {c} NOT IN (SELECT {c} FROM {t} WHERE {p})",
    "step by step": "WITH cleaned AS (SELECT {c} AS name, {z} AS amount FROM {t} WHERE {p}) SELECT name, amount FROM cleaned WHERE amount > (SELECT AVG(amount) FROM cleaned)",
    "two steps": "WITH x AS (SELECT {c}, {g} AS g FROM {t} GROUP BY {c}), y AS (SELECT MAX(g) AS m FROM x) SELECT x.{c} FROM x JOIN y ON x.g = y.m",
    "ranked": "SELECT * FROM (SELECT {c}, {d}, RANK() OVER (ORDER BY {n} + 0 DESC) AS rk FROM {t}) AS ranked WHERE rk <= 3",
    "first of each": "SELECT {c}, {e} FROM (SELECT {t}.*, ROW_NUMBER() OVER (PARTITION BY {c} ORDER BY {rank}) AS pos FROM {t}) AS numbered WHERE pos = 1",
    "share of all": "SELECT {c}, COUNT(*) AS k, ROUND(100 * COUNT(*) / SUM(COUNT(*)) OVER (), 1) AS pct FROM {t} GROUP BY {c}",
    "from the row before": "SELECT {c}, {n} - LAG({n}) OVER (ORDER BY {rank}) AS step FROM {t}",
    "running sum": "SELECT {c}, SUM({n} + 0) OVER (ORDER BY {rank}) AS running FROM {t}",
    "against the group": "SELECT {c}, {z} - AVG({n}) OVER (PARTITION BY {d}) FROM {t}",
    "both": "SELECT {c} FROM {t} WHERE {p} INTERSECT SELECT {c} FROM {t} WHERE {p}",
    "one and not the other": "SELECT {y} FROM {t} EXCEPT SELECT {y} FROM {t}",
    "one list": "SELECT {y} AS what FROM {t} WHERE {p} UNION SELECT {z} FROM {t} WHERE {p}",
    # words and dates in text
    "year at the end": "SELECT RIGHT({c}, 4) AS y, COUNT(*) FROM {t} WHERE {c} REGEXP '[0-9]{{4}}$' GROUP BY y",
    "digits": "SELECT {c}, CAST(REGEXP_REPLACE({c}, '[^0-9]', '') AS UNSIGNED) AS digits FROM {t}",
    "first word": "SELECT SUBSTRING_INDEX({c}, ' ', 1) AS w, COUNT(*) FROM {t} GROUP BY w HAVING COUNT(*) > 1",
    "around a dash": "SELECT SUBSTRING_INDEX({c}, '-', 1) - SUBSTRING_INDEX({c}, '-', -1) FROM {t} WHERE {c} LIKE '%-%'",
    "dates in words": "SELECT {c} FROM {t} WHERE STR_TO_DATE({c}, '%M %d, %Y') >= '1990-01-01' ORDER BY STR_TO_DATE({c}, '%M %d, %Y'), {rank}",
    "month of a date": "SELECT MONTHNAME(STR_TO_DATE({c}, '%d %M %Y')) AS month, COUNT(*) FROM {t} GROUP BY month",
    "words counted": "SELECT MAX(LENGTH({c}) - LENGTH(REPLACE({c}, ' ', '')) + 1) AS most_words FROM {t}",
    "padded": "SELECT LPAD({i}, 3, '0'), RPAD({y}, 6, '*'), CHAR_LENGTH({y}), LENGTH({y}) FROM {t}",
    # what goes wrong
    "names without backticks": "SELECT Total Points FROM {t} WHERE Team Name = {v}",
    "names in quotes": "SELECT '{word}' FROM {t} WHERE '{word}' = {v}",
    "wrong column": "SELECT {c} FROM {t} WHERE winner_name = {v}",
    "wrong column in order": "SELECT {c} FROM {t} ORDER BY total_score DESC",
    "wrong column in group": "SELECT COUNT(*) FROM {t} GROUP BY category_name",
    "wrong table": "SELECT {c} FROM results WHERE {p}",
    "alias too early": "SELECT {c}, {z} AS amount FROM {t} WHERE amount > {i}",
    "not grouped": "SELECT {c}, {d}, COUNT(*) FROM {t} GROUP BY {c}",
    "mixed with an aggregate": "SELECT {c}, {g} FROM {t}",
    "aggregate in where": "SELECT {c} FROM {t} WHERE {n} = MAX({n})",
    "limit in a list": "SELECT {c} FROM {t} WHERE {c} IN (SELECT {c} FROM {t} ORDER BY {d} LIMIT 3)",
    "many in one": "SELECT {c}, (SELECT {d} FROM {t}) FROM {t}",
    "parenthesis left open": "SELECT ROUND(AVG({n}, 2) FROM {t}",
    "quote left open": "SELECT {c} FROM {t} WHERE {c} = 'abc",
    "two statements": "SELECT {c} FROM {t}; SELECT {d} FROM {t};",
    "no table": "SELECT {c}",
    "other dialect's cast": "SELECT {c}::int FROM {t}",
    "other dialect's integer": "SELECT SUM(CAST({n} AS INTEGER)) FROM {t}",
    "other dialect's top": "SELECT TOP 3 {c} FROM {t} ORDER BY {n} DESC",
    "other dialect's like": "SELECT {c} FROM {t} WHERE {c} ILIKE {l}",
    "other dialect's function": "SELECT STRFTIME('%Y', {c}), COUNT(*) FROM {t} GROUP BY 1",
    "having before group": "SELECT {c} FROM {t} HAVING COUNT(*) > 1 GROUP BY {c}",
    # writes
    "new row": "INSERT INTO {t} ({all}) VALUES ({values})",
    "new row of what is there": "INSERT INTO {t} ({c}, {d2}) SELECT {y}, {z} FROM {t} WHERE {p}",
    "new row made": "INSERT INTO {t} ({c}) VALUES ({i} + 1), (CONCAT({v}, ' II')), (NULL), ({x} * 2), ('it''s'), (1 / {i})",
    "row with too few": "INSERT INTO {t} VALUES ({v})",
    "correct a cell": "UPDATE {t} SET {c} = {v} WHERE {d} = {w} AND {c} = {v2}",
    "correct several": "UPDATE {t} SET {c} = {v}, {d} = {w} WHERE {e} LIKE '%{word}%'",
    "add to a number": "UPDATE {t} SET {n} = {n} + {i} WHERE {n} REGEXP '^[0-9]+$' AND {c} = {v}",
    "set what is made": "UPDATE {t} SET {e} = CONCAT({d}, ' (', {c}, ')') WHERE CHAR_LENGTH({c}) > {i}",
    "set from the table": "UPDATE {t} SET {d} = (SELECT m FROM (SELECT MAX({d}) AS m FROM {t}) AS q) WHERE {c} = {v}",
    "set by a case": "UPDATE {t} SET {e} = CASE {c} WHEN {v} THEN 'first' WHEN {v2} THEN 'second' ELSE {e} END",
    "remove": "DELETE FROM {t} WHERE {c} = {v} AND {d} = {w}",
    "remove some": "DELETE FROM {t} WHERE {c} IN ({v}, {v2}) OR {d} LIKE '{word}%'",
    "remove short ones": "DELETE FROM {t} WHERE CHAR_LENGTH({c}) < {i} OR {c} IS NULL OR {c} = ''",
    "remove the last": "DELETE FROM {t} ORDER BY {rank} LIMIT 1",
    "remove by wrong name": "DELETE FROM {t} WHERE player_id = 3",
}  # fmt: skip


def queries(rng: Random, table: Table) -> Iterator[tuple[str, str]]:
    """(class, query) for one draw of each class."""
    for name, template in QUERIES.items():
        draw = Composed(rng, table)
        others = [i for i in range(len(table.columns)) if i != draw.at["c"]]
        draw.at["d2"] = rng.choice(others) if others else draw.at["c"]
        yield name, template.format_map(draw)
