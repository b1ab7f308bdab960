"""What the built-in tasks share: names, splits, the prompt, and earlier turns."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.cli.tasks import TASKS, load
from tmbr.core.errors import ConfigError
from tmbr.core.types import Completion, Message
from tmbr.tasks.base import FormTask, split_seed

SPLITS = ("train", "validation", "test")


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from([None, 3, 7]))
def test_seeds_of_splits_never_meet(one: int, other: int, apart: int | None) -> None:
    seeds = [split_seed(split, one, SPLITS, apart) for split in SPLITS]
    others = [split_seed(split, other, SPLITS, apart) for split in SPLITS]
    for at, seed in enumerate(seeds):
        assert not {seed} & set(others[:at] + others[at + 1 :])
        assert (seed == others[at]) == (one == other)


@pytest.mark.parametrize("name", TASKS)
def test_a_wrong_name_gets_the_nearest(name: str) -> None:
    made = load(name)
    with pytest.raises(ConfigError, match=r"no form 'agentbensh' of the .*; did you mean 'agentbench'"):
        made(form="agentbensh")
    with pytest.raises(ConfigError, match=r"no .* data 'generatd'; did you mean 'generated'"):
        made(data="generatd")
    with pytest.raises(ConfigError, match=r"no split 'tets' of the .*; did you mean 'test'"):
        made().samples("tets")


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_earlier_turns_are_read_as_the_world_reads_them(name: str, form: str) -> None:
    task, rng = load(name)(form=form), Random(0)
    assert isinstance(task, FormTask)
    said = [
        Message("user", "what is asked"),
        task.form.write("so", *_move(task, rng)),
        Message("user", "x"),
    ]
    said += [Message("assistant", "I do not know."), Message("user", "y")]
    first, turns = task.turns(said)
    action = task.parse(Completion(said[1].content, said[1].tool_calls))
    assert first == "what is asked"
    assert [(a and a.key, heard) for a, heard in turns] == [(action.key, "x"), (None, "y")]


def _move(task: FormTask, rng: Random) -> tuple[object, ...]:  # type: ignore[type-arg]
    """What the task's form writes beside a thought."""
    from tmbr.tasks.webpages.forms import Choice

    return {
        "household": ("look",),
        "webshop": ("search_action", "a mug"),
        "webpages": (Choice("B", "CLICK"),),
        "operating_system": ("bash_action", "ls"),
        "database": ("execute_sql", "SELECT 1"),
        "knowledge_graph": ("count", {"variable": f"#{rng.randint(0, 9)}"}),
    }[task.name]
