"""Where genomes are that a user names: files, one of many in a file, folders, and the banks that ship with evofool."""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path

MANY_SUFFIX = ".jsonl"
"""how a file of many genomes ends"""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


def split_genome_path(path: str | Path) -> tuple[Path, str | None]:
    """The file of many, and which of its genomes, that ``FILE.jsonl#WHICH`` means; else the path, and None."""
    name, mark, which = str(path).partition(f"{MANY_SUFFIX}#")
    return (Path(name + MANY_SUFFIX), which) if mark else (Path(path), None)


def genome_path_exists(path: str | Path) -> bool:
    """Whether a path, or the file that ``FILE.jsonl#WHICH`` speaks of, exists."""
    return os.path.exists(split_genome_path(path)[0])


def find_genomes(path: str | Path) -> Path | None:
    """Where the genomes are that a user names by a path or a bank's name; None where nothing is."""
    return Path(path) if genome_path_exists(path) else bank_path(path)


def bank_names() -> list[str]:
    """The names of the genome banks: folders of genome files, or files of many genomes."""
    found = [one for root in _bank_roots() if root.is_dir() for one in root.iterdir()]
    names = {one.name.removesuffix(MANY_SUFFIX) for one in found if one.is_dir() or one.suffix == MANY_SUFFIX}
    return sorted(name for name in names if _NAME.fullmatch(name))


def bank_path(name: str | Path) -> Path | None:
    """The folder or file of the genome bank that ``name`` (``cifar10-cppn`` or ``genomes/cifar10-cppn``) means.

    ``imagenet-cppn#281`` or ``imagenet-cppn#tabby`` is one genome of a bank that is a file.
    """
    path, mark, which = str(name).partition("#")
    last = Path(path).name.removesuffix(MANY_SUFFIX)
    for root in _bank_roots() if _NAME.fullmatch(last) else ():
        if not mark and os.path.isdir(root / last):
            return root / last
        if os.path.isfile(file := root / (last + MANY_SUFFIX)):
            return Path(f"{file}{mark}{which}")
    return None


def _bank_roots() -> tuple[Path, Path]:
    packaged = Path(str(resources.files("evofool")))
    return packaged / "genomes", packaged.parent / "genomes"
