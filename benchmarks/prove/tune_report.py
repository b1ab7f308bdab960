"""What `benchmarks.prove.tune` says of the models that it has measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from benchmarks.prove.verdicts import crossed
from benchmarks.rows import Row, row
from tmbr.evaluation.intervals import Interval

STEPS = ("dpo", "ppo", "grpo")
CONTROLS = ("continued", "rejection")
#: What SFT does to wrong turns is read from these, and the base.
SFTS = ("sft", "whole", "coached")
WAYS = ("react", "multibranch")


@dataclass(frozen=True, slots=True)
class Measured:
    """A model: success on validation, and which test samples it solved by react and multibranch; wrong,
    sampled: the share of react's test turns that were malformed or refused, greedy, and (None where not
    asked) at temperature 1."""

    validation: float
    react: list[int]
    multibranch: list[int]
    wrong: float
    sampled: float | None = None

    def told(self) -> dict[str, Any]:
        """As JSON, each sample a digit."""
        digits = {way: "".join(map(str, getattr(self, way))) for way in WAYS}
        return {**asdict(self), **digits}

    @classmethod
    def read(cls, told: dict[str, Any]) -> Measured:
        return cls(**{**told, **{way: [int(digit) for digit in told[way]] for way in WAYS}})


def verdicts(world: str, chains: Sequence[dict[str, Measured]]) -> Iterator[Row]:
    """The bars, over all seeds and test samples."""
    for name in SFTS:
        for way, how in (("wrong", "greedy"), ("sampled", "at temperature 1")):
            share = [fmean(getattr(one[who], way) for one in chains) for who in (name, "base")]
            told = f"{world}: {name}'s wrong turns, of the base's, {how}"
            yield row(told, share[0] / share[1], bar="<= 0.2")
    chosen = max(STEPS, key=lambda step: fmean(one[step].validation for one in chains))
    for other in ("sft", *(f"{control}-{chosen}" for control in CONTROLS)):
        for way in WAYS:
            name = f"{world}, {way}: {chosen} (chosen) less {other}"
            mean, (low, _) = difference(chains, chosen, other, way)
            yield row(f"{name}, points", 100 * mean)
            yield row(f"{name}, lower end", 100 * low, bar="> 0" if way == "react" else None)
    for step in STEPS:
        for other in ("sft", *(f"{control}-{step}" for control in CONTROLS)):
            if step != chosen:
                mean, (low, _) = difference(chains, step, other, "react")
                yield row(f"{world}, react: {step} less {other}, points", 100 * mean)
                yield row(f"{world}, react: {step} less {other}, lower end", 100 * low)


def difference(
    chains: Sequence[dict[str, Measured]], ours: str, theirs: str, way: str
) -> tuple[float, Interval]:
    """Of success, paired by seed and sample; and its 95% interval over both."""
    pairs = [zip(getattr(one[ours], way), getattr(one[theirs], way), strict=True) for one in chains]
    by_seed = [[a - b for a, b in pair] for pair in pairs]
    return fmean(map(fmean, by_seed)), crossed(by_seed)


def shares(models: dict[str, Measured]) -> dict[str, Any]:
    """What a reader of the result looks at."""
    return {
        name: {
            "validation": one.validation,
            **{way: round(fmean(getattr(one, way)), 4) for way in WAYS},
            "wrong_turns": round(one.wrong, 4),
            **({} if one.sampled is None else {"wrong_turns_sampled": round(one.sampled, 4)}),
        }
        for name, one in models.items()
    }
