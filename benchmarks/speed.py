"""What an evolution costs beside its network's forward passes: utilisation, the renderer alone, defaults, a peer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

from evofool.targets.execution.devices import choose_device, choose_precision

from .common import Row, imagenet_weights, table
from .renderer import renderer
from .ribs_loop import ribs_and_ours
from .tuned import tuned_beside_defaults
from .utilisation import utilisation


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Yield medians of five: utilisation of each network in float32, then the renderer, the defaults and the peer.

    Where the hardware has bfloat16, the networks follow in that.
    """
    rows: list[Row] = []
    native = choose_precision("auto", choose_device("auto")) == "bfloat16"
    networks = _networks()
    parts: list[Callable[[], list[Row]]] = [
        *(partial(utilisation, *network, "float32") for network in networks),
        renderer,
        *(partial(tuned_beside_defaults, *network) for network in networks if network[0] != "mnist"),
        ribs_and_ours,
        *(partial(utilisation, *network, "bfloat16") for network in networks if native),
    ]
    for part in parts:
        measured = part()
        if measured:
            table(measured)
            rows = [*rows, *measured]
            yield rows


def _networks() -> list[tuple[str, Path | None]]:
    """Return the networks by name, with their weights where these aren't embedded."""
    large = ["squeezenet1_1", *(["resnet50"] if torch.cuda.is_available() else [])]
    return [("mnist", None), ("cifar10", None), *((f"torchvision:{name}", imagenet_weights(name)) for name in large)]
