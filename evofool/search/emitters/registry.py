"""The emitters by name, and how options name them: ``vary,refine@100000``."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import ConfigError, parse_names, suggestion
from .base import Emitter
from .gradient import Gradient
from .refine import Refine
from .restart import Restart
from .tweak import Tweak
from .vary import Vary

EMITTERS: dict[str, type[Emitter]] = {
    "vary": Vary,
    "tweak": Tweak,
    "restart": Restart,
    "refine": Refine,
    "gradient": Gradient,
}
"""The emitters by name. Their ``ask`` is registered in the toolbox under the same name."""

MAX_BEGIN = 2**53
"""Largest number of evaluations after which an emitter may begin."""


def known_emitters(names: str | Iterable[str], encoding: str, batch: int, *, ahead: bool = False) -> tuple[str, ...]:
    """Check names of emitters.

    Args:
        names: The names, as ``"vary,refine"`` or as a list. ``refine@100000`` begins after so many evaluations.
        encoding: The name of the genomes' encoding.
        batch: Children per generation.
        ahead: Whether a generation is proposed before the last one's scores are known.

    Returns:
        The names as a tuple, written in one way.

    Raises:
        ConfigError: A name is unknown or given twice, the emitter is not for such genomes or batches, or none begins
            at once.
    """
    given = parse_names(names, "emitters", EMITTERS)
    parsed = [parse_emitter(name) for name in given]
    listed = [name for name, _ in parsed]
    for name in listed:
        use, min_batch = EMITTERS[name].cppn_use, EMITTERS[name].min_batch
        if use and encoding != "cppn":
            raise ConfigError(f"emitter {name} {use} CPPNs, which {encoding} genomes are not; leave it out")
        if ahead and EMITTERS[name].needs_gradients:
            raise ConfigError(f"`ahead` is for servers, which give no gradients for emitter {name}; leave one out")
        if batch < min_batch:
            raise ConfigError(f"emitter {name} needs `batch={min_batch}` or more, got {batch}")
    if len(set(listed)) < len(listed):
        raise ConfigError(f"`emitters` names one twice: {','.join(listed)}"[:120])
    if min(begin for _, begin in parsed) > 0:
        raise ConfigError(f"`emitters` must name one that begins at once, without @, got {','.join(given)}"[:160])
    return tuple(f"{name}@{begin}" if begin else name for name, begin in parsed)


def parse_emitter(written: str) -> tuple[str, int]:
    """Return the name of an emitter, and after how many evaluations it begins.

    Raises:
        ConfigError: The name is unknown, or what follows the @ is no number.
    """
    name, mark, count = (part.strip() for part in written.partition("@"))
    if name not in EMITTERS:
        raise ConfigError(
            f'unknown emitter "{name[:40]}"{suggestion(name, EMITTERS)}; choose from {", ".join(EMITTERS)}'
        )
    if mark and not (count.isascii() and count.isdecimal() and len(count) < 17 and int(count) <= MAX_BEGIN):
        raise ConfigError(f'emitter "{written[:40]}": after the @ belongs a number of evaluations, as {name}@100000')
    return name, int(count) if mark else 0
