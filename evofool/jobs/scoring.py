"""Scores of pictures and genomes, by the networks of the jobs in whose folders they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..config.records import CampaignConfig, RunConfig
from ..encodings.banks import split_genome_path
from ..engines import guesses
from ..errors import ConfigError, RunError
from ..store.folder import kind_of, read_config
from ..targets.protocols import Target

DEPTH = 3
"""How many folders up from a file its job is looked for."""


def score(
    paths: Sequence[Path],
    target: str | Sequence[str] | Target | None,
    *,
    weights: str | Path | Sequence[str] | None,
    device: str,
    top: int,
    options: dict[str, Any],
) -> dict[str, Any]:
    """Score files as :func:`evofool.score` does, which says in ``target_of`` where the target was found."""
    found = None if target is not None or weights is not None or options else job_of(paths)
    if found is None:
        return guesses.score(paths, target, weights=weights, device=device, top=top, options=options)
    folder, config = found
    record, said = config.target, config.options.model.said
    if record.own:
        raise ConfigError(
            f"{folder} was made with your own Target {record.name}; score its files in Python, evofool.score(…, "
            "target), or name a `target`"
        )
    if record.combine:
        said |= {"combine": record.combine}
    scored = guesses.score(
        paths, record.spec, weights=record.weights, device=device, top=top, options=said, robust=record.robust
    )
    return {**scored, "target_of": str(folder)}


def job_of(paths: Sequence[Path]) -> tuple[Path, RunConfig | CampaignConfig] | None:
    """Return the job in whose folder some files lie, and its config; None where none does.

    Raises:
        ConfigError: They lie in the folders of several jobs, with several targets.
    """
    found = [job for path in paths for job in _jobs_above(path)]
    for folder, config in found[1:]:
        first, other = found[0][1].target, config.target
        if (first.name, first.weights_sha256) != (other.name, other.weights_sha256):
            raise ConfigError(f"{found[0][0]} has the target {first.name}, {folder} {other.name}; name a `target`")
    return found[0] if found else None


def _jobs_above(path: Path) -> Iterator[tuple[Path, RunConfig | CampaignConfig]]:
    """Yield the job in whose folder a file lies, and its config, if there is one.

    Raises:
        RunError: Its config is damaged.
    """
    place = split_genome_path(path)[0]
    for folder in (place, *list(place.parents)[:DEPTH]):
        kind = None
        with suppress(RunError):  # A file of that name may be anything.
            kind = kind_of(folder)
        if kind == RunConfig.kind:
            yield folder, read_config(folder, RunConfig)
            return
        if kind == CampaignConfig.kind:
            yield folder, read_config(folder, CampaignConfig)
            return
