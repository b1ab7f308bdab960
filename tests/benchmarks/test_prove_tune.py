"""The proof of tuning: its verdicts by hand, its plan, and what is drawn for a step."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.prove import tune_page
from benchmarks.prove.judge import advantage
from benchmarks.prove.loop import World, drawn, kept, mixed, played, won
from benchmarks.prove.tune import learning
from benchmarks.prove.tune_page import differences, models
from benchmarks.prove.tune_plan import CHAINS, PATHS, PLANS, SETTINGS, Plan, update
from benchmarks.prove.tune_report import CONTROLS, SFTS, STEPS, Measured, difference, verdicts
from benchmarks.rows import write

from tmbr.cli.policy import GrpoRun, PpoRun
from tmbr.cli.prefer import DpoRun
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message
from tmbr.evaluation.forecasts import Forecast


def _measured(
    validation: float, react: list[int], wrong: float = 0.1, sampled: float | None = None
) -> Measured:
    return Measured(validation, react, react[:2], wrong, sampled)


def _chain(better: str) -> dict[str, Measured]:
    names = [
        "base",
        "whole",
        "coached",
        "sft",
        *STEPS,
        *(f"{control}-{step}" for control in CONTROLS for step in STEPS),
    ]
    made = {name: _measured(0.4, [0, 1, 0, 0]) for name in names}
    made["sft"] = _measured(0.4, [0, 1, 0, 0], sampled=0.2)
    made["base"] = _measured(0.0, [0, 0, 0, 0], wrong=0.05, sampled=0.8)
    made["whole"] = _measured(0.9, [1, 1, 1, 1], wrong=0.05, sampled=0.1)
    made["coached"] = _measured(0.9, [1, 1, 1, 1], wrong=0.01, sampled=0.04)
    made[better] = _measured(0.6, [1, 1, 1, 1])
    return made


@pytest.mark.parametrize("better", STEPS)
def test_what_is_best_on_validation_is_held_against_its_own_controls(better: str) -> None:
    found = {line["name"]: line for line in verdicts("household", [_chain(better)] * 3)}
    shares = (("sft", 2.0, 0.25), ("whole", 1.0, 0.125), ("coached", 0.2, 0.05))
    assert tuple(name for name, *_ in shares) == SFTS
    for name, greedy, sampled in shares:
        told = f"household: {name}'s wrong turns, of the base's"
        assert found[f"{told}, greedy"]["value"] == pytest.approx(greedy)
        assert found[f"{told}, at temperature 1"]["value"] == pytest.approx(sampled)
        assert found[f"{told}, greedy"]["ok"] is (name == "coached")
        assert found[f"{told}, at temperature 1"]["ok"] is (name != "sft")
    for other in ("sft", f"continued-{better}", f"rejection-{better}"):
        told = f"household, react: {better} (chosen) less {other}"
        assert found[f"{told}, points"]["value"] == 75
        assert found[f"{told}, lower end"]["bar"] == "> 0"
        assert found[f"{told}, lower end"]["ok"]
    for world in PLANS:
        assert sum(bool(line["bar"]) for line in verdicts(world, [_chain(better)])) == 6 + 3


def test_seeds_measured_elsewhere_are_put_together_and_those_of_another_plan_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = _chain("ppo")
    models = {name: one.told() for name, one in chain.items()}
    assert {name: Measured.read(told) for name, told in models.items()} == chain
    for name in ("household-0", "household-2", "database-0"):
        plan = PLANS[CHAINS[name][0]].told()
        write(tmp_path / f"{name}.json", {"plan": plan, "models": models})
    other = replace(PLANS["household"], first=1).told()
    write(tmp_path / "household-1.json", {"plan": other, "models": {}})
    found = learning(PLANS, tmp_path)
    assert list(found["models"]) == ["household-0", "household-2", "database-0"]
    both = [*verdicts("household", [chain] * 2), *verdicts("database", [chain])]
    assert found["rows"] == both
    monkeypatch.setitem(SETTINGS["ppo"], "lam", 0.5)
    assert not learning(PLANS, tmp_path)["models"]


def test_a_difference_is_paired_by_seed_and_sample() -> None:
    ours = _measured(0, [1, 1, 0, 1] * 50)
    chains = [{"a": ours, "b": _measured(0, [0, 1, 0, 0] * 50)}] * 2
    mean, (low, high) = difference(chains, "a", "b", "react")
    assert mean == 0.5
    reach = 1.959964 * 0.5 / 200**0.5
    assert (low, high) == pytest.approx((0.5 - reach, 0.5 + reach), abs=0.01)
    third_has_no_gain = [*chains, {"a": ours, "b": ours}]
    assert difference(third_has_no_gain, "a", "b", "react")[1][0] == 0


def test_the_page_tells_every_model_and_what_each_step_gained() -> None:
    chains = [_chain("ppo"), {**_chain("ppo"), "sft": _measured(0.4, [0, 0, 0, 0], sampled=0.3)}]
    told = models("household", chains).splitlines()
    head = "| household, 2 seeds | react | multibranch | wrong turns, greedy | at temperature 1 |"
    assert told[0] == head
    assert "| base | 0.0% (0.0, 0.0) | 0.0% (0.0, 0.0) | 5.0% | 80.0% |" in told
    assert "| SFT | 12.5% (25.0, 0.0) | 25.0% (50.0, 0.0) | 10.0% | 25.0% |" in told
    assert (
        "| rejection sampling, beside GRPO | 25.0% (25.0, 25.0) | 50.0% (50.0, 50.0) | 10.0% |  |"
        in told
    )
    assert len(told) == 2 + len(chains[0])
    gains = differences([_chain("ppo")], "react").splitlines()
    assert gains[0] == "| react, points more than | SFT | SFT goes on | rejection sampling |"
    nothing, much = "+0.0 (+0.0 to +0.0)", "+75.0 (+25.0 to +100.0)"
    assert [
        f"| + {step} | {' | '.join([gain] * 3)} |"
        for step, gain in (("DPO", nothing), ("PPO", much), ("GRPO", nothing))
    ] == gains[2:]


def test_the_page_has_a_place_for_every_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a copy, and with results made up: the page and its numbers are the repository's."""
    page = tmp_path / "tuning.md"
    page.write_text(tune_page.PAGE.read_text("utf-8"), encoding="utf-8")
    monkeypatch.setattr(tune_page, "PAGE", page)
    monkeypatch.setattr(tune_page, "RESULTS", tmp_path)
    (tmp_path / "tune_learning").mkdir()
    told = {name: one.told() for name, one in _chain("ppo").items()}
    for name, (world, _) in CHAINS.items():
        write(tmp_path / f"tune_learning/{name}.json", {"plan": PLANS[world].told(), "models": told})
    tune_page.main()
    for head in ("| household, 3 seeds | react |", "| database, 1 seed | react |"):
        assert head in page.read_text("utf-8")


def test_a_step_has_as_many_rows_as_episodes_are_learnt_from() -> None:
    for plan in (Plan(), Plan().scaled(0.06)):
        assert plan.rows("ppo") == 2 * plan.ppo_rounds * plan.episodes
        assert plan.rows("grpo") == 2 * plan.grpo_rounds * plan.episodes
        unseen = plan.first + plan.trees
        assert plan.unseen("ppo") == range(unseen, unseen + plan.ppo_rounds * plan.episodes)
        assert plan.unseen("grpo").start == plan.unseen("ppo").stop
        assert plan.rows("dpo") == plan.pairs
        assert plan.episodes % PATHS == 0
    for step in ("ppo", "grpo"):
        size, accumulation = update(step).values()
        assert Plan().episodes % (size * accumulation) == 0
    assert Plan().scaled(0.06).first == Plan().first
    assert Plan().scaled(1) == Plan()


def test_half_is_new_where_anything_is() -> None:
    old, new = (
        [Row(f"{name} {n}", (Turn(Message("assistant", name), 1.0),)) for n in range(4)]
        for name in ("old", "new")
    )
    found = [row.id[:3] for row in mixed(old, new, 12, random.Random(0))]
    assert (found.count("old"), found.count("new")) == (6, 6)
    assert {row.id[:3] for row in mixed(old, [], 12, random.Random(0))} == {"old"}
    assert sorted(drawn(range(3), 6, random.Random(0))) == [0, 0, 1, 1, 2, 2]
    with pytest.raises(AssertionError, match="nothing to draw from"):
        list(drawn([], 1, random.Random(0)))


def test_what_was_played_is_read_again_in_the_order_of_the_samples(tmp_path: Path) -> None:
    told = (World(), "noisy-expert:0.4", "react", range(3, 7), 0, tmp_path)
    first = played(*told)
    assert [trace.sample.id.rpartition("-")[2] for trace in first] == ["3", "4", "5", "6"]
    whole = (tmp_path / "traces.jsonl").read_bytes()
    assert played(*told) == first
    assert (tmp_path / "traces.jsonl").read_bytes() == whole
    assert len(kept(tmp_path / "rows.jsonl", first)) == sum(won(first))


def test_one_judge_against_another_by_hand() -> None:
    came = [True, False] * 4
    ours = [Forecast(0.9 if good else 0.1, good, str(n)) for n, good in enumerate(came)]
    theirs = [Forecast(0.5, good, str(n)) for n, good in enumerate(came)]
    assert advantage(ours, theirs) == (0.5, 0.5)
    assert advantage(theirs, ours) == (-0.5, -0.5)
    assert advantage(ours, ours) == (0.0, 0.0)


@pytest.mark.parametrize(("step", "run"), [("dpo", DpoRun), ("ppo", PpoRun), ("grpo", GrpoRun)])
def test_the_trainers_take_the_settings(step: str, run: type[DpoRun | PpoRun | GrpoRun]) -> None:
    told = run(**SETTINGS[step], model="nano").model_dump()
    assert {key: told[key] for key in SETTINGS[step]} == SETTINGS[step]
