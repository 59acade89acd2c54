"""``check_target`` finds every mistake that is planted around a right network, and says nothing of the right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import tiny_network

import evofool
from evofool import Checkup

PLANTED = '''
import numpy as np
import torch
from torch import nn
from evofool.targets.registry import load_target

NAME = "{name}"
known = load_target(NAME, device="cpu", precision="float32")
network, image_shape, classes = known.network, known.image_shape, list(known.classes)
mean, std = (torch.tensor(values)[:, None, None] for values in (known.mean, known.std))
order = torch.tensor([3, 1, 2, 0, 4, 5, 6, 7, 9, 8])


class Planted(nn.Module):
    """The network, normalised inside, with something done to its images before and to its logits after."""

    image_shape, classes = image_shape, classes

    def __init__(self, before=lambda images: images, after=lambda logits: logits):
        super().__init__()
        self.network, self.before, self.after = network, before, after

    def forward(self, images):
        return self.after(self.network((self.before(images) - mean) / std))


class Function:
    """The network as a function of (B, H, W, C) uint8 images, with something done to them before."""

    image_shape, classes = image_shape, classes

    def __init__(self, before):
        self.before = before

    def __call__(self, images):
        assert images.dtype in (np.uint8, np.float32)
        with torch.no_grad():
            pixels = self.before(torch.from_numpy(np.ascontiguousarray(images)).float())
            return network((pixels - mean) / std).softmax(1).numpy()


right = Planted()
right_function = Function(lambda images: images.permute(0, 3, 1, 2) / 255)
swapped = Planted(lambda images: images.flip(1))
swapped_function = Function(lambda images: images.permute(0, 3, 1, 2).flip(1) / 255)
to_255 = Planted(lambda images: images / 255)
from_minus_1 = Planted(lambda images: (images + 1) / 2)
normalised_outside = Planted(lambda images: images * std + mean)
swapped_to_255 = Planted(lambda images: images.flip(1) / 255)
undivided_function = Function(lambda images: images.permute(0, 3, 1, 2))
channels_last = Planted(lambda images: images.permute(0, 3, 1, 2))
reshaped = Function(lambda images: images.reshape(len(images), *image_shape) / 255)
twice = Planted(after=lambda logits: logits.softmax(1).softmax(1))
sigmoids = Planted(after=lambda logits: logits.sigmoid())
log_softmax = Planted(after=lambda logits: logits.log_softmax(1))
probabilities = Planted(after=lambda logits: logits.softmax(1))
over_the_batch = Planted(after=lambda logits: logits - logits.mean(0))
faint = Planted(after=lambda logits: logits * 0.01)


class Unsure(Planted):
    """The class whose mean picture is most alike: twice as light pictures make twice as large logits."""

    def __init__(self):
        super().__init__()
        from evofool.datasets.named import digits

        images, labels = (torch.from_numpy(array) for array in digits(train=True))
        means = torch.stack([images[labels == label].float().mean(0).flatten() for label in range(10)])
        self.means = means / means.norm(dim=1, keepdim=True)

    def forward(self, images):
        return images.flatten(1) @ self.means.T * 2


unsure = Unsure() if NAME == "digits" else None
permuted = Planted(after=lambda logits: logits[:, order])
hot = Planted(after=lambda logits: logits * 1e6)
dead = Planted(after=lambda logits: logits * 0)


class Dropping(Planted):
    def forward(self, images):
        return nn.functional.dropout(super().forward(images), 0.1, training=True)


dropping = Dropping()


class Training(Planted):
    """A batch normalisation that evaluation mode does not reach."""

    def forward(self, images):
        logits = super().forward(images)
        return nn.functional.batch_norm(logits, None, None, training=True)


training = Training()
'''

Check = Any


def checker(name: str, data: str, folder: Path, **common: Any) -> Check:
    """A function that checks what is planted around a network under a name."""
    file = folder / f"planted_{name}.py"
    file.write_text(PLANTED.format(name=name), encoding="utf-8")

    def check(attribute: str, **options: Any) -> Checkup:
        return evofool.check_target(f"{file}:{attribute}", data, device="auto", **common, **options)

    return check


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Checks mistakes around the embedded network for digits, with 100 of them."""
    return checker("digits", "digits", tmp_path_factory.mktemp("digits"), count=100)


@pytest.fixture(scope="module")
def cifar10(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Check:
    """Checks mistakes around the embedded network for CIFAR-10, with 200 images."""
    return checker("cifar10", str(shared / "data" / "cifar10-test.npz"), tmp_path_factory.mktemp("cifar10"))


def mistakes(checkup: Checkup) -> list[tuple[str, str]]:
    """What was found, and what mends it."""
    return [(finding.what, finding.fix) for finding in checkup.findings]


@pytest.mark.parametrize(
    ("attribute", "what", "fix"),
    [
        ("to_255", "the classifier expects pixels from 0 to 255", "say `range=0-255`"),
        ("permuted", "the class names stand in another order", "`classes_file=FILE`"),
        ("twice", "softmax twice", "take a softmax out of the classifier"),
        ("dropping", "an image's score is another one each time", "evaluation mode"),
        ("over_the_batch", "scores depend on the batch", "evaluation mode"),
        ("training", "scores depend on the batch", "evaluation mode"),
        ("hot", "the confidence saturates", "scaled up"),
        ("faint", "the scores hardly differ", "`range=0-255`"),
        ("dead", "all pictures have the same scores", "weights"),
        ("undivided_function", "the classifier expects pixels from 0 to 1", "(images / 255 - [0]) / [1]"),
    ],
)
def test_a_planted_mistake_around_digits_is_found(attribute: str, what: str, fix: str, digits: Check) -> None:
    found = mistakes(digits(attribute))
    assert any(one == what and fix in how for one, how in found), found


@pytest.mark.parametrize("attribute", ["right", "right_function", "log_softmax", "probabilities", "sigmoids"])
def test_nothing_is_said_of_a_network_for_digits_that_is_right(attribute: str, digits: Check) -> None:
    checkup = digits(attribute)
    assert mistakes(checkup) == []
    assert checkup.accuracies[0].right >= 97


@pytest.mark.parametrize(
    ("attribute", "count", "what", "fix"),
    [
        ("swapped", 200, "red and blue are swapped", "say `channels=bgr`"),
        ("swapped_function", 200, "red and blue are swapped", "say `channels=bgr`"),
        (
            "normalised_outside",
            60,
            "the classifier expects pixels normalised as ImageNet",
            "say `mean=0.485,0.456,0.406` `std=0.229,0.224,0.225`",
        ),
        ("from_minus_1", 200, "the classifier expects pixels from -1 to 1", "say `range=-1-1`"),
        (
            "swapped_to_255",
            60,
            "the classifier expects pixels from 0 to 255, and red and blue are swapped",
            "say `channels=bgr` `range=0-255`",
        ),
        ("channels_last", 60, "its axes are taken for NCHW", "say `layout=NHWC`"),
        ("reshaped", 60, "its axes are taken for NHWC", "say `layout=NCHW`"),
    ],
)
def test_a_planted_mistake_around_cifar10_is_found_and_its_fix_mends_it(
    attribute: str, count: int, what: str, fix: str, cifar10: Check
) -> None:
    checkup = cifar10(attribute, count=count)
    assert mistakes(checkup) == [(what, fix)]
    said = dict(part.strip("`").split("=") for part in fix.removeprefix("say ").split())
    mended = cifar10(attribute, count=60, **said)
    assert mistakes(mended) == []
    assert mended.accuracies[0].right >= 48


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"channels": "bgr", "count": 200}, "red and blue are swapped"),
        ({"range": "0-255"}, "the classifier expects pixels from 0 to 1"),
        (
            {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
            "the classifier expects pixels from 0 to 1",
        ),
    ],
)
def test_wrong_options_of_a_right_network_are_found(options: dict[str, Any], what: str, cifar10: Check) -> None:
    assert [one for one, _ in mistakes(cifar10("right", **{"count": 60, **options}))] == [what]


def test_nothing_is_said_of_a_network_for_cifar10_that_is_right(cifar10: Check) -> None:
    for attribute in ("right", "right_function"):
        checkup = cifar10(attribute, count=100)
        assert mistakes(checkup) == []
        readings = {accuracy.reading: accuracy.right for accuracy in checkup.accuracies}
        assert readings["as understood"] >= 80
        assert readings["as understood"] > readings["red and blue swapped"]


@pytest.mark.parametrize("name", ["digits", "mnist", "cifar10"])
def test_the_embedded_networks_are_understood_rightly(name: str, shared: Path) -> None:
    data = {"digits": "digits", "mnist": "mnist", "cifar10": shared / "data" / "cifar10-test.npz"}[name]
    checkup = evofool.check_target(name, data, data_dir=shared / "data", device="cpu", count=100)
    assert mistakes(checkup) == []


def test_the_order_of_the_class_names_is_told(digits: Check) -> None:
    """What stands at output i of the permuted network is class order[i]."""
    checkup = digits("permuted")
    assert checkup.order == ("3", "1", "2", "0", "4", "5", "6", "7", "9", "8")
    assert "output 0 is 3, output 3 is 0, output 8 is 9, output 9 is 8" in checkup.findings[0].evidence


def test_untrained_weights_are_told_by_an_accuracy_near_chance() -> None:
    network = tiny_network(channels=1, classes=10)
    target = evofool.Target(
        network, classes=[str(label) for label in range(10)], image_shape=(1, 8, 8), device="cpu", precision="float32"
    )
    (finding,) = evofool.check_target(target, "digits").findings
    assert finding.what == "the accuracy is near chance"
    assert "of 200 images are right, and chance makes 1 of 10 right" in finding.evidence


def test_a_few_images_are_not_enough_to_call_anything_wrong(cifar10: Check) -> None:
    assert mistakes(cifar10("swapped", count=10)) == []


def test_a_target_of_ones_own_is_mended_in_its_own_words(shared: Path) -> None:
    known = evofool.load_target("cifar10", device="cpu", precision="float32")
    target = evofool.Target(known.network, classes=known.classes, image_shape=known.image_shape, device="cpu")  # type: ignore[attr-defined]
    checkup = evofool.check_target(target, shared / "data" / "cifar10-test.npz", count=60)
    assert mistakes(checkup) == [
        (
            "the classifier expects pixels normalised as ImageNet",
            "make the Target so: evofool.Target(…, mean=[0.485,0.456,0.406], std=[0.229,0.224,0.225])",
        )
    ]


def test_a_normalisation_that_accuracy_cannot_tell_is_no_mistake_but_said(digits: Check) -> None:
    """A network without biases is as accurate on pixels up to 255, and surer. Which it was trained on, nobody sees."""
    checkup = digits("unsure")
    assert mistakes(checkup) == []
    (note,) = checkup.notes
    assert note.startswith(
        "whether it expects pixels from 0 to 255 or pixels from 0 to 16, as scikit-learn's digits: 88 of 100"
    )
    assert "if it was trained so, say `range=0-255`" in note
    assert digits("right").notes == ()


def test_images_of_one_class_are_said_to_tell_little(shared: Path, tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    pixels = np.rint(images.reshape(-1, 8, 8)[labels == 3][:20] * (255 / 16)).astype(np.uint8)
    np.savez(tmp_path / "threes.npz", images=pixels, labels=np.full(20, 3))
    checkup = evofool.check_target("digits", tmp_path / "threes.npz", device="cpu")
    assert "all images are of one class, so their accuracy tells little" in str(checkup)


class Plain:
    """A target that is neither torch's nor a function of arrays, and takes blue, green, red."""

    name, precision = "plain", "float32"

    def __init__(self) -> None:
        self.known = evofool.load_target("cifar10", device="cpu", precision="float32")
        self.classes, self.image_shape = list(self.known.classes), self.known.image_shape

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        return self.known.confirm(images.flip(1).contiguous())

    confirm = scores


def test_colours_of_a_target_that_reads_its_images_itself_are_swapped_in_the_images(shared: Path) -> None:
    checkup = evofool.check_target(Plain(), shared / "data" / "cifar10-test.npz")
    assert mistakes(checkup) == [
        ("red and blue are swapped", "reverse the colours in scores() and confirm(): images.flip(1)")
    ]


def test_logits_that_are_announced_as_probabilities_are_told(digits: Check) -> None:
    ((what, fix),) = mistakes(digits("right", outputs="probabilities"))
    assert what == "its scores can't be used"
    assert "`outputs=logits`" in fix


def test_probabilities_that_are_announced_as_logits_are_told(digits: Check) -> None:
    ((what, fix),) = mistakes(digits("probabilities", outputs="logits"))
    assert what == "its scores can't be used"
    assert "`outputs=probabilities`" in fix


def test_paid_queries_are_counted_and_limited() -> None:
    """14 pictures three times, 20 images as understood and in three other ways; none is asked for again."""
    options: dict[str, Any] = {"device": "cpu", "count": 20}
    counted = evofool.check_target("digits", "digits", count_queries=True, **options)
    assert counted.queries == 3 * 14 + 20 + 4 * 20
    assert "queries  142" in str(counted)
    assert evofool.check_target("digits", "digits", **options).queries is None
    with pytest.raises(evofool.EvofoolError, match="`max_queries=100` ends before the check does"):
        evofool.check_target("digits", "digits", max_queries=100, **options)


def test_as_text_it_says_all_that_was_understood(digits: Check) -> None:
    text = str(digits("to_255"))
    for part in ("1 mistake", "8 × 8, grey", "NCHW, float32, 0-1", "logits", "10: 0, 1, 2", "cpu", "images/s", "noise"):
        assert part in text
    for part in ("grey", "black", "white", "of 100 right", "wrong: the classifier expects pixels from 0 to 255"):
        assert part in text
    assert "`" not in text


def test_a_check_draws_nothing_from_global_generators(digits: Check) -> None:
    before = torch.get_rng_state()
    digits("right")
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(before.numpy(), torch.get_rng_state().numpy())
