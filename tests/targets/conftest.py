"""Tuning, for the tests that want it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tuned import Slow

from evofool.targets.execution import trials
from evofool.targets.execution.process import SWITCH


def clocked(function: Callable[..., Any], seconds: Callable[[], float]) -> Callable[..., Any]:
    """Have a function of torch take so long by the clock of :class:`Slow`."""

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        Slow.clock += seconds()
        return function(*arguments, **named)

    return call


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: Callable[[int], None]) -> Path:
    """Tuning is on, with a cache file of its own, on a CPU without bfloat16 whose clock is that of :class:`Slow`.

    Torch has one thread, so that passes follow one another.
    """
    threads(1)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(SWITCH)
    Slow.clock = 0.0
    monkeypatch.setattr(trials, "time", SimpleNamespace(perf_counter=lambda: Slow.clock, monotonic=lambda: Slow.clock))
    for name, seconds in (("batch_norm", lambda: Slow.norm_seconds), ("adaptive_avg_pool2d", lambda: 0.001)):
        monkeypatch.setattr(F, name, clocked(getattr(F, name), seconds))
    return tmp_path / "cache" / "tuning.json"


@pytest.fixture
def real_time(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is the real one, for networks that do not say how long they take."""
    monkeypatch.setattr(trials, "time", time)
    monkeypatch.setattr(trials, "TRIAL_SECONDS", 0.0)
