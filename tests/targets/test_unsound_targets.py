"""Targets that return what are no probabilities, or other ones each time: named errors, and nothing is archived."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from campaigns import small_attack, write_lines
from deap import algorithms, tools
from runs import json_lines, small_evolve
from support import build, random_images, tiny_network, tiny_target
from torch import Tensor, nn

import evofool
from evofool.config.evolve import EvolveOptions
from evofool.errors import EvofoolError, TargetError
from evofool.search.evolution import Evolution
from evofool.targets.protocols import compare_scores
from evofool.targets.torch_target import TorchTarget

CLASSES = ["a", "b", "c", "d"]


class Returns(nn.Module):
    """A network that lets a function make something of its logits."""

    def __init__(self, change: Callable[[Tensor, int], Any], after: int = 0) -> None:
        super().__init__()
        self.inner, self.change, self.after, self.calls = tiny_network(3, len(CLASSES), 8), change, after, 0

    def forward(self, images: Tensor) -> Any:
        self.calls += 1
        logits = self.inner(images)
        return self.change(logits, self.calls) if self.calls > self.after else logits


def target(module: nn.Module, **options: Any) -> TorchTarget:
    options = {"outputs": "logits", "precision": "float32"} | options
    return TorchTarget(
        module, classes=CLASSES, image_shape=(3, 8, 8), mean=0.5, std=0.25, name="odd", device="cpu", **options
    )


def evolve(module: nn.Module, out: Path | None = None, **options: Any) -> evofool.Result:
    return evofool.evolve(target(module, **options), "direct", generations=6, batch=20, out=out)


UNSOUND: dict[str, tuple[Callable[[Tensor, int], Any], dict[str, Any], str]] = {
    "nan": (lambda x, _: x * float("nan"), {}, "NaN or infinite"),
    "infinite": (lambda x, _: x.exp() * float("inf"), {"outputs": "probabilities"}, "NaN or infinite"),
    "logits as probabilities": (
        lambda x, _: x,
        {"outputs": "probabilities"},
        "if these are logits, say `outputs=logits`",
    ),
    "sums": (lambda x, _: x.softmax(1) * 1.1, {"outputs": "probabilities"}, "rows sum to 1.1"),
    "negative": (lambda x, _: x.softmax(1) * 3 - 0.5, {"outputs": "probabilities"}, "lowest value is -"),
    "probabilities as logits": (lambda x, _: x.softmax(1), {}, "say `outputs=probabilities`"),
    "classes": (lambda x, _: x[:, :3], {}, r"must return \(\d+, 4\).*got \(\d+, 3\)"),
    "rows": (lambda x, _: x[:-1], {}, r"must return \((20|4), 4\).*got \((19|3), 4\)"),
    "a tuple": (lambda x, _: (x, x), {}, "got tuple"),
    "a tensor elsewhere": (lambda x, _: x.to("meta"), {}, "on cpu and returned scores on meta"),
}


@pytest.mark.parametrize("name", UNSOUND)
@pytest.mark.parametrize("after", [0, 3], ids=["from the first", "later"])
def test_what_are_no_probabilities_is_a_target_error(name: str, after: int, tmp_path: Path) -> None:
    change, options, message = UNSOUND[name]
    if after and (options.get("outputs") == "probabilities" or name == "probabilities as logits"):
        pytest.skip("these networks return the same kind of values always")
    with pytest.raises(TargetError, match=message) as caught:
        evolve(Returns(change, after), tmp_path / "run", **options)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "run").exists() == bool(after)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_target_that_says_something_else_each_time_is_noticed(precision: str, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    noisy = Returns(lambda x, _: x + torch.randn(x.shape, generator=generator) * 0.1)
    with pytest.raises(TargetError, match="other scores each time"):
        evolve(noisy, tmp_path / "run", precision=precision)


def test_scores_that_are_not_those_on_record_are_told_with_the_likeliest_cause_first() -> None:
    before, now = torch.tensor([0.5]), torch.tensor([0.75])
    compare_scores("odd", before, before, resumed=True)
    with pytest.raises(
        TargetError, match=r"odd gives images other scores than are on record \(by up to 0.25\).*weights.*dropout"
    ):
        compare_scores("odd", before, now, resumed=True)


def test_dropout_that_stays_on_is_noticed(tmp_path: Path) -> None:
    module = Returns(lambda x, _: nn.functional.dropout(x, 0.3, training=True))
    with pytest.raises(TargetError, match="dropout"):
        evolve(module)
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=np.arange(20) % 4)
    with pytest.raises(TargetError, match="dropout"):
        evofool.attack(target(module), tmp_path / "data.npz", out=tmp_path / "out", count=8, include_misclassified=True)


def test_another_network_does_not_go_on_with_a_run(tmp_path: Path) -> None:
    evolve(Returns(lambda x, _: x), tmp_path / "run")
    with pytest.raises(TargetError, match="other scores"):
        evofool.resume(tmp_path / "run", target=target(Returns(lambda x, _: 2 * x)), generations=9)
    same = target(Returns(lambda x, _: x))
    assert evofool.resume(tmp_path / "run", target=same, generations=9).generations == 9


def test_changed_successes_of_a_campaign_are_noticed(tmp_path: Path) -> None:
    result = small_attack(tmp_path / "campaign", pixels=6)
    assert result.statistics.successes
    lines = json_lines(tmp_path / "campaign" / "outcomes.jsonl")
    for line in lines:
        for edit in line["edits"]:
            edit["colour"] = [255 - value for value in edit["colour"]]
    write_lines(tmp_path / "campaign", "outcomes.jsonl", lines)
    with pytest.raises(TargetError, match="other scores"):
        evofool.resume(tmp_path / "campaign", target=tiny_target())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_probabilities_announced_as_logits_are_noticed_in_any_precision(precision: str) -> None:
    module = nn.Sequential(tiny_network(), nn.Softmax(1))
    target = TorchTarget(module, classes=list("abcd"), image_shape=(3, 8, 8), precision=precision, device="cpu")  # type: ignore[arg-type]
    with pytest.raises(TargetError, match="say `outputs=probabilities`"):
        target.scores(random_images(20))


def test_probabilities_a_little_above_one_are_recorded_as_one(tmp_path: Path) -> None:
    """A half-precision softmax may say 1.01; nobody who reads a record should find that."""

    class Above(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return torch.tensor([1.009, -0.009]).expand(len(pixels), 2)

    target = TorchTarget(Above(), classes=["a", "b"], image_shape=(3, 8, 8), outputs="probabilities", device="cpu")
    scores = target.scores(random_images(3))
    assert (float(scores.min()), float(scores.max())) == (0.0, 1.0)
    small_evolve(tmp_path / "run", target=target, device="auto", precision="auto", generations=2)
    assert [line["score"] for line in json_lines(tmp_path / "run" / "elites.jsonl")] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("boom\nat line 5"), "boom"),
        (KeyError("conv1"), "KeyError: 'conv1'"),
        (OSError(5, "boom"), "[Errno 5] boom"),
        (TypeError("boom"), "TypeError: boom"),
        (StopIteration("boom"), "StopIteration: boom"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_whatever_a_module_raises_is_a_named_error_of_one_line(error: Exception, words: str) -> None:
    class Raises(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            raise error

    target = TorchTarget(Raises(), classes=["a", "b"], image_shape=(3, 8, 8), name="odd", device="cpu")
    with pytest.raises(TargetError) as caught:
        target.scores(random_images(2))
    assert str(caught.value) == f"target odd failed on (3, 8, 8) images: {words}"


@pytest.mark.parametrize(
    "change", [lambda x: x.to(torch.complex64), lambda x: x.to_sparse()], ids=["complex", "sparse"]
)
def test_scores_that_are_no_plain_real_numbers_are_refused(change: Callable[[Tensor], Tensor]) -> None:
    class Odd(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return change(pixels.flatten(1)[:, :2])

    target = TorchTarget(Odd(), classes=["a", "b"], image_shape=(3, 8, 8), name="odd", device="cpu")
    with pytest.raises(TargetError, match="target odd must return real numbers in a plain tensor"):
        target.scores(random_images(2))


@pytest.mark.parametrize("options", [{"classes": [0, 1]}, {"classes": "ab"}, {"outputs": "prob"}])
def test_odd_options_of_a_target_are_refused(options: dict[str, Any]) -> None:
    given: dict[str, Any] = {"classes": ["a", "b"], "image_shape": (3, 8, 8), "device": "cpu", **options}
    with pytest.raises(EvofoolError, match=r"`classes` must be|`outputs` must be"):
        TorchTarget(nn.Flatten(), **given)


def test_probabilities_a_little_below_zero_are_probabilities_still() -> None:
    """A thousand of them do not sum to one any more once they are cut off at 0."""
    below = torch.full((1000,), -1e-4)
    below[0] = 1 + 999e-4

    class Below(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return below.expand(len(pixels), -1) + 0 * pixels.flatten(1)[:, :1]

    options: dict[str, Any] = {"image_shape": (3, 8, 8), "device": "cpu", "outputs": "probabilities"}
    made = TorchTarget(Below(), classes=list(map(str, range(1000))), **options)
    assert evofool.evolve(made, "direct", classes="0,1", generations=2, batch=20).confidence.tolist() == [1, 0]


def test_nan_does_not_reach_deap() -> None:
    """Its loops compare fitnesses before the archive sees the scores."""
    nan = target(Returns(lambda x, _: x * float("nan")))
    evolution = Evolution(nan, build("direct", "default"), EvolveOptions(batch=8))
    best = tools.HallOfFame(3)
    with pytest.raises(TargetError, match="NaN or infinite"):
        algorithms.eaGenerateUpdate(evolution.toolbox, ngen=1, halloffame=best, verbose=False)
    assert len(best) == 0
