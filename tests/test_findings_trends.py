"""Rising complaints: the week's share against the weeks before, with a test that holds many looks down."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import scipy  # its parts are loaded when first named: not when tests are collected
from hypothesis import given, settings
from hypothesis import strategies as st

from huitou.findings.trends import Looks, adjusted, rising, weekly

MONDAY = date(2026, 3, 2)


def counts(*rows: tuple[int, str, str, int, int]) -> pl.DataFrame:
    """(weeks before MONDAY, group, aspect, complaints, reviews)."""
    return pl.DataFrame(
        [(MONDAY - timedelta(weeks=back), *rest) for back, *rest in rows],
        schema={"week": pl.Date, "group": pl.String, "aspect": pl.String, "complaints": pl.Int64, "reviews": pl.Int64},
        orient="row",
    )


def test_a_smell_that_comes_up_this_week_is_told_with_its_shares() -> None:
    frame = counts((2, "bag", "smell", 1, 60), (1, "bag", "smell", 2, 60), (0, "bag", "smell", 12, 50), (0, "bag", "size", 3, 50))
    row = rising(frame, MONDAY).row(0, named=True)
    assert (row["group"], row["aspect"], row["share"], row["share_before"]) == ("bag", "smell", 0.24, 3 / 120)
    assert row["p"] == pytest.approx(scipy.stats.fisher_exact([[12, 38], [3, 117]], alternative="greater").pvalue)


def test_few_complaints_or_a_steady_share_say_nothing() -> None:
    frame = counts((1, "a", "smell", 0, 400), (0, "a", "smell", 2, 40), (1, "b", "size", 30, 100), (0, "b", "size", 31, 100))
    assert rising(frame, MONDAY).is_empty()


def test_weeks_long_ago_do_not_count() -> None:
    frame = counts((30, "a", "smell", 90, 100), (1, "a", "smell", 1, 100), (0, "a", "smell", 12, 60))
    assert rising(frame, MONDAY)["complaints_before"].to_list() == [1]


def test_counts_are_reviews_not_clauses() -> None:
    reviews = pl.DataFrame(
        {"review_key": [1, 2, 3], "day": [MONDAY, MONDAY + timedelta(days=6), MONDAY], "courier": ["x", "x", None]}
    )
    said = [(1, "smell", "negative"), (1, "smell", "negative"), (2, "smell", "positive"), (3, "smell", "negative")]
    clauses = pl.DataFrame(said, schema=["review_key", "aspect", "polarity"], orient="row")
    assert weekly(clauses, reviews, "courier").rows() == [(MONDAY, "x", "smell", 1, 2)]
    assert weekly(clauses, reviews).rows() == [(MONDAY, "all", "smell", 2, 3)]


@given(st.lists(st.floats(0, 1), max_size=30))
def test_adjusted_p_are_benjamini_and_hochbergs(p: list[float]) -> None:
    expected = scipy.stats.false_discovery_control(p) if p else []
    assert adjusted(np.array(p)).tolist() == pytest.approx(list(expected))


@pytest.mark.parametrize("seed", range(3))
def test_false_alarms_stay_rare_among_many_steady_groups(seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows = [
        (back, f"sku{g}", a, int(chance.binomial(40, 0.1)), 40)
        for back in range(9)
        for g in range(100)
        for a in ("smell", "size")
    ]
    assert rising(counts(*rows), MONDAY, Looks(times=1.0)).height <= 2


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(6)))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    frame = counts(*[(back, "a", aspect, 1 + 9 * (back == 0), 50) for back in range(3) for aspect in ("smell", "size")])
    assert rising(frame[order], MONDAY).equals(rising(frame, MONDAY))
