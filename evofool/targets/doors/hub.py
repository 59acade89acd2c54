"""Quiet downloads from the hub that timm and transformers share."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("huggingface_hub", "transformers", "timm")


@contextmanager
def quiet_hub() -> Iterator[None]:
    """Keep the hub's warnings and progress bars off the terminal inside the block; its errors say enough."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    shown = not are_progress_bars_disabled()
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        if shown:
            enable_progress_bars()
