"""Compiled mutation of direct genomes, one picture after the other.

A picture is (C, H, W) float32 and is changed in place. ``spare`` is room for another picture. Random numbers come from
``stream`` (see ``draws``).

``encodings/direct/strokes.py`` and ``encodings/direct/batched.py`` do the same to batches with torch, on accelerators.
tests/encodings/test_strokes.py and tests/encodings/test_direct.py hold both to the same properties.
"""

from __future__ import annotations

import math

import numpy as np

from .compiled import compiled
from .constants import BOLD, FAINT
from .draws import below, normal, uniform, uniforms
from .functions import EXP_LIMIT, exp, log, sine

_PIXELS, _GRATING, _COLOUR, _MIX, _TILE, _SHRINK = range(6)
"""Indices in ``constants.OPERATORS``."""

_f = np.float32
_MIDDLE, _WHITE = _f(128), _f(255)
_MAX_AT_ONCE = 256
"""Most genes whose gaps and steps are drawn at once."""


@compiled
def mutate(genes, operators, again, rate, spread, eta, seeds, children):
    """Change every genome by one operator, or by two.

    Args:
        genes: (N, C, H, W) uint8.
        operators: Indices in ``constants.OPERATORS``, of which each is as likely as any other.
        again: Probability of a second operator.
        rate, spread, eta: What ``DirectSettings`` says of the operator ``pixels``.
        seeds: (N,) uint64, the seed of each genome's random numbers.
        children: (N, C, H, W) uint8, overwritten.
    """
    picture, spare = np.empty(genes.shape[1:], np.float32), np.empty(genes.shape[1:], np.float32)
    stream = np.empty(1, np.uint64)
    for n in range(len(genes)):
        stream[0] = seeds[n]
        _copy(genes[n], picture)
        _stroke(picture, spare, operators[below(stream, len(operators))], rate, spread, eta, stream)
        if uniform(stream) < again:
            _clamp(picture)
            _stroke(picture, spare, operators[below(stream, len(operators))], rate, spread, eta, stream)
        _to_bytes(picture, children[n])


@compiled
def mate(genes, partners, seeds, children):
    """Copy ``genes`` into ``children`` with a rectangle of the partner pasted in; shapes as in :func:`mutate`."""
    stream = np.empty(1, np.uint64)
    for n in range(len(genes)):
        stream[0] = seeds[n]
        paste(genes[n], partners[n], children[n], stream)


@compiled
def _stroke(picture, spare, operator, rate, spread, eta, stream):
    if operator == _PIXELS:
        pixels(picture, min(rate * spread ** (2 * uniform(stream) - 1), 1.0), eta, stream)
    elif operator == _GRATING:
        grating(picture, stream)
    elif operator == _COLOUR:
        colour(picture, stream)
    elif operator == _MIX:
        mix(picture, spare, stream)
    elif operator == _TILE:
        tile(picture, spare, stream)
    elif operator == _SHRINK:
        shrink(picture, spare, stream)


@compiled
def pixels(picture, rate, eta, stream):
    """Change each gene with probability ``rate`` by polynomial mutation (Deb & Agrawal 1999), in whole grey levels.

    The genes are drawn by the gaps between them, which are geometric (Devroye 1986, chapter X.2, by inversion).
    """
    flat, power = picture.reshape(-1), 1 / (eta + 1)
    scale = 1 / math.log1p(-rate) if rate < 1 else 0.0
    at_once = min(_MAX_AT_ONCE, 8 + int(1.25 * rate * len(flat)))
    gaps, steps = np.empty(at_once), np.empty(at_once)
    place = -1
    while True:
        uniforms(stream, gaps)
        uniforms(stream, steps)
        for i in range(at_once):
            gaps[i] = log(1 - gaps[i]) * scale
            turn = 2 * steps[i] - 1
            size = 255 * (1 - exp(_f(max(log(1 - abs(turn)) * power, -EXP_LIMIT))))
            steps[i] = np.rint(math.copysign(size, turn))
        for i in range(at_once):
            if gaps[i] >= len(flat) - 1 - place:
                return
            place += 1 + int(gaps[i])
            flat[place] = min(max(flat[place] + _f(steps[i]), _f(0)), _WHITE)


@compiled
def grating(picture, stream):
    """Add a coloured sine wave of random direction, with one cycle per picture to one per four pixels (log-uniform)."""
    channels, height, width = picture.shape
    cycles = max(max(height, width) / 4, 1.0) ** uniform(stream)
    angle, phase = 2 * math.pi * uniform(stream), 2 * math.pi * uniform(stream)
    down = cycles * math.sin(angle) * 2 * math.pi / height
    along = cycles * math.cos(angle) * 2 * math.pi / width
    colours = np.empty(channels, np.float32)
    for c in range(channels):
        colours[c] = normal(stream)
    strongest = 1e-6
    for c in range(channels):
        strongest = max(strongest, abs(colours[c]))
    amplitude = _amplitude(stream)
    for c in range(channels):
        colours[c] = amplitude * colours[c] / strongest
    wave = np.empty(width, np.float32)
    for y in range(height):
        for x in range(width):
            wave[x] = sine(down * y + along * x + phase)
        for c in range(channels):
            for x in range(width):
                picture[c, y, x] += wave[x] * colours[c]


@compiled
def colour(picture, stream):
    """Change each channel's contrast and brightness."""
    amplitude = _amplitude(stream)
    for c in range(len(picture)):
        contrast = _f(1 + 0.3 * normal(stream))
        level = _MIDDLE + _f(amplitude * normal(stream))
        flat = picture[c].reshape(-1)
        for i in range(len(flat)):
            flat[i] = (flat[i] - _MIDDLE) * contrast + level


@compiled
def mix(picture, spare, stream):
    """Mix the channels."""
    channels, height, width = picture.shape
    matrix = np.empty((channels, channels), np.float32)
    for c in range(channels):
        for d in range(channels):
            matrix[c, d] = 0.25 * normal(stream) + (c == d)
    for y in range(height):
        for c in range(channels):
            mixed = spare[c, y]
            for x in range(width):
                mixed[x] = _MIDDLE
            for d in range(channels):
                share, given = matrix[c, d], picture[d, y]
                for x in range(width):
                    mixed[x] += share * (given[x] - _MIDDLE)
        for c in range(channels):
            mixed, line = spare[c, y], picture[c, y]
            for x in range(width):
                line[x] = mixed[x]


@compiled
def tile(picture, spare, stream):
    """Fill the picture with copies of a part of it, whose sides are a fifth to a half of the picture's."""
    rows = _tiled(picture.shape[1], stream)
    _sample(picture, spare, rows, _tiled(picture.shape[2], stream))


@compiled
def shrink(picture, spare, stream):
    """Shrink the picture, to a half at the least, and mirror it into the space that becomes free."""
    _, height, width = picture.shape
    room = max(0.5 - 2 / min(height, width), 0.0)  # It shrinks by at least one pixel if it can.
    scale = 1 / (0.5 + room * uniform(stream))
    _sample(picture, spare, _mirrored(height, scale), _mirrored(width, scale))


@compiled
def paste(genes, partner, child, stream):
    """Copy a picture into ``child``, with a rectangle of the partner's picture, which is first shifted cyclically."""
    channels, height, width = genes.shape
    top, bottom = _span(height, stream)
    left, right = _span(width, stream)
    down, along = _shifted(height, stream), _shifted(width, stream)
    _copy(genes, child)
    for c in range(channels):
        for y in range(top, bottom):
            given, line = partner[c, down[y]], child[c, y]
            for x in range(left, right):
                line[x] = given[along[x]]


@compiled
def _amplitude(stream):
    return FAINT * (BOLD / FAINT) ** uniform(stream)


@compiled
def _tiled(size, stream):
    period = math.ceil(size * (0.2 + 0.3 * uniform(stream)))
    start, places = below(stream, size - period + 1), np.empty(size, np.uint64)
    for i in range(size):
        places[i] = start + i % period
    return places


@compiled
def _shifted(size, stream):
    shift, places = below(stream, size), np.empty(size, np.uint64)
    for i in range(size):
        places[i] = (i + shift) % size
    return places


@compiled
def _mirrored(size, scale):
    places = np.empty(size, np.uint64)
    for i in range(size):
        along = int(i * scale)
        places[i] = along if along < size else 2 * size - 1 - along
    return places


@compiled
def _span(size, stream):
    """Return the ends of a random interval of pixels: its first, and the one after its last.

    It is a tenth to nine tenths of the side long.
    """
    length = 0.1 * 9 ** uniform(stream) * size
    start = (size - length) * uniform(stream)
    return math.ceil(start), min(math.ceil(start + length), size)


@compiled
def _sample(picture, spare, rows, columns):
    _copy(picture, spare)
    for c in range(len(picture)):
        for y in range(len(rows)):
            given, line = spare[c, rows[y]], picture[c, y]
            for x in range(len(columns)):
                line[x] = given[columns[x]]


@compiled
def _copy(genes, picture):
    for c in range(len(genes)):
        for y in range(genes.shape[1]):
            for x in range(genes.shape[2]):
                picture[c, y, x] = genes[c, y, x]


@compiled
def _clamp(picture):
    flat = picture.reshape(-1)
    for i in range(len(flat)):
        flat[i] = min(max(flat[i], _f(0)), _WHITE)


@compiled
def _to_bytes(picture, genes):
    """Round a picture to bytes, halves to even."""
    for c in range(len(genes)):
        for y in range(genes.shape[1]):
            for x in range(genes.shape[2]):
                genes[c, y, x] = np.uint8(np.int32(np.rint(min(max(picture[c, y, x], _f(0)), _WHITE))))
