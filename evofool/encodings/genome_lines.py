"""Many CPPN genomes in one file, such as a bank of a thousand.

The first line holds what all genomes share, and the SHA-256 of that and of the lines that follow. Each of these is a
genome, with its graph written short::

    {"format": 2, "encoding": "cppn", "image_shape": [3, 224, 224], "coordinates": "unit", "colour": "hsl", …}
    {"class": "tabby", "index": 281, …, "nodes": [["sin"], …, ["gauss", 0.5]], "connections": [[0, 4, 1.25], …]}

A node is its activation, followed by its position if it is hidden; inputs are left out. A connection is from, to and
weight, with nodes numbered as in a genome's own file.
``FILE.jsonl#281`` or ``FILE.jsonl#tabby`` names one of them, and ``FOLDER#cat`` one of a folder of genomes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..config.class_names import ClassNames, normal_form
from ..errors import ConfigError, GenomeError, in_words
from ..io.files import open_regular
from ..io.nearby import nearby
from .banks import MANY_SUFFIX, bank_names, find_genomes, place_in_words, split_genome_path
from .cppn.batch import INPUTS
from .genome_file import CHECKSUM, GenomeFile, check_format, output_names, parse, read

MAX_BYTES = 32_000_000
"""Most bytes of a file; a larger one is refused before it is parsed. A bank of a thousand has one or two millions."""

MAX_HEAD = 100_000
"""Most bytes of the first line that are read to tell whether a file holds genomes."""

MAX_NAMED = 20
"""Largest number of genomes that a message names."""

_IN_JOBS = ("elites/*.*", "seed-*/elites/*.*", "adversarial/*/*.png")
"""Where pictures and genomes are in the folder of a job."""

_SHARED = ("format", "encoding", "image_shape", "coordinates", "colour")
"""Keys that the first line must have."""


def names_one_genome(path: Path) -> bool:
    """Return whether a path names a single CPPN genome: a ``.json`` file, or one of a file of many or of a folder."""
    return path.suffix == ".json" or split_genome_path(path)[1] is not None


def is_file_of_genomes(path: Path) -> bool:
    """Return whether a ``.jsonl`` file begins as one of many genomes does; logs have the same suffix."""
    try:
        with open_regular(path) as stream:
            head = json.loads(stream.readline(MAX_HEAD))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(head, dict) and head.get("encoding") == "cppn"


def read_genomes(path: Path) -> list[tuple[Path, GenomeFile]]:
    """Read all CPPN genomes of a genome file, a file of many, one genome of it, or a folder.

    Returns:
        Each genome with the path that names it.

    Raises:
        GenomeError: A genome can't be read.
    """
    if path.is_dir():
        many = [file for file in path.glob(f"*{MANY_SUFFIX}") if is_file_of_genomes(file)]
        return [genome for file in sorted([*path.glob("*.json"), *many]) for genome in read_genomes(file)]
    if path.suffix == MANY_SUFFIX:
        return [(_path_of(path, genome, row), genome) for row, genome in enumerate(_read_file(path))]
    return [_named(path)]


def check_drawing(genomes: Sequence[tuple[Path, GenomeFile]], colour: str, coordinates: str) -> None:
    """Check that genomes become pictures in a certain way; see ``CPPNSettings``.

    Raises:
        GenomeError: One has another colour or other coordinates.
    """
    for file, genome in genomes:
        for what, wanted, given in (
            ("colour", colour, genome.colour),
            ("coordinates", coordinates, genome.coordinates),
        ):
            if wanted != given:
                fix = "choose a grey target" if given == "grey" else "choose a `target` or `preset` that fits"
                raise GenomeError(f"{file} has {what} {given}, expected {wanted}; {fix}")


def read_genome(path: Path) -> GenomeFile:
    """Read a genome from its own file, or the one of many that ``FILE.jsonl#WHICH`` or ``FOLDER#WHICH`` names.

    WHICH is a class or its index. The folder may be that of a run.

    Raises:
        GenomeError: It is missing or damaged, or several genomes have that name.
    """
    return _named(path)[1]


def _named(path: Path) -> tuple[Path, GenomeFile]:
    """Return the genome that a path names, with its own path."""
    place, which = split_genome_path(path)
    if which is None:
        return path, read(path)
    genomes = read_genomes(place / "elites" if (place / "elites").is_dir() else place)
    indices = [str(genome.provenance.get("index", row)) for row, (_, genome) in enumerate(genomes)]
    classes = [str(genome.provenance.get("class", row)) for row, (_, genome) in enumerate(genomes)]
    rows = [row for row, index in enumerate(indices) if index == which]
    rows = rows or [row for row, name in enumerate(classes) if normal_form(name) == normal_form(which)]
    if not rows:
        few = f": {', '.join(classes)}" if len(classes) <= MAX_NAMED else ""
        hint = ClassNames(classes).suggest(which)
        raise GenomeError(f'{place_in_words(place)} has no genome "{which}"{hint}; name a class, or its index{few}')
    if len(rows) > 1:
        others = [genomes[row][0].name if place.is_dir() else indices[row] for row in rows[:MAX_NAMED]]
        raise GenomeError(f'{place_in_words(place)} has {len(rows)} of "{which}"; name one by {", ".join(others)}')
    return genomes[rows[0]]


def single_genome(path: Path) -> GenomeFile | None:
    """Return the genome that a user names by a file or by an entry of a bank; None where it may be a picture.

    Raises:
        ConfigError: The path names several genomes, or a folder.
        GenomeError: The genome is missing or damaged.
    """
    file = find_genomes(path) or path
    folder, separator, _ = str(path).rpartition("#")
    if separator and not os.path.lexists(file) and split_genome_path(file)[1] is None:
        raise GenomeError(
            f"no genomes at {folder}{nearby(folder, bank_names())}; before # give a run, a file or folder of genomes, "
            f"or a bank ({', '.join(bank_names())})"
        )
    if (file / "config.json").is_file():
        files = (inner for pattern in _IN_JOBS for inner in sorted(file.glob(pattern)))
        example = next((f"; name a file in it, such as {inner}" for inner in files), "")
        raise ConfigError(f"{path} is the folder of a job{example}")
    if file.is_dir() or file.suffix == MANY_SUFFIX:
        genomes = read_genomes(file)
        which = genomes[0][1].provenance.get("class", 0) if genomes else ""
        example = f"; name one of its {len(genomes)} genomes, as in {path}#{which}" if genomes else ""
        raise ConfigError(f"{path} is no picture or genome{example}")
    return read_genome(file) if names_one_genome(file) else None


def dumps(genomes: Sequence[dict[str, Any]]) -> str:
    """Return the file that holds these genomes, each as ``genome_file.to_json`` returns it.

    Raises:
        GenomeError: There are none, or they are rendered in different ways.
    """
    if not genomes:
        raise GenomeError("a file of genomes needs one at least")
    first = genomes[0]
    shared = {key: value for key, value in first.items() if all(genome.get(key) == value for genome in genomes)}
    shared = {
        key: value for key, value in shared.items() if key not in ("nodes", "connections", "class", "index", CHECKSUM)
    }
    if not set(_SHARED) <= shared.keys():
        raise GenomeError("genomes of different shapes or colours can't share a file")
    fixed = len(INPUTS) + len(output_names(shared["image_shape"][0]))
    lines = []
    for genome in genomes:
        line = {key: value for key, value in genome.items() if key not in shared and key != CHECKSUM}
        line["nodes"] = [
            [node["activation"]] + ([node["position"]] if node["id"] >= fixed else [])
            for node in genome["nodes"][len(INPUTS) :]
        ]
        line["connections"] = [[edge["from"], edge["to"], edge["weight"]] for edge in genome["connections"]]
        lines.append(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
    body = "".join(lines)
    head = shared | {CHECKSUM: _digest(shared, body.encode())}
    return json.dumps(head, ensure_ascii=False) + "\n" + body


def _read_file(file: Path) -> tuple[GenomeFile, ...]:
    try:
        status = os.stat(file)
        return _parse_file(file, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise GenomeError(f"cannot read genomes {file}: {error.strerror}") from error


@lru_cache(maxsize=2)
def _parse_file(file: Path, changed: int, size: int) -> tuple[GenomeFile, ...]:
    """Parse a file; ``changed``, its time, makes the cache forget a file that was written anew."""
    if size > MAX_BYTES:
        raise GenomeError(f"{file} has {size:,} bytes; a file of genomes has at most {MAX_BYTES:,}")
    with open_regular(file) as stream:
        head, _, body = stream.read().partition(b"\n")
    if not head:
        raise GenomeError(f"{file} is empty; fetch it again")
    try:
        shared = json.loads(head)
        if not isinstance(shared, dict) or "format" not in shared or not body:
            raise GenomeError(f"{file} is not a file of genomes as evofool writes it")
        sealed = _check(file, shared, body)
        genomes = []
        for number, line in enumerate(body.splitlines(), 2):
            try:
                genomes.append(parse(_expanded(shared, json.loads(line)), sealed=sealed))
            except GenomeError as error:
                raise GenomeError(f"line {number} of {file}: {error}") from error
        return tuple(genomes)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise GenomeError(f"{file} is not a file of genomes, or damaged ({in_words(error)})") from error


def _check(file: Path, shared: dict[str, Any], body: bytes) -> bool:
    """Check a file's format, take its check sum out of ``shared``, and return whether there was one."""
    try:
        check_format(shared)
    except GenomeError as error:
        raise GenomeError(f"{file}: {error}") from error
    if CHECKSUM not in shared:
        return False
    if shared.pop(CHECKSUM) != _digest(shared, body):
        raise GenomeError(
            f"{file} is not as it was written: its {CHECKSUM} is another; fetch it again, or, if you changed it, "
            f"take the {CHECKSUM} out: its genomes then count as not scored"
        )
    return True


def _digest(shared: dict[str, Any], body: bytes) -> str:
    """Return the SHA-256 of what all genomes share and of the lines that follow."""
    return hashlib.sha256(json.dumps(shared, sort_keys=True).encode() + b"\n" + body).hexdigest()


def _expanded(shared: dict[str, Any], line: dict[str, Any]) -> dict[str, Any]:
    """Return the genome of a line as its own file would have it."""
    names = [*INPUTS, *output_names(shared["image_shape"][0])]
    nodes: list[dict[str, Any]] = [{"id": i, "name": name} for i, name in enumerate(INPUTS)]
    for i, (activation, *position) in enumerate(line["nodes"], len(INPUTS)):
        rest = {"name": names[i]} if i < len(names) else {"position": position[0]}
        nodes.append({"id": i, "activation": activation, **rest})
    connections = [{"from": source, "to": sink, "weight": weight} for source, sink, weight in line["connections"]]
    return {**shared, **line, "nodes": nodes, "connections": connections}


def _path_of(file: Path, genome: GenomeFile, row: int) -> Path:
    return file.with_name(f"{file.name}#{genome.provenance.get('index', row)}")
