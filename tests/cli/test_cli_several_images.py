"""Several images per class at the prompt: what is refused, and what is summed up."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import EVOLVE, Capture, assert_refused, run_cli


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--descriptors colour", ["grey images", "no colour"]),
        ("--descriptors complxity", ['did you mean "complexity"']),
        ("--descriptors brightness --novelty pixels", ["--descriptors and --novelty", "choose one"]),
        ("--novelty pixel", ['did you mean "pixels"']),
        ("--bins 4", ["--bins needs --descriptors colour,complexity"]),
        ("--descriptors brightness --bins 1", ["--bins", "2 to 64"]),
        ("--descriptors brightness,complexity,slope --bins 64", ["niches", "fewer --classes, --bins"]),
        ("--novelty pixels --apart 2", ["--apart", "at most 1"]),
        ("--encoding direct --descriptors size", ["one size", "--descriptors"]),
        ("--emitters refin", ['did you mean "refine"']),
        ("--encoding direct --emitters vary,refine", ["weights of CPPNs"]),
        ("--encoding direct --emitters vary,tweak", ["emitter tweak", "small changes to CPPNs"]),
        ("--emitters tweak@5000", ["begins at once"]),
        ("--emitters vary,refine@soon", ["number of evaluations", "refine@100000"]),
        ("--emitters refine --batch 7", ["--batch 8 or more"]),
    ],
)
def test_refused_before_anything_is_written(options: str, parts: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert_refused(run_cli(capsys, *EVOLVE, "--out", tmp_path / "run", *options.split(" ")), *parts)
    assert list(tmp_path.iterdir()) == []


def test_the_summary_says_how_full_the_niches_are(tmp_path: Path, capsys: Capture) -> None:
    given = ("--descriptors", "brightness,symmetry", "--bins", "2", "--out", tmp_path / "run")
    outcome = run_cli(capsys, *EVOLVE, *given)
    assert outcome.code == 0, outcome.err
    assert "of 40 niches" in outcome.out
    assert "QD score" in outcome.out
    assert "of 10 classes" in outcome.out
