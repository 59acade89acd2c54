"""Evolves the genomes that CPPN runs begin with: ``python -m benchmarks.founders RUN [genomes/founders-cppn.jsonl]``.

They are evolved for EfficientNet-lite0 at 96 × 96 pixels, from random genomes, with the defaults. All elites are taken,
however sure: they are there to be changed. Fewer evaluations and more make worse founders
(benchmarks/results/search-founders.md). It takes nine minutes on one core, and goes on where it was stopped.
"""

from __future__ import annotations

import sys
from pathlib import Path

import evofool
from evofool.encodings import genome_lines
from evofool.errors import EvofoolError
from evofool.io.files import write_atomically
from evofool.store.run import RunFolder

from .bank import scored_again
from .efficientnet_lite import lite0_small

SEED, EVALUATIONS = 1, 300_000
"""The run's seed and evaluations."""

DIGITS = 5
"""Digits of a weight. With three a fifth of the sure pictures are not sure any more."""


def make(run: Path, out: Path) -> None:
    """Evolve founders in a run's folder, or go on there, and write them into a file."""
    target = lite0_small()
    if run.exists():
        evofool.resume(run, target=target, gallery=False)
    else:
        evofool.evolve(target, seed=SEED, evaluations=EVALUATIONS, init="random", gallery=False, out=run)
    folder = RunFolder.open(run)
    contents = []
    for line in folder.elites():
        genome = folder.genome(line)
        assert genome is not None
        contents.append(scored_again(target, genome, DIGITS))
    write_atomically(out, genome_lines.dumps(contents))
    print(f"{out}: {len(genome_lines.read_genomes(out)):,} genomes, {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    words = sys.argv[1:]
    if len(words) not in (1, 2):
        sys.exit("give the folder of a run: python -m benchmarks.founders RUN [FILE.jsonl]")
    try:
        make(Path(words[0]), Path(words[1] if len(words) == 2 else "genomes/founders-cppn.jsonl"))
    except EvofoolError as error:
        sys.exit(str(error))
