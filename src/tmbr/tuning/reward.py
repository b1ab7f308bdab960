"""A reward model: pairs and valued conversations in, an adapter with a scalar head out.

The run folder is as SFT's (see `tmbr.tuning.sft`); its adapter/ or model/ is what the judge `reward`
reads. What is tokenised here is what that judge sees: both call `tmbr.core.chat.reading`.
"""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmbr.core.chat import reading
from tmbr.core.errors import ConfigError
from tmbr.core.pairs import Pair, Valued, read_either
from tmbr.core.rewards import RewardRecord
from tmbr.core.rows import Row, Turn
from tmbr.tuning import ranks, run_folder
from tmbr.tuning.masks import ChatTemplate
from tmbr.tuning.memory import fits
from tmbr.tuning.preference_config import RewardConfig
from tmbr.tuning.running import Stopped, evaluated, last_loss, save, train
from tmbr.tuning.setup import arguments, check_machine, check_some, held_out, lora, stored_dtype

if TYPE_CHECKING:
    from tmbr.tuning.callbacks import Clock
    from tmbr.tuning.reward_trainer import PreferenceTrainer


@dataclass(frozen=True, slots=True)
class Example:
    """What the head reads: of a pair both conversations, of a valued one that one alone.

    ends, values: the tokens after which a conversation is valued, and its value there: those that are
    the beginning of another are read with it.
    labels: as long as `chosen_ids`, of a pair's chosen answer, for the language-model loss.
    """

    id: str
    chosen_ids: list[int]
    rejected_ids: list[int] = field(default_factory=list)
    margin: float = 0.0
    ends: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Encoded:
    """All data as tokens. dropped: ids of what is longer than `max_length`; alike: of pairs whose
    answers are the same tokens."""

    examples: list[Example] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    alike: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RewardResult:
    """What came out of a run. folder: the adapter or model, inside the run folder. pairs, valued: that
    fitted, held-out ones among them. dropped, alike: see `Encoded`. kept, validated: see
    `tmbr.tuning.running.Trained`. seconds: of the last call.

    Of the held-out samples, None where there are none of that kind: eval_loss, and accuracy, margin,
    auc, ece, brier: see `tmbr.tuning.reward_trainer.measured`.
    """

    folder: str
    updates: int
    loss: float
    eval_loss: float | None
    accuracy: float | None
    margin: float | None
    auc: float | None
    ece: float | None
    brier: float | None
    pairs: int
    valued: int
    tokens: int
    dropped: tuple[str, ...]
    alike: tuple[str, ...]
    kept: int
    validated: float | None
    stopped: Stopped
    seconds: float


def run(config: RewardConfig, data: Path, out: Path) -> RewardResult:
    """Train a reward model on a file of pairs and valued conversations, in the run folder `out`.

    Raises ConfigError, DataError, or Diverged when the loss is no longer a number; whatever happens,
    the last whole checkpoint stays, and the same call goes on from it.
    """
    ranks.check_whole("a reward model")
    began = time.monotonic()
    pairs, valued = read_either(data)
    run_folder.check(config, data, out)
    if there := run_folder.result(RewardResult, out):
        return there
    check_machine(config)
    from tmbr.tuning.base import fingerprint, load_classifier

    model, tokenizer = load_classifier(config.model, stored_dtype(config), config.seed)
    base = fingerprint(config.model, model, tokenizer)
    template = ChatTemplate(tokenizer, config.chat_template)
    encoded = encode(pairs, valued, template, config)
    check_some(encoded, data, config.max_length)
    with (
        warnings.catch_warnings(category=FutureWarning, action="ignore"),  # of TRL and PEFT, not ours
        fits(config),
    ):
        trainer, clock = make_trainer(config, model, template, encoded.examples, out)
        run_folder.claim(config, data, out)
        trained = train(config, trainer, clock, out, HeldOut(trainer))
        measured = evaluated(config, trainer)
    folder = save(config, trainer, base, out)
    if ranks.first():
        RewardRecord(config.model, any(_heard(told) for told in valued)).write(folder)
    figures = ("accuracy", "margin", "auc", "ece", "brier")
    result = RewardResult(
        folder=folder.name,
        updates=trainer.state.global_step,
        loss=last_loss(trainer),
        eval_loss=measured.get("eval_loss"),
        **{name: measured.get(f"eval_{name}") for name in figures},
        pairs=sum(bool(example.rejected_ids) for example in encoded.examples),
        valued=sum(len(example.values) for example in encoded.examples),
        tokens=sum(len(e.chosen_ids) + len(e.rejected_ids) for e in encoded.examples),
        dropped=tuple(encoded.dropped),
        alike=tuple(encoded.alike),
        kept=trained.kept,
        validated=trained.validated,
        stopped=trained.stopped,
        seconds=round(time.monotonic() - began, 1),
    )
    run_folder.finish(result, out)
    return result


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Measures a reward model under training by what is held out; see `tmbr.tuning.validation`."""

    trainer: Any

    def open(self, model: Any, tokenizer: Any) -> None:
        """The trainer has all that is needed."""

    def evaluate(self) -> float:
        """AUC on the values; accuracy on the pairs where there are none, or all are on one side."""
        measured = self.trainer.evaluate() if self.trainer.eval_dataset is not None else {}
        for name in ("eval_auc", "eval_accuracy"):
            if name in measured:
                return float(measured[name])
        raise ConfigError(
            "evaluate_every: what is held out has no pairs, and no values on both sides of one half;"
            " raise eval_fraction"
        )

    def close(self) -> None:
        """Nothing is open."""


def encode(
    pairs: Sequence[Pair], valued: Sequence[Valued], template: ChatTemplate, config: RewardConfig
) -> Encoded:
    """Tokenise; what is too long is left out whole."""
    result = Encoded()
    read = template.tokenizer
    for pair in pairs:
        chosen = list(reading(read, (*pair.prompt, pair.chosen), pair.tools))
        rejected = list(reading(read, (*pair.prompt, pair.rejected), pair.tools))
        if max(len(chosen), len(rejected)) > config.max_length:
            result.dropped.append(pair.id)
        elif chosen == rejected:
            result.alike.append(pair.id)
        else:
            labels = _labels(pair, chosen, template) if config.lm_weight else []
            example = Example(pair.id, chosen, rejected, pair.margin, labels=labels)
            result.examples.append(example)
    fitting: dict[str, list[tuple[list[int], float]]] = defaultdict(list)
    for told in valued:
        ids = list(reading(read, told.messages, told.tools))
        if len(ids) > config.max_length:
            result.dropped.append(told.id)
        else:
            fitting[told.id].append((ids, told.value))
    for id, content in fitting.items():
        result.examples += _joined(id, content)
    return result


def _joined(id: str, content: Sequence[tuple[list[int], float]]) -> list[Example]:
    """One example of each conversation that is the beginning of no other; sorted, a beginning stands
    before all that go on from it."""
    found: list[Example] = []
    for ids, value in sorted(content):
        goes_on = found and ids[: len(found[-1].chosen_ids)] == found[-1].chosen_ids
        before = found.pop() if goes_on else Example(id, [])
        ends, values = [*before.ends, len(ids) - 1], [*before.values, value]
        found.append(Example(id, ids, ends=ends, values=values))
    return found


def _labels(pair: Pair, ids: Sequence[int], template: ChatTemplate) -> list[int]:
    turns = (*map(Turn, pair.prompt), Turn(pair.chosen, 1.0))
    example = template.answer(Row(pair.id, turns, pair.tools), len(ids))
    if example is None or example.input_ids != list(ids):
        raise ConfigError(
            f"pair {pair.id}: the chat template writes something after the end of an answer, so it"
            " cannot be trained as language; set lm_weight: 0 or choose another `chat_template`"
        )
    return example.labels


def _heard(valued: Valued) -> bool:
    return valued.messages[-1].role != "assistant"


def make_trainer(
    config: RewardConfig, model: Any, template: ChatTemplate, examples: Sequence[Example], out: Path
) -> tuple[PreferenceTrainer, Clock]:
    """The trainer of a run, about to start, and the clock that may stop it."""
    from transformers import PrinterCallback
    from trl import RewardConfig as Arguments

    from tmbr.tuning.callbacks import Clock, Journal, SamplerEpoch
    from tmbr.tuning.reward_trainer import Collate, PreferenceTrainer

    held = held_out([example.id for example in examples], config.eval_fraction, config.seed)
    trained = [example for example in examples if example.id not in held]
    evaluation = [example for example in examples if example.id in held]
    padding = template.tokenizer.pad_token_id
    clock = Clock(config.max_minutes)
    trainer = PreferenceTrainer(
        model=model,
        args=Arguments(
            **arguments(config, out, evaluate=bool(evaluation)),
            activation_checkpointing=config.gradient_checkpointing,
            max_length=None,
            disable_dropout=False,
        ),
        data_collator=Collate(padding if isinstance(padding, int) else 0),  # attended to by none
        train_dataset=_dataset(trained, config),
        eval_dataset=_dataset(evaluation, config) if evaluation else None,
        processing_class=template.tokenizer,
        peft_config=lora(config, model, "SEQ_CLS") if config.method == "lora" else None,
        callbacks=[Journal(out / "metrics.jsonl"), SamplerEpoch(), clock],
    )
    trainer.value_weight, trainer.margin = config.value_weight, config.margin
    trainer.center = config.center
    if config.lm_weight:
        trainer.lm_weight, trainer.lm_head = config.lm_weight, _lm_head(config)
    trainer.remove_callback(PrinterCallback)
    return trainer, clock


def _lm_head(config: RewardConfig) -> Any:
    from tmbr.tuning.base import load_base

    causal, _ = load_base(config.model, stored_dtype(config))
    return causal.get_output_embeddings().weight.detach()  # type: ignore[no-untyped-call]


def _dataset(examples: Sequence[Example], config: RewardConfig) -> Any:
    from datasets import Dataset

    columns = [
        "chosen_ids",
        "rejected_ids",
        "margin",
        "ends",
        "values",
        *(["labels"] if config.lm_weight else []),
    ]
    rows = [asdict(example) for example in examples]
    content = {name: [row[name] for row in rows] for name in columns}
    return Dataset.from_dict({"number": list(range(len(rows))), **content})
