"""Settings of publications, and of our own variants, for differential evolution."""

from __future__ import annotations

from .differential_evolution import DESettings

RAND1 = DESettings(population=100, mutation="rand1", weight=(0.5, 0.5), crossover=1.0)
BEST1BIN = DESettings(population=100, mutation="best1", weight=(0.5, 1.0), crossover=0.9)

SU2019 = DESettings(400, "rand1", (0.5, 0.5), 1.0, start="normal", objective="fitness", generations=100)
"""Su, Vargas, Sakurai, "One Pixel Attack for Fooling Deep Neural Networks" (2019), section III."""

SU2019_STOP_FITNESS = 0.1
"""Their targeted attacks go on until the class to reach has a probability of 0.9."""

HYPERPARTICLE = DESettings(400, "best1", (0.5, 1.0), 1.0, "latin", "redraw", "fitness", 75)
"""Hyperparticle/one-pixel-attack-keras, the best-known implementation."""
