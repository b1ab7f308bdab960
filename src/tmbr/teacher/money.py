"""A limit of money that is never passed: the worst case is set aside before a request is sent.

What is set aside and what is paid go to a journal, in that order. So a killed run loses no count: what
was under way then is taken as spent in full, as the endpoint may have charged it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tmbr.core.errors import ConfigError, TmbrError, nearest, no_file
from tmbr.core.journal import Journal
from tmbr.core.types import Usage

SPENDING = "tmbr.spending"
MILLION = 1_000_000


class MoneySpent(TmbrError):
    """The limit does not allow another request."""


class Price(BaseModel):
    """US dollars a million tokens: read, read from the endpoint's cache, and written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    read: float = Field(alias="in", ge=0)
    cached: float = Field(ge=0)
    written: float = Field(alias="out", ge=0)

    def of(self, usage: Usage) -> float:
        """What a request costs; `prefill` are the prompt's tokens that no cache held."""
        cached = usage.prompt - usage.prefill
        paid = usage.prefill * self.read + cached * self.cached + usage.generated * self.written
        return paid / MILLION


_PRICES = TypeAdapter(dict[str, Price])


def read_prices(path: Path) -> dict[str, Price]:
    """Model -> price, from YAML. Raises ConfigError naming file and key."""
    try:
        return _PRICES.validate_python(yaml.safe_load(path.read_text("utf-8")))
    except FileNotFoundError:
        raise ConfigError(no_file(path)) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read ({' '.join(str(error).split())})") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{path}: {key}: {first['msg']}; a model has `in`, `cached`, `out`") from None


class Account:
    """The purse of a run, from one event loop; what earlier runs spent is read from the journal.

    most: US dollars that may be spent, None is no limit. A request whose worst case does not fit waits
    for others to be paid; when none is under way it raises MoneySpent. A model without a price costs
    nothing where there is no limit, and raises ConfigError where there is one.
    """

    def __init__(self, path: Path, prices: Mapping[str, Price], most: float | None = None) -> None:
        self.spent = 0.0
        self._open: dict[int, float] = {}
        self._prices, self._most = prices, most
        self._number = 0
        self._freed = asyncio.Event()
        self._journal = Journal(path, SPENDING, self._replay)
        for number, worst in [*self._open.items()]:  # a killed run's, which may have been charged
            self._pay(number, worst)

    @property
    def reserved(self) -> float:
        return sum(self._open.values())

    async def reserve(self, model: str, most: Usage) -> _Set:
        worst = self._worst(model, most)
        while self._most is not None and self.spent + self.reserved + worst > self._most:
            if not self._open:
                raise MoneySpent(
                    f"the next request may cost {worst:.4f} US dollars, and {self.spent:.4f} of"
                    f" {self._most:g} are spent; raise --max-usd and the same command goes on"
                )
            self._freed.clear()
            await self._freed.wait()
        self._number += 1
        self._write(self._number, "set", worst)
        self._open[self._number] = worst
        return _Set(self, self._number, model)

    def _worst(self, model: str, most: Usage) -> float:
        if model in self._prices:
            price = self._prices[model]
            dearest = Price(**{"in": max(price.read, price.cached), "cached": 0, "out": price.written})
            return dearest.of(most)
        if self._most is not None:
            raise ConfigError(
                f"no price of {model!r}, so no limit can be kept; {nearest(model, self._prices)}; write"
                " it into the file that `prices` names"
            )
        return 0.0

    def settle(self, number: int, model: str, usage: Usage | None) -> None:
        worst = self._open[number]
        price = self._prices.get(model)
        self._pay(number, worst if usage is None else price.of(usage) if price else 0.0)
        self._freed.set()

    def _pay(self, number: int, paid: float) -> None:
        self._write(number, "paid", paid)
        del self._open[number]
        self.spent += paid

    def _write(self, number: int, what: str, dollars: float) -> None:
        self._journal.append(json.dumps([number, what, dollars]).encode())

    def _replay(self, line: bytes) -> None:
        number, what, dollars = json.loads(line)
        self._number = max(self._number, number)
        if what == "set":
            self._open[number] = dollars
        else:
            self._open.pop(number, None)
            self.spent += dollars

    def close(self) -> None:
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Set:
    """What an account set aside for one request."""

    def __init__(self, account: Account, number: int, model: str) -> None:
        self._account, self._number, self._model = account, number, model

    def settle(self, usage: Usage | None) -> None:
        self._account.settle(self._number, self._model, usage)
