"""What is registered by name is named where people look it up: in the help and in the documents."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from evofool import AttackOptions, EvolveOptions
from evofool.attacks.searches.registry import ALIASES, PRESETS, STRATEGIES
from evofool.audits.figure_table import PARTS
from evofool.config.ascend import PARAMETRISATIONS, AscendOptions
from evofool.config.audit import PROFILES, AuditOptions
from evofool.config.detect import DetectOptions
from evofool.config.elites import FILLS, OccludeOptions
from evofool.config.features import EXPORTS, STARTS, FeaturesOptions
from evofool.config.fooling import KINDS
from evofool.config.harden import BY, NORMS, REPLAY, HardenOptions
from evofool.config.options import Options, declarations
from evofool.config.perturb import METHODS, PerturbOptions
from evofool.config.probe import SOURCES, ProbeOptions
from evofool.config.transfer import TransferOptions
from evofool.datasets import NAMED_DATASETS
from evofool.encodings.registry import ENCODINGS
from evofool.lab.features_plan import NETWORKS
from evofool.search.descriptors import DESCRIPTORS
from evofool.search.emitters.registry import EMITTERS
from evofool.search.selectors import SELECTORS

DOCS = Path(__file__).resolve().parents[1] / "docs"


def words(text: str) -> set[str]:
    """The words of a text; hyphens belong to them."""
    return set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text))


@pytest.mark.parametrize(
    ("options", "name", "registered"),
    [
        (EvolveOptions, "encoding", ENCODINGS),
        (EvolveOptions, "selector", SELECTORS),
        (EvolveOptions, "emitters", EMITTERS),
        (EvolveOptions, "descriptors", DESCRIPTORS),
        (AttackOptions, "data", NAMED_DATASETS),
        (AttackOptions, "strategy", ALIASES),
        (AttackOptions, "strategy", STRATEGIES.keys() - set(PRESETS)),
        (AttackOptions, "preset", PRESETS),
        (AuditOptions, "profile", PROFILES),
        (AuditOptions, "skip", PARTS),
        (AuditOptions, "data", NAMED_DATASETS),
        (PerturbOptions, "methods", METHODS),
        (AscendOptions, "parametrisation", PARAMETRISATIONS),
        (ProbeOptions, "sources", SOURCES),
        (ProbeOptions, "encoding", ENCODINGS),
        (OccludeOptions, "fill", FILLS),
        (TransferOptions, "kinds", KINDS),
        (FeaturesOptions, "network", NETWORKS),
        (FeaturesOptions, "start", STARTS),
        (FeaturesOptions, "export", EXPORTS),
        (DetectOptions, "kinds", KINDS),
        (HardenOptions, "by", BY),
        (HardenOptions, "replay", REPLAY),
        (HardenOptions, "norm", NORMS),
    ],
)
def test_the_help_names_all_there_are(options: type[Options], name: str, registered: Iterable[str]) -> None:
    missing = set(registered) - words(declarations(options)[name].help)
    assert not missing, f"name {', '.join(missing)} in the help of {name}, in evofool/config"


def test_the_page_of_descriptors_names_all_there_are() -> None:
    missing = set(DESCRIPTORS) - words((DOCS / "DIVERSITY.md").read_text(encoding="utf-8"))
    assert not missing, f"give {', '.join(missing)} a row in docs/DIVERSITY.md"
