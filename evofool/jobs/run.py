"""One evolution from options to result: in memory, or with a run folder that can be resumed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .. import encodings
from ..config.budget import Budget
from ..config.checks import LARGEST
from ..config.classes import choose_classes
from ..encodings.banks import genome_path_exists
from ..encodings.initial import initial_genomes
from ..errors import ConfigError, RunError
from ..io.arrays import digest_of
from ..io.files import remove_leftovers
from ..io.lock import locked
from ..search.diversity import check_size, diversity, options_of
from ..search.emitters.registry import known_emitters
from ..search.evolution import Evolution
from ..search.profiler import Profiler
from ..search.selectors import selector as selector_named
from ..store.folder import claim_folder
from ..store.identity import SINCE
from ..store.run import RunFolder
from ..targets.prepare import prepare_target, reload_target, versions
from ..targets.torch_target import Format, Precision, Target
from .result import Result
from .run_session import Observer, Sitting

BATCH = {"default": 100, "nguyen2015": 200}
"""children a generation, by preset"""

SELECTOR = {"default": "fresh", "nguyen2015": "uniform"}
"""which elites become parents, by preset"""

EMITTERS = {("cppn", "default"): {"vary": 0, "tweak": 150, "restart": 200}}
"""what proposes children, by encoding and preset, if not ``vary`` alone, each after so many evaluations a niche
(docs/SEARCH.md)"""

MAX_BATCH = 65_536
"""children a generation; more would not fit into memory anyway"""


def evolve(
    target: str | Target = "cifar10",
    encoding: str = "cppn",
    *,
    preset: str = "default",
    settings: dict[str, Any] | None = None,
    selector: str | None = None,
    emitters: str | Iterable[str] | None = None,
    descriptors: str | Iterable[str] | None = None,
    novelty: str | None = None,
    bins: int | None = None,
    apart: float | None = None,
    generations: int | None = None,
    evaluations: int | None = None,
    minutes: float | None = None,
    until: float | None = None,
    batch: int | None = None,
    classes: str | int | Iterable[str | int] | None = None,
    seed: int = 0,
    init: str | Path | None = None,
    out: str | Path | None = None,
    weights: str | Path | None = None,
    weights_sha256: str | None = None,
    init_sha256: str | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    micro_batch: int | None = None,
    memory_format: Format = "auto",
    fold: bool | None = None,
    gallery: bool = True,
    observer: Observer | None = None,
    watch: Profiler | None = None,
) -> Result:
    """Evolve images that a target is sure about: MAP-Elites over its classes.

    Args:
        target: a name (see ``evofool targets``) or a :class:`Target` of your own.
        encoding: ``cppn`` or ``direct``.
        preset: ``default``, or ``nguyen2015`` for the original's settings.
        settings: of the encoding, as a run's config has them, instead of the preset's.
        selector: which elites become parents: ``fresh``, ``uniform``, ``unsure`` or ``weak``; see
            ``strategies.selectors``. None: ``fresh``, or ``uniform`` with preset ``nguyen2015``.
        emitters: what proposes children: ``vary``, and for CPPNs ``tweak``, ``restart`` and ``refine`` beside it, as
            ``"vary,tweak"``, each generation by one of them, drawn by what their children gained lately;
            ``"vary,tweak@1500"`` tweaks from 1,500 evaluations on. See ``strategies.emitters``. None: ``vary`` for
            direct genomes or with preset ``nguyen2015``; for CPPNs :func:`default_emitters`, which for ten classes
            are ``"vary,tweak@1500,restart@2000"``.
        descriptors: several images a class, one in each cell of a grid: as ``"colour,complexity"`` or a list; see
            ``descriptors.DESCRIPTORS``. ``bins`` along each of them, 5 where nothing is said.
        novelty: several images a class, ``apart`` from each other in ``pixels`` or the network's ``features``; see
            ``diversity.Novelty``. ``bins`` is how many, 5 where nothing is said.
        generations, evaluations, minutes, until: the budget; the first limit reached ends the run, at the end
            of a generation. None of them: 20,000 evaluations.
        batch: children a generation; 100, or 200 with preset ``nguyen2015``.
        classes: names or indices to evolve for, as ``"cat,dog,8"`` or a list; all when None.
        seed: of all randomness; the same seed, versions and machine give the same bytes.
        init: genomes to start from: a run, a genome file, a folder, or a bank such as ``cifar10-cppn``.
        out: a new run folder to write and to resume from; nothing is written when None.
        weights, device, precision, micro_batch, memory_format, fold: as in :class:`Target`; not with a Target of your
            own. What is left open is tried out, once on each machine, and recorded.
        weights_sha256: of the weights' file, where it must be that one; ``init_sha256`` of the first genomes.
        gallery: keep ``index.html`` in the run folder up to date, and write the contact sheet at the end.
        observer: called after every generation.
        watch: tells where the time goes; for developers.

    Raises:
        EvofoolError: one of its family, for bad options, targets, genomes and folders.

    Example:
        >>> import evofool
        >>> result = evofool.evolve("digits", "direct", generations=2, classes=["3", "8"], device="cpu")
        >>> result.images.shape, result.evaluations
        ((2, 1, 8, 8), 200)
    """
    budget = Budget(generations, evaluations, minutes, until).or_default()
    chosen = encodings.preset(encoding, preset) if settings is None else settings
    if batch is None:
        batch = BATCH.get(preset, BATCH["default"])
    if selector is None:
        selector = SELECTOR.get(preset, SELECTOR["default"])
    selector_named(selector)  # is there one?
    _check_numbers(batch, seed)
    proposing = known_emitters(emitters, encoding, batch) if emitters is not None else None
    loaded = prepare_target(target, weights, device, precision, micro_batch, memory_format, fold)
    network = loaded.target
    if weights_sha256 is not None and loaded.record["weights_sha256"] != weights_sha256:
        raise ConfigError(
            f"the weights of {network.name} have another SHA-256 than {weights_sha256[:12]}…; "
            "give the same file with --weights"
        )
    coded = encodings.build(encoding, chosen, network.image_shape, network.device)
    niches = choose_classes(classes, network.classes)
    kinds = diversity(
        descriptors, novelty, bins, apart, channels=network.image_shape[0], encoding=encoding
    )  # of images of one class
    check_size(coded, len(niches), len(network.classes), kinds)
    if proposing is None:
        proposing = default_emitters(encoding, preset, len(niches) * (kinds.cells if kinds else 1))
    initial = initial_genomes(init, coded) if init is not None else None
    digest = digest_of(coded.dump(initial)).tobytes().hex() if initial is not None else None
    if init_sha256 is not None and digest != init_sha256:
        raise ConfigError(
            f"the genomes of --init {init} are not those that the run began with; give those, or leave it"
        )
    config = {
        "evofool": "evolve",
        "target": loaded.record,
        "encoding": encoding,
        "preset": preset,
        "settings": coded.settings(),
        "selector": selector,
        "emitters": list(proposing),
        **options_of(kinds),
        "niches": niches.tolist(),
        "batch": batch,
        "seed": seed,
        "init": str(Path(init).absolute() if genome_path_exists(init) else init) if init is not None else None,
        "init_sha256": digest,
        "budget": asdict(budget),
        "versions": versions(),
    }
    evolution = Evolution(
        network,
        coded,
        niches=niches,
        batch=batch,
        seed=seed,
        selector=selector,
        emitters=proposing,
        initial=initial,
        diversity=kinds,
    )
    if out is None:
        return Sitting(evolution, budget, None, config, watch=watch).run(observer)
    path = Path(out)
    claim_folder(path)
    with locked(path):
        folder = RunFolder.create(path, config)
        try:
            folder.checkpoints.save(evolution.state())
            return Sitting(evolution, budget, folder, config, gallery=gallery, watch=watch).run(observer)
        except BaseException:
            if not evolution.logbook:  # no generation has ended
                folder.discard()
            raise


def default_emitters(encoding: str, preset: str, niches: int) -> tuple[str, ...]:
    """What proposes children where nobody says (``EMITTERS``), for an archive of so many niches."""
    begin = EMITTERS.get((encoding, preset), {"vary": 0})
    return tuple(f"{name}@{each * niches}" if each else name for name, each in begin.items())


def resume(
    run: str | Path,
    *,
    target: Target | None = None,
    generations: int | None = None,
    evaluations: int | None = None,
    minutes: float | None = None,
    until: float | None = None,
    gallery: bool = True,
    observer: Observer | None = None,
) -> Result:
    """Go on with a run: the same bytes as if it had never stopped.

    Args:
        run: the run folder.
        target: needed where the run was made with a Target of your own: the same one.
        generations, evaluations, minutes, until: a new budget, in all and not in addition; without one, the run's own.
        gallery: as in :func:`evolve`.
        observer: called after every generation.

    Raises:
        RunError: no run is there, it is damaged or of another version, its weights file changed, or another process
            works on it.
        ConfigError: the new budget is spent already.
    """
    path, wanted = Path(run), Budget(generations, evaluations, minutes, until)
    RunFolder.open(path)  # before anything is written: is it one?
    with locked(path):
        remove_leftovers(path)
        folder = RunFolder.open(path)
        evolution, budget = _restored(folder, wanted, target)
        return Sitting(evolution, budget, folder, folder.config, gallery=gallery).run(observer)


def recorded_budget(folder: RunFolder) -> Budget:
    """The budget in a run's config.

    Raises:
        RunError: it is damaged.
    """
    try:
        return Budget(**folder.config["budget"])
    except (KeyError, TypeError, ConfigError) as error:
        raise RunError(f"{folder.path / 'config.json'} is damaged (budget: {error}); start the run anew") from error


def _check_numbers(batch: int, seed: int) -> None:
    if not 1 <= batch <= MAX_BATCH:
        raise ConfigError(f"--batch is the children of a generation, at least 1 and at most {MAX_BATCH:,}; got {batch}")
    if not 0 <= seed < LARGEST:
        raise ConfigError(f"--seed is a whole number from 0 to 2^62, got {str(seed)[:40]}")


def _restored(folder: RunFolder, wanted: Budget, own: Target | None) -> tuple[Evolution, Budget]:
    """The evolution where the last checkpoint left it, its folder ready to go on, and its budget."""
    try:
        budget = recorded_budget(folder) if wanted.empty else wanted
        evolution = _rebuild(folder, own)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, ConfigError) as error:
        raise RunError(f"{folder.path / 'config.json'} is damaged ({error}); start the run anew") from error
    folder.load_checkpoint(evolution)
    if evolution.archive.genomes is not None:
        evolution.verify_determinism()
    strategy = evolution.strategy
    if not wanted.empty and evolution.spent(budget):
        further = f"generations {2 * strategy.generation}"
        if budget.evaluations:
            further = f"evaluations {2 * strategy.evaluations}"
        raise ConfigError(
            f"{folder.path} is past that already: {strategy.generation} generations, {strategy.evaluations:,} "
            f"evaluations, {evolution.seconds / 60:.1f} minutes; ask for more in all, as in --{further}"
        )
    if not wanted.empty:
        folder.rewrite_config({"budget": asdict(budget)})
    folder.trim_metrics(strategy.generation)
    return evolution, budget


def _rebuild(folder: RunFolder, own: Target | None) -> Evolution:
    config = folder.config
    target = reload_target(config["target"], folder.path, own)
    coded = encodings.build(config["encoding"], config["settings"], target.image_shape, target.device)
    niches = np.asarray(config["niches"], np.int64)
    if niches.ndim != 1 or not len(niches) or niches.min() < 0 or niches.max() >= len(target.classes):
        raise ValueError(f"niches must be class indices below {len(target.classes)}")
    _check_numbers(config["batch"], config["seed"])
    chosen = {name: config.get(name, before) for name, before in SINCE.items()}
    selector, emitters = chosen.pop("selector"), chosen.pop("emitters")
    kinds = diversity(**chosen, channels=target.image_shape[0], encoding=config["encoding"])
    check_size(coded, len(niches), len(target.classes), kinds)
    return Evolution(
        target,
        coded,
        niches=niches,
        batch=config["batch"],
        seed=config["seed"],
        selector=selector,
        emitters=emitters,
        diversity=kinds,
    )
