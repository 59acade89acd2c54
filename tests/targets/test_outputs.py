"""What a classifier may return: one tensor, one of several, or one output for two classes."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from support import random_images, tiny_network
from torch import Tensor, nn

import evofool
from evofool.engines.local import LocalEngine
from evofool.errors import ConfigError, TargetError
from evofool.targets.execution.outputs import Head
from evofool.targets.torch_target import TorchTarget

CPU = torch.device("cpu")
LOGITS = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
AUXILIARY = torch.zeros(2, 5)
Inception = namedtuple("Inception", ["logits", "aux_logits"])


@dataclass
class Output:
    logits: Tensor
    hidden: Tensor


class ModelOutput(OrderedDict[str, Any]):
    """As transformers' is: a dict whose values are attributes too."""


MEANT = {
    "a tensor": LOGITS,
    "a tuple with something else": (LOGITS, None),
    "a list with another shape": [AUXILIARY, LOGITS],
    "a dict": {"logits": LOGITS, "features": AUXILIARY},
    "a dict by another name": {"out": LOGITS, "aux": AUXILIARY},
    "a named tuple": Inception(LOGITS, LOGITS + 1),
    "an object": Output(LOGITS, torch.zeros(2, 3)),
    "a model output": ModelOutput(loss=None, logits=LOGITS, attentions=(LOGITS, LOGITS)),
    "in half precision": LOGITS.half(),
}


@pytest.mark.parametrize("output", MEANT.values(), ids=MEANT)
def test_the_logits_are_found_where_they_can_be_meant_only_once(output: Any) -> None:
    values = Head("net", "logits", 3).values(output, 2, CPU)
    assert values.dtype == torch.float32
    assert torch.equal(values, LOGITS)


UNCLEAR = {
    "two that fit": ((LOGITS, LOGITS), r"got tuple with 0 \(2, 3\), 1 \(2, 3\); let forward\(\) return"),
    "logits of another shape": ({"logits": AUXILIARY, "x": LOGITS}, r"got dict with logits \(2, 5\), x \(2, 3\)"),
    "none": ({"boxes": torch.zeros(2, 4)}, r"got dict with boxes \(2, 4\); let forward\(\) return"),
    "no tensor": ({"boxes": 5}, "got dict$"),
    "text": ("logits", "got str$"),
    "one output for three classes": (torch.zeros(2, 1), r"got \(2, 1\)$"),
}


@pytest.mark.parametrize(("output", "message"), UNCLEAR.values(), ids=UNCLEAR)
def test_what_is_unclear_is_refused_with_all_that_there_is(output: Any, message: str) -> None:
    with pytest.raises(TargetError, match=r"target net must return \(2, 3\) for 2 images and 3 classes, " + message):
        Head("net", "logits", 3).values(output, 2, CPU)


@pytest.mark.parametrize("shape", [(4, 1), (4,)])
def test_one_output_for_two_classes_is_that_of_the_second(shape: tuple[int, ...]) -> None:
    logits = torch.tensor([-3.0, 0.0, 0.5, 4.0])
    head = Head("net", "logits", 2)
    scores = head.probabilities(head.values(logits.reshape(shape), 4, CPU), "float32")
    torch.testing.assert_close(scores[:, 1], torch.sigmoid(logits))
    torch.testing.assert_close(scores.sum(1), torch.ones(4))
    head = Head("net", "probabilities", 2)
    scores = head.probabilities(head.values(torch.sigmoid(logits).reshape(shape), 4, CPU), "float32")
    torch.testing.assert_close(scores[:, 1], torch.sigmoid(logits))
    torch.testing.assert_close(scores.sum(1), torch.ones(4))


def test_an_unknown_kind_of_outputs_is_refused() -> None:
    with pytest.raises(
        ConfigError,
        match="net: `outputs` must be logits or probabilities or multilabel-logits or multilabel, got 'scores'",
    ):
        Head("net", "scores", 3)


def sigmoids(count: int, classes: list[str], outputs: Any) -> evofool.Target:
    """A target with so many sigmoids, whose weights are always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Flatten(), nn.Linear(192, count), nn.Sigmoid())
    return evofool.Target(
        module, classes=classes, image_shape=(3, 8, 8), device="cpu", precision="float32", outputs=outputs
    )


@pytest.mark.parametrize("outputs", ["logits", "probabilities"])
def test_one_class_alone_is_refused_with_what_to_do(outputs: str) -> None:
    """A softmax over one class would say 100 % of every image."""
    with pytest.raises(TargetError, match=r'`classes` must be two or more .*\["not sick", "sick"\].*\[1 - p, p\]'):
        sigmoids(1, ["sick"], outputs)


def test_one_sigmoid_is_told_apart_from_a_logit() -> None:
    images = random_images(5)
    right = sigmoids(1, ["well", "sick"], "probabilities")
    network = right.network
    with torch.no_grad():
        expected = network(images.float() / 255)
    torch.testing.assert_close(right.confirm(images)[:, 1:], expected)
    with pytest.raises(TargetError, match=r"ends in a sigmoid .* announced; say `outputs=probabilities`"):
        sigmoids(1, ["well", "sick"], "logits").scores(images)


@pytest.mark.parametrize("outputs", ["logits", "probabilities"])
def test_a_sigmoid_for_every_class_is_never_taken_for_logits(outputs: str) -> None:
    """It used to be advised to announce logits, which flattens all scores."""
    with pytest.raises(TargetError, match=r"say `outputs=multilabel`$") as caught:
        sigmoids(3, ["a", "b", "c"], outputs).scores(random_images(5))
    assert "outputs=logits" not in str(caught.value)


@pytest.mark.parametrize("values", [[[0.2, 0.3, 5.0]], [[-1.0, 1.0, 1.0]]])
def test_only_values_outside_0_to_1_are_advised_to_be_logits(values: list[list[float]]) -> None:
    with pytest.raises(TargetError, match="if these are logits, say `outputs=logits`"):
        Head("net", "probabilities", 3).checked(torch.tensor(values), at_once=True)


@pytest.mark.parametrize(("outputs", "squash"), [("multilabel-logits", nn.Identity()), ("multilabel", nn.Sigmoid())])
def test_classes_that_can_be_true_together_are_scored_each_by_its_own_sigmoid(outputs: str, squash: nn.Module) -> None:
    network = tiny_network()
    images = random_images(5)
    target = TorchTarget(
        nn.Sequential(network, squash), classes=list("abcd"), image_shape=(3, 8, 8), outputs=outputs, device="cpu"
    )
    expected = network(images.float() / 255).sigmoid()
    assert torch.allclose(target.confirm(images), expected, atol=1e-6)
    assert torch.allclose(LocalEngine(target).scores(images), expected, atol=0.02)
    assert target.multilabel
