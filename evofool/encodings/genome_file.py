"""A CPPN genome as readable JSON. A direct genome needs no file of its own: it is the picture itself, as PNG."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import GenomeError, in_words, suggestion
from ..io.files import open_regular
from ..io.nearby import nearby
from ..kernels.constants import EMPTY
from .cppn.batch import ACTIVATION_NAMES, INPUTS, CPPNBatch

if TYPE_CHECKING:
    from .cppn.encoding import CPPN

FORMAT = 2
"""The version of genome files; files of any other version are refused."""

MAX_BYTES = 2_000_000
"""Most bytes of a genome file; a larger one is refused before it is parsed."""

MAX_SCORE = 1.0001
"""Largest score of a genome; a sum of float32 probabilities may pass 1 by a little."""

MAX_EDGE = 8192
"""Most pixels of an edge of the images that a genome was evolved for."""

CHECKSUM = "sha256"
"""The name of the check sum that evofool writes into a file. A file that was written or changed by hand needs none,
and its genome then counts as not scored."""

OWN_TARGET = "own_target"
"""The key of a genome's provenance that is true where the target was a user's own object, which no name stands for."""

_FIXED = {"format", CHECKSUM, "encoding", "image_shape", "coordinates", "colour", "nodes", "connections"}
"""Keys of a genome file that are not provenance."""


_COLOUR_NAMES = {
    "grey": ("grey",),
    "hsl": ("hue", "saturation", "lightness"),
    "rgb": ("red", "green", "blue"),
}
"""What outputs are called, by how they become colours."""


def evolved_for(provenance: Mapping[str, Any]) -> str | tuple[str, ...] | None:
    """Return the target that a genome was evolved for, the names of several, or None where its file tells of none."""
    target = provenance.get("target")
    if isinstance(target, list) and len(target) > 1 and all(isinstance(name, str) for name in target):
        return tuple(target)
    return target if isinstance(target, str) else None


@dataclass(frozen=True)
class GenomeFile:
    """A CPPN that was read from a file."""

    genomes: CPPNBatch
    """A batch of one genome."""
    image_shape: tuple[int, int, int]
    """(C, H, W) of the images that it was evolved for."""
    coordinates: Literal["unit", "pixels"]
    """What x and y are; see ``CPPNSettings``."""
    colour: Literal["grey", "hsl", "rgb"]
    """How its outputs become colours."""
    provenance: dict[str, Any]
    """Where it comes from: target, class, index, score, seed, generation, …, as far as the file says."""
    content: dict[str, Any]
    """The file's JSON."""
    sealed: bool
    """Whether a check sum vouches that it is as evofool wrote it."""

    @property
    def score(self) -> float | None:
        """Its confidence of its class, in [0, 1]; None where that was not measured on this very genome.

        A score belongs to the check sum beside it. Whoever changes a genome takes the check sum out, and the score that
        is still in the file then is another picture's.
        """
        score = self.provenance.get("score") if self.sealed else None
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= MAX_SCORE:
            return None
        return float(score)

    @cached_property
    def encoding(self) -> CPPN:
        """The encoding that renders it, made at its first use, so that reading a file need not wait for torch."""
        from .cppn.encoding import CPPN
        from .cppn.settings import CPPNSettings

        settings = CPPNSettings(
            coordinates=self.coordinates,
            colour="hsl" if self.colour == "grey" else self.colour,
            max_nodes=max(self.genomes.activation.shape[1], len(INPUTS) + 3),
            max_connections=max(self.genomes.source.shape[1], 3 * len(INPUTS)),
        )
        return CPPN(self.image_shape, "cpu", settings)


def node_name(genome: GenomeFile, node: int) -> str:
    """Return what a node is called: ``x``, ``hue``, or ``sin 12`` for a hidden one. ``graph.js`` writes the same.

    Raises:
        IndexError: There is no such node.
    """
    names = [*INPUTS, *_COLOUR_NAMES[genome.colour]]
    activation = genome.genomes.activation[0, node]
    return names[node] if node < len(names) else f"{ACTIVATION_NAMES[activation]} {node}"


def to_json(encoding: CPPN, genomes: CPPNBatch, row: int, provenance: dict[str, Any]) -> dict[str, Any]:
    """Return one genome of a batch as plain JSON values.

    Nodes that reach no output are kept, free slots are not. Weights have as many digits as float32 needs, so that
    reading them gives the same bits.
    """
    alive = np.flatnonzero(genomes.activation[row] != EMPTY)
    number = np.cumsum(genomes.activation[row] != EMPTY) - 1
    activations, positions = genomes.activation[row, alive].tolist(), genomes.position[row, alive].tolist()
    fixed = [*INPUTS, *output_names(encoding.outputs)]
    nodes: list[dict[str, Any]] = []
    for i, activation in enumerate(activations):
        node: dict[str, Any] = {"id": i}
        if i < len(fixed):
            node["name"] = fixed[i]
        if i >= len(INPUTS):
            node["activation"] = ACTIVATION_NAMES[activation]
        if i >= len(fixed):
            node["position"] = positions[i]
        nodes.append(node)
    edges = np.flatnonzero(genomes.source[row] != EMPTY)
    ends = number[genomes.source[row, edges]].tolist(), number[genomes.sink[row, edges]].tolist()
    connections = [
        {"from": source, "to": sink, "weight": float(str(weight))}
        for source, sink, weight in zip(*ends, genomes.weight[row, edges], strict=True)
    ]
    return {
        "format": FORMAT,
        "encoding": "cppn",
        "image_shape": list(encoding.image_shape),
        "coordinates": encoding.coordinates,
        "colour": encoding.colour,
        **provenance,
        "nodes": nodes,
        "connections": connections,
    }


def dumps(genome: dict[str, Any]) -> str:
    """Return a genome as readable JSON, with one line per node and connection and a check sum over all of it."""
    return next(dumps_each(genome, [{}]))


def dumps_each(genome: dict[str, Any], provenances: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield :func:`dumps` of one genome for several provenances: a child that wins many niches has a file for each."""
    lists = {key: genome[key] for key in ("nodes", "connections")}
    rows = [f"  {json.dumps(key)}: [\n{_rows(items)}\n  ]" for key, items in lists.items()]
    graph = {key: _canonical(items) for key, items in lists.items()}
    for provenance in provenances:
        head = {key: value for key, value in (genome | provenance).items() if key not in (*lists, CHECKSUM)}
        digest = _digest(graph | {key: _canonical(value) for key, value in head.items()})
        lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in (head | {CHECKSUM: digest}).items()]
        yield "{\n" + ",\n".join(lines + rows) + "\n}\n"


def checksum(genome: dict[str, Any]) -> str:
    """Return the SHA-256 over a genome's values.

    It doesn't depend on the order of keys or on how numbers are written: 1 and 1.0 are the same.
    """
    return _digest({key: _canonical(value) for key, value in genome.items() if key != CHECKSUM})


def _digest(parts: dict[str, str]) -> str:
    """Return the SHA-256 of a genome whose values are given as :func:`_canonical` writes them."""
    text = ", ".join(f"{json.dumps(key)}: {parts[key]}" for key in sorted(parts))
    return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()


def _canonical(value: Any) -> str:
    """Return a value as sorted JSON, with whole numbers as floats and without check sums inside."""
    text = json.dumps(value)
    return _cached_canonical_text(text) if len(text) < 500 else _canonical_text(text)


def _canonical_text(text: str) -> str:
    hook = _without_checksum if f'"{CHECKSUM}"' in text else None
    return json.dumps(json.loads(text, parse_int=float, object_hook=hook), sort_keys=True)


_cached_canonical_text = lru_cache(256)(_canonical_text)
"""Most values beside a genome's graph are the same for all genomes of a run."""


def _without_checksum(value: dict[str, Any]) -> dict[str, Any]:
    return {key: inner for key, inner in value.items() if key != CHECKSUM}


def _rows(items: list[Any]) -> str:
    """Return a list as JSON with one line per item.

    All items are written at once if what separates them occurs nowhere inside an item.
    """
    text, separator = json.dumps(items)[1:-1], "}, {"
    if text.count(separator) == len(items) - 1 and all(isinstance(item, dict) for item in items):
        return "    " + text.replace(separator, "},\n    {")
    return ",\n".join("    " + json.dumps(item) for item in items)


def read(path: Path) -> GenomeFile:
    """Read a CPPN genome file.

    Raises:
        GenomeError: The file is missing, holds no genome, has another format version, or its graph is broken.
    """
    try:
        with open_regular(path) as file:
            if (size := os.fstat(file.fileno()).st_size) > MAX_BYTES:
                raise GenomeError(f"{path} has {size:,} bytes; a genome has at most {MAX_BYTES:,}")
            content = json.loads(file.read())
    except OSError as error:
        near = nearby(path) if isinstance(error, FileNotFoundError) else ""
        raise GenomeError(f"cannot read genome {path}: {error.strerror}{near}") from error
    except (ValueError, RecursionError) as error:
        raise GenomeError(f"{path} is not a genome file: expected JSON as evofool writes it ({error})") from error
    try:
        return parse(content)
    except GenomeError as error:
        raise GenomeError(f"{path}: {error}") from error


def parse(content: Any, *, sealed: bool = False) -> GenomeFile:
    """Return the CPPN genome in JSON values.

    Args:
        content: The JSON values of a genome file.
        sealed: Whether a check sum elsewhere vouches for them; one among them does, too.

    Raises:
        GenomeError: The values are no genome, have another format version, or describe a broken graph.
    """
    if not isinstance(content, dict) or content.get("encoding") != "cppn":
        raise GenomeError('this is no CPPN genome: expected a JSON object with "encoding": "cppn"')
    check_format(content)
    try:
        whole = CHECKSUM not in content or content[CHECKSUM] == checksum(content)
    except (OverflowError, RecursionError) as error:
        raise GenomeError(f"the genome is damaged ({error})") from error
    if not whole:
        raise GenomeError(
            f"the genome is not as it was written: its {CHECKSUM} is another; fetch it again, or, if you changed it, "
            f"take the {CHECKSUM} out: it then counts as not scored"
        )
    try:
        shape = tuple(content["image_shape"])
        whole = all(type(edge) is int for edge in shape)
        if not whole or len(shape) != 3 or shape[0] not in (1, 3) or not 1 <= min(shape) <= max(shape) <= MAX_EDGE:
            raise GenomeError(f"image_shape {str(list(shape))[:60]} is not (1 or 3, height, width)")
        outputs = shape[0]
        coordinates = _one_of(content, "coordinates", ("unit", "pixels"))
        written = _one_of(content, "colour", ("grey", "hsl", "rgb") if outputs == 1 else ("hsl", "rgb"))
        batch = _graph(content["nodes"], content["connections"], outputs)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise GenomeError(f"the genome is damaged or incomplete ({in_words(error)})") from error
    batch.check(outputs)
    provenance = {key: value for key, value in content.items() if key not in _FIXED}
    colour: Any = "grey" if outputs == 1 else written
    return GenomeFile(batch, shape, coordinates, colour, provenance, content, sealed or CHECKSUM in content)


def check_format(content: dict[str, Any]) -> None:
    """Check the version of a genome file's format.

    Raises:
        GenomeError: It is another than ``FORMAT``.
    """
    if content.get("format") != FORMAT:
        raise GenomeError(
            f"the genome has format {str(content.get('format'))[:40]}, this version of evofool reads {FORMAT}; "
            "use the one that made it, or evolve it again"
        )


def output_names(outputs: int) -> tuple[str, ...]:
    """Return the names of the output nodes in a genome file."""
    return ("grey",) if outputs == 1 else tuple(f"colour{i}" for i in range(outputs))


def _graph(nodes: list[Any], connections: list[Any], outputs: int) -> CPPNBatch:
    """Return the graph of a genome file as a batch of one, which has yet to be checked."""
    if not isinstance(nodes, list) or not isinstance(connections, list):
        raise TypeError("nodes and connections must be lists")
    batch = CPPNBatch.empty(1, len(nodes), len(connections))
    first_hidden = len(INPUTS) + outputs
    if len(nodes) > np.iinfo(np.int16).max:
        raise GenomeError(f"{len(nodes)} nodes are too many")
    for i, node in enumerate(nodes):
        if node["id"] != i or isinstance(node["id"], bool):
            raise GenomeError(f"node {i} must have id {i}, has {node['id']!r:.40}")
        batch.activation[0, i] = 0 if i < len(INPUTS) else _activation(i, node["activation"])
        hidden = i >= first_hidden
        batch.position[0, i] = _number(node["position"]) if hidden else float(i >= len(INPUTS))
    with np.errstate(over="ignore"):  # A weight that float32 can't hold becomes infinite, which the check refuses.
        for e, connection in enumerate(connections):
            for end, slots in (("from", batch.source), ("to", batch.sink)):
                if type(connection[end]) is not int or not 0 <= connection[end] < len(nodes):
                    raise GenomeError(f"connection {e} goes {end} node {connection[end]!r:.40}, which isn't there")
                slots[0, e] = connection[end]
            batch.weight[0, e] = _number(connection["weight"])
    return batch


def _activation(node: int, name: Any) -> int:
    """Return the number of a node's activation function."""
    if name not in ACTIVATION_NAMES:
        known = ", ".join(ACTIVATION_NAMES)
        hint = suggestion(str(name), ACTIVATION_NAMES)
        raise GenomeError(f'node {node} has the activation "{str(name)[:40]}"{hint}; there are {known}')
    return ACTIVATION_NAMES.index(name)


def _number(value: Any) -> float:
    """Return a JSON number as it is; numpy would take text and true for numbers, too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r:.40} is no number")
    return value


def _one_of(content: dict[str, Any], key: str, choices: tuple[str, ...]) -> Any:
    if content[key] not in choices:
        raise ValueError(f"{key} must be {' or '.join(choices)}, got {content[key]!r:.60}")
    return content[key]
