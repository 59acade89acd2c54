"""The figures of an audit: their names, what each means, and which way is worse.

Rules, JSON Schema, CSV, JUnit, comparisons, the model card and the docs take them from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..detection.names import OUTPUT_SCORES

CONFIDENCES = (50, 90, 99)
"""Per cent that a class has to be driven over to count as fooled."""

PIXELS = (1, 3, 5)
"""Numbers of pixels that real images are attacked by."""

EPSILONS = {"4_255": 4 / 255, "8_255": 8 / 255, "0_3": 0.3}
"""Largest change of a value under FGSM and PGD, in [0, 1]: those that RobustBench has for ImageNet and CIFAR-10, and
that of Madry et al. (2018) for MNIST."""

Part = Literal["fooling", "pixels", "rejection", "corruptions", "calibration", "perturb"]

PARTS: dict[Part, str] = {
    "fooling": "Fooling images",
    "pixels": "Pixels",
    "rejection": "Rejection",
    "corruptions": "Corruptions",
    "calibration": "Calibration",
    "perturb": "Gradients",
}
"""The parts of an audit in their order, each with its heading."""


@dataclass(frozen=True)
class FigureKind:
    """What a figure is.

    Attributes:
        meaning: What it says, as a phrase that follows its name.
        worse: Whether more of it is worse (``higher``), less of it (``lower``), or neither.
        part: The part that measures it; None for figures of the whole audit.
        share: Whether it is a share in [0, 1]; others are counts.
    """

    meaning: str
    worse: Literal["higher", "lower"] | None
    part: Part | None
    share: bool = True


SEPARATIONS: dict[str, tuple[str, Literal["higher", "lower"]]] = {
    "auroc": ("area under the ROC curve of fooling against real images", "lower"),
    "fpr95": ("share of real images that are stopped where 95 % of the fooling ones are", "higher"),
    "aupr": ("area under the precision-recall curve with fooling images as positives", "lower"),
    "others_auroc": ("area under the ROC curve of other data against real images", "lower"),
    "others_fpr95": ("share of real images that are stopped where 95 % of other data are", "higher"),
}
"""How well each score tells two kinds of images apart: what the figures are, and in which direction they are worse."""


def _kinds() -> dict[str, FigureKind]:
    kinds: dict[str, FigureKind] = {}
    encodings = {"": "the better encoding", "cppn_": "CPPNs", "direct_": "direct pixels"}
    for prefix, maker in encodings.items():
        for confidence in CONFIDENCES:
            meaning = f"share of classes that an evolved image of {maker} drives over {confidence} %"
            kinds[f"{prefix}fooled_at_{confidence}"] = FigureKind(meaning, "higher", "fooling")
    for k in PIXELS:
        changed = "one pixel" if k == 1 else f"at most {k} pixels"
        meaning = f"share of rightly classified real images that {changed} flips within the budget"
        kinds[f"pixels_{k}"] = FigureKind(meaning.replace("pixels flips", "pixels flip"), "higher", "pixels")
    for kind, (meaning, worse) in SEPARATIONS.items():
        for score, words in OUTPUT_SCORES.items():
            kinds[f"{kind}_{score}"] = FigureKind(f"{meaning}, by {words}", worse, "rejection")
    kinds["corrupted_accuracy"] = FigureKind("mean accuracy over all corruptions", "lower", "corruptions")
    kinds["corrupted_flips"] = FigureKind(
        "mean share of real images that a corruption takes to another class", "higher", "corruptions"
    )
    kinds["accuracy"] = FigureKind("share of real images that are classified rightly", "lower", "calibration")
    kinds["ece"] = FigureKind("expected calibration error on real images, 15 bins", "higher", "calibration")
    for method in ("fgsm", "pgd"):
        for name, epsilon in EPSILONS.items():
            size = f"{round(255 * epsilon)}/255" if name.endswith("_255") else f"{epsilon:g}"
            meaning = f"accuracy on real images under {method.upper()} with ε = {size}"
            kinds[f"{method}_{name}"] = FigureKind(meaning, "lower", "perturb")
    kinds["queries"] = FigureKind("images that the target scored", None, None, share=False)
    kinds["seconds"] = FigureKind("time that the audit took", None, None, share=False)
    return kinds


FIGURES = _kinds()
"""Every figure of an audit by its name, in the order of the report."""
