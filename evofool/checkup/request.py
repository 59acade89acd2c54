"""The options of a checkup, looked at before anything imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..config.check import CheckOptions
from ..datasets import NAMED_DATASETS, check_data
from ..datasets.named import match_named
from ..targets.outline import check_named


def request_of(name: str | None, given: Mapping[str, Any]) -> CheckOptions:
    """Return the options of a checkup.

    Args:
        name: The target's name; None for an object of the user's own.
        given: The options that the user gave.

    Raises:
        EvofoolError: One of its family, for what can't be.
    """
    options = CheckOptions.of(given)
    outline = check_named(name, weights=options.weights, device=options.device) if name is not None else None
    if options.data is not None:
        check_data(options.data)
        data = options.data.lower()
        if outline is not None and data in NAMED_DATASETS and NAMED_DATASETS[data].classes:
            match_named(data, outline.classes, outline.image_shape[0])
    return options
