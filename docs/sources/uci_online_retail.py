"""A source of one's own: Online Retail (UCI), an invoice on several rows, as orders, their lines and their customers.

Put this file into a workspace's ``sources/`` folder and `huitou import` knows the data set. Invoices that begin with C are
cancellations, which name no order: their lines are kept, their orders are closed and worth nothing.
"""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.sources import tmall_order_lines
from huitou.sources.buyers import Buyers
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.model import Batch, Context, Head
from huitou.sources.split_orders import Lines, read_split
from huitou.sources.table import Shaped, typed_rows

LAYOUT = Layout(
    fields=(
        Field("order_id", "code", ("InvoiceNo", "Invoice"), needed=True, filled=True),
        Field("item_id", "code", ("StockCode",), needed=True, filled=True),
        Field("title", "text", ("Description",)),
        Field("quantity", "count", ("Quantity",), needed=True, filled=True),
        Field("created", "time", ("InvoiceDate",), needed=True, filled=True),
        Field("price_fen", "money", ("UnitPrice", "Price"), needed=True, filled=True),
        Field("buyer", "code", ("CustomerID", "Customer ID"), needed=True),
    ),
    telling=headings("InvoiceNo|Invoice StockCode Description Quantity InvoiceDate Country"),
    ignored=("Country",),
)
_NOT_HERE = ("sku", "code", "refund_status")


class OnlineRetail:
    """The invoices of Online Retail."""

    id = "uci.online_retail"
    zh = "Online Retail（UCI）"
    en = "Online Retail (UCI)"
    main = "order_lines"
    feeds = ("order_lines", "orders", "products")

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the lines, then their orders. Raises FileRefused."""
        return read_split(typed_rows(head, LAYOUT, context), partial(_lines, context), partial(_orders, context))


def _lines(context: Context, rows: pl.DataFrame) -> Lines:
    cancelled = pl.col("order_id").str.starts_with("C")
    worth = pl.when(cancelled).then(0).otherwise(pl.max_horizontal(pl.col("quantity") * pl.col("price_fen"), 0))
    rows = rows.with_columns(
        pl.concat_str("order_id", pl.col("row").cast(pl.String), separator="-").alias("line_id"),
        (pl.col("quantity") * pl.col("price_fen")).alias("paid_fen"),
        pl.lit(0, dtype=pl.Int64).alias("refund_fen"),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in _NOT_HERE),
        worth.alias("worth"),
    )
    made = tmall_order_lines.shape(context, rows)
    told = rows.select("order_id", "created", "created_day", "created_second", "buyer", "quantity", "worth", "row")
    return Lines(made, made.frames["order_lines"].select("line_key", "order_key").hstack(told))


def _orders(context: Context, told: pl.DataFrame) -> Shaped:
    settings = context.settings
    first = ("order_id", "created", "created_day", "created_second", "buyer", "row")
    orders = told.group_by("order_key", maintain_order=True).agg(pl.col(first).first(), pl.col("quantity", "worth").sum())
    customers = Buyers(context).keys(orders["buyer"])
    context.people.remember(pl.DataFrame({"customer_key": customers, "nick": orders["buyer"]}))
    cancelled = pl.col("order_id").str.starts_with("C")
    frame = orders.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        "order_key",
        "order_id",
        customers.alias("customer_key"),
        pl.col("created").alias("created_at"),
        pl.col("created_day").alias("day"),
        pl.col("created_second").alias("second"),
        pl.when(~cancelled).then("created").alias("paid_at"),
        pl.when(~cancelled).then("created_day").alias("paid_day"),
        pl.when(cancelled).then(pl.lit("closed")).otherwise(pl.lit("done")).alias("status"),
        pl.lit(True).alias("prepaid"),
        pl.col("worth").alias("placed_fen"),
        pl.col("worth").alias("gross_fen"),
        pl.lit(0, dtype=pl.Int64).alias("refund_fen"),
        pl.col("quantity").alias("items"),
        pl.lit(settings.currency).alias("currency"),
        "row",
    )
    return Shaped({"orders": frame}, [], {})


SOURCES = [OnlineRetail()]
