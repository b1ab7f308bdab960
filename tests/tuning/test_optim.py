"""Muon and AdamW as one optimiser."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from tests.support import tiny
from tmbr.tuning.optim import MuonAdamW, muon_groups


def test_matrices_of_the_blocks_are_muons_and_all_else_is_adamws(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny.write(tmp_path))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    matrices, rest = muon_groups(model)
    assert {names[id(p)].split(".")[-2] for p in matrices} == {
        *("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    }
    assert {names[id(p)].split(".")[-2] for p in rest} == {
        *("embed_tokens", "lm_head", "norm", "input_layernorm", "post_attention_layernorm")
    }
    assert len(matrices) + len(rest) == len(names)


def test_it_goes_on_from_its_saved_state_under_a_schedule(tmp_path: Path) -> None:
    folder = tiny.write(tmp_path / "base")
    ids = torch.arange(40).reshape(2, 20)

    def steps(model: torch.nn.Module, optimizer: MuonAdamW, count: int) -> list[float]:
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
        losses = []
        for _ in range(count):
            loss = model(input_ids=ids, labels=ids).loss
            loss.backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        return losses

    model = AutoModelForCausalLM.from_pretrained(folder)
    optimizer = MuonAdamW(model, lr=1e-2, weight_decay=0.1)
    first = steps(model, optimizer, 4)
    assert first[-1] < first[0] - 1
    assert {round(group["lr"], 6) for group in optimizer.param_groups} == {0.002}

    model.save_pretrained(tmp_path / "at 4")
    torch.save(optimizer.state_dict(), tmp_path / "optimizer.pt")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "at 4")
    restored = MuonAdamW(again, lr=1.0)
    restored.load_state_dict(torch.load(tmp_path / "optimizer.pt", weights_only=True))
    assert steps(again, restored, 3) == steps(model, optimizer, 3)
