"""One real server for all the tests that compare with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.environments.database.mariadb import server


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with server(tmp_path_factory.mktemp("mariadb")) as number:
        yield number
