"""``evofool render`` when all is well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from runs import Capture, CommandResult, json_lines, succeed


@pytest.mark.parametrize(("size", "expected"), [("64", (64, 64)), ("160x90", (160, 90)), ("8", (8, 8))])
def test_render_draws_a_genome_at_any_size(
    size: str, expected: tuple[int, int], cppn_run: Path, tmp_path: Path, capsys: Capture
) -> None:
    line, out = json_lines(cppn_run / "elites.jsonl")[0], tmp_path / "a.png"
    shown = succeed(capsys, "render", cppn_run / line["genome"], "--size", size, "--out", out).out
    assert shown == f"{out}: {expected[0]} × {expected[1]}\n"
    with Image.open(out) as picture:
        assert picture.size == expected
        if size == "8":  # This is what the network saw.
            np.testing.assert_array_equal(picture, Image.open(cppn_run / line["file"]))


def test_render_scales_a_picture_with_hard_edges(tmp_path: Path, capsys: Capture) -> None:
    pixels = np.arange(4, dtype=np.uint8).reshape(2, 2) * 80
    Image.fromarray(pixels).save(tmp_path / "small.png")
    words = ["render", tmp_path / "small.png", "--size", 6, "--out", tmp_path / "a.png", "--quiet"]
    assert succeed(capsys, *words) == CommandResult(0, "", "")
    np.testing.assert_array_equal(Image.open(tmp_path / "a.png"), pixels.repeat(3, 0).repeat(3, 1))
