"""A finished run → one folder that any engine loads: merged weights, tokenizer, template, model card.

The layout is that of transformers, which vLLM reads as it is, and from which llama.cpp
(`convert_hf_to_gguf.py`) and CTranslate2 (`ct2-transformers-converter`) make their own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tmbr.core import rewards
from tmbr.core.errors import ConfigError, DataError
from tmbr.tuning import adapter
from tmbr.tuning.base import load_base
from tmbr.tuning.chat import unmarked
from tmbr.tuning.run_folder import CONFIG, RESULT, VERSIONS
from tmbr.tuning.whole import whole

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CARD = Path(__file__).parent / "model_card.md.jinja"
#: What the card tells of a result, where the trainer has it, and in which form.
FIGURES = {
    "rows": ("rows", "{:,}"),
    "pairs": ("pairs", "{:,}"),
    "trained_tokens": ("trained tokens", "{:,}"),
    "rounds": ("rounds", "{:,}"),
    "updates": ("updates", "{:,}"),
    "loss": ("last loss", "{:.4f}"),
    "eval_loss": ("loss on held-out samples", "{:.4f}"),
    "accuracy": ("held-out pairs the right way round", "{:.1%}"),
    "success": ("success in the last round", "{:.1%}"),
    "validated": ("success on validation samples", "{:.1%}"),
}


def export(run: Path, out: Path, rows: Sequence[Mapping[str, Any]] = (), dtype: str = "auto") -> Path:
    """Write the model of a run folder as plain safetensors.

    rows: of an evaluation's summary.json, for the card. dtype: `float32`, `bfloat16`, `float16`, or
    `auto` for that in which base or model are stored. Raises ConfigError or DataError.
    """
    record = _record(run)
    if (run / record["result"]["folder"] / rewards.RECORD).exists():
        raise ConfigError(f"{run}: a reward model writes nothing; give it to a judge, reward={run}")
    model, tokenizer = _merged(run, record, dtype)
    with whole(out) as folder:
        model.save_pretrained(str(folder))
        _for_all_engines(tokenizer).save_pretrained(str(folder))
        (folder / "README.md").write_text(_card(out.name, record, rows), encoding="utf-8")
    return out


def push(folder: Path, repository: str) -> str:
    """Upload an exported folder to a hub, private where the repository is new; returns its address.

    The key is HF_TOKEN's or that of `hf auth login`. Raises ConfigError without repeating it.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HTTPError  # type: ignore[attr-defined]

    hub = HfApi()
    try:
        place = hub.create_repo(repository, private=True, exist_ok=True)
        hub.upload_folder(repo_id=place.repo_id, folder_path=str(folder))
    except HfHubHTTPError as error:
        status = error.response.status_code
        hint = "set HF_TOKEN to a key that may write there, then" if status in (401, 403) else "try"
        why = f"the hub answered {status}; {hint}"
    except (HTTPError, OSError, ValueError) as error:
        said = str(error).strip().split("\n")[0].replace(os.environ.get("HF_TOKEN") or "\0", "…")
        why = f"{said}; try"
    else:
        return str(place)
    again = f"hf upload --private {repository} {folder}"
    raise ConfigError(f"{folder} is whole but could not be pushed to {repository!r}: {why} `{again}`")


def _record(run: Path) -> dict[str, Any]:
    """Config, versions and result of a finished run."""
    try:
        return {
            "config": yaml.safe_load((run / CONFIG).read_text("utf-8")),
            "versions": json.loads((run / VERSIONS).read_text("utf-8")),
            "result": json.loads((run / RESULT).read_text("utf-8")),
        }
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        raise ConfigError(
            f"{run}: no {missing} in it; give the folder of a finished `tmbr tune`"
        ) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DataError(f"{run} holds a damaged run: {error}; tune anew") from None


def _merged(
    run: Path, record: Mapping[str, Any], dtype: str
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    folder = run / record["result"]["folder"]
    if record["config"]["method"] == "full":
        return load_base(str(folder), dtype)
    tuned, tokenizer = adapter.load(record["config"]["model"], folder, dtype)
    merged: PreTrainedModel = tuned.merge_and_unload(safe_merge=True)
    return merged, tokenizer


def _for_all_engines(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """Its text stays the same; what engines stumble over is said in another way."""
    template = tokenizer.chat_template
    tokenizer.chat_template = unmarked(template)
    # CTranslate2 wants the name of a first token, also from a model that has none.
    if tokenizer.bos_token is None and "bos_token" not in template:
        tokenizer.bos_token = tokenizer.pad_token or tokenizer.eos_token
    return tokenizer


def _card(name: str, record: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    from jinja2 import Environment, StrictUndefined

    base = str(record["config"]["model"])
    data = record["versions"]["data"]
    result = record["result"]
    page = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    return page.from_string(CARD.read_text("utf-8")).render(
        name=name,
        base=_no_path(base),
        hub_base=None if Path(base).exists() else base,
        data=data and Path(data).name,
        figures=[
            (label, form.format(result[key]))
            for key, (label, form) in FIGURES.items()
            if result.get(key) is not None
        ],
        settings=yaml.safe_dump(_no_path(record["config"]), sort_keys=False).strip(),
        rows=rows,
        **record,
    )


def _no_path(told: Any) -> Any:
    """The same with each path's last part alone: a path tells where, not what, and not to everyone."""
    if isinstance(told, dict):
        return {key: _no_path(value) for key, value in told.items()}
    if isinstance(told, str) and (Path(told).is_absolute() or Path(told).exists()):
        return Path(told).name
    return told
