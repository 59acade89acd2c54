"""The bank of evolved genomes that ships with evofool."""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path


def banks() -> list[str]:
    """The names of the genome banks: folders of genome files, or files of many genomes."""
    found = [one for root in _bank_roots() if root.is_dir() for one in root.iterdir()]
    return sorted({one.stem for one in found if one.is_dir() or one.suffix == ".jsonl"})


def _bank_roots() -> tuple[Path, Path]:
    packaged = Path(str(resources.files(__package__)))
    return packaged / "genomes", packaged.parent / "genomes"


def bank_place(name: str | Path) -> Path | None:
    """The folder or file of the genome bank that ``name`` (``cifar10-cppn`` or ``genomes/cifar10-cppn``) means.

    ``imagenet-cppn#281`` or ``imagenet-cppn#tabby`` is one genome of a bank that is a file.
    """
    last, mark, which = Path(name).name.partition("#")
    for root in _bank_roots():
        if re.fullmatch(r"[a-z0-9][a-z0-9-]*", last):
            if not mark and os.path.isdir(root / last):
                return root / last
            if os.path.isfile(file := root / f"{last}.jsonl"):
                return file.with_name(file.name + mark + which)
    return None
