"""A run's ``config.json`` as the options that make the same run again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import RunError
from ..store.folder import CONFIG, read_config
from ..store.identity import SINCE

BUDGET = ("generations", "evaluations", "minutes", "until")


def recipe(path: Path, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Options for :func:`evofool.evolve`.

    Args:
        path: a run's folder, or its ``config.json``.
        changes: options that were given besides; they win, and what was recorded for others of their kind is
            left out: the settings with another encoding or preset, the weights' digest with another target or
            weights, how passes are run with another target or device, the whole budget with another limit.

    Raises:
        RunError: no run's config is there, it is damaged, or it was made with a Target of one's own.
    """
    folder = path.parent if path.name == CONFIG and not path.is_dir() else path
    config = read_config(folder, "evolve")
    try:
        target = config["target"]
        if target["own"]:
            raise RunError(
                f"{folder} was made with your own Target {target['name']}; give it in Python: evofool.evolve(target, …)"
            )
        recorded = {
            "target": target["name"],
            "weights": target["weights"],
            "weights_sha256": target["weights_sha256"],
            "device": target["device"],
            "precision": target["precision"],
            "micro_batch": target["micro_batch"],
            "memory_format": target.get("memory_format", "channels_last"),
            "fold": target.get("fold", False),
            "encoding": config["encoding"],
            "preset": config["preset"],
            "settings": config["settings"],
            **{name: config.get(name, before) for name, before in SINCE.items()},
            "classes": config["niches"],
            "batch": config["batch"],
            "seed": config["seed"],
            "init": config["init"],
            "init_sha256": config.get("init_sha256"),
            **{name: config["budget"][name] for name in BUDGET},
        }
    except (KeyError, TypeError) as error:
        raise RunError(f"{folder / CONFIG} is damaged ({error}); the run can't be made again from it") from error
    if fault := _fault(recorded):
        raise RunError(f"{folder / CONFIG} is damaged ({fault}); the run can't be made again from it")
    dropped: set[str] = set()
    if changes.keys() & {"target", "weights"}:
        dropped |= {"weights", "weights_sha256"}
    if changes.keys() & {"init", "target", "encoding", "preset"}:
        dropped.add("init_sha256")
    if changes.keys() & {"target", "weights", "device"}:
        dropped |= {"precision", "micro_batch", "memory_format", "fold"}
    if "target" in changes:
        dropped.add("classes")
    if changes.keys() & {"encoding", "preset"}:
        dropped |= {"settings", "batch", "selector", "emitters"} | ({"preset"} if "encoding" in changes else set())
    if changes.keys() & {"descriptors", "novelty"}:
        dropped |= {"descriptors", "novelty", "bins", "apart"}
    if changes.keys() & set(BUDGET):
        dropped |= set(BUDGET)
    return {name: value for name, value in recorded.items() if name not in dropped} | dict(changes)


def _fault(recorded: dict[str, Any]) -> str | None:
    """The first option that can't be what a run recorded, or None."""
    text, number, none = str, (int, float), type(None)
    kinds: dict[str, Any] = {
        "target": text, "weights": (text, none), "weights_sha256": text, "device": text, "precision": text,
        "micro_batch": int, "memory_format": text, "fold": bool,
        "encoding": text, "preset": text, "settings": dict, "selector": text, "emitters": list, "classes": list,
        "batch": int, "seed": int, "descriptors": (list, none), "novelty": (text, none), "bins": (int, none),
        "apart": (*number, none), "init": (text, none), "init_sha256": (text, none),
        "generations": (int, none), "evaluations": (int, none),
        "minutes": (*number, none), "until": (*number, none),
    }  # fmt: skip
    for name, kind in kinds.items():
        if not isinstance(recorded[name], kind) or isinstance(recorded[name], bool) != (kind is bool):
            return f"{name} is {recorded[name]!r}"[:80]
    if not all(type(index) is int for index in recorded["classes"]):
        return "niches are no class indices"
    if not all(isinstance(name, str) for name in (*recorded["emitters"], *(recorded["descriptors"] or ()))):
        return "emitters or descriptors are no names"
    return None
