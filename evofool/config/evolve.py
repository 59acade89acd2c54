"""The options of an evolution."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from .budget import DEFAULT_EVALUATIONS, Budget
from .options import Natural, Positive, option
from .scoring import WEIGHTS, ScoringOptions

MAX_BATCH = 65_536
"""Largest number of children per generation; more would not fit into memory."""

MAX_BINS = 64
"""Largest number of bins along a descriptor, and of images per class with novelty."""

BatchSize = Annotated[int, msgspec.Meta(ge=1, le=MAX_BATCH)]
MAX_ISLANDS = 64
"""Largest number of islands."""

Islands = Annotated[int, msgspec.Meta(ge=1, le=MAX_ISLANDS)]
Bins = Annotated[int, msgspec.Meta(ge=2, le=MAX_BINS)]
Distance = Annotated[float, msgspec.Meta(gt=0, le=1)]
Scalar = str | int | float | bool | None

BUDGET = ("generations", "evaluations", "minutes", "until")
RUNNING = ("target", "weights", "device")
VARIATION = ("encoding", "preset")
DIVERSITY = ("descriptors", "novelty")


class EvolveOptions(ScoringOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of an evolution: of ``evofool evolve`` and of :func:`evofool.evolve`."""

    target: Annotated[
        str | tuple[str, ...],
        option(
            "The classifier to fool; see: evofool targets. Several, to fool all of them with the same images.",
            short="-t",
            repeated=True,
        ),
    ] = "cifar10"
    encoding: Annotated[str, option("How genomes become images: cppn or direct.", short="-e", identity=True)] = "cppn"
    preset: Annotated[str, option("Settings: default, or nguyen2015 as published.", reset_by=("encoding",))] = "default"
    settings: Annotated[
        dict[str, Scalar | tuple[Scalar, ...]] | None,
        option("Settings of the encoding, instead of the preset's.", shown=False, identity=True, reset_by=VARIATION),
    ] = None
    selector: Annotated[
        str | None,
        option(
            "How parents are chosen among the elites: fresh, uniform, unsure or weak.",
            default="fresh; unsure for direct and up to 100 classes; nguyen2015: uniform",
            identity=True,
            reset_by=VARIATION,
        ),
    ] = None
    emitters: Annotated[
        tuple[str, ...] | None,
        option(
            "What proposes children: vary; for CPPNs also tweak (slight changes to elites that are not sure yet), "
            "restart (new starts for the weakest classes) and refine (CMA-ES on their weights); for networks that run "
            "in torch also gradient (ascent from elites, whose gradients count as three evaluations each). Emitters "
            "that improve more are used more often. NAME@1500 starts one after 1,500 evaluations, as in "
            "vary,tweak@1500.",
            default="vary; for CPPNs also tweak and restart, from 150 and 200 evaluations for each niche on (tweak "
            "sooner with more than ten niches and few evaluations for each, at once with genomes of your own, and "
            "with up to ten niches and founders)",
            identity=True,
            reset_by=VARIATION,
        ),
    ] = None
    descriptors: Annotated[
        tuple[str, ...] | None,
        option(
            "Keep several images per class, one in each cell of a grid of descriptors. Names with commas between them, "
            "such as colour,complexity: brightness, colour, complexity, hue, size, slope, symmetry. Grey images have "
            "no colour or hue, and only CPPNs have a size.",
            identity=True,
            reset_by=DIVERSITY,
        ),
    ] = None
    novelty: Annotated[
        str | None,
        option(
            "Keep several images per class that differ from each other in pixels, or in the network's features.",
            identity=True,
            reset_by=DIVERSITY,
        ),
    ] = None
    bins: Annotated[
        Bins | None,
        option(
            "With descriptors: bins along each of them. With novelty: images per class.",
            default="5",
            identity=True,
            reset_by=DIVERSITY,
        ),
    ] = None
    apart: Annotated[
        Distance | None,
        option(
            "Smallest distance between images of a class, with novelty.",
            default="0.3",
            identity=True,
            reset_by=DIVERSITY,
        ),
    ] = None
    classes: Annotated[
        tuple[int | str, ...] | str | None,
        option(
            'Classes to evolve for, by name or index: "cat,dog,8".',
            alias="--class",
            default="all",
            reset_by=("target",),
        ),
    ] = None
    weights: Annotated[
        str | tuple[str, ...] | None,
        option(WEIGHTS, path=True, repeated=True, reset_by=("target",)),
    ] = None
    weights_sha256: Annotated[
        str | None,
        option("SHA-256 that the weights must have.", shown=False, reset_by=("target", "weights")),
    ] = None
    init: Annotated[
        str | None,
        option(
            "Genomes to begin with: a run, a file, a folder, or a bank such as cifar10-cppn; random begins with random "
            "ones alone.",
            path=True,
            identity=True,
            default="founders-cppn, CPPNs evolved for another network; random for direct, grey targets and nguyen2015",
            reset_by=VARIATION,
        ),
    ] = None
    init_sha256: Annotated[
        str | None,
        option("SHA-256 that the first genomes must have.", shown=False, reset_by=("init", "target", *VARIATION)),
    ] = None
    batch: Annotated[
        BatchSize | None,
        option("Children per generation.", default="100; nguyen2015: 200", identity=True, reset_by=VARIATION),
    ] = None
    ahead: Annotated[
        bool,
        option(
            "Propose each generation before the scores of the last one are known, so that a server always has "
            "something to do.",
            identity=True,
            reset_by=("target",),
        ),
    ] = False
    islands: Annotated[
        Islands,
        option(
            "Archives that evolve apart, in turns, and exchange elites now and then. The run keeps the best of each "
            "niche.",
            identity=True,
            reset_by=VARIATION,
        ),
    ] = 1
    seed: Annotated[Natural, option("Random seed.", identity=True)] = 0
    generations: Annotated[
        Positive | None,
        option("Stop after this many generations; the first limit reached ends the run.", reset_by=BUDGET),
    ] = None
    evaluations: Annotated[
        Positive | None,
        option(
            "Stop after this many scored images; those scored again, to confirm them, are counted apart.",
            default=str(DEFAULT_EVALUATIONS),
            reset_by=BUDGET,
        ),
    ] = None
    minutes: Annotated[float | None, option("Stop after this many minutes.", reset_by=BUDGET)] = None
    until: Annotated[
        float | None, option("Stop when the median confidence reaches this, such as 0.99.", reset_by=BUDGET)
    ] = None
    device: Annotated[str, option("Where to run: auto, cpu, cuda, cuda:0 … or mps.")] = "auto"
    precision: Annotated[
        str | None,
        option(
            "What the search scores in: auto, float32 or bfloat16. Recorded scores are always float32.",
            default="auto; nguyen2015: float32",
            identity=True,
            reset_by=(*RUNNING, *VARIATION),
        ),
    ] = None
    micro_batch: Annotated[
        Positive | None,
        option("Images per forward pass; only speed depends on it.", default="chosen by trial", reset_by=RUNNING),
    ] = None
    memory_format: Annotated[
        str, option("Memory format: auto, channels_last or contiguous.", shown=False, reset_by=RUNNING)
    ] = "auto"
    fold: Annotated[
        bool | None,
        option("Join layers for passes of a search: see evofool.Target.", shown=False, reset_by=RUNNING),
    ] = None
    parallel: Annotated[
        bool | None,
        option("Run forward passes on a CPU side by side, each on one thread.", shown=False, reset_by=RUNNING),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.budget  # noqa: B018 - limits that can't be are refused

    @property
    def budget(self) -> Budget:
        """When the run ends.

        Raises:
            ConfigError: A limit can't be.
        """
        return Budget(self.generations, self.evaluations, self.minutes, self.until)


def settings_of(options: EvolveOptions) -> dict[str, Any]:
    """Return the settings of a resolved run's encoding."""
    assert options.settings is not None
    return dict(options.settings)
