"""Figures of the experiment ``perturb``: accuracy under FGSM and PGD."""

from __future__ import annotations

from typing import Any

from ..lab.perturb import Perturb
from ..store.experiment import ExperimentFolder
from ..text import size_text
from .figure_table import EPSILONS
from .record import AuditFigure


def gradient_figures(folder: ExperimentFolder) -> tuple[dict[str, AuditFigure], dict[str, Any]]:
    """Return accuracy by method and size, and what is told beside it.

    Raises:
        RunError: The results are damaged.
    """
    findings = Perturb.findings(folder).figures
    names = {size_text(epsilon): name for name, epsilon in EPSILONS.items()}
    figures = {}
    for arm in findings["table"]:
        low, high = arm["accuracy_interval95"]
        figures[f"{arm['method']}_{names[arm['epsilon']]}"] = AuditFigure(
            value=arm["accuracy"], low=low, high=high, n=arm["images"]
        )
    options = folder.config.options
    details = {"clean": findings["clean"], "pgd_steps": options.steps, "pgd_restarts": options.restarts}
    return figures, details
