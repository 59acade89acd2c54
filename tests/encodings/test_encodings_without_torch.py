"""Genomes, edits and labelled images are read without torch, and without numba, which both take long to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

READS = """
import sys
from pathlib import Path
import evofool.datasets
import evofool.encodings
import evofool.io.writer
from evofool.encodings.banks import bank_names, find_genomes
from evofool.encodings.cppn.settings import PRESETS
from evofool.encodings.direct.settings import PRESETS
from evofool.encodings.genome_lines import read_genomes
from evofool.encodings.pixels import Pixels, distances, edited, keys
from evofool.io.arrays import read_arrays, write_arrays
from evofool.io.images import open_image
from evofool.io.lines import read_lines
from evofool.io.lock import locked
assert len([genome for name in bank_names() for genome in read_genomes(find_genomes(name))]) > 1000
write_arrays(Path(sys.argv[1]) / "a.npz", {})
read_arrays(Path(sys.argv[1]) / "a.npz")
print(*sorted({"torch", "torchvision", "numba", "deap"} & sys.modules.keys()))
"""


def test_reading_needs_no_torch(tmp_path: Path) -> None:
    reader = subprocess.run([sys.executable, "-c", READS, str(tmp_path)], capture_output=True, text=True)
    assert reader.returncode == 0, reader.stderr
    assert reader.stdout.split() == []
