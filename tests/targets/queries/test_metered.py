"""Queries that cost something are counted, kept, limited, and never paid twice."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from evofool.errors import OutOfQueries, TargetError
from evofool.store.ledger import FolderLedger
from evofool.targets.queries.cache import ScoreCache
from evofool.targets.queries.metered import MeteredTarget
from evofool.targets.queries.policy import Policy, TryAgain


class Paid:
    """A target that counts what it is asked, and may fail."""

    name, classes, image_shape = "paid", ["a", "b"], (1, 2, 2)

    def __init__(self, fault: Callable[[int], None] = lambda call: None) -> None:
        self.asked: list[int] = []
        self.calls = 0
        self._fault, self._lock = fault, threading.Lock()

    def scores(self, images: Tensor) -> Tensor:
        with self._lock:
            self.calls += 1
            call = self.calls
        self._fault(call)
        with self._lock:
            self.asked += [int(image.sum()) for image in images]
        first = images.flatten(1).float().mean(1) / 255
        return torch.stack([first, 1 - first], 1)

    confirm = scores


def pictures(*values: int) -> Tensor:
    """One flat picture for each value."""
    return torch.tensor(values, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2).contiguous()


def metered(paid: Paid, folder: Path, limit: int | None = None, **policy: float) -> MeteredTarget:
    """A target with a cache in a folder, that is asked again without waiting."""
    return MeteredTarget(
        paid,
        ScoreCache(folder / "cache.sqlite", 2),
        Policy(**{"backoff": 0.0, **policy}),
        limit,  # type: ignore[arg-type]
    )


def test_what_was_answered_is_not_asked_again_in_this_job_or_another(tmp_path: Path) -> None:
    paid = Paid()
    first, second = metered(paid, tmp_path), metered(paid, tmp_path)
    scores = first.scores(pictures(1, 2, 3, 2))
    again = second.scores(pictures(3, 2, 1, 2))
    assert sorted(paid.asked) == [4, 8, 12]
    assert (first.spent, second.spent, second.cached) == (3, 0, 4)
    assert torch.equal(scores[[2, 1, 0, 1]], again)


def test_a_budget_is_never_exceeded_and_what_it_has_room_for_is_kept(tmp_path: Path) -> None:
    paid = Paid()
    target = metered(paid, tmp_path, limit=5, rows=2, concurrency=3)
    target.scores(pictures(1, 2))
    with pytest.raises(OutOfQueries, match="all 5 queries"):
        target.scores(pictures(3, 4, 5, 6, 7))
    assert len(paid.asked) == 5 == target.spent
    target.limit = 7
    assert len(target.scores(pictures(1, 2, 3, 4, 5, 6, 7))) == 7
    assert sorted(paid.asked) == [4 * value for value in range(1, 8)]


def test_a_call_that_fails_now_and_then_is_repeated_and_not_counted(tmp_path: Path) -> None:
    def every_third(call: int) -> None:
        if call % 3 == 0:
            raise ConnectionError("reset by peer")

    paid = Paid(every_third)
    target = metered(paid, tmp_path, rows=1)
    target.scores(pictures(*range(20)))
    assert len(paid.asked) == 20 == target.spent
    assert paid.calls > 20


def test_a_call_that_always_fails_ends_in_one_line_and_is_not_counted(tmp_path: Path) -> None:
    def always(call: int) -> None:
        raise ValueError("wrong\nthings")

    target = metered(Paid(always), tmp_path, retries=2)
    with pytest.raises(TargetError, match=r"target paid failed on .* images: wrong$"):
        target.scores(pictures(1))
    assert target.spent == 0


def test_what_was_answered_beside_a_failure_is_kept(tmp_path: Path) -> None:
    def seventh(call: int) -> None:
        if call == 7:
            raise ValueError("broken")

    paid = Paid(seventh)
    target = metered(paid, tmp_path, rows=1, concurrency=4, retries=0)
    with pytest.raises(TargetError):
        target.scores(pictures(*range(40)))
    target.scores(pictures(*range(40)))
    assert len(paid.asked) == len(set(paid.asked)) == 40 == target.spent


def test_a_request_that_takes_too_long_counts_as_paid_and_is_repeated(tmp_path: Path) -> None:
    def slow_once(call: int) -> None:
        if call == 1:
            time.sleep(0.3)

    target = metered(Paid(slow_once), tmp_path, timeout=0.05)
    assert len(target.scores(pictures(9))) == 1
    assert target.spent == 2


def test_the_other_side_may_say_how_long_to_wait(tmp_path: Path) -> None:
    def busy_once(call: int) -> None:
        if call == 1:
            raise TryAgain("429 Too Many Requests", after=0.2)

    target, started = metered(Paid(busy_once), tmp_path), time.monotonic()
    target.scores(pictures(1))
    assert time.monotonic() - started >= 0.2
    assert target.spent == 1


def test_a_rate_holds_requests_back(tmp_path: Path) -> None:
    target, started = metered(Paid(), tmp_path, rows=1, rate=50.0), time.monotonic()
    target.scores(pictures(*range(11)))
    assert time.monotonic() - started >= 0.2


def test_an_answer_of_another_shape_is_named_and_not_kept(tmp_path: Path) -> None:
    class Wide(Paid):
        def confirm(self, images: Tensor) -> Tensor:
            return torch.ones(len(images), 3)

    with pytest.raises(TargetError, match=r"must return \(1, 2\).*got \(1, 3\)"):
        metered(Wide(), tmp_path).scores(pictures(1))
    assert not ScoreCache(tmp_path / "cache.sqlite", 2).get([b"x"])


def test_several_requests_are_under_way_at_once_and_answers_keep_their_order(tmp_path: Path) -> None:
    together = threading.Barrier(4, timeout=10)  # breaks unless four calls wait for each other
    target = metered(Paid(lambda call: together.wait() and None), tmp_path, rows=1, concurrency=4, retries=0)
    scores = target.scores(pictures(*range(40)))
    assert torch.equal(scores[:, 0], torch.arange(40) / 255)


def test_a_ledger_remembers_what_was_paid(tmp_path: Path) -> None:
    target = metered(Paid(), tmp_path, limit=4)
    target.scores(pictures(1))
    target.keep_in(FolderLedger(tmp_path))
    target.scores(pictures(2, 3))
    again = metered(Paid(), tmp_path, limit=4)
    again.keep_in(FolderLedger(tmp_path))
    assert (target.spent, again.spent, again.left) == (3, 3, 1)


def test_a_damaged_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache.sqlite").write_bytes(b"no database at all, but long enough to look at" * 30)
    with pytest.raises(TargetError, match=r"cache of paid queries .*cache\.sqlite can't be used"):
        metered(Paid(), tmp_path)


def test_an_image_that_two_threads_want_at_the_same_time_is_asked_for_once(tmp_path: Path) -> None:
    paid = Paid(lambda call: time.sleep(0.05))
    target, answers = metered(paid, tmp_path, rows=2, concurrency=2), list[Tensor]()
    wanted = [pictures(1, 2, 3), pictures(2, 3, 4), pictures(3, 1)]
    threads = [
        threading.Thread(target=lambda images=images: answers.append(target.scores(images))) for images in wanted
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(paid.asked) == sorted(int(picture.sum()) for picture in pictures(1, 2, 3, 4))
    assert sorted(map(len, answers)) == [2, 3, 3]


def test_what_another_thread_asked_for_in_vain_is_asked_for_again(tmp_path: Path) -> None:
    begun = threading.Event()

    def fail_once(call: int) -> None:
        begun.set()
        time.sleep(0.05)
        if call == 1:
            raise OSError("no")

    paid = Paid(fail_once)
    target, errors = metered(paid, tmp_path, concurrency=2, retries=0), list[Exception]()

    def ask() -> None:
        try:
            target.scores(pictures(5))
        except TargetError as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    begun.wait(10)
    assert len(target.scores(pictures(5))) == 1
    thread.join(10)
    assert len(errors) == 1
    assert paid.calls == 2


def test_no_image_is_asked_for_twice_by_threads_that_come_one_upon_the_other(tmp_path: Path) -> None:
    """Between looking an image up and asking for it, another thread may have got its answer."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        paid = Paid()
        target, start = metered(paid, tmp_path, concurrency=4), threading.Barrier(4)

        def ask() -> None:
            start.wait(10)
            for value in range(250):
                target.scores(pictures(value))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(before)
    assert sorted(paid.asked) == [4 * value for value in range(250)]
