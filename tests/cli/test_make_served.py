"""The project's own model as action maker, behind a real `transformers serve`: it bootstraps itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.serving import serving
from tests.support.teacher import teaching
from tmbr.cli import run
from tmbr.cli.build import model_path
from tmbr.core.store import read_traces


@pytest.mark.slow
def test_its_own_model_is_the_action_maker(tmp_path: Path) -> None:
    for library in ("fastapi", "uvicorn"):
        pytest.importorskip(library, reason=f"{library} of the extra `reference` is not installed")
    with teaching(tmp_path) as (teacher, _), serving(tmp_path) as served:
        told = [f"questions.model=teacher@{teacher}", f"actions.model={model_path('nano')}@{served}"]
        told += [
            "wanted=3",
            "instruct=false",
            "sampling.max_tokens=24",
            "budget.steps=3",
            f"out={tmp_path / 'made'}",
        ]
        assert run(["data", "make", *told]) == 0
    report = json.loads((tmp_path / "made" / "report.json").read_text())
    assert report["solvers"] == {"expert": 3}
    traces = read_traces(tmp_path / "made" / "traces.jsonl")
    assert len(traces) == 3
    for trace in traces:
        assert trace.finish is not None
        assert trace.finish.error is None
        turns = [node for node in trace.nodes if node.sampled]
        assert turns
        assert all(node.completion and node.completion.usage.generated for node in turns)
