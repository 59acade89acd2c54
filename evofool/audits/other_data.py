"""Other data that rejection is judged against: images of any classes, which a network should not be sure about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..config.audit import AuditConfig, AuditOptions, OtherRecord
from ..datasets import NAMED_DATASETS, Fitting, LabelledImages, open_unlabelled
from ..errors import ConfigError, ImageError
from ..text import counted
from .measuring import MEASURED_AT_ONCE, Images
from .plan import FEWEST


def other_records(options: AuditOptions, fitting: Fitting) -> tuple[OtherRecord, ...]:
    """Return where other data come from.

    Raises:
        ConfigError: Nothing is there, there are too few images, or the first one can't be read.
    """
    records = []
    for name in options.other_data:
        data = open_unlabelled(name, Path(options.data_dir), fitting, "others")
        if len(data) < FEWEST:
            raise ConfigError(f"`others={name}` has {counted(len(data), 'image')}; give at least {FEWEST}")
        path = None if name.lower() in NAMED_DATASETS else str(Path(name).absolute())
        records.append(OtherRecord(name=name, path=path, images=len(data)))
    return tuple(records)


def other_images(config: AuditConfig, number: int, fitting: Fitting) -> Iterator[Images]:
    """Yield images of one of the other data sets, drawn by the seed. Those that can't be read are left out.

    Raises:
        ConfigError: The data set is gone.
    """
    record, most = config.others[number], config.plan.others
    data = open_unlabelled(record.path or record.name, Path(config.options.data_dir), fitting, "others")
    rng = np.random.default_rng(np.random.SeedSequence((config.options.seed, number)))
    order, taken = rng.permutation(len(data)).tolist(), 0
    while order and taken < most:
        wanted = min(most - taken, MEASURED_AT_ONCE)
        drawn, order = order[:wanted], order[wanted:]
        if images := [image for index in drawn if (image := _read(data, index)) is not None]:
            taken += len(images)
            yield np.stack(images)


def _read(data: LabelledImages, index: int) -> Images | None:
    """Return an image (C, H, W); None where it can't be read."""
    try:
        return data.read(index)
    except ImageError:
        return None
