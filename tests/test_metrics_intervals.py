"""Intervals against formulae and programs of others, and against the coverage they promise."""

import numpy as np
import pytest
import scipy  # its parts are loaded when first named: not when tests are collected
from hypothesis import given, settings
from hypothesis import strategies as st

from huitou.metrics.intervals import mean_t, quantile_ranks, ratio_of_sums, wilson

RNG = np.random.default_rng(20260501)
MANY = settings(max_examples=60, deadline=None)


@MANY
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys_and_statsmodels_wilson(kn):
    from statsmodels.stats.proportion import proportion_confint

    k, n = kn
    low, high = wilson(k, n)
    theirs = scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert (low, high) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)
    assert 0 <= low <= k / n <= high <= 1


def test_a_share_of_nothing_has_no_interval():
    low, high = wilson([0, 0, 3], [0, 3, 3])
    assert np.isnan([low[0], high[0]]).all() and (low[1], high[2]) == (0, 1)


@MANY
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
def test_mean_is_scipys_t_interval(xs):
    sd = np.std(xs, ddof=1)
    low, high = mean_t([np.mean(xs)], [sd], [len(xs)])
    theirs = scipy.stats.t.interval(0.95, len(xs) - 1, np.mean(xs), sd / len(xs) ** 0.5) if sd else (np.mean(xs),) * 2
    assert (low[0], high[0]) == pytest.approx(theirs, rel=1e-9, abs=1e-6)
    assert np.isnan(mean_t([5.0], [np.nan], [1])).all()


@MANY
@given(st.integers(1, 3000), st.sampled_from([0.1, 0.5, 0.9]))
def test_ranks_enclose_the_quantile_and_no_narrower_pair_does(n, p):
    low, high = (int(r) for r in quantile_ranks(n, p))
    binom = scipy.stats.binom(n, p)
    if low:
        assert binom.cdf(low - 1) <= 0.025 < binom.cdf(low)
        assert binom.sf(high - 1) <= 0.025 < binom.sf(high - 2)
    else:
        assert high == 0 and (binom.pmf(0) > 0.025 or binom.pmf(n) > 0.025)


def test_ranks_are_the_textbooks():
    """n = 20, median: order statistics 6 and 15 (Conover, table for the sign test: 95.9 %)."""
    assert tuple(int(r) for r in quantile_ranks(20, 0.5)) == (6, 15)


def sums(y, x):
    return len(y), (y.sum(), x.sum()), ((y * y).sum(), (x * y).sum(), (x * x).sum())


def test_ratio_of_sums_agrees_with_the_jackknife():
    x = RNG.integers(1, 9, 400).astype(float)
    y = RNG.binomial(x.astype(int), 0.2).astype(float)
    low, high = ratio_of_sums(*sums(y, x))
    left_out = (y.sum() - y) / (x.sum() - x)
    se = np.sqrt(399 / 400 * ((left_out - left_out.mean()) ** 2).sum())
    assert (high - low) / 2 == pytest.approx(scipy.stats.t.ppf(0.975, 399) * se, rel=0.02)
    assert (high + low) / 2 == pytest.approx(y.sum() / x.sum())


@MANY
@given(st.lists(st.integers(0, 500), min_size=2, max_size=50))
def test_a_ratio_to_ones_is_a_mean(ys):
    y, x = np.array(ys, float), np.ones(len(ys))
    assert ratio_of_sums(*sums(y, x)) == pytest.approx(mean_t(y.mean(), y.std(ddof=1), len(y)), abs=1e-6)


def covers(low, high, truth):
    return np.mean((np.asarray(low) <= truth) & (truth <= np.asarray(high)))


def test_intervals_cover_as_often_as_they_say():
    """4,000 samples each: the coverage's own standard error is 0.35 points. Shares vary, since counts are a lattice."""
    n, times = 60, 4000
    share = RNG.uniform(0.05, 0.95, times)
    assert covers(*wilson(RNG.binomial(n, share), np.full(times, n)), share) == pytest.approx(0.95, abs=0.012)
    x = RNG.normal(5, 2, (times, n))
    assert covers(*mean_t(x.mean(1), x.std(1, ddof=1), np.full(times, n)), 5) == pytest.approx(0.95, abs=0.012)
    ordered = np.sort(RNG.exponential(1, (times, n)), axis=1)
    low, high = (int(r) for r in quantile_ranks(n, 0.5))
    assert 0.945 <= covers(ordered[:, low - 1], ordered[:, high - 1], np.log(2)) <= 0.975
    pieces = RNG.integers(1, 5, (times, n)).astype(float)
    back = RNG.binomial(pieces.astype(int), 0.25).astype(float)
    squares = ((back * back).sum(1), (back * pieces).sum(1), (pieces * pieces).sum(1))
    got = ratio_of_sums(np.full(times, n), (back.sum(1), pieces.sum(1)), squares)
    assert covers(*got, 0.25) == pytest.approx(0.95, abs=0.02)
