"""The lists of layers against the networks that they were made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from evofool import load_target
from evofool.targets.doors.embedded import CARDS
from evofool.targets.layers import NETWORKS, Convolution, MaxPool, layers


def computed(name: str, images: torch.Tensor) -> torch.Tensor:
    """The probabilities of a list of layers, which torch's functions compute one by one."""
    card = CARDS[name]
    mean, std = (torch.tensor(part)[:, None, None] for part in (card.mean, card.std))
    before = x = (images / 255 - mean) / std
    for layer in layers(name):
        before, entered = x, before
        if isinstance(layer, MaxPool):
            x = F.max_pool2d(x, 2)
        elif isinstance(layer, Convolution):
            x = F.conv2d(x, torch.tensor(layer.weight), torch.tensor(layer.bias), layer.stride, layer.padding)
            if layer.shortcut and entered.shape != x.shape:
                missing = (x.shape[1] - entered.shape[1]) // 2
                entered = F.pad(entered[:, :, ::2, ::2], (0, 0, 0, 0, missing, missing))
            x = F.relu(x + (entered if layer.shortcut else 0)) if layer.relu else x
        else:
            x = x.mean((2, 3), keepdim=True)
    return x.flatten(1).softmax(1)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_layers_give_the_network_s_probabilities(name: str) -> None:
    shape = CARDS[name].image_shape
    small = np.random.default_rng(0).integers(0, 256, (24, shape[0], 4, 4), dtype=np.uint8)
    images = F.interpolate(torch.from_numpy(small), shape[1:])  # Pictures of blocks are of many classes, noise of few.
    expected = load_target(name, device="cpu", precision="float32").confirm(images)
    torch.testing.assert_close(computed(name, images), expected, rtol=0, atol=1e-5)
    assert len(expected.argmax(1).unique()) >= 3
