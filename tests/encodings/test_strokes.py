"""Strokes: what each does to a picture, by torch and by compiled loops, on pictures that show it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from support import build
from torch import Tensor

from evofool.encodings.direct import encoding as direct
from evofool.encodings.direct.batch import DirectBatch
from evofool.encodings.direct.strokes import STROKES, paste
from evofool.errors import ConfigError
from evofool.kernels import strokes as kernel
from evofool.kernels.constants import BOLD, FAINT, OPERATORS
from evofool.rng import Rng

N = 200

Stroke = Callable[[Tensor, Rng], Tensor]
Strokes = dict[str, Stroke]


def pictures(channels: int = 3, height: int = 20, width: int = 30) -> Tensor:
    """Different pixels everywhere."""
    return torch.rand((N, channels, height, width), generator=torch.Generator().manual_seed(1)) * 255


def by_loops(name: str) -> Stroke:
    """The compiled stroke, on one picture after the other."""

    def apply(before: Tensor, rng: Rng) -> Tensor:
        after, spare = before.contiguous().clone(), np.empty(before.shape[1:], np.float32)
        room = (spare,) if name in ("mix", "tile", "shrink") else ()
        for picture, seed in zip(after.numpy(), rng.seeds(len(after)), strict=True):
            getattr(kernel, name)(picture, *room, np.array([seed]))
        return after

    return apply


def pasted_by_loops(pictures: Tensor, partners: Tensor, rng: Rng) -> Tensor:
    after = pictures.clone()
    kernel.mate(pictures.numpy(), partners.numpy(), rng.seeds(len(pictures)), after.numpy())
    return after


LOOPS: dict[str, Stroke] = {name: by_loops(name) for name in STROKES}
both = pytest.mark.parametrize("strokes", [STROKES, LOOPS], ids=["torch", "loops"])


def test_the_loops_have_all_operators() -> None:
    assert ("pixels", *STROKES) == OPERATORS


@both
@pytest.mark.parametrize("name", STROKES)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 20, 30), (3, 1, 1), (1, 5, 2)])
def test_any_picture_can_be_changed(strokes: Strokes, name: str, shape: tuple[int, int, int]) -> None:
    before = pictures(*shape)
    kept = before.clone()
    after = strokes[name](before, Rng(0))
    assert after.shape == before.shape
    assert after.dtype == torch.float32
    assert bool(after.isfinite().all())
    assert torch.equal(before, kept)
    if min(shape[1:]) > 4:
        assert (after != before).flatten(1).any(1).float().mean() > 0.95


@both
@pytest.mark.parametrize("name", STROKES)
def test_rows_don_t_meet(strokes: Strokes, name: str) -> None:
    """What happens to a row does not depend on the others' pictures."""
    before, others = pictures(), pictures()
    others[1:] = 7.0
    assert torch.equal(strokes[name](before, Rng(5))[0], strokes[name](others, Rng(5))[0])


@both
def test_a_grating_is_a_sine_wave_in_one_colour(strokes: Strokes) -> None:
    change = strokes["grating"](torch.zeros(N, 3, 64, 64), Rng(0))
    strongest = change.abs().amax((1, 2, 3))
    assert float(strongest.max()) <= BOLD * 1.001
    assert float(strongest.min()) > FAINT * 0.5  # A slow wave may not reach its top.
    flat = change.flatten(2)
    ranks = torch.linalg.svdvals(flat)
    assert bool((ranks[:, 1] < 1e-3 * ranks[:, 0]).all())  # Channels are multiples of one wave.
    spectrum = torch.fft.fft2(change[:, 0] - change[:, 0].mean((1, 2), keepdim=True)).abs()
    assert spectrum.flatten(1).argmax(1).unique().numel() > 50  # Many directions and frequencies.


@both
def test_colours_change_alike_everywhere(strokes: Strokes) -> None:
    """Each channel is a straight line of what it was."""
    before = pictures()
    after = strokes["colour"](before, Rng(0))
    x, y = before.flatten(2), after.flatten(2)
    slope = (y[..., 1] - y[..., 0]) / (x[..., 1] - x[..., 0])
    assert torch.allclose(y - slope[..., None] * (x - x[..., :1]), y[..., :1].expand_as(y), atol=0.05)


@both
def test_mixing_grey_is_contrast_and_leaves_the_middle(strokes: Strokes) -> None:
    assert torch.allclose(strokes["mix"](torch.full((N, 3, 4, 4), 128.0), Rng(0)), torch.full((N, 3, 4, 4), 128.0))
    before = pictures(1) - 128
    after = strokes["mix"](before + 128, Rng(0)) - 128
    ratio = (after * before).sum((2, 3), keepdim=True) / before.square().sum((2, 3), keepdim=True)
    assert torch.allclose(after, ratio * before, atol=1e-2)
    assert float(ratio.std()) == pytest.approx(0.25, rel=0.2)


@both
def test_tiles_repeat_and_come_from_the_picture(strokes: Strokes) -> None:
    before = torch.arange(20.0)[:, None] * 30 + torch.arange(30.0)
    after = strokes["tile"](before.expand(N, 1, 20, 30), Rng(0))[:, 0]
    periods = set()
    for picture in after:
        rows = picture[:, 0]
        period = next(p for p in range(4, 11) if torch.equal(rows[p:], rows[:-p]))
        periods.add(period)
        assert torch.equal(rows[:period], rows[0] + 30 * torch.arange(float(period)))
    assert periods == set(range(5, 11))


@both
def test_a_smaller_picture_is_mirrored(strokes: Strokes) -> None:
    after = strokes["shrink"](torch.arange(100.0).expand(N, 1, 4, 100), Rng(0))[:, 0, 0]
    for line in after:
        top = int(line.argmax())
        assert 48 <= top <= 99
        assert bool((line[: top + 1].diff() >= 0).all())
        assert bool((line[top:].diff() <= 0).all())


@pytest.mark.parametrize("paste", [paste, pasted_by_loops], ids=["torch", "loops"])
def test_a_pasted_rectangle_is_the_partner_s_shifted(paste: Callable[[Tensor, Tensor, Rng], Tensor]) -> None:
    black, partners = torch.zeros(N, 3, 20, 30), torch.arange(1.0, 601.0).view(20, 30).expand(N, 3, 20, 30)
    after = paste(black, partners, Rng(0))
    assert torch.equal(after[:, 0], after[:, 2])
    for picture in after[:, 0]:
        inside = picture > 0
        rows, columns = inside.any(1).nonzero()[:, 0], inside.any(0).nonzero()[:, 0]
        assert int(inside.sum()) == len(rows) * len(columns)
        if len(rows):
            patch = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] - 1
            y, x = patch[0, 0] // 30, patch[0, 0] % 30
            expected = (y + torch.arange(float(len(rows)))) % 20 * 30
            assert torch.equal(patch, expected[:, None] + (x + torch.arange(float(len(columns)))) % 30)


@pytest.mark.parametrize("operator", OPERATORS)
def test_each_operator_can_be_the_only_one(varied_both_ways: None, operator: str) -> None:
    encoding = build("direct", "default", (3, 16, 16), operators=(operator,), again=0.0)
    parents = encoding.random(N, Rng(0))
    children = encoding.mutate(parents, Rng(1))
    assert children.genes.dtype == torch.uint8
    assert (children.genes != parents.genes).flatten(1).any(1).float().mean() > 0.9


def test_operators_are_drawn_alike_and_a_second_one_at_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strokes that add 1 and 16: the sum tells which were applied."""
    monkeypatch.setattr(direct, "LOOP_DEVICES", set())
    monkeypatch.setitem(STROKES, "grating", lambda p, rng: p + 1)
    monkeypatch.setitem(STROKES, "colour", lambda p, rng: p + 16)
    encoding = build("direct", "default", (1, 2, 2), operators=("grating", "colour"), again=0.3)
    sums = encoding.mutate(DirectBatch(torch.zeros(20_000, 1, 2, 2, dtype=torch.uint8)), Rng(0)).genes[:, 0, 0, 0]
    counts = {value: int((sums == value).sum()) / 20_000 for value in sums.unique().tolist()}
    expected = {1: 0.35, 16: 0.35, 2: 0.075, 32: 0.075, 17: 0.15}
    assert counts.keys() == expected.keys()
    for value, share in expected.items():
        assert abs(counts[value] - share) < 5 * np.sqrt(share * (1 - share) / 20_000)


def test_loops_draw_operators_alike_and_a_second_one_at_its_rate() -> None:
    """On grey pictures: tiles leave them as they are, a grating doesn't."""
    given = np.full((20_000, 1, 8, 8), 128, np.uint8)
    children = np.empty_like(given)
    seeds = np.arange(20_000, dtype=np.uint64)

    def untouched(operators: list[int], again: float) -> float:
        kernel.mutate(given, np.array(operators), again, 0.1, 1.0, 15.0, seeds, children)
        return float((children == given).all((1, 2, 3)).mean())

    quiet, loud = [OPERATORS.index(name) for name in ("tile", "grating")]  # Tiles of grey are grey.
    for operators, again, share in (
        ([quiet], 1.0, 1.0), ([loud], 0.0, 0.0), ([quiet, loud], 0.0, 0.5), ([quiet, loud, loud], 0.0, 1 / 3),
        ([quiet, loud], 0.3, 0.5 * (0.7 + 0.15)), ([quiet, loud], 1.0, 0.25),
    ):  # fmt: skip
        assert untouched(operators, again) == pytest.approx(
            share, abs=5 * np.sqrt(0.25 / 20_000) if 0 < share < 1 else 0
        )


@pytest.mark.parametrize(
    "changes",
    [{"operators": ()}, {"operators": ("blur",)}, {"again": 1.5}, {"crossing": "cut"}, {"start": "black"}],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="direct settings: "):
        build("direct", "default", **changes)
