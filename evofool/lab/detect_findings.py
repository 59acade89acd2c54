"""What ``detect`` says it found: figures, lines for the command line, and the page."""

from __future__ import annotations

from collections.abc import Sequence

from ..config.fooling import ENCODINGS
from ..detection.names import SCORES
from ..detection.separation import Estimate, Separation
from ..gallery.pages.commands import experiment_command
from ..gallery.pages.experiment_page import Card, ExperimentPage, Plot, Table
from ..gallery.pages.sources import Figure
from ..gallery.prints.matrices import Share, share_matrix
from ..gallery.prints.roc import roc_curves
from ..store.experiment import ExperimentFolder
from ..text import counted, percent, rate
from .detect_figures import DetectFigures, in_words
from .detect_plan import REAL
from .detect_results import ALL, Told, detector
from .experiment import Findings

SHOWN = 3
"""Images of each kind that a page shows."""

FEW = 20
"""Fewest tested images of a kind of which an area says much."""

CURVES = ("msp", "energy", "odin", "mahalanobis", "knn")
"""Scores whose curves are drawn, beside a detector's."""

QUESTION = "Can images that fool the network be told from real ones?"

METHOD = (
    "Scores are high for what looks real, and fooling images are the positives, as in OpenOOD and pytorch-ood: "
    "maximum softmax probability (Hendrycks & Gimpel 2017), maximum logit (Hendrycks et al. 2022), energy (Liu et "
    "al. 2020), negative entropy; ODIN, at a temperature of 1000 after a step of 0.0014 (Liang et al. 2018); of what"
    " the last layer with weights is given, the squared Mahalanobis distance to the nearest class with one "
    "covariance, shrunk by Ledoit and Wolf (Lee et al. 2018), and the distance to the k-th nearest real image (Sun "
    "et al. 2022). A trained detector is a logistic regression of the same features, or of the image itself, "
    "averaged to at most 32 pixels a side. Half of the real images, what is made from them, and half of the evolved "
    "ones are learnt from; everything is tested on the other half. Evolved images count if the network takes them "
    "for their class, edited and perturbed ones if it gets the original right and them wrong. AUROC: the chance that"
    " a fooling image scores below a real one, with Newcombe's 95 % interval (2006); a coin has 50 %. FPR95: the "
    "share of real images that are stopped where 95 % of the fooling ones are. Elites of one run have ancestors in "
    "common, so that intervals of evolved images are narrower than they should be. --json has AUPR, and all "
    "intervals."
)


def findings_of(folder: ExperimentFolder, images: Sequence[Told]) -> Findings:
    """Return what the results come to."""
    figures = DetectFigures(folder.config, images)
    warnings = _warnings(figures)
    rows = [(kind, _in_words(figures, kind)) for kind in figures.judged]
    rows += [
        (detector(inputs, kind), _tells(figures.trained_on(inputs, kind)))
        for inputs in figures.inputs[:1]
        for kind in figures.judged
        if figures.trained_on(inputs, kind)
    ]
    rows += [("without", f"{score}: {why}") for score, why in figures.missing().items()]
    rows += [("warning", warning) for warning in warnings]
    return Findings(figures.to_json(), rows, _page(folder, figures, warnings))


def _in_words(figures: DetectFigures, kind: str) -> str:
    """Return a line of the areas of all scores that nobody trained."""
    areas = [f"{score} {_area(figures.separations[score][kind].auroc)}" for score in figures.scores if score in SCORES]
    return f"{counted(len(figures.tested(kind)), 'image')}   AUROC by {'   '.join(areas)}"


def _tells(found: dict[str, Separation]) -> str:
    """Return a line of a detector's areas."""
    return "AUROC against " + "   ".join(f"{kind} {_with_interval(each.auroc)}" for kind, each in found.items())


def _with_interval(estimate: Estimate) -> str:
    return f"{_area(estimate)} ({100 * estimate.low:.1f} – {100 * estimate.high:.1f} %)"


def _area(estimate: Estimate) -> str:
    """Write an area; it is no share of a count, so that 100.0 % need not be all."""
    return f"{100 * estimate.value:.1f} %"


def _warnings(figures: DetectFigures) -> list[str]:
    """Return what there is too little of."""
    few = {kind: len(figures.tested(kind)) for kind in figures.kinds}
    low = [f"{n} of {kind}" for kind, n in few.items() if n < FEW]
    return (
        [f"few images fool {figures.config.target.name}, so that their areas say little: {', '.join(low)}"]
        if low
        else []
    )


def _page(folder: ExperimentFolder, figures: DetectFigures, warnings: Sequence[str]) -> ExperimentPage:
    """Return what the page shows."""
    config = folder.config
    tested = len(figures.tested(REAL))
    lead = f"{config.target.name}; {config.data.name if config.data else ''}, {counted(tested, 'real image')} tested; "
    missing = [f"{score}: {why}" for score, why in figures.missing().items()]
    columns = [f"{kind} ({len(figures.tested(kind))})" for kind in figures.judged]
    rows = [(in_words(score), [_cell(each) for each in found.values()]) for score, found in figures.separations.items()]
    return ExperimentPage(
        title=_title(figures),
        question=QUESTION,
        method=METHOD + (f" Left out are {'; '.join(missing)}." if missing else ""),
        lead=f"{lead}seed {config.options.seed}. AUROC with 95 % intervals, then FPR95.",
        facts=_facts(figures),
        table=Table(columns, rows if columns else []),
        plots=[*(_curves(figures, kind) for kind in figures.judged), *_matrices(figures)],
        cards_title="Pictures that escape: of each kind, those that look most real to all scores together.",
        cards=_cards(folder, figures),
        command=experiment_command(config),
        versions=config.versions,
        warnings=warnings,
    )


def _title(figures: DetectFigures) -> str:
    """Return the finding in short: what a detector that knows the first kind makes of that and of another."""
    name, (*kinds, _) = figures.config.target.name, figures.judged or [ALL]
    found = figures.trained_on(figures.inputs[0], kinds[0]) if figures.inputs and kinds else {}
    if not found:
        return f"Images that fool {name}, and real ones"
    other = next((kind for kind in kinds[1:] if kind in ENCODINGS), kinds[-1])
    words = f"A detector that learnt from {kinds[0]} images tells them from real ones with an AUROC of "
    words += _area(found[kinds[0]].auroc)
    return words if other == kinds[0] else f"{words}, and {other} images with {_area(found[other].auroc)}"


def _cell(found: Separation) -> str:
    return f"{_with_interval(found.auroc)}; {rate(found.fpr95.value)}"


def _facts(figures: DetectFigures) -> list[Figure]:
    """Return, for each kind, the score that does best untrained, beside the one that everybody has."""
    facts = []
    for kind in figures.judged[:-1]:
        best, plain = figures.best(kind), figures.separations["msp"][kind].auroc
        area = figures.separations[best][kind].auroc
        note = f"AUROC of the best untrained score, {in_words(best)}; maximum softmax has {_area(plain)}"
        facts.append(Figure(kind, _area(area), note))
    return facts


def _curves(figures: DetectFigures, kind: str) -> Plot:
    """Return the ROC curves of one kind."""
    shown = [score for score in CURVES if score in figures.scores]
    trained = [detector(inputs, ALL) for inputs in figures.inputs[:1]]
    shown += [name for name in trained if name in figures.scores]
    curves = [
        (f"{in_words(score)}, {_area(figures.separations[score][kind].auroc)}", figures.curve(score, kind))
        for score in shown
    ]
    slug = "".join(letter if letter.isalnum() else "-" for letter in kind)
    caption = f"{counted(len(figures.tested(kind)), 'fooling image')}; beside each score its AUROC. Dashed: a coin."
    return Plot(f"roc-{slug}", kind if kind != ALL else "all kinds", caption, roc_curves(curves, f"ROC curves, {kind}"))


def _matrices(figures: DetectFigures) -> list[Plot]:
    """Return what detectors make of kinds that they don't know."""
    plots = []
    for inputs in figures.inputs:
        shares = []
        for kind in figures.judged:
            found = figures.trained_on(inputs, kind)
            shares.append(
                [Share(*each.auroc[:3]) for each in found.values()] if found else [None] * len(figures.judged)
            )
        svg = share_matrix(shares, figures.judged, f"AUROC of detectors on {inputs}", ("tested on", "trained on"))
        caption = "AUROC in % of a detector that learnt from the kind at the left, against that at the top."
        plots.append(Plot(f"trained-{inputs}", f"Detectors on {inputs}", caption, svg))
    return plots


def _cards(folder: ExperimentFolder, figures: DetectFigures) -> list[Card]:
    """Return the pictures of each kind that look most real."""
    cards = []
    for kind in figures.judged[:-1]:
        cards += [_card(folder, each, look) for each, look in figures.escaped(kind)[:SHOWN]]
    return cards


def _card(folder: ExperimentFolder, told: Told, look: float) -> Card:
    classes, result = folder.config.classes, told.result
    first = classes[result["first"]]
    shots = [(folder.pictures(told.part)[told.row], f"taken for {first}")]
    if "image" in result:
        shots.insert(0, (folder.subjects[result["image"]].image, f"{classes[result['label']]}, as it is"))
    note = f"{percent(result['confidence'])} sure. It looks more real than {rate(look)} of real images, on average."
    return Card(shots, f"{result['kind']}: {first}", note)
