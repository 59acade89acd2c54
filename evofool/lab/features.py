"""What networks learn from robust features, from non-robust ones, and from images whose every label looks wrong.

Ilyas et al. 2019: adversarial examples are not bugs, they are features. §3.1: a data set D_R of what a robust network
uses, and D_NR of what a standard one does; §3.2: D_rand and D_det, whose labels only perturbations tell of; §3.3 and
figure 3: networks that learn more from D_rand are fooled more by transferred perturbations. Beyond the article, images
are evolved against the standard and the robust network, and all networks say what they make of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from ..config.experiments import ExperimentConfig
from ..config.features import FeaturesOptions
from ..datasets import open_data
from ..errors import ConfigError
from ..jobs.checks import check_common
from ..store.experiment import ExperimentFolder
from ..store.features_records import FeaturesResult
from ..targets.protocols import Target
from .experiment import Begun, Experiment, Findings, Part
from .features_findings import findings_of
from .features_plan import pieces, resolved
from .features_reading import read
from .prepare import check_asking, prepared


class Features(Experiment):
    """The experiment ``features``. A part is a batch of a data set, an epoch of a training, an evolution, or a test."""

    result = FeaturesResult
    alone = "trains networks, epoch after epoch"

    @classmethod
    def begin(cls, options: FeaturesOptions, own: Sequence[Target], out: Path) -> Begun:
        """Choose the images to learn from, and those that accuracy is measured on."""
        if own:
            raise ConfigError("`target` must be digits, mnist or cifar10: features trains networks on these images")
        options = resolved(options)
        check_common(options, named=True, out=out)
        check_asking(options)
        from ..attacks.image_selection import select_images  # This and the next import torch.
        from ..jobs.data import data_record
        from ..targets.prepare import versions
        from .features_work import digest_of_images, learnt_from

        ready = prepared(options, options.data)
        images, labels = learnt_from(options)
        options = replace(options, size=len(labels), images_sha256=digest_of_images(images, labels))
        data = open_data(options.data, Path(options.data_dir), ready.fitting)
        test = select_images(data, ready.target, count=options.count, seed=options.seed, include_misclassified=True)
        config = ExperimentConfig(
            options=options,
            targets=(ready.record,),
            classes=tuple(ready.target.classes),
            data=data_record(options, data, test, options.count),
            versions=versions(),
        )
        return Begun(config, [ready.target], test.subjects)

    @staticmethod
    def parts(config: ExperimentConfig) -> int:
        """Return how many batches, epochs, tests and evolutions there are."""
        return len(pieces(config))

    @staticmethod
    def work(folder: ExperimentFolder, targets: Sequence[Target], part: int) -> Part:
        """Make a batch, train for an epoch, or ask networks."""
        from .features_work import Work

        return Work(folder).do(part)

    @staticmethod
    def findings(folder: ExperimentFolder) -> Findings:
        """Return what every network has learnt, and what it makes of evolved images."""
        return findings_of(folder, read(folder))


EXPERIMENT = Features
