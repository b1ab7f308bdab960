"""`tmbr doctor`: every part is named, nothing secret is shown, and what is missing has its mend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tmbr.cli.doctor import EXTRAS, SERVERS, findings


def test_every_part_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMBR_DATA", str(tmp_path))
    (tmp_path / "alfworld").mkdir()
    lines = list(findings())
    for what in EXTRAS.values():
        assert any(line.startswith(f"{what}: ") for line in lines)
    for variable in SERVERS:
        assert any(line.startswith(f"{variable}: ") for line in lines)
    assert f"TMBR_DATA: {tmp_path} holds alfworld; see `tmbr data check`" in lines
    assert any(line.startswith("sandbox: ") for line in lines)


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMBR_MYSQL", "mysql://me:secret@db.example:3306")
    told = "\n".join(findings())
    assert "secret" not in told
    assert "TMBR_MYSQL: mysql://***@db.example:3306" in told


def test_what_is_not_installed_has_its_mend() -> None:
    code = (
        "import importlib.metadata as m; known = m.version\n"
        "def version(name):\n"
        "    if name == 'sqlglot': raise m.PackageNotFoundError(name)\n"
        "    return known(name)\n"
        "m.version = version\n"
        "import sys; from tmbr.cli import run; sys.exit(run(['doctor']))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0
    assert "the database: lacks sqlglot; pip install 'tmbr[db]'" in process.stdout
