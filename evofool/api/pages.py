"""The public function that writes a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config.arguments import path_of, plain
from ..errors import ConfigError, TargetError

if TYPE_CHECKING:
    from pathlib import Path


def breed(
    target: str = "cifar10",
    out: str | Path = "breed.html",
    *,
    init: str | Path | None = None,
    seed: int | None = None,
) -> Path:
    """Write a page in which a person breeds CPPN pictures, and an embedded network says what it sees in them.

    The network runs in the browser. The page is one file, asks nothing of a server, and needs no torch to be written.

    Args:
        target: ``cifar10``, ``mnist``, ``mnist:logistic`` or ``digits``.
        out: The HTML file.
        init: CPPN genomes to begin with: a file, a folder, a run or a bank. None: random ones.
        seed: With a seed the page begins with the same pictures whenever it is opened.

    Returns:
        The page's file.

    Raises:
        EvofoolError: One of its family, for another target, for genomes of other pictures, and where the page can't be
            written.
    """
    from ..gallery.pages.breed_page import write_breed_page

    number = plain(seed)
    if not isinstance(target, str):
        raise TargetError(f"`target` must be the name of an embedded network, got {target!r:.60}")
    if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
        raise ConfigError(f"`seed` must be a whole number, got {seed!r:.60}")
    place = None if init is None else path_of(init, "init")
    return write_breed_page(target, path_of(out, "out"), init=place, seed=number)
