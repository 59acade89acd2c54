"""The sections of an audit's report, one for each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..detection.names import OUTPUT_SCORES
from ..errors import ImageError
from ..gallery.pages.audit_page import Section
from ..gallery.pages.examples import examples
from ..gallery.pages.experiment_page import Card, Plot, Table
from ..gallery.pages.findings import read_findings
from ..gallery.prints.audit_plots import reliability, two_histograms
from ..gallery.prints.plots import MAX_CLASSES, Series, class_heatmap, success_curve
from ..io.images import open_image
from ..text import amount, class_name, counted, percent, rate
from .figure_table import CONFIDENCES, EPSILONS, PARTS, PIXELS
from .record import AuditRecord
from .sentences import ends, interval, numbered, with_interval

ENCODINGS = {"cppn": "CPPN", "direct": "direct pixels"}
"""The encodings of evolved images, as the page calls them."""

EXAMPLES = 6
"""How many real images the page shows whose pixels were changed."""

PAIRS = 10
"""How many pairs of classes the page names where they are too many to draw."""

NAMED = 5
"""How many of the hardest and of the easiest classes the page names."""


def fooling(path: Path, record: AuditRecord) -> Section:
    """Return what evolved images came to: the curves, the classes, the worst pictures."""
    details, figures = record.parts["fooling"].details, record.figures
    rows = []
    for prefix, name in {"": "the better of both", "cppn_": "CPPN", "direct_": "direct pixels"}.items():
        values = [with_interval(record.figures[f"{prefix}fooled_at_{confidence}"]) for confidence in CONFIDENCES]
        if any(value != "–" for value in values):
            rows.append((name, values))
    classes, evaluations = figures["fooled_at_99"].n, details["evaluations"]
    curves = [
        Series(
            f"{'CPPN' if name == 'cppn' else name} > {level} %", reached[str(level)], classes, longest=evaluations[name]
        )
        for name, reached in details["curves"].items()
        for level in (99, 50)
    ]
    svg = success_curve(curves) + success_curve(curves, narrow=True)
    caption = "Share of classes that an image was found for, against the images scored; shaded: Wilson 95 % interval."
    ranked = [(title, _classes(details[title][:NAMED])) for title in ("hardest", "easiest")]
    spent = " and ".join(f"{n:,} by {ENCODINGS[name]}" for name, n in evaluations.items())
    return Section(
        PARTS["fooling"],
        _noted(record, "fooling", f"Images evolved from noise for {counted(classes, 'class')}: {spent}."),
        tables=[
            (
                "Share of classes driven over so much confidence, with 95 % intervals.",
                Table([f"{c} %" for c in CONFIDENCES], rows),
            ),
            ("Classes with the confidence of their surest image.", Table(["classes"], [(n, [c]) for n, c in ranked])),
        ],
        wide=[Plot("fooling", "", caption, svg)] if curves else [],
        cards_title="What it is surest about",
        cards=worst_cards(path, record),
    )


def pixels(path: Path, record: AuditRecord) -> Section:
    """Return what changes of a few pixels came to."""
    details = record.parts["pixels"].details
    known = [(k, details[str(k)]) for k in PIXELS if str(k) in details]
    rows = [
        (
            counted(k, "pixel"),
            [
                with_interval(record.figures[f"pixels_{k}"]),
                f"{each['flipped']:,} of {each['attempts']:,}",
                amount(each["median_queries"]),
                f"{each['queries_each']:,}",
            ],
        )
        for k, each in known
    ]
    plots, tables = [], []
    flips: dict[tuple[str, str], int] = {}
    for _, each in known:
        for flip in each["flips"]:
            pair = (flip["before"], flip["after"])
            flips[pair] = flips.get(pair, 0) + flip["times"]
    names = sorted({name for pair in flips for name in pair})
    if len(names) > MAX_CLASSES:
        ranked = sorted(flips.items(), key=lambda item: (-item[1], item[0]))[:PAIRS]
        often = [(" → ".join(map(class_name, pair)), [f"{times:,}"]) for pair, times in ranked]
        tables.append(("The pairs of classes that occur most, over all numbers of pixels.", Table(("times",), often)))
    elif flips:
        counts = {(names.index(before), names.index(after)): n for (before, after), n in flips.items()}
        svg = class_heatmap(counts, names) + class_heatmap(counts, names, narrow=True)
        plots.append(Plot("flips", "", "The pairs of classes that occur most, over all numbers of pixels.", svg))
    lead = "Real images that are classified rightly, with a few pixels changed."
    if not record.labelled:
        lead = "Real images with a few pixels changed. They have no labels: what it said before counts as right."
    if known:
        each = counted(known[0][1]["queries_each"], "query")
        lead += f" An image counts as safe once {each} found no change that flips it."
    shown = next((k for k, each in known if each["flipped"] and (path / f"pixels-{k}").is_dir()), None)
    return Section(
        PARTS["pixels"],
        _noted(record, "pixels", lead),
        examples_title=f"Images that flip by {counted(shown, 'pixel')}" if shown else "",
        examples=examples(read_findings(path / f"pixels-{shown}"))[:EXAMPLES] if shown else [],
        tables=[("", Table(("flipped (95 % interval)", "images", "median queries", "queries each"), rows)), *tables],
        wide=plots,
    )


def rejection(path: Path, record: AuditRecord) -> Section:
    """Return how well confidence tells fooling images from real ones."""
    details, rows, plots = record.parts["rejection"].details, [], []
    for name, found in details["scores"].items():
        values = [with_interval(record.figures[f"{kind}_{name}"]) for kind in ("auroc", "fpr95", "aupr")]
        rows.append((OUTPUT_SCORES[name], [*values, _threshold(found["threshold"])]))
        spread = found["histogram"]
        real, fooled = (f"real images, {details['real']:,}", spread["real"]), spread["fooling"]
        svg = two_histograms(
            spread["edges"],
            real,
            (f"fooling images, {details['fooling']:,}", fooled),
            OUTPUT_SCORES[name],
            f"{OUTPUT_SCORES[name]} of real and of fooling images",
            (found["threshold"], "95 % stopped"),
        )
        caption = (
            f"Refusing all up to the line stops 95 % of the fooling images and {rate(found['cost'])} of the real ones."
        )
        plots.append(Plot(name, OUTPUT_SCORES[name].capitalize(), caption, svg))
    tables = [("", Table(("AUROC", "real ones stopped (FPR95)", "AUPR", "threshold"), rows))]
    for other, scores in [("noise", details["noise"]), *details["others"].items()]:
        other_rows = [(OUTPUT_SCORES[name], _against(found)) for name, found in scores.items()]
        if other_rows:
            caption = f"The same for {counted(next(iter(scores.values()))['n'], 'image')} of {other}, and how many of "
            caption += "them the thresholds for fooling images stop."
            tables.append((caption, Table((f"AUROC, {other}", "FPR95", "AUPR", "stopped"), other_rows)))
    lead = (
        f"{details['real']:,} real images against {details['fooling']:,} fooling ones. An AUROC of 50 % is a coin's; "
        "below that, the network is surer of fooling images than of real ones."
    )
    return Section(PARTS["rejection"], _noted(record, "rejection", lead), tables=tables, plots=plots)


def corruptions(path: Path, record: AuditRecord) -> Section:
    """Return what everyday changes came to."""
    details = record.parts["corruptions"].details
    labelled = "clean_accuracy" in details
    rows = []
    for name, row in details["corruptions"].items():
        values = [row["accuracy"]] if labelled else []
        rows.append((name, [f"{rate(value)} ({ends(low, high)})" for value, low, high in [*values, row["flips"]]]))
    lead = f"{counted(details['images'], 'real image')} under each change."
    if labelled:
        lead += f" As they are, {rate(details['clean_accuracy'])} are classified rightly."
    columns = ["accuracy (95 % interval)"] if labelled else []
    table = Table([*columns, "flips to another class"], rows)
    return Section(PARTS["corruptions"], _noted(record, "corruptions", lead), tables=[("", table)])


def calibration(path: Path, record: AuditRecord) -> Section:
    """Return the reliability diagram."""
    details, accuracy, error = record.parts["calibration"].details, record.figures["accuracy"], record.figures["ece"]
    rows = [(row["low"], row["high"], row["accuracy"], row["n"]) for row in details["bins"]]
    sure, right = details["mean_confidence"], accuracy.value or 0.0
    tends = "surer than it is right" if sure > right else "less sure than it is right"
    lead = (
        f"{counted(accuracy.n, 'real image')}: right about {numbered(accuracy)} ({interval(accuracy)}), with a mean "
        f"confidence of {rate(sure)}: {tends}. Expected calibration error {numbered(error)} ({interval(error)})."
    )
    caption = "Bars that end below the line: it is surer than it is right."
    plot = Plot("reliability", "Reliability", caption, reliability(rows, "Accuracy against confidence"))
    return Section(PARTS["calibration"], _noted(record, "calibration", lead), plots=[plot])


def perturb(path: Path, record: AuditRecord) -> Section:
    """Return the accuracy under changes along the gradient."""
    details, figures = record.parts["perturb"].details, record.figures
    sizes = [name for name in EPSILONS if figures[f"fgsm_{name}"].value is not None]
    rows = [
        (method.upper(), [with_interval(record.figures[f"{method}_{name}"]) for name in sizes])
        for method in ("fgsm", "pgd")
    ]
    head = [f"ε = {name.replace('_255', '/255').replace('0_', '0.')}" for name in sizes]
    images = figures[f"fgsm_{sizes[0]}"].n if sizes else 0
    lead = counted(images, "real image")
    if record.labelled:
        lead += f", of which {rate(details['clean'])} are classified rightly as they are."
    else:
        lead += ". They have no labels: what it says of them as they are counts as right."
    caption = f"Accuracy with 95 % intervals; PGD takes {counted(details['pgd_steps'], 'step')}."
    return Section(PARTS["perturb"], _noted(record, "perturb", lead), tables=[(caption, Table(head, rows))])


SECTIONS: Mapping[str, Callable[[Path, AuditRecord], Section]] = {
    "fooling": fooling,
    "pixels": pixels,
    "rejection": rejection,
    "corruptions": corruptions,
    "calibration": calibration,
    "perturb": perturb,
}
"""What makes the section of each part."""


def plots_of(path: Path, record: AuditRecord) -> dict[str, Plot]:
    """Return the figures of all sections by their names."""
    sections = [SECTIONS[name](path, record) for name, part in record.parts.items() if part.status != "skipped"]
    return {plot.name: plot for section in sections for plot in (*section.wide, *section.plots)}


def worst_cards(path: Path, record: AuditRecord) -> list[Card]:
    """Return the evolved images that the target is surest about, one a class."""
    return [
        Card([(picture, f"taken for {each['class']}")], class_name(each["class"]), _made(each))
        for each in record.parts["fooling"].details.get("worst", ())
        if (picture := _picture(path / each["file"])) is not None
    ]


def _noted(record: AuditRecord, part: str, lead: str) -> str:
    """Return a part's lead, with what it could not do."""
    why = record.parts[part].why
    return f"{lead} Not all could be done: {why}." if why else lead


def _against(found: Mapping[str, Any]) -> list[str]:
    """Write the figures against images of another kind."""
    values = [found[kind] for kind in ("auroc", "fpr95", "aupr")]
    return [*(f"{rate(value)} ({ends(low, high)})" for value, low, high in values), rate(found["stopped"])]


def _threshold(value: float) -> str:
    """Write a threshold; one a little below 1 by what it lacks."""
    lacks = 1 - value
    return (f"1 − {lacks:.2g}" if 0 < lacks < 1e-4 else f"{value:.6g}").replace("-", "−")


def _classes(ranked: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{class_name(each['class'])} {percent(each['confidence'])}" for each in ranked)


def _made(each: Mapping[str, Any]) -> str:
    return f"{percent(each['confidence'])} · {ENCODINGS[each['encoding']]}"


def _picture(file: Path) -> np.ndarray | None:
    """Return the pixels (C, H, W) of a picture in the folder; None where it is gone."""
    try:
        pixels = np.asarray(open_image(file))
    except ImageError:
        return None
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
