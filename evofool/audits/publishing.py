"""An audit for others: the JSON Schema of ``audit.json``, and the section of a model card on Hugging Face."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ..text import counted
from .figure_table import FIGURES, PARTS
from .record import SCHEMA, AuditRecord


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``audit.json``, with the meaning of every figure."""
    (schema,), components = msgspec.json.schema_components([AuditRecord], ref_template="#/$defs/{name}")
    figure = {"$ref": "#/$defs/AuditFigure"}
    record = components["AuditRecord"]["properties"]
    record["figures"] = {
        "type": "object",
        "properties": {name: {**figure, "description": _described(name)} for name in FIGURES},
        "required": list(FIGURES),
        "additionalProperties": False,
    }
    record["parts"] = {
        "type": "object",
        "properties": {name: {"$ref": "#/$defs/AuditPart", "description": title} for name, title in PARTS.items()},
        "required": list(PARTS),
        "additionalProperties": False,
    }
    components["AuditRecord"]["required"] = sorted(record)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"evofool audit, schema {SCHEMA}",
        **schema,
        "$defs": components,
    }


def model_card(record: AuditRecord) -> str:
    """Return the YAML front matter that a model card on Hugging Face has for evaluation results (``model-index``).

    It has the figures that were measured, each with its meaning, and its interval under ``args``. Texts are quoted as
    JSON, which YAML reads, so that no name can add keys.
    """
    lines = ["---", "model-index:", f"- name: {json.dumps(record.target.name)}", "  results:"]
    data = record.data
    lines += [
        "  - task:",
        "      type: image-classification",
        "      name: Image Classification",
        "    dataset:",
        f"      type: {json.dumps(data.name if data else 'none')}",
        f"      name: {json.dumps(_dataset(record))}",
        "    metrics:",
    ]
    asked = {"evofool": record.evofool, "profile": record.profile, "budget": record.budget, "seed": record.seed}
    for name, kind in FIGURES.items():
        figure = record.figures[name]
        if kind.share and figure.value is not None:
            lines += [
                f"    - type: {name}",
                f"      value: {figure.value:.4f}",
                f"      name: {json.dumps(kind.meaning)}",
                f"      args: {json.dumps({'low': figure.low, 'high': figure.high, 'n': figure.n, **asked})}",
            ]
    return "\n".join([*lines, "---", ""])


def _described(name: str) -> str:
    kind = FIGURES[name]
    worse = {"higher": "; more is worse", "lower": "; less is worse", None: ""}[kind.worse]
    return f"{kind.meaning}{worse}"


def _dataset(record: AuditRecord) -> str:
    return f"{record.data.name}, {counted(record.data.images, 'image')}" if record.data else "no real images"
