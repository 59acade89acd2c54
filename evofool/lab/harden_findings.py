"""What the results of ``harden`` come to, and its page."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..attacks.statistics import wilson
from ..config.fooling import ENCODINGS
from ..config.harden import BY, HardenOptions
from ..gallery.pages.commands import experiment_command
from ..gallery.pages.experiment_page import Card, ExperimentPage, Plot, Table
from ..gallery.pages.sources import Figure
from ..gallery.prints.curves import Curve, share_curves
from ..store.experiment import NETWORKS, ExperimentFolder
from ..text import counted, percent, rate
from .experiment import Findings
from .harden_figures import Found, compared, in_words, round_figures, side_in_words, sides_of
from .harden_plan import ATTACKS, EPOCH, epsilons, hardened_name

CARDS, PICTURES, COLUMNS = 16, 10, 5
"""Most rounds whose pictures a page shows, most pictures of each, and how many stand beside each other."""

KINDS = {
    "cppn": "images evolved as CPPNs",
    "direct": "images evolved as pixels",
    "pixel": "edits of one pixel",
    "noise": "uniform noise",
    "pgd": "PGD, L∞ {linf:.3g}",
    "pgd-l2": "PGD, L2 {l2:g}",
}
"""What is tried on the first and the last network, in words."""

LEARNT = (
    "In each round the network is trained on labelled images and on evolved ones as one class more, and then images "
    "are evolved against it again (Nguyen et al. 2015). Of evolved images it learns from the surest of each "
    "class, and from others on their way that had 50 % or more, repeated until they are about as many as those of "
    "another class. "
)

PERTURBED = (
    "The network is trained on perturbed images alone, {steps} steps of projected gradient descent from random places "
    "(Madry et al. 2018, §2), and images are evolved against it after each round. Robust accuracy is that on held-out "
    "images after 20 steps. "
)

METHOD = (
    "Evaluations to 99 % are the median over classes. Accuracy is that on all held-out images. For the last table "
    "images are made against the network before the first training and after the last. Edits and perturbations start "
    "from held-out images that the network gets right, and noise fools it where it has 50 % or more for a class. An "
    "image that is taken for one that fools is rejected, and fools no more. Intervals are Wilson's, 95 %."
)


def findings_of(folder: ExperimentFolder, found: Found) -> Findings:
    """Return what results come to.

    Args:
        folder: The experiment's folder.
        found: The parts that are done, with their results.
    """
    options, classes = folder.config.options, len(folder.config.classes)
    rounds = [each for number in range(options.rounds + 1) if (each := round_figures(options, found, number))]
    cross = {kind: sides for kind in (*ENCODINGS, *ATTACKS) if (sides := sides_of(options, found, kind, classes))}
    figures: dict[str, Any] = {
        "by": options.by,
        "replay": options.replay,
        "networks": {"target": hardened_name(options), "folder": str(folder.path / NETWORKS)},
        "rounds": rounds,
        "epochs": [
            {name: each[name] for name in ("round", "epoch", "loss", "accuracy", "robust")}
            for piece, results in found
            for each in results
            if piece.kind == EPOCH
        ],
        "cross": cross,
    }
    rows = [(f"round {each['round']}", in_words(each)) for each in rounds] or [("rounds", "none yet")]
    rows += [(kind, compared(sides)) for kind, sides in cross.items()]
    if len(rounds) > 1:
        last = f"{rounds[-1]['round']:02d}.safetensors"
        rows.append(("use", f"--target {hardened_name(options)} --weights {folder.path / NETWORKS / last}"))
    return Findings(figures, rows, _page(folder, found, figures))


def _page(folder: ExperimentFolder, found: Found, figures: dict[str, Any]) -> ExperimentPage:
    """Return what the page shows."""
    config, rounds = folder.config, figures["rounds"]
    options: HardenOptions = config.options
    title, facts = "Nothing has been evolved yet", list[Figure]()
    if rounds:
        last = rounds[-1]
        rounds_done, middle = counted(last["round"], "round"), percent(last["median"])
        title = f"After {rounds_done} of hardening, evolved images have a median of {middle}"
        facts = [
            Figure("Median confidence", percent(last["median"]), f"before {percent(rounds[0]['median'])}"),
            Figure("Lowest", percent(last["min"]), f"before {percent(rounds[0]['min'])}"),
            Figure("Accuracy", rate(last["clean_accuracy"]), f"before {rate(rounds[0]['clean_accuracy'])}"),
        ]
        if last["robust_accuracy"] is not None:
            before = rounds[0]["robust_accuracy"]
            facts.append(Figure("Robust accuracy", rate(last["robust_accuracy"]), f"before {rate(before)}"))
    sizes = epsilons(options)
    robust = any(each["robust_accuracy"] is not None for each in rounds)
    columns = ["median", "lowest", "99 % after", "99.99 % after", "images added", "accuracy"]
    names = {"before": "before hardening", "after": f"after {counted(options.rounds, 'round')}"}
    return ExperimentPage(
        title=title,
        question="Does a network that learns what fools it stay foolable?",
        method=(PERTURBED.format(steps=options.steps) if options.by == "pgd" else LEARNT) + METHOD,
        lead=f"{config.target.name}, by {options.by}, seed {options.seed}.",
        facts=facts,
        table=Table(
            [*columns, *(["robust accuracy"] if robust else [])],
            [(f"round {each['round']}" if each["round"] else "as given", _cells(each)) for each in rounds],
        ),
        plots=_plots(figures, options),
        cards_title="The surest images of each round, one for each class." if rounds else "",
        cards=_cards(folder, found, rounds),
        command=experiment_command(config),
        versions=config.versions,
        tables=[
            (
                "What it helps against",
                Table(
                    [*names.values()],
                    [
                        (KINDS[kind].format(**sizes), [side_in_words(sides[n]) if n in sides else "–" for n in names])
                        for kind, sides in figures["cross"].items()
                    ],
                ),
            )
        ],
    )


def _cells(each: dict[str, Any]) -> list[str]:
    """Return a row of the table of rounds."""
    needed = [each["evaluations"][level] for level in ("0.99", "0.9999")]
    robust = each["robust_accuracy"]
    return [
        percent(each["median"]),
        percent(each["min"]),
        *("–" if number is None else f"{number:,.0f}" for number in needed),
        f"{each['added']:,}",
        rate(each["clean_accuracy"]),
        *([] if robust is None else [rate(robust)]),
    ]


def _plots(figures: dict[str, Any], options: HardenOptions) -> list[Plot]:
    """Return confidence and accuracy by round, and the accuracies by epoch."""
    plots, rounds = list[Plot](), figures["rounds"]
    if len(rounds) > 1:
        sure = [(float(each["round"]), each["median"], each["min"], 1.0) for each in rounds]
        clean = [(float(each["round"]), *[each["clean_accuracy"]] * 3) for each in rounds]
        curves = [Curve("median confidence, and up from the lowest", sure), Curve("accuracy, held out", clean)]
        svg = share_curves(curves, "round", "Confidence and accuracy by round", lambda size: f"{size:.0f}")
        plots.append(Plot("rounds", "By round", "How sure the network is of evolved images, and how often right.", svg))
    epochs = [each for each in figures["epochs"] if each["robust"] is not None]
    if len(epochs) > 1:
        points = [
            (float(number), each["robust"], *wilson(round(each["robust"] * options.count), options.count))
            for number, each in enumerate(epochs)
        ]
        clean = [(float(number), *[each["accuracy"]] * 3) for number, each in enumerate(epochs)]
        curves = [Curve("robust accuracy", points), Curve("accuracy, held out", clean)]
        svg = share_curves(curves, "epoch", "Robust accuracy by epoch", lambda size: f"{size:.0f}")
        plots.append(Plot("epochs", "By epoch", "Share of held-out images that stay right under perturbations.", svg))
    return plots


def _cards(folder: ExperimentFolder, found: Found, rounds: list[dict[str, Any]]) -> list[Card]:
    """Return the surest images of rounds, the first evolution's of each encoding."""
    options, classes = folder.config.options, folder.config.classes
    shown = {each["round"] for each in rounds[:: max(1, -(-len(rounds) // CARDS))]} | {options.rounds}
    cards = []
    for part, (piece, results) in enumerate(found):
        if piece.kind in BY[options.by] and piece.round in shown and piece.number == 0:
            shot = _mosaic(folder.pictures(part)[: min(len(results), PICTURES)])
            words = ", ".join(f"{classes[each['class_index']]} {percent(each['confidence'])}" for each in results)
            sure = sorted(each["confidence"] for each in results)
            note = f"{piece.kind}; {percent(sure[0])} to {percent(sure[-1])}"
            cards.append(Card([(shot, words)], f"Round {piece.round}" if piece.round else "Before hardening", note))
    return cards


def _mosaic(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pictures (N, C, H, W) as one, ``COLUMNS`` beside each other, with white between them."""
    count, channels, height, width = pictures.shape
    rows = -(-count // COLUMNS)
    found = np.full((channels, rows * (height + 1) - 1, COLUMNS * (width + 1) - 1), 255, np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, COLUMNS)
        top, left = row * (height + 1), column * (width + 1)
        found[:, top : top + height, left : left + width] = picture
    return found
