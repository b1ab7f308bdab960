"""`tmbr data review`: where the decisions go, and by which form they are made."""

from __future__ import annotations

import sys
from pathlib import Path

from tmbr.cli.data import tell_bad
from tmbr.teacher.reading import TOLD, Bad, bad_path
from tmbr.teacher.review import Case, Decisions, apply, cases


def decisions_path(file: Path) -> Path:
    """Where the decisions on a file lie: beside it."""
    return file.with_name(f"{file.stem}.decisions.jsonl")


def found_in(file: Path, form: str | None) -> list[Case]:
    """What is there to review; how many rows cannot be is said on stderr. Raises DataError."""
    bad: list[Bad] = []
    found = cases(file, form, bad.append)
    if bad:
        tell_bad(len(bad), bad[:TOLD], f"; `tmbr data validate {file}` names each")
    return found


def review(file: Path, form: str | None, page: bool, port: int) -> None:
    """Review a file in the terminal or as a page. Raises DataError."""
    found = found_in(file, form)
    with Decisions(decisions_path(file)) as decisions:
        if page:
            from tmbr.cli.review_page import serve

            serve(found, decisions, port)
        else:
            from tmbr.cli.review_terminal import Review

            Review(found, decisions).run(input)
        print(summary(found, decisions))


def apply_decisions(file: Path, form: str | None, out: Path, to: str | None) -> None:
    """Write what was kept and cut. Raises ConfigError and DataError."""
    found = found_in(file, form)
    with Decisions(decisions_path(file)) as decisions:
        done = apply(found, decisions, out, to)
        print(f"{out}: {done.written:,} written ({summary(found, decisions)})")
        if done.bad:
            tell_bad(done.bad, done.first, f"; see {bad_path(out)}")
        if left := decisions.counts(found)["open"]:
            print(f"{left:,} not decided on yet are not among them", file=sys.stderr)


def summary(found: list[Case], decisions: Decisions) -> str:
    """`12 kept, 1 cut, 3 dropped, 84 open`"""
    counts = decisions.counts(found)
    words = {"keep": "kept", "cut": "cut", "drop": "dropped", "open": "open"}
    return ", ".join(f"{counts[verdict]:,} {word}" for verdict, word in words.items())
