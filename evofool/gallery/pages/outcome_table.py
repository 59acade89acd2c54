"""``outcomes.csv``: the outcomes of a campaign for a spreadsheet."""

from __future__ import annotations

import csv
import io

from ...store.campaign import CampaignFolder

COLUMNS = (
    "image", "id", "sha256", "class", "predicted", "confidence", "criterion", "pixels", "strategy", "seed", "success",
    "already", "stopped", "queries", "queries_to_success", "shared", "final", "margin", "l0", "l2", "linf",
)  # fmt: skip


def outcome_table(folder: CampaignFolder) -> str:
    """Return all outcomes as CSV. An edit is written as ``x:y:value:value:value``, with semicolons between edits.

    Raises:
        RunError: The campaign is damaged.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*COLUMNS, "final_confidence", "edits"])
    for outcome in folder.outcomes():
        edits = ";".join(":".join(map(str, (edit["x"], edit["y"], *edit["colour"]))) for edit in outcome["edits"])
        final = outcome["top5"][0][1] if outcome["top5"] else ""
        writer.writerow([*(_without_formula(outcome.get(column)) for column in COLUMNS), final, edits])
    return stream.getvalue()


def _without_formula(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula, which the name of a file can be."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
