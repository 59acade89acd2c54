"""The sources at a path: a run, a campaign, or genomes."""

from __future__ import annotations

from pathlib import Path

from ...config.experiments import ExperimentConfig
from ...config.records import CampaignConfig
from ...config.sweep import SweepConfig
from ...encodings.banks import MANY_SUFFIX, bank_names, find_genomes, split_genome_path
from ...encodings.genome_lines import is_file_of_genomes, read_genomes
from ...errors import ConfigError, RunError
from ...io.nearby import nearby
from ...store.folder import CONFIG, kind_of
from ...store.run import RunFolder
from ...store.sweep import SweepFolder
from .campaign_source import read_campaign
from .elites_source import read_elites
from .genome_source import read_genome_source
from .run_source import read_run
from .sources import Source


def read_sources(path: Path, classes: str | None = None) -> list[Source]:
    """Read a run, a sweep, a campaign, or genomes: a file, a folder of them, a folder of such folders, a bank's name.

    Args:
        path: Where they are.
        classes: Names or indices of the classes of a run to show; None for all.

    Raises:
        ConfigError: The run has no such class, or classes are named and it is no run.
        RunError: Nothing of that kind is there, or a run or campaign is damaged.
        GenomeError: A genome is damaged.
    """
    kind = read_kind(path)
    if kind == SweepConfig.kind:
        return _read_sweep(path, classes)
    if kind == ExperimentConfig.kind and classes is None:
        return [read_elites(path)]
    if kind not in ("", CampaignConfig.kind):
        return [read_run(path, classes)]
    if classes is not None:
        raise ConfigError(f"`classes` chooses among the classes of a run, and {path} is none; leave it out")
    return [read_campaign(path)] if kind else _read_genomes(path)


def read_kind(path: Path) -> str:
    """Return the kind of the job at a path, or an empty text where there is none.

    Raises:
        RunError: Its config is damaged.
    """
    return kind_of(path) if (path / CONFIG).exists() else ""


def _read_sweep(path: Path, classes: str | None) -> list[Source]:
    """Return the runs of a sweep that have elites."""
    folder = SweepFolder.open(path)
    if folder.config.command != "evolve":
        raise RunError(f"{path} is a sweep of campaigns; compare them by: evofool report {path}/*/")
    runs = [run for run in folder.begun().values() if RunFolder.open(run).elites()]
    if not runs:
        raise RunError(f"{path} has no run with elites yet; let one run for a generation")
    return [read_run(folder, classes) for folder in runs]


def _read_genomes(path: Path) -> list[Source]:
    found = find_genomes(path)
    if found is None:
        raise RunError(
            f"nothing at {path}{nearby(path, bank_names())}: give a run, a campaign, a genome file, "
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
