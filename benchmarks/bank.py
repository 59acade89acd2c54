"""Makes a genome bank of a run: ``python -m benchmarks.bank RUN genomes/NAME.jsonl [--keep]``.

Of each elite only what reaches an output is kept, positions as short as their order allows, weights with three digits;
then it is rendered and scored again; with more digits where that is below 95 %, and left out where it stays below 90 %.
What is recorded is the score of what is in the file. With ``--keep`` a class's genome in the file stays where it is
better: the surer one, but of two at 95 % or more the one with fewer connections.
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

LEAST, SURE, DIGITS = 0.9, 0.95, (3, 4, 5, 9)

Content = dict[str, Any]


def make(run: Path, out: Path, *, keep: bool = False) -> None:
    """Write the bank of a run; with ``keep`` where the one that is there is not better."""
    folder = RunFolder.open(run)
    if folder.config["encoding"] != "cppn":
        raise ConfigError(f"{run} is a direct run; only CPPNs make a bank")
    target = reload_target(folder.config["target"], run, None)
    kept: list[Content] = []
    for line in folder.elites():
        if line["score"] < LEAST:
            continue
        genome = folder.genome(line)
        assert genome is not None
        best: Content = {"score": 0.0}
        for digits in DIGITS:
            content = shortened(genome.content, genome.image_shape[0], digits)
            short = genome_file.parse(content)
            score = float(target.confirm(short.encoding.decode(short.genomes))[0, line["index"]])
            best = max(best, {**content, "score": float(np.float32(score))}, key=itemgetter("score"))
            if best["score"] >= SURE:
                break
        if best["score"] >= LEAST:
            kept.append(best)
    if keep:
        mine = {content["index"]: content for content in kept}
        theirs = {genome.content["index"]: genome.content for _, genome in genome_lines.read_genomes(out)}
        mine |= {index: max(content, mine.get(index, content), key=_worth) for index, content in sorted(theirs.items())}
        kept = [mine[index] for index in sorted(mine)]
    write_atomically(out, genome_lines.dumps(kept))
    assert len(genome_lines.read_genomes(out)) == len(kept)
    print(f"{out}: {len(kept)} of {len(folder.config['niches'])} classes, {out.stat().st_size:,} bytes")


def _worth(content: Content) -> tuple[float, int]:
    return min(content["score"], SURE), -len(content["connections"])


def shortened(content: Content, outputs: int, digits: int) -> Content:
    """A genome's JSON with the same picture, nearly, and fewer bytes."""
    fixed, needed = len(INPUTS) + outputs, set(range(len(INPUTS) + outputs))
    waiting = list(range(len(INPUTS), fixed))
    into: dict[int, list[int]] = {}
    for edge in content["connections"]:
        into.setdefault(edge["to"], []).append(edge["from"])
    while waiting:
        new = set(into.get(waiting.pop(), [])) - needed
        needed |= new
        waiting += new
    # The order of nodes stays: connections are summed in it.
    number = {old: new for new, old in enumerate(sorted(needed))}
    places = sorted({node["position"] for node in content["nodes"] if node["id"] in needed and node["id"] >= fixed})
    steps = 10 ** len(str(len(places)))
    position = {place: (rank + 1) / steps for rank, place in enumerate(places)}
    nodes = [
        {**node, "id": number[node["id"]]} | ({"position": position[node["position"]]} if node["id"] >= fixed else {})
        for node in content["nodes"]
        if node["id"] in needed
    ]
    connections = [
        {"from": number[edge["from"]], "to": number[edge["to"]], "weight": float(f"{edge['weight']:.{digits}g}")}
        for edge in content["connections"]
        if edge["to"] in needed
    ]
    plain = {key: value for key, value in content.items() if key != genome_file.SEAL}
    return {**plain, "nodes": nodes, "connections": connections}


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--keep"]
    if len(words) != 2:
        sys.exit("give a run and the file to write: python -m benchmarks.bank RUN genomes/NAME.jsonl [--keep]")
    try:
        make(Path(words[0]), Path(words[1]), keep="--keep" in sys.argv)
    except EvofoolError as error:
        sys.exit(str(error))
