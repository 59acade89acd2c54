"""The encodings by name, with their presets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, suggestion
from .cppn import encoding as cppn
from .direct import encoding as direct

if TYPE_CHECKING:
    import torch

ENCODINGS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "cppn": (cppn.CPPN, cppn.CPPNSettings, cppn.PRESETS),
    "direct": (direct.Direct, direct.DirectSettings, direct.PRESETS),
}
"""name -> (encoding class, its settings class, its presets)"""


def preset(encoding: str, name: str) -> dict[str, Any]:
    """The settings of a preset, as plain values.

    Raises:
        ConfigError: no encoding or preset has that name.
    """
    if encoding not in ENCODINGS:
        raise ConfigError(
            f'unknown encoding "{encoding}"{suggestion(encoding, ENCODINGS)}; choose {" or ".join(ENCODINGS)}'
        )
    presets = ENCODINGS[encoding][2]
    if name not in presets:
        raise ConfigError(f'unknown preset "{name}"{suggestion(name, presets)}; choose {", ".join(presets)}')
    return dict(vars(presets[name]))


def build(
    encoding: str, settings: dict[str, Any], image_shape: tuple[int, int, int], device: torch.device | str
) -> Any:
    """An encoding from its name and settings.

    Raises:
        ConfigError: the encoding is unknown, or a setting is.
    """
    if encoding not in ENCODINGS:
        raise ConfigError(f'unknown encoding "{encoding}"; choose {" or ".join(ENCODINGS)}')
    kind, settings_class, _ = ENCODINGS[encoding]
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in settings.items()}
    try:
        return kind(image_shape, device, settings_class(**values))
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"settings of encoding {encoding} don't fit this version: {error}") from error
