"""Why each chat of a batch was lost."""

import polars as pl

from huitou.rules.taxonomy import Words

SILENT = "unknown.silent"
SOLD = ("ordered", "paid", "bought", "deal", "won")


class LossReader:
    """Decides the reasons of lost chats."""

    def __init__(self, words: Words) -> None:
        self._leaves = list(words.taxonomies["loss"].leaves)

    def read(self, messages: pl.DataFrame, tags: pl.DataFrame, outcomes: pl.DataFrame | None = None) -> pl.DataFrame:
        """One row a chat: chat, primary (null: nothing lost), secondary, evidence, certainty."""
        rows = messages.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        said = tags.filter(pl.col("taxonomy") == "loss").join(rows.select("row", "chat", "i", "role"), on="row")
        said = said.filter(pl.col("role") == "customer").with_columns(weight=pl.col("strength") * (1 + pl.col("i")))
        best = said.group_by("chat", "code").agg(pl.col("weight").sum(), pl.col("i").unique().sort().alias("evidence"))
        best = best.sort("weight", "code", descending=[True, False]).group_by("chat", maintain_order=True).first()
        every = [rows.select("chat")] + ([outcomes.select("chat")] if outcomes is not None else [])
        chats = pl.concat(every).unique().join(best, on="chat", how="left")
        if outcomes is not None:
            chats = chats.join(outcomes.select("chat", "outcome"), on="chat", how="left")
        else:
            chats = chats.with_columns(outcome=pl.lit(None, pl.String))
        sold = pl.col("outcome").is_in(SOLD).fill_null(value=False)
        return chats.select(
            "chat",
            pl.when(~sold).then(pl.col("code").fill_null(SILENT)).alias("primary"),
            pl.lit([], pl.List(pl.String)).alias("secondary"),
            pl.when(sold).then(pl.lit([], pl.List(pl.Int64))).otherwise(pl.col("evidence").fill_null([])).alias("evidence"),
            pl.lit(0.5).alias("certainty"),
        )
