"""``evofool zoo train`` when it is stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs import Capture, run_cli

from evofool.targets.training import embedded
from evofool.targets.training.recipe import Epoch


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_training_tells_by_its_exit_code(
    stop: signal.Signals, code: int, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "a.safetensors"

    def stopped(*_: object, **__: object) -> Iterator[Epoch]:
        weights.with_name("a.safetensors.training").touch()
        yield Epoch(1, 2, 0.5, 0.9, 1.0)
        signal.raise_signal(stop)
        yield Epoch(2, 2, 0.4, 0.9, 1.0)

    monkeypatch.setattr(embedded, "train", stopped)
    outcome = run_cli(capsys, "zoo", "train", "digits", "--device", "cpu", "--out", weights)
    message = "error: stopped; the epochs so far are kept, and the same command goes on\n"
    assert (outcome.code, outcome.err) == (code, message)
    assert outcome.out.startswith("epoch 1/2")
    assert outcome.out.count("\n") == 1
