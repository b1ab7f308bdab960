"""An exported model says the same in every engine, and its card says what it is made of."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.support import corridor, tiny
from tests.tuning.policy.playing import grpo
from tmbr.cli.policy import tune_policy
from tmbr.core.errors import ConfigError
from tmbr.core.pairs import Pair, write_pairs
from tmbr.core.rows import Row, Turn, read_rows, write_rows
from tmbr.core.types import Message
from tmbr.tuning import adapter, dpo, export, reward, sft
from tmbr.tuning.config import SftConfig
from tmbr.tuning.masks import template_message
from tmbr.tuning.preference_config import DpoConfig, RewardConfig

PLACES = ("drawer", "cabinet", "desk", "fridge")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    told = ((Message("user", f"Go to the {place}."), f"Action: go to {place} 1") for place in PLACES)
    write_rows(path, (Row(m.content, (Turn(m), Turn(Message("assistant", a), 1.0))) for m, a in told))
    return path


@pytest.fixture(scope="module", params=["lora", "full"])
def run(request: Any, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a tiny model."""
    folder: Path = tmp_path_factory.mktemp("export")
    base = tiny.write(folder / "base")
    fast = {"dtype": "fp32", "batch_size": 4, "learning_rate": 1e-2, "eval_fraction": 0, "epochs": 25}
    sft.run(SftConfig(model=str(base), method=request.param, **fast), data, folder / "run")
    return folder / "run"


def _prompts(tokenizer: Any, data: Path) -> list[list[int]]:
    return [
        tokenizer.apply_chat_template(
            [template_message(row.turns[0].message)], add_generation_prompt=True, return_dict=False
        )
        for row in read_rows(data)
    ]


def _greedy(model: Any, prompt: list[int]) -> list[int]:
    written = model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=30)
    ids: list[int] = written[0, len(prompt) :].tolist()
    return ids


def test_transformers_and_ctranslate2_say_what_the_tuned_model_says(
    run: Path, data: Path, tmp_path: Path
) -> None:
    ctranslate2 = pytest.importorskip("ctranslate2")
    from ctranslate2.converters import TransformersConverter

    out = export.export(run, tmp_path / "model")
    tuned: Any
    if (run / "adapter").exists():
        tuned, tokenizer = adapter.load(str(run.parent / "base"), run / "adapter", torch.float32)
    else:
        tuned = AutoModelForCausalLM.from_pretrained(run / "model")
        tokenizer = AutoTokenizer.from_pretrained(run / "model")
    prompts = _prompts(tokenizer, data)
    expected = [_greedy(tuned, prompt) for prompt in prompts]
    answers = [row.turns[1].message.content + "<|im_end|>" for row in read_rows(data)]
    assert tokenizer.batch_decode(expected) == answers

    exported, same = AutoModelForCausalLM.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    assert _prompts(same, data) == prompts
    assert [_greedy(exported, prompt) for prompt in prompts] == expected

    TransformersConverter(str(out)).convert(str(tmp_path / "ct2"))
    engine = ctranslate2.Generator(str(tmp_path / "ct2"), compute_type="float32", intra_threads=1)
    found = engine.generate_batch(
        [same.convert_ids_to_tokens(prompt) for prompt in prompts],
        max_length=30,
        include_prompt_in_result=False,
        end_token="<|im_end|>",
        return_end_token=True,
    )
    assert [one.sequences_ids[0] for one in found] == expected


def test_the_card_tells_data_versions_and_results_and_no_path(
    run: Path, data: Path, tmp_path: Path
) -> None:
    row = {"task": "household", "split": "test", "model": "tuned", "strategy": "react", "n": 200}
    row |= {"success": 0.975, "ci95": [0.94, 0.99], "malformed": 0.0, "inadmissible": 0.02}
    out = export.export(run, tmp_path / "model", [row], "bfloat16")
    card = (out / "README.md").read_text()
    assert hashlib.sha256(data.read_bytes()).hexdigest() in card
    assert f"transformers {json.loads((run / 'versions.json').read_text())['transformers']}" in card
    assert (
        "| household | test | tuned | react | 200 | 0.975 (0.940 to 0.990) | 0.0000 | 0.0200 |" in card
    )
    assert str(run.parent) not in card
    assert {file.name for file in out.iterdir()} == {
        *("config.json", "generation_config.json", "model.safetensors", "README.md"),
        *("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"),
    }
    assert json.loads((out / "config.json").read_text())["dtype"] == "bfloat16"
    template = (out / "chat_template.jinja").read_text()
    assert "if true" in template
    assert "{% generation %}" not in template


def test_what_dpo_left_is_exported_too_and_a_reward_model_is_not(tmp_path: Path) -> None:
    base, data = str(tiny.write(tmp_path / "base")), tmp_path / "pairs.jsonl"
    asked, good, bad = Message("user", "go"), Message("assistant", "a"), Message("assistant", "b")
    write_pairs(data, [Pair("p", (asked,), good, bad)])
    told: dict[str, Any] = {"model": base, "dtype": "fp32", "eval_fraction": 0}
    dpo.run(DpoConfig(**told), data, tmp_path / "first")
    config = DpoConfig(**told, adapter=str(tmp_path / "first" / "adapter"))
    dpo.run(config, data, tmp_path / "second")
    card = (export.export(tmp_path / "second", tmp_path / "model") / "README.md").read_text()
    assert "| pairs | 1 |" in card
    assert "adapter: adapter" in card
    assert str(tmp_path) not in card
    reward.run(RewardConfig(**told, method="full"), data, tmp_path / "reward")
    with pytest.raises(ConfigError, match="a reward model writes nothing; give it to a judge"):
        export.export(tmp_path / "reward", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_what_grpo_left_is_exported_too(tmp_path: Path) -> None:
    base = corridor.opener(tmp_path / "base", steps=1)
    tune_policy(grpo(base, rounds=1), tmp_path / "run")
    card = (export.export(tmp_path / "run", tmp_path / "model") / "README.md").read_text()
    assert "| rounds | 1 |" in card
    assert "| data |" not in card
    assert str(Path(corridor.SPEC).parent) not in card


def test_what_is_no_finished_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no config\.yaml in it; give the folder of a finished"):
        export.export(tmp_path, tmp_path / "model")


class _Closed(BaseHTTPRequestHandler):
    """A hub that lets nobody in, and says back what it was told."""

    def do_POST(self) -> None:
        self.send_response(401)
        self.end_headers()
        self.wfile.write(f"bad key {self.headers['Authorization']}".encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Closed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("hub")
def test_a_hub_that_refuses_is_one_line_without_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with pytest.raises(ConfigError, match="the hub answered 401; set HF_TOKEN") as caught:
        export.push(tmp_path, "me/agent")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_hub_that_is_not_there_is_one_line_that_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match=r"try `hf upload --private me/agent .*`") as caught:
        export.push(tmp_path, "me/agent")
    assert "\n" not in str(caught.value)
