"""What the results of ``features`` come to: the command line's lines, and the page."""

from __future__ import annotations

from ..config.features import D_R
from ..gallery.pages.commands import experiment_command
from ..gallery.pages.experiment_page import ExperimentPage, Plot, Table
from ..gallery.pages.sources import Figure
from ..gallery.prints.curves import Curve, share_curves
from ..gallery.prints.shares import Bar, Point, bar_groups, named_points
from ..store.experiment import ExperimentFolder
from ..text import amount, between, counted, percent, rate
from .experiment import Findings
from .features_cards import cards
from .features_figures import PUBLISHED, FeatureFigures, Fooled, Share
from .features_plan import ROBUST, STANDARD, sizes
from .features_reading import Read

NAMES = {STANDARD: "D, standard", ROBUST: "D, robust"}
"""What tables call the networks that data sets are made with; the others are called as their data set."""

METHOD = (
    "A standard and a robust network (trained against L2 PGD, Madry et al. 2018) learn from the images D. D_R: images "
    "that the robust network's last layer sees as those of D, found from other images by gradient steps of one length "
    "(Ilyas et al. 2019, §3.1); D_NR: the same with the standard network. D_rand and D_det: images of D that the "
    "standard network takes for another class after L2 PGD, labelled as that class: a random one, or the one after the "
    "true one (§3.2). All are rounded to 8 bits. New networks of the same kind, with weights drawn anew, learn from "
    "each; D_NR and D_rand at a lower learning rate, D_det without crops and mirror images. Accuracy is on test "
    "images that nobody changed, robust accuracy on these after L2 PGD of 20 steps, rounded to 8 bits. Intervals are "
    "Wilson's, 95 %. Transfer: of the test images that a network of each kind, trained on D, gets right, the share it "
    "gets wrong once they are perturbed against the standard network (figure 3). Evolved: the elites of MAP-Elites "
    "(Nguyen et al. 2015) against each of both networks, shown to all. Published: CIFAR-10, ResNet-50, ε = 0.25."
)


def findings_of(folder: ExperimentFolder, found: Read) -> Findings:
    """Return what results come to."""
    figures = FeatureFigures(folder.config, found)
    rows = [(NAMES.get(name, name), _in_words(figures, name)) for name in _main(figures)]
    rows += [
        (f"evolved, {maker}, {encoding}", _evolved_in_words(each, maker))
        for (maker, encoding), each in figures.evolved.items()
    ]
    rows += [
        ("transfer", f"{kind}: learns {rate(accuracy.value)} from D_rand, is fooled by {rate(share.value)}")
        for kind, (accuracy, share) in figures.learners.items()
    ]
    return Findings(figures.to_json(), rows or [("networks", "none trained yet")], _page(folder, figures))


def _main(figures: FeatureFigures) -> list[str]:
    """Return the networks of one kind that are measured: the two that data sets are made with, and one for each."""
    return [name for name in PUBLISHED if name in figures.learnt]


def _in_words(figures: FeatureFigures, name: str) -> str:
    each, epsilon = figures.learnt[name], figures.options.epsilon
    return (
        f"clean {rate(each.clean.value)} ({between(*each.clean.interval)})   robust at {epsilon:g} "
        f"{rate(each.measured.value)} ({between(*each.measured.interval)})"
    )


def _evolved_in_words(each: Fooled, maker: str) -> str:
    others = {name: share for name, share in each.same.items() if name in (STANDARD, ROBUST, D_R) and name != maker}
    told = "   ".join(f"{name} {rate(share.value)}" for name, share in others.items())
    words = each.to_json()
    return f"median {percent(words['median'])}, 99 % after {amount(each.reached)} evaluations; same class: {told}"


def _page(folder: ExperimentFolder, figures: FeatureFigures) -> ExperimentPage:
    """Return what the page shows."""
    config, options = folder.config, figures.options
    shown = cards(folder, figures)
    return ExperimentPage(
        title=_title(figures),
        question="What does a network learn from features that only networks see?",
        method=METHOD,
        lead=(
            f"{counted(options.size or 0, 'image')} of {options.data}, network {options.network}, "
            f"{options.epochs} epochs, L2 ε = {options.epsilon:g}, seed {options.seed}."
        ),
        facts=_facts(figures),
        table=_accuracy_table(figures),
        tables=[("What the data sets are", _made_table(figures)), *_evolved_tables(figures)],
        plots=_plots(figures),
        cards_title=(
            "Left what a person sees: the image that a set's image was made from (D_R, D_NR: and what it began as). "
            "Right the set's image with its label. Below what the network says that learnt from this set alone."
        )
        if shown
        else "",
        cards=shown,
        command=experiment_command(config),
        versions=config.versions,
    )


def _title(figures: FeatureFigures) -> str:
    learnt = figures.learnt
    if "D_rand" not in learnt:
        return f"Features of {figures.options.data}: no data set is learnt from yet"
    return (
        f"From random labels that only perturbations explain, a network learns {rate(learnt['D_rand'].clean.value)} "
        f"of {figures.options.data}"
    )


def _facts(figures: FeatureFigures) -> list[Figure]:
    facts = []
    for name in _main(figures):
        each = figures.learnt[name]
        note = f"robust at ε = {figures.options.epsilon:g}: {rate(each.measured.value)}"
        facts.append(Figure(NAMES.get(name, name), rate(each.clean.value), note))
    return facts


def _cell(share: Share) -> str:
    return f"{rate(share.value)} ({between(*share.interval)})"


def _accuracy_table(figures: FeatureFigures) -> Table:
    """Return clean and robust accuracy of every network, with the published ones."""
    columns = ["clean (95 % interval)", *(f"robust at ε = {size:g}" for size in sizes(figures.options))]
    rows = []
    for name, each in figures.learnt.items():
        published = PUBLISHED.get(name)
        clean, robust = published or (None, None)
        told = "–" if published is None else f"{_number(clean)} / {_number(robust)}"
        rows.append((NAMES.get(name, name), [_cell(each.clean), *map(_cell, each.robust), told]))
    return Table([*columns, "published, clean / robust"], rows)


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:g} %"


def _made_table(figures: FeatureFigures) -> Table:
    """Return how every data set came out."""
    rows = []
    for name in PUBLISHED:
        if made := figures.made(name):
            left = made.get("feature_distance_left")
            rows.append(
                (
                    name,
                    [
                        f"{made['images']:,.0f}",
                        rate(made["labels_true"]),
                        rate(made["taken_for_label"]),
                        rate(made["taken_unrounded"]),
                        f"{made['moved']:.2f}",
                        "–" if left is None else rate(left),
                    ],
                )
            )
    columns = (
        "images", "label is the true class", "its maker sees the label", "before rounding", "L2 moved",
        "distance of features left",
    )  # fmt: skip
    return Table(columns, rows)


def _evolved_tables(figures: FeatureFigures) -> list[tuple[str, Table]]:
    """Return what evolution reaches against each network, and what the others make of it."""
    if not figures.evolved:
        return []
    judges = list(next(iter(figures.evolved.values())).same)
    reached, seen = [], []
    for (maker, encoding), each in figures.evolved.items():
        told, name = each.to_json(), f"{maker}, {encoding}"
        counts = [percent(told["median"]), percent(told["min"]), f"{told['at_99']} of {told['of']}"]
        reached.append((name, [*counts, amount(each.reached)]))
        seen.append((name, [f"{each.images}", *(_cell(each.same[judge]) for judge in judges)]))
    columns = ("median confidence", "lowest", "classes at 99 %", "evaluations to a median of 99 %")
    return [
        ("Evolved against the standard and the robust network", Table(columns, reached)),
        ("Who sees the class that they were evolved for", Table(("images", *judges), seen)),
    ]


def _plots(figures: FeatureFigures) -> list[Plot]:
    plots, options = [], figures.options
    names = _main(figures)
    if names:
        groups = []
        for name in names:
            each, published = figures.learnt[name], PUBLISHED[name]
            bars = [
                Bar(share.value, *share.interval, None if value is None else value / 100)
                for share, value in zip((each.clean, each.measured), published, strict=True)
            ]
            groups.append((NAMES.get(name, name), bars))
        series = ("clean", f"robust at ε = {options.epsilon:g}")
        svg = bar_groups(groups, series, "published for CIFAR-10, ResNet-50", "Accuracy by data set")
        caption = "Accuracy on unchanged test images, and after L2 PGD; thin lines: Wilson 95 % intervals."
        plots.append(Plot("accuracy", "What is learnt from each data set", caption, svg))
        curves = [_robust_curve(figures, name) for name in names]
        svg = share_curves(curves, "ε, the Euclidean norm", "Accuracy against ε", lambda size: f"{size:g}")
        caption = "Share of test images that are right after L2 PGD; shaded: Wilson 95 % interval."
        plots.append(Plot("robust", "Accuracy against ε", caption, svg))
    if figures.learners:
        points = [
            Point(kind, Bar(accuracy.value, *accuracy.interval), Bar(share.value, *share.interval))
            for kind, (accuracy, share) in figures.learners.items()
        ]
        svg = named_points(points, "accuracy after learning from D_rand", "fooled by transfer", "Transfer and learning")
        caption = (
            "Networks of several kinds: what each learns from D_rand against how often perturbations of the standard "
            f"network at ε = {options.epsilon_made:g} fool it (figure 3 of the article)."
        )
        plots.append(Plot("transfer", "Transfer against learning", caption, svg))
    if epochs := figures.found.epochs:
        svg = share_curves(
            [_learning_curve(figures, name) for name in PUBLISHED if name in epochs],
            "epochs", "Accuracy while learning", lambda epoch: f"{epoch:g}",
        )  # fmt: skip
        plots.append(Plot("learning", "Accuracy while learning", "On unchanged test images, after every epoch.", svg))
    return plots


def _robust_curve(figures: FeatureFigures, name: str) -> Curve:
    each = figures.learnt[name]
    shares = zip((0.0, *sizes(figures.options)), (each.clean, *each.robust), strict=True)
    return Curve(NAMES.get(name, name), [(size, share.value, *share.interval) for size, share in shares])


def _learning_curve(figures: FeatureFigures, name: str) -> Curve:
    epochs = figures.found.epochs[name]
    points = [(float(each.epoch + 1), each.accuracy, each.accuracy, each.accuracy) for each in epochs]
    return Curve(NAMES.get(name, name), [(0.0, figures.chance, figures.chance, figures.chance), *points])
