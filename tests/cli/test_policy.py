"""`tmbr tune ppo` and `grpo`: a tiny model learns what the reward says, also when it is killed."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tests.cli.test_eval import start, wait_for_lines
from tests.support import corridor
from tests.tuning.killing import kill_once
from tests.tuning.policy.playing import PLAYED, grpo, opened, ppo
from tmbr.cli import run as command
from tmbr.cli.policy import tune_policy
from tmbr.core.errors import ConfigError
from tmbr.core.lines import write_lines
from tmbr.core.pairs import Valued, valued_line
from tmbr.core.types import Message
from tmbr.models.reward import LocalReward
from tmbr.reasoning.judges import Reward, Rules
from tmbr.tuning import reward
from tmbr.tuning.checkpoints import Diverged
from tmbr.tuning.policy.networks import Networks
from tmbr.tuning.policy.sampler import Ask
from tmbr.tuning.policy.turns import earned
from tmbr.tuning.preference_config import RewardConfig


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corridor.opener(tmp_path_factory.mktemp("opener") / "base")


def _metrics(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").open()]


#: One at a time: what is decoded together differs from run to run, and with it the last digits.
ALONE = {"rollouts": {**PLAYED["rollouts"], "concurrency": 1}}
LEARNING = {"rounds": 6, "kl": 0.0, "batch_size": 16, "learning_rate": 2e-3, "epochs": 3, **ALONE}


@pytest.mark.parametrize(
    "how",
    [
        {"method": "full", "layout": "shared"},
        {"method": "full", "layout": "shared", "optimizer": "muon", "negative_weight": 0.2},
        {"method": "lora", "layout": "one_base", "rank": 4},
    ],
    ids=["full", "muon", "lora"],
)
def test_ppo_learns_the_way_out(base: Path, tmp_path: Path, how: dict[str, Any]) -> None:
    config = ppo(base, episodes=32, critic_rate=1e-2, **LEARNING, **how)
    result = tune_policy(config, tmp_path)
    told = _metrics(tmp_path)
    assert [line["round"] for line in told] == list(range(1, 7))
    assert told[0]["success"] < 0.4
    assert told[-1]["success"] > 0.8
    assert told[-1]["turns"] < told[0]["turns"]
    assert max(line["mismatch_max"] for line in told) < 1e-3
    assert result.stopped == "rounds"
    assert (tmp_path / result.folder).is_dir()


@pytest.mark.parametrize("groups", ["episodes", "tree"])
def test_grpo_learns_the_way_out(base: Path, tmp_path: Path, groups: str) -> None:
    # Of trees more, and longer: on another processor other tokens are drawn, and any should do.
    tree = {"trunks": 16, "forks": 2, "group": 3, "rounds": 10}
    config = grpo(base, groups=groups, **{**LEARNING, **(tree if groups == "tree" else {"group": 32})})
    tune_policy(config, tmp_path)
    told = _metrics(tmp_path)
    assert told[0]["success"] < 0.4
    assert max(line["success"] for line in told[-3:]) > 0.8


@pytest.mark.parametrize(
    ("method", "layout"),
    [
        *(("lora", layout) for layout in ("shared", "two_bases", "one_base")),
        *(("full", layout) for layout in ("shared", "two_bases")),  # one_base needs adapters
    ],
)
def test_all_layouts_run_and_leave_what_others_load(
    base: Path, tmp_path: Path, method: str, layout: str
) -> None:
    config = ppo(base, method=method, layout=layout, rounds=2, save_every=1, learning_rate=1e-3)
    result = tune_policy(config, tmp_path)
    assert [path.name for path in sorted((tmp_path / "checkpoints").iterdir())] == [
        *("round-00001", "round-00002")
    ]
    assert not list((tmp_path / "rollouts").iterdir())  # a checkpoint has made them needless
    if method == "full":
        AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    else:
        from tmbr.tuning import adapter

        model, _ = adapter.load(str(base), tmp_path / "adapter", torch.float32)
        assert set(model.peft_config) == {"default"}
        assert {path.name for path in (tmp_path / "adapter").iterdir() if path.is_dir()} == set()
    assert tune_policy(config, tmp_path) == result
    with pytest.raises(ConfigError, match="holds a run with another seed"):
        tune_policy(config.model_copy(update={"seed": 7}), tmp_path)


KILLED = """
import sys, torch
from pathlib import Path
from tmbr.cli import policy
torch.set_num_threads(1)
kind = getattr(policy, sys.argv[1])
policy.tune_policy(kind.model_validate_json(sys.argv[2]), Path(sys.argv[3]))
"""


def test_the_last_round_is_measured_also_before_an_evaluation_is_due(
    base: Path, tmp_path: Path
) -> None:
    validation = {"samples": 2, "split": "train"}
    config = grpo(base, rounds=2, evaluate_every=5, validation=validation, **ALONE)
    result = tune_policy(config, tmp_path)
    told = json.loads((tmp_path / "validation.json").read_text())
    assert [*told["success"]] == ["0", "2"]
    assert (result.round, result.validated) == (told["best"], told["success"][str(told["best"])])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ppo", "grpo"])
def test_after_kill_9_the_same_call_ends_with_the_same_curve(
    base: Path, tmp_path: Path, kind: str
) -> None:
    shared = {"rounds": 9, "save_every": 3, "learning_rate": 2e-3, "evaluate_every": 4}
    shared |= {"validation": {"samples": 1, "split": "train", "sampling": {"temperature": 1.0}}}
    shared |= ALONE
    config = (
        ppo(base, layout="two_bases", episodes=4, kl_target=0.01, **shared)
        if kind == "ppo"
        else grpo(base, groups="tree", trunks=2, forks=1, group=2, optimizer="muon", **shared)
    )
    whole = tune_policy(config, tmp_path / "whole")
    out = tmp_path / "killed"
    command = (KILLED, type(config).__name__, config.model_dump_json(), str(out))
    kill_once(lambda: _reached(out, 5), command, out)
    resumed = tune_policy(config, out)
    assert (resumed.round, resumed.validated) == (whole.round, whole.validated)
    ours, theirs = _metrics(out), _metrics(tmp_path / "whole")
    assert [line["round"] for line in ours] == list(range(1, 10))
    for one, other in zip(ours, theirs, strict=True):
        for key in other:
            if not key.startswith("seconds"):
                assert one[key] == pytest.approx(other[key], rel=1e-5, abs=1e-7), (other["round"], key)
    weights = load_file(out / resumed.folder / "model.safetensors")
    for name, weight in load_file(tmp_path / "whole" / whole.folder / "model.safetensors").items():
        torch.testing.assert_close(weights[name], weight, atol=1e-6, rtol=1e-5)


def _reached(out: Path, rounds: int) -> bool:
    path = out / "metrics.jsonl"
    return path.exists() and len(path.read_text().splitlines()) >= rounds


def test_the_best_is_kept_and_patience_ends(base: Path, tmp_path: Path) -> None:
    config = ppo(
        base,
        rounds=50,
        learning_rate=1e-9,
        evaluate_every=1,
        patience=2,
        validation={"samples": 1, "split": "train"},
    )
    result = tune_policy(config, tmp_path)
    assert (result.stopped, result.round, result.rounds) == ("patience", 0, 2)
    kept = load_file(tmp_path / "model" / "model.safetensors")
    for name, weight in load_file(base / "model.safetensors").items():
        torch.testing.assert_close(kept[name], weight, atol=0, rtol=0)


def test_a_judge_is_a_reward_that_sums_up(base: Path, tmp_path: Path) -> None:
    tune_policy(ppo(base, rounds=1, reward="rules"), tmp_path)
    (told,) = _metrics(tmp_path)
    assert 0 < told["return"] <= 1


def test_a_branchs_rewards_begin_at_the_judges_opinion_of_where_it_was_forked(
    base: Path, tmp_path: Path
) -> None:
    config = grpo(base, groups="tree", reward="rules")
    worlds = opened(config, Networks(config), tmp_path)
    judge = Rules()
    try:
        trunk, *branches = worlds.play(0, Ask(1, 1, 2, 3))
        got = {one.trace.id: earned(one.trace, worlds.judged) for one in (trunk, *branches)}
    finally:
        worlds.close()
    assert branches
    for one in branches:
        assert one.trace.finish is not None
        (end,) = asyncio.run(judge.judge(one.trace, [one.trace.finish.leaf]))
        before = sum(reward for node, reward in got[trunk.trace.id] if node <= one.node)
        assert before + sum(reward for _, reward in got[one.trace.id]) == pytest.approx(end.value)


def test_what_a_fault_of_the_world_ended_is_not_forked(base: Path, tmp_path: Path) -> None:
    config = grpo(base, groups="tree")
    worlds = opened(config, Networks(config), tmp_path)
    try:
        (trunk,) = worlds.play(0, Ask(1, 1))
        trace = trunk.trace
        assert len(list(worlds._branches(trace, Ask(1, 1, 1, 2)))) == 2
        assert trace.finish is not None
        trace.finish = replace(trace.finish, status="task error")
        assert not list(worlds._branches(trace, Ask(1, 1, 1, 2)))
    finally:
        worlds.close()


def test_a_reward_model_keeps_its_own_weights_while_its_base_is_trained(
    base: Path, tmp_path: Path
) -> None:
    said = [(Message("user", "Out."), Message("assistant", f"open {door}")) for door in "ab"]
    values = [Valued(str(at), told, float(at)) for at, told in enumerate(said)]
    write_lines(tmp_path / "values.jsonl", map(valued_line, values * 2))
    fast = {"dtype": "fp32", "learning_rate": 1e-2, "eval_fraction": 0, "epochs": 8}
    reward.run(RewardConfig(model=str(base), **fast), tmp_path / "values.jsonl", tmp_path / "reward")
    judge = Reward(LocalReward.load(tmp_path / "reward"))

    config = grpo(base, reward=f"reward={tmp_path / 'reward'}")
    worlds = opened(config, networks := Networks(config), tmp_path)
    try:
        (one,) = worlds.play(0, Ask(1, 1))
        nodes = [node for node, _ in earned(one.trace)]
        expected = [found.value for found in asyncio.run(judge.judge(one.trace, nodes))]
        for _ in range(2):
            got = list(accumulate(worlds.judged(one.trace, nodes)))
            assert got == pytest.approx(expected, abs=1e-5)
            with torch.no_grad():
                for weight in networks.actor_weights.values():
                    weight += 0.1
    finally:
        worlds.close()


@pytest.mark.parametrize("concurrency", [1, 8])
def test_ctrl_c_ends_it_and_the_same_command_goes_on(
    base: Path, tmp_path: Path, concurrency: int
) -> None:
    told = ["samples=1", "group=8", "rounds=300", "dtype=fp32", "method=full", "batch_size=4"]
    told += [f"rollouts.task={corridor.SPEC}", "rollouts.max_tokens=12"]
    told += [f"rollouts.concurrency={concurrency}", "save_every=1"]
    out = tmp_path / "run"
    before: list[dict[str, Any]] = []
    for _ in range(2):
        process = start("tune", "grpo", "--model", str(base), "--out", str(out), *told)
        wait_for_lines(out / "metrics.jsonl", len(before) + 2)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert printed == ""  # and nothing of what libraries say of a machine without a GPU
        assert "gemm_4bit" not in said
        assert said.splitlines()[-1] == "tmbr: interrupted; the same command goes on where it stopped"
        assert not (out / "result.json").exists()
        now = _metrics(out)
        assert [line["round"] for line in now] == list(range(1, len(now) + 1))
        # The last one may be played anew: its checkpoint may not have been written.
        assert now[: len(before[:-1])] == before[:-1]
        assert len(before) < len(now) < 300
        before = now


def test_a_judge_that_does_not_exist_leaves_the_folder_free(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["--model", str(base), "--out", str(tmp_path / "run"), "dtype=fp32", "method=full"]
    told += [f"rollouts.task={corridor.SPEC}"]
    validation = ["evaluate_every=1", "validation.strategy.judge=rulez"]
    for wrong in (["reward=rulez"], ["rollouts.judge=rulez"], validation):
        assert command(["tune", "grpo", *told, *wrong]) == 2
        assert "no judge 'rulez'; did you mean 'rules'?" in capsys.readouterr().err
        assert not (tmp_path / "run").exists()


def test_a_diverging_run_stops_in_one_line(base: Path, tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="lower learning_rate") as caught:
        tune_policy(ppo(base, learning_rate=1e25, rounds=3), tmp_path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "result.json").exists()


def test_the_clock_stops_it_and_the_result_is_there(base: Path, tmp_path: Path) -> None:
    result = tune_policy(ppo(base, rounds=5000, max_minutes=0.001), tmp_path)
    assert (result.stopped, result.rounds) == ("time", 1)
    assert (tmp_path / "checkpoints" / "round-00001").is_dir()


def test_the_command_and_its_mistakes(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["method=full", "layout=shared", "dtype=fp32", "rounds=1", "samples=1"]
    played = [f"rollouts.task={corridor.SPEC}", "rollouts.max_tokens=12"]
    out = ["--model", str(base), "--out", str(tmp_path / "run")]
    assert command(["tune", "ppo", *told, *played, *out]) == 0
    assert f"model: {tmp_path / 'run' / 'model'}" in capsys.readouterr().out
    for wrong, why in (
        (["layout=share"], "layout"),
        (["rollouts.stratgy=react"], "did you mean 'strategy'?"),
        (["rollouts.strategy=reakt"], "no strategy 'reakt'; did you mean 'react'?"),
        (["method=full"], "under method: full set two_bases or shared"),
        (["model=./nowhere", *played], "cannot load the model './nowhere'"),
        (["adapter=nowhere", *played], "nowhere: no adapter_config.json here"),
    ):
        assert command(["tune", "ppo", "--model", str(base), *wrong, "--out", str(tmp_path / "w")]) == 2
        assert why in capsys.readouterr().err
        assert not (tmp_path / "w" / "config.yaml").exists()
    assert command(["tune", "grpo", "group=1", *out]) == 2
    assert "greater than or equal to 2" in capsys.readouterr().err
