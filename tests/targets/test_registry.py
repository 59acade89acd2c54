"""Targets by name: every one that is shipped, and what happens with names that are not."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from support import global_random_untouched, random_images

from evofool.errors import ConfigError, TargetError, WeightsError
from evofool.targets import registry as zoo
from evofool.targets.doors.embedded import ALIASES, CARDS, embedded_weights
from evofool.targets.training import data

shipped = pytest.mark.parametrize("name", [card.name for card in CARDS.values() if card.weights])


def weights_of(name: str) -> Path:
    path = embedded_weights(CARDS[name].weights)
    if not path.exists():
        pytest.skip(f"{path.name} is not in the package yet")
    return path


def held_out(name: str, shared: Path) -> data.Split:
    """At most 1,000 images that the network did not learn from."""
    if name == "digits":
        return data.digits().test
    if name in ("mnist", "mnist:logistic"):
        raw = shared / "data" / "MNIST" / "raw"
        images = np.fromfile(raw / "t10k-images-idx3-ubyte", np.uint8, offset=16).reshape(-1, 1, 28, 28)[:1000]
        labels = np.fromfile(raw / "t10k-labels-idx1-ubyte", np.uint8, offset=8)[:1000]
    else:
        with np.load(shared / "data" / "cifar10-test.npz", allow_pickle=False) as archive:
            images, labels = archive["images"][:1000].transpose(0, 3, 1, 2), archive["labels"][:1000]
    return data.Split(torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64)))


@shipped
def test_a_shipped_target_loads_and_scores(name: str) -> None:
    path = weights_of(name)
    loaded = zoo.load(name, device="cpu", precision="float32")
    card, target = CARDS[name], loaded.target
    assert loaded.card is card
    assert loaded.weights == path
    assert loaded.spare_tensors == ()
    assert (target.name, target.image_shape, tuple(target.classes)) == (name, card.image_shape, card.classes)
    images = random_images(9, card.image_shape)
    scores = target.scores(images)
    assert scores.shape == (9, len(card.classes))
    np.testing.assert_allclose(scores.sum(1), np.ones(9), atol=1e-5)
    again = zoo.load_target(name, device="cpu", precision="float32")
    assert torch.equal(again.scores(images), scores)


@shipped
def test_bfloat16_finds_what_float32_finds(name: str) -> None:
    weights_of(name)
    images = random_images(64, CARDS[name].image_shape)
    target = zoo.load_target(name, device="cpu", precision="bfloat16")
    exact = target.confirm(images)
    assert (target.scores(images) - exact).abs().mean() < 0.02
    np.testing.assert_allclose(
        exact, zoo.load_target(name, device="cpu", precision="float32").scores(images), atol=1e-6
    )


@shipped
def test_its_card_says_how_good_it_is_and_it_is(name: str, request: pytest.FixtureRequest) -> None:
    """The card's number is the one its weights were measured with, and images bear it out."""
    path = weights_of(name)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    stated = re.search(r"(\d+(?:\.\d+)?) %", CARDS[name].accuracy)
    assert stated, f"the card's accuracy is {CARDS[name].accuracy!r}"
    assert float(stated[1]) == pytest.approx(100 * float(metadata["test_accuracy"]), abs=0.051)
    images = held_out(name, Path() if name == "digits" else request.getfixturevalue("shared"))
    found = zoo.load_target(name, device="cpu", precision="float32").scores(images.images).argmax(1)
    accuracy = float((found == images.labels).double().mean())
    expected = float(metadata["test_accuracy"])
    deviation = (expected * (1 - expected) / len(images)) ** 0.5
    # digits: all held-out images, so exactly; else a sample of them.
    assert accuracy == pytest.approx(expected, abs=1e-4 if name == "digits" else 5 * deviation)


@shipped
def test_its_weights_say_where_they_come_from(name: str) -> None:
    with safe_open(weights_of(name), "pt") as file:
        metadata = file.metadata()
    assert metadata["network"] == name
    assert {"seed", "epochs", "test_accuracy", "test_images", "train_images_sha256", "torch"} <= metadata.keys()


@shipped
def test_loading_touches_no_global_generator(name: str) -> None:
    weights_of(name)
    with global_random_untouched():
        zoo.load_target(name, device="cpu")


@pytest.mark.parametrize("name", CARDS)
def test_a_card_fits_itself(name: str) -> None:
    card = zoo.card(name)
    assert card.name == name
    channels = card.image_shape[0]
    assert len(card.mean) == len(card.std) == channels
    assert len(set(card.classes)) == len(card.classes) == (11 if name.endswith(":hardened") else 10)
    assert card.resize == min(card.image_shape[1:])
    assert all((card.architecture, card.data, card.licence))


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_an_alias_is_the_same_target(alias: str, name: str) -> None:
    assert zoo.card(alias) is CARDS[name]


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("digts", 'did you mean "digits"'),
        ("MNIST", 'did you mean "mnist"'),
        ("cifar-10", 'did you mean "cifar10"'),
        ("cifar10:resnet", 'did you mean "cifar10:resnet'),
        ("squeezenet1_1", 'did you mean "torchvision:squeezenet1_1"'),
        ("torchvision:squeeznet1_1", 'did you mean "squeezenet1_1"'),
    ],
)
def test_an_unknown_target_suggests_a_known_one(wrong: str, hint: str) -> None:
    for build in (zoo.card, zoo.load_target):
        with pytest.raises(TargetError, match=re.escape(hint)) as caught:
            build(wrong)
        assert wrong.removeprefix("torchvision:") in str(caught.value)


@pytest.mark.parametrize("wrong", ["zzzz", "", "torchvision:", "torchvision:zzzz"])
def test_a_name_like_no_other_is_refused_without_a_suggestion(wrong: str) -> None:
    with pytest.raises(TargetError) as caught:
        zoo.card(wrong)
    assert "did you mean" not in str(caught.value)
    assert "evofool targets" in str(caught.value)


def test_a_target_without_weights_asks_for_them() -> None:
    with pytest.raises(TargetError, match="cifar10:resnet32 has no embedded weights; give yours with `weights=FILE`"):
        zoo.load("cifar10:resnet32", device="cpu")


def test_a_missing_weights_file_is_named(tmp_path: Path) -> None:
    for missing in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(WeightsError, match=re.escape(str(missing))):
            zoo.load("digits", weights=missing, device="cpu")


def test_an_unknown_device_is_told_before_anything_is_scored() -> None:
    with pytest.raises(ConfigError, match='unknown device "gpu"'):
        zoo.load_target("digits", device="gpu")


def test_a_public_resnet_checkpoint_loads_and_knows_its_classes(shared: Path) -> None:
    path = shared / "weights" / "resnet32-cifar10.safetensors"
    loaded = zoo.load("cifar10:resnet32", weights=path, device="cpu", precision="float32")
    assert loaded.weights == path
    images = held_out("cifar10", shared)
    found = loaded.target.scores(images.images[:200]).argmax(1)
    assert (found == images.labels[:200]).double().mean() > 0.72  # 81 % on these JPEG copies


def test_caffe_s_lenet_loads_with_its_mean_image_to_spare(shared: Path) -> None:
    path = shared / "weights" / "lenet-mnist-caffe.safetensors"
    loaded = zoo.load("mnist", weights=path, device="cpu", precision="float32")
    assert loaded.spare_tensors == ("mean",)
    images = held_out("mnist", shared)
    found = loaded.target.scores(images.images).argmax(1)
    assert (found == images.labels).double().mean() > 0.97  # 99.18 % on all 10,000


def test_squeezenet_knows_photographs(shared: Path) -> None:
    """63 % top-1 and 86 % top-5 on all 200 of them."""
    from PIL import Image

    weights = shared / "weights" / "squeezenet1_1-imagenet.safetensors"
    loaded = zoo.load("torchvision:squeezenet1_1", weights=weights, device="cpu", precision="float32")
    assert loaded.spare_tensors == ()
    card = loaded.card
    pictures, labels = [], []
    for path in sorted((shared / "data" / "imagenet-samples").glob("*.jpg"))[::8]:
        picture = Image.open(path).convert("RGB")
        scale = card.resize / min(picture.size)
        picture = picture.resize([round(edge * scale) for edge in picture.size], Image.Resampling.BILINEAR)
        left, top = (picture.width - 224) // 2, (picture.height - 224) // 2
        pictures.append(np.asarray(picture.crop((left, top, left + 224, top + 224))).transpose(2, 0, 1))
        labels.append(int(path.name.split("_")[0]))
    scores = loaded.target.scores(torch.from_numpy(np.stack(pictures)))
    best = scores.topk(5, 1).indices.numpy()
    hits = best == np.array(labels)[:, None]
    assert len(labels) == 25
    assert hits[:, 0].mean() > 0.5
    assert hits.any(1).mean() > 0.7


def test_weights_of_another_precision_are_taken(tmp_path: Path) -> None:
    """A checkpoint saved in half precision is a fair guess at the same network."""
    from safetensors.torch import load_file, save_file

    half = {name: value.half() for name, value in load_file(weights_of("digits")).items()}
    save_file(half, tmp_path / "half.safetensors")
    images = random_images(20, (1, 8, 8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = zoo.load_target("digits", weights=tmp_path / "half.safetensors", device="cpu", precision="float32")
    whole = zoo.load_target("digits", device="cpu", precision="float32")
    np.testing.assert_allclose(ours.scores(images), whole.scores(images), atol=0.02)
