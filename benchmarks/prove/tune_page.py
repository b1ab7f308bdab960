"""Tables of the proof of tuning: docs/tuning.md, between its marks.

python -m benchmarks.prove.tune_page
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from benchmarks.pages import fill, markdown
from benchmarks.prove.tune import gathered
from benchmarks.prove.tune_plan import PLANS
from benchmarks.prove.tune_report import CONTROLS, STEPS, WAYS, Measured, difference
from benchmarks.rows import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "tuning.md"
NAMES = {"base": "base", "sft": "SFT", "whole": "SFT on more episodes", "coached": "the same, coached"}
NAMES |= {"dpo": "+ DPO", "ppo": "+ PPO", "grpo": "+ GRPO"}
CONTROL_NAMES = {"continued": "SFT goes on", "rejection": "rejection sampling"}
Chains = Sequence[dict[str, Measured]]


def main() -> None:
    for world, chains in gathered(PLANS, RESULTS / "tune_learning").items():
        found = [*chains.values()]
        content = [models(world, found), *(differences(found, way) for way in WAYS)]
        fill(PAGE, f"{world}: made by benchmarks/prove/tune_page.py", "\n\n".join(content))


def models(world: str, chains: Chains) -> str:
    """Success and wrong turns of every model."""
    head = [f"{world}, {len(chains)} seed{'s' * (len(chains) > 1)}", *WAYS]
    head += ["wrong turns, greedy", "at temperature 1"]
    return markdown(head, ([_named(name), *_told(name, chains)] for name in chains[0]))


def differences(chains: Chains, way: str) -> str:
    """Each step less SFT and its own controls, with intervals."""
    head = [f"{way}, points more than", "SFT", *(CONTROL_NAMES[control] for control in CONTROLS)]
    return markdown(head, ([NAMES[step], *_gains(chains, step, way)] for step in STEPS))


def _gains(chains: Chains, step: str, way: str) -> list[str]:
    found = []
    for other in ("sft", *(f"{control}-{step}" for control in CONTROLS)):
        mean, (low, high) = difference(chains, step, other, way)
        found.append(f"{100 * mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})")
    return found


def _named(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    control, step = name.split("-")
    return f"{CONTROL_NAMES[control]}, beside {NAMES[step].removeprefix('+ ')}"


def _told(name: str, chains: Chains) -> list[str]:
    found = [one[name] for one in chains]
    told = [_seeds([fmean(getattr(one, way)) for one in found]) for way in WAYS]
    told.append(_percent(fmean(one.wrong for one in found)))
    sampled = [one.sampled for one in found if one.sampled is not None]
    return [*told, _percent(fmean(sampled)) if sampled else ""]


def _seeds(shares: Sequence[float]) -> str:
    """The mean, and where there are several what it is of."""
    each = f" ({', '.join(f'{100 * share:.1f}' for share in shares)})" if len(shares) > 1 else ""
    return f"{_percent(fmean(shares))}{each}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


if __name__ == "__main__":
    main()
