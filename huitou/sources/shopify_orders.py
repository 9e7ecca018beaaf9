"""Shopify orders: orders_export.csv with one row per order line, the order's own cells on its first row only.

Comes in: the admin's export with its old or its newer headings. Goes out: an order line per row, an order per first row.
"""

from collections.abc import Iterator

import polars as pl

from huitou.errors import Say
from huitou.sources.buyers import Buyers
from huitou.sources.keys import key_column
from huitou.sources.layout import Field, Layout
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import Shaped, read_table
from huitou.sources.tmall_orders import products, products_of

_IGNORED = """
    Accepts Marketing | Subtotal | Taxes | Discount Code | Discount Amount | Shipping Method | Lineitem compare at
    price | Lineitem compare-at price | Lineitem requires shipping | Lineitem taxable | Lineitem fulfillment
    status | Lineitem discount | Billing Name | Billing Street | Billing Address1 | Billing Address2 | Billing
    Company | Billing City | Billing Zip | Billing Province | Billing Province Name | Billing Country | Billing
    Phone | Shipping Address1 | Shipping Address2 | Shipping Company | Shipping Province Name | Notes | Note
    Attributes | Payment Reference | Payment References | Payment ID | Payment Terms Name | Next Payment Due At |
    Vendor | Employee | Location | Device ID | Id | Tags | Risk Level | Source | Phone | Receipt Number | Duties
"""
_TAXES = tuple(f"Tax {n} {what}" for n in range(1, 6) for what in ("Name", "Value"))

LAYOUT = Layout(
    fields=(
        Field("order_id", "code", ("Name",), needed=True, filled=True),
        Field("buyer", "code", ("Email",)),
        Field("finance", "text", ("Financial Status",), needed=True),
        Field("paid", "time", ("Paid at",)),
        Field("fulfilment", "text", ("Fulfillment Status",)),
        Field("shipped", "time", ("Fulfilled at",)),
        Field("currency", "text", ("Currency",)),
        Field("freight_fen", "money", ("Shipping",)),
        Field("total_fen", "money", ("Total",), needed=True),
        Field("refund_fen", "money", ("Refunded Amount",)),
        Field("owed_fen", "money", ("Outstanding Balance",)),
        Field("created", "time", ("Created at",), needed=True),
        Field("cancelled", "time", ("Cancelled at", "Canceled at")),
        Field("payment", "text", ("Payment Method",)),
        Field("quantity", "count", ("Lineitem quantity",), needed=True, filled=True),
        Field("title", "text", ("Lineitem name",), needed=True, filled=True),
        Field("price_fen", "money", ("Lineitem price",), needed=True, filled=True),
        Field("sku", "text", ("Lineitem sku",)),
        Field("name", "code", ("Shipping Name", "Billing Name")),
        Field("phone", "code", ("Shipping Phone", "Phone", "Billing Phone")),
        Field("street", "text", ("Shipping Street", "Shipping Address1", "Billing Street")),
        Field("city", "text", ("Shipping City", "Billing City")),
        Field("zip", "code", ("Shipping Zip", "Billing Zip")),
        Field("province", "text", ("Shipping Province", "Billing Province")),
        Field("country", "text", ("Shipping Country", "Billing Country")),
    ),
    telling=("Name", "Financial Status", "Lineitem name", "Lineitem quantity", "Fulfillment Status|Fulfilled at", "Created at"),
    ignored=(*(name.strip() for name in _IGNORED.split("|")), *_TAXES),
)  # fmt: skip

_PAID = ("paid", "partially_refunded", "refunded")
_KNOWN = (*_PAID, "partially_paid", "pending", "authorized", "voided", "expired")


class ShopifyOrders:
    """Orders of a Shopify shop, a row for each line of an order."""

    id = "shopify.orders"
    zh = "Shopify 订单"
    en = "Shopify orders (orders_export)"
    main = "order_lines"
    feeds = ("order_lines", "orders", "products")
    layout = LAYOUT
    quirks = (
        Say(
            "一单多行；订单金额、状态只写在第一行", "an order with several lines has its amounts and states on its first row only"
        ),
        Say(
            "客户按邮箱认（不分大小写）；邮箱只进加密库",
            "the e-mail, in small letters, is the customer; it goes to the vault only",
        ),
        Say("时间自带时差，日期按店铺时区", "times carry their own offset; days are those of the shop's zone"),
        Say(
            "每单有自己的币种：别的币种的订单留着，不与店铺币种相加",
            "each order has its own currency: those of another one are kept and never added to the shop's",
        ),
        Say("没有商品编号：按名称认商品，名称里带规格", "there is no product id: a product is its name, variant included"),
        Say(
            "没有签收时间，发货就是最后的状态；没有逐件退款，退款只到订单",
            "no receipt is exported, so shipped is the last state; refunds are those of the whole order",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the order lines. Raises FileRefused."""
        return read_table(head, LAYOUT, context, _Orders(context).shape)


class _Orders:
    """One file's way from rows to orders: the order at the end of a stretch may go on in the next one."""

    def __init__(self, context: Context) -> None:
        self._buyers = Buyers(context)
        self._settings = context.settings
        self._open: pl.DataFrame | None = None  # the rows so far of the order that came last

    def shape(self, rows: pl.DataFrame) -> Shaped:
        """Typed rows → order lines, orders and products."""
        known = rows if self._open is None else pl.concat([self._open, rows])
        if known.height:
            self._open = known.filter(pl.col("order_id") == known["order_id"][-1])
        rows = _completed(known).tail(rows.height)
        settings = self._settings
        products_ = products_of(rows["title"], rows["item_id"], (settings.platform, settings.shop))
        orders, notes = self._orders(rows.filter(pl.col("total_fen").is_not_null() & pl.col("created").is_not_null()))
        frames = {
            "order_lines": self._lines(rows, products_),
            "orders": orders,
            "products": products(rows, rows["title"], products_, settings.shop_key),
        }
        return Shaped(frames, [], notes)

    def _lines(self, rows: pl.DataFrame, product_keys: pl.Series) -> pl.DataFrame:
        shop = (self._settings.platform, self._settings.shop)
        return rows.select(
            pl.lit(self._settings.shop_key, dtype=pl.Int64).alias("shop_key"),
            key_column(rows["line_id"], *shop, "line").alias("line_key"),
            key_column(rows["order_id"], *shop, "order").alias("order_key"),
            pl.col("line_id"),
            product_keys.alias("product_key"),
            pl.col("sku", "quantity", "price_fen"),
            pl.lit(0, dtype=pl.Int64).alias("refund_fen"),
            (pl.col("finance") == "refunded").fill_null(False).alias("refunded"),
            pl.col("placed_at").alias("created_at"),
            pl.col("placed_day").fill_null(pl.date(1970, 1, 1)).alias("day"),
            pl.col("row"),
        )

    def _orders(self, first: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
        """The first rows of orders → orders."""
        settings = self._settings
        first = first.with_columns(
            pl.concat_str("street", "city", "zip", "province", "country", separator=", ", ignore_nulls=True).alias("address"),
            pl.col("buyer").str.to_lowercase(),
            pl.col("currency").str.to_uppercase().fill_null(settings.currency),
        )
        customers = self._buyers.keys(first["buyer"])
        self._buyers.remember(first, customers)
        orders = first.with_columns(
            customers.alias("customer_key"),
            key_column(first["order_id"], settings.platform, settings.shop, "order").alias("order_key"),
        ).select(*_order_columns(settings.shop_key))
        notes = {
            "unknown_status": int((~first["finance"].is_in(_KNOWN)).fill_null(False).sum()),
            "foreign_currency": int((first["currency"] != settings.currency).sum()),
        }
        return orders, notes


def _completed(rows: pl.DataFrame) -> pl.DataFrame:
    """With what an order's first row says of all its lines, and a name for each line.

    The export does not number the lines. A name is not the position: the same order exported again in another order of
    rows must give the same names; only equal lines are counted.
    """
    bought = rows.select(pl.concat_str("title", "sku", "price_fen", separator="\x1f", ignore_nulls=True)).to_series()
    rows = rows.with_columns(
        key_column(bought, "bought").cast(pl.String).alias("bought"),
        pl.lit(None, dtype=pl.String).alias("item_id"),
        pl.col("finance").str.to_lowercase(),
    ).with_columns(
        pl.col("finance").drop_nulls().first().over("order_id"),
        pl.col("created").drop_nulls().first().over("order_id").alias("placed_at"),
        pl.col("created_day").drop_nulls().first().over("order_id").alias("placed_day"),
        pl.int_range(1, pl.len() + 1).over("order_id", "bought").cast(pl.String).alias("nth"),
    )  # fmt: skip
    return rows.with_columns(pl.concat_str("order_id", "bought", "nth", separator="-").alias("line_id"))


def _order_columns(shop_key: int) -> list[pl.Expr]:
    """The canonical columns of orders from the typed ones of their first rows."""
    finance, total = pl.col("finance"), pl.col("total_fen")
    gross = (
        pl.when(finance.is_in(_PAID) | (~finance.is_in(_KNOWN) & pl.col("paid").is_not_null())).then(total)
        .when(finance == "partially_paid").then(total - pl.col("owed_fen").fill_null(0))
        .otherwise(0)
    )  # fmt: skip
    closed = pl.col("cancelled").is_not_null() | finance.is_in(["voided", "expired"])
    sent = pl.col("fulfilment").str.to_lowercase() == "fulfilled"
    status = (
        pl.when(closed | ((finance == "refunded") & ~sent.fill_null(False))).then(pl.lit("closed"))
        .when(sent).then(pl.lit("shipped"))
        .when(finance.is_in([*_PAID, "partially_paid"])).then(pl.lit("paid"))
        .when(finance.is_in(_KNOWN)).then(pl.lit("unpaid"))
    )  # fmt: skip
    kept = pl.when((gross > 0) | (total == 0))
    return [
        pl.lit(shop_key, dtype=pl.Int64).alias("shop_key"), pl.col("order_key"), pl.col("order_id"), pl.col("customer_key"),
        pl.col("created").alias("created_at"), pl.col("created_day").alias("day"), pl.col("created_second").alias("second"),
        kept.then(pl.col("paid")).alias("paid_at"), kept.then(pl.col("paid_day")).alias("paid_day"),
        pl.col("shipped").alias("shipped_at"), status.alias("status"),
        (~pl.col("payment").fill_null("").str.contains("(?i)cash on delivery|\\bcod\\b")).alias("prepaid"),
        total.alias("placed_fen"), gross.fill_null(0).alias("gross_fen"), pl.col("refund_fen").fill_null(0),
        pl.col("freight_fen"), pl.col("province").alias("region"), pl.col("currency"), pl.col("row"),
    ]  # fmt: skip
