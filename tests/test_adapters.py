"""Our worlds as Gymnasium's and as TRL's environments, checked by the frames' own means."""

from __future__ import annotations

import pytest
from transformers.utils import get_json_schema

from tmbr.adapters import gymnasium_env, trl_environment, trl_rows
from tmbr.cli.tasks import TASKS, make_task
from tmbr.core.errors import ConfigError
from tmbr.core.protocols import Task
from tmbr.core.types import Message
from tmbr.tasks.household import Household


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_gymnasium_accepts_it(name: str) -> None:
    checker = pytest.importorskip(
        "gymnasium.utils.env_checker", reason="gymnasium, of the extra `gym`, is not installed"
    )
    checker.check_env(gymnasium_env(make_task(name, "generated", "text"), "validation"))


def test_an_episode_is_played_to_its_reward() -> None:
    pytest.importorskip("gymnasium", reason="gymnasium, of the extra `gym`, is not installed")
    task = Household()
    env = gymnasium_env(task, "validation")
    for sample in range(5):
        seen, told = env.reset(options={"sample": sample})
        assert told["sample"] == f"generated-validation-{sample}"
        messages = task.messages(task.samples("validation")[sample], seen)
        rewards, ended, limit = [], False, False
        while not (ended or limit):
            said = task.expert(messages)
            seen, reward, ended, limit, _ = env.step(said.content)
            rewards.append(reward)
            messages += [said, Message("user", seen)]
        assert (ended, limit, rewards[-1]) == (True, False, 1.0)
        assert set(rewards[:-1]) <= {0.0}
    env.reset(options={"sample": 0})
    turns = [env.step("no action") for _ in range(3)]
    assert [turn[2] for turn in turns] == [False, False, True]
    env.close()


def test_a_seed_draws_the_sample() -> None:
    pytest.importorskip("gymnasium", reason="gymnasium, of the extra `gym`, is not installed")
    env = gymnasium_env(Household(), "validation")
    drawn = [env.reset(seed=seed)[1]["sample"] for seed in (1, 2, 3, 1)]
    assert drawn[0] == drawn[3]
    assert len(set(drawn)) > 1


def tooled(name: str) -> Task:
    return make_task(name, "generated", "agentbench")


# Mind2Web's questions are answered in text, in AgentBench too.
@pytest.mark.parametrize("name", [name for name in TASKS if name != "webpages"])
def test_tools_are_methods_whose_schema_is_read_back(name: str) -> None:
    task = tooled(name)
    made = trl_environment(task)()
    for told in task.open(task.samples("train")[0]).tools:
        function = told["function"]
        read = get_json_schema(getattr(made, function["name"]))["function"]
        assert read["name"] == function["name"]
        assert read["description"] == function["description"]
        assert set(read["parameters"].get("properties", {})) == set(
            function["parameters"]["properties"]
        )
        for key, schema in function["parameters"]["properties"].items():
            assert read["parameters"]["properties"][key]["type"] == schema["type"]


def test_trl_plays_by_calling_methods() -> None:
    task = tooled("household")
    rows = trl_rows(task, "train", 4)
    assert [row["sample"] for row in rows] == [0, 1, 2, 3]
    environment = trl_environment(task)()
    for row in rows:
        assert "Your task is to:" in environment.reset(**row)
        assert environment.get_reward() == 0.0
        for turn in Household(form="agentbench").game(task.samples("train")[row["sample"]]).walkthrough:
            environment.take_action(action=turn)
        assert environment.get_reward() == 1.0
        assert environment.take_action(action="look") == "The episode is over."


def test_a_form_without_tools_is_one_line() -> None:
    with pytest.raises(ConfigError, match="has no tools; use form: agentbench"):
        trl_environment(Household())
