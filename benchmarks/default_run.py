"""The README's first command as a user meets it: a fresh process, wall clock, confidences, re-scored PNGs."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from evofool.engines.guesses import score

from .common import Row, table


def measure(seeds: int | None) -> list[Row]:
    """Run ``evofool evolve --encoding cppn`` and ``--encoding direct`` with default options, three seeds each."""
    rows: list[Row] = []
    for encoding in ("cppn", "direct"):
        for seed in range(seeds or 3):
            with tempfile.TemporaryDirectory() as folder:
                rows.append(_run(encoding, seed, Path(folder) / "run"))
    table(rows)
    return rows


def _run(encoding: str, seed: int, out: Path) -> Row:
    command = [sys.executable, "-m", "evofool", "evolve", "--encoding", encoding]
    started = time.perf_counter()
    process = subprocess.run(
        [*command, "--seed", str(seed), "--out", str(out), "--json"], check=True, capture_output=True, text=True
    )
    wall = time.perf_counter() - started
    summary = json.loads(process.stdout)
    elites = [json.loads(line) for line in (out / "elites.jsonl").read_text().splitlines()]
    scored = score([out / line["file"] for line in elites], "cifar10", top=10)["images"]
    errors = [
        abs(next(guess["confidence"] for guess in result["top5"] if guess["index"] == line["index"]) - line["score"])
        for line, result in zip(elites, scored, strict=True)
    ]
    return {
        "encoding": encoding,
        "seed": seed,
        "wall seconds": round(wall, 1),
        "images/s": summary["images_per_second"],
        "evaluations": summary["evaluations"],
        "median": summary["median"],
        "lowest": summary["min"],
        "classes >= 95 %": sum(c["confidence"] >= 0.95 for c in summary["classes"]),
        "classes >= 99 %": summary["at_99"],
        "largest error of a re-scored PNG": max(errors),
    }
