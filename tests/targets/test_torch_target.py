"""The target: uint8 in, probabilities out; everything else is its own business."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support import global_random_untouched, random_images, tiny_network, tiny_target
from torch import Tensor, nn

from evofool.errors import ConfigError, TargetError
from evofool.targets.torch_target import TorchTarget


class Answer(nn.Module):
    """A network that returns what it is told to, whatever it sees."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor) -> object:
        return self.answer(x) if callable(self.answer) else self.answer


class Means(nn.Module):
    """Keeps the mean of each channel of what it was given."""

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x.mean((2, 3))
        return self.seen


def target_of(module: nn.Module, classes: int = 3, **options: object) -> TorchTarget:
    settings = {"image_shape": (3, 8, 8), "device": "cpu", "precision": "float32", "name": "odd", **options}
    return TorchTarget(module, classes=[str(k) for k in range(classes)], **settings)  # type: ignore[arg-type]


def test_scores_are_float32_probabilities(target: TorchTarget) -> None:
    scores = target.scores(random_images(7))
    assert scores.shape == (7, 4)
    assert scores.dtype == torch.float32
    assert scores.device == target.device
    assert bool((scores >= 0).all())
    np.testing.assert_allclose(scores.sum(1), np.ones(7), atol=1e-6)
    assert len(set(scores.argmax(1).tolist())) > 1  # the fake tells images apart


def test_they_are_the_softmax_of_the_normalised_image() -> None:
    """Against the same sum done by hand in float64."""
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    network = tiny_network()
    target = target_of(network, classes=4, mean=mean, std=std)
    images = random_images(5)
    pixels = images.double().div(255)
    normalised = torch.stack([(pixels[:, c] - mean[c]) / std[c] for c in range(3)], 1)
    with torch.no_grad():
        logits = tiny_network().double()(normalised)
    expected = torch.tensor([[math.exp(v) for v in row] for row in logits.tolist()])
    expected /= expected.sum(1, keepdim=True)
    np.testing.assert_allclose(target.confirm(images), expected, atol=2e-6)


def seen(image: Tensor, **options: object) -> np.ndarray:
    """(3,) the channels' means after normalisation."""
    means = Means()
    target_of(means, **options).scores(image)
    return means.seen[0].numpy()


def test_each_channel_has_its_own_mean_and_std() -> None:
    mean, std = (0.1, 0.2, 0.4), (0.5, 0.25, 2.0)
    image = torch.tensor([0, 51, 255], dtype=torch.uint8)[:, None, None].expand(3, 8, 8)[None]
    expected = [(v - m) / s for v, m, s in zip((0.0, 0.2, 1.0), mean, std, strict=True)]
    np.testing.assert_allclose(seen(image, mean=mean, std=std), expected, atol=1e-6)


def test_one_mean_and_std_serve_all_channels() -> None:
    image = torch.full((1, 3, 8, 8), 255, dtype=torch.uint8)
    np.testing.assert_allclose(seen(image, mean=0.5, std=0.25), [2.0, 2.0, 2.0], atol=1e-6)


def test_black_and_white_are_zero_and_one_without_normalisation() -> None:
    assert seen(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).tolist() == [0.0, 0.0, 0.0]
    assert seen(torch.full((1, 3, 8, 8), 255, dtype=torch.uint8)).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 7, 16, 50, 51])
def test_the_micro_batch_does_not_change_the_scores(rows: int) -> None:
    images = random_images(50)
    whole = tiny_target(micro_batch=50).scores(images)
    np.testing.assert_allclose(tiny_target(micro_batch=rows).scores(images), whole, atol=1e-6)


def test_no_pass_has_more_rows_than_the_micro_batch() -> None:
    passes: list[int] = []

    def count(x: Tensor) -> Tensor:
        passes.append(len(x))
        return torch.zeros(len(x), 3)

    target_of(Answer(count), micro_batch=8).scores(random_images(21))
    assert max(passes) <= 8
    assert sum(passes) == 21
    assert len(passes) == 3


def test_no_image_gives_no_score(target: TorchTarget) -> None:
    scores = target.scores(torch.empty(0, 3, 8, 8, dtype=torch.uint8))
    assert scores.shape == (0, 4)
    assert scores.dtype == torch.float32


def test_images_stay_as_they_are_and_no_global_generator_is_drawn_from(target: TorchTarget) -> None:
    images = random_images(4)
    before = images.clone()
    with global_random_untouched():
        target.scores(images)
        target.confirm(images)
    assert torch.equal(images, before)


def test_the_network_is_put_into_evaluation_mode() -> None:
    network = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(192, 3)).train()
    target = target_of(network)
    images = random_images(6)
    assert not network.training
    assert torch.equal(target.scores(images), target.scores(images))
    alone = torch.cat([target.scores(image[None]) for image in images])
    np.testing.assert_allclose(target.scores(images), alone, atol=1e-6)


def test_bfloat16_searches_and_float32_confirms() -> None:
    images = random_images(64)
    exact, fast = tiny_target(), tiny_target(precision="bfloat16")
    assert torch.equal(fast.confirm(images), exact.confirm(images))
    assert torch.equal(exact.scores(images), exact.confirm(images))
    error = (fast.scores(images) - exact.scores(images)).abs().max().item()
    assert 1e-6 < error < 0.1  # another arithmetic, but the same network
    assert fast.scores(images).dtype == torch.float32


def test_a_network_that_views_its_activations_can_be_a_target() -> None:
    """``x.view(len(x), -1)`` after a convolution is in many people's networks; memory format is our choice."""

    class Viewing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.linear = nn.Conv2d(3, 6, 3), nn.Linear(6 * 36, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            return self.linear(x.view(len(x), -1))

    scores = target_of(Viewing()).scores(random_images(4))
    np.testing.assert_allclose(scores.sum(1), np.ones(4), atol=1e-6)


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (torch.zeros(2, 3, 8, 8), r"torch\.float32"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.int64), r"torch\.int64"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), r"\(2, 1, 8, 8\)"),
        (torch.zeros(2, 3, 8, 9, dtype=torch.uint8), r"\(2, 3, 8, 9\)"),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), r"\(3, 8, 8\)"),
        (torch.zeros(2, 8, 8, 3, dtype=torch.uint8), r"\(2, 8, 8, 3\)"),
        (np.zeros((2, 3, 8, 8), np.uint8), "ndarray"),
        ([0], "list"),
    ],
)
def test_other_images_are_refused_with_what_was_expected_and_found(
    target: TorchTarget, images: Tensor, found: str
) -> None:
    with pytest.raises(TargetError, match=r"tiny takes uint8 torch tensors \(B, 3, 8, 8\), got .*" + found):
        target.scores(images)


def test_a_tensor_that_a_network_keeps_stays_as_it_is() -> None:
    kept = torch.tensor([[1.0001, -0.0001, 0.0], [0.5, 0.25, 0.25]])
    before = kept.clone()
    scores = target_of(Answer(lambda x: kept), outputs="probabilities", micro_batch=2).scores(random_images(2))
    assert torch.equal(kept, before)
    kept.zero_()
    assert scores[1].tolist() == [0.5, 0.25, 0.25]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("outputs", ["logits", "probabilities"])
def test_one_bad_score_is_an_error_that_names_the_target(bad: float, outputs: str) -> None:
    def answer(x: Tensor) -> Tensor:
        scores = torch.zeros(len(x), 3)
        scores[-1] = bad
        return scores

    target = target_of(Answer(answer), outputs=outputs, micro_batch=2)
    with pytest.raises(TargetError, match="target odd returned NaN or infinite scores"):
        target.scores(random_images(5))


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda x: torch.zeros(len(x), 4), r"\(5, 4\)"),
        (lambda x: torch.zeros(len(x)), r"\(5,\)"),
        (lambda x: torch.zeros(len(x), 3, 1), r"\(5, 3, 1\)"),
        (lambda x: torch.zeros(1, 3), r"\(1, 3\)"),
        (lambda x: (torch.zeros(len(x), 3), torch.zeros(len(x), 3)), r"tuple with 0 \(5, 3\), 1 \(5, 3\); let forward"),
        (lambda x: {"out": torch.zeros(len(x), 3, 8, 8)}, r"dict with out \(5, 3, 8, 8\); let forward"),
        (lambda x: None, "NoneType"),
    ],
)
def test_an_output_of_another_shape_is_an_error(answer: object, found: str) -> None:
    with pytest.raises(TargetError, match=r"target odd must return \(5, 3\) for 5 images.*got " + found):
        target_of(Answer(answer)).scores(random_images(5))


def test_a_network_for_other_images_fails_with_one_line_that_names_the_target() -> None:
    target = target_of(nn.Sequential(nn.Flatten(), nn.Linear(5, 3)))
    with pytest.raises(TargetError, match=r"target odd failed on \(3, 8, 8\) images: ") as caught:
        target.scores(random_images(2))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_shape": (2, 8, 8)}, "`image_shape` must be"),
        ({"image_shape": (3, 0, 8)}, "`image_shape` must be"),
        ({"image_shape": (3, 8, -1)}, "`image_shape` must be"),
        ({"image_shape": (8, 8)}, "`image_shape` must be"),
        ({"mean": (0.5, 0.5)}, "`mean` needs 1 or 3 values, got 2"),
        ({"std": (1.0,) * 4}, "`std` needs 1 or 3 values, got 4"),
        ({"image_shape": (1, 8, 8), "mean": (0.5,) * 3}, "`mean` needs 1 value, got 3"),
        ({"std": (0.2, 0.0, 0.2)}, "`std` must be above 0"),
        ({"std": -1.0}, "`std` must be above 0"),
        ({"std": math.nan}, "`std` must be above 0"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(TargetError, match=message):
        target_of(Means(), **options)


def test_a_target_needs_classes() -> None:
    with pytest.raises(TargetError, match="`classes` is empty"):
        target_of(Means(), classes=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, 'unknown device "gpu"'),
        ({"precision": "float16"}, 'unknown precision "float16"'),
        ({"micro_batch": 0}, "`micro_batch` must be a whole number of at least 1, got 0"),
        ({"micro_batch": -4}, "`micro_batch` must be a whole number of at least 1, got -4"),
    ],
)
def test_unknown_options_are_config_errors(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        target_of(Means(), **options)


def test_it_says_what_it_is(target: TorchTarget) -> None:
    assert repr(target) == "TorchTarget(tiny, 4 classes, (3, 8, 8), cpu, float32)"


@pytest.mark.parametrize("module", [None, lambda images: images], ids=["None", "function"])
def test_what_is_no_module_is_refused(module: object) -> None:
    with pytest.raises(TargetError, match=r"mine: expected a torch.nn.Module, got .*forward\(\)"):
        TorchTarget(module, classes=["a", "b"], image_shape=(1, 8, 8), name="mine", device="cpu")  # type: ignore[arg-type]


def test_an_image_shape_may_be_a_list() -> None:
    shape: tuple[int, int, int] = [3, 8, 8]  # type: ignore[assignment]
    target = TorchTarget(tiny_network(), classes=list("abcd"), image_shape=shape, device="cpu")
    assert target.image_shape == (3, 8, 8)
    assert target.scores(random_images(2, (3, 8, 8))).shape == (2, 4)
