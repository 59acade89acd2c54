"""What proposes children: variation of elites, strong or slight; new starts for single classes; searches on single
elites (CMA-ME; Fontaine et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from deap import base
from torch import Tensor

from ...encodings.base import Encoding, Indices
from ...errors import ConfigError, parse_names, suggestion
from ...rng import Rng
from ..archive import Archive
from ..selectors import unsure
from .refine import Refine
from .restart import Restart

if TYPE_CHECKING:
    from ...encodings.cppn.encoding import CPPN

EMITTERS = ("vary", "tweak", "restart", "refine")

CPPNS_ONLY = {
    "tweak": "makes small changes to",
    "restart": "makes small changes to",
    "refine": "works on the weights of",
}
"""what an emitter does to CPPNs that it can't do to other genomes"""

LEAST = 8
"""children a generation, of CMA-ES"""

LATEST = 2**53
"""evaluations after which an emitter may begin, at most"""


class Emitter(Protocol):
    """Proposes children of an archive's elites; all of its state can be saved and restored."""

    def ask(self, archive: Archive, n: int) -> tuple[Any, Indices]:
        """A batch of ``n`` children, and the evaluations (n,) that their parents were."""
        ...

    def tell(self, archive: Archive, scores: Tensor) -> None:
        """Take the scores (n, K) of what was proposed last, after the archive has."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """Everything but the random generators, as arrays; between a generation and the next."""
        ...

    def restore(self, state: dict[str, np.ndarray], archive: Archive) -> None:
        """Take up what :meth:`state` gave, beside its archive. Raises ValueError where it doesn't fit."""
        ...


class Stateless:
    """What there is to an emitter that takes no notice of how its children fared."""

    def tell(self, archive: Archive, scores: Tensor) -> None:
        pass

    def state(self) -> dict[str, np.ndarray]:
        return {}

    def restore(self, state: dict[str, np.ndarray], archive: Archive) -> None:
        pass


class Vary(Stateless):
    """The emitter of MAP-Elites: select, mate, mutate, as registered in the toolbox.

    Args:
        toolbox: with ``select mate mutate`` registered.
        crossover_rate: share of the children that are crossed before mutation.
        rng: the run's.
    """

    def __init__(self, toolbox: base.Toolbox, crossover_rate: float, rng: Rng) -> None:
        self.toolbox, self.crossover_rate, self.rng = toolbox, crossover_rate, rng

    def ask(self, archive: Archive, n: int) -> tuple[Any, Indices]:
        niches = self.toolbox.select(archive, n)
        parents = archive.genomes.take(niches)
        crossed = np.flatnonzero(self.rng.host.random(n) < self.crossover_rate)
        if len(crossed):
            partners = self.toolbox.select(archive, len(crossed))
            children = self.toolbox.mate(parents.take(crossed), archive.genomes.take(partners))
            parents.put(crossed, children)
        return self.toolbox.mutate(parents), archive.evaluation_id[niches]


class Tweak(Stateless):
    """An emitter for the later part of a run, when most of what ``vary`` changes in a large genome spoils it: slightly
    changed copies of elites that are not sure yet. ``--selector`` is ``vary``'s.

    Args:
        toolbox: with ``select_unsure mutate_slightly`` registered.
    """

    def __init__(self, toolbox: base.Toolbox) -> None:
        self.toolbox = toolbox

    def ask(self, archive: Archive, n: int) -> tuple[Any, Indices]:
        niches = self.toolbox.select_unsure(archive, n)
        return self.toolbox.mutate_slightly(archive.genomes.take(niches)), archive.evaluation_id[niches]


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
    written = parse_names(names, "emitters", EMITTERS)
    parsed = [_parsed(name) for name in written]
    listed = [name for name, _ in parsed]
    for name in listed:
        if name in CPPNS_ONLY and encoding != "cppn":
            raise ConfigError(f"emitter {name} {CPPNS_ONLY[name]} CPPNs, which {encoding} genomes are not")
    if len(set(listed)) < len(listed):
        raise ConfigError(f"--emitters names one twice: {','.join(listed)}"[:120])
    if "refine" in listed and batch < LEAST:
        raise ConfigError(f"emitter refine needs --batch {LEAST} or more, got {batch}")
    if min(begin for _, begin in parsed) > 0:
        raise ConfigError(f"--emitters {','.join(written)}: one has to begin at once, so name it without @"[:160])
    return tuple(f"{name}@{begin}" if begin else name for name, begin in parsed)


def _parsed(written: str) -> tuple[str, int]:
    """An emitter's name, and after how many evaluations it begins."""
    name, at, count = (part.strip() for part in written.partition("@"))
    if name not in EMITTERS:
        raise ConfigError(
            f'unknown emitter "{name[:40]}"{suggestion(name, EMITTERS)}; choose from {", ".join(EMITTERS)}'
        )
    if at and not (count.isascii() and count.isdecimal() and len(count) < 17 and int(count) <= LATEST):
        raise ConfigError(f'emitter "{written[:40]}": after the @ belongs a number of evaluations, as {name}@100000')
    return name, int(count) if at else 0


def emitters_of(
    names: Iterable[str], toolbox: base.Toolbox, encoding: Encoding, rng: Rng
) -> dict[str, tuple[Emitter, int]]:
    """The emitters of these names, each registered in the toolbox as what proposes its part of a batch; and after how
    many evaluations each begins."""
    made: dict[str, tuple[Emitter, int]] = {}
    for name, begin in map(_parsed, names):
        emitter = _emitter(name, toolbox, encoding, rng)
        made[name] = emitter, begin
        toolbox.register(name, emitter.ask)
    return made


def _emitter(name: str, toolbox: base.Toolbox, encoding: Encoding, rng: Rng) -> Emitter:
    if name == "vary":
        return Vary(toolbox, encoding.crossover_rate, rng)
    if name in ("tweak", "restart"):
        toolbox.register("mutate_slightly", cast("CPPN", encoding).mutate_slightly, rng=rng)
    if name == "tweak":
        toolbox.register("select_unsure", unsure, rng=rng)
        return Tweak(toolbox)
    if name == "restart":
        return Restart(lambda parents: toolbox.mutate_slightly(parents), encoding.load, rng)
    return Refine(lambda parents: toolbox.mutate(parents), encoding.load, encoding.settings()["limit"], rng)
