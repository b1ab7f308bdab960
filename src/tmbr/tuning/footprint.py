"""Bytes that a training step holds, found by taking the step on tensors that have a shape but no data.

Imported only from inside `tmbr.tuning.plan`: PyTorch takes seconds.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only


class Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts bytes of the storages that operations make, for as long as they live: now, and the most.

    there: tensors that are there already; views of them are nothing new.
    """

    def __init__(self, there: Iterable[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known = {id(tensor.untyped_storage()) for tensor in there}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        tree_map_only(torch.Tensor, self._seen, result)
        return result

    def _seen(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key = id(storage)
        if key in self._known:
            return
        size = storage.nbytes()
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def activations(
    build: Callable[[int], torch.nn.Module],
    step: Callable[[torch.nn.Module], None],
    layers: int,
    accumulated: bool,
) -> int:
    """The most bytes that a step needs besides weights and gradients.

    build: a model of so many layers on the meta device; step: forward and backward; accumulated: there
    are gradients already when it begins, else they come as activations go. Taken at two small depths:
    what a further layer adds is the same for each.
    """
    few, more = (2, 4) if layers >= 4 else (1, layers)
    first = _peak(build(few), step, accumulated)
    if few == more:
        return first
    slope = (_peak(build(more), step, accumulated) - first) / (more - few)
    return first + round((layers - few) * slope)


def _peak(model: torch.nn.Module, step: Callable[[torch.nn.Module], None], accumulated: bool) -> int:
    with FakeTensorMode():
        _shapes_only(model)
        there = [*model.parameters(), *model.buffers()]
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        if accumulated:
            for parameter in trained:
                parameter.grad = torch.empty(parameter.shape, dtype=parameter.dtype)
                there.append(parameter.grad)
        with Alive(there) as alive:
            step(model)
    gradients: int = 0 if accumulated else sum(p.numel() * p.element_size() for p in trained)
    beyond: int = max(alive.peak - gradients, 0)
    return beyond


def _shapes_only(model: torch.nn.Module) -> None:
    """From the meta device to where every operation runs, still without data."""
    known: dict[int, torch.nn.Parameter] = {}  # tied weights stay tied
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if id(parameter) not in known:
                made = torch.empty(parameter.shape, dtype=parameter.dtype)
                known[id(parameter)] = torch.nn.Parameter(made, parameter.requires_grad)
            module.register_parameter(name, known[id(parameter)])
        for name, buffer in module.named_buffers(recurse=False):
            module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype)
