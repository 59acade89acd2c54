"""The small networks: shapes, names, and He's and Caffe's architectures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from evofool.targets.networks import CifarResNet, ConvNet, DigitsNet, LeNet, LogisticRegression, Perceptron


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize(("depth", "blocks"), [(20, 3), (32, 5), (44, 7), (56, 9)])
def test_a_cifar_resnet_has_its_depth(depth: int, blocks: int) -> None:
    network = CifarResNet(depth)
    assert [len(stage) for stage in (network.layer1, network.layer2, network.layer3)] == [blocks] * 3
    layers = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) == depth


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85)])
def test_a_cifar_resnet_has_the_paper_s_number_of_parameters(depth: int, millions: float) -> None:
    """He et al. 2016, table 6; option A's shortcuts have none."""
    count = sum(parameter.numel() for parameter in CifarResNet(depth).parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize(
    ("build", "shape", "classes"),
    [
        (LeNet, (1, 28, 28), 10),
        (LogisticRegression, (1, 28, 28), 10),
        (DigitsNet, (1, 8, 8), 10),
        (lambda: CifarResNet(20, 7), (3, 32, 32), 7),
        (lambda: ConvNet(3, 7), (3, 32, 32), 7),
        (lambda: ConvNet(1), (1, 8, 8), 10),
        (lambda: ConvNet(3, normalised=True), (3, 32, 32), 10),
        (lambda: Perceptron(64, 4), (1, 8, 8), 4),
        (lambda: Perceptron(64, 4, 16), (1, 8, 8), 4),
    ],
)
def test_logits_are_one_a_class(build: Callable[[], torch.nn.Module], shape: tuple[int, ...], classes: int) -> None:
    assert build().eval()(torch.rand(5, *shape)).shape == (5, classes)


def test_option_a_shortcuts_subsample_and_pad_with_zeros() -> None:
    block = CifarResNet(20).layer2[0].eval()
    torch.nn.init.zeros_(block.bn2.weight)
    torch.nn.init.zeros_(block.bn2.bias)
    x = torch.rand(2, 16, 8, 8)
    expected = torch.zeros(2, 32, 4, 4)
    expected[:, 8:24] = x[:, :, ::2, ::2]
    assert torch.equal(block(x), expected)


def test_lenet_is_caffe_s(shared: Path) -> None:
    """Written out from examples/mnist/lenet.prototxt: no nonlinearity after the convolutions."""
    weights = load_file(shared / "weights" / "lenet-mnist-caffe.safetensors")
    network = LeNet()
    network.load_state_dict({k: v for k, v in weights.items() if k != "mean"})
    x = torch.rand(3, 1, 28, 28)
    h = F.max_pool2d(F.conv2d(x, weights["conv1.weight"], weights["conv1.bias"]), 2, 2)
    h = F.max_pool2d(F.conv2d(h, weights["conv2.weight"], weights["conv2.bias"]), 2, 2)
    h = F.relu(h.reshape(3, 800) @ weights["ip1.weight"].T + weights["ip1.bias"])
    expected = h @ weights["ip2.weight"].T + weights["ip2.bias"]
    torch.testing.assert_close(network(x), expected, atol=1e-4, rtol=1e-4)
    assert h.shape == (3, 500)
    assert not torch.allclose(network(x), network(x.flip(3)))


@pytest.mark.parametrize("name", ["resnet20-cifar10", "resnet32-cifar10"])
def test_public_checkpoints_name_the_same_tensors(shared: Path, name: str) -> None:
    weights = load_file(shared / "weights" / f"{name}.safetensors")
    depth = int(name.removeprefix("resnet").split("-")[0])
    ours = {k: v.shape for k, v in CifarResNet(depth).state_dict().items() if "num_batches" not in k}
    assert {k: v.shape for k, v in weights.items() if "num_batches" not in k} == ours
