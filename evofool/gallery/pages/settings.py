"""The settings in which jobs differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ...config.records import JobConfig

REPEATED = {"class_indices", "criteria", "data_dir", "max_pixels", "count", "rows", "own"}
"""Fields of a config that say again what another field says, or that no result depends on."""

MAX_TEXT = 48
"""Largest number of characters of a value."""


def differing_settings(configs: Sequence[JobConfig]) -> dict[str, list[Any]]:
    """Return the settings in which jobs differ: by the name of each, its plain JSON values in the order of the jobs.

    Settings that one of them doesn't have, as those of another encoding, are left out.
    """
    settings = [_settings(config) for config in configs]
    names = [name for name in settings[0] if all(name in each for each in settings)]
    values = {name: [each.get(name) for each in settings] for name in names}
    return {name: of_jobs for name, of_jobs in values.items() if any(value != of_jobs[0] for value in of_jobs[1:])}


def settings_rows(configs: Sequence[JobConfig]) -> list[tuple[str, list[str]]]:
    """Return the settings in which jobs differ as people read them."""
    return [
        (name.replace("_", " "), [_text(value) for value in values])
        for name, values in differing_settings(configs).items()
    ]


def _settings(config: JobConfig) -> dict[str, Any]:
    """Return a config's settings by name: as they were understood, where options left that open."""
    content: dict[str, Any] = msgspec.to_builtins(config)
    records: dict[str, dict[str, Any]] = {name: value for name, value in content.items() if isinstance(value, dict)}
    versions, options = records.pop("versions"), records.pop("options")
    swapped = records.pop("swapped", {})
    settings: dict[str, Any] = {"swapped operators": [f"{alias}: {name}" for alias, name in swapped.items()]}
    for kind, record in records.items():
        names = {"name": kind, "dir": "data folder", "classes": "classes of the target", "class_names": "class names"}
        settings |= {names.get(name, name): value for name, value in record.items() if name not in REPEATED}
    further = {name: value for name, value in options.items() if name not in {*settings, *REPEATED}}
    settings |= further
    own = settings.pop("settings", None) or {}
    settings |= {f"{settings.get('encoding')} {name}": value for name, value in own.items()}
    settings["class names"] = content.get("classes", settings.get("class names"))
    return settings | {f"version of {name}": version for name, version in versions.items()}


def _text(value: Any) -> str:
    """Return a setting's value as people read it, cut where it is long."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return f"{len(value):,}"
    if isinstance(value, list | tuple):
        return _cut(", ".join(map(_text, value))) or "–"
    return f"{value:g}" if isinstance(value, float) else _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
