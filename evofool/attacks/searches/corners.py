"""The exhaustive sweep for one pixel: every position with every corner of the colour cube."""

from __future__ import annotations

import numpy as np

from ...encodings.pixels import Edits
from ...errors import ConfigError
from .base import Brief, Feedback
from .places import from_centre

AT_ONCE = 1024


class Corners:
    """All H · W · 2^C candidates, from the centre of the image outwards; settles the corner set exactly.

    Raises:
        ConfigError: k is not 1.
    """

    def __init__(self, brief: Brief) -> None:
        if brief.space.k != 1:
            raise ConfigError(f"--strategy corners sweeps single pixels; use --pixels 1, not {brief.space.k}")
        self.space, self.sent = brief.space, 0
        self.order, self.colours = np.argsort(from_centre(brief.space), kind="stable"), brief.space.corners()

    def generate(self) -> Edits:
        each = len(self.colours)
        codes = np.arange(self.sent, min(self.sent + AT_ONCE, len(self.order) * each))
        self.sent += len(codes)
        return self.space.join(self.order[codes // each][:, None], self.colours[codes % each][:, None])

    def update(self, edits: Edits, feedback: Feedback) -> None:
        pass
