"""Processes that are killed while they pay for queries: what was paid is counted by the function that is asked."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Child
from plain import PlainTarget
from runs import LONG
from torch import Tensor

import evofool
from evofool.audits.record import read_record
from evofool.store.ledger import FolderLedger

pytestmark = pytest.mark.timeout(3600 if LONG else 300)

KILLS = 100 if LONG else 5
ROWS = 4
"""Images of one question, which is what may be under way at a kill."""

SETTINGS: dict[str, Any] = {"encoding": "direct", "generations": 300 if LONG else 40, "batch": 20, "seed": 1}


class Billed(PlainTarget):
    """A target with a bill: a line for every image that it answered, and an exception in every fifty calls."""

    fingerprint = "billed 1"
    micro_batch = ROWS

    def __init__(self, bill: Path, seconds: float = 0.0) -> None:
        super().__init__("billed")
        self.bill, self.calls, self._seconds = bill, 0, seconds

    def confirm(self, images: Tensor) -> Tensor:
        self.calls += 1
        if self.calls % 50 == 0:
            raise ConnectionError("now and then")
        time.sleep(self._seconds)
        scores = super().confirm(images)
        lines = "".join(f"{hashlib.sha256(image.numpy().tobytes()).hexdigest()}\n" for image in images)
        bill = os.open(self.bill, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(bill, lines.encode())
        os.close(bill)
        return scores


def test_no_query_is_paid_twice_but_what_was_under_way_at_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    expected = evofool.evolve(PlainTarget("billed"), **SETTINGS)
    rng, run, bill, kills, ended = np.random.default_rng(0), tmp_path / "run", tmp_path / "bill", 0, False

    def work() -> None:
        target = Billed(bill, seconds=0.01)
        if (run / "config.json").exists():
            evofool.resume(run, target=target, gallery=False)
        else:
            evofool.evolve(target, **SETTINGS, count_queries=True, out=run, gallery=False)

    while not ended:
        child = Child(work)
        if kills < KILLS:
            time.sleep(rng.uniform(0.05, 0.5))
            child.stop(signal.SIGKILL)
        outcome = child.end()
        killed = outcome.code == -signal.SIGKILL
        kills, ended = kills + killed, not killed
        assert killed or outcome.code == 0, outcome
    paid = Counter(bill.read_text().split())
    twice = sum(paid.values()) - len(paid)
    print(f"{kills} kills, {sum(paid.values())} images paid, {twice} of them twice")
    result = evofool.resume(run, target=Billed(bill), gallery=False)
    np.testing.assert_array_equal(result.images, expected.images)
    assert kills >= (KILLS if LONG else 3)
    assert twice <= kills * ROWS
    assert sum(paid.values()) <= FolderLedger(run).spent


def test_an_audit_with_a_budget_asks_no_more_than_that_however_often_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    path, bill, kills, budget = tmp_path / "audit", tmp_path / "bill", 0, 5_000 if LONG else 1_500
    images = np.random.default_rng(2).integers(0, 256, (150, 3, 8, 8), np.uint8)
    np.savez(tmp_path / "photos.npz", images=images, labels=np.arange(150) % 4)
    options: dict[str, Any] = {"data": tmp_path / "photos.npz", "budget": budget}
    rng, ended = np.random.default_rng(0), False

    def work() -> None:
        target = Billed(bill, seconds=0.002)
        if (path / "config.json").exists():
            evofool.resume(path, target=target)
        else:
            evofool.audit(target, out=path, **options)

    while not ended:
        child = Child(work)
        if kills < KILLS:
            time.sleep(rng.uniform(0.3, 0.8))
            child.stop(signal.SIGKILL)
        outcome = child.end()
        killed = outcome.code == -signal.SIGKILL
        kills, ended = kills + killed, not killed
        assert killed or outcome.code == 0, outcome
    paid = Counter(bill.read_text().split())
    assert kills >= 2
    assert 0.8 * budget < sum(paid.values()) <= FolderLedger(path).spent <= budget
    assert sum(paid.values()) - len(paid) <= kills * ROWS
    record = read_record(path)
    done = {name for name, part in record.parts.items() if part.status == "done"}
    assert {"fooling", "rejection", "calibration"} <= done
