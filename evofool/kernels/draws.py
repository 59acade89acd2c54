"""Random numbers in compiled loops: every genome has a stream of its own, which the run's generator seeds.

So what happens to one child depends neither on its siblings nor on who computes it.
"""

from __future__ import annotations

import math

import numpy as np

from .compiled import compiled, inlined

_STEP, _FIRST, _SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_30, _27, _31, _11 = (np.uint64(n) for n in (30, 27, 31, 11))


@inlined
def _mixed(z):
    """A state of SplitMix64 (Steele, Lea & Flood 2014, "Fast Splittable Pseudorandom Number Generators") as a number in
    [0, 1), of 53 bits."""
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return np.float64((z ^ (z >> _31)) >> _11) * 2.0**-53


@compiled
def uniform(stream):
    """In [0, 1).

    Args:
        stream: (1,) uint64, the state, which moves on.
    """
    stream[0] += _STEP
    return _mixed(stream[0])


@compiled
def uniforms(stream, values):
    """Fill ``values`` (N,) with what so many calls of :func:`uniform` give."""
    first = stream[0]
    for i in range(len(values)):
        values[i] = _mixed(first + np.uint64(i + 1) * _STEP)
    stream[0] = first + np.uint64(len(values)) * _STEP


@compiled
def between(stream, low, high):
    """Uniform in [low, high)."""
    return low + (high - low) * uniform(stream)


@compiled
def below(stream, n):
    """A whole number 0 … n − 1."""
    return int(uniform(stream) * n)


@compiled
def normal(stream):
    """Standard normal (Box & Muller 1958)."""
    radius = math.sqrt(-2 * math.log(1 - uniform(stream)))
    return radius * math.cos(2 * math.pi * uniform(stream))
