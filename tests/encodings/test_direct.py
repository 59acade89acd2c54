"""Direct genomes: mutation and crossover against their closed forms, in 8 bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import build

from evofool.encodings import preset
from evofool.encodings.direct.batch import DirectBatch
from evofool.errors import GenomeError
from evofool.rng import Rng

pytestmark = pytest.mark.usefixtures("varied_both_ways")

SHAPE = (1, 50, 50)
SAMPLES = 40 * 50 * 50
PLAIN = {"operators": ("pixels",), "again": 0.0, "crossing": "sbx", "start": "noise"}


def uniform(value: int, n: int = 40) -> DirectBatch:
    return DirectBatch(torch.full((n, *SHAPE), value, dtype=torch.uint8))


def test_no_parents_have_no_children() -> None:
    encoding = build("direct", "default", (3, 4, 4))
    assert len(encoding.mutate(encoding.random(0, Rng(0)), Rng(0))) == 0


def mutated(value: int, n: int = 40, seed: int = 0, **changes: float) -> np.ndarray:
    """(n, genes) int: what grey genes of one value become."""
    encoding = build("direct", "nguyen2015", SHAPE, **changes)
    return encoding.mutate(uniform(value, n), Rng(seed)).genes.flatten(1).int().numpy()


def step_cdf(d: np.ndarray, eta: float) -> np.ndarray:
    """P(δ ≤ d) of polynomial mutation (Deb & Agrawal 1999, eq. 4)."""
    d = np.clip(d, -1, 1)
    tail = 0.5 * (1 - np.abs(d)) ** (eta + 1)
    return np.where(d < 0, tail, 1 - tail)


def four_deviations(rate: float, n: int = SAMPLES) -> float:
    return 4 * float(np.sqrt(rate * (1 - rate) / n)) + 1e-9


def test_nguyen2015_is_the_paper_s() -> None:
    expected = {"rate": 0.1, "eta": 15.0, "crossover": 0.5, "crossover_eta": 10.0, "spread": 1.0}
    assert preset("direct", "nguyen2015") == expected | PLAIN
    assert build("direct", "nguyen2015").crossover_rate == 0.5


def test_first_genes_are_uniform_over_all_256_values() -> None:
    genes = build("direct", "nguyen2015", SHAPE).random(40, Rng(0)).genes
    counts = torch.bincount(genes.flatten().long(), minlength=256).numpy()
    expected = SAMPLES / 256
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    assert chi_square < 255 + 4 * np.sqrt(2 * 255)
    assert counts.min() > 0


@pytest.mark.parametrize("eta", [2.0, 15.0, 40.0])
def test_steps_follow_the_closed_form(eta: float) -> None:
    """The share of genes that land on each value: the integral of the density over that value's bin."""
    genes = mutated(128, rate=1.0, eta=eta)
    values = np.arange(256)
    edges = (np.concatenate([values - 0.5, [255.5]]) - 128) / 255
    edges[[0, -1]] = -np.inf, np.inf  # Clamping.
    expected = np.diff(step_cdf(edges, eta)) * SAMPLES
    counts = np.bincount(genes.flatten(), minlength=256)
    big = expected >= 5
    chi_square = float(((counts - expected)[big] ** 2 / expected[big]).sum())
    assert chi_square < big.sum() + 4 * np.sqrt(2 * big.sum())
    assert counts[~big].sum() <= expected[~big].sum() + 4 * np.sqrt(expected[~big].sum()) + 1


@pytest.mark.parametrize("rate", [0.004, 0.1, 0.5, 1.0])
def test_genes_change_at_the_rate_asked_for(rate: float) -> None:
    """A step below half a grey level changes nothing."""
    visible = rate * float(1 - np.diff(step_cdf(np.array([-0.5, 0.5]) / 255, 15.0))[0])
    changed = (mutated(128, rate=rate) != 128).mean()
    assert changed == pytest.approx(visible, abs=four_deviations(visible))


@pytest.mark.parametrize("rate", [0.05, 1.0])
def test_the_step_does_not_depend_on_the_rate(rate: float) -> None:
    """One draw decides on the hit and on the step: a bias here would show as a mean or a skew."""
    genes = mutated(128, n=160, rate=rate)
    steps = genes[genes != 128] - 128.0
    deviation = 255 * np.sqrt(2 / (17 * 18))  # E δ² = 2 / ((η + 2)(η + 3))
    assert steps.mean() == pytest.approx(0, abs=4 * deviation / np.sqrt(len(steps)))
    assert steps.std() == pytest.approx(deviation, rel=0.04)
    assert (steps > 0).mean() == pytest.approx(0.5, abs=four_deviations(0.5, len(steps)))


@pytest.mark.parametrize("value", [0, 255])
def test_steps_beyond_black_and_white_are_clamped_not_wrapped(value: int) -> None:
    genes = mutated(value, rate=1.0)
    assert np.abs(genes - value).max() < 160  # A wrapped one would lie at the other end.
    stays = 0.5 + 0.5 * float(np.diff(step_cdf(np.array([-0.5, 0.5]) / 255, 15.0))[0])
    assert (genes == value).mean() == pytest.approx(stays, abs=four_deviations(stays))


def test_siblings_spread_their_rates() -> None:
    """Rates are rate · spread^u with u uniform on [−1, 1], and never above 1."""
    encoding = build("direct", "nguyen2015", (1, 100, 100), rate=0.05, spread=4.0)
    parents = DirectBatch(torch.full((400, 1, 100, 100), 128, dtype=torch.uint8))
    changed = (encoding.mutate(parents, Rng(0)).genes != 128).flatten(1).float().mean(1).numpy()
    exponents = np.log(changed / (0.05 * 0.969)) / np.log(4)
    assert exponents.min() == pytest.approx(-1, abs=0.2)
    assert exponents.max() == pytest.approx(1, abs=0.2)
    assert exponents.mean() == pytest.approx(0, abs=4 / np.sqrt(3 * 400))
    certain = mutated(128, rate=1.0, spread=8.0)
    assert (certain != 128).mean(1).max() == pytest.approx(0.969, abs=0.02)


def crossed(a: DirectBatch, b: DirectBatch, seed: int = 0, eta: float = 10.0) -> np.ndarray:
    children = build("direct", "nguyen2015", SHAPE, crossover_eta=eta).mate(a, b, Rng(seed))
    return children.genes.flatten().int().numpy()


@given(st.integers(0, 255), st.integers(0, 2**32 - 1))
def test_genes_equal_in_both_parents_stay(value: int, seed: int) -> None:
    """The original's code resets them to 0.5."""
    assert (crossed(uniform(value, 1), uniform(value, 1), seed) == value).all()


@given(st.integers(64, 192), st.integers(64, 192), st.integers(0, 2**32 - 1))
def test_the_two_children_of_a_pair_keep_the_parents_mean(a: int, b: int, seed: int) -> None:
    """The other child is the one with the parents swapped and the same draws."""
    first, second = (crossed(x, y, seed) for x, y in ((uniform(a, 1), uniform(b, 1)), (uniform(b, 1), uniform(a, 1))))
    inside = (first > 0) & (first < 255) & (second > 0) & (second < 255)
    assert inside.mean() > 0.9
    assert np.abs(first + second - (a + b))[inside].max() <= 1  # Rounding.


@pytest.mark.parametrize("eta", [2.0, 10.0])
def test_children_spread_as_simulated_binary_crossover_says(eta: float) -> None:
    """P(β ≤ b) = b^(η+1) / 2 for b ≤ 1, 1 − b^−(η+1) / 2 above (Deb & Agrawal 1995)."""
    children = crossed(uniform(178), uniform(78), eta=eta)
    values = np.arange(1, 255)  # At the ends genes were clamped.
    beta = (values + 0.5 - 128) / 50  # A child is 128 + 50 β.
    below = np.where(beta <= 1, 0.5 * np.clip(beta, 0, 1) ** (eta + 1), 1 - 0.5 * np.maximum(beta, 1) ** -(eta + 1))
    measured = np.searchsorted(np.sort(children), values, side="right") / SAMPLES
    assert np.abs(measured - below).max() * np.sqrt(SAMPLES) < 1.6
    assert children.min() >= 128


def test_crossover_mixes_each_gene_on_its_own_and_leaves_the_parents_alone() -> None:
    encoding, rng = build("direct", "nguyen2015"), Rng(0)
    a, b = encoding.random(5, rng), encoding.random(5, rng)
    before = a.genes.clone(), b.genes.clone()
    children = encoding.mate(a, b, rng)
    assert torch.equal(a.genes, before[0])
    assert torch.equal(b.genes, before[1])
    beyond = (children.genes.int() - a.genes.int()) * (b.genes.int() - a.genes.int())
    assert 0.2 < (beyond > 0).float().mean() < 0.8  # Some genes towards the partner, some away from it.


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"pixels": np.zeros((2, 3, 8, 8), np.uint8)},
        {"genes": np.zeros((2, 3, 8, 8), np.float32)},
        {"genes": np.zeros((2, 3, 8, 8), np.int64)},
        {"genes": np.zeros((2, 1, 8, 8), np.uint8)},
        {"genes": np.zeros((3, 8, 8), np.uint8)},
        {"genes": np.zeros((), np.uint8)},
    ],
)
def test_other_arrays_are_refused(arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(GenomeError, match="direct genomes must be uint8"):
        build("direct", "default").load(arrays)


def test_the_picture_is_the_genes() -> None:
    encoding = build("direct", "default")
    genomes = encoding.random(3, Rng(0))
    assert torch.equal(encoding.decode(genomes), genomes.genes)
    assert genomes.sizes().tolist() == [192] * 3
