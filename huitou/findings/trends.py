"""Which aspects are complained of more in the last week than in the weeks before: by product, SKU, courier, region.

Pure functions of small frames. A week of a group is compared with the weeks before by Fisher's exact test on reviews with and
without the complaint; over all groups and aspects together the false discoveries are held down (Benjamini and Hochberg 1995).
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
import scipy  # its statistics are loaded when they are first named: that takes a second, and few need them
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ALL = "all"
RISE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "group": pl.String,
    "aspect": pl.String,
    "complaints": pl.Int64,
    "reviews": pl.Int64,
    "complaints_before": pl.Int64,
    "reviews_before": pl.Int64,
    "share": pl.Float64,
    "share_before": pl.Float64,
    "p": pl.Float64,
    "q": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class Looks:
    """What counts as a rise. `least`: complaints in the week; `least_reviews`: reviews of the week and of the time before.

    `times`: how many times the former share it must at least be; `rate`: share of false alarms among what is told.
    """

    least: int = 3
    least_reviews: int = 10
    times: float = 1.5
    rate: float = 0.05
    weeks_before: int = 8


def weekly(clauses: pl.DataFrame, reviews: pl.DataFrame, group: str | None = None) -> pl.DataFrame:
    """Counts (week, group, aspect, complaints, reviews): reviews that complain of an aspect, and all reviews, by week and group.

    `clauses`: review_key, aspect, polarity. `reviews`: review_key, day, and a column `group` (None: all together). A week begins
    on Monday and is named by it. An aspect no week of a group complains of has no row.
    """
    named = pl.lit(ALL) if group is None else pl.col(group).cast(pl.String)
    dated = reviews.select("review_key", week=pl.col("day").dt.truncate("1w"), group=named).drop_nulls(["week", "group"])
    total = dated.group_by("week", "group").agg(reviews=pl.len())
    blamed = clauses.filter(pl.col("polarity") == "negative").select("review_key", "aspect").unique()
    counts = blamed.join(dated, on="review_key").group_by("week", "group", "aspect").agg(complaints=pl.len())
    pairs = counts.select("group", "aspect").unique()
    grid = total.join(pairs, on="group")
    out = grid.join(counts, on=["week", "group", "aspect"], how="left").with_columns(pl.col("complaints").fill_null(0))
    return out.select("week", "group", "aspect", pl.col("complaints", "reviews").cast(pl.Int64)).sort("week", "group", "aspect")


def rising(counts: pl.DataFrame, week: date, looks: Looks | None = None) -> pl.DataFrame:
    """Aspects that rise in `week` (its Monday), worst first, as in `RISE_SCHEMA`. `counts` as of `weekly`.

    ``p``: one-sided, of Fisher's exact test; ``q``: the share of false alarms among all that are at least so striking.
    """
    looks = looks or Looks()
    first = week - timedelta(weeks=looks.weeks_before)
    held = counts.filter(pl.col("week").is_between(first, week)).with_columns(now=pl.col("week") == week)
    sums = held.group_by("group", "aspect").agg(
        complaints=pl.col("complaints").filter("now").sum(),
        reviews=pl.col("reviews").filter("now").sum(),
        complaints_before=pl.col("complaints").filter(~pl.col("now")).sum(),
        reviews_before=pl.col("reviews").filter(~pl.col("now")).sum(),
    )
    fit = sums.filter(pl.min_horizontal("reviews", "reviews_before") >= looks.least_reviews).sort("group", "aspect")
    k, n, k0, n0 = (fit[name].to_numpy() for name in ("complaints", "reviews", "complaints_before", "reviews_before"))
    p = scipy.stats.hypergeom.sf(k - 1, n + n0, k + k0, n) if fit.height else np.zeros(0)
    told = fit.with_columns(
        p=pl.Series(p, dtype=pl.Float64),
        q=pl.Series(adjusted(p), dtype=pl.Float64),
        share=pl.col("complaints") / pl.col("reviews"),
        share_before=pl.col("complaints_before") / pl.col("reviews_before"),
    ).filter(
        (pl.col("q") <= looks.rate)
        & (pl.col("complaints") >= looks.least)
        & (pl.col("share") >= looks.times * pl.col("share_before"))
    )
    return told.sort("p", "group", "aspect").select(pl.col(name).cast(kind) for name, kind in RISE_SCHEMA.items())


def adjusted(p: Floats) -> Floats:
    """Benjamini and Hochberg's adjusted p of several tests, in their order."""
    if not len(p):
        return np.zeros(0)
    order = np.argsort(p)[::-1]
    scaled = p[order] * len(p) / np.arange(len(p), 0, -1)
    out = np.empty(len(p))
    out[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return out
