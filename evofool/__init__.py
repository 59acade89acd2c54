"""Evolve images that fool image classifiers, and attack real ones by a pixel.

MAP-Elites over direct and CPPN genomes, differential evolution and local search over pixel edits, driven by DEAP,
scored in batches by torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .errors import EvofoolError
    from .jobs.campaign import CampaignResult, attack, resume_campaign
    from .jobs.result import Result
    from .jobs.run import evolve, resume
    from .targets.registry import load_target
    from .targets.torch_target import Target


__all__ = [
    "CampaignResult",
    "EvofoolError",
    "Result",
    "Target",
    "__version__",
    "attack",
    "evolve",
    "load_target",
    "resume",
    "resume_campaign",
]

_HOMES = {
    "CampaignResult": "jobs.campaign",
    "attack": "jobs.campaign",
    "resume_campaign": "jobs.campaign",
    "EvofoolError": "errors",
    "Result": "jobs.result",
    "Target": "targets.torch_target",
    "evolve": "jobs.run",
    "load_target": "targets.registry",
    "resume": "jobs.run",
}


def __getattr__(name: str) -> Any:
    """Public names on first use, so that ``evofool --help`` need not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
