"""Actor, critic and reference in memory: as adapters on one base, on two, or as one shared trunk.

Imported only from inside a run: PyTorch takes seconds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from tmbr.core.fingerprint import Fingerprint
from tmbr.core.pretrained import check_writer, loading
from tmbr.tuning import adapter, ranks
from tmbr.tuning.base import fingerprint, load_base
from tmbr.tuning.masks import ChatTemplate
from tmbr.tuning.policy.config import PolicyConfig, PpoConfig
from tmbr.tuning.policy.turns import Strand
from tmbr.tuning.setup import lora, stored_dtype
from tmbr.tuning.whole import whole

#: PEFT's own name for a first adapter: what is saved by it lies where others look for it.
ACTOR, CRITIC, REFERENCE = "default", "critic", "reference"
AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Networks:
    """The trained policy and what learning needs beside it.

    policy: what is trained, a PEFT or a transformers model; causal: the transformers model inside it,
    of which the sampler draws. head: of the critic, None where there is none.
    """

    def __init__(self, config: PolicyConfig) -> None:
        """Raises ConfigError where there is no such model or adapter, or one of another base."""
        if config.adapter is not None:
            check_writer(config.adapter)
        model, self.tokenizer = load_base(config.model, stored_dtype(config))
        self.config = config
        self.base: Fingerprint = fingerprint(config.model, model, self.tokenizer)
        self.device = torch.accelerator.current_accelerator() or torch.device("cpu")
        self.policy: Any = self._adapted(model, ACTOR) if config.method == "lora" else model
        if config.adapter is not None and (config.adapter / "tokenizer_config.json").is_file():
            from transformers import AutoTokenizer

            self.tokenizer = AutoTokenizer.from_pretrained(config.adapter)
        self.template = ChatTemplate(self.tokenizer, config.chat_template)
        self.reference = self._reference()
        self.critic: Any = None
        self.head: torch.nn.Linear | None = None
        if isinstance(config, PpoConfig):
            self.critic, self.head = self._critic()
        for made in (self.policy, self.critic, self.reference, self.head):
            if isinstance(made, torch.nn.Module):
                adapter.set_dropout(made, config.dropout)
                made.to(self.device)
                made.eval()
        if config.gradient_checkpointing:
            for made in (self.policy, self.critic):
                if made is not None:
                    _causal(made).gradient_checkpointing_enable({"use_reentrant": False})
        self.actor_weights, self.critic_weights = self._weights()

    @property
    def causal(self) -> Any:
        return _causal(self.policy)

    def _adapted(self, model: Any, name: str) -> Any:
        """A base with a trainable adapter: a new one, or the one to start from."""
        from peft import PeftModel, get_peft_model

        if self.config.adapter is None:
            return get_peft_model(model, lora(self.config, model), adapter_name=name)
        self.base.check(self.config.adapter)
        with loading(f"the adapter {str(self.config.adapter)!r}"):
            return PeftModel.from_pretrained(
                model, str(self.config.adapter), adapter_name=name, is_trainable=True
            )

    def _beside(self, name: str, trained: bool) -> None:
        """One more adapter on the policy's base, which begins as the policy does."""
        if self.config.adapter is None:
            self.policy.add_adapter(name, self.policy.peft_config[ACTOR])
        else:
            self.policy.load_adapter(str(self.config.adapter), name, is_trainable=trained)
        self.policy.set_adapter(ACTOR)

    def _reference(self) -> Any:
        """A frozen copy of the whole model; of adapters, the base without one, or the first one."""
        if not self.config.kl:
            return None
        if self.config.method == "full":
            return copy.deepcopy(self.policy).requires_grad_(False)
        if self.config.adapter is not None:
            self._beside(REFERENCE, trained=False)
        return None

    def _critic(self) -> tuple[Any, torch.nn.Linear]:
        """The critic's own model, if it has one, and its head, whose first values are all 0."""
        assert isinstance(self.config, PpoConfig)
        head = torch.nn.Linear(self.causal.config.hidden_size, 1, dtype=torch.float32)
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
        if self.config.layout == "one_base":
            self._beside(CRITIC, trained=True)
        if self.config.layout != "two_bases":
            return None, head
        if self.config.method == "full":
            return copy.deepcopy(self.policy).requires_grad_(True), head
        model, _ = load_base(self.config.model, stored_dtype(self.config))
        return self._adapted(model, CRITIC), head

    def _weights(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Trained parameters by name, of the actor and of the critic."""
        own = f".{CRITIC}."
        trained = dict(self.policy.named_parameters())
        if self.config.method == "lora":
            actor = {name: trained[name] for name in trained if f".{ACTOR}." in name}
            critic = {name: trained[name] for name in trained if own in name}
        else:
            actor, critic = trained, {}
        if self.critic is not None:
            critic = {
                f"critic.{name}": weight
                for name, weight in self.critic.named_parameters()
                if weight.requires_grad
            }
        if self.head is not None:
            critic |= {f"head.{name}": weight for name, weight in self.head.named_parameters()}
        return actor, critic

    @contextmanager
    def as_critic(self) -> Iterator[Any]:
        """The model whose hidden states the head reads."""
        assert self.head is not None
        assert isinstance(self.config, PpoConfig)
        if self.config.layout != "one_base":
            yield self.policy if self.critic is None else self.critic
            return
        self.policy.set_adapter(CRITIC)
        try:
            yield self.policy
        finally:
            self.policy.set_adapter(ACTOR)

    @contextmanager
    def as_reference(self) -> Iterator[Any]:
        if self.config.method == "full":
            yield self.reference
        elif self.config.adapter is None:
            with self.policy.disable_adapter():
                yield self.policy
        else:
            self.policy.set_adapter(REFERENCE, inference_mode=True)
            try:
                yield self.policy
            finally:
                self.policy.set_adapter(ACTOR)

    def autocast(self) -> AbstractContextManager[Any]:
        kind = AUTOCAST.get(self.config.dtype)
        return torch.autocast(self.device.type, kind) if kind else nullcontext()

    def hidden(self, model: Any, content: list[Strand]) -> Tensor:
        """Last hidden states at the places from which the sampled tokens are predicted, strand by
        strand, in order: [tokens, hidden size]."""
        rows = [torch.tensor(strand.ids) for strand in content]
        ids = pad_sequence(rows, batch_first=True).to(self.device)
        mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).to(self.device)
        predicted = torch.zeros(ids.shape, dtype=torch.bool)
        for row, strand in enumerate(content):
            for start, end in strand.spans:
                predicted[row, start - 1 : end - 1] = True
        with self.autocast():
            out = _causal(model).base_model(input_ids=ids, attention_mask=mask, use_cache=False)
        states: Tensor = out.last_hidden_state[predicted.to(self.device)]
        return states

    def logits(self, model: Any, states: Tensor) -> Tensor:
        """[tokens, vocabulary], fp32."""
        with self.autocast():
            found: Tensor = _causal(model).get_output_embeddings()(states)
        return found.float()

    def values(self, states: Tensor) -> Tensor:
        """[tokens], fp32."""
        assert self.head is not None
        found: Tensor = self.head(states.float()).squeeze(-1)
        return found

    def save(self, out: Path) -> Path:
        """Write the policy as others load it: an adapter or a model, with its tokenizer."""
        if self.config.method == "lora":
            adapter.save(self.policy, self.tokenizer, self.base, out / "adapter")
            return out / "adapter"
        with whole(out / "model") as aside:
            if ranks.first():
                self.policy.save_pretrained(str(aside))
                self.tokenizer.save_pretrained(str(aside))
        return out / "model"


def sampled(content: list[Strand]) -> Tensor:
    """Ids of the sampled tokens, in the order of `Networks.hidden`."""
    return torch.tensor(
        [id for strand in content for start, end in strand.spans for id in strand.ids[start:end]]
    )


def _causal(model: Any) -> Any:
    """The transformers model inside a PEFT model, or the model itself."""
    from peft import PeftModel

    return model.get_base_model() if isinstance(model, PeftModel) else model
