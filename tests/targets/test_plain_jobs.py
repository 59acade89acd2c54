"""An object that has nothing of torch's networks goes through whole jobs: it evolves, is attacked, and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plain import PlainTarget
from runs import json_lines

import evofool
from evofool.errors import RunError, TargetError
from evofool.io.images import fit, open_image


def scored_again(run: Path) -> None:
    """Every picture on record scores what its record says."""
    target = PlainTarget()
    for line in json_lines(run / "elites.jsonl"):
        image = torch.from_numpy(fit(open_image(run / line["file"]), target.image_shape, 8).copy())
        assert float(target.confirm(image[None])[0, line["index"]]) == pytest.approx(line["score"], abs=1e-4)


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
def test_it_evolves_and_a_run_that_stopped_ends_as_one_that_did_not(encoding: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"batch": 10, "gallery": False, "generations": 4}
    whole = evofool.evolve(PlainTarget(), encoding, out=tmp_path / "whole", **options)
    evofool.evolve(PlainTarget(), encoding, out=tmp_path / "run", **options | {"generations": 2})
    target = PlainTarget()
    again = evofool.resume(tmp_path / "run", target=target, generations=4, gallery=False)
    assert target.queries >= 2 * 10
    assert again.confidence.tolist() == whole.confidence.tolist()
    scored_again(tmp_path / "run")
    assert (tmp_path / "run" / "elites.jsonl").read_bytes() == (tmp_path / "whole" / "elites.jsonl").read_bytes()
    with pytest.raises(RunError, match="your own Target plain; give it"):
        evofool.resume(tmp_path / "run", generations=9)


def test_it_is_attacked(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)
    labels = PlainTarget().scores(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).argmax(1).numpy()
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    result = evofool.attack(PlainTarget(), tmp_path / "data.npz", out=tmp_path / "out", count=6, queries=200)
    assert result.statistics.done == 6
    assert result.statistics.successes > 0


def test_it_has_no_features_to_tell_images_apart_by(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"target plain gives neither gradients nor features; .*`novelty=pixels`"):
        evofool.evolve(PlainTarget(), "direct", novelty="features", generations=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_logits_in_the_place_of_probabilities_are_refused(tmp_path: Path) -> None:
    class Logits(PlainTarget):
        def scores(self, images: torch.Tensor) -> torch.Tensor:
            return 5 * super().scores(images)

    with pytest.raises(TargetError, match=r"must return probabilities, .*rows sum to 5 … 5"):
        evofool.evolve(Logits(), "direct", generations=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
