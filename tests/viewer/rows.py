"""Rows of a summary as an evaluation writes them."""

from __future__ import annotations

from typing import Any


def row(strategy: str, success: float, **more: Any) -> dict[str, Any]:
    return {
        **{"task": "household", "split": "test", "data": "generated", "model": "tuned"},
        **{"strategy": strategy, "access": "none", "n": 200, "success": success, "score": success},
        **{"ci95": (success - 0.06, success + 0.06), "malformed": 0.011, "inadmissible": 0.024},
        **{"statuses": {"completed": 136, "task limit reached": 60, "task error": 4}},
        **{"steps": 12.4, "steps_on_forks": 0.0, "tokens_in": 5312.1, "tokens_out": 241.0},
        **{"prefill_computed": 1210.5, "seconds": None},
        **more,
    }
