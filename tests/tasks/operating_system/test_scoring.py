"""The verdict: golden vectors for the checkers, matches, and chains on a real computer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.environments.operating_system.machines import SMALL, needs_sandbox
from tmbr.environments.operating_system import Computer
from tmbr.tasks.operating_system.scoring import CHECKERS, command, judge, passes

GOLDEN = [
    ("integer-match", "5", "5\n", True), ("integer-match", " 05 ", "5", True),
    ("integer-match", "5.0", "5", False), ("integer-match", "five", "5", False),
    ("integer-match", "-3", "-3\n", True), ("integer-match", "", "", False),
    ("integer-match", "None", "0", False), ("integer-match", "1_000", "1000", True),
    ("string-match", "a b\r\n", "a b\n", True), ("string-match", "A", "a", False),
    ("string-match", "a\rb", "a\nb", True), ("string-match", "", "\n", True),
    ("containing", "the answer is 7", "7\n", True), ("containing", "7", "77", False),
    ("in", "7", "77\n", True), ("in", "77", "7", False), ("in", "", "x", True),
    ("size-match", "8K", "8K\n", True), ("size-match", "8K", "8192", True),
    ("size-match", "4.0K", "4.0K\n", True), ("size-match", "1M", "1024K", True),
    ("size-match", "1MB", "1M", True), ("size-match", "10B", "10", True),
    ("size-match", "4K", "5K", False), ("size-match", "K", "K", False),
    ("size-match", "4k", "4K", False), ("size-match", "nan", "nan", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "found", "right"), GOLDEN)
def test_checkers(name: str, answer: str, found: str, right: bool) -> None:
    assert passes(name, answer, found) is right


@given(st.sampled_from(sorted(CHECKERS)), st.text(max_size=40), st.text(max_size=40))
def test_checkers_are_total(name: str, answer: str, found: str) -> None:
    assert isinstance(passes(name, answer, found), bool)


@needs_sandbox
@pytest.mark.parametrize(
    ("match", "answer", "right"),
    [
        ({"answer": "a", "strip": True}, " a\n", True),
        ({"answer": "a", "strip": False}, " a", False),
        ({"answer": "a", "strip": True}, None, False),
        ({"answer": "a", "strip": True}, "A", False),
        ({"regex": "^a+$"}, "aaa", True),
        ({"regex": "^a+$"}, "ab", False),
    ],
)
def test_matches(match: dict[str, object], answer: str | None, right: bool, real: Computer) -> None:
    assert judge({"match": match}, answer, real) is right


@pytest.fixture(scope="module")
def real() -> Iterator[Computer]:
    made = Computer(SMALL)
    yield made
    made.close()


@needs_sandbox
def test_each_check_hears_the_answer_and_what_was_printed(real: Computer) -> None:
    chain = [
        ["bash", 'test "$#" = 1 && echo "<$1>"'],
        ["python", "import sys; assert sys.argv[1:] == ['a b', '<a b>\\n'], sys.argv; print(7)"],
        None,
        ["bash", 'test "$4" = gold'],
    ]
    example = ["bash", 'test "$3" = "7"$\'\\n\' && printf gold']
    assert judge({"check": chain, "example": example}, "a b", real)
    assert not judge({"check": chain, "example": example}, "a c", real)
    assert not judge({"check": [["bash", "exit 1"], ["bash", "exit 0"]]}, "x", real)
    assert judge({"check": [["bash", 'test "$1" = None']]}, None, real)


@needs_sandbox
def test_an_answer_cannot_become_a_command(real: Computer) -> None:
    for told in ("$(touch /tmp/x)", "'; touch /tmp/x; '", "`touch /tmp/x`", "a\nb", "-e", "--", "a\0b"):
        judge({"check": [["bash", 'test -n "$1"']]}, told, real)
    assert real.execute(["ls", "/tmp"]).output == ""


@needs_sandbox
@pytest.mark.parametrize("language", ["c", "c++"])
def test_compiled_checks(real: Computer, language: str) -> None:
    if real.execute(["g++", "--version"]).status != 0:
        pytest.skip("no compiler in /usr")
    code = '#include <string.h>\nint main(int n, char **a) { return n == 2 ? strcmp(a[1], "ok") : 9; }'
    assert real.execute(command(language, code, ["ok"])).status == 0
    assert real.execute(command(language, code, ["no"])).status != 0
