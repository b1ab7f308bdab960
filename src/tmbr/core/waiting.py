"""Waiting for several at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def every(asked: Iterable[Awaitable[T]]) -> list[T]:
    """All results, in order; or the first failure of that order, when all have ended.

    `asyncio.gather` would leave the others under way, to be paid for and to arrive late.
    """
    answered = await asyncio.gather(*asked, return_exceptions=True)
    found: list[T] = []
    for one in answered:
        if isinstance(one, BaseException):
            raise one
        found.append(one)
    return found
