"""Answers to questions about runs, pictures and genomes, as plain values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..attacks.plan import RANDOM
from ..attacks.statistics import Statistics, statistics_by_strategy
from ..config.checks import run_fault
from ..encodings.banks import MANY_SUFFIX, find_genomes
from ..encodings.genome_lines import names_one_genome, read_genome, read_genomes
from ..errors import ConfigError, RunError
from ..io.files import write_atomically
from ..io.images import fit, open_image
from ..io.png import png
from ..store.campaign import CampaignFolder
from ..store.run import RunFolder
from ..targets import registry as zoo
from ..targets.prepare import fitting_of

MAX_EDGE = 32_768
"""longest side of a rendered picture, in pixels"""

BAND = 2**22
"""pixels of a genome that are rendered at once"""


def inspect_run(path: Path) -> dict[str, Any]:
    """What a run is and how far it got; ``elites`` are the lines of ``elites.jsonl``.

    Raises:
        RunError: no run is there, or it is damaged.
    """
    run = RunFolder.open(path)
    config, elites = run.config, run.elites()
    metrics = run.metrics()
    last = metrics[-1] if metrics else {}
    try:
        budget = {k: v for k, v in config["budget"].items() if v is not None}
        name = config["target"]["name"]
        if fault := run_fault(config):
            raise RunError(f"{path / 'config.json'} is damaged ({fault}); the run can't be read without it")
        return {
            "run": str(path),
            "target": name,
            "weights_sha256": config["target"]["weights_sha256"],
            "encoding": config["encoding"],
            "preset": config["preset"],
            "batch": config["batch"],
            "seed": config["seed"],
            "budget": budget,
            **{
                key: last.get(key) for key in ("generation", "evaluations", "seconds", "median", "mean", "min", "at_99")
            },
            **{
                key: config[key]
                for key in ("selector", "emitters", "descriptors", "novelty", "bins", "apart")
                if config.get(key)
            },
            **({"pictures": last.get("elites"), "qd_score": last.get("qd_score")} if config.get("bins") else {}),
            "classes": len(config["niches"]),
            "niches": len(config["niches"]) * (config.get("bins") or 1) ** max(1, len(config.get("descriptors") or ())),
            "device": config["target"]["device"],
            "precision": config["target"]["precision"],
            "versions": config["versions"],
            "damaged_metrics": run.damaged_metrics(),
            "elites_written": _written(elites, metrics),
            "elites": elites,
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path / 'config.json'} is damaged ({error}); the run can't be read without it") from error


def _written(elites: list[dict[str, Any]], metrics: list[dict[str, Any]]) -> bool:
    """Whether the files of elites are those of the last generation: a killed run may have had newer ones."""
    won = [line["generation"] for line in metrics if line["improved"]]
    return not won or max((line["generation"] for line in elites), default=0) >= won[-1]


def inspect_campaign(path: Path) -> dict[str, Any]:
    """What a campaign is and how far it got.

    Raises:
        RunError: no campaign is there, or it is damaged.
    """
    folder = CampaignFolder.open(path)
    config, data = folder.config, folder.config["data"]
    last_k = config["pixels"][-1]
    counted = statistics_by_strategy(folder.outcomes(), last_k)
    own = counted.get(config["strategy"], Statistics(last_k))
    baseline = counted.get(RANDOM) if config["baseline"] else None
    total = folder.pairs()
    return {
        "campaign": str(path),
        "target": config["target"]["name"],
        "weights_sha256": config["target"]["weights_sha256"],
        "data": data["name"],
        "images": data["chosen"],
        "skipped": len(data["skipped"]),
        "criterion": config["criterion"],
        "pixels": config["pixels"],
        "strategy": config["strategy"],
        "queries_a_attempt": config["queries"],
        "seed": config["seed"],
        "attempts": total,
        **own.figures(),
        "baseline": baseline.figures() if baseline else None,
        "pending": total - own.done,
        "finished": own.done == total,
        "device": config["target"]["device"],
        "precision": config["target"]["precision"],
        "versions": config["versions"],
    }


def score_files(
    images: Sequence[Path], target: str, *, weights: Path | None = None, device: str = "auto", top: int = 5
) -> list[dict[str, Any]]:
    """The best guesses for image files, in float32; images are fitted the way the target's card says.

    Raises:
        ImageError: a file is no image.
        TargetError: the target is unknown or its weights can't be had.
    """
    loaded = zoo.load(target, weights=weights, device=device, precision="float32")
    network, fitting = loaded.target, fitting_of(loaded)
    results = []
    for path in images:
        pixels = fit(open_image(path), fitting.image_shape, fitting.resize, fitting.interpolation)
        scores = network.confirm(torch.from_numpy(pixels[None].copy()))[0]
        values, columns = scores.topk(min(top, len(network.classes)))
        guesses = [
            {"class": network.classes[column], "index": column, "confidence": value}
            for value, column in zip(values.tolist(), columns.tolist(), strict=True)
        ]
        results.append({"image": str(path), "top5": guesses})
    return results


def render_genome(path: Path, size: str, out: Path) -> tuple[int, int]:
    """Render a CPPN genome, or scale a picture with hard edges, into a PNG file.

    Args:
        path: a genome file, or any image.
        size: ``"1024"`` for the shorter side, or ``"1600x900"`` (width × height).
        out: the PNG file.

    Returns:
        (width, height) of the picture.
    """
    if out.suffix.lower() != ".png":
        raise ConfigError(f"--out must name a .png file, got {out}")
    named, path = path, find_genomes(path) or path
    if path.is_dir() or path.suffix == MANY_SUFFIX:
        genomes = read_genomes(path)
        example = f"; name one of its {len(genomes)} genomes, as in {genomes[0][0]}" if genomes else ""
        raise ConfigError(f"{named} is no picture or genome{example}")
    if names_one_genome(path):
        genome = read_genome(path)
        height, width = _size(size, genome.encoding.image_shape[1:])
        rows = genome.encoding.decode_rows(genome.genomes, (height, width))
        pixels = np.empty((genome.image_shape[0], height, width), np.uint8)
        step = max(1, BAND // width)
        for top in range(0, height, step):
            pixels[:, top : top + step] = rows(top, min(height, top + step))[0].numpy()
    else:
        image = open_image(path)
        height, width = _size(size, (image.height, image.width))
        array = np.asarray(image.resize((width, height), 0))
        pixels = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    try:
        write_atomically(out, png(pixels))
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror or error}; choose another --out") from error
    return width, height


def _size(text: str, native: tuple[int, int]) -> tuple[int, int]:
    """(height, width) that ``--size`` means for a picture of ``native`` (height, width)."""
    match = re.fullmatch(r"([0-9]{1,12})(?:[x×]([0-9]{1,12}))?", text.strip())
    if not match:
        raise ConfigError(f'--size must be a number of pixels or WIDTHxHEIGHT, got "{text}"')
    if match[2]:
        height, width = int(match[2]), int(match[1])
    else:
        scale = int(match[1]) / min(native)
        height, width = round(native[0] * scale), round(native[1] * scale)
    if not (1 <= height <= MAX_EDGE and 1 <= width <= MAX_EDGE):
        raise ConfigError(f"--size must be 1 to {MAX_EDGE} pixels a side, got {width}x{height}")
    return height, width
