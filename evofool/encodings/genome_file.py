"""Genomes on disk: a CPPN is small readable JSON; a direct genome is the picture itself, as PNG."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import GenomeError
from ..io.files import open_regular
from ..kernels.constants import EMPTY
from .cppn.batch import ACTIVATION_NAMES, INPUTS, CPPNBatch

if TYPE_CHECKING:
    from .cppn.encoding import CPPN

FORMAT = 1
MAX_BYTES = 2_000_000
"""a genome file larger than this is refused before it is parsed"""

SEAL = "sha256"
"""the check sum that evofool writes; a file that was written or changed by hand needs none"""


@dataclass(frozen=True)
class GenomeFile:
    """A CPPN read from a file: a batch of one, how it is to be rendered, and where it came from."""

    genomes: CPPNBatch
    image_shape: tuple[int, int, int]
    coordinates: Literal["unit", "pixels"]
    colour: Literal["grey", "hsl", "rgb"]
    provenance: dict[str, Any]
    """target, class, index, score, seed, generation …, as far as the file tells"""
    content: dict[str, Any]
    """the file's JSON"""

    @cached_property
    def encoding(self) -> CPPN:
        """What renders it; made on first use, so that reading a file need not wait for torch."""
        from .cppn.encoding import CPPN, CPPNSettings

        settings = CPPNSettings(
            coordinates=self.coordinates,
            colour="hsl" if self.colour == "grey" else self.colour,
            max_nodes=max(self.genomes.activation.shape[1], len(INPUTS) + 3),
            max_connections=max(self.genomes.source.shape[1], 3 * len(INPUTS)),
        )
        return CPPN(self.image_shape, "cpu", settings)


def to_json(encoding: CPPN, genomes: CPPNBatch, row: int, provenance: dict[str, Any]) -> dict[str, Any]:
    """One genome as plain JSON values; nodes that reach no output are kept, free slots are not.

    Weights are written with the digits that float32 needs, so that reading them gives the same bits.
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
    """Readable JSON: a line for every node and connection, and a check sum over all of it."""
    return next(dumps_each(genome, [{}]))


def dumps_each(genome: dict[str, Any], provenances: Iterable[dict[str, Any]]) -> Iterator[str]:
    """:func:`dumps` of one genome for several origins: a child that wins many niches has a file for each."""
    lists = {key: genome[key] for key in ("nodes", "connections")}
    rows = [f"  {json.dumps(key)}: [\n{_rows(items)}\n  ]" for key, items in lists.items()]
    graph = {key: _plain(items) for key, items in lists.items()}
    for provenance in provenances:
        head = {k: v for k, v in (genome | provenance).items() if k not in (*lists, SEAL)}
        digest = _digest(graph | {key: _plain(value) for key, value in head.items()})
        told = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in (head | {SEAL: digest}).items()]
        yield "{\n" + ",\n".join(told + rows) + "\n}\n"


def seal(genome: dict[str, Any]) -> str:
    """The SHA-256 over a genome's values, however they are written down; a number is a number, 1 or 1.0."""
    return _digest({key: _plain(value) for key, value in genome.items() if key != SEAL})


def _digest(parts: dict[str, str]) -> str:
    """Of a genome whose values are given as :func:`_plain` writes them."""
    return hashlib.sha256(
        f"{{{', '.join(f'{json.dumps(k)}: {parts[k]}' for k in sorted(parts))}}}".encode()
    ).hexdigest()


def _plain(value: Any) -> str:
    """A value as sorted JSON, whole numbers as floats, without check sums in it."""
    text = json.dumps(value)
    return _sorted_before(text) if len(text) < 500 else _sorted(text)


def _sorted(text: str) -> str:
    hook = _without_seal if f'"{SEAL}"' in text else None
    return json.dumps(json.loads(text, parse_int=float, object_hook=hook), sort_keys=True)


_sorted_before = lru_cache(256)(_sorted)
"""most of what genomes tell beside their graphs is the same for all of a run"""


def _without_seal(value: dict[str, Any]) -> dict[str, Any]:
    return {key: inner for key, inner in value.items() if key != SEAL}


def _rows(items: list[Any]) -> str:
    """JSON, a line an item: made at once where what is between items is nowhere inside of one."""
    together, between = json.dumps(items)[1:-1], "}, {"
    if together.count(between) == len(items) - 1 and all(isinstance(item, dict) for item in items):
        return "    " + together.replace(between, "},\n    {")
    return ",\n".join("    " + json.dumps(item) for item in items)


def read(path: Path) -> GenomeFile:
    """A CPPN genome file.

    Raises:
        GenomeError: the file is missing, no genome, of another format version, or its graph is broken.
    """
    try:
        with open_regular(path) as file:
            if (size := os.fstat(file.fileno()).st_size) > MAX_BYTES:
                raise GenomeError(f"{path} has {size:,} bytes; a genome has at most {MAX_BYTES:,}")
            content = json.loads(file.read())
    except OSError as error:
        raise GenomeError(f"cannot read genome {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise GenomeError(f"{path} is not a genome file: expected JSON as evofool writes it ({error})") from error
    try:
        return parse(content)
    except GenomeError as error:
        raise GenomeError(f"{path}: {error}") from error


def parse(content: Any) -> GenomeFile:
    """A CPPN genome from JSON values; see :func:`read`."""
    if not isinstance(content, dict) or content.get("encoding") != "cppn":
        raise GenomeError('this is no CPPN genome: expected a JSON object with "encoding": "cppn"')
    if content.get("format") != FORMAT:
        raise GenomeError(f"genome format {content.get('format')!r} is not known; this version reads {FORMAT}")
    try:
        whole = SEAL not in content or content[SEAL] == seal(content)
    except (OverflowError, RecursionError) as error:
        raise GenomeError(f"the genome is damaged ({error})") from error
    if not whole:
        raise GenomeError(
            f"the genome is not as it was written: its {SEAL} is another; fetch it again, or, if you changed it, "
            f"take the {SEAL} out"
        )
    try:
        shape = tuple(int(v) for v in content["image_shape"])
        nodes, connections = content["nodes"], content["connections"]
        if len(shape) != 3 or shape[0] not in (1, 3) or not all(1 <= edge <= 8192 for edge in shape[1:]):
            raise GenomeError(f"image_shape {list(shape)} is not (1 or 3, height, width)")
        coordinates = _one_of(content, "coordinates", ("unit", "pixels"))
        named = _one_of(content, "colour", ("grey", "hsl", "rgb") if shape[0] == 1 else ("hsl", "rgb"))
        colour: Any = "grey" if shape[0] == 1 else named
        outputs = shape[0]
        batch = CPPNBatch.empty(1, len(nodes), len(connections))
        first_hidden = len(INPUTS) + outputs
        if len(nodes) > np.iinfo(np.int16).max:
            raise GenomeError(f"{len(nodes)} nodes are too many")
        for i, node in enumerate(nodes):
            if node["id"] != i:
                raise GenomeError(f"node {i} must have id {i}, has {node['id']!r}")
            batch.activation[0, i] = 0 if i < len(INPUTS) else ACTIVATION_NAMES.index(node["activation"])
            hidden = i >= first_hidden
            batch.position[0, i] = node["position"] if hidden else float(i >= len(INPUTS))
        for e, connection in enumerate(connections):
            for end, slots in (("from", batch.source), ("to", batch.sink)):
                if not isinstance(connection[end], int) or not 0 <= connection[end] < len(nodes):
                    raise GenomeError(f"connection {e} goes {end} node {connection[end]!r}, which isn't there")
                slots[0, e] = connection[end]
            with np.errstate(over="ignore"):  # what float32 can't hold is refused below, as infinite
                batch.weight[0, e] = connection["weight"]
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise GenomeError(f"the genome is damaged or incomplete ({type(error).__name__}: {error})") from error
    batch.check(outputs)
    fixed = {"format", SEAL, "encoding", "image_shape", "coordinates", "colour", "nodes", "connections"}
    return GenomeFile(batch, shape, coordinates, colour, {k: v for k, v in content.items() if k not in fixed}, content)


def output_names(outputs: int) -> tuple[str, ...]:
    """How a genome file calls the output nodes."""
    return ("grey",) if outputs == 1 else tuple(f"colour{i}" for i in range(outputs))


def _one_of(content: dict[str, Any], key: str, choices: tuple[str, ...]) -> Any:
    if content[key] not in choices:
        raise ValueError(f"{key} must be {' or '.join(choices)}, got {content[key]!r}")
    return content[key]
