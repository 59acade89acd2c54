"""The report of an audit: what its page says, from the record and the pictures in its folder."""

from __future__ import annotations

from pathlib import Path

from ..gallery.pages.audit_page import AuditPage, Section, write_audit_page
from ..gallery.pages.experiment_page import Table
from ..text import clock, counted
from .figure_table import FIGURES, PARTS
from .record import AuditRecord
from .sections import SECTIONS
from .sentences import sentences, with_interval

METHOD = {
    "Fooling images": "MAP-Elites evolves an image for every class, by CPPNs and by direct pixels (Nguyen et al. 2015, "
    "§2 and §3). A class counts as fooled once one of its images, rounded to 8 bits, is scored over the confidence. "
    "Intervals are Wilson's, over classes: how much another set of classes like these could differ.",
    "Pixels": "Real images that are classified rightly are searched for 1, 3 or 5 pixels whose change flips the class "
    "(Su et al. 2019), each within the same number of queries. Intervals are Wilson's, over images.",
    "Rejection": "Fooling images are the positives, as in OpenOOD and pytorch-ood. Scores: maximum softmax probability "
    "(Hendrycks & Gimpel 2017), maximum logit (Hendrycks et al. 2022), energy at temperature 1 (Liu et al. 2020), "
    "entropy. Intervals: Newcombe 2006 for the ROC curve, Boyd et al. 2013 for precision-recall, and the wider of "
    "Wilson's and the bootstrap's for the cost at 95 %.",
    "Corruptions": "Each image is scored once under each change, in one of five strengths that are drawn once for the "
    "audit. It is context for the figures above, and no benchmark such as ImageNet-C.",
    "Calibration": "Expected calibration error over 15 bins of equal width (Guo et al. 2017, eq. 3), ± 1.96 standard "
    "deviations of the bootstrap, or of an accuracy that is as the confidences say where those are larger.",
    "Gradients": "FGSM (Goodfellow et al. 2015) and PGD (Madry et al. 2018) change every value by at most ε; what "
    "counts is the 8-bit image.",
}
"""How each part is measured."""


def write_report(path: Path, record: AuditRecord, command: str, planned: str = "") -> Path:
    """Write ``report.html`` of an audit into its folder, and return the page's file.

    Args:
        path: The folder, which has the pictures that the record names.
        record: What the audit found, as far as it got.
        command: What makes the audit again.
        planned: What its budget came to, in a sentence.

    Raises:
        RunError: It can't be written.
    """
    return write_audit_page(path, audit_page(path, record, command, planned))


def audit_page(path: Path, record: AuditRecord, command: str, planned: str) -> AuditPage:
    """Return what the page says; see :func:`write_report`."""
    sections = []
    for name, part in record.parts.items():
        if part.status == "skipped":
            sections.append(Section(PARTS[name], f"Not measured: {part.why}."))  # type: ignore[index]
        else:
            sections.append(SECTIONS[name](path, record))
    return AuditPage(
        title=f"How easily {record.target.name} is fooled",
        lead=_lead(record),
        notes=[note[:1].upper() + note[1:] for note in (record.data.notes if record.data else ())],
        summary=sentences(record),
        sections=sections,
        figures=_table(record),
        parts=_parts(record),
        method=METHOD,
        command=command,
        planned=planned,
        versions={"evofool": record.evofool, **record.versions},
    )


def _lead(record: AuditRecord) -> str:
    """Return what was audited, with what, and how long that took."""
    data = record.data
    images = f"{counted(data.images, 'real image')} of {data.name}" if data else "no real images"
    unlabelled = " without labels, so that its own predictions stand for them" if data and not data.labelled else ""
    height_width = " × ".join(map(str, record.target.image_shape[1:]))
    asked = f"profile {record.profile}" + (f", budget {record.budget}" if record.budget else "")
    return (
        f"{counted(record.target.classes, 'class')}, images of {height_width} pixels; {images}{unlabelled}; {asked}, "
        f"seed {record.seed}; {counted(record.queries, 'query')} in {clock(record.seconds)}."
    )


def _parts(record: AuditRecord) -> Table:
    """Return what each part took."""
    taken = {title: record.parts[part] for part, title in PARTS.items()} | {"all": record}
    return Table(
        ("queries", "time"), [(title, [f"{each.queries:,}", clock(each.seconds)]) for title, each in taken.items()]
    )


def _table(record: AuditRecord) -> Table:
    """Return all figures that were measured."""
    rows = []
    for name, kind in FIGURES.items():
        figure = record.figures[name]
        if figure.value is not None and kind.share:
            worse = {"higher": "; more is worse", "lower": "; less is worse", None: ""}[kind.worse]
            rows.append((name, [with_interval(figure), f"{figure.n:,}", f"{kind.meaning}{worse}"]))
    return Table(("value (95 % interval)", "of", "meaning"), rows)
