"""Random numbers in compiled loops: every genome has a stream of its own, seeded by the job's generator.

What happens to one child therefore depends neither on its siblings nor on who computes it. A stream is a (1,) uint64
array: the state of the generator SplitMix64 (Steele, Lea & Flood 2014, "Fast Splittable Pseudorandom Number
Generators"). Every draw advances it.
"""

from __future__ import annotations

import math

import numpy as np

from .compiled import compiled, inlined

_STEP, _FIRST, _SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_30, _27, _31, _11 = (np.uint64(n) for n in (30, 27, 31, 11))


@inlined
def _mixed(z):
    """Turn a state of SplitMix64 into a number of 53 bits in [0, 1)."""
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return np.float64((z ^ (z >> _31)) >> _11) * 2.0**-53


@compiled
def uniform(stream):
    """Draw a number in [0, 1)."""
    stream[0] += _STEP
    return _mixed(stream[0])


@compiled
def uniforms(stream, values):
    """Fill ``values`` (N,) with what N calls of :func:`uniform` return."""
    first = stream[0]
    for i in range(len(values)):
        values[i] = _mixed(first + np.uint64(i + 1) * _STEP)
    stream[0] = first + np.uint64(len(values)) * _STEP


@compiled
def between(stream, low, high):
    """Draw a number in [low, high)."""
    return low + (high - low) * uniform(stream)


@compiled
def below(stream, n):
    """Draw a whole number from 0 to n − 1."""
    return int(uniform(stream) * n)


@compiled
def normal(stream):
    """Draw a standard normal number (Box & Muller 1958)."""
    radius = math.sqrt(-2 * math.log(1 - uniform(stream)))
    return radius * math.cos(2 * math.pi * uniform(stream))
