"""`tmbr task check` finds each way in which a world can break the fork contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.doors import DoorsSession, DoorsTask
from tmbr.core.errors import DataError
from tmbr.core.protocols import Session
from tmbr.core.types import Action, Sample, Step
from tmbr.tasks.contract import CLAUSES, check
from tmbr.tasks.household import Household


class Shared(DoorsSession):
    def fork(self) -> Session:
        return self  # no copy at all


class Forgetful(DoorsSession):
    def fork(self) -> Session:
        return Forgetful(self.way)  # back at the start


class Liar(DoorsSession):
    def ends(self, action: Action) -> bool:
        return action.name == "open"


class Moody(DoorsSession):
    """Answers otherwise in every opened world."""

    opened = 0

    def __init__(self, *state: Any) -> None:
        super().__init__(*state)
        Moody.opened += 1
        self.mood = Moody.opened

    def step(self, action: Action | None) -> Step:
        step = super().step(action)
        return Step(f"{step.observation} {self.mood}", step.done, step.status, step.admissible)


@dataclass(frozen=True, slots=True)
class With(DoorsTask):
    session: type[DoorsSession] = DoorsSession

    def open(self, sample: Sample) -> Session:
        return self.session(sample.setup["way"])


def broken(session: type[DoorsSession]) -> set[str]:
    return {finding.clause for finding in check(With(session=session), "train") if finding.why}


def test_a_sound_world_holds() -> None:
    assert broken(DoorsSession) == set()
    assert [finding.clause for finding in check(Household(), "train", walks=5)] == list(CLAUSES)


@pytest.mark.parametrize(
    ("session", "clause"),
    [
        (Shared, "neither side of a fork disturbs the other"),
        (Forgetful, "equal actions after a fork give equal steps and scores"),
        (Liar, "what ends an episode by itself ends it"),
        (Moody, "equal openings are equal worlds"),
    ],
)
def test_a_broken_clause_is_found(session: type[DoorsSession], clause: str) -> None:
    assert clause in broken(session)


def test_a_finding_tells_the_walk() -> None:
    found = next(finding for finding in check(With(session=Liar), "train") if finding.why)
    assert found.why
    assert "ends(open" in found.why
    assert found.why.startswith("sample ")


def test_a_split_without_samples_is_said() -> None:
    class Empty(DoorsTask):
        def samples(self, split: str) -> list[Sample]:  # noqa: ARG002
            return []

    with pytest.raises(DataError, match="no samples in the split 'test'"):
        next(check(Empty(), "test"))
