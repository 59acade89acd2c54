"""What the measurements share."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torchvision import models

Row = dict[str, object]
RESULTS = Path(__file__).parent / "results"


def hardware() -> dict[str, object]:
    """What the figures were measured on."""
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


def kept_rows(name: str) -> list[Row]:
    """What an earlier sitting of a long measurement found."""
    file = RESULTS / f"{name}.json"
    rows: list[Row] = json.loads(file.read_text())["rows"] if file.exists() else []
    return rows


def shared() -> Path | None:
    """The folder of real images and weights beside the project, or None."""
    folder = Path(os.environ.get("EVOFOOL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    return folder if folder.is_dir() else None


@lru_cache
def imagenet_weights(name: str) -> Path:
    """Those of one of torchvision's models; random ones, and says so, where the shared folder has none: they will do
    for timings."""
    if (folder := shared()) and (file := folder / "weights" / f"{name}-imagenet.safetensors").exists():
        return file
    print(f"no shared weights: those of {name} are random; set EVOFOOL_SHARED")
    torch.manual_seed(0)
    file = Path(tempfile.mkdtemp(prefix="evofool-")) / f"{name}-random.pt"
    torch.save(models.get_model(name, weights=None).state_dict(), file)
    return file


def megabytes(what: str) -> float:
    """Of this process, as Linux counts them: ``VmRSS``, resident now, or ``VmHWM``, at most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) * 1024 / 1e6


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
