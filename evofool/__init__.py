"""Evolve images that fool image classifiers, and attack real ones by a pixel.

MAP-Elites over direct and CPPN genomes, differential evolution and local search over pixel edits, driven by DEAP,
scored in batches by torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .api.audit import audit
    from .api.experiments import ablate, ascend, detect, features, harden, occlude, perturb, probe, transfer
    from .api.jobs import attack, check_target, evolve, evolve_seeds, inspect, open, repair, resume, score  # noqa: A004
    from .api.pages import breed
    from .api.pictures import load_genome, show
    from .api.sweep import sweep
    from .audits.result import AuditResult
    from .checkup.result import Checkup
    from .config.ascend import AscendOptions
    from .config.attack import AttackOptions
    from .config.audit import AuditOptions
    from .config.detect import DetectOptions
    from .config.elites import AblateOptions, OccludeOptions
    from .config.evolve import EvolveOptions
    from .config.features import FeaturesOptions
    from .config.harden import HardenOptions
    from .config.perturb import PerturbOptions
    from .config.probe import ProbeOptions
    from .config.transfer import TransferOptions
    from .errors import EvofoolError
    from .gallery.pages.pictures import Pictures
    from .gallery.prints.genome import Genome
    from .jobs.result import CampaignResult, Result
    from .lab.result import ExperimentResult
    from .observers.events import JobEnded, JobObserver, JobProgress, JobStarted
    from .peers.art import ArtPixelAttack
    from .peers.foolbox import PixelAttack
    from .peers.pyribs import ribs_archive
    from .peers.torchattacks import OnePixel
    from .search.deap_operators import per_elite, per_genome
    from .sweeps.result import SweepResult
    from .targets.ensemble import Ensemble
    from .targets.registry import load_target
    from .targets.torch_target import TorchTarget as Target

__all__ = [
    "AblateOptions",
    "ArtPixelAttack",
    "AscendOptions",
    "AttackOptions",
    "AuditOptions",
    "AuditResult",
    "CampaignResult",
    "Checkup",
    "DetectOptions",
    "Ensemble",
    "EvofoolError",
    "EvolveOptions",
    "ExperimentResult",
    "FeaturesOptions",
    "Genome",
    "HardenOptions",
    "JobEnded",
    "JobObserver",
    "JobProgress",
    "JobStarted",
    "OccludeOptions",
    "OnePixel",
    "PerturbOptions",
    "Pictures",
    "PixelAttack",
    "ProbeOptions",
    "Result",
    "SweepResult",
    "Target",
    "TransferOptions",
    "__version__",
    "ablate",
    "ascend",
    "attack",
    "audit",
    "breed",
    "check_target",
    "detect",
    "evolve",
    "evolve_seeds",
    "features",
    "harden",
    "inspect",
    "load_genome",
    "load_target",
    "occlude",
    "open",
    "per_elite",
    "per_genome",
    "perturb",
    "probe",
    "repair",
    "resume",
    "ribs_archive",
    "score",
    "show",
    "sweep",
    "transfer",
]

_HOMES = {
    "AblateOptions": "config.elites:AblateOptions",
    "ArtPixelAttack": "peers.art:ArtPixelAttack",
    "AscendOptions": "config.ascend:AscendOptions",
    "AttackOptions": "config.attack:AttackOptions",
    "AuditOptions": "config.audit:AuditOptions",
    "AuditResult": "audits.result:AuditResult",
    "CampaignResult": "jobs.result:CampaignResult",
    "Checkup": "checkup.result:Checkup",
    "DetectOptions": "config.detect:DetectOptions",
    "Ensemble": "targets.ensemble:Ensemble",
    "EvofoolError": "errors:EvofoolError",
    "EvolveOptions": "config.evolve:EvolveOptions",
    "ExperimentResult": "lab.result:ExperimentResult",
    "FeaturesOptions": "config.features:FeaturesOptions",
    "Genome": "gallery.prints.genome:Genome",
    "HardenOptions": "config.harden:HardenOptions",
    "JobEnded": "observers.events:JobEnded",
    "JobObserver": "observers.events:JobObserver",
    "JobProgress": "observers.events:JobProgress",
    "JobStarted": "observers.events:JobStarted",
    "OccludeOptions": "config.elites:OccludeOptions",
    "OnePixel": "peers.torchattacks:OnePixel",
    "PerturbOptions": "config.perturb:PerturbOptions",
    "Pictures": "gallery.pages.pictures:Pictures",
    "PixelAttack": "peers.foolbox:PixelAttack",
    "ProbeOptions": "config.probe:ProbeOptions",
    "Result": "jobs.result:Result",
    "SweepResult": "sweeps.result:SweepResult",
    "Target": "targets.torch_target:TorchTarget",
    "TransferOptions": "config.transfer:TransferOptions",
    "ablate": "api.experiments:ablate",
    "ascend": "api.experiments:ascend",
    "attack": "api.jobs:attack",
    "audit": "api.audit:audit",
    "breed": "api.pages:breed",
    "check_target": "api.jobs:check_target",
    "detect": "api.experiments:detect",
    "evolve": "api.jobs:evolve",
    "evolve_seeds": "api.jobs:evolve_seeds",
    "features": "api.experiments:features",
    "harden": "api.experiments:harden",
    "inspect": "api.jobs:inspect",
    "load_genome": "api.pictures:load_genome",
    "load_target": "targets.registry:load_target",
    "occlude": "api.experiments:occlude",
    "open": "api.jobs:open",
    "perturb": "api.experiments:perturb",
    "probe": "api.experiments:probe",
    "per_elite": "search.deap_operators:per_elite",
    "per_genome": "search.deap_operators:per_genome",
    "repair": "api.jobs:repair",
    "resume": "api.jobs:resume",
    "ribs_archive": "peers.pyribs:ribs_archive",
    "score": "api.jobs:score",
    "show": "api.pictures:show",
    "sweep": "api.sweep:sweep",
    "transfer": "api.experiments:transfer",
}


def __getattr__(name: str) -> Any:
    """Return a public name on its first use, so that ``evofool --help`` need not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(importlib.import_module(f".{module}", __name__), attribute)
