from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import endpoint
from tmbr.core.errors import ConfigError
from tmbr.core.types import Context, Message, Sampling, Usage
from tmbr.models.remote import RemoteModel
from tmbr.teacher.money import Account, MoneySpent, Price, read_prices

PRICES = {"m": Price(**{"in": 10, "cached": 1, "out": 30})}


def worst(prompt: int, generated: int) -> Usage:
    return Usage(prompt, generated, prompt)


def test_prices_are_read_and_wrong_ones_named(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("gpt-4: {in: 30, cached: 30, out: 60}\n")
    assert read_prices(path)["gpt-4"].of(Usage(1_000_000, 500_000, 1_000_000)) == 60
    path.write_text("gpt-4: {in: 30, out: 60}\n")
    with pytest.raises(ConfigError, match=r"prices\.yaml: gpt-4\.cached"):
        read_prices(path)


def test_what_the_cache_held_has_its_own_price() -> None:
    assert PRICES["m"].of(Usage(prompt=1_000_000, prefill=400_000)) == pytest.approx(4 + 0.6)


@given(st.integers(0, 2**32), st.floats(0.001, 0.2))
def test_the_limit_is_never_passed(seed: int, most: float) -> None:
    """Requests of any size, at once: what is spent and what is set aside stay below the limit."""
    rng = Random(seed)
    highest = 0.0

    async def request(account: Account) -> bool:
        nonlocal highest
        usage = worst(rng.randrange(2000), rng.randrange(500))
        try:
            payment = await account.reserve("m", usage)
        except MoneySpent:
            return False
        highest = max(highest, account.spent + account.reserved)
        await asyncio.sleep(0)
        used = Usage(rng.randint(0, usage.prompt), rng.randint(0, usage.generated))
        payment.settle(None if rng.random() < 0.2 else used)
        return True

    async def many(path: Path) -> float:
        with Account(path, PRICES, most) as account:
            await asyncio.gather(*(request(account) for _ in range(40)))
            assert account.reserved == 0
            return account.spent

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spending.jsonl"
        spent = asyncio.run(many(path))
        assert highest <= most + 1e-12
        with Account(path, PRICES, most) as again:
            assert again.spent == pytest.approx(spent)


def test_what_a_killed_run_had_under_way_is_taken_as_spent(tmp_path: Path) -> None:
    path = tmp_path / "spending.jsonl"
    account = Account(path, PRICES, 1.0)
    asyncio.run(account.reserve("m", worst(10_000, 10_000)))
    account._journal.close()  # as a kill leaves it
    with Account(path, PRICES, 1.0) as again:
        assert again.spent == pytest.approx(0.4)
        assert again.reserved == 0


def test_a_limit_needs_the_model_s_price(tmp_path: Path) -> None:
    with (
        Account(tmp_path / "s.jsonl", PRICES, 1.0) as account,
        pytest.raises(ConfigError, match="no price of 'n'"),
    ):
        asyncio.run(account.reserve("n", worst(1, 1)))


def paid(script: list[endpoint.Behaviour], path: Path) -> list[float]:
    """What each attempt of one request cost, in order."""

    async def ask(url: str) -> None:
        with Account(path, PRICES) as account:
            model = RemoteModel("m", url, timeout=0.3, backoff=0.01, purse=account)
            try:
                await model.complete(
                    Context(Message("user", "hello")), (), 1, Sampling(max_tokens=100), 0
                )
            finally:
                await model.aclose()

    with endpoint.serving(*script) as served:
        asyncio.run(ask(served.url))
    rows = [eval(line) for line in path.read_text().splitlines()[1:]]
    return [dollars for _, what, dollars in rows if what == "paid"]


def test_a_refused_attempt_costs_nothing_and_a_cut_one_all_that_was_set_aside(tmp_path: Path) -> None:
    script = [endpoint.refuses(429, "slow down"), endpoint.cut, endpoint.nothing, endpoint.ok]
    refused, cut, silent, answered = paid(script, tmp_path / "spending.jsonl")
    assert refused == 0
    assert cut == silent > 100 * 30 / 1e6
    assert answered == pytest.approx((6 * 10 + 4 * 1 + 3 * 30) / 1e6)
