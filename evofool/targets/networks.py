"""The small networks that evofool trains, ships and reads weights for."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class LeNet(nn.Module):
    """Caffe's LeNet for MNIST, (B, 1, 28, 28) -> (B, classes) logits.

    Tensor names and shapes are Caffe's (``examples/mnist/lenet.prototxt``): two 5×5 convolutions, each
    followed by 2×2 max pooling and *no* nonlinearity, then 500 ReLU units.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.ip1 = nn.Linear(800, 500)
        self.ip2 = nn.Linear(500, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(self.conv2(x), 2)
        logits: Tensor = self.ip2(F.relu(self.ip1(x.flatten(1))))
        return logits


class LogisticRegression(nn.Module):
    """Multinomial logistic regression on MNIST's pixels, (B, 1, 28, 28) -> (B, classes) logits: a shallow softmax."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.linear = nn.Linear(784, classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.linear(x.flatten(1))
        return logits


class DigitsNet(nn.Module):
    """A small convolutional network for 8×8 handwritten digits, (B, 1, 8, 8) -> (B, classes) logits."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc1 = nn.Linear(512, 64)
        self.fc2 = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        logits: Tensor = self.fc2(F.relu(self.fc1(x.flatten(1))))
        return logits


class _BasicBlock(nn.Module):
    """Two 3×3 convolutions and an option-A shortcut: subsampling and zero padding, no parameters."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride = stride
        self.padding = (channels - channels_in) // 2

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.stride != 1:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.padding, self.padding))
        return F.relu(out + x)


class CifarResNet(nn.Module):
    """The CIFAR ResNet of He et al. 2016 (section 4.2), (B, 3, 32, 32) -> (B, classes) logits.

    ``depth`` is 6n + 2 (20, 32, 44, 56); shortcuts are option A. Tensor names are those of the public
    checkpoints: ``conv1 bn1 layer1.0.conv1 … linear``.
    """

    def __init__(self, depth: int, classes: int = 10) -> None:
        super().__init__()
        blocks = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = self._stage(16, 16, 1, blocks)
        self.layer2 = self._stage(16, 32, 2, blocks)
        self.layer3 = self._stage(32, 64, 2, blocks)
        self.linear = nn.Linear(64, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    @staticmethod
    def _stage(channels_in: int, channels: int, stride: int, blocks: int) -> nn.Sequential:
        first = _BasicBlock(channels_in, channels, stride)
        return nn.Sequential(first, *(_BasicBlock(channels, channels, 1) for _ in range(blocks - 1)))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        logits: Tensor = self.linear(x.mean((2, 3)))
        return logits


class ConvNet(nn.Module):
    """Three 3×3 convolutions of stride 2 and a linear layer, (B, C, H, W) -> (B, classes) logits.

    At ``width`` 32 an image of 32×32 pixels takes 2.6 million multiplications, a sixteenth of a ResNet-20's. With
    ``normalised`` a batch normalisation follows each convolution, and trainings need fewer epochs.
    """

    def __init__(self, channels: int, classes: int = 10, width: int = 32, normalised: bool = False) -> None:
        super().__init__()
        self.conv1 = _convolution(channels, width, normalised)
        self.conv2 = _convolution(width, 2 * width, normalised)
        self.conv3 = _convolution(2 * width, 4 * width, normalised)
        self.linear = nn.Linear(4 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        logits: Tensor = self.linear(F.relu(self.conv3(x)).mean((2, 3)))
        return logits


def _convolution(channels_in: int, channels: int, normalised: bool) -> nn.Module:
    """Return a 3×3 convolution of stride 2, followed by a batch normalisation if asked."""
    convolution = nn.Conv2d(channels_in, channels, 3, 2, 1, bias=not normalised)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels)) if normalised else convolution


class Perceptron(nn.Module):
    """A layer of ReLU units between pixels and classes, or none, (B, C, H, W) -> (B, classes) logits."""

    def __init__(self, pixels: int, classes: int = 10, hidden: int = 0) -> None:
        super().__init__()
        self.hidden = nn.Linear(pixels, hidden) if hidden else None
        self.linear = nn.Linear(hidden or pixels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        logits: Tensor = self.linear(x if self.hidden is None else F.relu(self.hidden(x)))
        return logits
