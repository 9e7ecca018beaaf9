"""Typed rows of an after-sale export → refunds and products: what 拼多多 and 抖店 have in common."""

import polars as pl

from huitou.sources.keys import key_column
from huitou.sources.masking import mask
from huitou.sources.model import Context
from huitou.sources.table import Shaped
from huitou.sources.tmall_orders import products, products_of


def refunds_of(context: Context, rows: pl.DataFrame) -> Shaped:
    """From columns refund_id, order_id, applied (with day), finished, amount_fen, full, status, kind, reason, note, duty, title
    and item_id."""
    settings = context.settings
    shop = (settings.platform, settings.shop)
    keys = products_of(rows["title"], rows["item_id"], shop)
    refunds = rows.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        key_column(rows["refund_id"], *shop, "refund").alias("refund_key"),
        key_column(rows["order_id"], *shop, "order").alias("order_key"),
        "refund_id",
        keys.alias("product_key"),
        pl.col("applied").alias("applied_at"),
        pl.col("applied_day").alias("day"),
        pl.col("finished").alias("finished_at"),
        pl.col("amount_fen").fill_null(0),
        pl.col("status").str.contains("退款成功", literal=True).fill_null(False).alias("succeeded"),
        pl.col("kind").str.contains("退货", literal=True).fill_null(False).alias("returned"),
        mask(_told(rows["reason"])).alias("reason"),
        mask(_told(rows["note"])).alias("note"),
        "duty",
        "full",
        "row",
    )
    return Shaped({"refunds": refunds, "products": products(rows, rows["title"], keys, settings.shop_key)}, [], {})


def _told(texts: pl.Series) -> pl.Series:
    """Texts that say something: an export writes «-» for none."""
    texts = texts.str.strip_chars()
    return texts.set(texts.is_in(["", "-", "--"]), None)
