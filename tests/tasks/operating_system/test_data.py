"""AgentBench's files: what is read, what is left out, and what is said of broken ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tmbr.core.errors import DataError
from tmbr.tasks.operating_system import OperatingSystem
from tmbr.tasks.operating_system.data import SPLITS, left_out, samples
from tmbr.tasks.samples import data_root

ENTRY = {
    "description": " How many? ",
    "create": {"local": "default", "init": [{"file": "init/a.sh"}, "true"]},
    "start": {"code": "cd /"},
    "evaluation": {
        "check": [None, {"language": "python", "file": "check/integer-match.py"}],
        "example": {"code": "echo 1"},
    },
}
needs_data = pytest.mark.skipif(
    not (data_root() / "os_interaction").is_dir(), reason="no os_interaction/ under TMBR_DATA"
)


def files(root: Path, entries: object) -> Path:
    folder = root / "os_interaction/data"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dev.json").write_text(json.dumps(entries))
    return root


def test_an_entry_becomes_a_sample(tmp_path: Path) -> None:
    files(tmp_path, [ENTRY, {"description": "x", "evaluation": {"match": "y"}}])
    assert len(samples("os-dev", tmp_path)) == 1
    assert left_out("os-dev", tmp_path) == ["os-dev/data/dev/0 needs dev/init/a.sh"]
    script = tmp_path / "os_interaction/scripts/dev/init/a.sh"
    script.parent.mkdir(parents=True)
    script.write_text("touch x")
    first, second = samples("os-dev", tmp_path)
    assert first.instruction == "How many?"
    assert first.setup == {"init": [["bash", "touch x"], ["bash", "true"]], "start": "cd /"}
    assert first.target == {
        "check": [None, ["checker", "integer-match"]],
        "example": ["bash", "echo 1"],
    }
    assert second.target == {"match": {"answer": "y", "strip": True}}
    assert first.id == "os-dev/data/dev/0"


def test_broken_files_are_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="TMBR_DATA"):
        samples("os-dev", tmp_path)
    files(tmp_path, [])
    with pytest.raises(DataError, match=r"training\.json: no such file"):
        samples("os-train", tmp_path)
    for broken in ([{"description": "x"}], [5], [{"description": "x", "evaluation": {"check": 5}}]):
        files(tmp_path, broken)
        with pytest.raises(DataError, match=r"entry 0 is no sample") as error:
            samples("os-dev", tmp_path)
        assert "\n" not in str(error.value)
    (tmp_path / "os_interaction/data/dev.json").write_text('[{"desc')
    with pytest.raises(DataError, match="not readable as JSON"):
        samples("os-dev", tmp_path)


@needs_data
def test_the_benchmarks_files_are_read_whole() -> None:
    for name in SPLITS:
        found = OperatingSystem(name).samples("test")
        assert found
        assert len({sample.id for sample in found}) == len(found)
        assert all(sample.instruction and sample.target for sample in found)
        assert all("needs" in told for told in left_out(name, None))
