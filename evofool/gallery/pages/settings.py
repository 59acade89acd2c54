"""The settings in which jobs differ."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from ...config.records import JobConfig

REPEATED = {"class_indices", "criteria", "data_dir", "max_pixels", "count", "rows", "own", "export"}
"""Fields of a config that say again what another field says, or that no result depends on."""

MAX_TEXT = 48
"""Largest number of characters of a list."""

DIGITS = 16
"""Number of digits of a check sum that are shown."""

NOTHING = "–"
"""What stands for no value."""

OPERATOR, OWN_OPERATOR = "operator ", "evofool's own"
"""What precedes the alias of an operator that a job swapped, and what stands for jobs that didn't."""

LABELS = {
    "spec": "target loaded from",
    "weights": "weights file",
    "weights_sha256": "weights (SHA-256)",
    "fingerprint": "what the target says that it is",
    "spare_tensors": "tensors without a place",
    "micro_batch": "images of a forward pass",
    "fold": "layers joined",
    "parallel": "passes side by side",
    "mean": "mean of the pixels",
    "std": "standard deviation of the pixels",
    "outputs": "what the network returns",
    "arch": "architecture",
    "range": "black and white",
    "layout": "order of the axes",
    "channels": "order of the colours",
    "colours": "channels of an image",
    "classes_file": "file of class names",
    "count_queries": "queries counted",
    "max_queries": "most queries in all",
    "request_images": "images of a request",
    "concurrency": "requests at the same time",
    "rate": "most images a second",
    "timeout": "most seconds of a request",
    "retries": "repetitions of a failed request",
    "path": "data from",
    "asked": "images asked for",
    "chosen": "images attacked",
    "looked": "images looked at",
    "correct": "images classified correctly",
    "labelled": "images have labels",
    "mapping": "class names in the data",
    "reason": "why they were taken so",
    "skipped": "files left out",
    "queries": "most queries of an attempt",
    "first": "the data's first images",
    "include_misclassified": "misclassified images, too",
    "init": "begins with",
    "init_sha256": "begins with (SHA-256)",
    "until": "median that ends it",
    "minutes": "most minutes",
    "generations": "most generations",
    "version of machine": "machine",
}
"""Plain names of fields whose own names say little to whoever didn't set them."""


def differing_settings(configs: Sequence[JobConfig]) -> dict[str, list[Any]]:
    """Return the settings in which jobs differ: by the name of each, its plain JSON values in the order of the jobs.

    Settings that one of them doesn't have, as those of another encoding, are left out. Of operators that a job swapped
    each is a setting of its own.
    """
    settings = [_settings(config) for config in configs]
    swapped = dict.fromkeys(name for each in settings for name in each if name.startswith(OPERATOR))
    own = dict.fromkeys(swapped, OWN_OPERATOR)
    settings = [{**own, **each} for each in settings]
    names = [name for name in settings[0] if all(name in each for each in settings)]
    values = {name: [each[name] for each in settings] for name in names}
    return {name: of_jobs for name, of_jobs in values.items() if any(value != of_jobs[0] for value in of_jobs[1:])}


def settings_rows(configs: Sequence[JobConfig], told: Collection[str] = ()) -> list[tuple[str, list[str]]]:
    """Return the settings in which jobs differ as people read them, without those that none of them has.

    Args:
        configs: The configs of the jobs.
        told: Names of settings that are told elsewhere.
    """
    rows = [
        (_label(name), _texts(name, values)) for name, values in differing_settings(configs).items() if name not in told
    ]
    return [(label, texts) for label, texts in rows if set(texts) != {NOTHING}]


def _settings(config: JobConfig) -> dict[str, Any]:
    """Return a config's settings by name: as they were understood, where options left that open."""
    content: dict[str, Any] = msgspec.to_builtins(config)
    records: dict[str, dict[str, Any]] = {name: value for name, value in content.items() if isinstance(value, dict)}
    versions, options = records.pop("versions"), records.pop("options")
    swapped = records.pop("swapped", {})
    settings: dict[str, Any] = {f"{OPERATOR}{alias}": name for alias, name in swapped.items()}
    for kind, record in records.items():
        names = {"name": kind, "dir": "data folder", "classes": "classes of the target", "class_names": "class names"}
        model = record.pop("model", {})
        settings |= {
            names.get(name, name): value for name, value in {**model, **record}.items() if name not in REPEATED
        }
    further = {name: value for name, value in options.items() if name not in {*settings, *REPEATED}}
    settings |= further
    own = settings.pop("settings", None) or {}
    settings |= {f"{settings.get('encoding')} {name}": value for name, value in own.items()}
    settings["class names"] = content.get("classes", settings.get("class names"))
    return settings | {f"version of {name}": version for name, version in versions.items()}


def _label(name: str) -> str:
    """Return what people call a setting; an operator keeps its alias as it is."""
    return LABELS.get(name, name if name.startswith(OPERATOR) else name.replace("_", " "))


def _texts(name: str, values: Sequence[Any]) -> list[str]:
    """Return a setting's values as people read them: check sums and long lists cut so that they still differ."""
    if name.endswith("sha256"):
        return [NOTHING if value is None else f"{value[:DIGITS]}…" for value in values]
    if not all(isinstance(value, list | tuple) for value in values):
        return [_cut(value, 0) if isinstance(value, list | tuple) else _value(name, value) for value in values]
    same = next(at for at in range(max(map(len, values))) if len({repr(value[at : at + 1]) for value in values}) > 1)
    return [_cut(value, same) for value in values]


def _value(name: str, value: Any) -> str:
    """Return a value as people read it; a count of thousands has commas, a seed has none."""
    counts = type(value) is int and name != "seed"
    return f"{value:,}" if counts else _text(value)


def _cut(values: Sequence[Any], same: int) -> str:
    """Return a list as people read it; a long one from its first value that is not the same in other jobs."""
    text = ", ".join(map(_text, values)) or NOTHING
    if len(text) <= MAX_TEXT:
        return text
    text = f"{'…, ' if same else ''}{', '.join(map(_text, values[same:]))}"
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _text(value: Any) -> str:
    """Return a setting's value as people read it."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return f"{len(value):,}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or NOTHING
    return f"{value:g}" if isinstance(value, float) else str(value)
