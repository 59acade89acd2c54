"""Answers to questions about runs, pictures and genomes, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ..attacks.searches.registry import BASELINE
from ..attacks.statistics import Statistics, statistics_by_strategy
from ..config.checks import run_fault
from ..errors import RunError
from ..io.images import fit, open_image
from ..store.campaign import CampaignFolder
from ..store.run import RunFolder
from ..targets import registry as zoo
from ..targets.prepare import fitting_of


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
    baseline = counted.get(BASELINE) if config["baseline"] else None
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
