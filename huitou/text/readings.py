"""Reviews of the lake → their rows in ``review_readings`` and ``review_clauses``."""

import polars as pl

from huitou.text.reviews import Reviewer
from huitou.text.usable import DEFAULT, SILENT

STARS = {"good": 5, "mid": 3, "bad": 1}
_STARS = pl.coalesce(pl.col("score"), pl.col("rating").replace_strict(STARS, default=None, return_dtype=pl.Int64))
_OF_REVIEW = ("shop_key", "review_key", "customer_key", "product_key", "order_key", "day", "rating")


def rated(reviews: pl.DataFrame) -> pl.DataFrame:
    """``text`` and ``stars`` (1–5) of the reviews that a customer wrote and rated. `reviews`: rows of the canonical table."""
    written = reviews.sort("row_key").filter(~pl.col("default_text")).select("text", stars=_STARS)
    return written.filter(pl.col("stars").is_not_null())


def read_reviews(reviews: pl.DataFrame, reviewer: Reviewer, version: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Readings and clauses. `reviews`: rows of the canonical table; a later addition is read like the text, as another part.

    A text that the platform wrote, or that has no word, says nothing: its clauses are left out and it complains of nothing.
    """
    reviews = reviews.sort("row_key").with_columns(review_key=pl.col("row_key"), stars=_STARS)
    first, said = reviewer.read(reviews["text"], reviews["stars"])
    later, added = reviewer.read(reviews["append_text"].fill_null(""))
    first = first.with_columns(pl.when(reviews["default_text"]).then(pl.lit(DEFAULT)).otherwise("usable").alias("usable"))
    heard = [(~frame["usable"].is_in(SILENT)) for frame in (first, later)]
    whole = first.with_columns(
        has_complaint=(pl.col("has_complaint") & heard[0]) | (later["has_complaint"] & heard[1]),
        conflict=pl.col("conflict") & heard[0],
        version=pl.lit(version),
    )
    rows = pl.concat([reviews.select(_OF_REVIEW), whole.drop("row")], how="horizontal")
    numbered = rows.select(_OF_REVIEW).with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    parts = [
        clauses.join(numbered.filter(said_any), on="row").with_columns(part=pl.lit(part), version=pl.lit(version))
        for part, clauses, said_any in (("text", said, heard[0]), ("append", added, heard[1]))
    ]
    return rows, pl.concat(parts).unique(["review_key", "part", "start", "aspect"], maintain_order=True)
