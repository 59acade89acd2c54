"""Configs of small jobs, for tests that need a folder without the job; and edits of ``config.json`` by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from evofool import encodings
from evofool.config.attack import AttackOptions
from evofool.config.evolve import EvolveOptions
from evofool.config.model import ModelOptions
from evofool.config.records import FOUND_FOR_TARGET, CampaignConfig, DataRecord, PlanRecord, RunConfig, TargetRecord

NAMES = ("class 0", "class 1", "class 2", "class 3")
"""The classes of the tests' tiny network."""


class _Removed:
    def __repr__(self) -> str:
        return "REMOVED"  # the same in every process, for the tests' names


REMOVED = _Removed()
"""The value of :func:`edit_config` that takes a field out."""

Changes = Mapping[str, Any]


def target_record(**changes: Any) -> TargetRecord:
    """Return the record of the tests' tiny network, with some fields changed."""
    tiny = TargetRecord(
        name="tiny",
        spec="tiny",
        model=ModelOptions(),
        own=True,
        weights=None,
        weights_sha256=None,
        fingerprint=None,
        spare_tensors=(),
        device="cpu",
        precision="float32",
        micro_batch=64,
        memory_format="contiguous",
        fold=False,
        parallel=False,
        image_shape=(3, 8, 8),
        classes=4,
        class_names=None,
        mean=None,
        std=None,
        outputs=None,
        members=(),
        combine=None,
        robust=None,
    )
    return msgspec.structs.replace(tiny, **{"spec": changes.get("name", tiny.spec), **changes})


def run_config(options: Changes | None = None, target: Changes | None = None, **changes: Any) -> RunConfig:
    """Return the config of a run of direct genomes against the tiny network.

    Args:
        options: Changed options; the encoding's settings follow ``encoding`` unless they are among these.
        target: Changed fields of the target's record.
        changes: Changed fields of the config itself.
    """
    encoding = (options or {}).get("encoding", "direct")
    resolved = {
        "target": "tiny",
        "encoding": encoding,
        "settings": encodings.preset(encoding, "default"),
        "selector": "fresh",
        "emitters": ("vary",),
        "batch": 20,
        "generations": 3,
    }
    record = target_record(**(target or {}))
    resolved |= {name: getattr(record, name) for name in FOUND_FOR_TARGET}
    indices = changes.setdefault("class_indices", tuple(range(record.classes)))
    resolved |= {"target": record.name, "classes": indices, **(options or {})}
    config = RunConfig(
        versions={"evofool": "0.5.0"},
        options=EvolveOptions.of(resolved),
        target=record,
        class_indices=indices,
        swapped={},
    )
    return msgspec.structs.replace(config, **changes)


def campaign_config(
    plan: Changes | None = None, target: Changes | None = None, data: Changes | None = None, **changes: Any
) -> CampaignConfig:
    """Return the config of a campaign of untargeted one-pixel attempts against the tiny network.

    Args:
        plan: Changed fields of the plan.
        target: Changed fields of the target's record.
        data: Changed fields of the data's record.
        changes: Changed fields of the config itself.
    """
    local = PlanRecord(
        criterion="untargeted", criteria=(None,), pixels=(1,), strategy="local", queries=150, baseline=False, seed=0,
        rows=16,
    )  # fmt: skip
    some = DataRecord(
        name="some", path=None, dir="data", asked=3, chosen=3, looked=3, correct=2, labelled=True,
        mapping=(), reason="", skipped={},
    )  # fmt: skip
    config = CampaignConfig(
        versions={"evofool": "0.5.0"},
        options=AttackOptions(),
        target=target_record(**(target or {})),
        classes=NAMES,
        data=msgspec.structs.replace(some, **(data or {})),
        plan=msgspec.structs.replace(local, **(plan or {})),
        swapped={},
    )
    return msgspec.structs.replace(config, **changes)


def edit_config(job: Path, changes: Changes) -> None:
    """Edit a job's ``config.json`` by hand.

    Args:
        job: The job's folder.
        changes: Values by dotted names, as ``{"options.seed": 1, "target": None}``; ``REMOVED`` takes a field out.
    """
    file = job / "config.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    for name, value in changes.items():
        *above, last = name.split(".")
        record = content
        for part in above:
            record = record[part]
        if value is REMOVED:
            del record[last]
        else:
            record[last] = value
    file.write_text(json.dumps(content), encoding="utf-8")
