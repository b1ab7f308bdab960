"""Several budgets in one grid: every strategy is played under each, as `NAME @ 4,000 tokens`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tmbr.config import BudgetConfig, EvalConfig, StrategyConfig


@dataclass(frozen=True, slots=True)
class Way:
    """A strategy under a budget. of: its name in the config, without the budget; None where there is
    only one."""

    strategy: StrategyConfig
    budget: BudgetConfig
    of: str | None = None


def ways(config: EvalConfig) -> dict[str, Way]:
    """By their names in the table, in the order of the config."""
    if not config.budgets:
        return {name: Way(told, config.budget) for name, told in config.strategies.items()}
    budgets = config.every_budget()
    return {
        f"{name} @ {words}": Way(
            told.model_copy(update={"strategy": told.strategy or name}), budget, name
        )
        for name, told in config.strategies.items()
        for words, budget in zip(labels(budgets), budgets, strict=True)
    }


def labels(budgets: Sequence[BudgetConfig]) -> list[str]:
    """What tells each from the others, in words; a limit that is everywhere the same is left out."""
    told = [{key: getattr(budget, key) for key in BudgetConfig.model_fields} for budget in budgets]
    differing = [key for key in BudgetConfig.model_fields if len({one[key] for one in told}) > 1]
    return [" + ".join(_words(key, one[key]) for key in differing or ["tokens"]) for one in told]


def _words(key: str, limit: float | None) -> str:
    return f"any {key}" if limit is None else f"{limit:,} {key}"


def marked(rows: Sequence[dict[str, Any]], played: Mapping[str, Way]) -> None:
    """Let rows say of which strategy they are and under which budget, where there are several."""
    for row in rows:
        label, mark, oracle = row["strategy"].partition(" pass@")
        way = played.get(label)
        if way is not None and way.of is not None:
            row |= {"of": way.of + mark + oracle, "budget": way.budget.model_dump()}
