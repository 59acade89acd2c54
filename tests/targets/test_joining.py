"""Layers that do what follows them as well: the same outputs in float32, and in bfloat16 as close as before."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from test_folding import Residual, drawn, target_of
from torch import Tensor, nn

from evofool.targets.execution.execution import Execution
from evofool.targets.execution.fusing import FusedConvolution, fuse, is_fused
from evofool.targets.execution.joining import join
from evofool.targets.execution.pooling import MaxPooling
from evofool.targets.execution.tracing import trace

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(),  # type: ignore[no-untyped-call]
    reason="torch was built without oneDNN",
)


class Padded(nn.Conv2d):
    """Pads by zeros and calls ``conv2d``, as TensorFlow's "same" convolutions are rebuilt."""

    def __init__(self, channels_in: int, channels: int, edges: tuple[int, ...], groups: int = 1) -> None:
        super().__init__(channels_in, channels, 3, stride=2, groups=groups)
        self.pads = nn.ZeroPad2d(edges)  # type: ignore[arg-type]

    def forward(self, pixels: Tensor) -> Tensor:
        return F.conv2d(
            self.pads(pixels), self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


class Normalised(nn.BatchNorm2d):
    """Calls ``batch_norm`` itself, and an activation function after it."""

    def forward(self, pixels: Tensor) -> Tensor:
        return F.relu6(F.batch_norm(pixels, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps))


class TwoConvolutions(nn.Module):
    """Does with two convolutions what it is told."""

    def __init__(self, way: Callable[[nn.Module, nn.Module, Tensor], Tensor], groups: int = 1) -> None:
        super().__init__()
        self.one, self.two, self.way = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1, groups=groups), way

    def forward(self, pixels: Tensor) -> Tensor:
        return self.way(self.one, self.two, pixels).mean((2, 3))


def add_to_what_is_read(one: nn.Module, two: nn.Module, pixels: Tensor) -> Tensor:
    first = one(pixels).relu_()
    second = two(first)
    first += second
    return second + first


def clamp_unused(one: nn.Module, two: nn.Module, pixels: Tensor) -> Tensor:
    first = one(pixels)
    first.clamp_(-9, 9)
    return two(first)


def clamp_beside(one: nn.Module, two: nn.Module, pixels: Tensor) -> Tensor:
    first = one(pixels)
    return two(first) + first.clamp_(-9, 9)


def lower_what_is_pooled(one: nn.Module, two: nn.Module, pixels: Tensor) -> Tensor:
    first = one(pixels).relu()
    lower = first.sub_(1)
    return two(F.max_pool2d(first, 2) + F.max_pool2d(lower, 2))


def add_and_activate(function: Callable[[Tensor], Tensor]) -> Callable[[nn.Module, nn.Module, Tensor], Tensor]:
    return lambda one, two, pixels: function(two(first := one(pixels)) + first)


def pool_what_is_small(one: nn.Module, two: nn.Module, pixels: Tensor) -> Tensor:
    small = F.avg_pool2d(one(pixels), 6).relu()
    return two(F.max_pool2d(small, 13, 1, 6))


def pool_and_view(one: nn.Module, two: nn.Module, pixels: Tensor) -> Tensor:
    return one(pixels).mean((2, 3), keepdim=True) + F.max_pool2d(F.avg_pool2d(pixels, 2), 2).view(len(pixels), 1, 3, -1)


def add_of_two_types(one: nn.Module, two: nn.Module, pixels: Tensor) -> Tensor:
    return two(first := one(pixels)) + first.float()


KEPT = (clamp_unused, clamp_beside, lower_what_is_pooled, pool_and_view)
"""Those that can't be joined: three change what is read elsewhere, and one can't have its images in channels last."""


class Mixed(nn.Module):
    """Concatenates, pools and adds what has another shape."""

    def __init__(self, ceil: bool = True) -> None:
        super().__init__()
        self.one, self.two, self.three = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3), nn.Conv2d(8, 8, 1)
        self.pool = nn.MaxPool2d(3, 2, 1, ceil_mode=ceil)

    def forward(self, pixels: Tensor) -> Tensor:
        both = self.pool(torch.cat([F.relu(self.one(pixels)), self.two(pixels).relu()], 1))
        return F.max_pool2d(self.three(both) + both.mean((2, 3), keepdim=True), 2).flatten(1)


def chain(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "residual": Residual,
    "looked at early": lambda: Residual(early=True),
    **{
        way.__name__: lambda way=way: TwoConvolutions(way)
        for way in (*KEPT, add_to_what_is_read, pool_what_is_small, add_of_two_types)
    },
    **{
        f"sum, {function.__name__}, {groups} groups": lambda function=function, groups=groups: TwoConvolutions(
            add_and_activate(function), groups
        )
        for function in (F.relu, F.relu6, F.silu, F.hardswish)
        for groups in (1, 2, 4)
    },
    "mixed": Mixed,
    "mixed, floor": lambda: Mixed(ceil=False),
    "padded": lambda: chain(Padded(3, 6, (1, 1, 1, 1)), Normalised(6)),
    "padded more below": lambda: chain(nn.Conv2d(3, 6, 1), Padded(6, 6, (0, 1, 0, 1), groups=6), Normalised(6)),
    "padded more on the right": lambda: chain(nn.Conv2d(3, 6, 1), Padded(6, 6, (0, 2, 1, 1), groups=6)),
    "padded more above": lambda: chain(Padded(3, 6, (1, 0, 1, 0)), nn.ReLU()),
    "same": lambda: chain(nn.Conv2d(3, 4, 3, padding="same"), nn.ReLU()),
    "reflecting": lambda: chain(nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.ReLU()),
    "dilated": lambda: chain(nn.Conv2d(3, 4, 3, dilation=2, padding=2), nn.BatchNorm2d(4), nn.Dropout(), nn.ReLU6()),
    **{
        type(layer).__name__: lambda layer=layer: chain(nn.Conv2d(3, 4, 3), nn.Identity(), layer)
        for layer in (nn.ReLU(inplace=True), nn.SiLU(), nn.Hardswish(), nn.GELU(), nn.LeakyReLU())
    },
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
def test_a_joined_network_gives_the_same(name: str, memory_format: torch.memory_format) -> None:
    network = drawn(NETWORKS[name]())
    before = copy.deepcopy(network.state_dict())
    images = torch.randn(5, 3, 12, 12).contiguous(memory_format=memory_format)
    random = torch.get_rng_state()
    joined = join(network, images[:2])
    assert torch.equal(random, torch.get_rng_state())
    kept = ("same", "reflecting", *(way.__name__ for way in KEPT))
    if name in kept:  # of the first two, torch's oneDNN convolutions know nothing
        assert joined is None
        return
    assert joined is not None
    assert is_fused(joined.exact)
    with torch.inference_mode():
        expected = network(images)
        assert torch.allclose(joined.exact(images), expected, atol=1e-5)
        rounded = joined.in_bfloat16()(images.bfloat16()).float()
        assert torch.allclose(rounded, expected, atol=0.05 * float(expected.abs().max()))
        again = copy.deepcopy(joined.in_bfloat16())
        assert torch.equal(again(images.bfloat16()), joined.in_bfloat16()(images.bfloat16()))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_sums_and_activations_are_fused() -> None:
    network = drawn(Residual())
    joined = join(network, torch.randn(2, 3, 8, 8))
    assert joined is not None
    made = joined.exact
    called = [node.target for node in made.graph.nodes if node.op not in ("placeholder", "output")]
    assert len(called) == 3, called  # both convolutions, and the mean
    assert sum(isinstance(layer, FusedConvolution) for layer in made.modules()) == 2


def test_zeros_before_a_convolution_become_its_own() -> None:
    for name, left in (("padded", 0), ("padded more below", 0), ("padded more above", 1)):
        network = trace(drawn(NETWORKS[name]()))
        assert sum(isinstance(layer, nn.ZeroPad2d) for layer in network.modules()) == left, name


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(
    ("edge", "stride", "padding", "size"), [(3, 2, 0, 11), (2, 2, 0, 8), (3, 2, 1, 12), (3, 1, 1, 7)]
)
def test_pooling_is_that_of_torch(edge: int, stride: int, padding: int, size: int, positive: bool) -> None:
    images = torch.randn(5, 6, size, size + 3, generator=torch.Generator().manual_seed(0)).bfloat16()
    images = images.abs() if positive else images
    images = images.contiguous(memory_format=torch.channels_last)
    expected = F.max_pool2d(images, edge, stride, padding)
    layer = MaxPooling(edge, stride, padding, (expected.shape[2], expected.shape[3]), positive)
    assert torch.equal(layer(images), expected)


def test_pooling_in_bfloat16_changes_no_bit() -> None:
    network = drawn(Mixed()).to(torch.bfloat16)
    images = torch.randn(4, 3, 13, 13).bfloat16().contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        fused = fuse(trace(network), images)
        assert sum(isinstance(layer, MaxPooling) for layer in fused.modules()) == 2
        assert torch.equal(fused(images), network(images))


def test_a_network_without_normalisations_may_be_folded_on_a_cpu() -> None:
    target = target_of(chain(nn.Conv2d(3, 4, 3), nn.ReLU()), fold=True)
    assert target.execution.fold
    assert "fold" in target_of(chain(nn.Conv2d(3, 4, 3), nn.ReLU())).tunable
    images = torch.randint(0, 256, (9, 3, 8, 8), dtype=torch.uint8)
    target.apply(Execution("bfloat16", "channels_last", 4, fold=True))
    assert torch.allclose(target.scores(images), target.confirm(images), atol=0.05)


@pytest.mark.parametrize("where", [lambda network: network, lambda network: network.norm1])
def test_a_network_that_somebody_hooked_into_stays_as_it_is(where: Callable[[Residual], nn.Module]) -> None:
    network = drawn(Residual())
    where(network).register_forward_hook(lambda _module, _given, found: found.clamp(max=9))  # type: ignore[arg-type]
    assert join(network, torch.randn(2, 3, 8, 8)) is None


def test_weights_that_change_are_joined_anew() -> None:
    target, images = target_of(drawn(Residual()), fold=True), torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    before = target.confirm(images)
    with torch.no_grad():
        for parameter in target.network.parameters():
            parameter.add_(0.3)
    plain = target_of(copy.deepcopy(target.network), fold=False)
    assert not torch.allclose(before, plain.confirm(images), atol=1e-3)
    assert torch.allclose(target.confirm(images), plain.confirm(images), atol=1e-5)
    assert torch.allclose(target.scores(images), plain.confirm(images), atol=1e-5)


def test_a_joined_target_can_be_copied_and_pickled() -> None:
    target, images = target_of(drawn(Residual()), fold=True), torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    made = target._runner._exact
    pixels = torch.randn(4, 3, 8, 8)
    assert torch.equal(pickle.loads(pickle.dumps(made))(pixels), made(pixels))
    assert torch.equal(copy.deepcopy(target).scores(images), target.scores(images))


def test_what_cannot_be_joined_is_not_told(capfd: pytest.CaptureFixture[str]) -> None:
    network = chain(nn.Conv2d(3, 4, 3), nn.ReLU())
    network.append(nn.Linear(5, 2))
    assert join(network.eval(), torch.randn(2, 3, 8, 8)) is None
    assert capfd.readouterr() == ("", "")
