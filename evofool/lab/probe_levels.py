"""How large the noise is that ``probe`` adds: levels in standard deviations of the perturbation.

Tabacof & Valle 2016: 2^i of the perturbation's standard deviation for i from −5 to 5. The authors' released code
multiplies the standard deviation by 0.9 after every level, so that the last one is 11.2 times as large and not 32; it
draws with the perturbation's mean instead of 0, and resamples the perturbation's own values at one level only.
"""

from __future__ import annotations

EXPONENTS = range(-5, 6)
"""The exponents i of the levels."""

SHRINKAGE = 0.9
"""What the authors' code multiplies the standard deviation by after every level."""

GAUSSIAN, HISTOGRAM = "gaussian", "histogram"

NOISES = (GAUSSIAN, HISTOGRAM)
"""Kinds of noise: normal variates, and the perturbation's own values, drawn with replacement."""

STARTS = ("adversarial", "original")
"""The images that noise is added to."""


def factors(noise: str, *, as_published: bool) -> tuple[float, ...]:
    """Return the levels of a kind of noise: what the perturbation's deviation, or its values, are multiplied by.

    Args:
        noise: One of :data:`NOISES`.
        as_published: Whether they are those of the authors' code.
    """
    if not as_published:
        return tuple(2.0**exponent for exponent in EXPONENTS)
    if noise == HISTOGRAM:
        return (1.0,)
    return tuple(SHRINKAGE**number * 2.0**exponent for number, exponent in enumerate(EXPONENTS))
