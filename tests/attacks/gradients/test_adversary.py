"""What networks are trained against."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evofool.attacks.gradients.adversary import PGD
from evofool.attacks.gradients.balls import L2, Ball, LInf


class Linear:
    """Two classes by the sum of the pixels, whose gradient is the same everywhere."""

    name = "linear"

    def logits(self, pixels: Tensor) -> Tensor:
        total = pixels.flatten(1).sum(1)
        return torch.stack([total, -total], 1)


@pytest.mark.parametrize(("ball", "most"), [(L2(0.5), 0.5), (LInf(0.1), 0.1)])
@pytest.mark.parametrize("steps", [1, 4])
def test_perturbations_go_to_the_edge_of_their_ball_against_the_label(ball: Ball, most: float, steps: int) -> None:
    pixels, labels = torch.full((4, 3, 5, 5), 0.5), torch.tensor([0, 1, 0, 1])
    found = PGD(ball, steps)(Linear(), pixels, labels, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    change = (found - pixels).flatten(1)
    size = change.norm(dim=1) if isinstance(ball, L2) else change.abs().amax(1)
    assert torch.all(size <= most + 1e-6)
    assert torch.all(size >= 0.95 * most)
    assert torch.equal(change.sum(1) < 0, labels == 0)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


def test_places_to_begin_are_drawn_by_the_generator_alone() -> None:
    pixels, labels = torch.rand((2, 1, 4, 4), generator=torch.Generator().manual_seed(5)), torch.tensor([0, 1])

    def found(seed: int) -> Tensor:
        return PGD(L2(0.5), 1)(Linear(), pixels, labels, torch.Generator().manual_seed(seed))  # type: ignore[arg-type]

    assert torch.equal(found(0), found(0))
    assert not torch.equal(found(0), found(1))
    assert repr(PGD(L2(0.25), 3)) == "PGD(ball=L2(radius=0.25), steps=3)"
