"""An audit of everything, small and made up, for tests of reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from audit_records import figure, record
from PIL import Image

from evofool.audits.calibration import calibration
from evofool.audits.corruptions import corruptions
from evofool.audits.figure_table import CONFIDENCES, EPSILONS, PIXELS
from evofool.audits.measured import share
from evofool.audits.record import AuditFigure, AuditRecord
from evofool.audits.rejection import rejection
from evofool.detection.outputs import Outputs


def outputs(n: int, scale: float, seed: int, classes: int = 10) -> Outputs:
    """Outputs of a network that is the surer the larger the scale."""
    logits = np.random.default_rng(seed).normal(0, scale, (n, classes))
    odds = np.exp(logits)
    return Outputs(odds / odds.sum(1, keepdims=True), logits)


def whole_audit(path: Path, names: list[str] | None = None, **facts: Any) -> AuditRecord:
    """A record in which every part was done; its pictures are written into the folder."""
    names = names or [f"class {index}" for index in range(10)]
    real, fooling, noise = outputs(120, 3, 0), outputs(20, 6, 1), outputs(40, 1, 2)
    labels = np.random.default_rng(3).permutation(real.probabilities.argmax(1))
    labels[:90] = real.probabilities.argmax(1)[:90]
    said = real.probabilities.argmax(1)
    parts = {
        "rejection": rejection(real, fooling, noise, {"textures": outputs(30, 2, 4)}),
        "corruptions": corruptions(labels, said, {"jpeg": np.roll(said, 1), "screenshot": said}),
        "calibration": calibration(real, labels),
    }
    figures: dict[str, AuditFigure] = {name: one for part in parts.values() for name, one in part.figures.items()}
    details: dict[str, dict[str, Any]] = {name: part.details for name, part in parts.items()}
    for prefix in ("", "cppn_", "direct_"):
        figures |= {f"{prefix}fooled_at_{level}": share(9 - level // 20, 10) for level in CONFIDENCES}
    figures |= {f"pixels_{k}": share(10 * k, 100) for k in PIXELS}
    figures |= {f"{method}_{name}": figure(0.2, 0.1, 0.3, 50) for method in ("fgsm", "pgd") for name in EPSILONS}
    told = [{"class": name, "index": index, "confidence": 0.9 - index / 100} for index, name in enumerate(names)]
    (path / "cppn").mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) * 4).save(path / "cppn" / "one.png")
    details["fooling"] = {
        "evaluations": {"cppn": 3000, "direct": 2000},
        "curves": {
            "cppn": {"50": [1, 4, 90, 800], "90": [50, 700], "99": [200, 2100]},
            "direct": {"50": [], "90": [], "99": []},
        },
        "hardest": told[::-1],
        "easiest": told,
        "worst": [
            {**told[0], "encoding": "cppn", "file": "cppn/one.png"},
            {**told[1], "encoding": "cppn", "file": "no"},
        ],
    }
    flips = [{"before": names[0], "after": names[1], "times": 4}]
    details["pixels"] = {
        str(k): {"attempts": 100, "flipped": 10 * k, "queries_each": 400, "median_queries": 52.5, "flips": flips}
        for k in PIXELS
    }
    details["perturb"] = {"clean": 0.9, "pgd_steps": 10, "pgd_restarts": 1}
    return record(figures, details, **facts)
