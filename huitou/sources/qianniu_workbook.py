"""千牛's workbooks: the three sheets of its order download, and 已卖出的宝贝 with an order on several rows.

The download has 订单报表 (orders), 销售明细 (their lines) and 发货报表 (names, phones and addresses without a buyer id, so they
are not read). Comes in: a sheet. Goes out: the rows of Tmall's own exports, with what is missing
here worked out from what is there.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.sources import tmall_order_lines, tmall_orders
from huitou.sources.buyers import Buyers
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.model import Batch, Context, Head
from huitou.sources.regions import province
from huitou.sources.split_orders import Lines, read_split
from huitou.sources.table import Shaped, read_table, typed_rows
from huitou.sources.tmall_orders import STATUSES, gross_fen

_PAID = ("paid", "shipped", "done")
_NOTHING = ("无退款申请", "没有申请退款")
_NO_BUYER = Say("没有买家会员名：认不出老客户", "there is no buyer: returning customers cannot be told")
_MONEY = ("kept_fen", "goods_fen")

ORDERS = Layout(
    fields=(
        *(
            replace(f, needed=f.needed and f.name != "paid", absent="")
            for f in tmall_orders.LAYOUT.fields
            if f.name not in _MONEY
        ),
        Field("kept_fen", "money", ("买家实际支付金额", "买家实付金额"), absent="no_kept"),
        Field("goods_fen", "money", ("买家应付货款",), needed=True),
    ),
    telling=headings("订单编号 订单创建时间 订单状态 买家应付货款 物流单号|物流公司"),
    ignored=(*tmall_orders.LAYOUT.ignored, "物流单号"),
)
LINES = Layout(
    fields=(
        Field("order_id", "id", ("主订单编号",), needed=True, filled=True),
        Field("line_id", "id", ("子订单编号",), needed=True),
        Field("title", "text", ("商品标题", "标题"), needed=True, filled=True),
        Field("quantity", "count", ("购买数量",), needed=True, filled=True),
        Field("due_fen", "money", ("买家应付货款",), needed=True, filled=True),
        Field("paid_fen", "money", ("买家实付金额", "买家实际支付金额")),
        Field("price_fen", "money", ("商品价格", "价格")),
        Field("sku", "text", ("商品属性",)),
        Field("code", "text", ("商家编码", "外部系统编号")),
        Field("item_id", "id", ("商品id",)),
        Field("refund_status", "text", ("退款状态",)),
        Field("refund_fen", "money", ("退款金额",), nulls=_NOTHING),
        Field("created", "time", ("订单创建时间",), needed=True),
    ),
    telling=headings("子订单编号 主订单编号 商品标题|标题 购买数量 买家应付货款 商家编码|商品属性"),
    ignored=tmall_order_lines.LAYOUT.ignored,
)
SOLD = Layout(
    fields=(
        *(replace(f, filled=True) if f.name == "created" else f for f in LINES.fields),
        Field("freight_fen", "money", ("买家应付邮费",), needed=True),
        Field("status", "text", ("订单状态",), needed=True),
        Field("paid", "time", ("订单付款时间",)),
        Field("address", "text", ("收货地址",)),
        Field("courier", "text", ("物流公司",)),
    ),
    telling=headings("子订单编号 主订单编号 购买数量 买家应付邮费 订单状态 买家实付金额|买家应付货款"),
    ignored=(*tmall_order_lines.LAYOUT.ignored, "收货人姓名", "联系手机"),
)


class QianniuOrders:
    """Sheet 订单报表 of 千牛's order download."""

    id = "qianniu.orders"
    zh = "千牛订单报表（工作簿）"
    en = "千牛's order report (sheet 订单报表)"
    main = "orders"
    feeds = ("orders", "products")
    lacks = ("buyer id",)
    layout = ORDERS
    quirks = (
        Say(
            "同一工作簿里的销售明细一起读；发货报表只有收货人资料，不读",
            "the sheet 销售明细 is read too; 发货报表 holds receivers only and is not",
        ),
        Say("没有付款时间的，按状态判断是否付款", "without a time of payment the state tells whether it was paid"),
        Say("没有实付金额的，按应付货款加邮费算", "without an amount paid, goods and freight due are taken"),
        _NO_BUYER,
    )

    def identify(self, head: Head) -> int:
        """By its headings; what Tmall's own order export is sure of is left to it."""
        return 0 if tmall_orders.LAYOUT.sure(head) >= ORDERS.sure(head) else ORDERS.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the orders. Raises FileRefused."""
        timed = "paid" in ORDERS.place(head).positions
        return read_table(head, ORDERS, context, partial(_orders, Buyers(context), timed))


class QianniuLines:
    """Sheet 销售明细 of 千牛's order download."""

    id = "qianniu.order_lines"
    zh = "千牛销售明细（工作簿）"
    en = "千牛's sales details (sheet 销售明细)"
    main = "order_lines"
    feeds = ("order_lines", "products")
    layout = LINES
    quirks = (Say("没有单价的，用应付货款除以数量", "without a price, the amount due is divided by the pieces"),)

    def identify(self, head: Head) -> int:
        """By its headings; what Tmall's own export, or the form with freight, is sure of is left to it."""
        others = max(tmall_order_lines.LAYOUT.sure(head), SOLD.sure(head))
        return 0 if others >= LINES.sure(head) else LINES.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the lines. Raises FileRefused."""
        return read_table(head, LINES, context, partial(_lines, context))


class QianniuSold:
    """已卖出的宝贝: a row for each line, the order's own cells repeated on each."""

    id = "qianniu.sold"
    zh = "千牛已卖出的宝贝"
    en = "千牛's sold items (已卖出的宝贝)"
    main = "order_lines"
    feeds = ("order_lines", "orders", "products")
    lacks = ("buyer id",)
    layout = SOLD
    quirks = (
        Say(
            "一单占几行：实付按行相加，邮费是整单的，取最大的一个",
            "an order takes several rows: payments add up, freight is the order's and its maximum counts",
        ),
        Say("状态写在行上：所有行都关闭才算关闭", "states are those of lines: an order is closed when all its lines are"),
        Say(
            "退款金额有时是优惠差额：退款状态是退款成功才算退款",
            "refund amounts may be differences of discounts: only 退款成功 is a refund",
        ),
        Say("可能有打开密码：先去掉密码", "it may be protected by a password: clear it first"),
        _NO_BUYER,
    )

    def identify(self, head: Head) -> int:
        """By its headings: the freight beside the lines tells it from the export of order lines."""
        return SOLD.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the lines, then their orders. Raises FileRefused."""
        timed = "paid" in SOLD.place(head).positions
        return read_split(typed_rows(head, SOLD, context), partial(_sold, context), partial(_sold_orders, context, timed))


SOURCES = (QianniuSold(), QianniuOrders(), QianniuLines())


def _orders(buyers: Buyers, timed: bool, rows: pl.DataFrame) -> Shaped:
    """Typed rows → orders; `timed`: the sheet has a time of payment."""
    due = pl.coalesce("total_fen", pl.col("goods_fen") + pl.col("freight_fen").fill_null(0))
    made = tmall_orders.shape(buyers, rows.with_columns(pl.col("kept_fen").fill_null(due)))
    if timed:
        return made
    paid = rows.select(gross_fen(pl.col("kept_fen").fill_null(due), pl.col("refund_fen").fill_null(0), due)).to_series()
    gross = pl.when(pl.col("status").is_in(_PAID)).then(paid).otherwise(0).alias("gross_fen")
    return replace(made, frames=made.frames | {"orders": made.frames["orders"].with_columns(gross)})


def _lines(context: Context, rows: pl.DataFrame) -> Shaped:
    each = pl.col("due_fen") // pl.max_horizontal("quantity", pl.lit(1))
    return tmall_order_lines.shape(context, rows.with_columns(pl.col("price_fen").fill_null(each)))


def _sold(context: Context, rows: pl.DataFrame) -> Lines:
    """Typed rows → order lines, and what each tells of its order."""
    rows = rows.with_columns(
        pl.col("status").str.replace_all("，", ",", literal=True).str.replace_all(" ", "", literal=True)
        .replace_strict(STATUSES, default=None, return_dtype=pl.String),
        (pl.col("refund_status") == "退款成功").fill_null(False).alias("refunded"),
        pl.col("paid_fen").fill_null(pl.col("due_fen")).alias("kept_fen"),
    ).with_columns(pl.when("refunded").then(pl.col("refund_fen").fill_null(0)).otherwise(0).alias("back_fen"))  # fmt: skip
    made = _lines(context, rows)
    told = made.frames["order_lines"].select("line_key", "order_key").hstack(rows.select(
        "order_id", "created", "created_day", "created_second", "paid", "paid_day", "status", "due_fen", "kept_fen", "back_fen",
        "freight_fen", "quantity", "address", "courier", "row",
    ))  # fmt: skip
    return Lines(made, told)


def _sold_orders(context: Context, timed: bool, told: pl.DataFrame) -> Shaped:
    """What the lines tell → orders."""
    settings = context.settings
    ranks = ("closed", "unpaid", "paid", "shipped", "done")
    orders = told.group_by("order_key", maintain_order=True).agg(
        pl.col("order_id", "created", "created_day", "created_second", "row").first(),
        pl.col("paid", "paid_day", "address", "courier").drop_nulls().first(),
        pl.col("status")
        .replace_strict(dict(zip(ranks, range(5), strict=True)), default=None, return_dtype=pl.Int64)
        .max()
        .alias("rank"),
        pl.col("due_fen", "back_fen", "quantity").sum(),
        gross_fen(pl.col("kept_fen"), pl.col("back_fen"), pl.col("due_fen")).sum().alias("lines_fen"),
        pl.col("freight_fen").max().fill_null(0),
    )
    status = pl.col("rank").replace_strict(dict(enumerate(ranks)), default=None, return_dtype=pl.String)
    paid = pl.col("paid").is_not_null() if timed else status.is_in(_PAID) | (pl.col("back_fen") > 0)
    frame = orders.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"), "order_key", "order_id",
        pl.col("created").alias("created_at"), pl.col("created_day").alias("day"), pl.col("created_second").alias("second"),
        pl.col("paid").alias("paid_at"), "paid_day", status.alias("status"), pl.lit(True).alias("prepaid"),
        (pl.col("due_fen") + pl.col("freight_fen")).alias("placed_fen"),
        pl.when(paid).then(pl.col("lines_fen") + pl.col("freight_fen")).otherwise(0).alias("gross_fen"),
        pl.col("back_fen").alias("refund_fen"), "freight_fen", pl.col("quantity").alias("items"),
        province(orders["address"]).alias("region"), "courier", pl.lit(settings.currency).alias("currency"), "row",
    )  # fmt: skip
    return Shaped({"orders": frame}, [], {"unknown_status": int(frame["status"].null_count())})
