"""A target whose queries are counted, kept, and limited."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import EvofoolError, OutOfQueries
from ..checked import CheckedTarget
from ..checks import failure_of
from ..protocols import Target, gives_logits, is_multilabel, most_told_by, runs_in_torch
from .cache import ScoreCache, Scores
from .policy import Pace, Policy, TryAgain, even_parts, repeated, within
from .workers import Workers


class Ledger(Protocol):
    """Where it is written down what a job paid."""

    @property
    def spent(self) -> int:
        """Queries that were paid, or may have been."""
        ...

    def reserve(self, queries: int) -> None:
        """Write down, before they are asked, that queries are being paid."""
        ...

    def release(self, queries: int) -> None:
        """Write down that queries which were reserved were not paid."""
        ...


class MemoryLedger:
    """A ledger that nobody reads later."""

    def __init__(self) -> None:
        self.spent = 0

    def reserve(self, queries: int) -> None:
        """Count queries."""
        self.spent += queries

    def release(self, queries: int) -> None:
        """Take queries back."""
        self.spent -= queries


class MeteredTarget:
    """A target that is asked nothing twice: what it answered is kept on disk by the image's hash, as logits where it
    tells those.

    A request that fails is repeated as the policy says, and only answers count as paid. Where a process is killed while
    a request is under way, that request counts as paid, since it may have been.

    Args:
        target: What is asked. Its :meth:`~evofool.targets.protocols.Target.confirm` is, so all is float32.
        cache: Where its answers are kept.
        policy: How it is asked.
        limit: Most queries to pay for; None for no limit.
        ledger: Where queries are counted; targets that share one share the limit. None for one of its own.
        fingerprint: What tells the target from others of its name.

    Attributes:
        spent: Queries paid by this job, in all of its sessions.
        cached: Answers taken from the cache, in this session.
    """

    precision = "float32"

    def __init__(
        self,
        target: Target,
        cache: ScoreCache,
        policy: Policy,
        limit: int | None = None,
        ledger: Ledger | None = None,
        fingerprint: str | None = None,
    ) -> None:
        self.target, self._cache, self._policy, self.limit = target, cache, policy, limit
        self.name, self.classes, self.image_shape = target.name, target.classes, target.image_shape
        self.device, self.fingerprint = getattr(target, "device", "cpu"), fingerprint
        self.resize = getattr(target, "resize", min(self.image_shape[1:]))
        self.multilabel, self.in_torch = is_multilabel(target), runs_in_torch(target)
        self.cached, self._checked = 0, CheckedTarget(target)
        self.has_logits = gives_logits(target)
        self._under_way: dict[bytes, threading.Event] = {}
        self._ledger: Ledger = ledger or MemoryLedger()
        self._pace, self._lock = Pace(policy.rate), threading.Lock()
        self.ask_here()

    @property
    def concurrency(self) -> int:
        """Requests that are under way at the same time, at most."""
        return self._policy.concurrency

    @property
    def micro_batch(self) -> int:
        """Images that are asked for at the same time."""
        return self._policy.rows * self._policy.concurrency

    @property
    def spent(self) -> int:
        """Queries paid by this job, in all of its sessions."""
        return self._ledger.spent

    @property
    def left(self) -> int | None:
        """Queries that may still be paid; None for no limit."""
        return None if self.limit is None else max(0, self.limit - self.spent)

    @property
    def ledger(self) -> Ledger:
        """Where it is written down what was paid."""
        return self._ledger

    def keep_in(self, ledger: Ledger) -> None:
        """Write down in a ledger what was paid so far, and what will be."""
        if isinstance(self._ledger, MemoryLedger):
            ledger.reserve(self._ledger.spent)
            self._ledger.spent = 0  # others may share it
        self._ledger = ledger

    def ask_here(self) -> None:
        """Have the target asked in this process."""
        self._ask_target = most_told_by(self.target)
        self._workers = Workers(self._policy.concurrency)

    def ask_elsewhere(self, ask: Callable[[Tensor], Tensor], calls: int) -> None:
        """Have the target asked by others; what it answers is counted and kept here.

        Args:
            ask: Returns what the target says of (B, C, H, W) uint8 images: logits where it tells those.
            calls: How many may be under way at the same time, where that is more than the policy has. Requests are
                cut as before.
        """
        self._ask_target = ask
        self._workers = Workers(max(calls, self._policy.concurrency))

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) float32 of (B, C, H, W) uint8 images.

        Raises:
            OutOfQueries: The budget has no room for all that have to be asked. What it has room for is asked and kept.
            TargetError: The target fails, or its answers are no probabilities.
        """
        values = self._values(images)
        return values.softmax(1) if self.has_logits else values

    def confirm(self, images: Tensor) -> Tensor:
        """Return the same as :meth:`scores`."""
        return self.scores(images)

    def confirm_logits(self, images: Tensor) -> Tensor:
        """Return the logits (B, K) float32, of a target that tells them. They are paid once with the probabilities."""
        return self._values(images)

    def _values(self, images: Tensor) -> Tensor:
        """Return what is kept of the answers: logits (B, K) where the target tells them, else probabilities."""
        pixels = np.ascontiguousarray(images.cpu().numpy())
        keys = [hashlib.sha256(image.tobytes()).digest() for image in pixels]
        rows = {key: row for row, key in enumerate(keys)}
        known, ours, theirs = self._claim(rows)
        self.cached += sum(key in known for key in keys)
        known |= self._answers(pixels, ours)
        while theirs:  # Waited for when ours are answered: others may wait for those. What failed there is asked here.
            for answered in theirs.values():
                answered.wait()
            found, ours, theirs = self._claim({key: rows[key] for key in theirs})
            known |= found | self._answers(pixels, ours)
        scores = np.stack([known[key] for key in keys]) if keys else np.empty((0, len(self.classes)), np.float32)
        return torch.from_numpy(scores)

    def _claim(
        self, rows: dict[bytes, int]
    ) -> tuple[dict[bytes, Scores], dict[bytes, int], dict[bytes, threading.Event]]:
        """Look images up, and claim those that nobody has asked for: from here on this thread has to ask for them.

        All that is one step, so that no image is asked for by two threads.

        Args:
            rows: The row of each image, by key.

        Returns:
            The scores that are known, the rows that are claimed, and what tells when another thread has its answer.
        """
        with self._lock:
            known = self._cache.get(rows)
            theirs = {key: self._under_way[key] for key in rows if key in self._under_way and key not in known}
            ours = {key: row for key, row in rows.items() if key not in known and key not in theirs}
            self._under_way.update(dict.fromkeys(ours, threading.Event()))
        return known, ours, theirs

    def _answers(self, pixels: NDArray[np.uint8], ours: dict[bytes, int]) -> dict[bytes, Scores]:
        """Ask for images that this thread has claimed, and let go of them, whatever comes of it."""
        try:
            return self._pay(pixels, ours)
        finally:
            with self._lock:
                for key in ours:
                    self._under_way.pop(key).set()

    def _pay(self, pixels: NDArray[np.uint8], missing: dict[bytes, int]) -> dict[bytes, Scores]:
        """Ask for images, several requests at once, and return their scores by key."""
        keys, policy = list(missing), self._policy
        affordable = len(keys) if self.left is None else min(len(keys), self.left)
        parts = even_parts(keys[:affordable], policy.rows, policy.concurrency)
        asked = [(part, torch.from_numpy(pixels[[missing[key] for key in part]])) for part in parts]
        jobs: list[Callable[[], dict[bytes, Scores]]] = [partial(self._request, part, rows) for part, rows in asked]
        answers = self._workers.results(jobs)
        if affordable < len(keys):
            raise self._spent()
        return {key: scores for answer in answers for key, scores in answer.items()}

    def _request(self, keys: list[bytes], images: Tensor) -> dict[bytes, Scores]:
        """Ask for some images at once, again where that fails, and keep the answer."""
        try:
            rows = repeated(partial(self._ask, images), self._policy)
        except EvofoolError:
            raise
        except Exception as error:
            raise failure_of(self.name, tuple(self.image_shape), error) from error
        answer = dict(zip(keys, rows, strict=True))
        with self._lock:
            self._cache.put(answer)
        return answer

    def _ask(self, images: Tensor) -> Scores:
        """Ask once. What is asked is written down before, and taken back where it was surely not paid."""
        self._pace.wait(len(images))
        with self._workers.calling:
            with self._lock:
                if self.left is not None and self.left < len(images):
                    raise self._spent()
                self._ledger.reserve(len(images))
            try:
                scores = within(self._policy.timeout, partial(self._ask_target, images))
            except Exception as error:
                if not (isinstance(error, TryAgain) and error.paid):
                    with self._lock:
                        self._ledger.release(len(images))
                raise
        return self._checked.as_float32(scores, len(images), logits=self.has_logits).cpu().numpy()

    def _spent(self) -> OutOfQueries:
        spent, limit = self._ledger.spent, self.limit or 0
        told = (
            f"{spent:,} queries are spent, more than the budget of {limit:,}"
            if spent > limit
            else f"all {limit:,} queries of the budget are spent"
        )
        return OutOfQueries(f"{told}; nothing is lost, go on with more")


def metered(target: Target) -> list[MeteredTarget]:
    """Return a target, or those parts of it, that count their queries; they share one ledger."""
    if isinstance(target, MeteredTarget):
        return [target]
    return [part for member in getattr(target, "members", ()) for part in metered(member)]


def images_left(target: Target) -> int | None:
    """Return how many images the budget of queries has room for; None where there is none.

    An image costs a query of each part that counts.
    """
    parts = metered(target)
    return min((part.left // len(parts) for part in parts if part.left is not None), default=None)
