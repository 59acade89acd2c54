"""What the measurements share."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision import models

import evofool
from evofool.config.evolve import EvolveOptions
from evofool.targets.torch_target import TorchTarget

Row = dict[str, object]
"""Figures by name: a row of a table, and of ``benchmarks/results``."""

RESULTS = Path(__file__).parent / "results"


def hardware() -> dict[str, object]:
    """Return what the figures are measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "vector": torch.backends.cpu.get_cpu_capability(),
        "gpus": gpus,
    }


def recorded_rows(name: str) -> list[Row]:
    """Return what an earlier session of a long measurement wrote."""
    file = RESULTS / f"{name}.json"
    rows: list[Row] = json.loads(file.read_text())["rows"] if file.exists() else []
    return rows


def shared() -> Path | None:
    """Return the folder of real images and weights beside the project, or None."""
    folder = Path(os.environ.get("EVOFOOL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    return folder if folder.is_dir() else None


@lru_cache
def imagenet_weights(name: str) -> Path:
    """Return the weights of one of torchvision's models.

    Where the shared folder has none, they are random, which is printed and will do for timings.
    """
    if (folder := shared()) and (file := folder / "weights" / f"{name}-imagenet.safetensors").exists():
        return file
    print(f"no shared weights: those of {name} are random; set EVOFOOL_SHARED")
    torch.manual_seed(0)
    file = Path(tempfile.mkdtemp(prefix="evofool-")) / f"{name}-random.pt"
    torch.save(models.get_model(name, weights=None).state_dict(), file)
    return file


def tiny_target(classes: int) -> evofool.Target:
    """Return a small network of random weights for 3×8×8 images."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Linear(16, classes))
    return evofool.Target(
        network, classes=[f"class {k}" for k in range(classes)], image_shape=(3, 8, 8), mean=0.5, std=0.1,
        name="tiny", device="cpu",
    )  # fmt: skip


class FromPixels(nn.Module):
    """A network as other libraries want it: from pixels (B, C, H, W) in [0, 1] to logits.

    Args:
        network: The network, which takes normalised pixels.
        target: The target that it is of, which says how they are normalised.

    Attributes:
        rows: How many images it was asked about so far.
    """

    def __init__(self, network: nn.Module, target: TorchTarget) -> None:
        super().__init__()
        self.network, self.rows = network, 0
        self.register_buffer("mean", torch.tensor(target.mean)[:, None, None])
        self.register_buffer("std", torch.tensor(target.std)[:, None, None])

    def forward(self, pixels: Tensor) -> Tensor:
        self.rows += len(pixels)
        logits: Tensor = self.network((pixels - self.mean) / self.std)
        return logits


def plain_options(batch: int) -> EvolveOptions:
    """Return the options of the original MAP-Elites: uniform parents, variation alone."""
    return EvolveOptions(batch=batch, selector="uniform", emitters=("vary",))


def megabytes(name: str) -> float:
    """Return this process's memory in MB as Linux counts it: ``VmRSS``, resident now, or ``VmHWM``, at most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024 / 1e6


def table(rows: Sequence[Row]) -> None:
    """Print rows as a Markdown table."""
    heads = list(rows[0])
    print("| " + " | ".join(heads) + " |")
    print("| " + " | ".join("---" for _ in heads) + " |")
    for row in rows:
        print("| " + " | ".join(_text(row[head]) for head in heads) + " |")
    print(flush=True)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(_text(v) for v in value) if isinstance(value, list | tuple) else str(value)
