"""A CPPN genome as an object: a notebook shows its picture, and its weights can be turned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...encodings.genome_file import CHECKSUM, GenomeFile, dumps, node_name, parse
from ...errors import ConfigError
from ...text import confidence, counted
from ..pages.experiment_page import Card
from ..pages.notebook import fragment
from .figure import saved
from .render import MAX_EDGE

SHOWN = 128
"""Shorter side of the picture that a notebook shows, in pixels."""

MEASURED = ("score", "top5", "networks", "robust")
"""What a genome's file says of its picture, and of no other."""


@dataclass(frozen=True, repr=False)
class Genome:
    """A CPPN genome. A notebook shows its picture.

    Attributes:
        file: What its file holds.
    """

    file: GenomeFile

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """Its nodes as in its file: ``id``, and ``name``, ``activation`` and ``position`` where they have that."""
        return [dict(node) for node in self.file.content["nodes"]]

    @property
    def connections(self) -> list[dict[str, Any]]:
        """Its connections as in its file: the nodes that each goes ``from`` and ``to``, and its ``weight``."""
        return [dict(connection) for connection in self.file.content["connections"]]

    @property
    def confidence(self) -> float | None:
        """The confidence that was measured when it evolved, in [0, 1]; None where it was changed since."""
        return self.file.score

    def picture(self, size: int | None = None) -> NDArray[np.uint8]:
        """Return its picture, (C, H, W) uint8.

        Args:
            size: The shorter side in pixels; the same pattern is drawn finer. None: the size that it evolved at, which
                is what the target saw.

        Raises:
            ConfigError: The size can't be.
        """
        height, width = self.file.image_shape[1:]
        scale = 1.0 if size is None else size / min(height, width)
        shape = round(height * scale), round(width * scale)
        if not 1 <= min(shape) <= max(shape) <= MAX_EDGE:
            raise ConfigError(f"`size` must be 1 to {MAX_EDGE} pixels a side, got {size}")
        pixels: NDArray[np.uint8] = self.file.encoding.decode_at(self.file.genomes, shape)[0].numpy()
        return pixels

    def with_weight(self, connection: int, weight: float) -> Genome:
        """Return the same genome with another weight. It counts as not scored.

        Args:
            connection: Its place in ``connections``.
            weight: The new weight.

        Raises:
            ConfigError: There is no such connection.
            GenomeError: The weight is no finite number.
        """
        connections = self.connections
        if not 0 <= connection < len(connections):
            raise ConfigError(f"`connection` must be 0 to {len(connections) - 1}, got {connection}")
        connections[connection]["weight"] = float(weight)
        kept = {name: value for name, value in self.file.content.items() if name not in (CHECKSUM, *MEASURED)}
        return Genome(parse({**kept, "connections": connections}))

    def save(self, path: str | Path) -> Path:
        """Write the genome into a file that ``evofool score``, ``render`` and ``--init`` take.

        Raises:
            ConfigError: It is no path, or its name doesn't end with ``.json``.
            RunError: It can't be written.
        """
        text = dumps(self.file.content) if self.file.sealed else json.dumps(self.file.content, indent=1)
        return saved(path, ".json", "a genome", text)

    def describe(self, connection: int) -> str:
        """Return a connection in words, such as ``x → sin 12, weight 0.52``."""
        ends = self.connections[connection]
        source, sink = (node_name(self.file, ends[end]) for end in ("from", "to"))
        return f"{source} → {sink}, weight {ends['weight']:.2f}"

    def __repr__(self) -> str:
        return f"genome {self._title}, {self._size}; .picture(), .connections, .with_weight(…)"

    def _repr_html_(self) -> str:
        card = Card([(self.picture(SHOWN), self._title)], self._title, self._size)
        return fragment("", [], [card], edge=SHOWN)

    @property
    def _title(self) -> str:
        name = str(self.file.provenance.get("class", "without a class"))
        return f"{name}, {'not scored' if self.confidence is None else confidence(self.confidence)}"

    @property
    def _size(self) -> str:
        nodes, connections = len(self.file.content["nodes"]), len(self.file.content["connections"])
        return f"{counted(nodes, 'node')}, {counted(connections, 'connection')}"
