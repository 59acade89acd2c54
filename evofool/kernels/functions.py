"""Sine, exponential and logarithm in single operations, which every processor rounds alike.

``gallery/pages/assets/cppn.js`` repeats the first two; tests/browser/test_parity.py holds both to the same bits.
"""

from __future__ import annotations

import math

import numpy as np

from .compiled import inlined

_f = np.float32
_ONE = _f(1)

# Sine is a polynomial of degree 9 on [0, π/2], with an error below 5e-9.
_S3, _S5, _S7, _S9 = _f(-0.16666657), _f(0.008333017), _f(-0.00019806615), _f(2.6000548e-06)
_PI = _f(math.pi)
_TURN, _PER_TURN = 2 * math.pi, 1 / (2 * math.pi)
_ROUND = 1.5 * 2.0**52
"""Rounds a float64 to the nearest whole number when it is added and subtracted again."""

# The exponential is 2ⁿ times a polynomial of degree 6 on ±ln 2 / 2, with a relative error below 3e-9. ln 2 is the sum
# of two numbers, of which the first has so few digits that n times it is exact.
_E2, _E3, _E4, _E5, _E6 = _f(0.5), _f(0.16666514), _f(0.041666187), _f(0.00836959), _f(0.0013951703)
_PER_LN2, _LN2, _LN2_REST = _f(1 / math.log(2)), _f(0.693359375), _f(-2.12194440e-4)
_ROUND_F, _EXPONENT = _f(1.5 * 2.0**23), np.int32(127 - 0x4B400000)
"""``_ROUND`` for float32, and what is added to the bits of (n + ``_ROUND_F``) to get the exponent bits of 2ⁿ."""
EXP_LIMIT = _f(87)
"""Largest absolute argument of :func:`exp`; exp(−87) is nearly the smallest normal float32."""

# The logarithm is the series of 2 artanh(s) up to s¹³, for |s| ≤ (√2 − 1) / (√2 + 1).
_L3, _L5, _L7, _L9, _L11, _L13 = (2 / power for power in (3, 5, 7, 9, 11, 13))
_LOG_2, _ROOT = math.log(2), math.sqrt(2)
_MANTISSA, _BITS, _BIAS = np.int64(2**52 - 1), np.int64(52), np.int64(1023)
_ONE_BITS = np.int64(1023 << 52)


@inlined
def sine(angle):
    """Return the sine of a float64 as float32."""
    turns = (angle * _PER_TURN + _ROUND) - _ROUND
    rest = _f(angle - turns * _TURN)
    half = abs(rest)
    x = min(half, _PI - half)
    u = x * x
    value = (((_S9 * u + _S7) * u + _S5) * u + _S3) * u * x + x
    return math.copysign(value, rest)


@inlined
def exp(v):
    """Return e to the power of a float32 within ±``EXP_LIMIT``."""
    shifted = _f(v * _PER_LN2 + _ROUND_F)
    n = shifted - _ROUND_F
    r = v - n * _LN2 - n * _LN2_REST
    power = np.int32((shifted.view(np.int32) + _EXPONENT) << np.int32(23)).view(np.float32)
    return ((((((_E6 * r + _E5) * r + _E4) * r + _E3) * r + _E2) * r + _ONE) * r + _ONE) * power


@inlined
def log(x):
    """Return the natural logarithm of a normal float64 above 0, with an error below 1e-12; −709 for 0."""
    bits = np.float64(x).view(np.int64)
    power, m = (bits >> _BITS) - _BIAS, np.int64((bits & _MANTISSA) | _ONE_BITS).view(np.float64)
    large = m > _ROOT
    m = m * 0.5 if large else m
    s = (m - 1) / (m + 1)
    u = s * s
    series = (((((_L13 * u + _L11) * u + _L9) * u + _L7) * u + _L5) * u + _L3) * u * s + 2 * s
    return (power + large) * _LOG_2 + series
