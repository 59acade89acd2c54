"""What an attempt has to reach: any class but the true one, or a certain class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..config.attack import UNTARGETED

SUCCESS_MARGIN = 1e-4
"""Log-odds by which a criterion must be reached: a forward pass of another shape could undo a narrower change."""


@dataclass(frozen=True)
class Criterion:
    """What counts as a success.

    Attributes:
        target_class: Index of the class to reach. None: any class but the true one.
    """

    target_class: int | None = None

    @property
    def targeted(self) -> bool:
        """Whether a certain class has to be reached."""
        return self.target_class is not None

    def watched_class(self, label: int) -> int:
        """Return the class whose probability decides for an image of class ``label``."""
        return label if self.target_class is None else self.target_class

    def met_by(self, prediction: int, label: int) -> bool:
        """Return whether an image of class ``label`` that the target takes for ``prediction`` meets the criterion."""
        return prediction != label if self.target_class is None else prediction == self.target_class

    def reached(self, margin: float) -> bool:
        """Return whether a margin is a success; see :func:`evofool.attacks.margins.margins`."""
        return margin < -SUCCESS_MARGIN

    def name(self, classes: Sequence[str]) -> str:
        """Return what records call the criterion."""
        return UNTARGETED if self.target_class is None else classes[self.target_class]
