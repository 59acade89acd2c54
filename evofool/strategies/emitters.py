"""What proposes children: variation of elites, and searches on single ones (CMA-ME; Fontaine et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from deap import base
from torch import Tensor

from ..archive import Archive
from ..encodings.base import Encoding, Rows
from ..errors import ConfigError, listed_names, suggestion
from ..rng import Rng
from .refine import Refine

EMITTERS = ("vary", "refine")

LEAST = 8
"""children a generation, of CMA-ES"""

LATEST = 2**53
"""evaluations after which an emitter may begin, at most"""


class Emitter(Protocol):
    """Proposes children of an archive's elites; all of its state can be saved and restored."""

    def emit(self, archive: Archive, n: int) -> tuple[Any, Rows]:
        """A batch of ``n`` children, and the evaluations (n,) that their parents were."""
        ...

    def heed(self, archive: Archive, scores: Tensor) -> None:
        """Take the scores (n, K) of what was proposed last, after the archive has."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """Everything but the random generators, as arrays; between a generation and the next."""
        ...

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take up what :meth:`state` gave. Raises ValueError where it doesn't fit."""
        ...


class Vary:
    """The emitter of MAP-Elites: select, mate, mutate, as registered in the toolbox; without any state.

    Args:
        toolbox: with ``select mate mutate`` registered.
        crossover_rate: share of the children that are crossed before mutation.
        rng: the run's.
    """

    def __init__(self, toolbox: base.Toolbox, crossover_rate: float, rng: Rng) -> None:
        self.toolbox, self.crossover_rate, self.rng = toolbox, crossover_rate, rng

    def emit(self, archive: Archive, n: int) -> tuple[Any, Rows]:
        niches = self.toolbox.select(archive, n)
        parents = archive.genomes.take(niches)
        crossed = np.flatnonzero(self.rng.host.random(n) < self.crossover_rate)
        if len(crossed):
            partners = self.toolbox.select(archive, len(crossed))
            children = self.toolbox.mate(parents.take(crossed), archive.genomes.take(partners))
            parents.put(crossed, children)
        return self.toolbox.mutate(parents), archive.born[niches]

    def heed(self, archive: Archive, scores: Tensor) -> None:
        pass

    def state(self) -> dict[str, np.ndarray]:
        return {}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        pass


def known_emitters(names: str | Iterable[str], encoding: str, batch: int) -> tuple[str, ...]:
    """Names of emitters, checked.

    Args:
        names: as ``"vary,refine"``, or several; ``refine@100000`` begins after so many evaluations.
        encoding: of the genomes.
        batch: children a generation.

    Raises:
        ConfigError: there is no such emitter, one is named twice, or it is not for such genomes or batches; or none
            begins at once.
    """
    written = listed_names(names, "--emitters", EMITTERS)
    listed = [name.partition("@")[0].strip() for name in written]
    for name in listed:
        if name not in EMITTERS:
            raise ConfigError(
                f'unknown emitter "{name[:40]}"{suggestion(name, EMITTERS)}; choose from {", ".join(EMITTERS)}'
            )
        if name == "refine" and encoding != "cppn":
            raise ConfigError(f"emitter refine works on the weights of CPPNs, which {encoding} genomes haven't")
    begins = [_begins(name) for name in written]
    if len(set(listed)) < len(listed):
        raise ConfigError(f"--emitters names one twice: {','.join(listed)}"[:120])
    if "refine" in listed and batch < LEAST:
        raise ConfigError(f"emitter refine needs --batch {LEAST} or more, got {batch}")
    if min(begins) > 0:
        raise ConfigError(f"--emitters {','.join(written)}: one has to begin at once, so name it without @"[:160])
    return tuple(f"{name}@{begin}" if begin else name for name, begin in zip(listed, begins, strict=True))


def _begins(name: str) -> int:
    """After how many evaluations an emitter begins."""
    word, at, count = (part.strip() for part in name.partition("@"))
    if not at:
        return 0
    if not (count.isascii() and count.isdecimal() and len(count) < 17 and int(count) <= LATEST):
        raise ConfigError(f'emitter "{name[:40]}": after the @ belongs a number of evaluations, as {word[:20]}@100000')
    return int(count)


def emitters_of(
    names: Iterable[str], toolbox: base.Toolbox, encoding: Encoding, rng: Rng
) -> dict[str, tuple[Emitter, int]]:
    """The emitters of these names, each registered in the toolbox as what proposes its part of a batch; and after how
    many evaluations each begins."""
    made: dict[str, tuple[Emitter, int]] = {}
    for name, begin in ((name.partition("@")[0], _begins(name)) for name in names):
        emitter: Emitter = (
            Refine(lambda parents: toolbox.mutate(parents), encoding.settings()["limit"], rng)
            if name == "refine"
            else Vary(toolbox, encoding.crossover_rate, rng)
        )
        made[name] = emitter, begin
        toolbox.register(name, emitter.emit)
    return made
