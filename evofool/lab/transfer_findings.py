"""What the results of ``transfer`` come to: a matrix for every kind of images, and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..gallery.pages.commands import experiment_command
from ..gallery.pages.experiment_page import Card, ExperimentPage, Plot, Table
from ..gallery.pages.sources import Figure
from ..gallery.prints.matrices import Share, share_matrix
from ..store.experiment import ExperimentFolder, Result
from ..targets.doors.checkpoint import SUFFIXES
from ..text import between, counted, percent, rate
from .experiment import Findings
from .transfer_matrix import Cell, fool_all, fools, matrix

CARDS = 12
"""Largest number of images that a page shows."""

FEW = 20
"""Fewest images that fool their maker of which a share says much."""

METHOD = (
    "Images are made for every network and shown to all. Evolved ones (cppn, direct) are the elites of MAP-Elites over "
    "the network's classes (Nguyen et al. 2015, §3.5); in edited ones a few pixels are others (Su et al. 2019); "
    "perturbed ones change along the network's gradient (Goodfellow et al. 2015, §8; Szegedy et al. 2014, §4.2). An "
    "image counts if it fools the network that it was made for, and, made from a labelled one, if both networks get "
    "that one right. Same class: the other network's first guess is the class that the image was made for, or, of "
    "edits and perturbations, that which its maker takes it for. Chance: the share of this that two networks would "
    "have which see classes as often, and images in any order. Another class: its first guess is not the image's own "
    "class; images that were evolved from nothing have none. At 90 %, at 99 %: its first guess is no class of the "
    "image's, and as sure as that. Intervals are Wilson's, 95 %. Elites of one run have ancestors in common, so their "
    "intervals are narrower than they should be. The table counts all pairs of two networks together; --json has each "
    "pair with all of this."
)

COLUMNS = ("images", "same class (95 % interval)", "chance", "another class", "≥ 90 %", "≥ 99 %", "mean confidence")
"""What the columns of a row of the table are."""


class Shown(NamedTuple):
    """A result with the place of its picture."""

    result: Result
    part: int
    row: int


def findings_of(folder: ExperimentFolder, found: Mapping[str, Sequence[Shown]]) -> Findings:
    """Return what results come to.

    Args:
        folder: The experiment's folder.
        found: The results of each kind of images.
    """
    names = [target.name for target in folder.config.targets]
    by_maker = {
        kind: [[each.result for each in shown if each.result["maker"] == maker] for maker in range(len(names))]
        for kind, shown in found.items()
    }
    matrices = {kind: matrix(results) for kind, results in by_maker.items()}
    elsewhere = {kind: _elsewhere(cells) for kind, cells in matrices.items()}
    everywhere = {kind: fool_all([each.result for each in shown]) for kind, shown in found.items()}
    figures: dict[str, Any] = {
        "networks": names,
        "matrix": {kind: [[cell.to_json() for cell in row] for row in cells] for kind, cells in matrices.items()},
        "elsewhere": {kind: cell.to_json() for kind, cell in elsewhere.items()},
        "fool_all": {kind: len(results) for kind, results in everywhere.items()},
        "made": {kind: [len(results) for results in each] for kind, each in by_maker.items()},
    }
    rows = [(kind, _in_words(cell, len(everywhere[kind]))) for kind, cell in elsewhere.items()]
    warnings = _warnings(by_maker, names)
    page = _page(folder, names, matrices, elsewhere, _cards(folder, names, found, everywhere), warnings)
    rows += [("warning", warning) for warning in warnings]
    return Findings(figures, rows, page)


def _elsewhere(cells: Sequence[Sequence[Cell]]) -> Cell:
    """Return the counts of all pairs of two networks together."""
    others = [cell for maker, row in enumerate(cells) for judge, cell in enumerate(row) if maker != judge]
    images = sum(cell.images for cell in others)
    return Cell(
        images=images,
        same=sum(cell.same for cell in others),
        fooled=sum(cell.fooled for cell in others),
        at_90=sum(cell.at_90 for cell in others),
        at_99=sum(cell.at_99 for cell in others),
        confidence=sum(cell.confidence for cell in others),
        confidence_same=sum(cell.confidence_same for cell in others),
        chance=sum(cell.chance * cell.images for cell in others) / max(1, images),
    )


def _in_words(cell: Cell, everywhere: int) -> str:
    if not cell.images:
        return "no image fools the network that it was made for"
    return (
        f"same class elsewhere {rate(cell.same / cell.images)} ({between(*cell.interval('same'))}; chance "
        f"{rate(cell.chance)})   at 90 % {rate(cell.at_90 / cell.images)}   {counted(everywhere, 'image')} "
        f"fool{'' if everywhere != 1 else 's'} all"
    )


def _row(name: str, cell: Cell) -> tuple[str, list[str]]:
    none = "–"
    if not cell.images:
        return name, ["0", *[none] * 6]
    return name, [
        f"{cell.images:,}",
        f"{rate(cell.same / cell.images)} ({between(*cell.interval('same'))})",
        rate(cell.chance),
        *(rate(count / cell.images) for count in (cell.fooled, cell.at_90, cell.at_99)),
        f"{percent(cell.confidence / cell.images)} ({between(*cell.interval('confidence'))})",
    ]


def _page(
    folder: ExperimentFolder,
    names: Sequence[str],
    matrices: Mapping[str, Sequence[Sequence[Cell]]],
    elsewhere: Mapping[str, Cell],
    cards: Sequence[Card],
    warnings: Sequence[str],
) -> ExperimentPage:
    """Return what the page shows."""
    config = folder.config
    counted_kinds = {kind: cell for kind, cell in elsewhere.items() if cell.images}
    most = max(counted_kinds, key=lambda kind: counted_kinds[kind].same / counted_kinds[kind].images, default=None)
    title = f"Images made to fool one of {counted(len(names), 'network')}"
    if most is not None:
        best = counted_kinds[most]
        title = (
            f"Of {most} images that fool one network, another sees {rate(best.same / best.images)} as the same class"
        )
    return ExperimentPage(
        title=title,
        question="Do images that fool one network fool another?",
        method=METHOD,
        lead=f"{', '.join(names)}{f'; {config.data.name}' if config.data else ''}; seed {config.options.seed}.",
        facts=[
            Figure(kind, rate(cell.same / cell.images), f"same class elsewhere, by chance {rate(cell.chance)}")
            for kind, cell in counted_kinds.items()
        ],
        table=Table(COLUMNS, [_row(kind, cell) for kind, cell in elsewhere.items()]),
        plots=[_plot(kind, matrices[kind], names) for kind in counted_kinds],
        cards_title="Images that fool all networks, the surest first." if cards else "",
        cards=cards,
        command=experiment_command(config),
        versions=config.versions,
        warnings=warnings,
    )


def _plot(kind: str, cells: Sequence[Sequence[Cell]], names: Sequence[str]) -> Plot:
    shares = [[Share(cell.same / cell.images, *cell.interval("same")) if cell.images else None for cell in row]
              for row in cells]  # fmt: skip
    slug = "".join(letter if letter.isalnum() else "-" for letter in kind)
    caption = (
        "Share of the images made for the network at the left that the one at the top puts in the same class, in %."
    )
    return Plot(f"same-{slug}", kind, caption, share_matrix(shares, list(map(_short, names)), f"Same class, {kind}"))


def _short(name: str) -> str:
    """Return a network's name without the suffix of a file."""
    return next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)


def _warnings(by_maker: Mapping[str, Sequence[Sequence[Result]]], names: Sequence[str]) -> list[str]:
    """Return which networks few of the images fool that were made for them."""
    warnings = []
    for maker, name in enumerate(names):
        fooled = {kind: [fools(result, maker) for result in each[maker]] for kind, each in by_maker.items()}
        if few := [f"{sum(each)} of {kind}" for kind, each in fooled.items() if each and sum(each) < FEW]:
            warnings.append(f"few images fool {name}, so that their shares say little: {', '.join(few)}")
    return warnings


def _cards(
    folder: ExperimentFolder,
    names: Sequence[str],
    found: Mapping[str, Sequence[Shown]],
    everywhere: Mapping[str, Sequence[Result]],
) -> list[Card]:
    """Return the surest images of each kind that fool all networks."""
    cards = []
    shared = sum(map(bool, everywhere.values()))
    for kind, results in everywhere.items():
        places = {id(each.result): each for each in found[kind]}
        for result in results[: max(1, CARDS // max(1, shared))]:
            shown = places[id(result)]
            cards.append(_card(folder, names, shown))
    return cards


def _card(folder: ExperimentFolder, names: Sequence[str], shown: Shown) -> Card:
    classes, result = folder.config.classes, shown.result
    picture = folder.pictures(shown.part)[shown.row]
    told = [
        f"{name} {classes[index]} {percent(value)}"
        for name, index, value in zip(names, result["first"], result["confidence"], strict=True)
    ]
    shots = [(picture, f"what {names[result['maker']]} takes for {classes[result['wanted']]}")]
    heading = f"{result['kind']}: {classes[result['wanted']]}"
    if result["label"] is not None:
        original = folder.subjects[result["image"]].image
        shots.insert(0, (original, f"{classes[result['label']]}, as it is"))
        heading = f"{result['kind']}: {classes[result['label']]} → {classes[result['wanted']]}"
    return Card(shots, heading, f"Made for {names[result['maker']]}. {' · '.join(told)}")
