"""An audit in five sentences, each with its number and interval."""

from __future__ import annotations

from collections.abc import Callable

from ..gallery.pages.audit_page import Sentence
from ..text import between, counted, rate
from .figure_table import PARTS, Part
from .record import AuditFigure, AuditRecord


def sentences(record: AuditRecord) -> list[Sentence]:
    """Return the findings of an audit in words that need no knowledge of the field."""
    return [say(record) if _known(record, name) else _skipped(record, part) for part, name, say in _SENTENCES]


def numbered(figure: AuditFigure) -> str:
    """Write a share: ``31.4 %``, or ``–`` where it was not measured."""
    return "–" if figure.value is None else rate(figure.value)


def interval(figure: AuditFigure) -> str:
    """Write the interval of a share in words; empty where it was not measured."""
    if figure.low is None or figure.high is None:
        return ""
    return f"95 % interval {ends(figure.low, figure.high)}"


def ends(low: float, high: float) -> str:
    """Write the ends of a share's interval to a tenth of a per cent; there, 0 and 100 % stand for what is near."""
    return between(*(min(1.0, max(0.0, round(end, 3))) for end in (low, high)))


def with_interval(figure: AuditFigure) -> str:
    """Write a share with its interval in brackets: ``31.4 % (18.1 – 45.4 %)``, or ``–`` where it was not measured."""
    ends = interval(figure).removeprefix("95 % interval ")
    return f"{numbered(figure)} ({ends})" if ends else numbered(figure)


def _known(record: AuditRecord, name: str) -> bool:
    return record.figures[name].value is not None


def _skipped(record: AuditRecord, part: Part) -> Sentence:
    return Sentence("", f"{PARTS[part]}: not measured; {record.parts[part].why or 'nothing came of it'}.")


def _fooling(record: AuditRecord) -> Sentence:
    figure = record.figures["fooled_at_99"]
    words = (
        f"of its {counted(record.target.classes, 'class')} are seen, more than 99 % sure, in images evolved from noise"
    )
    return Sentence(numbered(figure), f"{words}.", interval(figure))


def _pixels(record: AuditRecord) -> Sentence:
    figure = record.figures["pixels_1"]
    right = " that it gets right" if record.labelled else ""
    words = f"of {counted(figure.n, 'real image')}{right} are taken for something else once one pixel changes"
    details = record.parts["pixels"].details.get("1")
    if isinstance(details, dict) and "queries_each" in details:
        words += f", with at most {counted(details['queries_each'], 'query')} to find it"
    return Sentence(numbered(figure), f"{words}.", interval(figure))


def _rejection(record: AuditRecord) -> Sentence:
    figure = record.figures["fpr95_msp"]
    words = "of real images would be refused as well by a limit on its confidence that stops 95 % of the fooling images"
    return Sentence(numbered(figure), f"{words}.", interval(figure))


def _corruptions(record: AuditRecord) -> Sentence:
    right, flips = record.figures["corrupted_accuracy"], record.figures["corrupted_flips"]
    changes = "after everyday changes such as JPEG, blur or another brightness"
    if right.value is None:
        return Sentence(numbered(flips), f"of real images are taken for something else {changes}.", interval(flips))
    clean = record.parts["corruptions"].details.get("clean_accuracy")
    before = f", against {rate(clean)} before" if isinstance(clean, float) else ""
    return Sentence(numbered(right), f"of real images are still classified rightly {changes}{before}.", interval(right))


def _calibration(record: AuditRecord) -> Sentence:
    error, right = record.figures["ece"], record.figures["accuracy"]
    words = f"is how far its confidence is from how often it is right, on average; it is right about {numbered(right)}"
    return Sentence(numbered(error), f"{words} of {counted(right.n, 'real image')}.", interval(error))


_SENTENCES: tuple[tuple[Part, str, Callable[[AuditRecord], Sentence]], ...] = (
    ("fooling", "fooled_at_99", _fooling),
    ("pixels", "pixels_1", _pixels),
    ("rejection", "fpr95_msp", _rejection),
    ("corruptions", "corrupted_flips", _corruptions),
    ("calibration", "ece", _calibration),
)
"""Each part with the figure that its sentence needs."""
