"""A MariaDB server of the tests' own: a free port, a data folder of its own, MySQL 8's settings."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import running

MODE = (
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION"
)
COLLATION = "utf8mb4_uca1400_nopad_ai_ci"
PASSWORD = "s3cret-word"


def connect(port: int, **named: Any) -> Any:
    import pymysql

    settings = {"user": "root", "autocommit": True, "charset": "utf8mb4", **named}
    made = pymysql.connect(host="127.0.0.1", port=port, **settings)
    with made.cursor() as cursor:
        cursor.execute(f"SET NAMES utf8mb4 COLLATE {COLLATION}")
        cursor.execute("SET timestamp=UNIX_TIMESTAMP('2024-01-01 12:00:00')")
    return made


def _binary(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install mariadb-server")
    return found


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """The port of a running server; it ends with the block."""
    pytest.importorskip("pymysql", reason="pymysql is not installed: pip install 'tmbr[db]'")
    daemon, install = _binary("mariadbd"), _binary("mariadb-install-db")
    data = folder / "data"
    user = ["--user=root"]
    command = [install, "--no-defaults", *user, f"--datadir={data}", "--skip-test-db"]
    subprocess.run(
        [*command, "--auth-root-authentication-method=normal"], check=True, capture_output=True
    )
    options = {
        "datadir": data, "socket": folder / "s", "pid-file": folder / "pid",
        "bind-address": "127.0.0.1", "innodb-buffer-pool-size": "32M", "sql-mode": MODE,
        "innodb-flush-log-at-trx-commit": 0, "character-set-server": "utf8mb4",
        "collation-server": COLLATION, "group-concat-max-len": 1024, "default-time-zone": "+00:00",
        "max-recursive-iterations": 1000,
    }  # fmt: skip
    flags = [f"--{name}={value}" for name, value in options.items()]
    started = [daemon, "--no-defaults", *user, "--skip-name-resolve", *flags]
    with running(
        lambda port: [*started, f"--port={port}"], folder / "log", lambda port: connect(port).close()
    ) as port:
        yield port
