"""What ``probe`` says it found: figures, lines for the command line, and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..config.experiments import ExperimentConfig
from ..gallery.pages.commands import experiment_command
from ..gallery.pages.experiment_page import ExperimentPage, Table
from ..gallery.pages.sources import Figure
from ..text import between, counted, rate
from .experiment import Findings
from .probe_figures import ADVERSARIAL, Probed, SourceFigures
from .probe_levels import GAUSSIAN, NOISES, STARTS, factors
from .probe_pictures import cards, plots

NAMES = {"lbfgs": "L-BFGS", "pixel": "one-pixel edits", "fooling": "fooling images"}
"""What sources are called."""

QUESTION = "Are adversarial images isolated points, or do they lie in regions of their class?"

METHOD = (
    "Noise is added to the adversarial image, and to the image that it comes from: normal variates of 2^i standard "
    "deviations of the perturbation, i from −5 to 5, and the perturbation's own values, drawn with replacement and as "
    "large (Tabacof & Valle 2016). L-BFGS minimises the weighted distance and the loss in the box of all images, "
    "with a share of the largest weight that reaches the class: at the whole weight images lie at the border, where "
    "half of the smallest noise leads out. An edit of one pixel is the best of an untargeted attempt. A fooling image "
    "has no original; the flat image of its mean colour stands for it, the perturbation being all that evolution drew. "
    "Noise and distances are in real numbers. Radii are the distances along which the "
    "label holds: in random directions, and along the gradient of its log-odds. Intervals of a mean are Wilson's over "
    "the images."
)

PUBLISHED = " Levels as in the authors' code: each 0.9 times as large as the paper says, plus the perturbation's mean."

CLIPPED, UNCLIPPED = " Noisy images are clipped to [0, 1].", " Noisy images may leave [0, 1]."

COLUMNS = (
    "found",
    "keep the label at own size (95 % interval)",
    "back at the original",
    "half keep it at",
    "random radius",
    "gradient radius",
    "8-bit",
)
"""What the columns of the page's table are."""


def findings_of(config: ExperimentConfig, probed: Mapping[str, Sequence[Probed]]) -> Findings:
    """Return what was found around the images of each source."""
    sources = {source: SourceFigures.of(config, images) for source, images in probed.items() if images}
    found = {source: each for source, each in sources.items() if each.found}
    published = config.options.as_published_code
    figures: dict[str, Any] = {
        "levels": {noise: list(factors(noise, as_published=published)) for noise in NOISES},
        **{what: {source: _by_noise(each, what) for source, each in found.items()} for what in ("kept", "reverted")},
        "intervals95": {
            what: {source: _by_noise(each, what, intervals=True) for source, each in found.items()}
            for what in ("kept", "reverted")
        },
        "sources": {source: each.summary() for source, each in sources.items()},
        "images_probed": {source: each.lines() for source, each in found.items()},
    }
    rows = [(source, _in_words(each)) for source, each in sources.items()]
    return Findings(figures, rows, _page(config, sources, found))


def _by_noise(each: SourceFigures, what: str, *, intervals: bool = False) -> dict[str, dict[str, list[Any]]]:
    """Return the mean shares by noise and start, or their intervals."""
    told = each.intervals if intervals else each.mean
    return {noise: {start: list(told(noise, start, what)) for start in STARTS} for noise in NOISES}


def _in_words(each: SourceFigures) -> str:
    """Return a source's line for the command line."""
    if not each.found:
        return f"none of {counted(each.tried, 'image')} became adversarial"
    told = each.summary()
    kept = f"{rate(told['kept_own_size'])} ({between(*told['kept_own_size_interval95'])})"
    words = (
        f"{len(each.found)} of {counted(each.tried, 'image')}   noise of the perturbation's own size keeps {kept}, "
        f"reverts {rate(told['reverted_own_size'])}   half at {_times(told['half'])}"
    )
    for name in ("random", "descent"):
        words += f"   {name} radius {_times(told['radii'][name]['norms'])}"
    if edits := told["edits"]:
        words += f"   other places {rate(edits['places'])}, beside it {rate(edits['near'])}"
        words += f", other colours {rate(edits['colours'])}"
    return words


def _times(value: float | None) -> str:
    """Return a size in sizes of the perturbation."""
    return "beyond all levels" if value is None else f"{value:.2g} ×"


def _row(source: str, each: SourceFigures) -> tuple[str, list[str]]:
    """Return a source's row of the page's table."""
    if not each.found:
        return NAMES[source], [f"0 of {each.tried}", *["–"] * (len(COLUMNS) - 1)]
    told = each.summary()
    std = "" if told["half_std"] is None else f" ({told['half_std']:.2g})"
    radii = [told["radii"][name] for name in ("random", "descent")]
    return NAMES[source], [
        f"{len(each.found)} of {each.tried}",
        f"{rate(told['kept_own_size'])} ({between(*told['kept_own_size_interval95'])})",
        rate(told["reverted_own_size"]),
        _times(told["half"]) + std,
        *(_times(radius["norms"]) for radius in radii),
        rate(told["rounded"]),
    ]


def _page(
    config: ExperimentConfig, sources: Mapping[str, SourceFigures], found: Mapping[str, SourceFigures]
) -> ExperimentPage:
    """Return what the page shows."""
    options, facts, title = config.options, [], f"No adversarial image of {config.target.name} was found"
    for source, each in found.items():
        own, n = each.own, len(each.found)
        kept = each.mean(GAUSSIAN, ADVERSARIAL, "kept")[own]
        interval = each.intervals(GAUSSIAN, ADVERSARIAL, "kept")[own]
        note = f"keep the label under noise of own size; 95 % interval {between(*interval)}"
        facts.append(Figure(NAMES[source], rate(kept), note))
        if source == next(iter(found)):
            place = "in regions" if 2 * each.majority > n else "near borders"
            title = (
                f"Adversarial images of {config.target.name} lie {place}: noise of the perturbation's own size keeps "
                f"{rate(kept)} of labels ({NAMES[source]})"
            )
    return ExperimentPage(
        title=title,
        question=QUESTION,
        method=METHOD
        + (UNCLIPPED if options.unclipped else CLIPPED)
        + (PUBLISHED if options.as_published_code else ""),
        lead=f"{config.data.name if config.data else ''}, {options.samples} samples a level, seed {options.seed}.",
        facts=facts,
        table=Table(COLUMNS, [_row(source, each) for source, each in sources.items()]),
        plots=[plot for source, each in found.items() for plot in plots(source, NAMES[source], each)],
        cards_title="The image, what it became, and of edits of one pixel which other places and colours work too.",
        cards=[card for source, each in found.items() for card in cards(NAMES[source], each)],
        command=experiment_command(config),
        versions=config.versions,
    )
