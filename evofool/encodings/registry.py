"""The encodings by name, with their presets."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ..config.options import fault_in_words
from ..errors import ConfigError, suggestion
from .cppn.settings import PRESETS as CPPN_PRESETS
from .cppn.settings import CPPNSettings
from .direct.settings import PRESETS as DIRECT_PRESETS
from .direct.settings import DirectSettings

if TYPE_CHECKING:
    import torch


class Entry(NamedTuple):
    """An encoding's class, or ``module:class`` to import when it is built; its settings' class; settings by preset."""

    encoding: Any
    settings: Any
    presets: dict[str, Any]


ENCODINGS = {
    "cppn": Entry("cppn.encoding:CPPN", CPPNSettings, CPPN_PRESETS),
    "direct": Entry("direct.encoding:Direct", DirectSettings, DIRECT_PRESETS),
}


def preset(encoding: str, name: str) -> dict[str, Any]:
    """Return the settings of a preset as plain values.

    Raises:
        ConfigError: No encoding or preset has that name.
    """
    presets = _entry(encoding).presets
    if name not in presets:
        raise ConfigError(f'unknown preset "{name}"{suggestion(name, presets)}; choose {", ".join(presets)}')
    return msgspec.structs.asdict(presets[name])


def build(
    encoding: str, settings: dict[str, Any], image_shape: tuple[int, int, int], device: torch.device | str
) -> Any:
    """Return an encoding for images of ``image_shape`` (C, H, W).

    Args:
        encoding: Its name.
        settings: What a preset has, or the encoding's own ``settings()``.
        image_shape: (C, H, W).
        device: Where genomes are decoded, and where they are varied if they are tensors.

    Raises:
        ConfigError: No encoding has that name, or the settings make no sense.
    """
    entry = _entry(encoding)
    try:
        checked = msgspec.convert(settings, entry.settings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{encoding} settings: {fault_in_words(error)}") from error
    encoding_class = entry.encoding
    if isinstance(encoding_class, str):  # Importing it takes seconds, and checking options needs names alone.
        module, _, name = encoding_class.partition(":")
        encoding_class = getattr(import_module(f".{module}", __package__), name)
    return encoding_class(image_shape, device, checked)


def _entry(encoding: str) -> Entry:
    if encoding not in ENCODINGS:
        hint = suggestion(encoding, ENCODINGS)
        raise ConfigError(f'unknown encoding "{encoding[:40]}"{hint}; choose {" or ".join(ENCODINGS)}')
    return ENCODINGS[encoding]
