"""How a run's elites came about: every change of an elite, and the genomes of as many as fit.

Files ``history/NNNNN.npz`` are written with the checkpoints, never between two generations of an interval. Each holds

``generation niche evaluation_id parent score``   (C,) a row per change of an elite: when, in which niche, which child
                                                  by its evaluation, whose child, and its confidence there
``genome_id``                                     (G,) the evaluation IDs of the children whose genomes are here
``genome.*``                                      (G, …) these genomes as the encoding's arrays; large direct ones as
                                                  pictures with at most ``MAX_PICTURE_EDGE`` pixels a side
``format job``                                    the version of the format, and the digest of the run's config

The genomes of a run are bounded by ``Limits.history_bytes``. Beyond that, ancestors of the present elites stay, and of
what else a class went through, genomes that differ enough in confidence.
"""

from __future__ import annotations

from .changes import EliteChanges, log_odds
from .folder import HistoryFolder

__all__ = ["EliteChanges", "HistoryFolder", "log_odds"]
