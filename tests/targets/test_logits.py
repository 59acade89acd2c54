"""Logits behind probabilities: which targets tell them, and that one query gives both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plain import PlainTarget
from support import tiny_network, tiny_target
from torch import Tensor

import evofool
from evofool.audits.record import read_record
from evofool.engines.local import LocalEngine
from evofool.errors import TargetError
from evofool.store.audit import AuditFolder
from evofool.targets.protocols import gives_logits
from evofool.targets.queries.cache import ScoreCache
from evofool.targets.queries.metered import MeteredTarget
from evofool.targets.queries.policy import Policy

IMAGES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (9, 3, 8, 8), np.uint8))


FILE = """
import numpy as np
from pathlib import Path

weights = np.random.default_rng(0).normal(size=(3 * 8 * 8, 4))

def logits(images):
    with Path(__file__).with_name("asked").open("a") as asked:
        asked.write("1" * len(images))
    return (images.reshape(len(images), -1) / 255 - 0.5) @ weights

def probabilities(images):
    odds = np.exp(logits(images))
    return odds / odds.sum(1, keepdims=True)
"""
"""A user's functions of (B, 8, 8, 3) batches, which count the images they are asked about."""


def by_hand(images: np.ndarray) -> np.ndarray:
    """The logits of (B, 8, 8, 3) images."""
    return (images.reshape(len(images), -1) / 255 - 0.5) @ np.random.default_rng(0).normal(size=(3 * 8 * 8, 4))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own."""
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of the user's."""
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def loaded(file: Path, function: str = "logits", **options: Any) -> Any:
    return evofool.load_target(f"{file}:{function}", image_size=8, **options)


def asked(file: Path) -> int:
    """How many images a user's function was asked about."""
    return len(file.with_name("asked").read_text())


@pytest.mark.parametrize("options", [{}, {"count_queries": True}], ids=["plain", "counted"])
def test_a_function_of_logits_tells_them(options: dict[str, Any], file: Path) -> None:
    target = loaded(file, **options)
    expected = torch.from_numpy(by_hand(IMAGES.permute(0, 2, 3, 1).numpy())).float()
    assert gives_logits(target)
    assert torch.allclose(target.confirm_logits(IMAGES), expected, atol=1e-5)
    assert torch.equal(target.confirm(IMAGES), target.confirm_logits(IMAGES).softmax(1))


@pytest.mark.parametrize("counted", [False, True])
def test_a_module_tells_those_whose_softmax_it_confirms(counted: bool, tmp_path: Path) -> None:
    module: Any = tiny_target()
    target = MeteredTarget(module, ScoreCache(tmp_path / "a.sqlite", 4), Policy()) if counted else module
    assert torch.equal(LocalEngine(target).logits(IMAGES).softmax(1), module.confirm(IMAGES))
    pixels = (IMAGES.float() / 255 - 0.5) / 0.25
    with torch.no_grad():
        assert torch.allclose(target.confirm_logits(IMAGES), tiny_network()(pixels), atol=1e-4)


def test_who_knows_probabilities_alone_says_so(file: Path) -> None:
    probabilities = loaded(file, "probabilities")
    several = tiny_target(outputs="multilabel-logits")
    assert not any(map(gives_logits, (probabilities, several, PlainTarget())))
    for target in (probabilities, several):
        with pytest.raises(TargetError, match=r"returns .*, not the logits of one class among several"):
            target.confirm_logits(IMAGES)


def test_logits_and_probabilities_are_paid_once_in_this_job_or_another(file: Path) -> None:
    shown = 0
    for paid in (len(IMAGES), 0):
        target = loaded(file, count_queries=True)
        before = asked(file)
        logits, scores = target.confirm_logits(IMAGES), target.scores(IMAGES)
        assert torch.equal(logits.softmax(1), scores)
        assert asked(file) - before == paid
        shown += target.spent - paid
    assert asked(file) == shown + len(IMAGES)


def test_logits_that_are_no_numbers_are_refused() -> None:
    class Broken(PlainTarget):
        def confirm_logits(self, images: Tensor) -> Tensor:
            return torch.full((len(images), 4), torch.nan)

    with pytest.raises(TargetError, match="NaN"):
        LocalEngine(Broken()).logits(IMAGES)


def test_an_audit_of_a_function_of_logits_has_all_scores_and_keeps_its_budget(file: Path, tmp_path: Path) -> None:
    data, images = tmp_path / "data.npz", np.random.default_rng(1).integers(0, 256, (60, 8, 8, 3), np.uint8)
    np.savez(data, images=images, labels=by_hand(images).argmax(1))
    options: dict[str, Any] = {"image_size": 8, "count_queries": True, "budget": 1_000}
    skip = ("pixels", "corruptions", "calibration", "perturb")
    result = evofool.audit(f"{file}:logits", data, skip=skip, out=tmp_path / "audit", **options)
    record, said = read_record(result.path), AuditFolder.open(result.path).measured("real")
    assert not record.parts["rejection"].why
    for score in ("msp", "maxlogit", "energy", "entropy"):
        assert record.figures[f"auroc_{score}"].value is not None
    assert np.allclose(np.sort(said["logits"].max(1)), np.sort(by_hand(images).max(1)), atol=1e-4)
    assert asked(file) <= 1_000
