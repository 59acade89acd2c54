"""Many CPPN genomes in one file: a bank of a thousand is one of them.

The first line holds what all share and the SHA-256 of the lines that follow; each of these is a genome, its graph
written short::

    {"format": 1, "encoding": "cppn", "image_shape": [3, 224, 224], "coordinates": "unit", "colour": "hsl", …}
    {"class": "tabby", "index": 281, …, "nodes": [["sin"], …, ["gauss", 0.5]], "connections": [[0, 4, 1.25], …]}

A node is its activation, and its position where it is hidden; inputs are left out. A connection is from, to, weight,
with nodes counted as in a genome's own file. ``FILE.jsonl#281`` or ``FILE.jsonl#tabby`` names one of them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import GenomeError, suggestion
from ..io.files import open_regular
from .banks import MANY_SUFFIX, split_genome_path
from .cppn.batch import INPUTS
from .genome_file import FORMAT, SEAL, GenomeFile, output_names, parse, read

MAX_BYTES = 32_000_000
"""a larger file is refused before it is parsed; a bank of a thousand has one or two millions"""

MAX_HEAD = 100_000
"""bytes of the first line"""

_SHARED = ("format", "encoding", "image_shape", "coordinates", "colour")


def names_one_genome(path: Path) -> bool:
    """Whether a path names one CPPN genome, by how it ends."""
    return path.suffix == ".json" or split_genome_path(path)[1] is not None


def is_file_of_genomes(path: Path) -> bool:
    """Whether a ``.jsonl`` file begins as one of many genomes does; logs, say, have the same ending."""
    try:
        with open_regular(path) as stream:
            head = json.loads(stream.readline(MAX_HEAD))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(head, dict) and head.get("encoding") == "cppn"


def read_genomes(place: Path) -> list[tuple[Path, GenomeFile]]:
    """The CPPN genomes at a place, each with what names it: a genome file, one of many, a file of many, or a folder.

    Raises:
        GenomeError: one can't be read.
    """
    if place.is_dir():
        many = [file for file in place.glob(f"*{MANY_SUFFIX}") if is_file_of_genomes(file)]
        return [found for file in sorted([*place.glob("*.json"), *many]) for found in read_genomes(file)]
    if place.suffix == MANY_SUFFIX:
        return [(_named(place, genome, row), genome) for row, genome in enumerate(_all_of(place))]
    return [(place, read_genome(place))]


def read_genome(path: Path) -> GenomeFile:
    """A genome from its own file, or ``FILE.jsonl#WHICH`` from one of many.

    Raises:
        GenomeError: it is not there, or damaged.
    """
    file, which = split_genome_path(path)
    if which is None:
        return read(path)
    genomes = _all_of(file)
    indices = [str(genome.provenance.get("index", row)) for row, genome in enumerate(genomes)]
    classes = [str(genome.provenance.get("class", row)) for row, genome in enumerate(genomes)]
    rows = [row for row, index in enumerate(indices) if index == which]
    rows = rows or [row for row, name in enumerate(classes) if name.lower() == which.lower()]
    if not rows:
        raise GenomeError(f'{file} has no genome "{which}"{suggestion(which, classes)}; name a class, or its index')
    if len(rows) > 1:
        raise GenomeError(f'{file} has {len(rows)} of "{which}"; name one by {", ".join(indices[row] for row in rows)}')
    return genomes[rows[0]]


def dumps(genomes: Sequence[dict[str, Any]]) -> str:
    """The file that holds these genomes, each as ``genome_file.to_json`` gives it.

    Raises:
        GenomeError: there are none, or they are rendered in different ways.
    """
    if not genomes:
        raise GenomeError("a file of genomes needs one at least")
    shared = {key: genomes[0][key] for key in genomes[0] if all(one.get(key) == genomes[0][key] for one in genomes)}
    shared = {key: shared[key] for key in shared if key not in ("nodes", "connections", "class", "index", SEAL)}
    if not set(_SHARED) <= shared.keys():
        raise GenomeError("genomes of different shapes or colours can't share a file")
    fixed = len(INPUTS) + len(output_names(shared["image_shape"][0]))
    lines = []
    for one in genomes:
        own = {key: value for key, value in one.items() if key not in shared and key != SEAL}
        own["nodes"] = [
            [node["activation"]] + ([node["position"]] if node["id"] >= fixed else [])
            for node in one["nodes"][len(INPUTS) :]
        ]
        own["connections"] = [[edge["from"], edge["to"], edge["weight"]] for edge in one["connections"]]
        lines.append(json.dumps(own, separators=(",", ":"), ensure_ascii=False) + "\n")
    body = "".join(lines)
    return json.dumps(shared | {SEAL: hashlib.sha256(body.encode()).hexdigest()}, ensure_ascii=False) + "\n" + body


def _all_of(file: Path) -> tuple[GenomeFile, ...]:
    try:
        status = os.stat(file)
        return _parsed(file, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise GenomeError(f"cannot read genomes {file}: {error.strerror}") from error


@lru_cache(maxsize=2)
def _parsed(file: Path, changed: int, size: int) -> tuple[GenomeFile, ...]:
    if size > MAX_BYTES:
        raise GenomeError(f"{file} has {size:,} bytes; a file of genomes has at most {MAX_BYTES:,}")
    with open_regular(file) as stream:
        head, _, body = stream.read().partition(b"\n")
    if not head:
        raise GenomeError(f"{file} is empty; fetch it again")
    try:
        shared = json.loads(head)
        if not isinstance(shared, dict) or shared.get("format") != FORMAT or not body:
            raise GenomeError(f"{file} is not a file of genomes as this version of evofool writes it")
        if shared.pop(SEAL, None) != hashlib.sha256(body).hexdigest():
            raise GenomeError(f"{file} is not as it was written: its {SEAL} is another; fetch it again")
        genomes = []
        for number, line in enumerate(body.splitlines(), 2):
            try:
                genomes.append(parse(_whole(shared, json.loads(line))))
            except GenomeError as error:
                raise GenomeError(f"line {number} of {file}: {error}") from error
        return tuple(genomes)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise GenomeError(f"{file} is not a file of genomes, or damaged ({type(error).__name__}: {error})") from error


def _whole(shared: dict[str, Any], line: dict[str, Any]) -> dict[str, Any]:
    """A line as a genome's own file has it."""
    names = [*INPUTS, *output_names(shared["image_shape"][0])]
    nodes: list[dict[str, Any]] = [{"id": i, "name": name} for i, name in enumerate(INPUTS)]
    for i, (activation, *position) in enumerate(line["nodes"], len(INPUTS)):
        named = {"name": names[i]} if i < len(names) else {"position": position[0]}
        nodes.append({"id": i, "activation": activation, **named})
    connections = [{"from": one, "to": other, "weight": weight} for one, other, weight in line["connections"]]
    return {**shared, **line, "nodes": nodes, "connections": connections}


def _named(file: Path, genome: GenomeFile, row: int) -> Path:
    return file.with_name(f"{file.name}#{genome.provenance.get('index', row)}")
