"""The bank of evolved genomes that ships with evofool."""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path


def banks() -> list[str]:
    """The names of the genome bank's folders."""
    return sorted(
        {folder.name for root in _bank_roots() if root.is_dir() for folder in root.iterdir() if folder.is_dir()}
    )


def _bank_roots() -> tuple[Path, Path]:
    packaged = Path(str(resources.files(__package__)))
    return packaged / "genomes", packaged.parent / "genomes"


def bank_folder(name: str | Path) -> Path | None:
    """The folder of the genome bank that ``name`` (``cifar10-cppn`` or ``genomes/cifar10-cppn``) means."""
    last = Path(name).name
    for root in _bank_roots():
        if re.fullmatch(r"[a-z0-9][a-z0-9-]*", last) and os.path.isdir(root / last):
            return root / last
    return None
