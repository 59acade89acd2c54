"""Attacks on the embedded digits from the command line, and what they leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runs import Capture, json_lines, succeed

from evofool.attacks.outcome import Outcome

ATTACK = ["attack", "--device", "cpu", "--count", "6", "--pixels", "3", "--queries", "300"]
"""Six digits, nearly all of which fall; an option that follows replaces one of these."""

KEYS = {
    "campaign", "report", "target", "data", "images", "criterion", "pixels", "strategy", "seed", "attempts", "settled",
    "successes", "failures", "already", "rate", "interval95", "queries", "mean_queries", "median_queries_to_success",
    "p90_queries_to_success", "by_pixels", "baseline", "interrupted",
}  # fmt: skip
"""Names in the JSON object that an attack prints."""


def answer_of(capsys: Capture, out: Path, *options: object) -> dict[str, Any]:
    """Attack with these options and return what is printed as JSON."""
    answer: dict[str, Any] = json.loads(succeed(capsys, *ATTACK, *options, "--out", out, "--json").out)
    return answer


def outcomes_of(campaign: Path) -> list[Outcome]:
    return json_lines(campaign / "outcomes.jsonl")


def config_of(campaign: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((campaign / "config.json").read_text(encoding="utf-8"))
    return content


def lines_of(campaign: Path) -> list[str]:
    """Return the outcomes' lines sorted, for the order in which attempts end is left open."""
    return sorted((campaign / "outcomes.jsonl").read_text(encoding="utf-8").splitlines())


def summary_rows(shown: str) -> dict[str, str]:
    """Return the names and values of a summary, which stand two spaces in."""
    pairs = [line.strip().split("  ", 1) for line in shown.splitlines() if line.startswith("  ")]
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}
