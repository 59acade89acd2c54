"""Numbers that compiled loops share with the encodings that call them."""

EMPTY = -1
"""The value of a free slot for a node or a connection of a CPPN."""

FAINT, BOLD = 4.0, 160.0
"""The smallest and the largest amplitude of a stroke on a direct genome, in 8-bit levels."""
