"""Memory of PPO's layouts on one small model: `python -m benchmarks.policy_memory`.

Bytes held by weights, gradients and the optimiser after one update of the same conversations, counted
tensor by tensor (they do not depend on the machine), and the peak of the process beside it, each layout
in a process of its own. Writes benchmarks/results/policy_memory.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.rows import RESULTS, Row, row, table, write

LAYOUTS = (
    ("lora", "two_bases"),
    ("lora", "one_base"),
    ("lora", "shared"),
    ("full", "two_bases"),
    ("full", "shared"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--layout", nargs=2, metavar=("METHOD", "LAYOUT"))
    told = parser.parse_args()
    if told.layout:
        print(json.dumps(measure(*told.layout, told.hidden, told.layers)))
        return
    rows: list[Row] = []
    first: dict[str, float] = {}
    for method, layout in LAYOUTS:
        command = [sys.executable, "-m", "benchmarks.policy_memory", "--layout", method, layout]
        sizes = ["--hidden", str(told.hidden), "--layers", str(told.layers)]
        done = subprocess.run([*command, *sizes], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        first.setdefault(method, found["held"])
        rows += [
            row(
                f"{method} {layout} held",
                found["held"],
                "MiB",
                reference=f"{method} two_bases",
                reference_value=first[method],
            ),
            row(f"{method} {layout} weights", found["weights"], "MiB"),
            row(f"{method} {layout} process", found["process"], "MiB"),
        ]
    write(RESULTS / "policy_memory.json", {"hidden": told.hidden, "layers": told.layers, "rows": rows})
    print(table(rows))


def measure(method: str, layout: str, hidden: int, layers: int) -> dict[str, float]:
    """MiB held after one update: of weights, and with gradients and optimiser."""
    import torch
    from tests.support import tiny
    from tests.tuning.policy.test_learner import batch_of

    from tmbr.tuning.policy.actor_critic import ActorCritic
    from tmbr.tuning.policy.config import PpoConfig
    from tmbr.tuning.policy.networks import Networks

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        tiny.write(Path(folder), hidden=hidden, layers=layers, heads=8, kv_heads=8, context=2048)
        config = PpoConfig(
            model=folder, method=method, layout=layout, dtype="fp32", epochs=1, batch_size=4
        )
        learner = ActorCritic(config, Networks(config))
    networks = learner.networks
    step: Any = learner.optimizer.step
    gradients = 0

    def stepped() -> None:
        nonlocal gradients
        every = (networks.actor_weights | networks.critic_weights).values()
        gradients = _bytes(weight.grad for weight in every if weight.grad is not None)
        step()

    learner.optimizer.step = stepped  # type: ignore[method-assign, assignment]
    learner.learn(batch_of([[0.0] * 20 + [1.0]] * 4), 0)
    models = (networks.policy, networks.critic, networks.reference, networks.head)
    held = {
        id(weight): weight for model in models if model is not None for weight in model.parameters()
    }
    weights = _bytes(held.values())
    states = _bytes(
        value
        for state in learner.optimizer.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor)
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    mib = 1 << 20
    return {
        "weights": weights / mib,
        "held": (weights + gradients + states) / mib,
        "process": peak,
    }


def _bytes(tensors: Any) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


if __name__ == "__main__":
    main()
