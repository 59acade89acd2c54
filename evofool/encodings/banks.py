"""Where the genomes are that a user names: files, folders, one genome of many, and the shipped banks."""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path

from ..errors import GenomeError
from ..io.nearby import nearby

MANY_SUFFIX = ".jsonl"
"""The suffix of a file of many genomes."""

FOUNDERS = "founders-cppn"
"""The bank that CPPN runs of colour images begin with unless something else is said."""

FOUNDERS_EDGE = 96
"""Pixels along each side of the images that it was evolved for."""

RANDOM = "random"
"""What ``init`` says for a run that begins with random genomes alone."""

_BANK_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


def split_genome_path(path: str | Path) -> tuple[Path, str | None]:
    """Split ``FILE.jsonl#WHICH`` or ``FOLDER#WHICH`` into where the genomes are and which of them is meant.

    Of any other path it is None. A file that is called like that is such a path.
    """
    name, separator, which = str(path).partition(f"{MANY_SUFFIX}#")
    if separator:
        return Path(name + MANY_SUFFIX), which
    folder, separator, which = str(path).rpartition("#")
    if separator and os.path.isdir(folder) and not os.path.lexists(path):
        return Path(folder), which
    return Path(path), None


def genome_path_exists(path: str | Path) -> bool:
    """Return whether a path exists, or the file or folder in ``FILE.jsonl#WHICH`` or ``FOLDER#WHICH``."""
    return os.path.exists(split_genome_path(path)[0])


def find_genomes(path: str | Path) -> Path | None:
    """Return where the genomes are that a user names by a path or a bank's name, or None if there are none."""
    own = genome_path_exists(path) and str(path) != FOUNDERS  # a default, which no folder of that name takes over
    return Path(path) if own else bank_path(path)


def is_founders(init: str | Path) -> bool:
    """Return whether a user names the founders: by their name, or by the path of the bank that is shipped."""
    found, bank = find_genomes(init), bank_path(FOUNDERS)
    return found is not None and bank is not None and found.resolve() == bank.resolve()


def check_genomes(init: str | Path, *words: str) -> Path:
    """Return where the genomes are that a run is to start from.

    Args:
        init: What a user names.
        words: What the option may be besides, for who mistypes it.

    Raises:
        GenomeError: Nothing is there.
    """
    source = find_genomes(init)
    if source is None:
        raise GenomeError(
            f"nothing at `init={init}`{nearby(init, [*bank_names(), *words])}; "
            f"give a run, a genome file, a folder of genomes or a bank ({', '.join(bank_names())})"
        )
    return source


def genomes_under(path: str | Path) -> Path:
    """Return the file or folder of genomes that a user names to start from; of a run, the folder of its elites.

    Raises:
        GenomeError: Nothing is there.
    """
    source = check_genomes(path)
    return source / "elites" if (source / "elites").is_dir() else source


def bank_names() -> list[str]:
    """Return the names of the genome banks, which are folders of genome files or files of many genomes."""
    entries = [path for root in _bank_roots() if root.is_dir() for path in root.iterdir()]
    names = {path.name.removesuffix(MANY_SUFFIX) for path in entries if path.is_dir() or path.suffix == MANY_SUFFIX}
    return sorted(name for name in names if _BANK_NAME.fullmatch(name))


def bank_path(name: str | Path) -> Path | None:
    """Return the folder or file of the bank ``cifar10-cppn`` or ``genomes/cifar10-cppn``, or None if there is none.

    ``cifar10-cppn#cat`` or ``imagenet-cppn#281`` is one genome of a bank.
    """
    path, separator, which = str(name).partition("#")
    bank = Path(path).name.removesuffix(MANY_SUFFIX)
    for root in _bank_roots() if _BANK_NAME.fullmatch(bank) else ():
        for place in (root / bank, root / (bank + MANY_SUFFIX)):
            if os.path.exists(place):  # Path.exists fails where a name is too long.
                return Path(f"{place}{separator}{which}")
    return None


def place_in_words(path: Path) -> str:
    """Return what messages call a place of genomes: a bank by its name, anything else by its path."""
    return path.name.removesuffix(MANY_SUFFIX) if path.parent in _bank_roots() else str(path)


def _bank_roots() -> tuple[Path, Path]:
    """Return the folders that hold banks: in an installed package, and in the project."""
    package = Path(str(resources.files("evofool")))
    return package / "genomes", package.parent / "genomes"
