"""Limits count what a statement does itself: the same end on any machine, whatever runs beside it."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tmbr.environments.database import Embedded, Table
from tmbr.environments.database.running import MAX_STEPS, statement

ROWS = Table("p", ("a", "b"), tuple((f"n{i}", str(i)) for i in range(60)))
#: Number of the refusal -> statements that come to it.
BEYOND = {
    3024: [
        "SELECT COUNT(*) FROM p a, p b, p c, p d, p e",
        "SELECT COUNT(*) OVER () FROM p a, p b, p c, p d",
        "SELECT a.a, COUNT(*) FROM p a, p b, p c, p d GROUP BY a.a",
        "SELECT REPEAT('a', 16000000) FROM p a, p b, p c, p d",
        "SELECT DISTINCT a.a, b.a, c.a FROM p a, p b, p c, p d",
        "SELECT REPEAT('a', 1000000) LIKE CONCAT('%', REPEAT('a', 500000), 'b')",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 900)"
        " SELECT COUNT(*) FROM r, p, p q, p s",
    ],
    1114: [
        "SELECT " + ", ".join(["REPEAT('a', 16000000)"] * 40),
        "SELECT REGEXP_REPLACE(REPEAT('a', 1000000), 'a', REPEAT('b', 1000))",
        "WITH q AS (SELECT REPEAT('x', 60000) AS w FROM p) SELECT COUNT(*) FROM"
        " (SELECT m.w AS x, n.w AS y FROM q m JOIN q n) z JOIN p WHERE x < 'y'",
    ],
    1153: ["UPDATE p SET a = CONCAT(a, a)" + ", a = CONCAT(a, a)" * 60],
    1436: ["SELECT * FROM v2 AS a, v2 AS b"],
    3636: [
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT COUNT(*) FROM r",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n + 1 FROM r) SELECT COUNT(*) FROM r",
    ],
}


def database() -> Embedded:
    made = Embedded.of([ROWS])
    made.execute("CREATE VIEW v0 AS SELECT 1 AS x")
    for at in (1, 2):  # views of views: 20 times 20 tables
        joined = ", ".join(f"v{at - 1} AS t{i}" for i in range(20))
        made.execute(f"CREATE VIEW v{at} AS SELECT t0.x FROM {joined}")
    return made


@pytest.mark.parametrize(("number", "sql"), [(n, sql) for n, group in BEYOND.items() for sql in group])
def test_a_statement_ends_at_the_same_step_each_time(number: int, sql: str) -> None:
    first = database()
    used = []
    for one in (first, first, first.fork()):
        assert one.execute(sql).error == number
        used.append((statement.steps, statement.size))
    assert len(set(used)) == 1


def test_statements_of_other_threads_are_not_charged() -> None:
    sql = "SELECT COUNT(*) FROM p x, p y WHERE x.a < y.a"
    alone = Embedded.of([ROWS])
    expected = alone.execute(sql), statement.steps, statement.size

    def run(at: int) -> object:
        if at % 2:
            return Embedded.of([ROWS]).execute(BEYOND[1114][0]).error
        return Embedded.of([ROWS]).execute(sql), statement.steps, statement.size

    with ThreadPoolExecutor(4) as pool:
        seen = [*pool.map(run, range(8))]
    assert seen == [expected, 1114] * 4


def test_forks_share_a_connection_from_any_thread() -> None:
    parent = Embedded.of([ROWS])
    forks = [parent.fork() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        seen = [*pool.map(lambda fork: fork.execute("SELECT SUM(x.b) FROM p x, p y").shown, forks)]
    assert seen == ["[(106200.0,)]"] * 8


def test_steps_are_far_from_what_a_plain_statement_takes() -> None:
    assert (
        Embedded.of([ROWS]).execute("SELECT a, COUNT(*) FROM p GROUP BY a ORDER BY 2, 1").error is None
    )
    assert statement.steps * 100 < MAX_STEPS


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read as Linux tells it")
def test_memory_stays_bounded() -> None:
    """What hostile statements hold at their peak, in a process of their own."""
    program = """
from pathlib import Path
from tests.environments.database.test_limits import BEYOND, database
def peak():  # getrusage would tell the parent's, where that was larger
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
one = database()
before = peak()
for group in BEYOND.values():
    for sql in group:
        one.execute(sql)
print((peak() - before) // 1024)
"""
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert int(told.stdout) < 1024
