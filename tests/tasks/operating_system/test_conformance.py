"""AgentBench's own samples: their solutions pass, and doing nothing passes none.

A share of them by default; all that the bar is about with TMBR_CONFORMANCE=full.
"""

from __future__ import annotations

import os

import pytest

from tests.environments.operating_system.machines import needs_sandbox
from tests.tasks.operating_system.playing import answer, bash, finish, opened
from tests.tasks.operating_system.test_data import needs_data
from tmbr.core.errors import EnvironmentFault
from tmbr.core.types import Sample
from tmbr.tasks.operating_system import OperatingSystem
from tmbr.tasks.operating_system.expert import printed
from tmbr.tasks.operating_system.task import _as_script

FULL = os.environ.get("TMBR_CONFORMANCE") == "full"
#: Data set -> how many of its samples with a solution; without FULL every so many of them.
COUNTS = {"os-dev": 100, "os-standard": 200, "os-train": 250}
EVERY = 1 if FULL else 12
#: Samples whose solution cannot pass, and why.
KNOWN = {
    "os-standard/data/4/Q09/0": "its init writes to descriptor 123321, above this machine's hard limit",
    "os-standard/data/6/new/5": "its init installs sudo, and there is no network",
    "os-standard/data/6/new/6": "its init installs sudo, and there is no network",
    "os-standard/data/6/new/8": "its init removes sudo with apt, and there is no package database",
    "os-train/train_0317/training/147": "it reads /var/log, which is empty here, and prints nothing",
    "os-train/train_0317/training/242": "it reads /var/log, which is empty here, and prints nothing",
    "os-standard/data/7/bootstrap/0": "it counts all processes, and a check is two more",
}
pytestmark = [needs_sandbox, needs_data]


def solved(task: OperatingSystem, sample: Sample) -> bool:
    """Play the solution as an agent would: run it, and answer what it prints."""
    session = opened(task, sample)
    try:
        output = session.computer.run(_as_script(*sample.target["example"]))
        known = sample.target.get("match", {}).get("answer")
        session.step(answer(printed(output.text) if known is None else known))
        return bool(session.solved)
    finally:
        session.close()


def nothing(task: OperatingSystem, sample: Sample) -> bool:
    for ending in (finish(), answer("")):
        session = opened(task, sample)
        try:
            session.step(ending)
            if session.solved:
                return True
        finally:
            session.close()
    return False


@pytest.mark.parametrize("name", COUNTS)
def test_solutions_pass_and_doing_nothing_does_not(name: str) -> None:
    task = OperatingSystem(name, form="agentbench")
    chosen = [s for s in task.samples("test") if "example" in s.target][: COUNTS[name]][::EVERY]
    failed, idle = [], []
    for sample in chosen:
        try:
            if not solved(task, sample):
                failed.append((sample.id, sample.target["example"]))
            if nothing(task, sample):
                idle.append(sample.id)
        except EnvironmentFault as fault:
            failed.append((sample.id, str(fault)))
    passed = f"{len(chosen) - len(failed)} of {len(chosen)} solutions pass"
    print(f"\n{name}: {passed}; {len(idle)} by doing nothing")
    for told in failed:
        print("  fails:", *told, KNOWN.get(told[0], ""))
    assert not idle
    assert len([told for told in failed if told[0] not in KNOWN]) <= 0.05 * len(chosen)


def test_a_run_of_the_shell_solves_one() -> None:
    """The same by actions alone."""
    task = OperatingSystem("os-standard", form="agentbench")
    sample = next(s for s in task.samples("test") if "hidden files are in /usr?" in s.instruction)
    session = opened(task, sample)
    told = session.step(bash("ls -A /usr | grep -c '^\\.'")).observation
    assert not session.step(answer(str(int(told.split()[-1]) + 2))).observation.startswith("Error")
    assert session.solved  # `ls -a` counts . and .. as well
    session.close()
