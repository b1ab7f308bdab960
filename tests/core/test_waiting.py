"""Nothing is left under way when one of several fails."""

from __future__ import annotations

import asyncio

import pytest

from tmbr.core.errors import ModelFault
from tmbr.core.waiting import every


def test_results_are_in_order() -> None:
    async def late(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    assert asyncio.run(every(map(late, (3, 1, 2)))) == [3, 1, 2]


def test_the_first_failure_waits_for_all() -> None:
    ended: list[int] = []

    async def ask(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        ended.append(turns)
        if turns < 3:
            raise ModelFault(f"after {turns}")

    async def run() -> list[int]:
        with pytest.raises(ModelFault, match="after 1"):
            await every(map(ask, (1, 3, 2)))
        return list(ended)

    assert asyncio.run(run()) == [1, 2, 3]
