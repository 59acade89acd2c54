"""How often a generation waits for a GPU, counted on the CPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from evolving import advance, evolution
from torch.overrides import TorchFunctionMode

from evofool.encodings.direct import encoding as direct


class Waits(TorchFunctionMode):
    """Counts what would wait for a GPU: values that are read on the host."""

    READS = ("cpu", "item", "tolist", "__bool__", "__int__", "__float__", "__index__", "nonzero", "numpy")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        only_on_a_cpu = name == "numpy" and not kwargs.get("force")
        masked = name in ("__getitem__", "__setitem__") and any(
            isinstance(index, torch.Tensor) and index.dtype == torch.bool
            for index in (args[1] if isinstance(args[1], tuple) else args[1:2])
        )
        if masked or (name in self.READS and not only_on_a_cpu):
            self.found.append(name)
        return func(*args, **kwargs)


@pytest.mark.parametrize(
    ("precision", "waits"),
    [
        ("float32", ["cpu", "__bool__"]),  # admissions; whether scores are sound, when all is there already
        ("bfloat16", ["cpu", "cpu", "__bool__", "__bool__"]),  # who is to be confirmed, too
    ],
)
def test_a_generation_waits_for_a_gpu_for_its_admissions(
    precision: str, waits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "LOOP_DEVICES", set())  # variation as on a GPU
    run = evolution(precision=precision, selector="weak")
    found, before = [], 0
    for generation in range(1, 16):
        with Waits() as counted:
            progress = run.step()
        anew = generation & (generation - 1) == 0  # elites are scored again
        entered = progress.confirmations > before if precision == "bfloat16" else progress.improved
        if entered and not anew:
            found.append(counted.found)
        before = progress.confirmations
    assert len(found) > 3
    assert all(each == waits for each in found)


def test_emitters_wait_once_for_all_their_searches() -> None:
    run = evolution("cppn", batch=64, emitters=("vary", "restart", "refine"))
    advance(run, 40)
    waits = []
    for _ in range(20):
        with Waits() as counted:
            progress = run.step()
        waits.append((run.search.proposer, counted.found))
        assert progress.generation & (progress.generation - 1)  # elites are not scored again
    assert {turn for turn, _ in waits} == {"vary", "restart", "refine"}
    for turn, found in waits:
        begun = found.count("numpy") - 1 if turn == "restart" else 0  # a new lineage reads what is there, once
        assert found == (["cpu", "__bool__"] if turn == "vary" else ["numpy"] * begun + ["cpu", "__bool__", "numpy"])
        assert begun <= 3
