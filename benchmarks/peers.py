"""One-pixel attacks by the clock: evofool beside torchattacks' OnePixel and ART's PixelAttack.

They need the ``bench`` extra. All run in one process, one after the other, on the same network and images.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from evofool.targets.torch_target import TorchTarget

from .campaigns import Bench, bench, run_campaign, total_queries
from .common import Row, shared, table

IMAGES = 12
"""Images that are attacked; the peers need ten to thirty seconds for each."""

CAMPAIGN_IMAGES, CAMPAIGN_QUERIES = 500, 300
"""Images of the large campaign, and queries of its attempts."""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure evofool, torchattacks (NP 400, 75 steps) and ART (th = 1, es = 1), then a campaign of 500 images."""
    folder = shared()
    if folder is None:
        print("peers: skipped, no images; set EVOFOOL_SHARED")
        return
    weights = folder / "weights" / "resnet20-cifar10.safetensors"
    attacked = bench("cifar10", weights, "cifar10", folder / "data", IMAGES)
    images = torch.from_numpy(np.stack([subject.image for subject in attacked.subjects]))
    labels = torch.tensor([subject.label for subject in attacked.subjects])
    rows = [_ours(attacked)]
    yield rows
    for peer in (_torchattacks, _art):
        network = _Counted(attacked.target)
        started = time.perf_counter()
        try:
            adversarial = peer(network, images, labels)
        except ImportError as error:
            print(f"peers: {error}; install evofool[bench]")
            continue
        seconds = time.perf_counter() - started
        eight_bit = adversarial.mul(255).round().clamp(0, 255).to(torch.uint8)
        fooled = attacked.target.confirm(eight_bit).argmax(1).cpu() != labels
        rows.append(_row(peer.__name__.strip("_"), int(fooled.sum()), network.rows, seconds))
        rows[-1]["times evofool"] = seconds / float(str(rows[0]["seconds"]))
        table([rows[-1]])
        yield rows
    rows.append(_campaign(folder / "data", weights))
    yield rows


def _ours(attacked: Bench) -> Row:
    outcomes, seconds = run_campaign(attacked, "local", 1)
    row = _row("evofool", sum(outcome["success"] for outcome in outcomes), total_queries(outcomes), seconds)
    table([row])
    return row


def _row(name: str, successes: int, queries: float, seconds: float) -> Row:
    return {
        "attack": name,
        "images": IMAGES,
        "successes": successes,
        "queries an image": queries / IMAGES,
        "seconds": round(seconds, 2),
        "rows/s": queries / seconds,
    }


class _Counted(nn.Module):
    """A target's network as peers want it: from pixels in [0, 1] to logits, with its rows counted."""

    def __init__(self, target: TorchTarget) -> None:
        super().__init__()
        self.network, self.rows = target.network, 0
        mean, std = (torch.tensor(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, pixels: Tensor) -> Tensor:
        self.rows += len(pixels)
        logits: Tensor = self.network((pixels - self.mean) / self.std)
        return logits


def _torchattacks(network: _Counted, images: Tensor, labels: Tensor) -> Tensor:
    import torchattacks

    np.random.seed(0)  # noqa: NPY002 (its differential evolution draws from the global generator)
    attack = torchattacks.OnePixel(network, pixels=1, steps=75, popsize=400, inf_batch=256)
    adversarial: Tensor = attack(images.float() / 255, labels)
    return adversarial.cpu()


def _art(network: _Counted, images: Tensor, labels: Tensor) -> Tensor:
    from art.attacks.evasion import PixelAttack
    from art.estimators.classification import PyTorchClassifier

    np.random.seed(0)  # noqa: NPY002 (as above)
    classifier = PyTorchClassifier(
        network, nn.CrossEntropyLoss(), input_shape=(3, 32, 32), nb_classes=10, clip_values=(0, 255),
        preprocessing=(0, 255), device_type="cpu",
    )  # fmt: skip
    attack = PixelAttack(classifier, th=1, es=1, verbose=False)
    adversarial = attack.generate(images.float().numpy(), y=labels.numpy())
    return torch.from_numpy(adversarial) / 255


def _campaign(data: Path, weights: Path) -> Row:
    """Return the rows per second of a campaign and of the network's fastest forward passes, three times in turn."""
    attacked = bench("cifar10", weights, "cifar10", data, CAMPAIGN_IMAGES)
    raw, ours = [], []
    for _ in range(3):
        raw.append(max(_forward(attacked.target, rows) for rows in (64, 128, 256)))
        outcomes, seconds = run_campaign(attacked, "local", 1, queries=CAMPAIGN_QUERIES)
        ours.append(total_queries(outcomes) / seconds)
    row: Row = {
        "attack": f"campaign of {CAMPAIGN_IMAGES} images, at most {CAMPAIGN_QUERIES} queries each",
        "rows/s": float(np.median(ours)),
        "best raw forward, rows/s": float(np.median(raw)),
        "utilisation": float(np.median(np.array(ours) / np.array(raw))),
    }
    table([row])
    return row


def _forward(target: TorchTarget, rows: int, seconds: float = 4.0) -> float:
    """Return the rows per second of nothing but the network, channels last, at one batch size."""
    batch = torch.zeros((rows, *target.image_shape)).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        target.network(batch)
        started, done = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            target.network(batch)
            done += rows
        return done / (time.perf_counter() - started)
