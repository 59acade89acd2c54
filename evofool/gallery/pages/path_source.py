"""The sources at a path: a run, a campaign, or genomes."""

from __future__ import annotations

from pathlib import Path

from ...config.records import CampaignConfig
from ...encodings.banks import MANY_SUFFIX, bank_names, find_genomes, split_genome_path
from ...encodings.genome_lines import is_file_of_genomes, read_genomes
from ...errors import ConfigError, RunError, suggestion
from ...store.folder import CONFIG, kind_of
from .campaign_source import read_campaign
from .genome_source import read_genome_source
from .run_source import read_run
from .sources import Source


def read_sources(path: Path, classes: str | None = None) -> list[Source]:
    """Read a run, a campaign, a genome file, a folder of genomes, a folder of such folders, or a bank by its name.

    Args:
        path: Where they are.
        classes: Names or indices of the classes of a run to show; None for all.

    Raises:
        ConfigError: The run has no such class, or classes are named and it is no run.
        RunError: Nothing of that kind is there, or a run or campaign is damaged.
        GenomeError: A genome is damaged.
    """
    campaign = (path / CONFIG).exists() and kind_of(path) == CampaignConfig.kind
    if (path / CONFIG).exists() and not campaign:
        return [read_run(path, classes)]
    if classes is not None:
        raise ConfigError(f"`classes` chooses among the classes of a run, and {path} is none; leave it out")
    return [read_campaign(path)] if campaign else _read_genomes(path)


def _read_genomes(path: Path) -> list[Source]:
    found = find_genomes(path)
    if found is None:
        raise RunError(
            f"nothing at {path}{suggestion(path.name, bank_names())}: give a run, a campaign, a genome file, "
            f"a folder of genomes or a bank ({', '.join(bank_names())})"
        )
    if not found.is_dir():
        return [read_genome_source(split_genome_path(found)[0].stem, read_genomes(found))]
    single = [genome for file in sorted(found.glob("*.json")) for genome in read_genomes(file)]
    sources = [read_genome_source(found.name, single)] if single else []
    for inner in sorted(found.iterdir()):
        many = inner.suffix == MANY_SUFFIX and is_file_of_genomes(inner)
        if many or (inner.is_dir() and not single and any(inner.glob("*.json*"))):
            sources += read_sources(inner)
    if not sources:
        raise RunError(f"{found} holds neither a run (config.json) nor genomes (.json, .jsonl)")
    return sources
