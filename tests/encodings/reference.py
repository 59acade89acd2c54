"""A slow, obvious CPPN renderer, with a bound on what float32 may do to each of its values.

It shares nothing with ``evofool.encodings.cppn.render`` but the genome's arrays: a node asks the nodes before it for
their values (recursion with a memo), in float64; colours come from Python's ``colorsys``. Beside each value runs a
bound on the error of *any* float32 evaluation of the same graph (forward error analysis, Higham 2002, section 3.1):

    sum of k products   Σ|w|·error + (k + 1)·u·Σ|w·v|       u = 2⁻²⁴
    activation f        L·error + 8·u                       L: the steepest slope of f; f itself within a few ulp

Where weights of ±10 pile up the bound grows tenfold a level and nothing can be claimed; where it is small,
the renderer must give the byte.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evofool.encodings.cppn.batch import ACTIVATION_NAMES, CPPNBatch

Values = NDArray[np.float64]
U = 2.0**-24

FUNCTIONS = {
    "sin": (np.sin, 1.0),
    "cos": (np.cos, 1.0),
    "sigmoid": (lambda p: 2 * (1 / (1 + np.exp(-p)) - 0.5), 0.5),
    "gauss": (lambda p: np.exp(-(p**2)), math.sqrt(2 / math.e)),
    "linear": (lambda p: np.minimum(np.maximum(p, -3), 3) / 3, 1 / 3),
    "wedge": (lambda p: np.minimum(np.abs(p), 3) / 1.5 - 1, 1 / 1.5),
}
"""Each activation's function and its steepest slope, by name."""


@dataclass(frozen=True)
class Picture:
    """``value`` (C, H, W) in [0, 255], not rounded; ``bound`` (C, H, W): how far float32 may be from it."""

    value: Values
    bound: Values


def inputs(size: tuple[int, int], native: tuple[int, int], system: str) -> list[Values]:
    """Return x, y, distance and bias at every pixel centre, (H · W,) each, one pixel after the other."""
    rows: list[tuple[float, float, float, float]] = []
    half = min(native) / 2
    for i in range(size[0]):
        for j in range(size[1]):
            y, x = (i + 0.5) * native[0] / size[0], (j + 0.5) * native[1] / size[1]
            unit_x, unit_y = (x - native[1] / 2) / half, (y - native[0] / 2) / half
            distance = math.sqrt(unit_x**2 + unit_y**2)
            rows.append((x - 0.5, y - 0.5, distance, 1.0) if system == "pixels" else (unit_x, unit_y, distance, 1.0))
    return [np.array(column) for column in zip(*rows, strict=True)]


def outputs(genomes: CPPNBatch, row: int, count: int, given: list[Values]) -> list[tuple[Values, Values]]:
    """The value and the bound of every output of genome ``row``."""
    computed: dict[int, tuple[Values, Values]] = {}
    for node, values in enumerate(given):
        computed[node] = values, U * np.abs(values)
    into: dict[int, list[tuple[int, float]]] = {}
    for source, sink, weight in zip(
        genomes.source[row].tolist(), genomes.sink[row].tolist(), genomes.weight[row].tolist(), strict=True
    ):
        if source >= 0:
            into.setdefault(sink, []).append((source, weight))

    def node_value(node: int) -> tuple[Values, Values]:
        if node not in computed:
            total, error, size = (np.zeros_like(given[0]) for _ in range(3))
            for source, weight in into.get(node, []):
                value, bound = node_value(source)
                total = total + weight * value
                error = error + abs(weight) * bound
                size = size + abs(weight) * (np.abs(value) + bound)
            error = error + (len(into.get(node, [])) + 1) * U * size
            function, slope = FUNCTIONS[ACTIVATION_NAMES[genomes.activation[row, node]]]
            computed[node] = function(total), slope * error + 8 * U
        return computed[node]

    return [node_value(4 + k) for k in range(count)]


def picture(
    genomes: CPPNBatch, row: int, colour: str, size: tuple[int, int], native: tuple[int, int], system: str
) -> Picture:
    """What genome ``row`` looks like at ``size`` (H, W), when evolved for images of ``native`` (H, W)."""
    computed = outputs(genomes, row, 1 if colour == "grey" else 3, inputs(size, native, system))
    values, bounds = [v for v, _ in computed], [b for _, b in computed]
    if colour == "grey":
        channels, errors = [np.abs(values[0])], [bounds[0]]
    elif colour == "rgb":
        channels, errors = [(v + 1) / 2 for v in values], [b / 2 for b in bounds]
    else:
        hue, saturation, lightness = (np.abs(v).tolist() for v in values)
        pixels = [
            colorsys.hls_to_rgb(h, min(light, 1.0), s) for h, s, light in zip(hue, saturation, lightness, strict=True)
        ]
        channels = [np.array(column) for column in zip(*pixels, strict=True)]
        # A channel moves by at most 6 per unit of hue (the wheel has no jump: 1 is 0), 1/2 of saturation, 2 of
        # lightness.
        errors = [6 * bounds[0] + bounds[1] / 2 + 2 * bounds[2] + 32 * U] * 3
    shape = (len(channels), *size)
    return Picture(
        np.clip(np.stack(channels), 0, 1).reshape(shape) * 255,
        np.stack(errors).reshape(shape) * 255 + 2 * 255 * U,
    )
