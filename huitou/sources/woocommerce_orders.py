"""WooCommerce orders: the CSV of Analytics → Orders, one row per order and per refund.

Comes in: amounts as text with the currency's sign, all products of an order in one cell, the customer as a name only. Goes out:
orders without a customer, because one name stands for many people and one person writes it in many ways.
"""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.sources import cells
from huitou.sources.keys import key_column
from huitou.sources.layout import Field, Layout
from huitou.sources.model import Batch, Context, Head
from huitou.sources.reasons import problem
from huitou.sources.table import Shaped, read_table, typed_rows
from huitou.sources.tmall_orders import products, products_of

_TOTAL = ("N. Revenue (formatted)", "N. Revenue", "Net Sales")

LAYOUT = Layout(
    fields=(
        Field("created", "time", ("Date",), needed=True, filled=True),
        Field("order_id", "code", ("Order #",), needed=True, filled=True),
        Field("total", "text", _TOTAL, needed=True, filled=True),
        Field("status", "text", ("Status",), needed=True),
        Field("title", "text", ("Product(s)",)),
        Field("items", "count", ("Items sold",)),
    ),
    telling=("Order #", "N. Revenue (formatted)|N. Revenue|Net Sales", "Customer type|Customer", "Product(s)", "Items sold"),
    ignored=("Customer", "Customer type", "Coupon(s)", "Net Sales", "N. Revenue", "Attribution"),
)

STATUSES = {
    "pending": "unpaid", "pending payment": "unpaid", "on-hold": "unpaid", "on hold": "unpaid", "checkout-draft": "unpaid",
    "draft": "unpaid", "processing": "paid", "completed": "done", "refunded": "closed", "cancelled": "closed", "failed": "closed",
}  # fmt: skip
_PAID = ("processing", "completed", "refunded")
_SIGNS = {
    "€": ("EUR",), "£": ("GBP",), "₹": ("INR",), "₩": ("KRW",), "R$": ("BRL",), "zł": ("PLN",), "₽": ("RUB",), "₺": ("TRY",),
    "kr": ("SEK", "NOK", "DKK"), "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"), "¥": ("CNY", "JPY"),
}  # fmt: skip
"""Signs of money → the currencies that are written so, the likeliest first."""
_ONE = r"^\s*\d+\s*[×x]\s+"


class WooCommerceOrders:
    """Orders as WooCommerce Analytics downloads them."""

    id = "woocommerce.orders"
    zh = "WooCommerce 订单（Analytics）"
    en = "WooCommerce orders (Analytics)"
    main = "orders"
    feeds = ("orders", "products")
    lacks = ("buyer id",)
    layout = LAYOUT
    quirks = (
        Say("客户只有名字，没有邮箱或编号：不算老客户", "the customer is a name without e-mail or id: nobody is known to return"),
        Say(
            "金额是带币种符号的文字，小数点和千位按写法判断",
            "amounts are texts with the currency's sign; point or comma is told by how they stand",
        ),
        Say(
            "一单的商品挤在一格里：只有一种商品时才认",
            "all products of an order share a cell: a single one is known, several are not",
        ),
        Say(
            "退款另起一行，单号相同、金额为负：记进那一单的退款",
            "a refund is a row of its own with the order's number and a negative amount: it counts in that order",
        ),
        Say(
            "没有付款时间：按状态判断是否付款，付款时间留空",
            "no time of payment is exported: the state tells whether it was paid",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Go through the file for its refunds, then stream its orders. Raises FileRefused."""
        parts = [_refunds(part.rows) for part in typed_rows(head, LAYOUT, context)]
        none = pl.DataFrame(schema={"order_id": pl.String, "refund_fen": pl.Int64})
        back = pl.concat([none, *(refunds for refunds, _ in parts)]).group_by("order_id").agg(pl.col("refund_fen").sum())
        there = pl.concat([pl.Series([], dtype=pl.UInt64), *(orders for _, orders in parts)]).unique()
        back = back.with_columns(pl.col("order_id").hash(0).is_in(there.implode()).alias("there"))
        return read_table(head, LAYOUT, context, partial(_shape, context, head.path.name, back))


def amounts(text: pl.Series) -> pl.Series:
    """Fen of amounts with signs, spaces and either decimal mark: ``$1,234.50``, ``1.234,50 €``, ``-£3``; else null."""
    bare = text.str.replace_all(r"[^\d.,-]", "").str.strip_chars_end(".,")
    cents = bare.str.extract(r"[.,](\d{1,2})$", 1)
    whole = bare.str.replace(r"[.,]\d{1,2}$", "").str.replace_all(r"[.,]", "")
    written = (whole + "." + cents.fill_null("0")).set(~bare.str.contains(r"\d"), None)
    return cells.money(written).values


def _refunds(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Refunds by order, and hashes of the orders that stand here themselves."""
    back = rows.select("order_id", amounts(rows["total"]).alias("refund_fen"))
    refunds = back.filter(pl.col("refund_fen") < 0).with_columns(-pl.col("refund_fen"))
    return refunds, back.filter(pl.col("refund_fen") >= 0)["order_id"].hash(0).rename("")


def _shape(context: Context, file: str, back: pl.DataFrame, rows: pl.DataFrame) -> Shaped:
    """Typed rows → orders and products; rows of refunds and unreadable amounts are set aside."""
    settings = context.settings
    rows = rows.with_columns(amounts(rows["total"]).alias("total_fen"))
    rows = rows.join(back, on="order_id", how="left", maintain_order="left")
    counted = pl.when("there").then(pl.lit("refund_row")).otherwise(pl.lit("refund_alone"))
    reason = pl.when(pl.col("total_fen").is_null()).then(pl.lit("money")).when(pl.col("total_fen") < 0).then(counted)
    wrong = rows.with_columns(reason.alias("reason")).drop_nulls("reason").select("row", "reason")
    problems = [problem(file, row, _TOTAL[0], why) for row, why in wrong.iter_rows()]
    rows = rows.filter(pl.col("total_fen") >= 0)
    several = rows["title"].str.count_matches(r"\d+\s*[×x]\s") > 1
    titles = rows["title"].set(several.fill_null(False), None).str.replace(_ONE, "")
    rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias("item_id"), pl.col("status").str.to_lowercase().alias("word"))
    keys = products_of(titles, rows["item_id"], (settings.platform, settings.shop))
    status = rows["word"].replace_strict(STATUSES, default=None, return_dtype=pl.String)
    currency = _currency(rows["total"], settings.currency)
    refund = pl.col("refund_fen").fill_null(0)
    orders = rows.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        key_column(rows["order_id"], settings.platform, settings.shop, "order").alias("order_key"),
        "order_id", pl.col("created").alias("created_at"), pl.col("created_day").alias("day"),
        pl.col("created_second").alias("second"), status.alias("status"), pl.lit(True).alias("prepaid"),
        pl.col("total_fen").alias("placed_fen"),
        pl.when(pl.col("word").is_in(_PAID)).then("total_fen").otherwise(0).alias("gross_fen"),
        pl.when((pl.col("word") == "refunded") & (refund == 0)).then("total_fen").otherwise(refund).alias("refund_fen"),
        "items", keys.alias("product_key"), currency.alias("currency"), "row",
    )  # fmt: skip
    notes = {
        "unknown_status": int((rows["word"].is_not_null() & status.is_null()).sum()),
        "foreign_currency": int((currency != settings.currency).sum()),
    }
    frames = {"orders": orders, "products": products(rows, titles, keys, settings.shop_key)}
    return Shaped(frames, problems, notes)


def _currency(text: pl.Series, own: str) -> pl.Series:
    """The currency that an amount's sign stands for: the shop's where it can be."""
    currency = pl.Series("currency", [own], dtype=pl.String).new_from_index(0, len(text))
    for sign, codes in reversed(_SIGNS.items()):  # «R$» has the last word over «$»
        meant = own if own in codes else codes[0]
        currency = currency.set(text.str.contains(sign, literal=True).fill_null(False), meant)
    return currency
