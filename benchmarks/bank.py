"""Makes a genome bank of a run: ``python -m benchmarks.bank RUN genomes/NAME.jsonl [--keep]``.

Of each elite, nodes and connections are kept that reach an output. Positions get as short as their order allows, and
weights get three digits. The genome is then rendered and scored again: it gets more digits where its score is below
95 %, and is left out where that stays below 90 %. The file has the scores of the genomes in it.

With ``--keep``, a class's genome in the file stays where it is better. The surer one is better, but of two at 95 % or
more, the one with fewer connections is.
"""

from __future__ import annotations

import sys
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from evofool.encodings import genome_file, genome_lines
from evofool.encodings.cppn.batch import INPUTS
from evofool.errors import ConfigError, EvofoolError
from evofool.io.files import write_atomically
from evofool.store.run import RunFolder
from evofool.targets.prepare import reload_target
from evofool.targets.protocols import Target

MIN_SCORE, GOOD_SCORE = 0.9, 0.95
"""The score below which a genome is left out, and that from which no more digits are tried."""

DIGITS = (3, 4, 5, 9)
"""Numbers of a weight's digits, in the order they are tried."""

Content = dict[str, Any]


def make(run: Path, out: Path, *, keep: bool = False) -> None:
    """Write the bank of a run; with ``keep``, genomes in the file stay where they are better.

    Raises:
        ConfigError: The run is of direct genomes.
        EvofoolError: The run or the bank is damaged.
    """
    folder = RunFolder.open(run)
    if folder.config.options.encoding != "cppn":
        raise ConfigError(f"{run} is a direct run; only CPPNs make a bank")
    target = reload_target(folder.config.target, run, None)
    genomes: list[Content] = []
    for line in folder.elites():
        if line["score"] < MIN_SCORE:
            continue
        genome = folder.genome(line)
        assert genome is not None
        best: Content = {"score": 0.0}
        for digits in DIGITS:
            best = max(best, scored_again(target, genome, digits), key=itemgetter("score"))
            if best["score"] >= GOOD_SCORE:
                break
        if best["score"] >= MIN_SCORE:
            genomes.append(best)
    if keep:
        by_index = {content["index"]: content for content in genomes}
        for _, genome in genome_lines.read_genomes(out):
            index = genome.content["index"]
            by_index[index] = max(genome.content, by_index.get(index, genome.content), key=_worth)
        genomes = [by_index[index] for index in sorted(by_index)]
    write_atomically(out, genome_lines.dumps(genomes))
    assert len(genome_lines.read_genomes(out)) == len(genomes)
    print(f"{out}: {len(genomes)} of {len(folder.config.class_indices)} classes, {out.stat().st_size:,} bytes")


def _worth(content: Content) -> tuple[float, int]:
    """Return what the better of two genomes has more of."""
    return min(content["score"], GOOD_SCORE), -len(content["connections"])


def scored_again(target: Target, genome: genome_file.GenomeFile, digits: int) -> Content:
    """Return the JSON of a genome with weights of so many digits, and with the score that it then has."""
    content = shortened(genome.content, genome.image_shape[0], digits)
    short = genome_file.parse(content)
    score = float(target.confirm(short.encoding.decode(short.genomes))[0, content["index"]])
    return {**content, "score": float(np.float32(score))}


def shortened(content: Content, outputs: int, digits: int) -> Content:
    """Return a genome's JSON with nearly the same picture and fewer bytes."""
    fixed, needed = len(INPUTS) + outputs, set(range(len(INPUTS) + outputs))
    waiting = list(range(len(INPUTS), fixed))
    sources: dict[int, list[int]] = {}
    for edge in content["connections"]:
        sources.setdefault(edge["to"], []).append(edge["from"])
    while waiting:
        new = set(sources.get(waiting.pop(), [])) - needed
        needed |= new
        waiting += new
    # The order of nodes stays, since connections are summed in it.
    number = {old: new for new, old in enumerate(sorted(needed))}
    positions = sorted({node["position"] for node in content["nodes"] if node["id"] in needed and node["id"] >= fixed})
    steps = 10 ** len(str(len(positions)))
    short = {position: (rank + 1) / steps for rank, position in enumerate(positions)}
    nodes = [
        {**node, "id": number[node["id"]]} | ({"position": short[node["position"]]} if node["id"] >= fixed else {})
        for node in content["nodes"]
        if node["id"] in needed
    ]
    connections = [
        {"from": number[edge["from"]], "to": number[edge["to"]], "weight": float(f"{edge['weight']:.{digits}g}")}
        for edge in content["connections"]
        if edge["to"] in needed
    ]
    plain = {key: value for key, value in content.items() if key != genome_file.CHECKSUM}
    return {**plain, "nodes": nodes, "connections": connections}


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--keep"]
    if len(words) != 2:
        sys.exit("give a run and the file to write: python -m benchmarks.bank RUN genomes/NAME.jsonl [--keep]")
    try:
        make(Path(words[0]), Path(words[1]), keep="--keep" in sys.argv)
    except EvofoolError as error:
        sys.exit(str(error))
