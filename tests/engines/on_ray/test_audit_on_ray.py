"""An audit on a cluster finds what one in this process does, and queries are paid once, wherever they are asked."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from audit_records import untimed
from campaigns import archive
from clusters import ON_RAY, without_engine
from plain import PlainTarget
from runs import assert_same_run, small_evolve, tree
from support import tiny_target
from torch import Tensor

import evofool
from evofool.jobs.run import RunStep
from evofool.store.ledger import FolderLedger
from evofool.targets.queries.policy import TryAgain

pytestmark = [pytest.mark.usefixtures("cluster"), pytest.mark.timeout(600)]

TIMED = (
    "audit.csv", "audit.json", "metrics.jsonl", "state.npz", "previous.npz", "parts.jsonl", "report.html", "index.html",
)  # fmt: skip
"""Files into which a clock writes."""

IN_ANY_ORDER = ("outcomes.jsonl", "outcomes.csv", "confidence.svg")
"""Files in which attempts stand in the order in which they ended."""


def test_an_audit_on_two_workers_has_the_figures_and_files_of_one_in_this_process(tmp_path: Path) -> None:
    data, seen = archive(tmp_path / "photos.npz", 60), set[str]()

    def look(step: Any) -> None:
        part = step.step
        engine = getattr(part, "engine", None) or getattr(getattr(part, "evolution", None), "engine", None)
        if engine is not None and hasattr(engine, "facts"):
            assert len(engine.facts().workers) <= 2
            seen.add(step.title)

    options: dict[str, Any] = {"data": data, "budget": 3_000, "seed": 1}
    evofool.audit(tiny_target(), out=tmp_path / "here", **options)
    evofool.audit(tiny_target(), out=tmp_path / "there", **options, **ON_RAY, observer=look)
    assert seen >= {"fooling images by CPPNs", "fooling images by direct pixels"}
    assert untimed(tmp_path / "there") == untimed(tmp_path / "here")
    for run in ("here", "there"):
        without_engine(tmp_path / run)
    ours, theirs = tree(tmp_path / "there"), tree(tmp_path / "here")
    assert sorted(ours) == sorted(theirs)
    assert {"real.npz", "noise.npz", "outcomes.jsonl"} <= {Path(name).name for name in ours}
    assert {name for name in ours if ours[name] != theirs[name] and not name.endswith(TIMED + IN_ANY_ORDER)} == set()
    for name in (name for name in ours if name.endswith("outcomes.jsonl")):
        assert sorted(ours[name].splitlines()) == sorted(theirs[name].splitlines())


class Server(PlainTarget):
    """A target that asks a server, which writes down every image that it answers, and refuses every fourth request."""

    micro_batch, fingerprint = 16, "server 1"

    def __init__(self, log: Path) -> None:
        super().__init__("server")
        self.log, self.requests = log, 0

    def confirm(self, images: Tensor) -> Tensor:
        self.requests += 1
        if self.requests % 4 == 0:
            raise TryAgain("busy", after=0.01)
        with self.log.open("a") as file:
            file.write("".join(f"{hashlib.sha256(image.numpy().tobytes()).hexdigest()}\n" for image in images))
        return super().scores(images)


def test_queries_that_workers_ask_a_server_are_counted_and_kept_in_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"encoding": "direct", "batch": 40, "generations": 5, "device": "auto", "precision": None}
    asked: dict[str, list[str]] = {}
    workers: list[int] = []

    def watch(step: RunStep) -> None:
        workers.append(len(step.evolution.engine.facts().workers))  # type: ignore[attr-defined]

    for run, engine in (("here", {}), ("there", {**ON_RAY, "observer": watch})):
        monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / f"cache of {run}"))
        server = Server(tmp_path / f"{run}.log")
        small_evolve(tmp_path / run, target=server, count_queries=True, **options, **engine)
        asked[run] = server.log.read_text().split()
        paid = FolderLedger(tmp_path / run).spent
        assert paid == len(asked[run]) == len(set(asked[run]))
        without_engine(tmp_path / run)
    assert workers[-1] > 0
    assert sorted(asked["there"]) == sorted(asked["here"])
    for run in ("here", "there"):
        (tmp_path / run / "queries.log").unlink()  # Requests that were under way at the same time stand in any order.
    assert_same_run(tmp_path / "there", tmp_path / "here")
    again = Server(tmp_path / "again.log")
    small_evolve(target=again, count_queries=True, **options)
    assert not again.log.exists()  # What was paid by workers is known to the next job.


class Dying(Server):
    """A server's target that ends its worker's process after the server has answered, once."""

    def confirm(self, images: Tensor) -> Tensor:
        answer = super().confirm(images)
        if not (mark := self.log.with_suffix(".dead")).exists() and len(images) > 10:
            mark.touch()
            import os

            os._exit(1)
        return answer


def test_a_query_whose_worker_died_counts_as_paid_and_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    options: dict[str, Any] = {"encoding": "direct", "batch": 40, "generations": 2, "device": "auto", "precision": None}
    target = Dying(tmp_path / "server.log")
    small_evolve(tmp_path / "run", target=target, count_queries=True, **options, **ON_RAY)
    answered = target.log.read_text().split()
    assert FolderLedger(tmp_path / "run").spent >= len(answered) > len(set(answered))
