"""The interface of an engine, which scores images for searches and attacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from ..encodings.base import Batch, Encoding
from ..targets.protocols import Target


@runtime_checkable
class Engine(Protocol):
    """Scores batches of images for a target. What it returns doesn't depend on where it runs.

    Attributes:
        target: The classifier under test.
        device: Where images are decoded.
        exact: Whether :meth:`scores` already has the precision that goes on record, which is float32. Its scores are
            then recorded without :meth:`confirm`, those of a network whose layers are joined too.
        rows: Images that the target likes to be given at once. Only speed depends on it.
    """

    target: Target
    device: torch.device
    exact: bool

    @property
    def rows(self) -> int: ...

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) float32 of (B, C, H, W) uint8 images, on any device.

        Call :meth:`check` when they are read.
        """
        ...

    def confirm(self, images: Tensor, rows: int | None = None) -> Tensor:
        """Return the same in the precision that goes on record.

        Passes have ``rows`` images where the target can be told so.
        """
        ...

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits (B, K) behind what :meth:`confirm` returns, of a target that tells them."""
        ...

    def check(self, scores: Tensor) -> None:
        """Check scores that :meth:`scores` or :meth:`confirm` returned, or some of their columns.

        Raises:
            TargetError: Some are NaN or infinite.
        """
        ...

    def lent(self) -> Engine:
        """Return an engine for a job that is a part of this one: closing it ends nothing that this one needs."""
        ...

    def close(self) -> None:
        """Let go of what the engine holds on other machines. It can't score any more."""
        ...


@dataclass
class Place:
    """Where a piece of work is done: what it finds on a worker.

    Attributes:
        engine: Scores images there, for the first target.
        targets: The targets of the job.
        memory: What earlier pieces of work left, by name.
    """

    engine: Engine
    targets: Sequence[Target]
    memory: dict[str, Any] = field(default_factory=dict)


class Source(Protocol):
    """The items of a job that is worked on by several workers."""

    def take(self, count: int) -> list[Any]:
        """Return up to so many items whose turn it is."""
        ...

    def put_back(self, items: Sequence[Any]) -> None:
        """Take items back that a worker had when it died."""
        ...


FIRST_ITEMS = 4
"""Items that a worker is given before it has said how many it can take, where the job doesn't say."""

Numbered = list[tuple[int, Any]]
"""Items of a job, or their results, with their numbers."""


class Done(NamedTuple):
    """What a worker has done in a while.

    Attributes:
        results: The results that there are, with the numbers of their items.
        room: How many more items it can take.
        images: How many images it scored.
    """

    results: Numbered
    room: int
    images: int


Work = Callable[[Place, Any, Numbered, bool], Done]
"""Does some work on a worker: called with the place, with what all work of the job has in common, with further items,
and with whether there may be more."""


class WorkerFacts(NamedTuple):
    """How a worker is doing.

    Attributes:
        machine: The name of its machine.
        process: The number of its process.
        hardware: The processor or the GPU that it computes on.
        speed: Images a second, measured; 0 where nothing is known yet.
    """

    machine: str
    process: int
    hardware: str
    speed: float


@dataclass(frozen=True)
class ClusterFacts:
    """How the workers of a cluster are doing.

    Attributes:
        workers: Those that have begun.
        coming: How many haven't begun yet.
        lost: How many died; others took their place where there was room.
        images: Images that they have scored.
        recorded_by: The hardware that gives the scores on record. Where all workers with it are gone, another kind
            follows: those that gave some come first, in order.
        searched_by: The hardware that gave scores for the search alone.
    """

    workers: tuple[WorkerFacts, ...]
    coming: int
    lost: int
    images: int
    recorded_by: tuple[str, ...]
    searched_by: tuple[str, ...] = ()


@runtime_checkable
class Cluster(Engine, Protocol):
    """An engine with workers that hold the target. They draw genomes themselves, so that no image travels.

    Several threads may ask it at the same time.
    """

    def scores_of(self, genomes: Batch, encoding: Encoding) -> Tensor:
        """Return what :meth:`scores` returns for the images of genomes."""
        ...

    def confirm_of(self, genomes: Batch, encoding: Encoding, rows: int | None = None) -> Tensor:
        """Return what :meth:`confirm` returns for the images of genomes."""
        ...

    def work(
        self, function: Work, common: Any, source: Source, *, first: int = FIRST_ITEMS
    ) -> Iterator[list[tuple[Any, Any]]]:
        """Have all items of a source worked on, and yield those that are done, with their results, as they come.

        Args:
            function: What workers do with items.
            common: What all work has in common.
            source: The items.
            first: Items that a worker is given before it has said how many it can take.
        """
        ...

    def facts(self) -> ClusterFacts:
        """Return how the workers are doing."""
        ...
