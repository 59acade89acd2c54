"""Evolve images that fool image classifiers, and attack real ones by a pixel.

MAP-Elites over direct and CPPN genomes, differential evolution and local search over pixel edits, driven by DEAP,
scored in batches by torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .campaigning import CampaignResult, attack, resume_campaign
    from .errors import EvofoolError
    from .result import Result
    from .session import evolve, resume
    from .target import Target
    from .zoo import load_target

__version__ = "0.5.0"

__all__ = [
    "CampaignResult",
    "EvofoolError",
    "Result",
    "Target",
    "attack",
    "evolve",
    "load_target",
    "resume",
    "resume_campaign",
]

_HOMES = {
    "CampaignResult": "campaigning",
    "attack": "campaigning",
    "resume_campaign": "campaigning",
    "EvofoolError": "errors",
    "Result": "result",
    "Target": "target",
    "evolve": "session",
    "load_target": "zoo",
    "resume": "session",
}


def __getattr__(name: str) -> Any:
    """Public names on first use, so that ``evofool --help`` need not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
