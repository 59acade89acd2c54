"""Paired differences against published worked examples and scipy."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binomtest

from evofool.attacks.paired import PairedCounts

Counts = st.builds(PairedCounts, *[st.integers(0, 60)] * 4)

PUBLISHED = {
    # Bentur et al. 2009 in Fagerland, Lydersen, Laake 2014, "Recommended tests and confidence intervals for paired
    # binomial proportions", table VI: −0.507 to −0.026 for the first rate minus the second.
    "airway hyper-responsiveness": (PairedCounts(1, 1, 7, 12), (0.026, 0.507), 3),
    # Cavo et al. 2012 in Fagerland, Lydersen, Laake 2017, Statistical Analysis of Contingency Tables, chapter 8.
    "complete response": (PairedCounts(59, 6, 16, 80), (0.0046, 0.1186), 4),
    # Altman et al. 2000, Statistics with Confidence, table 6.2: 0.12, from 0.01 to 0.23 the other way round.
    "two tests of one sample": (PairedCounts(14, 5, 0, 22), (-0.23, -0.01), 2),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_interval_is_newcombe_s_as_published(name: str) -> None:
    counts, interval, digits = PUBLISHED[name]
    assert tuple(round(bound, digits) for bound in counts.interval) == interval


def test_eight_against_one_decide() -> None:
    assert PairedCounts(2, 8, 1, 167).p_value == pytest.approx(0.0390625)
    assert PairedCounts(0, 1, 7, 12).p_value == pytest.approx(0.0703125)  # Fagerland et al. 2013: 0.070


@given(Counts)
def test_the_test_is_the_binomial_one(counts: PairedCounts) -> None:
    discordant = counts.first + counts.second
    expected = binomtest(counts.first, discordant).pvalue if discordant else 1.0
    assert counts.p_value == pytest.approx(expected)


@given(Counts)
def test_the_interval_holds_the_difference_and_turns_with_it(counts: PairedCounts) -> None:
    assume(counts.n)
    low, high = counts.interval
    assert -1 <= low <= counts.difference <= high <= 1
    first, second = counts.rates
    assert counts.difference == pytest.approx(second - first)
    turned = PairedCounts(counts.both, counts.second, counts.first, counts.neither)
    assert turned.interval == pytest.approx((-high, -low))
    assert turned.p_value == counts.p_value


def test_many_discordant_pairs_are_no_trouble() -> None:
    assert PairedCounts(0, 50_000, 50_000, 0).p_value == 1
    assert PairedCounts(0, 40_000, 60_000, 0).p_value == 0.0
