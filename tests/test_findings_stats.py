"""Intervals, differences, the fair comparison and its false alarms, each against a second computation.

Statsmodels takes long to load: the tests that compare with it import it themselves.
"""

import numpy as np
import polars as pl
import pytest

from huitou.findings.agents import fair
from huitou.findings.products import compare
from huitou.findings.stats import difference, main_group, mean, product, ratio, share, standardise


def shop(seed, effects=(0.0,) * 12, n=6000):
    """Invented inquiries: agents on two shifts, 14 products with their own appeal, returning customers."""
    r = np.random.default_rng(seed)
    agent, goods, day = r.integers(0, len(effects), n), r.integers(0, 14, n), r.integers(0, 91, n)
    hour = np.where(agent < len(effects) // 2, r.integers(8, 16, n), r.integers(16, 24, n))
    returning = r.random(n) < 0.2
    transferred = r.random(n) < 0.05
    odds = -0.6 + r.normal(0, 0.3, 14)[goods] + 0.4 * returning + np.asarray(effects)[agent]
    return pl.DataFrame(
        {"agent_key": agent, "product_key": goods, "returning": returning, "transferred_in": transferred,
         "band": hour // 6, "week": -(day // 7), "block": -(day // 28), "n": 1,
         "ordered": (r.random(n) < 1 / (1 + np.exp(-odds))) * 1}
    )  # fmt: skip


@pytest.mark.parametrize(("k", "n"), [(2292, 7640), (0, 12), (40, 40)])
def test_share_is_wilsons_interval(k, n):
    from statsmodels.stats.proportion import proportion_confint

    e = share(k, n)
    assert (e.low, e.high) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-9)


def test_difference_is_newcombes_interval():
    from statsmodels.stats.proportion import confint_proportions_2indep

    d = difference(share(125, 884), share(2167, 6756))
    low, high = confint_proportions_2indep(125, 884, 2167, 6756, method="newcomb", compare="diff")
    assert (d.low, d.high) == pytest.approx((low, high), abs=1e-6)


def test_mean_ratio_and_product_against_simulation():
    r = np.random.default_rng(3)
    x, y = r.gamma(2, 3, 4000), r.gamma(3, 2, 4000)
    m = mean(x.sum(), (x * x).sum(), 4000)
    assert m.se == pytest.approx(x.std(ddof=1) / 4000**0.5, rel=1e-6)
    q = ratio(y.sum(), x.sum(), (y * y).sum(), (x * x).sum(), (x * y).sum(), 4000)
    again = [y[i].sum() / x[i].sum() for i in (r.integers(0, 4000, 4000) for _ in range(800))]
    assert q.se == pytest.approx(np.std(again), rel=0.1)
    p = product(share(300, 1000), m)
    draws = r.normal(0.3, share(300, 1000).se, 20000) * r.normal(m.value, m.se, 20000)
    assert (p.value, p.se) == (pytest.approx(draws.mean(), rel=0.01), pytest.approx(draws.std(), rel=0.05))


def test_adjusted_shares_equal_a_logistic_regression_with_marginal_means():
    import statsmodels.api as sm

    cells = shop(5, (0.0, 0.3, -0.4, 0.1)).with_columns(k=pl.col("ordered"))
    s = standardise(cells, "agent_key", ["product_key", "returning"])
    d = cells.select("agent_key", "product_key", "returning").with_columns(pl.col("returning").cast(pl.Int8)).to_pandas()
    x = sm.add_constant(
        np.column_stack([*(d.agent_key == a for a in (1, 2, 3)), *(d.product_key == p for p in range(1, 14)), d.returning]) * 1.0
    )
    fit = sm.Logit(cells["k"].to_numpy(), x).fit(disp=0)
    for agent in range(4):
        with_agent = x.copy()
        with_agent[:, 1:4] = 0
        with_agent[:, agent] = 1  # column 0 is the constant: agent 0 is the base
        assert s.adjusted[agent] == pytest.approx(fit.predict(with_agent).mean(), abs=0.002)


def test_four_weak_agents_are_found_and_nobody_else():
    effects = (-0.9, 0, 0, -0.7, 0, 0, -0.8, 0, 0, -1.0, 0, 0)
    s = fair(shop(11, effects, n=9000))
    group, low = main_group(s)
    assert [s.units[i] for i in low] == [0, 3, 6, 9]
    assert len(group) == 8


@pytest.mark.slow
def test_a_shop_without_differences_raises_false_alarm_in_one_of_twenty_at_most():
    flagged = sum(bool(main_group(fair(shop(seed)))[1]) for seed in range(60))
    assert flagged <= 5  # 2.5 % expected one-sided; P(more than 5 of 60 at 5 %) is 8 %, at 2.5 % below 1 %


def test_an_agent_on_the_hard_product_is_not_blamed_for_it():
    r, n = np.random.default_rng(2), 8000
    agent = r.integers(0, 6, n)
    hard = r.random(n) < np.where(agent == 0, 0.9, 0.1)
    table = pl.DataFrame({"agent_key": agent, "product_key": hard * 1, "returning": False, "transferred_in": False, "band": 2,
                          "week": 0, "block": 0, "n": 1, "ordered": (r.random(n) < np.where(hard, 0.12, 0.35)) * 1})  # fmt: skip
    s = fair(table)
    assert s.raw[0] < 0.2 < s.raw[1]
    assert main_group(s)[1] == []


def test_products_below_the_rest_are_found_even_beside_a_worse_one():
    counts = {1: (884, 125), 2: (900, 207), 3: (1612, 548), 4: (1498, 524), 5: (20, 1)}
    rows, short = compare(pl.DataFrame([{"product_key": p, "n": n, "ordered": k} for p, (n, k) in counts.items()]))
    assert {p for p, (_, _, low) in rows.items() if low} == {1, 2}
    rest = (548 + 524 + 1) / (1612 + 1498 + 20)
    assert short[1].value == pytest.approx(884 * rest - 125)
