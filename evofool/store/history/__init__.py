"""How a run's elites came about: every change of an elite, and the genomes of as many as fit.

``history/NNNNN.npz`` are written with the checkpoints, never between two generations of an interval. Each holds

``generation niche evaluation_id parent score``   (C,) a row for every change of an elite: when, which niche, which child
                                         (``evaluation_id``: its evaluation), whose child, its confidence there
``kept``                                 (G,) children (``evaluation_id``) whose genome is here
``genome.*``                             (G, …) those genomes as the encoding's arrays; large direct ones as pictures
                                         of at most ``PICTURE`` pixels a side

Genomes are capped at ``CAP`` bytes a run. Beyond that, ancestors of the present elites stay, and of what else a class
went through, those that differ enough in confidence.
"""

from __future__ import annotations

from .changes import Changes, log_odds, spaced
from .folder import HistoryFolder

__all__ = ["Changes", "HistoryFolder", "log_odds", "spaced"]
