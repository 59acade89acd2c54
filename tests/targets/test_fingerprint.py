"""What tells two networks of the same name and shape apart."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
import torch
from support import tiny_network
from torch import nn

from evofool.errors import TargetError
from evofool.targets.fingerprint import own_fingerprint, tensors_digest


def test_it_is_the_sha_256_of_names_types_shapes_and_bytes() -> None:
    network = nn.Linear(2, 1)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[1.0, -2.0]]))
        network.bias.fill_(0.5)
    told = b"bias torch.float32 (1,)\n" + bytes.fromhex("0000003f")
    told += b"weight torch.float32 (1, 2)\n" + bytes.fromhex("0000803f000000c0")
    assert tensors_digest(network) == hashlib.sha256(told).hexdigest()


class Counted(nn.Module):
    """Has a buffer that its state dict leaves out."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(value), persistent=False)


def changed(network: nn.Module) -> nn.Module:
    with torch.no_grad():
        next(network.parameters()).view(-1)[3] += 1e-6
    return network


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (tiny_network(), changed(tiny_network())),
        (tiny_network(), tiny_network().double()),
        (nn.Linear(2, 3, bias=False), nn.Linear(3, 2, bias=False)),
        (Counted(1.0), Counted(2.0)),
        (nn.BatchNorm2d(3), nn.BatchNorm2d(3).requires_grad_(False).apply(lambda norm: norm.running_mean.add_(1))),
    ],
    ids=["a weight", "the type", "the shape", "a hidden buffer", "a statistic"],
)
def test_other_networks_have_other_digests(ours: nn.Module, theirs: nn.Module) -> None:
    assert tensors_digest(ours) != tensors_digest(theirs)


@pytest.mark.parametrize("wrappers", [["module"], ["_orig_mod"], ["_orig_mod", "module"]])
def test_a_wrapper_is_not_another_network(wrappers: list[str]) -> None:
    """As those of ``DataParallel`` and ``torch.compile``, whose import takes half a minute."""
    network = tiny_network()
    for name in wrappers:
        network = nn.ModuleDict({name: network})
    assert tensors_digest(network) == tensors_digest(tiny_network())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_quantised_weights_are_told_apart() -> None:
    def quantised(seed: int) -> nn.Module:
        return torch.ao.quantization.quantize_dynamic(tiny_network(seed=seed), {nn.Linear}, dtype=torch.qint8)

    assert tensors_digest(quantised(0)) == tensors_digest(quantised(0)) != tensors_digest(quantised(1))


@pytest.mark.parametrize("network", [nn.ReLU(), nn.Linear(2, 3, device="meta"), nn.LazyLinear(3)])
def test_what_has_no_tensors_has_no_digest(network: nn.Module) -> None:
    assert tensors_digest(network) is None


class Says:
    def __init__(self, fingerprint: Any) -> None:
        self.fingerprint = fingerprint


def test_an_object_may_say_what_it_is() -> None:
    assert own_fingerprint(Says("v1")) == own_fingerprint(Says(lambda: "v1")) == "v1"
    assert own_fingerprint(Says(None)) is None
    assert own_fingerprint(object()) is None
    network = nn.Sequential()
    network.add_module("fingerprint", nn.Linear(2, 2))  # a layer that happens to be called so
    assert own_fingerprint(network) is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (5, "must be text of 1 to 200 characters, got 5"),
        ("", "must be text of 1 to 200"),
        ("x" * 201, "must be text of 1 to 200"),
        (lambda: 1 / 0, "failed: ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_no_fingerprint_is_refused(said: Any, message: str) -> None:
    with pytest.raises(TargetError, match=re.escape(f"`fingerprint` of Says {message}")):
        own_fingerprint(Says(said))
