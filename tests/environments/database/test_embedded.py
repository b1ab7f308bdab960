"""The embedded database: MySQL's answers, its refusals, forks, and limits on hostile statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.environments.database import Embedded, SqlError, Table, fingerprint

PEOPLE = Table(
    "the people",
    ("Name", "Born in", "Score"),
    (("Ann", "2001", "1,234"), ("bob", "1999", "7"), ("ANN", "2005", "x"), ("Émile", "", "3.5")),
)


def people() -> Embedded:
    return Embedded.of([PEOPLE])


#: What MySQL answers, by its manual and by the server that the comparison runs.
ANSWERS = {
    "SELECT 1/3, 5/2, '5'/2, 7 DIV 2, -7 % 3, 1/0": (
        "[(Decimal('0.3333'), Decimal('2.5000'), 2.5, 3, -1, None)]"
    ),
    "SELECT 1/3*3, ROUND(2.5), ROUND('2.5')": "[(Decimal('1.0000'), Decimal('3'), 2.0)]",
    "SELECT Name FROM `the people` WHERE Name = 'ann'": "[('Ann',), ('ANN',)]",
    "SELECT Name FROM `the people` WHERE Name = 'EMILE'": "[('Émile',)]",
    "SELECT Score FROM `the people` WHERE Score > 5": "[('7',)]",
    "SELECT Name, COUNT(*) AS k FROM `the people` GROUP BY Name ORDER BY k DESC, 1": (
        "[('Ann', 2), ('bob', 1), ('Émile', 1)]"
    ),
    "SELECT SUM(Score), COUNT(DISTINCT Name), AVG(LENGTH(Name)) FROM `the people`": (
        "[(11.5, 3, Decimal('3.7500'))]"
    ),
    "SELECT SUBSTRING_INDEX('a-b-c', '-', -2), IF(1 > 2, 'a', 'b'), 'Ab' REGEXP '^a'": (
        "[('b-c', 'b', 1)]"
    ),
    "SELECT CONCAT(\"it\", '''s'), 'a' 'b'": "[(\"it's\", 'ab')]",
    "SHOW TABLES": "[('the people',)]",
    "DESCRIBE `the people`": (
        "[('Name', 'text', 'YES', '', None, ''), ('Born in', 'text', 'YES', '', None, ''), "
        "('Score', 'text', 'YES', '', None, '')]"
    ),
    "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE()": (
        "[('Name',), ('Born in',), ('Score',)]"
    ),
    "SELECT REPEAT('a', 1000000000)": "[(None,)]",
}


@pytest.mark.parametrize("sql", ANSWERS)
def test_answers(sql: str) -> None:
    assert people().execute(sql).shown == ANSWERS[sql]


REFUSALS = {
    "SELECT nothing FROM `the people`": "1054 (42S22): Unknown column 'nothing' in 'field list'",
    "SELECT 1 FROM nowhere": "1146 (42S02): Table 'dbbench.nowhere' doesn't exist",
    "SELECT Name FROM `The People`": "1146 (42S02): Table 'dbbench.The People' doesn't exist",
    "SELECT Rank FROM `the people`": "1064 (42000): You have an error in your SQL syntax;",
    'SELECT Name FROM "the people"': "1064 (42000): You have an error in your SQL syntax;",
    "SELECT 1; SELECT 2": "1064 (42000): You have an error in your SQL syntax;",
    "": "1065 (42000): Query was empty",
    "SELECT Name, COUNT(*) FROM `the people`": "1140 (42000): In aggregated query without GROUP BY",
    "SELECT Name, Score FROM `the people` GROUP BY Name": "1055 (42000): Expression #2 of SELECT list",
    "SELECT Name FROM `the people` WHERE COUNT(*) > 1": "1111 (HY000): Invalid use of group function",
    "SELECT (SELECT Name FROM `the people`)": "1242 (21000): Subquery returns more than 1 row",
    "SELECT NOFUNC(1)": "1305 (42000): FUNCTION dbbench.NOFUNC does not exist".replace(
        "NOFUNC", "nofunc"
    ),
    "UPDATE `the people` SET Score = 1 WHERE Score < 5": (
        "1292 (22007): Truncated incorrect DOUBLE value: '1,234'"
    ),
    "INSERT INTO `the people` VALUES (1)": "1136 (21S01): Column count doesn't match value count",
    "DROP DATABASE dbbench": "1044 (42000): Access denied",
    "SELECT 1 FROM (SELECT 1)": "1248 (42000): Every derived table must have its own alias",
}


@pytest.mark.parametrize("sql", REFUSALS)
def test_refusals_change_nothing(sql: str) -> None:
    database = people()
    before = database.state_key()
    result = database.execute(sql)
    assert result.shown.startswith(REFUSALS[sql])
    assert str(result.error) == result.shown.split(" ", 1)[0]
    assert database.state_key() == before


HOSTILE = [
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT COUNT(*) FROM r",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n + 1 FROM r) SELECT COUNT(*) FROM r",
    "SELECT COUNT(*) FROM " + ", ".join(f"`the people` t{i}" for i in range(30)),
    "SELECT REPEAT('a', 16000000) FROM " + ", ".join(f"`the people` t{i}" for i in range(12)),
    "SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' REGEXP '^(a|a?)+$'",
    "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "SELECT 1" + " + 1" * 5000,
    "SELECT '" + "x" * 300_000 + "'",
    "SELECT \ud800",
    "SELECT '\0', CHAR(0), x'00'",
    "ATTACH DATABASE '/tmp/x' AS y",
    "PRAGMA database_list",
    "SELECT load_extension('x')",
    "SELECT readfile('/etc/passwd'), writefile('/tmp/x', 'y')",
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE `the people`",
    "SELECT * FROM sqlite_master",
    "SELECT f('md5', 'x'), k(1), a('sum', 0, 1)",
    "SELECT 9223372036854775807 + 1",
    "SELECT POW(10, 400), EXP(1000), 1e400",
]


@pytest.mark.parametrize("sql", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_statement_is_an_observation(sql: str) -> None:
    database = people()
    result = database.execute(sql)
    assert len(result.shown) <= 811
    assert database.execute("SELECT COUNT(*) FROM `the people`").shown == "[(4,)]"


def test_doubling_a_table_ends_at_the_limit() -> None:
    database = people()
    grow = "INSERT INTO `the people` SELECT REPEAT(Name, 2000), `Born in`, Score FROM `the people`"
    errors = [database.execute(grow).error for _ in range(16)]
    assert errors[0] is None
    assert {1114, 1406, 3024} & set(errors)


def test_a_long_answer_is_cut() -> None:
    shown = people().execute("SELECT REPEAT('a', 1000), 2").shown
    assert shown == "[('" + "a" * 797 + "[TRUNCATED]"


def test_a_file_is_never_read() -> None:
    assert people().execute("SELECT LOAD_FILE('/etc/passwd')").shown == "[(None,)]"


def test_a_fork_reads_the_same_and_writes_its_own() -> None:
    database = people()
    database.execute("DELETE FROM `the people` WHERE Name = 'bob'")
    fork = database.fork()
    assert fork.state_key() == database.state_key()
    fork.execute("DROP TABLE `the people`")
    database.execute("INSERT INTO `the people` VALUES ('Zoe', '1', '2')")
    assert fork.execute("SHOW TABLES").shown == "[]"
    assert database.execute("SELECT COUNT(*) FROM `the people`").shown == "[(4,)]"
    deep = fork.fork()
    fork.close()
    assert deep.execute("SHOW TABLES").shown == "[]"


def test_tables_that_mysql_refuses() -> None:
    with pytest.raises(SqlError, match="Incorrect column name"):
        Embedded.of([Table("t", ("", "b"), ())])
    with pytest.raises(SqlError, match="Duplicate column name"):
        Embedded.of([Table("t", ("a", "A"), ())])
    with pytest.raises(SqlError, match="Column count"):
        Embedded.of([Table("t", ("a",), (("1", "2"),))])


def test_definitions() -> None:
    database = people()
    for sql in (
        "CREATE TABLE n (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(3) NOT NULL, d DECIMAL(5,1))",
        "INSERT INTO n (v, d) VALUES ('a', 1.25), ('b', '2')",
        "ALTER TABLE n ADD COLUMN w TEXT AFTER id, DROP COLUMN d",
        "UPDATE n SET w = CONCAT(v, id), v = w",
        "RENAME TABLE n TO m",
        "CREATE VIEW big AS SELECT v FROM m WHERE id > 1",
    ):
        assert database.execute(sql).error is None, sql
    assert database.execute("SELECT * FROM m").shown == "[(1, 'a1', 'a1'), (2, 'b2', 'b2')]"
    assert database.execute("SELECT * FROM big").shown == "[('b2',)]"
    assert database.execute("INSERT INTO m (v) VALUES ('four')").error == 1406
    assert database.execute("INSERT INTO m (id, v) VALUES (1, 'x')").error == 1062
    assert database.execute("INSERT INTO m (v) VALUES (NULL)").error == 1048


def test_the_fingerprint_does_not_depend_on_the_order_of_rows() -> None:
    turned = Embedded.of([Table(PEOPLE.name, PEOPLE.columns, PEOPLE.rows[::-1])])
    ours = fingerprint(people(), PEOPLE.name, PEOPLE.columns)
    assert ours == fingerprint(turned, PEOPLE.name, PEOPLE.columns)
    turned.execute("UPDATE `the people` SET Score = '8' WHERE Name = 'bob'")
    assert ours != fingerprint(turned, PEOPLE.name, PEOPLE.columns)
    assert fingerprint(turned, "gone", PEOPLE.columns) is None


WORDS = """
SELECT FROM WHERE GROUP BY ORDER LIMIT COUNT SUM ( ) * , ' " ` Name Score = < + - / 1 2.5 'x' AND OR NOT
IN LIKE JOIN ON AS t UNION CASE WHEN THEN END OVER INSERT INTO VALUES UPDATE SET DELETE NULL DISTINCT
HAVING EXISTS CAST INTERVAL DAY @x ; -- CREATE TABLE
"""
words = st.sampled_from(["`the people`", *WORDS.split()])


@given(st.lists(words, max_size=14).map(" ".join) | st.text(max_size=40))
def test_any_text_is_answered(sql: str) -> None:
    database = people()
    assert database.execute(sql).shown
    assert database.execute("SELECT 1").shown == "[(1,)]"
