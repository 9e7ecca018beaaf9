"""Olist's public files: a shop's orders spread over several tables, one file each.

Orders hold no money and name the customer by an id that is new with every order. So the orders are read together with the
customers, and the items or payments, that lie in the same folder: then every order is complete when it is stored, whatever
the order of the imports. The other files are never imported by themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from huitou.errors import FileRefused, FileSpared, Say
from huitou.sources import cells, tmall_order_lines
from huitou.sources.buyers import Buyers
from huitou.sources.keys import key_column
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.masking import mask
from huitou.sources.model import Batch, Context, Head
from huitou.sources.reviews import is_default, ratings
from huitou.sources.table import Shaped, read_table

ORDERS = Layout(
    fields=(
        Field("order_id", "code", ("order_id",), needed=True, filled=True),
        Field("customer_id", "code", ("customer_id",), needed=True, filled=True),
        Field("status", "text", ("order_status",), needed=True),
        Field("created", "time", ("order_purchase_timestamp",), needed=True, filled=True),
        Field("paid", "time", ("order_approved_at",), needed=True),
        Field("shipped", "time", ("order_delivered_carrier_date",)),
        Field("received", "time", ("order_delivered_customer_date",)),
    ),
    telling=headings("order_id customer_id order_status order_purchase_timestamp order_approved_at"),
    ignored=("order_estimated_delivery_date",),
)
ITEMS = Layout(
    fields=(
        Field("order_id", "code", ("order_id",), needed=True, filled=True),
        Field("nth", "code", ("order_item_id",), needed=True, filled=True),
        Field("item_id", "code", ("product_id",), needed=True),
        Field("price_fen", "money", ("price",), needed=True, filled=True),
    ),
    telling=headings("order_id order_item_id product_id seller_id freight_value"),
    ignored=headings("seller_id shipping_limit_date freight_value"),
)
REVIEWS = Layout(
    fields=(
        Field("order_id", "code", ("order_id",), needed=True, filled=True),
        Field("score", "text", ("review_score",), needed=True),
        Field("title", "prose", ("review_comment_title",)),
        Field("text", "prose", ("review_comment_message",), needed=True, nulls=cells.NULLS),
        Field("day", "date", ("review_creation_date",), needed=True, filled=True),
    ),
    telling=headings("review_id order_id review_score review_comment_message review_creation_date"),
    ignored=headings("review_id review_answer_timestamp"),
)
CUSTOMERS = headings("customer_id customer_unique_id customer_state")
PAYMENTS = headings("order_id payment_value payment_sequential")
SUMMED = headings("order_id order_item_id price freight_value")
_BESIDE = (
    CUSTOMERS,
    PAYMENTS,
    headings("product_id product_category_name product_photos_qty"),
    headings("seller_id seller_zip_code_prefix seller_state"),
    headings("geolocation_lat geolocation_lng geolocation_state"),
    headings("product_category_name product_category_name_english"),
)
"""Headings of the files that are read beside the orders, or that tell nothing about customers."""

STATUSES = {
    "created": "unpaid", "approved": "paid", "processing": "paid", "invoiced": "paid", "shipped": "shipped", "delivered": "done",
    "canceled": "closed", "unavailable": "closed",
}  # fmt: skip
_HEAD_BYTES = 4096
_PARQUET = b"PAR1"


class OlistOrders:
    """Orders, completed by the customers, items and payments of the same folder."""

    id = "olist.orders"
    zh = "Olist 订单"
    en = "Olist orders"
    main = "orders"
    feeds = ("orders",)
    layout = ORDERS
    quirks = (
        Say(
            "订单文件里没有金额，也没有认得出老客户的编号：导入时一起读同一文件夹里的客户文件和明细（或支付）文件，缺了就不导入",
            "orders hold no money and no id that knows a customer again: the customers and the items (or payments) in the same "
            "folder are read along; without them nothing is imported",
        ),
        Say("老客户按 customer_unique_id 认", "a returning customer is a repeated customer_unique_id"),
        Say(
            "下单金额是明细的价格加运费；付款金额是各笔支付之和",
            "placed is price and freight of the items; paid is the sum of the payments",
        ),
        Say("取消的订单没有写退款：退款记为 0", "cancelled orders carry no refund: it counts as 0"),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return ORDERS.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the orders. Raises FileRefused where no customers, or neither items nor payments, lie beside them."""
        beside = _beside(head.path)
        return read_table(head, ORDERS, context, partial(_orders, Buyers(context), beside))


class OlistItems:
    """Order items: one piece of a product each."""

    id = "olist.items"
    zh = "Olist 订单明细"
    en = "Olist order items"
    main = "order_lines"
    feeds = ("order_lines", "products")
    layout = ITEMS
    quirks = (
        Say("一行是一件；行号只在一单之内数", "a row is one piece; its number counts within the order"),
        Say(
            "没有下单时间：日期记为 1970-01-01，按订单号接到订单上",
            "there is no time: the day is 1970-01-01, the order is found by its id",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return ITEMS.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the items. Raises FileRefused."""
        return read_table(head, ITEMS, context, partial(_items, context))


class OlistReviews:
    """Reviews of orders."""

    id = "olist.reviews"
    zh = "Olist 评价"
    en = "Olist reviews"
    main = "reviews"
    feeds = ("reviews",)
    layout = REVIEWS
    quirks = (
        Say("评价的是订单，不是商品；客户从订单找", "an order is reviewed, not a product; the customer is the order's"),
        Say(
            "标题和正文合成一段；都空着就算没写字的评价",
            "title and message become one text; without either it is a default review",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return REVIEWS.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the reviews. Raises FileRefused."""
        return read_table(head, REVIEWS, context, partial(_reviews, context))


class OlistBeside:
    """Olist's other files: known, so that they can be told what they are for."""

    id = "olist.beside"
    zh = "Olist 的客户、支付、商品等文件"
    en = "Olist's customers, payments, products and other files"
    main = "orders"
    feeds: tuple[str, ...] = ()
    quirks = (
        Say(
            "不单独导入：客户和支付随订单一起读，其余没有用到",
            "never imported alone: customers and payments are read with the orders, the rest is not used",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return 90 if head.rows and any(set(wanted) <= set(head.rows[0]) for wanted in _BESIDE) else 0

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Raises FileSpared, always: it says with which file this one is read."""
        says = Say("是 Olist 的附属文件，不单独导入", "it belongs to Olist's orders and is not imported alone")
        fix = Say(
            "不用处理：把它和订单文件放在同一文件夹，导入订单时会一起读。",
            "Nothing to do: keep it in the folder of the orders, which are imported together with it.",
        )
        raise FileSpared(head.path, says, fix)


SOURCES = (OlistOrders(), OlistItems(), OlistReviews(), OlistBeside())


@dataclass(frozen=True, slots=True)
class Beside:
    """What the files around the orders say: `customers` (customer_id, buyer, region) and `money` (order_id, items,
    placed_fen, freight_fen, payments_fen, of which those of a missing file are null)."""

    customers: pl.DataFrame
    money: pl.DataFrame


def _beside(orders: Path) -> Beside:
    """Find and read the other files of the folder. Raises FileRefused where one that is needed is missing or damaged."""
    around = sorted(file for file in orders.parent.iterdir() if file.is_file())
    found = {wanted: file for file in around for wanted in (CUSTOMERS, SUMMED, PAYMENTS) if _holds(file, wanted)}
    if CUSTOMERS not in found or not {SUMMED, PAYMENTS} & set(found):
        says = Say(
            "旁边没有 Olist 的客户文件，或没有明细、支付文件：金额和老客户都认不出",
            "Olist's customers, or its items or payments, are not beside it: neither money nor returning customers can be told",
        )
        fix = Say(
            "把订单、客户（customer_unique_id）和明细（price）或支付（payment_value）文件放进同一个文件夹，再导入订单。",
            "Put orders, customers (customer_unique_id) and items (price) or payments (payment_value) into one folder, then "
            "import the orders.",
        )  # fmt: skip
        raise FileRefused(orders, says, fix)
    customers = _columns(found[CUSTOMERS], CUSTOMERS).rename({"customer_unique_id": "buyer", "customer_state": "region"})
    money = pl.DataFrame(schema={"order_id": pl.String})
    for wanted, summed in ((SUMMED, _of_items), (PAYMENTS, _of_payments)):
        if wanted in found:
            money = money.join(summed(_columns(found[wanted], wanted)), on="order_id", how="full", coalesce=True)
    columns = ("items", "placed_fen", "freight_fen", "payments_fen")
    money = money.with_columns(pl.lit(None, pl.Int64).alias(c) for c in columns if c not in money.columns)
    return Beside(customers.unique("customer_id", keep="last"), money)


def _beginning(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(_HEAD_BYTES)


def _holds(file: Path, wanted: tuple[str, ...]) -> bool:
    """Whether a file is a table with these headings."""
    try:
        beginning = _beginning(file)
        if beginning.startswith(_PARQUET):
            return set(wanted) <= set(pl.read_parquet_schema(file))
    except (OSError, pl.exceptions.PolarsError):
        return False
    first = beginning.decode("utf-8-sig", errors="ignore").partition("\n")[0]
    return set(wanted) <= {cell.strip('"\r ') for cell in first.split(",")}


def _columns(file: Path, wanted: tuple[str, ...]) -> pl.DataFrame:
    """These columns as text. Raises FileRefused."""
    try:
        if _beginning(file).startswith(_PARQUET):
            return pl.read_parquet(file, columns=list(wanted)).cast(pl.String)
        return pl.read_csv(file, columns=list(wanted), infer_schema=False)
    except (OSError, pl.exceptions.PolarsError):
        says = Say("已损坏，读不出来", "it is damaged and cannot be read")
        raise FileRefused(file, says, Say("重新下载后再导入订单。", "Download it again, then import the orders.")) from None


def _of_items(rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.with_columns(cells.money(rows[c]).values.fill_null(0) for c in ("price", "freight_value"))
    return rows.group_by("order_id").agg(
        pl.len().cast(pl.Int64).alias("items"),
        (pl.col("price") + pl.col("freight_value")).sum().alias("placed_fen"),
        pl.col("freight_value").sum().alias("freight_fen"),
    )


def _of_payments(rows: pl.DataFrame) -> pl.DataFrame:
    paid = cells.money(rows["payment_value"]).values.alias("payments_fen")
    return rows.with_columns(paid).group_by("order_id").agg(pl.col("payments_fen").sum())


def _orders(buyers: Buyers, beside: Beside, rows: pl.DataFrame) -> Shaped:
    """Typed rows → orders."""
    settings = buyers.context.settings
    rows = rows.join(beside.customers, on="customer_id", how="left", maintain_order="left")
    rows = rows.join(beside.money, on="order_id", how="left", maintain_order="left")
    customers = buyers.keys(rows["buyer"])
    buyers.context.people.remember(pl.DataFrame({"customer_key": customers, "nick": rows["buyer"]}))
    status = rows["status"].replace_strict(STATUSES, default=None, return_dtype=pl.String)
    placed = pl.coalesce("placed_fen", "payments_fen").fill_null(0)
    orders = rows.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        key_column(rows["order_id"], settings.platform, settings.shop, "order").alias("order_key"),
        "order_id",
        customers.alias("customer_key"),
        pl.col("created").alias("created_at"),
        pl.col("created_day").alias("day"),
        pl.col("created_second").alias("second"),
        pl.col("paid").alias("paid_at"),
        "paid_day",
        pl.col("shipped").alias("shipped_at"),
        pl.col("received").alias("received_at"),
        status.alias("status"),
        pl.lit(True).alias("prepaid"),
        placed.alias("placed_fen"),
        pl.when(pl.col("paid").is_not_null()).then(pl.col("payments_fen").fill_null(placed)).otherwise(0).alias("gross_fen"),
        pl.lit(0, dtype=pl.Int64).alias("refund_fen"),
        "freight_fen",
        "items",
        "region",
        pl.lit(settings.currency).alias("currency"),
        "row",
    )
    notes = {
        "unknown_status": int((rows["status"].is_not_null() & status.is_null()).sum()),
        "no_customer": customers.null_count(),
    }
    return Shaped({"orders": orders}, [], notes)


def _items(context: Context, rows: pl.DataFrame) -> Shaped:
    """Typed rows → order lines and products, as the order lines of other platforms are made."""
    absent = {"title": pl.String, "sku": pl.String, "code": pl.String, "refund_status": pl.String, "refund_fen": pl.Int64,
              "created": pl.Int64, "created_day": pl.Date}  # fmt: skip
    lines = rows.with_columns(
        pl.concat_str("order_id", "nth", separator="-").alias("line_id"),
        pl.lit(1, dtype=pl.Int64).alias("quantity"),
        pl.col("price_fen").alias("paid_fen"),
        *(pl.lit(None, dtype=kind).alias(name) for name, kind in absent.items()),
    )
    return tmall_order_lines.shape(context, lines)


def _reviews(context: Context, rows: pl.DataFrame) -> Shaped:
    """Typed rows → reviews."""
    settings = context.settings
    score, rating, unrated = ratings(rows["score"])
    text = rows.select(pl.concat_str("title", "text", separator="\n", ignore_nulls=True)).to_series()
    default = is_default(text)
    reviews = rows.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        key_column(rows["order_id"], settings.platform, settings.shop, "order").alias("order_key"),
        "day", rating.alias("rating"), score.alias("score"), mask(text).alias("text"), default.alias("default_text"), "row",
    )  # fmt: skip
    return Shaped({"reviews": reviews}, [], {"default_text": int(default.sum()), "unknown_rating": unrated})
