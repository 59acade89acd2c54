"""All experiments by name, with nothing imported that takes time."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .experiment import Experiment


class Entry(NamedTuple):
    """An experiment, as it is listed."""

    module: str
    """The module that has it, as ``EXPERIMENT``."""
    question: str
    """What it asks."""
    source: str
    """The papers it comes from."""


EXPERIMENTS = {
    "ascend": Entry(
        "evofool.lab.ascend",
        "Does the gradient lead from noise to every class?",
        "Simonyan et al. 2014, Nguyen et al. 2015, Yosinski et al. 2015, Olah et al. 2017",
    ),
    "perturb": Entry(
        "evofool.lab.perturb",
        "How small a change of all pixels makes the network take an image for something else?",
        "Szegedy et al. 2014, Goodfellow et al. 2015, Madry et al. 2018",
    ),
    "occlude": Entry(
        "evofool.lab.occlude",
        "Which parts of an evolved image does its class depend on?",
        "Zeiler & Fergus 2014",
    ),
    "ablate": Entry(
        "evofool.lab.ablate",
        "Which nodes of its CPPN, and how many copies of what it repeats, does an evolved image need?",
        "Nguyen et al. 2015",
    ),
    "probe": Entry(
        "evofool.lab.probe",
        "Are adversarial images isolated points, or do they lie in regions of their class?",
        "Tabacof & Valle 2016",
    ),
    "features": Entry(
        "evofool.lab.features",
        "What does a network learn from features that only networks see, and do evolved images have them?",
        "Ilyas et al. 2019",
    ),
    "detect": Entry(
        "evofool.lab.detect",
        "Can images that fool a network be told from real ones?",
        "Hendrycks & Gimpel 2017, Liang et al. 2018, Lee et al. 2018, Liu et al. 2020, Sun et al. 2022",
    ),
    "transfer": Entry(
        "evofool.lab.transfer",
        "Do images that fool one network fool another?",
        "Nguyen et al. 2015, Szegedy et al. 2014, Goodfellow et al. 2015",
    ),
    "harden": Entry(
        "evofool.lab.harden",
        "Does a network that learns what fools it stay foolable?",
        "Nguyen et al. 2015, Madry et al. 2018",
    ),
}
"""The experiments."""


def find(name: str) -> type[Experiment]:
    """Return an experiment by its name, one of :data:`EXPERIMENTS`."""
    experiment: type[Experiment] = import_module(EXPERIMENTS[name].module).EXPERIMENT
    return experiment
