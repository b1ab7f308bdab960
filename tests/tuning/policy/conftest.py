from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import corridor


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that opens doors by chance."""
    return corridor.opener(tmp_path_factory.mktemp("opener") / "base")
