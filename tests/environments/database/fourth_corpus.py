# ruff: noqa: E501
"""A fourth grammar, written after what the third had found was mended and the rewrite frozen again.

It follows DBBench's kinds of question (counting, comparing, ranking, aggregates, looking up, writing) and
gives each in several wordings that agents use. Conditions, texts, numbers and aggregates are drawn as in
`third_corpus`, from other pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from tests.environments.database.third_corpus import Composed
from tmbr.environments.database import Table

CONDITIONS = (
    "{c} = {v}", "{c} != {v}", "{c} LIKE '%{word}%'", "{c} LIKE '{word}%'", "{n} >= {x}", "{n} < {x}", "{c} IS NULL",
    "{c} = ''", "CAST({n} AS SIGNED) > {i}", "CAST({n} AS UNSIGNED) BETWEEN {i} AND {x}", "REPLACE({n}, ',', '') > {x}",
    "{d} IN ({w}, 'unknown')", "UPPER({c}) = UPPER({v})", "{c} NOT LIKE {l}", "SUBSTRING({d}, 1, 2) = SUBSTRING({w}, 1, 2)",
    "{c} >= {v}", "{d} REGEXP '^[A-M]'", "LENGTH({c}) < 10", "{n} % 2 = 1", "{z} <= {x}", "{y} LIKE '%a%'", "{y} <> {w}",
    "YEAR(STR_TO_DATE({c}, '%M %e, %Y')) = 2005", "{n} NOT BETWEEN {i} AND {x}", "{n} = {x}", "{c} <=> {v}",
)  # fmt: skip
JOINED = (
    "{p} AND {p}",
    "({p} OR {p})",
    "NOT {p}",
    "({p} AND {p} OR {p})",
    "({p}) = 1",
    "NOT ({p} AND {p})",
)
TEXTS = (
    "{c}", "{d}", "LOWER({c})", "CONCAT({c}, ', ', {d})", "TRIM(TRAILING '.' FROM {c})", "SUBSTR({c}, {i})", "{n}",
    "SUBSTRING({c}, LOCATE(' ', {c}) + 1)", "REPLACE({d}, ' ', '_')", "MID({c}, 2, {i})", "INSERT({c}, 1, 1, '*')",
    "LEFT({d}, LOCATE(' ', CONCAT({d}, ' ')) - 1)", "CONCAT(UPPER(LEFT({c}, 1)), LOWER(SUBSTRING({c}, 2)))",
    "CAST({n} AS CHAR)", "CONCAT({n}, ' points')", "FORMAT({n}, 1)", "COALESCE({d}, 'n/a')", "LTRIM({c})", "CHAR(65)",
    "SUBSTRING_INDEX(SUBSTRING_INDEX({c}, ' ', 2), ' ', -1)", "RPAD({c}, 10, ' ')", "CONCAT_WS(' ', {c}, NULL, {d})",
)  # fmt: skip
MADE_TEXTS = (
    "IF({p}, {y}, {y})", "CONCAT({y}, ' (', {z}, ')')", "IFNULL(NULLIF({y}, {v}), '-')", "LEFT({y}, 5)", "UPPER({y})",
    "CASE WHEN {p} THEN 'yes' WHEN {p} THEN 'no' ELSE {y} END", "REPLACE({y}, 'e', 'E')", "TRIM({y})", "CAST({z} AS CHAR)",
    "LEAST({y}, {y})", "CASE {c} WHEN {v} THEN {y} ELSE {z} END", "REPEAT({y}, 2)", "COALESCE({y}, {z})",
)  # fmt: skip
NUMBERS = (
    "{n} + 0", "CAST({n} AS SIGNED)", "CAST({n} AS DECIMAL(10,1))", "{n} - {m}", "{n} / 2", "LENGTH({d})", "ROUND({n})",
    "REPLACE({n}, ',', '') * 1", "CAST(SUBSTRING_INDEX({c}, '-', 1) AS SIGNED)", "({n} + {m}) / 2", "{n} * {i}",
    "CEILING({n} / 3)", "SIGN({n} - {x})", "INSTR({c}, 'a')", "FLOOR({n})", "SQRT(ABS({n}))", "POWER({i}, 2)", "{i}",
    "CHAR_LENGTH({c})", "CAST({n} AS UNSIGNED)", "{n} / {x}", "TRUNCATE({n}, 0)", "YEAR({c})", "{n} DIV {i}", "ASCII({c})",
    "CAST(REPLACE({n}, '%', '') AS DECIMAL(6,2))", "DATEDIFF('2012-05-06', {c})", "{n} * 0.01", "1.5", "FIELD({c}, {v}, {w})",
)  # fmt: skip
MADE_NUMBERS = (
    "{z} + {z}", "({z}) * ({z})", "({z}) - {i}", "IF({p}, {z}, {z})", "IFNULL({z}, 0)", "ROUND(({z}) / {i}, 1)",
    "CASE WHEN {p} THEN {z} ELSE 0 END", "GREATEST({z}, {i})", "LEAST({z}, {z})", "({z}) % 10", "FLOOR({z})",
    "ROUND({z}, 2)", "ABS({z})", "CAST({z} AS SIGNED)", "COALESCE({z}, {z}, 0)", "ROUND(({z}) * 100, 0)", "({p})",
)  # fmt: skip
AGGREGATES = (
    "COUNT(*)", "COUNT({c})", "COUNT(DISTINCT {d})", "SUM({n})", "AVG({n})", "MAX({n})", "MIN({n})", "MAX({c})", "SUM({z})",
    "AVG({z})", "MIN({z})", "MAX({z})", "MIN({y})", "MAX({y})", "SUM(CASE WHEN {p} THEN {z} ELSE 0 END)", "COUNT({y})",
    "COUNT(IF({p}, 1, NULL))", "ROUND(SUM({z}), 1)", "ROUND(AVG({z}), 3)", "COALESCE(MAX({z}), 0)", "SUM(DISTINCT {z})",
    "FLOOR(AVG({z}))", "CAST(AVG({z}) AS SIGNED)", "AVG({p})", "COUNT(DISTINCT {y})", "FORMAT(SUM({z}), 0)", "BIT_OR({p})",
    "MAX({z}) / MIN({z})", "IF(COUNT(*) > {i}, 'many', 'few')", "CONCAT(COUNT(*), '/', COUNT({y}))", "AVG({n}) - MIN({n})",
    "SUM({n}) / SUM({m})", "MAX(LENGTH({c}))", "SUM({n} + 0) * 2", "CASE WHEN SUM({p}) > 1 THEN 'a' ELSE 'b' END",
)  # fmt: skip


class Asked(Composed):
    """Draws from this grammar's own pieces."""

    fresh: ClassVar = {
        "p": (CONDITIONS, JOINED),
        "y": (TEXTS, MADE_TEXTS),
        "z": (NUMBERS, MADE_NUMBERS),
        "g": (AGGREGATES, ()),
    }


#: class of query -> template.
QUERIES: dict[str, str] = {
    # counting
    "count": "SELECT COUNT(*) FROM {t} WHERE {p} AND {p};",
    "count of a column": "SELECT COUNT({c}) AS `number of rows` FROM {t} WHERE {d} = {w}",
    "count by sum": "SELECT SUM({p}) FROM {t}",
    "count by sum of case": "SELECT SUM(CASE WHEN {c} LIKE '%{word}%' THEN 1 ELSE 0 END) AS hits FROM {t}",
    "count of distinct": "SELECT COUNT(DISTINCT LOWER(TRIM({c}))) FROM {t} WHERE {p}",
    "count from a query": "SELECT COUNT(*) FROM (SELECT DISTINCT {c}, {d} FROM {t} WHERE {p}) AS pairs",
    "count both": "SELECT (SELECT COUNT(*) FROM {t} WHERE {p}) AS first, (SELECT COUNT(*) FROM {t} WHERE {p}) AS second",
    "count per value": "SELECT {d}, COUNT(*) AS `count` FROM {t} GROUP BY {d} ORDER BY COUNT(*) DESC, {d}",
    "count over some": "SELECT {c}, COUNT(*) AS n FROM {t} GROUP BY {c} HAVING n >= 2 AND {c} <> '' ORDER BY n, {c}",
    "count first letters": "SELECT UPPER(LEFT({c}, 1)) AS letter, COUNT(*) FROM {t} GROUP BY UPPER(LEFT({c}, 1)) ORDER BY letter",
    "count decades": "SELECT FLOOR({n} / 10) * 10 AS decade, COUNT(*) AS c, AVG({n}) FROM {t} GROUP BY decade ORDER BY decade",
    # comparing
    "compare two": "SELECT {c}, {n} FROM {t} WHERE {c} IN ({v}, {v2}) ORDER BY CAST({n} AS DECIMAL(18,4)) DESC, {rank} LIMIT 1",
    "compare by if": "SELECT IF((SELECT SUM({n}) FROM {t} WHERE {c} = {v}) > (SELECT SUM({n}) FROM {t} WHERE {c} = {v2}), {v}, {v2}) AS winner",
    "compare sums": "SELECT {c}, SUM({z}) AS total FROM {t} WHERE {c} = {v} OR {c} = {v2} GROUP BY {c}",
    "compare columns": "SELECT {c} FROM {t} WHERE {n} > {m}",
    "compare columns as numbers": "SELECT {c}, CAST({n} AS SIGNED) - CAST({m} AS SIGNED) AS diff FROM {t} WHERE CAST({n} AS SIGNED) >= CAST({m} AS SIGNED)",
    "compare to one": "SELECT {c} FROM {t} WHERE {n} + 0 > (SELECT {n} + 0 FROM {t} WHERE {c} = {v} ORDER BY {rank} LIMIT 1)",
    "compare to all": "SELECT {c} FROM {t} WHERE {z} >= ALL (SELECT {n} + 0 FROM {t} WHERE {p})",
    "difference of two": "SELECT ABS(MAX(CASE WHEN {c} = {v} THEN {n} + 0 END) - MAX(CASE WHEN {c} = {v2} THEN {n} + 0 END)) AS gap FROM {t}",
    "difference of rows": "SELECT a.{c}, b.{c}, a.{n} - b.{n} AS gap FROM {t} a, {t} b WHERE a.{c} = {v} AND b.{c} = {v2}",
    "true or false": "SELECT EXISTS (SELECT * FROM {t} WHERE {p} AND {c} = {v}) AS found",
    "yes or no": "SELECT CASE WHEN COUNT(*) > 0 THEN 'yes' ELSE 'no' END AS answer FROM {t} WHERE {p}",
    # ranking
    "top one": "SELECT {c} FROM {t} WHERE {n} REGEXP '^[0-9]+$' ORDER BY CAST({n} AS UNSIGNED) DESC, {rank} LIMIT 1;",
    "top as text": "SELECT {c}, {n} FROM {t} ORDER BY {n} DESC, {rank} LIMIT 1",
    "top by length": "SELECT {c} FROM {t} ORDER BY LENGTH({n}) DESC, {n} DESC, {rank} LIMIT 2",
    "third place": "SELECT DISTINCT {n} + 0 AS score FROM {t} ORDER BY score DESC LIMIT 2, 1",
    "last three": "SELECT {c}, {d} FROM {t} ORDER BY ABS({n}) ASC, {rank} LIMIT 3",
    "top of condition": "SELECT {y} AS best FROM {t} WHERE {p} ORDER BY {z} DESC, {rank} LIMIT 1",
    "rank of one": "SELECT COUNT(*) + 1 AS place FROM {t} WHERE {n} + 0 > (SELECT MAX({n} + 0) FROM {t} WHERE {c} = {v})",
    "dense ranks": "SELECT {c}, DENSE_RANK() OVER (ORDER BY CAST({n} AS DECIMAL(12,3)) DESC) AS place FROM {t} ORDER BY place, {rank}",
    "top per group": "SELECT s.{c}, s.{d} FROM {t} s WHERE s.{n} + 0 = (SELECT MAX(i.{n} + 0) FROM {t} i WHERE i.{d} = s.{d})",
    "top per group by join": "SELECT a.{c}, a.{n} FROM {t} a JOIN (SELECT {d}, MAX({n} + 0) AS best FROM {t} GROUP BY {d}) m ON m.{d} = a.{d} AND m.best = a.{n}",
    "top group": "SELECT {d} FROM {t} GROUP BY {d} ORDER BY SUM({n}) DESC, {d} ASC LIMIT 1",
    "rows above the mean": "SELECT {c} FROM {t} WHERE {n} > (SELECT AVG({n}) FROM {t}) ORDER BY {n} + 0, {rank}",
    "row numbers": "SELECT @place := @place + 1 AS place, q.{c} FROM (SELECT * FROM {t} ORDER BY {rank}) q, (SELECT @place := 0) s",
    "window of a group": "SELECT {c}, {d}, COUNT(*) OVER (PARTITION BY {d}) AS together, MAX({z}) OVER (PARTITION BY {d}) AS top FROM {t}",
    "next and before": "SELECT {c}, LEAD({c}) OVER w AS after_it, FIRST_VALUE({c}) OVER w AS start FROM {t} WINDOW w AS (ORDER BY {rank})",
    "moving mean": "SELECT ROUND(AVG({n}) OVER (ORDER BY {rank} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING), 2) AS smooth FROM {t}",
    # aggregates
    "max": "SELECT MAX(CAST(REPLACE({n}, ',', '') AS SIGNED)) AS max_value FROM {t} WHERE {p};",
    "min of those given": "SELECT MIN(CAST({n} AS DECIMAL(10,2))) FROM {t} WHERE {n} != '' AND {n} IS NOT NULL AND {n} REGEXP '^-?[0-9.]+$'",
    "sum": "SELECT SUM({n}) AS `Total {word}` FROM {t} WHERE {p}",
    "sum of both": "SELECT SUM({n} + {m}), SUM({n}) + SUM({m}), SUM({n} * {m}) FROM {t} WHERE {p}",
    "mean": "SELECT ROUND(AVG(CAST({n} AS DECIMAL(12,2))), 2) AS mean FROM {t} WHERE {p}",
    "mean by hand": "SELECT SUM({n}) / COUNT({n}), SUM({z}) / COUNT(*) FROM {t}",
    "mean of distinct": "SELECT AVG(x) FROM (SELECT DISTINCT {n} + 0 AS x FROM {t}) AS d",
    "range": "SELECT MAX({n} + 0) - MIN({n} + 0) AS spread, CONCAT(MIN({n} + 0), ' to ', MAX({n} + 0)) FROM {t}",
    "percentage": "SELECT CONCAT(ROUND(COUNT(CASE WHEN {p} THEN 1 END) * 100.0 / COUNT(*), 2), '%') AS pct FROM {t}",
    "share per value": "SELECT {d}, ROUND(COUNT(*) / (SELECT COUNT(*) FROM {t}) * 100, 1) AS pct FROM {t} GROUP BY {d}",
    "several": "SELECT {g} AS a, {g} AS b, {g} AS c FROM {t} WHERE {p}",
    "several per value": "SELECT {c}, {g}, {g} FROM {t} GROUP BY {c}",
    "several per two": "SELECT {c}, {d}, {g} FROM {t} GROUP BY {c}, {d} HAVING {g} IS NOT NULL",
    "ordered by what is counted": "SELECT {c}, {g} AS k FROM {t} WHERE {p} GROUP BY {c} ORDER BY MIN({n} + 0), {c}",
    "median": "SELECT AVG(x) FROM (SELECT {n} + 0 AS x, ROW_NUMBER() OVER (ORDER BY {n} + 0) AS r, COUNT(*) OVER () AS k FROM {t}) q WHERE r IN (FLOOR((k + 1) / 2), CEIL((k + 1) / 2))",
    "names in one": "SELECT GROUP_CONCAT(DISTINCT {c} ORDER BY {c} ASC SEPARATOR '; ') FROM {t} WHERE {p}",
    "join of sums": "SELECT a.{c}, b.total FROM {t} a INNER JOIN (SELECT {c}, SUM({n}) AS total FROM {t} GROUP BY {c}) b USING ({c}) WHERE b.total > {x}",
    # looking up
    "look up": "SELECT `{t1}`.{d} FROM {t} WHERE {c} = {v};",
    "look up several": "SELECT {y} AS A, {z} AS B, {y} AS C FROM {t} WHERE {p} ORDER BY {rank}",
    "look up a pattern": "SELECT {c}, {d} FROM {t} WHERE {c} LIKE '_%{word}' OR {c} LIKE '{word}%_'",
    "look up an or": "SELECT {e} FROM {t} WHERE {c} = {v} OR ({d} = {w} AND {n} < {x})",
    "look up no value": "SELECT {c} FROM {t} WHERE {d} IS NULL OR {d} = '' OR {d} = 'None' OR {d} = '-'",
    "look up a row": "SELECT * FROM {t} WHERE ({c}, {d}) = ({v}, {w})",
    "look up a range": "SELECT {c} FROM {t} WHERE CAST({n} AS SIGNED) BETWEEN 1990 AND 2010 AND {p}",
    "everything but": "SELECT DISTINCT {d} FROM {t} WHERE {c} NOT IN ({v}, {v2}) AND {d} <> {w}",
    "date of it": "SELECT {c}, DATE_FORMAT(STR_TO_DATE({c}, '%d %M %Y'), '%Y-%m-%d') AS iso, DAYNAME(STR_TO_DATE({c}, '%Y-%m-%d')) FROM {t}",
    "between dates": "SELECT {c} FROM {t} WHERE STR_TO_DATE({c}, '%M %d, %Y') BETWEEN '2000-01-01' AND '2010-12-31'",
    "one of each": "SELECT MIN({e}), {c} FROM {t} WHERE {p} GROUP BY {c} ORDER BY {c}",
    "cte look up": "WITH ranked AS (SELECT {c}, {n}, ROW_NUMBER() OVER (ORDER BY {rank}) AS r FROM {t} WHERE {p}) SELECT {c} FROM ranked WHERE r <= 3 ORDER BY r",
    "cte numbers": "WITH RECURSIVE seq (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM seq WHERE k < 5) SELECT k, (SELECT COUNT(*) FROM {t} WHERE LENGTH({c}) = k) AS c FROM seq",
    "both lists": "SELECT {c} FROM {t} WHERE {p} UNION ALL SELECT {d} FROM {t} WHERE {p}",
    "list and total": "(SELECT {c} AS what, {n} + 0 AS amount FROM {t}) UNION (SELECT 'all', SUM({n}) FROM {t})",
    # going wrong
    "missing column": "SELECT {c}, score_total FROM {t}",
    "missing column of alias": "SELECT a.{c} FROM {t} a WHERE a.no_column = 1",
    "missing alias": "SELECT x.{c} FROM {t} y",
    "missing table": "SELECT * FROM {t} JOIN teams ON teams.id = 1",
    "group forgotten": "SELECT {c}, SUM({n}) FROM {t} ORDER BY SUM({n}) DESC",
    "star and group": "SELECT * FROM {t} GROUP BY {c}",
    "order not grouped": "SELECT {c} FROM {t} GROUP BY {c} ORDER BY {d}",
    "aggregate of aggregate": "SELECT SUM(COUNT({c})) FROM {t}",
    "comma forgotten": "SELECT {c} {d} {e} FROM {t}",
    "keyword misspelt": "SELEC {c} FROM {t}",
    "clause misspelt": "SELECT {c} FROM {t} WERE {c} = {v}",
    "trailing comma": "SELECT {c}, {d}, FROM {t}",
    "empty list": "SELECT {c} FROM {t} WHERE {c} IN ()",
    "unknown function": "SELECT MEDIAN_OF({n}) FROM {t}",
    "too many arguments": "SELECT UPPER({c}, {d}) FROM {t}",
    "markdown": "```sql\nSELECT {c} FROM {t}\n```",
    "words": "I will look at the table first.",
    # writing
    "insert": "INSERT INTO {t} VALUES ({values});",
    "insert two": "INSERT INTO {t} ({c}, {d2}) VALUES ({v}, {w}), ('New', NULL)",
    "insert computed": "INSERT INTO {t} ({c}) SELECT MAX({n} + 0) + 1 FROM {t}",
    "insert if absent": "INSERT INTO {t} ({c}) SELECT 'new name' FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM {t} WHERE {c} = {v})",
    "insert numbers": "INSERT INTO {t} ({c}, {d2}) VALUES ({i}, {x}), (1.50, -3), (TRUE, 1e3)",
    "insert too many": "INSERT INTO {t} ({c}) VALUES ({v}, {w})",
    "update": "UPDATE {t} SET {c} = {v2}, {d2} = 'x' WHERE {c} = {v} AND {d} = {w};",
    "update by text": "UPDATE {t} SET {d} = {y} WHERE {c} LIKE '%{word}%'",
    "update to null": "UPDATE {t} SET {c} = NULL WHERE {d} = {w}",
    "update cast": "UPDATE {t} SET {n} = ROUND({n} * 1.1, 1) WHERE {n} REGEXP '^[0-9]+$'",
    "update top": "UPDATE {t} SET {c} = 'top' ORDER BY {rank} LIMIT 1",
    "update bad number": "UPDATE {t} SET {c} = 'low' WHERE {n} < {x}",
    "update missing": "UPDATE {t} SET no_column = {v} WHERE {c} = {v}",
    "delete": "DELETE FROM {t} WHERE {c} = {v};",
    "delete some": "DELETE FROM {t} WHERE {c} = {v} OR {d} IN ({w}, 'none')",
    "delete repeated": "DELETE FROM {t} WHERE {c} IN (SELECT {c} FROM (SELECT {c} FROM {t} GROUP BY {c} HAVING COUNT(*) > 1) AS twice)",
    "delete by length": "DELETE FROM {t} WHERE LENGTH({c}) > 12 AND {d} LIKE '%{word}%'",
}  # fmt: skip


def queries(rng: Random, table: Table) -> Iterator[tuple[str, str]]:
    """(class, query) for one draw of each class."""
    for name, template in QUERIES.items():
        draw = Asked(rng, table)
        others = [i for i in range(len(table.columns)) if i != draw.at["c"]]
        draw.at["d2"] = rng.choice(others) if others else draw.at["c"]
        draw["t1"] = table.name.replace("`", "``")
        yield name, template.format_map(draw)
