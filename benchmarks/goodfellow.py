"""Goodfellow et al. 2015 on MNIST: FGSM at ε = 0.25, adversarial training, and rubbish images.

``python -m benchmarks goodfellow``: the linear classifier and LeNet as embedded, and LeNet trained for ``EPOCHS``
epochs with and without FGSM in half of its loss (§6). Rubbish images are Gaussian noise (§8); one that is taken for a
digit with more than 50 % is an error.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import evofool
from evofool.attacks.gradients.adversary import Adversary
from evofool.attacks.statistics import wilson
from evofool.targets.training.embedded import train

from .common import Row, shared, table

EPSILON, EPOCHS, COUNT, RUBBISH = 0.25, 3, 1_000, 1_000


def measure(seeds: int | None = None) -> Iterator[list[Row]]:
    """Measure error and confidence of each network."""
    folder_of_data = shared()
    data, rows = Path("data") if folder_of_data is None else folder_of_data / "data", list[Row]()
    with tempfile.TemporaryDirectory() as folder:
        trained = {name: Path(folder) / f"{name}.safetensors" for name in ("plain", "against")}
        for name, adversary in (("plain", None), ("against", Adversary(EPSILON))):
            for epoch in train("mnist", data, trained[name], epochs=EPOCHS, adversary=adversary):
                print(name, epoch, flush=True)
        networks = {
            "linear (mnist:logistic)": ("mnist:logistic", None),
            "LeNet, embedded": ("mnist", None),
            f"LeNet, {EPOCHS} epochs": ("mnist", trained["plain"]),
            f"LeNet, {EPOCHS} epochs, half of the loss on FGSM": ("mnist", trained["against"]),
        }
        for title, (target, weights) in networks.items():
            out = Path(folder) / title
            result = evofool.perturb(
                target, "mnist", weights=weights, data_dir=data, count=COUNT, methods=["fgsm"], epsilon=[EPSILON],
                device="cpu", out=out,
            ).summary()  # fmt: skip
            (fgsm,) = result["table"]
            rows.append(
                {
                    "network": title,
                    "clean error": round(1 - result["clean"], 4),
                    "FGSM error": round(1 - fgsm["accuracy"], 4),
                    "interval": [round(1 - share, 4) for share in fgsm["accuracy_interval95"][::-1]],
                    "confidence": None if fgsm["confidence"] is None else round(fgsm["confidence"], 4),
                    **rubbish(evofool.load_target(target, weights=weights, device="cpu", precision="float32")),
                }
            )
    table(rows)
    yield rows


def rubbish(target: evofool.Target) -> Row:
    """Return how much Gaussian noise is taken for a class, and how surely."""
    noise = np.random.default_rng(0).normal(size=(RUBBISH, *target.image_shape))
    images = torch.from_numpy((255 * np.clip(noise, 0, 1)).round().astype(np.uint8))
    best = target.scores(images).amax(1).numpy()
    wrong = best > 0.5
    return {
        "rubbish error": round(float(wrong.mean()), 4),
        "rubbish interval": [round(share, 4) for share in wilson(int(wrong.sum()), RUBBISH)],
        "rubbish confidence": round(float(best[wrong].mean()), 4) if wrong.any() else None,
    }
