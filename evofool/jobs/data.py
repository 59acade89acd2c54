"""What a job's config says of its labelled images."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ..attacks.image_selection import SelectedImages
from ..config.records import DataRecord
from ..datasets import NAMED_DATASETS, LabelledImages
from ..datasets.base import printable


class Options(Protocol):
    """Options that say where images come from."""

    @property
    def data(self) -> str | None: ...
    @property
    def data_dir(self) -> str: ...


def data_record(options: Options, data: LabelledImages, images: SelectedImages, asked: int) -> DataRecord:
    """Return where images came from, and which of them were chosen; ``asked`` is how many were asked for."""
    matching = data.matching
    mapping = zip(matching.names, matching.indices, strict=True) if matching and matching.by != "name" else ()
    return DataRecord(
        name=str(options.data),
        path=None if str(options.data).lower() in NAMED_DATASETS else str(Path(str(options.data)).absolute()),
        dir=str(Path(options.data_dir).absolute()),
        asked=asked,
        chosen=len(images.subjects),
        looked=images.looked,
        correct=images.correct,
        labelled=images.labelled,
        mapping=tuple((printable(name), index) for name, index in mapping),
        reason=matching.reason if matching else "",
        skipped=images.skipped,
    )
