"""Direct preference optimisation: pairs of answers in, an adapter (or a tuned model) out.

The run folder is as SFT's (see `tmbr.tuning.sft`). Of a pair only the two answers train, their end of
turn included; what they answer, be it many turns with tools, is rendered as at inference.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmbr.core.pairs import Pair, read_pairs
from tmbr.core.rows import Row, Turn
from tmbr.tuning import run_folder
from tmbr.tuning.masks import IGNORED, ChatTemplate
from tmbr.tuning.memory import fits
from tmbr.tuning.preference_config import DpoConfig
from tmbr.tuning.running import Stopped, evaluated, last_loss, save, train
from tmbr.tuning.setup import (
    arguments,
    base_model,
    check_machine,
    check_some,
    held_out,
    lora,
    stored_dtype,
)
from tmbr.tuning.validation import Evaluator

if TYPE_CHECKING:
    from tmbr.core.fingerprint import Fingerprint
    from tmbr.core.types import Message
    from tmbr.tuning.callbacks import Clock
    from tmbr.tuning.dpo_trainer import SiblingTrainer


@dataclass(frozen=True, slots=True)
class Example:
    """A pair as tokens. chosen_from, rejected_from: where the answer begins, which goes to the end."""

    id: str
    chosen_ids: list[int]
    chosen_from: int
    rejected_ids: list[int]
    rejected_from: int


@dataclass(slots=True)
class Encoded:
    """All pairs as tokens. dropped: ids of those longer than `max_length`; alike: of those whose
    answers are the same tokens."""

    examples: list[Example] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    alike: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DpoResult:
    """What came out of a run. folder: the adapter or model, inside the run folder. pairs: that fitted,
    held-out ones among them. dropped, alike: see `Encoded`. kept, validated: see
    `tmbr.tuning.running.Trained`. seconds: of the last call.

    eval_loss, accuracy, margin: of held-out samples, None without any; accuracy: the share of pairs of
    which the chosen answer has the higher implied reward; margin: by how much, in units of beta × nats.
    """

    folder: str
    updates: int
    loss: float
    eval_loss: float | None
    accuracy: float | None
    margin: float | None
    pairs: int
    tokens: int
    trained_tokens: int
    dropped: tuple[str, ...]
    alike: tuple[str, ...]
    kept: int
    validated: float | None
    stopped: Stopped
    seconds: float


def run(config: DpoConfig, data: Path, out: Path, evaluator: Evaluator | None = None) -> DpoResult:
    """Tune on a file of pairs, in the run folder `out`. evaluator: asked every `evaluate_every`
    updates.

    Raises ConfigError, DataError, or Diverged when the loss is no longer a number; whatever happens,
    the last whole checkpoint stays, and the same call goes on from it.
    """
    began = time.monotonic()
    pairs = read_pairs(data)
    run_folder.check(config, data, out)
    if there := run_folder.result(DpoResult, out):
        return there
    with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # of TRL and PEFT, not ours
        model, tokenizer, base = _start(config)
    template = ChatTemplate(tokenizer, config.chat_template)
    encoded = encode(pairs, template, config.max_length)
    check_some(encoded, data, config.max_length)
    with (
        warnings.catch_warnings(category=FutureWarning, action="ignore"),  # of TRL and PEFT, not ours
        fits(config, four_bit=True),
    ):
        trainer, clock = make_trainer(config, model, template, encoded.examples, out)
        run_folder.claim(config, data, out)
        trained = train(config, trainer, clock, out, evaluator)
        measured = evaluated(config, trainer)
    if config.adapter is not None:
        trainer.model.delete_adapter("ref")  # the copy that TRL has kept as the reference
    folder = save(config, trainer, base, out)
    examples = encoded.examples
    tokens = sum(len(e.chosen_ids) + len(e.rejected_ids) for e in examples)
    result = DpoResult(
        folder=folder.name,
        updates=trainer.state.global_step,
        loss=last_loss(trainer),
        eval_loss=measured.get("eval_loss"),
        accuracy=measured.get("eval_rewards/accuracies"),
        margin=measured.get("eval_rewards/margins"),
        pairs=len(examples),
        tokens=tokens,
        trained_tokens=tokens - sum(e.chosen_from + e.rejected_from for e in examples),
        dropped=tuple(encoded.dropped),
        alike=tuple(encoded.alike),
        kept=trained.kept,
        validated=trained.validated,
        stopped=trained.stopped,
        seconds=round(time.monotonic() - began, 1),
    )
    run_folder.finish(result, out)
    return result


def _start(config: DpoConfig) -> tuple[Any, Any, Fingerprint]:
    """The policy as it begins, its tokenizer, and what the base is known by."""
    from tmbr.tuning import adapter
    from tmbr.tuning.base import fingerprint

    if config.adapter is None:
        model, tokenizer = base_model(config)
        return model, tokenizer, fingerprint(config.model, model, tokenizer)
    check_machine(config)
    tuned, tokenizer = adapter.load(
        config.model,
        Path(config.adapter),
        stored_dtype(config),
        trainable=True,
        four_bit=config.four_bit,
        attention=config.attention,
    )
    adapter.set_dropout(tuned, config.dropout)
    return tuned, tokenizer, fingerprint(config.model, tuned.get_base_model(), tokenizer)


def encode(pairs: Sequence[Pair], template: ChatTemplate, max_length: int) -> Encoded:
    """Tokenise pairs; one of which either side is too long is left out whole."""
    result = Encoded()
    for pair in pairs:
        chosen = _answered(pair, pair.chosen, template, max_length)
        rejected = _answered(pair, pair.rejected, template, max_length)
        if chosen is None or rejected is None:
            result.dropped.append(pair.id)
        elif chosen == rejected:
            result.alike.append(pair.id)
        else:
            result.examples.append(Example(pair.id, *chosen, *rejected))
    return result


def _answered(
    pair: Pair, answer: Message, template: ChatTemplate, max_length: int
) -> tuple[list[int], int] | None:
    """The conversation up to the end of an answer, and where that begins; None where it is too long."""
    turns = (*map(Turn, pair.prompt), Turn(answer, 1.0))
    example = template.answer(Row(pair.id, turns, pair.tools), max_length)
    if example is None:
        return None
    start = next(at for at, label in enumerate(example.labels) if label != IGNORED)
    return example.input_ids, start


def make_trainer(
    config: DpoConfig, model: Any, template: ChatTemplate, examples: Sequence[Example], out: Path
) -> tuple[SiblingTrainer, Clock]:
    """The trainer of a run, about to start, and the clock that may stop it."""
    from transformers import PrinterCallback

    from tmbr.tuning.callbacks import Clock, Journal, SamplerEpoch
    from tmbr.tuning.dpo_trainer import Collate, SiblingTrainer

    held = held_out([example.id for example in examples], config.eval_fraction, config.seed)
    trained = [example for example in examples if example.id not in held]
    evaluation = [example for example in examples if example.id in held]
    new = config.method == "lora" and config.adapter is None
    padding = template.tokenizer.pad_token_id
    clock = Clock(config.max_minutes)
    trainer = SiblingTrainer(
        reference_free=config.reference_free,
        model=model,
        args=_arguments(config, out, evaluate=bool(evaluation)),
        data_collator=Collate(padding if isinstance(padding, int) else 0),  # attended to by none
        train_dataset=_dataset(trained),
        eval_dataset=_dataset(evaluation) if evaluation else None,
        processing_class=template.tokenizer,
        peft_config=lora(config, model) if new else None,
        callbacks=[Journal(out / "metrics.jsonl"), SamplerEpoch(), clock],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer, clock


def _arguments(config: DpoConfig, out: Path, evaluate: bool) -> Any:
    from trl import DPOConfig

    weights = list(config.loss_weights or [1.0] * len(config.loss))
    sft = bool(config.sft_weight)
    return DPOConfig(
        **arguments(config, out, evaluate),
        activation_checkpointing=config.gradient_checkpointing,
        max_length=None,
        disable_dropout=config.dropout == 0,
        beta=config.beta,
        loss_type=[*config.loss, *(["sft"] if sft else [])],
        loss_weights=[*weights, *([config.sft_weight] if sft else [])],
        label_smoothing=config.label_smoothing,
        f_divergence_type=config.divergence,
        ld_alpha=config.ld_alpha,
        use_weighting=config.weighting,
        precompute_ref_log_probs=config.precompute_reference or config.reference_free,
    )


def _dataset(examples: Sequence[Example]) -> Any:
    from datasets import Dataset

    columns = ("chosen_ids", "chosen_from", "rejected_ids", "rejected_from")
    rows = [asdict(example) for example in examples]
    return Dataset.from_dict({name: [row[name] for row in rows] for name in columns})
