"""A session: what comes after what, on which thread, and what is on disk whatever ends it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from fake_jobs import FakeJob
from plain import PlainTarget
from runs import Killed, interrupt
from torch import Tensor

import evofool
from evofool.jobs import session
from evofool.jobs.session import Session


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let checkpoints and pages be due after every step."""
    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(session, "PAGE_SECONDS", -1.0)


def run(job: FakeJob) -> list[str]:
    """Run a job whose observer is in its diary, and return the diary."""
    Session(job, lambda step: job.tell(f"observe {step}")).run()
    return job.diary


def work_of_the_loop(diary: list[str]) -> list[str]:
    """Return what the loop itself did, without what the writer's thread did meanwhile."""
    return [event for event in diary if not event.startswith(("record", "page", "last"))]


@pytest.mark.usefixtures("always")
def test_a_step_is_recorded_then_observed_then_saved_then_shown(tmp_path: Path) -> None:
    job = FakeJob(tmp_path, steps=2, bits=1)
    diary = run(job)
    assert work_of_the_loop(diary) == [
        "begin",
        *("step 1", "observe 1", "state 1", "bit 1 of page 1"),
        *("step 2", "observe 2", "state 2"),
        "state 2", "bit 1 of last page 2",
        "finish",
    ]  # fmt: skip
    written = [event for event in diary if event not in work_of_the_loop(diary)]
    assert written == ["record 1", "record 2", "page 1", "last page 2"]


@pytest.mark.usefixtures("always")
def test_without_a_folder_the_order_is_the_same_and_nothing_is_saved() -> None:
    assert run(FakeJob(steps=2)) == [
        "begin",
        *("step 1", "record 1", "observe 1", "page 1"),
        *("step 2", "record 2", "observe 2", "page 2"),
        "last page 2",
    ]  # fmt: skip


def test_a_job_in_memory_writes_nothing_and_starts_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before, job, during = threading.enumerate(), FakeJob(), list[threading.Thread]()
    job.on = lambda event: during.extend(threading.enumerate())
    assert Session(job).run() == "done after 3"
    assert {thread.name for thread in during} == {thread.name for thread in before}
    assert job.threads == {threading.current_thread().name}
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("always")
def test_with_a_folder_one_thread_beside_the_loop_writes_and_ends_before_the_job_does(tmp_path: Path) -> None:
    job, alive = FakeJob(tmp_path), list[str]()
    job.on = lambda event: alive.extend(thread.name for thread in threading.enumerate()) if event == "finish" else None
    run(job)
    assert len(job.threads) == 1
    assert job.threads.isdisjoint({threading.current_thread().name, *alive})


def test_checkpoints_and_pages_wait_for_their_time(tmp_path: Path) -> None:
    job = FakeJob(tmp_path, steps=40)
    diary = run(job)
    assert [event for event in diary if event.startswith("state")] == ["state 40"]
    assert [event for event in diary if "page" in event] == ["page 1", "last page 40"]
    assert job.saved() == 40


@pytest.mark.usefixtures("always")
def test_a_refresh_is_done_bit_by_bit_and_the_next_begins_when_it_is_written(tmp_path: Path) -> None:
    diary = work_of_the_loop(run(FakeJob(tmp_path, steps=7, bits=2)))
    bits = [event for event in diary if event.startswith(("step", "bit"))]
    assert bits == [
        *("step 1", "bit 1 of page 1", "step 2", "bit 2 of page 1", "step 3"),
        *("step 4", "bit 1 of page 4", "step 5", "bit 2 of page 4", "step 6"),
        *("step 7", "bit 1 of page 7"),
        *("bit 2 of page 7", "bit 1 of last page 7", "bit 2 of last page 7"),
    ]  # fmt: skip


@pytest.mark.parametrize("gallery", [True, False])
def test_without_a_page_the_files_that_it_would_show_wait_for_checkpoints(
    gallery: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PAGE_SECONDS", -1.0)
    job = FakeJob(tmp_path, bits=1)
    job.gallery = gallery
    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", -1.0)
    assert "bit 1 of page 1" in run(job)
    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", 1e9)
    (tmp_path / "other").mkdir()
    job = FakeJob(tmp_path / "other", bits=1)
    job.gallery = gallery
    assert ("bit 1 of page 3" in run(job)) == gallery


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("always")
def test_a_signal_lets_the_step_end_and_saves_it(stop: signal.Signals, tmp_path: Path) -> None:
    job, handler = FakeJob(tmp_path), signal.getsignal(stop)
    job.on = lambda event: signal.raise_signal(stop) if event == "step 2" else None
    assert Session(job, lambda step: job.tell(f"observe {step}")).run() == "stopped after 2"
    assert work_of_the_loop(job.diary)[-4:] == ["step 2", "observe 2", "state 2", "finish"]
    assert "record 2" in job.diary
    assert job.diary[-2:] == ["last page 2", "finish"]
    assert job.saved() == 2
    assert signal.getsignal(stop) is handler


def test_a_signal_in_memory_stops_the_job_too() -> None:
    assert Session(FakeJob(), lambda step: interrupt() if step == 2 else None).run() == "stopped after 2"


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    job = FakeJob(tmp_path)
    job.on = lambda event: (interrupt(), interrupt()) if event == "step 2" else None
    with pytest.raises(KeyboardInterrupt):
        Session(job).run()
    assert "record 2" not in job.diary
    assert "finish" not in job.diary


@pytest.mark.usefixtures("always")
def test_what_was_recorded_before_an_observer_failed_is_on_disk(tmp_path: Path) -> None:
    job = FakeJob(tmp_path)

    def observe(step: int) -> None:
        if step == 2:
            raise Killed

    with pytest.raises(Killed):
        Session(job, observe).run()
    assert "record 2" in job.diary
    assert "finish" not in job.diary
    assert job.saved() == 1


@pytest.mark.usefixtures("always")
def test_a_failed_write_ends_the_job_with_its_error(tmp_path: Path) -> None:
    job = FakeJob(tmp_path, steps=10**6)

    def fail(event: str) -> None:
        if event == "record 3":
            raise OSError("disk on fire")

    job.on = fail
    with pytest.raises(OSError, match="disk on fire"):
        Session(job).run()
    assert job.done < 10**6
    assert "finish" not in job.diary


def test_a_job_without_steps_left_ends_as_one_that_just_ended(tmp_path: Path) -> None:
    job = FakeJob(tmp_path)
    job.done = 3
    assert run(job) == ["begin", "state 3", "last page 3", "finish"]


@pytest.mark.parametrize("in_torch", [True, False])
def test_beside_what_does_not_run_in_torch_torch_uses_one_thread(
    in_torch: bool, threads: Callable[[int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path))

    class Asked(PlainTarget):
        def scores(self, images: Tensor) -> Tensor:  # Asked through what counts its queries.
            seen.add(torch.get_num_threads())
            return super().scores(images)

    seen, target = set[int](), Asked("asked")
    target.in_torch = in_torch  # type: ignore[attr-defined]
    threads(2)
    evofool.evolve(target, "direct", generations=2, batch=10, count_queries=True)
    assert seen == {2 if in_torch else 1}
    assert torch.get_num_threads() == 2
