# ruff: noqa: E501
"""Statements that build on one another, on both sides: rollups, windows, variables, joins that write, JSON."""

from __future__ import annotations

import pytest
from pymysql import MySQLError

from tests.environments.database.mariadb import connect
from tmbr.environments.database import Embedded, Table, quoted

GAMES = Table(
    "games",
    ("team", "city", "points"),
    (
        ("Ada", "Oslo", "3"),
        ("Bel", "Oslo", "10"),
        ("Cor", "Rome", "2.5"),
        ("Dan", "Rome", "none"),
        ("Bel", "Riga", ""),
        ("Eva", "Oslo", "1,234"),
    ),
)

SEQUENCES = {
    "rollup": """
        SELECT city, COUNT(*) FROM games GROUP BY city WITH ROLLUP
        SELECT city, team, COUNT(*), SUM(points) FROM games GROUP BY city, team WITH ROLLUP
        SELECT IFNULL(city, 'all'), MAX(team) FROM games GROUP BY city WITH ROLLUP
        SELECT LEFT(team, 1) AS f, GROUP_CONCAT(city ORDER BY city) FROM games GROUP BY f WITH ROLLUP
        SELECT city, COUNT(*) AS k FROM games GROUP BY city WITH ROLLUP HAVING k > 1
        SELECT city, team, COUNT(*) FROM games GROUP BY city, team WITH ROLLUP HAVING team IS NULL
        SELECT city, COUNT(*) FROM games WHERE 1 = 0 GROUP BY city WITH ROLLUP
        SELECT city, COUNT(*) FROM games GROUP BY city WITH ROLLUP LIMIT 2
        SELECT k, city FROM (SELECT city, COUNT(*) k FROM games GROUP BY city WITH ROLLUP) q ORDER BY 1, 2
    """,
    "named windows": """
        SELECT team, SUM(points) OVER w, RANK() OVER (w ORDER BY team) FROM games WINDOW w AS (PARTITION BY city)
        SELECT team, ROW_NUMBER() OVER v FROM games WINDOW w AS (PARTITION BY city), v AS (w ORDER BY team)
        SELECT COUNT(*) OVER w FROM games WINDOW w AS (ORDER BY team, city ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    """,
    "variables": """
        SET @r = 0, @p = ''
        SELECT @r := @r + 1 AS place, team FROM games ORDER BY team, city
        SELECT @r
        SELECT team, @r := IF(@p = team, @r + 1, 1) AS nth, @p := team FROM games ORDER BY team, city
        SET @x = 5, @Y = 'it''s'
        SELECT @x + 1, @x / 2, @X, CONCAT(@y, '!'), @nothing
        SET @best := (SELECT MAX(points) FROM games)
        SELECT team FROM games WHERE points = @best
        SELECT team, city INTO @t, @c FROM games ORDER BY team LIMIT 1
        SELECT @t, @c
        SELECT COUNT(*) FROM games INTO @n
        SELECT @n * 2, @n
        SELECT team INTO @t FROM games
        SELECT team INTO @t, @c FROM games LIMIT 1
        SELECT team FROM games WHERE 1 = 0 INTO @t
        UPDATE games SET points = @n WHERE team = @t
        SELECT * FROM games
        SET @d = '2024-01-05'
        SELECT DATE_ADD(@d, INTERVAL 1 DAY), DATEDIFF(@d, '2024-01-01')
        SELECT @s := @s + points FROM games, (SELECT @s := 0) AS start
    """,
    "upsert": """
        CREATE TABLE p (id INT PRIMARY KEY, c INT, s VARCHAR(9))
        INSERT INTO p VALUES (1, 1, 'a'), (2, 2, 'b')
        INSERT INTO p VALUES (1, 10, 'x'), (3, 30, 'z') ON DUPLICATE KEY UPDATE c = c + VALUES(c), s = CONCAT(s, VALUES(s))
        SELECT * FROM p ORDER BY id
        INSERT INTO p (id, c) VALUES (2, 5) ON DUPLICATE KEY UPDATE c = VALUES(c), s = c
        SELECT * FROM p ORDER BY id
        INSERT INTO p SELECT id, c * 2, 'sel' FROM p ON DUPLICATE KEY UPDATE s = VALUES(s)
        SELECT * FROM p ORDER BY id
        INSERT INTO p VALUES (1, 1, 'a')
    """,
    "joins that write": """
        CREATE TABLE u (k TEXT, v TEXT)
        INSERT INTO u VALUES ('Ada', '1'), ('Bel', '2'), ('Bel', '3'), ('Zoe', '9')
        UPDATE games JOIN u ON games.team = u.k SET games.city = u.v, games.points = CONCAT(games.city, '!')
        SELECT * FROM games
        UPDATE games g JOIN u ON g.team = u.k SET g.city = 'new', u.v = g.city, g.points = g.city
        SELECT * FROM games
        SELECT * FROM u
        UPDATE games LEFT JOIN u ON team = k SET city = 'none' WHERE k IS NULL
        SELECT * FROM games
        UPDATE games JOIN (SELECT k, COUNT(*) c FROM u GROUP BY k) q ON q.k = team SET points = q.c
        SELECT * FROM games
        UPDATE games JOIN (SELECT k FROM u) q ON q.k = team SET q.k = 1
        UPDATE games JOIN u ON team = k SET zz = 1
        UPDATE games x, u y SET x.city = 'comma' WHERE x.team = y.k AND y.v = '2'
        SELECT * FROM games
        DELETE games FROM games LEFT JOIN u ON team = k WHERE k IS NULL
        SELECT * FROM games
        DELETE FROM u USING games JOIN u ON team = k WHERE v = '1'
        DELETE zz FROM games JOIN u
        DELETE a FROM games AS a WHERE a.team = 'Ada'
        INSERT INTO games VALUES ('m', 'n', '1'), ('m', 'n', '2')
        DELETE a FROM games a JOIN games b ON a.team = b.team AND a.points < b.points
        SELECT * FROM games
        DELETE games, u FROM games JOIN u ON team = k
        SELECT * FROM games
        SELECT * FROM u
    """,
    "json": r"""
        SELECT JSON_EXTRACT('{"a": 1, "b": [1, 2, {"c": "x"}]}', '$.a', '$.b[2].c')
        SELECT JSON_EXTRACT('{"a": {"x": 1}, "b": {"x": 2}}', '$**.x'), JSON_EXTRACT('[1, 2]', '$[last]')
        SELECT JSON_EXTRACT('{"a": 1}', '$.zz'), JSON_EXTRACT('[1, 2]', '$[*]'), JSON_EXTRACT('{"a": {"x": 1}}', '$.*.x')
        SELECT JSON_UNQUOTE(JSON_EXTRACT('{"n": "O\\"k"}', '$.n')), JSON_UNQUOTE('abc'), JSON_QUOTE('a"b')
        SELECT JSON_VALID('{"a": 1}'), JSON_VALID('{a: 1}'), JSON_VALID(NULL), JSON_KEYS('{"a": 1, "b": 2}')
        SELECT JSON_TYPE('{}'), JSON_TYPE('1.5'), JSON_TYPE('"a"'), JSON_TYPE('true'), JSON_TYPE('null')
        SELECT JSON_LENGTH('[1, 2, 3]'), JSON_LENGTH('3'), JSON_LENGTH('{"a": [1, 2]}', '$.a'), JSON_DEPTH('[1, [2]]')
        SELECT JSON_CONTAINS('[1, 2, 3]', '2'), JSON_CONTAINS('{"a": [1, 2]}', '1', '$.a'), JSON_CONTAINS('[1]', '"1"')
        SELECT JSON_CONTAINS_PATH('{"a": 1}', 'one', '$.a', '$.b'), JSON_CONTAINS_PATH('{"a": 1}', 'all', '$.a', '$.b')
        SELECT JSON_OBJECT('a', 1, 'b', 'x', 'c', NULL), JSON_ARRAY(1, 'a', NULL, 1.50, TRUE), JSON_OBJECT(), JSON_ARRAY()
        SELECT JSON_OBJECT('a', JSON_ARRAY(1, 2)), JSON_ARRAY(JSON_OBJECT('k', 'v'), '[1]')
        SELECT JSON_SET('{"a": 1}', '$.a', 2, '$.b', 'x'), JSON_INSERT('{"a": 1}', '$.a', 2, '$.b', 3)
        SELECT JSON_REPLACE('{"a": 1}', '$.a', 2, '$.b', 3), JSON_REMOVE('[1, 2, 3]', '$[1]'), JSON_SET('[1]', '$[5]', 9)
        SELECT JSON_ARRAY_APPEND('[1, 2]', '$', 3), JSON_MERGE_PATCH('{"a": 1, "b": 2}', '{"b": null, "c": 3}')
        SELECT JSON_MERGE_PRESERVE('{"a": 1}', '{"a": 2}'), JSON_VALUE('{"a": "x", "b": 5}', '$.b')
        SELECT JSON_EXTRACT('{"a": 5}', '$.a') + 1, JSON_EXTRACT('{"a": 5}', '$.a') > 3, JSON_EXTRACT('{"a": "x"}', '$.a') = 'x'
        SELECT JSON_OBJECT('a')
        SELECT JSON_OBJECT('team', team) FROM games
        SELECT JSON_EXTRACT(CONCAT('{"v": "', city, '"}'), '$.v') v, COUNT(*) FROM games GROUP BY v ORDER BY v
        SELECT JSON_ARRAYAGG(team) FROM games WHERE 1 = 0
        SELECT JSON_LENGTH(JSON_ARRAYAGG(team)), JSON_EXTRACT(JSON_ARRAYAGG(team), '$[1]') FROM games
    """,
    "sets": """
        SELECT team FROM games INTERSECT SELECT team FROM games WHERE city = 'Oslo' ORDER BY team
        SELECT team, city FROM games EXCEPT SELECT team, city FROM games WHERE points > 2 ORDER BY 1, 2
        SELECT NULL INTERSECT SELECT NULL
        SELECT city, ROUND(100 * COUNT(*) / SUM(COUNT(*)) OVER (), 1) FROM games GROUP BY city ORDER BY city
        SELECT city, RANK() OVER (ORDER BY COUNT(*) DESC, city) FROM games GROUP BY city ORDER BY city
        SELECT COUNT(DISTINCT team) OVER () FROM games
        SELECT COUNT(DISTINCT team), BIT_OR(points), BIT_AND(points) FROM games WHERE 1 = 0
        SELECT team FROM games WHERE (team, points) > ('Bel', 5) ORDER BY team, city
        SELECT team FROM games WHERE ROW(team, city) = ROW('Ada', 'Oslo')
        SELECT city, SUM(points) AS points FROM games GROUP BY city ORDER BY MAX(points) DESC, city
        SELECT team FROM games HAVING points > 1
        SELECT team FROM games GROUP BY team HAVING points > 1
        SELECT team, points + 0 AS k FROM games HAVING k > 2 ORDER BY k
        UPDATE games SET city = (SELECT m FROM (SELECT MAX(city) AS m FROM games) q) WHERE team = 'Ada'
        DELETE FROM games WHERE city IN (SELECT city FROM (SELECT city FROM games GROUP BY city HAVING COUNT(*) > 1) q)
        SELECT * FROM games
        DELETE games WHERE team = 'Bel'
    """,
    "grammar": """
        SELECT COUNT (*) FROM games
        SELECT MAX (points) FROM games
        SELECT CAST (points AS SIGNED) FROM games
        SELECT UPPER (team), AVG (points) FROM games GROUP BY team ORDER BY team
        SELECT team::text FROM games
        SELECT team FROM games WHERE team == 'Ada'
        SELECT team, FROM games
        SELECT team FROM games ORDER BY team NULLS LAST
        SELECT NOW() + INTERVAL '1 day'
        SELECT '2024-01-01' + INTERVAL '1' DAY
        SELECT CAST(points AS TEXT) FROM games
        SELECT CAST(points AS BIGINT), CONVERT(points, BIGINT) FROM games
        SELECT CAST(points AS SIGNED INTEGER), CAST(points AS UNSIGNED INT), CONVERT(points, SIGNED) FROM games
        SELECT team FROM games HAVING COUNT(*) > 1 GROUP BY team
        SELECT team FROM games ORDER BY team WHERE city = 'Oslo'
        SELECT team FROM games LIMIT -1
        SELECT * EXCEPT (team) FROM games
        SELECT team FROM games WHERE team LIKE 'B|%' ESCAPE '|' OR team LIKE '%e_' ESCAPE '|'
        SELECT N'abc', _utf8mb4'abc', x'4142', b'101', 0x41
        SELECT team COLLATE latin1_bin FROM games
        SELECT MATCH (team) AGAINST ('Ada') FROM games
        SHOW FIELDS FROM games
        SHOW KEYS FROM games
        SHOW COLUMNS FROM games WHERE Field = 'team'
        SHOW TABLES FROM nothing
        DESC games team
        FROM games SELECT team
        SELECT
        CREATE TABLE empty_one
    """,
    "shown": """
        SELECT CONCAT(ROUND(AVG(points), 1), '%'), CONCAT(FLOOR(points / 3) * 3, 's') FROM games GROUP BY points ORDER BY points
        SELECT AVG(FLOOR(points / 10) * 10), FLOOR(points) / 3, ROUND(points, 2) * 2, LENGTH(ROUND(points, 2)) FROM games GROUP BY points ORDER BY points
        SELECT ROUND(7 / 3, 6), ROUND(5.5, 3), TRUNCATE(5.55, 4), ROUND('5.5', 3), STDDEV(LENGTH(city)), VARIANCE(points) FROM games
        SELECT q.a * 3, q.a FROM (SELECT CAST(points AS SIGNED) / 7 AS a FROM games) q
        SELECT team FROM games UNION SELECT CAST(points AS SIGNED) / 7 FROM games WHERE points > 1 ORDER BY team
        SELECT CAST(points AS UNSIGNED) - 100 FROM games
        SELECT CAST(-1 AS UNSIGNED) - 1, CAST('3' AS UNSIGNED) * 2, -CAST('3' AS UNSIGNED), COALESCE(CAST('3' AS UNSIGNED), 0)
        SELECT CAST(points AS UNSIGNED), COUNT(*) FROM games GROUP BY CAST(points AS UNSIGNED) ORDER BY 1
        SELECT WEEK('2008-02-20', 1), WEEK('2000-01-01', 2), YEARWEEK('1987-01-01'), DATE_FORMAT('1999-01-01', '%X %V %x %v %U %u')
        SELECT ADDTIME('2011-05-06 23:59:59', '0:0:2'), SUBTIME('01:00:00', '02:30:00'), MAKETIME(12, 15, 30), PERIOD_DIFF(200802, 200703)
        SELECT DATE('20/12/1946'), DATE('2011/5/6'), 'none' < DATE '2000-01-01', MICROSECOND('10:20:30.12'), TIMESTAMP('2011-05-06', '10:00')
        SELECT TO_BASE64('hello'), FROM_BASE64('aGVsbG8='), MAKE_SET(5, 'a', 'b', 'c'), INET_ATON('10.0.0.1'), CHAR(77, 121)
        INSERT INTO games VALUES ('x', 1 / 3, 5.10), ('y', ROUND(2 / 3, 2), '1' / 3)
        SELECT * FROM games WHERE team IN ('x', 'y')
    """,
    "numbers": """
        SELECT 9223372036854775807 + 1
        SELECT CAST(-1 AS UNSIGNED), 18446744073709551615, ~5, CAST(-1 AS UNSIGNED) - 1
        SELECT CAST('99999999999999999999' AS SIGNED), CAST('-1.9' AS UNSIGNED), CAST('9223372036854775808' AS UNSIGNED)
        SELECT SUM(DISTINCT points), AVG(DISTINCT points) FROM games
        SELECT SEC_TO_TIME('1.4999999'), SEC_TO_TIME(5000000), BIN('7x'), CONV('', 10, 2), CONV(-5, 10, -2), OCT(9)
        SELECT INSTR('São Ómo', 'o'), LOCATE('ó', 'São Ómo'), INSTR('naïve', 'ï'), INSTR('straße', 'SS')
        SELECT '9223372036854775807' DIV 3, '-5' % 1, ROUND(-2.5, -1), TIMESTAMP '2011-03-05 10:20:30' + 0
        SELECT STR_TO_DATE('May 5', '%M %e, %Y'), STR_TO_DATE('2011-126', '%Y-%j'), STR_TO_DATE('9:05 pm', '%l:%i %p')
        SELECT STR_TO_DATE('2011-05-06 10', '%Y-%m-%d %H:%i:%s'), STR_TO_DATE('2011-05', '%Y-%m'), STR_TO_DATE('25:00', '%H:%i')
    """,
}  # fmt: skip


def asked(cursor: object, sql: str) -> str:
    """What a server answers, as AgentBench shows it; a refusal by its number."""
    try:
        cursor.execute(sql)  # type: ignore[attr-defined]
        return str([*cursor.fetchall()])  # type: ignore[attr-defined]
    except MySQLError as error:
        return str(error.args[0])


@pytest.mark.parametrize("name", SEQUENCES)
def test_both_sides_answer_alike(port: int, name: str) -> None:
    ours = Embedded.of([GAMES])
    cursor = connect(port).cursor()
    cursor.execute("DROP DATABASE IF EXISTS dbbench")
    cursor.execute("CREATE DATABASE dbbench")
    cursor.execute("USE dbbench")
    names = ", ".join(f"{quoted(column)} TEXT" for column in GAMES.columns)
    cursor.execute(f"CREATE TABLE games ({names})")
    cursor.executemany("INSERT INTO games VALUES (%s, %s, %s)", GAMES.rows)
    unlike = {}
    for sql in filter(None, map(str.strip, SEQUENCES[name].splitlines())):
        theirs, result = asked(cursor, sql), ours.execute(sql)
        mine = result.shown if result.error is None else str(result.error)
        if mine != theirs:
            unlike[sql] = (mine, theirs)
    assert not unlike


#: What MySQL's manual says and MariaDB does otherwise.
BY_THE_MANUAL = {
    "SELECT JSON_EXTRACT('{\"a\": 1, \"b\": [2]}', '$.b[0]', '$.a')": "[('[2, 1]',)]",  # in the paths' order
    "SELECT JSON_OBJECT('name', 1, 'n', 2)": """[('{"n": 2, "name": 1}',)]""",
    "SELECT JSON_ARRAYAGG(team) FROM games WHERE city = 'Rome'": """[('["Cor", "Dan"]',)]""",
    "SELECT JSON_OBJECTAGG(team, city) FROM games WHERE city = 'Rome'": (
        """[('{"Cor": "Rome", "Dan": "Rome"}',)]"""
    ),
    "SELECT '{\"a\": [3, \"x\"]}' -> '$.a'": "1064",  # a column only
    "SELECT city, GROUPING(city) FROM games GROUP BY city WITH ROLLUP ORDER BY city DESC": (
        "[('Rome', 0), ('Riga', 0), ('Oslo', 0), (None, 1)]"
    ),
    "SELECT CAST('[1,2]' AS JSON), 2 MEMBER OF('[1, 2]')": "[('[1, 2]', 1)]",
    "SELECT JSON_EXTRACT('{\"a\": 1', '$.a')": "3141",
    "SELECT JSON_EXTRACT('{}', 'a')": "3143",
    "SELECT SUM(points) OVER w FROM games": "3579",
    "SELECT CAST(points AS INT) FROM games": "1064",  # SIGNED, as the list of CAST's types has it
    "SELECT CAST(points AS VARCHAR(5)) FROM games": "1064",
    "SELECT team FROM games GROUP BY team ORDER BY points": "1055",  # ONLY_FULL_GROUP_BY
    "SELECT REGEXP_SUBSTR(team, 'zz') FROM games WHERE team = 'Ada'": "[(None,)]",
    "SELECT team FROM games WHERE REGEXP_LIKE(team, '^a')": "[('Ada',)]",
    "SELECT * FROM (SELECT 1)": "1248",
    "SELECT (SELECT team, city FROM games)": "1241",
    "SELECT LAG(team, 1, '-') OVER (ORDER BY team) FROM games WHERE city = 'Rome'": "[('-',), ('Cor',)]",
    "SELECT ANY_VALUE(team), COUNT(*) FROM games WHERE city = 'Riga'": "[('Bel', 1)]",
    "UPDATE games SET city = (SELECT MAX(city) FROM games)": "1093",
}


@pytest.mark.parametrize("sql", BY_THE_MANUAL)
def test_where_only_the_manual_tells(sql: str) -> None:
    result = Embedded.of([GAMES]).execute(sql)
    assert (result.shown if result.error is None else str(result.error)) == BY_THE_MANUAL[sql]


def test_arrows_and_a_named_new_row() -> None:
    database = Embedded.of([Table("d", ("doc",), (('{"a": "x"}',),))])
    assert database.execute("SELECT doc -> '$.a', doc ->> '$.a' FROM d").shown == """[('"x"', 'x')]"""
    database.execute("CREATE TABLE k (id INT PRIMARY KEY, v INT)")
    for value in (1, 2):
        sql = f"INSERT INTO k VALUES (1, {value}) AS new ON DUPLICATE KEY UPDATE v = new.v + 10"
        assert database.execute(sql).error is None
    assert database.execute("SELECT * FROM k").shown == "[(1, 12)]"


def test_variables_fork() -> None:
    database = Embedded.of([GAMES])
    database.execute("SET @x = 1")
    fork = database.fork()
    fork.execute("SET @x = 2")
    assert database.execute("SELECT @x").shown == "[(1,)]"
    assert fork.execute("SELECT @x").shown == "[(2,)]"
    assert fork.state_key() != database.state_key()
