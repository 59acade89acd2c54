"""Forward passes side by side: each on one thread, as many at a time as torch has threads.

Inside a pass torch's threads wait for one another after every layer, and all of them for the slowest. Whole passes wait
for nobody, and what a pass computes does not depend on the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache
from itertools import chain
from threading import Barrier, local
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Result = TypeVar("Result")

_here = local()
"""Has the attribute ``alone`` on threads that run passes."""


def submit(work: Callable[[], Result]) -> Future[Result]:
    """Have something computed on a thread of its own, on which torch uses no other."""
    return _pool(torch.get_num_threads()).submit(work)


def run_side_by_side(forward: Callable[[Tensor], Result], parts: Sequence[Tensor], *, in_turn: bool) -> list[Result]:
    """Run forward passes without gradients, each on one thread, and return their results in order.

    All have ended when this returns, or raises what the first of those that failed has raised.

    Args:
        forward: Runs one pass.
        parts: The images of each.
        in_turn: Whether a pass has to wait for the one before it. It runs on one thread all the same.
    """

    def run(part: Tensor) -> Result:
        with torch.inference_mode():
            return forward(part)

    if hasattr(_here, "alone"):
        return [run(part) for part in parts]
    if in_turn:
        return submit(lambda: [run(part) for part in parts]).result()
    passes = [submit(lambda part=part: run(part)) for part in parts]  # type: ignore[misc]
    wait(passes)
    return [each.result() for each in passes]


def may_run_side_by_side(network: nn.Module, device: torch.device) -> bool:
    """Return whether passes of a network may run side by side here, as far as can be told without running one."""
    compiled = isinstance(network, torch.jit.ScriptModule) or hasattr(network, "_orig_mod")
    alone = device.type != "cpu" or torch.get_num_threads() == 1
    return not alone and not compiled and any(True for _ in network.parameters())


def keeps_nothing(network: nn.Module, run: Callable[[], object]) -> bool:
    """Return whether a pass leaves a network as it was, so that another one beside it can't meet what it left.

    Args:
        network: The network.
        run: Runs one pass.
    """
    before, written = _held_by(network), times_written(network)
    run()
    after = _held_by(network)
    return written == times_written(network) and all(
        one.keys() == other.keys() and all(one[name] is other[name] for name in one)
        for one, other in zip(before, after, strict=True)
    )


def has_hooks(layers: Sequence[nn.Module]) -> bool:
    """Return whether somebody watches passes from inside, and may rely on their order."""
    return any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)


def times_written(network: nn.Module) -> list[int]:
    """Return how often each tensor of a network was written to."""
    tensors = chain(network.parameters(), network.buffers())
    return [tensor._version for tensor in tensors if not tensor.is_inference()]


def _held_by(network: nn.Module) -> list[dict[str, Any]]:
    """Return what every module of a network holds."""
    return [{**vars(layer), **layer._buffers} for layer in network.modules()]


@lru_cache(maxsize=2)
def _pool(threads: int) -> ThreadPoolExecutor:
    """Return threads on which torch uses no other. Torch's number of threads belongs to the thread that sets it."""
    pool, begun = ThreadPoolExecutor(threads, "passes", initializer=_begin), Barrier(threads)
    wait([pool.submit(begun.wait) for _ in range(threads)])
    torch.set_num_threads(threads)  # other new threads take what was set last
    return pool


def _begin() -> None:
    torch.set_num_threads(1)
    _here.alone = torch.get_num_threads() == 1  # a thread that hasn't asked yet takes what others set last


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
