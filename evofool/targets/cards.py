"""Model cards: what is known of every target that evofool builds by name."""

from __future__ import annotations

from dataclasses import dataclass

CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
DIGIT_CLASSES = tuple("0123456789")


@dataclass(frozen=True)
class Card:
    """A model card. ``mean`` and ``std`` are per channel, of pixels in [0, 1]."""

    name: str
    architecture: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    """(C, H, W)"""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    data: str
    """what it learned from"""
    accuracy: str
    """measured top-1 accuracy, and on what"""
    licence: str
    weights: str
    """the embedded file's name, ``torchvision``, or empty where the user brings them"""
    resize: int
    """pictures of other sizes: the shorter side becomes this, then the centre is cropped"""
    interpolation: str = "bilinear"


def _cifar(depth: int) -> Card:
    embedded = depth == 20
    return Card(
        name="cifar10" if embedded else f"cifar10:resnet{depth}",
        architecture=f"CIFAR ResNet-{depth}, option-A shortcuts (He et al. 2016)",
        classes=CIFAR10_CLASSES,
        image_shape=(3, 32, 32),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        data="CIFAR-10 (JPEG copies), 50,000 images" if embedded else "the user's own",
        accuracy="87.56 % of 5,000 held-out images (JPEG copies)" if embedded else "depends on the weights",
        licence="MIT, trained by this project" if embedded else "the user's own",
        weights="cifar10" if embedded else "",
        resize=32,
    )


CARDS: dict[str, Card] = {
    "cifar10": _cifar(20),
    "cifar10:resnet32": _cifar(32),
    "cifar10:resnet44": _cifar(44),
    "cifar10:resnet56": _cifar(56),
    "mnist": Card(
        name="mnist",
        architecture="LeNet as in Caffe: conv 20@5, pool, conv 50@5, pool, fc 500 ReLU, fc 10",
        classes=DIGIT_CLASSES,
        image_shape=(1, 28, 28),
        mean=(0.0,),
        std=(256 / 255,),
        data="MNIST, 60,000 images, pixels / 256",
        accuracy="99.50 % of the 10,000 test images",
        licence="MIT, trained by this project",
        weights="mnist",
        resize=28,
    ),
    "digits": Card(
        name="digits",
        architecture="two 3×3 convolutions (16, 32), pool, fc 64, fc 10",
        classes=DIGIT_CLASSES,
        image_shape=(1, 8, 8),
        mean=(0.0,),
        std=(1.0,),
        data="scikit-learn's handwritten digits, 1,437 of 1,797 images",
        accuracy="98.89 % of 360 held-out images",
        licence="MIT, trained by this project",
        weights="digits",
        resize=8,
    ),
}
"""The targets with a name of their own; ``torchvision:NAME`` cards are made by ``zoo.vision``."""

ALIASES = {"cifar10:resnet20": "cifar10", "mnist:lenet": "mnist"}
