"""Ascent from elites: what it proposes, what it counts, and whose gradients it can take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from emitting import archive, evolution
from runs import Capture, assert_refused, run_cli
from support import build, tiny_target

from evofool.config.evolve import EvolveOptions
from evofool.errors import ConfigError, OperatorError, TargetError
from evofool.search.evolution import Evolution
from evofool.search.profiler import Profiler


def test_children_of_a_way_rise_to_a_class_that_is_not_sure_yet() -> None:
    run = evolution(emitters=("vary", "gradient"), batch=40)
    elites = archive([0.995, 0.2, 0.997, 0.3])
    children, parents = run.toolbox.gradient(elites, 40)
    scores = run.target.confirm(run.encoding.decode(children)).numpy()
    niches = (parents - 100).reshape(10, 4)  # ten steps of four ways, step after step
    assert (niches == niches[0]).all()
    assert set(niches[0].tolist()) <= {1, 3}
    reached = scores[np.arange(40), niches.flatten()].reshape(10, 4)
    assert (reached[-1] > reached[0]).all()
    graphs = children.source.reshape(10, 4, -1)
    assert (graphs == graphs[0]).all()


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
def test_a_gradient_counts_as_three_evaluations(encoding: str) -> None:
    target, rows = tiny_target(), [0]
    logits = target.logits

    def counted(pixels: torch.Tensor) -> torch.Tensor:
        rows[0] += len(pixels)
        return logits(pixels)

    target.logits = counted  # type: ignore[method-assign]
    run = Evolution(
        target, build(encoding, "default"), EvolveOptions(batch=23, seed=0, emitters=("vary@5000", "gradient"))
    )
    run.step()
    assert (run.search.evaluations, rows[0]) == (23, 0)
    for generation in range(2, 6):
        run.step()
        assert run.search.evaluations == 23 * generation + 3 * rows[0]
    assert rows[0] == 4 * 2 * 11  # two ways of twelve children each


def test_it_makes_a_direct_run_surer_than_evolution_at_equal_passes() -> None:
    reached = {}
    for emitters in (("vary",), ("vary", "gradient")):
        options = EvolveOptions(batch=20, seed=0, emitters=emitters)
        run = Evolution(tiny_target(classes=12), build("direct", "default"), options)
        while run.search.evaluations < 900:
            run.step()
        reached[emitters] = float(run.archive.confidence.mean())
    assert reached["vary", "gradient"] > reached["vary",]


class Plain:
    """A target without gradients."""

    name, classes, image_shape = "plain", ["a", "b"], (3, 8, 8)

    def scores(self, images: Any) -> Any:
        return torch.full((len(images), 2), 0.5)

    confirm = scores


def test_a_target_without_gradients_is_told_so_in_one_line() -> None:
    with pytest.raises(TargetError, match=r"target plain gives neither .* or leave the emitter gradient out"):
        Evolution(Plain(), build("cppn", "default"), EvolveOptions(emitters=("vary", "gradient")))


def test_a_robust_target_is_told_so_before_anything_is_written(capsys: Capture, tmp_path: Any) -> None:
    words = ["--target", "digits", "--robust", "worst", "--emitters", "vary,gradient", "--out", tmp_path / "run"]
    assert_refused(run_cli(capsys, "evolve", *words), "leave the emitter gradient out")
    assert not (tmp_path / "run").exists()


def test_its_gradient_cannot_be_swapped_and_what_it_cannot_do_is_refused() -> None:
    def swap(toolbox: Any) -> None:
        toolbox.register("look", lambda images, classes: None)

    options = EvolveOptions(emitters=("vary", "gradient"))
    with pytest.raises(OperatorError, match="look"):
        Evolution(tiny_target(), build("cppn", "default"), options, toolbox=swap)
    with pytest.raises(ConfigError, match="`ahead` is for servers, which give no gradients for emitter gradient"):
        evolution(emitters=("vary", "gradient"), ahead=True)
    with pytest.raises(ConfigError, match="emitter gradient needs `batch=2` or more, got 1"):
        evolution(emitters=("vary", "gradient"), batch=1)


def test_the_profiler_goes_along() -> None:
    run, profiler = evolution(emitters=("vary", "gradient"), batch=20), Profiler()
    profiler.attach(run)
    for _ in range(4):
        run.step()
    profiler.stop()
