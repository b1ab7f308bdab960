"""The task: own samples, episodes, the teachers, and AgentBench's rules."""

from __future__ import annotations

from random import Random

import pytest

from tests.environments.operating_system.machines import left_behind, needs_sandbox, settles
from tests.tasks.operating_system.playing import answer, bash, finish, opened
from tests.tasks.playing import led, play
from tmbr.core.errors import ConfigError, EnvironmentFault
from tmbr.core.types import Message, Sample
from tmbr.tasks.base import split_seed
from tmbr.tasks.operating_system import OperatingSystem
from tmbr.tasks.operating_system.generate import QUESTIONS, SOLUTIONS, generate
from tmbr.tasks.operating_system.session import CUT, ROUNDS
from tmbr.tasks.operating_system.task import SIZES
from tmbr.tasks.operating_system.wordings import WORDINGS, read


def sample(init: str = "true", start: str | None = None, **target: object) -> Sample:
    setup = {"init": [["bash", init]], "start": start}
    return Sample("own", "operating_system", "test", "Do it.", setup, target or {"check": []})


def one_of_each_kind(split: str) -> list[Sample]:
    found: dict[str, Sample] = {}
    for made in OperatingSystem().samples(split)[:120]:
        found.setdefault(generate(made.setup["seed"]).kind, made)
    assert found.keys() == SOLUTIONS.keys() == WORDINGS.keys()
    return list(found.values())


@needs_sandbox
@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_the_expert_solves_the_generated_samples(form: str) -> None:
    task = OperatingSystem(form=form)
    for made in one_of_each_kind("validation"):
        played = play(task, made, task.expert)
        assert played.score.success, made
        assert len(played.steps) == 3
        assert not played.refused
    assert settles(), left_behind()


@needs_sandbox
def test_the_expert_solves_them_in_spite_of_mistakes_and_slips() -> None:
    task, rng = OperatingSystem(), Random(1)
    solved = 0
    for made in one_of_each_kind("train"):
        left = [True, True, False, False]

        def stumble(messages: list[Message], left: list[bool] = left) -> Message:
            if left and left.pop(0):
                return rng.choice((task.mistake, task.slip))(messages, rng)
            return task.expert(messages)

        solved += play(task, made, stumble).score.success
    assert solved >= len(WORDINGS) - 1  # a slip in a job may do the wrong thing for good


@needs_sandbox
def test_the_walkthrough_solves_and_doing_nothing_does_not() -> None:
    task = OperatingSystem()
    for made in one_of_each_kind("test"):
        assert led(task, made).score.success, made
        for end in (("finish_action", ""), ("answer_action", "no")):
            idle = task.form.write("", *end)
            assert not play(task, made, lambda _, idle=idle: idle).score.success, made


def test_generated_splits_never_meet_and_are_the_same_every_time() -> None:
    seeds = [split_seed(split, index, SIZES) for split in SIZES for index in range(200)]
    assert len(set(seeds)) == len(seeds)
    assert [generate(seed) for seed in seeds[:50]] == [generate(seed) for seed in seeds[:50]]
    told = [OperatingSystem().samples(split)[7] for split in SIZES]
    assert len({one.instruction for one in told}) == len(told)
    assert told == [OperatingSystem().samples(split)[7] for split in SIZES]


def test_every_request_is_read_back_as_it_was_meant() -> None:
    for seed in range(400):
        problem = generate(seed)
        found = read(problem.instruction)
        assert found is not None
        kind, parts = found
        assert kind == problem.kind
        assert SOLUTIONS[kind](parts) == problem.solution
        assert (problem.answer is not None) == (kind in QUESTIONS)


def test_unknown_names_are_config_errors() -> None:
    for wrong in ({"form": "txt"}, {"data": "os-std"}):
        with pytest.raises(ConfigError, match="did you mean"):
            OperatingSystem(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no split 'dev'"):
        OperatingSystem().samples("dev")


@needs_sandbox
def test_output_is_cut_at_800_characters() -> None:
    session = opened(OperatingSystem(form="agentbench"), sample())
    try:
        whole = session.step(bash("printf 'x%.0s' {1..800}")).observation
        assert whole.endswith("x" * 800)
        cut = session.step(bash("printf 'y%.0s' {1..801}")).observation
        assert cut.endswith("\n\n" + "y" * 780 + CUT)
        assert session.step(bash("true")).observation == "The output of the OS is empty."
    finally:
        session.close()


@needs_sandbox
def test_eight_rounds_and_turns_without_an_action_count() -> None:
    session = opened(OperatingSystem(), sample())
    try:
        steps = [session.step(None if at % 2 else bash("echo hi")) for at in range(ROUNDS)]
        assert [step.done for step in steps] == [False] * (ROUNDS - 1) + [True]
        assert steps[0].observation == "hi"
        assert steps[1].admissible is None
        assert steps[-1].status == "task limit reached"
        assert session.step(answer("x")).observation == "The episode is over."
        assert session.solved is None
    finally:
        session.close()


@needs_sandbox
def test_what_the_shell_cannot_do_is_inadmissible() -> None:
    session = opened(OperatingSystem(), sample())
    try:
        told = [session.step(bash(s)).admissible for s in ("nosuch", "echo (", "false", "ls /none")]
        assert told == [False, False, True, True]
    finally:
        session.close()


@needs_sandbox
def test_start_runs_in_the_shell_and_init_beside_it() -> None:
    session = opened(
        OperatingSystem(), sample("cd /tmp; x=1; touch made", "cd /opt; var=7; sleep 50 &")
    )
    begun = "until pgrep sleep > /dev/null; do :; done"  # a child may not be what it executes yet
    try:
        assert session.step(
            bash(f"{begun}; pwd; echo $var$x; ls /tmp; pgrep -c sleep")
        ).observation == ("/opt\n7\nmade\n1")
        fork = session.fork()
        note = "[These processes have ended: sleep 50]\n/opt\n7"
        assert session.step(bash("pwd; echo $var")) == fork.step(bash("pwd; echo $var"))
        assert session.observation == note
        assert fork.step(bash("echo")).observation == "(no output)"
        fork.close()
    finally:
        session.close()


@needs_sandbox
def test_a_failing_init_is_a_fault_that_leaves_nothing() -> None:
    with pytest.raises(EnvironmentFault, match="own: its init script ends with 3, saying 'no luck'"):
        OperatingSystem().open(sample("echo no luck; exit 3"))
    assert settles(), left_behind()


@needs_sandbox
def test_ending_is_judged_once_and_forks_keep_the_verdict() -> None:
    task = OperatingSystem()
    made = sample(check=[["bash", "test -e /tmp/done"]])
    for script, solved in (("touch /tmp/done", True), ("true", False)):
        session = opened(task, made)
        assert session.ends(finish())
        assert session.ends(answer("x"))
        assert not session.ends(bash("exit"))
        session.step(bash(script))
        fork = session.fork()
        assert session.step(finish()).status == "completed"
        assert task.score(made, session, []).success is solved
        assert task.score(made, fork, []).success is False
        fork.step(answer("yes"))
        assert task.score(made, fork, []).success is solved
        assert opened_verdict(fork.fork()) is solved
        fork.close()
        session.close()


def opened_verdict(session: object) -> bool | None:
    from tmbr.tasks.operating_system.session import OperatingSystemSession

    assert isinstance(session, OperatingSystemSession)
    session.close()
    return session.solved
