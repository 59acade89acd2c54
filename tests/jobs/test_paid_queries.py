"""Jobs on targets whose queries cost something: a budget that ends them resumably, and nothing that is paid twice."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain import PlainTarget
from torch import Tensor

import evofool
from evofool.errors import ConfigError, EvofoolError
from evofool.store.ledger import FolderLedger

SETTINGS: dict[str, Any] = {"encoding": "direct", "generations": 6, "batch": 20, "seed": 1}


class Killed(BaseException):
    """What ends the process of a test."""


class Paid(PlainTarget):
    """A target that remembers every image it was asked about, and may end the process before it answers."""

    fingerprint = "paid 1"

    def __init__(self, asked: list[bytes], kill: random.Random | None = None) -> None:
        super().__init__("paid")
        self.asked, self._kill = asked, kill

    def scores(self, images: Tensor) -> Tensor:
        if self._kill and self._kill.random() < 0.6:
            raise Killed
        self.asked += [image.numpy().tobytes() for image in images]
        return super().scores(images)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own."""
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def expected() -> evofool.Result:
    """The undisturbed run."""
    return evofool.evolve(PlainTarget("paid"), **SETTINGS)


def test_a_budget_ends_a_run_resumably_and_is_never_exceeded(tmp_path: Path, expected: evofool.Result) -> None:
    asked: list[bytes] = []
    run = tmp_path / "run"
    result = evofool.evolve(Paid(asked), **SETTINGS, max_queries=50, out=run)
    assert result.interrupted
    assert result.note == "all 50 queries of the budget are spent; nothing is lost, go on with more"
    assert len(asked) == 50 == FolderLedger(run).spent
    smaller = evofool.resume(run, target=Paid(asked), max_queries=20)
    assert smaller.note == "50 queries are spent, more than the budget of 20; nothing is lost, go on with more"
    assert evofool.resume(run, target=Paid(asked), max_queries=50).interrupted  # no more of them, no more queries
    assert len(asked) == 50
    finished = evofool.resume(run, target=Paid(asked), max_queries=1_000)
    np.testing.assert_array_equal(finished.images, expected.images)
    assert (finished.interrupted, finished.note) == (False, None)
    assert len(asked) == len(set(asked)) == evofool.inspect(run)["queries_paid"]
    assert evofool.inspect(run)["max_queries"] == 1_000


def test_nothing_is_paid_twice_however_often_a_run_is_killed(tmp_path: Path, expected: evofool.Result) -> None:
    asked: list[bytes] = []
    kill, run, kills = random.Random(0), tmp_path / "run", 0
    result = None
    while result is None:
        try:
            target = Paid(asked, kill)
            begun = (run / "config.json").exists()
            options = {**SETTINGS, "count_queries": True}
            result = evofool.resume(run, target=target) if begun else evofool.evolve(target, **options, out=run)
        except Killed:
            kills += 1
    assert kills >= 3
    np.testing.assert_array_equal(result.images, expected.images)
    assert len(asked) == len(set(asked))
    assert len(asked) <= FolderLedger(run).spent  # what was under way at a kill counts, since it may have been paid


def test_another_job_on_the_same_target_takes_what_was_paid_for(tmp_path: Path) -> None:
    asked: list[bytes] = []
    evofool.evolve(Paid(asked), **SETTINGS, count_queries=True)
    paid = len(asked)
    evofool.evolve(Paid(asked), **SETTINGS, count_queries=True)
    assert len(asked) == paid
    other = Paid(asked)
    other.fingerprint = "paid 2"
    evofool.evolve(other, **SETTINGS, count_queries=True)
    assert len(asked) == 2 * paid


def test_a_campaign_ends_at_its_budget_and_goes_on_with_a_larger_one(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=np.arange(6) % 4)
    options: dict[str, Any] = {"data": tmp_path / "data.npz", "count": 4, "include_misclassified": True, "queries": 40}
    asked: list[bytes] = []
    campaign = tmp_path / "campaign"
    first = evofool.attack(Paid(asked), **options, max_queries=12, out=campaign)
    assert first.interrupted
    assert len(asked) <= 12
    last = evofool.resume(campaign, target=Paid(asked), max_queries=10_000)
    undisturbed = evofool.attack(PlainTarget("paid"), **options, out=tmp_path / "undisturbed")
    assert not last.interrupted
    assert last.statistics.successes == undisturbed.statistics.successes
    assert len(asked) == len(set(asked)) == FolderLedger(campaign).spent


def test_a_budget_that_ends_within_the_first_generation_is_an_error_that_loses_nothing(tmp_path: Path) -> None:
    asked: list[bytes] = []
    with pytest.raises(ConfigError, match="`max_queries` ends within the first generation"):
        evofool.evolve(Paid(asked), **SETTINGS, max_queries=7, out=tmp_path / "run")
    assert len(asked) == 7 == FolderLedger(tmp_path / "run").spent
    assert not evofool.resume(tmp_path / "run", target=Paid(asked), max_queries=1_000).interrupted
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("limit", [0, -1, "many"])
def test_a_budget_that_cannot_be_is_refused(limit: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`max_queries` must be a whole number of at least 1"):
        evofool.evolve(Paid([]), **SETTINGS, max_queries=limit, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_target_that_always_fails_ends_the_job_in_one_line(tmp_path: Path) -> None:
    class Broken(Paid):
        def scores(self, images: Tensor) -> Tensor:
            raise OSError("quota\nexceeded")

    with pytest.raises(EvofoolError, match=r"target paid failed on \(3, 8, 8\) images: quota$"):
        evofool.evolve(Broken([]), **SETTINGS, count_queries=True, retries=0, out=tmp_path / "run")


@pytest.mark.parametrize("ahead", [False, True])
def test_a_run_that_its_budget_of_queries_ended_goes_on_without_the_answers_that_were_kept(
    ahead: bool, tmp_path: Path
) -> None:
    """The state before the generation that could not be paid is saved, so nothing before it is asked again."""
    asked: list[bytes] = []
    run, options = tmp_path / "run", {**SETTINGS, "ahead": ahead, "concurrency": 2}
    stopped = evofool.evolve(Paid(asked), **options, max_queries=90, out=run)
    assert stopped.evaluations == evofool.inspect(run)["saved"]["evaluations"] == 80
    for file in (tmp_path / "cache").rglob("*.sqlite*"):
        file.unlink()
    finished = evofool.resume(run, target=Paid(asked), max_queries=1_000)
    undisturbed = evofool.evolve(PlainTarget("paid"), **options)
    np.testing.assert_array_equal(finished.images, undisturbed.images)
    twice = len(asked) - len(set(asked))
    assert twice <= 10 + 16  # the generation that was under way, and those elites that are verified


def test_a_run_whose_target_failed_goes_on_from_the_generation_before(tmp_path: Path) -> None:
    asked: list[bytes] = []

    class Gone(Paid):
        def scores(self, images: Tensor) -> Tensor:
            if len(self.asked) >= 60:
                raise OSError("gone")
            return super().scores(images)

    run = tmp_path / "run"
    with pytest.raises(EvofoolError, match="target paid failed"):
        evofool.evolve(Gone(asked), **SETTINGS, out=run)
    assert evofool.inspect(run)["saved"]["evaluations"] >= 20
    finished = evofool.resume(run, target=Paid(asked))
    np.testing.assert_array_equal(finished.images, evofool.evolve(PlainTarget("paid"), **SETTINGS).images)


def test_a_loaded_target_keeps_its_budget_and_counts_in_each_job(tmp_path: Path) -> None:
    """What ``load_target`` was told holds where its target is given to a job, also as a part of an ensemble."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(COUNTED)
    one = evofool.load_target(f"{tmp_path / 'one.py'}:batch", max_queries=60)
    first = evofool.evolve(one, **SETTINGS, out=tmp_path / "first")
    assert first.note == "all 60 queries of the budget are spent; nothing is lost, go on with more"
    assert len((tmp_path / "one.bill").read_text().split()) == 60 == FolderLedger(tmp_path / "first").spent
    more = evofool.load_target(f"{tmp_path / 'one.py'}:batch", max_queries=1_000)
    finished = evofool.resume(tmp_path / "first", target=more)
    assert (finished.interrupted, finished.evaluations) == (False, 120)
    paid = (tmp_path / "one.bill").read_text().split()
    assert len(paid) == len(set(paid)) + 8  # what shows what it returns, when it was loaded again
    two = evofool.load_target(f"{tmp_path / 'two.py'}:batch", count_queries=True)
    both = evofool.Ensemble([evofool.load_target(f"{tmp_path / 'one.py'}:batch", max_queries=90), two])
    assert evofool.evolve(both, **{**SETTINGS, "seed": 2}, out=tmp_path / "both").interrupted
    limited = evofool.evolve(two, **SETTINGS, max_queries=30, out=tmp_path / "limited")
    assert limited.interrupted


COUNTED = """
from pathlib import Path

import numpy as np

weights = np.random.default_rng(0).normal(0, 0.3, (192, 4))

def batch(images):
    with Path(__file__).with_suffix(".bill").open("a") as bill:
        bill.write("".join(f"{image.tobytes().hex()}\\n" for image in images))
    powers = np.exp(images.reshape(len(images), -1) / 255 @ weights)
    return powers / powers.sum(1, keepdims=True)

batch.image_shape = (3, 8, 8)
"""


def test_seeds_go_on_with_a_larger_budget_of_queries(tmp_path: Path) -> None:
    asked: list[bytes] = []
    options = {name: value for name, value in SETTINGS.items() if name != "seed"} | {"gallery": False, "seeds": "0-1"}
    for budget, ended in ((50, True), (1_000, False)):
        sweep = evofool.evolve_seeds(Paid(asked), **options, max_queries=budget, out=tmp_path / "seeds")
        assert sweep.interrupted == ended
    assert len(sweep.runs) == 2


def test_a_loaded_target_that_is_given_to_several_jobs_counts_in_each(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(COUNTED)
    target = evofool.load_target(f"{tmp_path / 'one.py'}:batch", count_queries=True)
    for seed in (1, 2):
        evofool.evolve(target, **{**SETTINGS, "seed": seed}, out=tmp_path / str(seed))
        assert FolderLedger(tmp_path / str(seed)).spent >= 100
