"""Images from noise to every class, along the gradient of the class's log-odds.

Simonyan et al. 2014, §2 (class model visualisation, L2 decay); Nguyen et al. 2015, §3.7 (until the class has 99.99 %);
Yosinski et al. 2015, §3 (decay, blur, clipping); Olah et al. 2017 (decorrelated Fourier coefficients, jitter). Through
the weights of a CPPN, evolution proposes graphs and the gradient tunes weights. What counts is the 8-bit image, which
every step of the way sees, scored again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ..config.ascend import PARAMETRISATIONS, AscendOptions
from ..config.classes import choose_classes
from ..config.experiments import ExperimentConfig
from ..encodings.banks import check_genomes, genome_path_exists
from ..errors import ConfigError, RunError, suggestion
from ..io.arrays import digest_of, shortest
from ..jobs.checks import check_common
from ..store.experiment import ExperimentFolder
from ..store.records import AscendResult
from ..targets.protocols import Target, differentiable
from .ascend_findings import findings_of
from .experiment import Begun, Experiment, Findings, Part
from .prepare import check_asking, prepared

if TYPE_CHECKING:
    import torch

    from ..encodings.cppn.batch import CPPNBatch
    from ..encodings.cppn.encoding import CPPN
    from ..search.ascent.parametrisations import Parametrisation

STEP_SIZES = {"pixel": 0.05, "fourier": 0.05, "cppn": 0.03}
"""Sizes of Adam's steps, by parametrisation: lucid's, and for weights of CPPNs what docs/LAB.md says."""

NOISE = {"pixel": 0.1, "fourier": 0.01}
"""Standard deviations of the first values, by parametrisation."""

BANKS = {1: "mnist-cppn", 3: "imagenet-cppn"}
"""The banks of genomes that CPPNs begin as, by the channels of the images."""

ONLY = {"blur": ("pixel", "fourier"), "clip": ("pixel",), "noise": ("pixel", "fourier"), "init": ("cppn",)}
"""The parametrisations that an option is for, where it is not for all."""


class Ascend(Experiment):
    """The experiment ``ascend``. A part is a batch of classes."""

    result = AscendResult

    @classmethod
    def begin(cls, options: AscendOptions, own: Sequence[Target], out: Path) -> Begun:
        """Load the target, and choose the genomes that CPPNs begin as."""
        options = replace(options, target=options.target or "cifar10")
        _check(options)
        outline = check_common(options, named=not own, out=out)
        check_asking(options)
        if outline:
            choose_classes(options.classes, outline.classes)
        from ..targets.prepare import versions  # It imports torch.

        ready = prepared(options, own[0] if own else str(options.target))
        target = differentiable(ready.target)
        indices = choose_classes(options.classes, target.classes)
        if options.parametrisation == "cppn":
            options = _with_genomes(options, target, indices, ready.record.device)
        config = ExperimentConfig(
            options=replace(options, classes=tuple(indices.tolist()) if options.classes is not None else None),
            targets=(ready.record,),
            classes=tuple(target.classes),
            data=None,
            versions=versions(),
        )
        return Begun(config, [target])

    @staticmethod
    def parts(config: ExperimentConfig) -> int:
        """Return how many batches the classes are."""
        batch: int = config.options.batch
        return math.ceil(len(_indices(config)) / batch)

    @staticmethod
    def work(folder: ExperimentFolder, targets: Sequence[Target], part: int) -> Part:
        """Climb to one batch of classes."""
        import torch

        from ..engines.local import LocalEngine
        from ..search.ascent.climb import Regularisation, climb

        config, options = folder.config, folder.config.options
        network, engine = differentiable(targets[0]), LocalEngine(targets[0])
        indices, rows = _classes(config, part)
        found = climb(
            network,
            _beginning(config, part, engine.device),
            torch.from_numpy(indices).to(engine.device),
            steps=options.steps,
            step_size=options.step_size or STEP_SIZES[options.parametrisation],
            until=options.until,
            smooth=Regularisation(options.decay, options.blur, options.clip, options.every, options.jitter),
            generator=np.random.default_rng((options.seed, part)),
        )
        scores = engine.confirm(found.images)
        engine.check(scores)
        highest = scores.argmax(1).tolist()
        reached = scores.gather(1, torch.from_numpy(indices).to(scores.device)[:, None])[:, 0].tolist()
        starts = found.start.double().sigmoid().tolist()
        results = [
            {
                "class_index": index,
                "class_name": config.classes[index],
                "confidence": shortest(min(1.0, reached[row])),
                "final_index": highest[row],
                "final": config.classes[highest[row]],
                "start": shortest(starts[row]),
                "steps": steps,
                "sure": sure if sure >= 0 else None,
                "passes": passes,
                "genome": None if rows is None else rows[row],
                "flat": flat,
            }
            for row, (index, steps, sure, passes, flat) in enumerate(
                zip(
                    indices.tolist(),
                    *(each.tolist() for each in (found.steps, found.sure, found.passes, found.flat)),
                    strict=True,
                )
            )
        ]
        return Part(results, found.images.cpu().numpy())

    @staticmethod
    def findings(folder: ExperimentFolder) -> Findings:
        """Return how sure the network is of every class's image, and after how many forward passes."""
        results, config = [], folder.config
        for part, found in folder.results(AscendResult):
            if [each["class_index"] for each in found] != _classes(config, part)[0].tolist():
                raise folder.other_images(part)
            results += found

        def picture(row: int) -> NDArray[np.uint8]:
            part, place = divmod(row, config.options.batch)
            image: NDArray[np.uint8] = folder.pictures(part)[place]
            return image

        return findings_of(config, results, picture)

    @staticmethod
    def known_scores(folder: ExperimentFolder, most: int) -> Iterable[tuple[NDArray[np.uint8], tuple[int, float]]]:
        """Yield the first images that were found, with their classes."""
        known = (
            (image, (int(result["class_index"]), float(result["confidence"])))
            for part, found in folder.results(AscendResult)
            for image, result in zip(folder.pictures(part), found, strict=True)
        )
        return islice(known, most)


EXPERIMENT = Ascend


def _check(options: AscendOptions) -> None:
    """Check what needs no target.

    Raises:
        ConfigError: An option is not for this parametrisation, or there is no such one.
        GenomeError: There are no genomes to begin with.
    """
    chosen = options.parametrisation
    if chosen not in PARAMETRISATIONS:
        raise ConfigError(
            f"`parametrisation` must be one of {', '.join(PARAMETRISATIONS)}{suggestion(chosen, PARAMETRISATIONS)}, "
            f'got "{chosen:.40}"'
        )
    for name, those in ONLY.items():
        if getattr(options, name) and chosen not in those:
            raise ConfigError(
                f"`{name}` is for `parametrisation={'` and `parametrisation='.join(those)}`; leave it out"
            )
    if options.init is not None:
        check_genomes(options.init)


def _indices(config: ExperimentConfig) -> NDArray[np.int64]:
    """Return the indices of the classes that are climbed to."""
    return choose_classes(config.options.classes, config.classes)


def _classes(config: ExperimentConfig, part: int) -> tuple[NDArray[np.int64], Sequence[int] | None]:
    """Return the class indices of a part, and which genome each begins with."""
    batch: int = config.options.batch
    window = slice(part * batch, (part + 1) * batch)
    rows = config.options.init_rows
    return _indices(config)[window], None if rows is None else rows[window]


def _with_genomes(options: AscendOptions, target: Target, indices: NDArray[np.int64], device: str) -> AscendOptions:
    """Return the options with the genome that scores each class highest."""
    import torch

    from ..engines.local import LocalEngine

    init = options.init or BANKS[target.image_shape[0]]
    if genome_path_exists(init):
        init = str(Path(init).absolute())
    encoding, genomes = _genomes(init, target.image_shape, device)
    engine = LocalEngine(target)
    batches = np.array_split(np.arange(len(genomes)), math.ceil(len(genomes) / options.batch))
    scores = torch.cat([engine.confirm(encoding.decode(genomes.take(rows)))[:, indices].cpu() for rows in batches])
    engine.check(scores)
    best = tuple(scores.argmax(0).tolist())
    return replace(options, init=init, init_sha256=_digest(encoding, genomes), init_rows=best)


def _genomes(init: str, shape: tuple[int, int, int], device: str) -> tuple[CPPN, CPPNBatch]:
    """Return the genomes to begin with, and their encoding."""
    from ..encodings.initial import cppn_for, initial_genomes

    encoding = cppn_for(init, shape, device)
    return encoding, initial_genomes(init, encoding)


def _digest(encoding: CPPN, genomes: CPPNBatch) -> str:
    """Return the SHA-256 of genomes."""
    return digest_of(encoding.dump(genomes)).tobytes().hex()


def _beginning(config: ExperimentConfig, part: int, device: torch.device) -> Parametrisation:
    """Return where the ways of a part begin."""
    import torch

    from ..search.ascent.parametrisations import Fourier, Noise, Pixels, Weights

    options, shape = config.options, config.target.image_shape
    indices, rows = _classes(config, part)
    if rows is not None:
        encoding, genomes = _genomes(options.init, shape, config.target.device)
        if _digest(encoding, genomes) != options.init_sha256:
            raise RunError(
                f"the genomes of `init={options.init}` are not those that the experiment began with; put these back"
            )
        return Weights(genomes.take(np.array(rows, np.int64)), encoding)
    seed = np.random.SeedSequence((options.seed, part)).generate_state(1, np.uint64)[0] >> np.uint64(1)
    generator = torch.Generator().manual_seed(int(seed))
    kind = Pixels if options.parametrisation == "pixel" else Fourier
    deviation = options.noise or NOISE[options.parametrisation]
    return kind.noise(Noise(len(indices), shape, deviation, generator, device))
