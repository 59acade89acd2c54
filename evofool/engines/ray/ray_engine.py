"""The engine that spreads a job over a Ray cluster: genomes travel there, and scores come back."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import numpy as np
import torch
from numpy.typing import NDArray
from ray import cloudpickle
from torch import Tensor

from ...encodings import registry
from ...encodings.base import Batch, Encoding
from ..base import FIRST_ITEMS, Done, Numbered, Place, Source, Work
from ..passes import pass_sizes
from .crew_engine import CrewEngine
from .luggage import travelling


class RayEngine(CrewEngine):
    """Scores batches on the workers of a cluster; see :class:`~evofool.engines.base.Cluster`."""

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) of images, which travel to workers."""
        return self._images_scored(images, None, confirm=False)

    def confirm(self, images: Tensor, rows: int | None = None) -> Tensor:
        """Return the probabilities (B, K) that go on record."""
        return self._images_scored(images, rows, confirm=True)

    def scores_of(self, genomes: Batch, encoding: Encoding) -> Tensor:
        """Return the probabilities (B, K) of the images of genomes."""
        return self._genomes_scored(genomes, encoding, None, confirm=False)

    def confirm_of(self, genomes: Batch, encoding: Encoding, rows: int | None = None) -> Tensor:
        """Return the probabilities (B, K) that go on record."""
        return self._genomes_scored(genomes, encoding, rows, confirm=True)

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits (B, K) behind what :meth:`confirm` returns, of a target that tells them."""
        pixels = images.cpu().numpy()

        def arguments(start: int, stop: int) -> tuple[Any, ...]:
            return (pixels[start:stop],)

        return self._scored(score_logits, len(images), arguments, None, confirm=True)

    def work(
        self, function: Work, common: Any, source: Source, *, first: int = FIRST_ITEMS
    ) -> Iterator[list[tuple[Any, Any]]]:
        """Have all items of a source worked on. The user's own functions in what is common travel with their source."""
        shared = uuid4().hex, function, travelling(common, "what the job's work has in common")
        return self._crew.work(work_on, shared, source, first=first)

    def _images_scored(self, images: Tensor, rows: int | None, *, confirm: bool) -> Tensor:
        pixels = images.cpu().numpy()

        def arguments(start: int, stop: int) -> tuple[Any, ...]:
            return pixels[start:stop], rows, confirm

        return self._scored(score_images, len(images), arguments, rows, confirm=confirm)

    def _genomes_scored(self, genomes: Batch, encoding: Encoding, rows: int | None, *, confirm: bool) -> Tensor:
        drawn_by = encoding.name, encoding.settings()

        def arguments(start: int, stop: int) -> tuple[Any, ...]:
            return packed(encoding.dump(genomes.take(np.arange(start, stop)))), drawn_by, rows, confirm

        return self._scored(score_genomes, len(genomes), arguments, rows, confirm=confirm)

    def _scored(
        self,
        function: Callable[..., bytes],
        count: int,
        arguments: Callable[[int, int], tuple[Any, ...]],
        rows: int | None,
        *,
        confirm: bool,
    ) -> Tensor:
        """Have whole passes scored on workers.

        Args:
            function: What they do.
            count: The number of images.
            arguments: Returns what the function is given for a range of images.
            rows: Rows of every pass, where the target takes that.
            confirm: Whether the scores are those that go on record.
        """
        if not count:
            return torch.empty((0, len(self.target.classes)), device=self.device)
        sizes = pass_sizes(self.target, count, rows)
        parts = self._crew.run(function, sizes, arguments, on_record=confirm or self.exact)
        return torch.from_numpy(np.concatenate(list(map(unpacked, parts)))).to(self.device)


def work_on(place: Place, shared: tuple[str, Work, bytes], items: Numbered, more: bool) -> Done:
    """Do some of a job's work, on a worker. What is common is unpacked once."""
    name, function, common = shared
    if place.memory.get("common", ("", None))[0] != name:
        place.memory["common"] = name, cloudpickle.loads(common)
    return function(place, place.memory["common"][1], items, more)


def score_images(place: Place, pixels: NDArray[np.uint8], rows: int | None, confirm: bool) -> bytes:
    """Score images (B, C, H, W), on a worker. They are cut into the same passes as they were in their batch."""
    return _scores(place, torch.from_numpy(pixels.copy()), rows, confirm)


def score_logits(place: Place, pixels: NDArray[np.uint8]) -> bytes:
    """Have logits of images (B, C, H, W) computed, on a worker."""
    return packed(place.engine.logits(torch.from_numpy(pixels.copy())).cpu().numpy())


def score_genomes(
    place: Place, genomes: bytes, drawn_by: tuple[str, dict[str, Any]], rows: int | None, confirm: bool
) -> bytes:
    """Draw genomes and score their images, on a worker."""
    engine, memory = place.engine, place.memory
    if memory.get("drawn by") != drawn_by:
        memory["encoding"] = registry.build(*drawn_by, engine.target.image_shape, engine.device)
        memory["drawn by"] = drawn_by
    encoding = memory["encoding"]
    return _scores(place, encoding.decode(encoding.load(unpacked(genomes))), rows, confirm)


def _scores(place: Place, images: Tensor, rows: int | None, confirm: bool) -> bytes:
    engine = place.engine
    return packed((engine.confirm(images, rows) if confirm else engine.scores(images)).cpu().numpy())


def packed(arrays: Any) -> bytes:
    """Return arrays as compressed bytes."""
    return zlib.compress(pickle.dumps(arrays, pickle.HIGHEST_PROTOCOL), 1)


def unpacked(content: bytes) -> Any:
    """Return what :func:`packed` was given; it comes from this job's own processes."""
    return pickle.loads(zlib.decompress(content))
