"""Numbers that compiled loops share with the encodings that call them."""

EMPTY = -1
"""Value of a free slot for a node or a connection of a CPPN."""

ATTEMPTS = 4
"""Most pairs of nodes that are drawn for a new connection of a CPPN before none is added."""

OPERATORS = ("pixels", "grating", "colour", "mix", "tile", "shrink")
"""The operators that change a direct genome, by the numbers that compiled loops take: single pixels, then strokes."""

FAINT, BOLD = 4.0, 160.0
"""Smallest and largest amplitude of a stroke on a direct genome, in grey levels from 0 to 255."""

EXP_CUTOFF = 40.0
"""Exponent from which on the exponential of its negative counts as 0.

The far ends of bells, multiplied by small weights, would be numbers below the normal float32 range, with which
processors are slow.
"""
