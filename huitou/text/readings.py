"""Reviews of the lake → their rows in ``review_readings`` and ``review_clauses``."""

import polars as pl

from huitou.text.reviews import Reviewer

STARS = {"good": 5, "mid": 3, "bad": 1}
_OF_REVIEW = ("shop_key", "review_key", "customer_key", "product_key", "order_key", "day", "rating")


def read_reviews(reviews: pl.DataFrame, reviewer: Reviewer, version: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Readings and clauses. `reviews`: rows of the canonical table; a later addition is read like the text, as another part."""
    reviews = reviews.sort("row_key").with_columns(
        review_key=pl.col("row_key"),
        stars=pl.coalesce(pl.col("score"), pl.col("rating").replace_strict(STARS, default=None, return_dtype=pl.Int64)),
    )
    first, said = reviewer.read(reviews["text"], reviews["stars"])
    later, added = reviewer.read(reviews["append_text"].fill_null(""))
    added_any = reviews["append_text"].fill_null("").str.strip_chars().str.len_chars() > 0
    whole = first.with_columns(
        has_complaint=pl.col("has_complaint") | (later["has_complaint"] & added_any),
        usable=_usable(reviews),
    )
    silent = pl.col("usable") != "usable"
    whole = whole.with_columns(has_complaint=pl.col("has_complaint") & ~silent, version=pl.lit(version))
    rows = pl.concat([reviews.select(_OF_REVIEW), whole.drop("row")], how="horizontal")
    parts = [said.with_columns(part=pl.lit("text")), added.with_columns(part=pl.lit("append"))]
    clauses = pl.concat(parts)
    heard = rows.with_row_index("row").filter(~silent).select(pl.col("row").cast(pl.Int64), *_OF_REVIEW)
    clauses = clauses.join(heard, on="row").with_columns(version=pl.lit(version))
    return rows, clauses.unique(["review_key", "part", "start", "aspect"], maintain_order=True)


def _usable(reviews: pl.DataFrame) -> pl.Series:
    text = pl.col("text").fill_null("").str.strip_chars()
    kind = pl.when(pl.col("default_text")).then(pl.lit("default_positive")).when(text == "").then(pl.lit("empty_text"))
    return reviews.select(kind.otherwise(pl.lit("usable"))).to_series()
