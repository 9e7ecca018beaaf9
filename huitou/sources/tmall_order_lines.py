"""Tmall and Taobao order lines: ExportOrderDetailList, with its old headings and its new ones (子订单)."""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.sources.keys import key_column
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import Shape, Shaped, read_table
from huitou.sources.tmall_orders import products, products_of

LAYOUT = Layout(
    fields=(
        Field("order_id", "id", ("主订单编号", "订单编号"), needed=True, filled=True),
        Field("line_id", "id", ("子订单编号",)),
        Field("title", "text", ("商品标题", "标题", "宝贝标题"), needed=True, filled=True),
        Field("price_fen", "money", ("价格", "商品价格"), needed=True, filled=True),
        Field("quantity", "count", ("购买数量",), needed=True, filled=True),
        Field("sku", "text", ("商品属性", "套餐信息")),
        Field("code", "text", ("商家编码", "外部系统编号")),
        Field("item_id", "id", ("商品id",)),
        Field("paid_fen", "money", ("买家实际支付金额", "买家实付金额")),
        Field("refund_status", "text", ("退款状态",)),
        Field("refund_fen", "money", ("退款金额",), nulls=("无退款申请", "没有申请退款")),
        Field("created", "time", ("订单创建时间",)),
    ),
    telling=("主订单编号|订单编号", "标题|商品标题", "价格", "购买数量", "商品属性", "套餐信息|商家编码"),
    ignored=headings("""
        外部系统编号 套餐信息 备注 订单状态 支付单号 买家应付货款 订单付款时间 商家备注 物流单号 物流公司
    """),
)  # fmt: skip

_REFUNDED = "退款成功"


class TmallOrderLines:
    """Order lines of a Tmall or Taobao shop."""

    id = "tmall.order_lines"
    zh = "天猫/淘宝子订单"
    en = "Tmall and Taobao order lines (ExportOrderDetailList)"
    main = "order_lines"
    feeds = ("order_lines", "products")
    layout = LAYOUT
    quirks = (
        Say(
            "旧表没有子订单编号：用单号和买的东西当编号",
            "the old form does not number its lines: order id and goods name them",
        ),
        Say(
            "旧表没有下单时间：日期记为 1970-01-01，按订单号接到订单上",
            "the old form has no time: the day is 1970-01-01, the order is found by its id",
        ),
        Say(
            "退款金额一栏可能是文字「无退款申请」",
            "the refund may be the words 无退款申请",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the lines. Raises FileRefused."""
        return read_table(head, LAYOUT, context, shaping(context))


def shaping(context: Context) -> Shape:
    """What makes order lines of the typed rows of one file."""
    return partial(shape, context)


def shape(context: Context, rows: pl.DataFrame) -> Shaped:
    """Typed rows → order lines and products."""
    settings = context.settings
    shop = (settings.platform, settings.shop)
    line_ids = rows["line_id"].fill_null(_line_ids(rows))
    product_keys = products_of(rows["title"], rows["item_id"], shop)
    refund = pl.col("refund_fen").fill_null(0)
    told = pl.col("refund_status").is_not_null()
    refunded = pl.when(told).then(pl.col("refund_status").is_in([_REFUNDED, "succeeded"])).otherwise(refund > 0)
    lines = rows.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        key_column(line_ids, *shop, "line").alias("line_key"),
        key_column(rows["order_id"], *shop, "order").alias("order_key"),
        line_ids.alias("line_id"),
        product_keys.alias("product_key"),
        pl.col("sku", "quantity", "price_fen", "paid_fen"),
        pl.when(refunded).then("refund_fen").otherwise(0).alias("refund_fen"),
        refunded.alias("refunded"),
        pl.col("created").alias("created_at"),
        pl.col("created_day").fill_null(pl.date(1970, 1, 1)).alias("day"),
        pl.col("row"),
    )
    return Shaped({"order_lines": lines, "products": products(rows, rows["title"], product_keys, settings.shop_key)}, [], {})


def _line_ids(rows: pl.DataFrame) -> pl.Series:
    """Names for lines that the old export does not number: order id and what was bought.

    Not the position: the same order exported again in another order of rows must give the same names.
    """
    bought = rows.select(pl.concat_str("title", "sku", "code", separator="\x1f", ignore_nulls=True)).to_series()
    return rows.select(pl.concat_str("order_id", key_column(bought, "bought").cast(pl.String), separator="-")).to_series()
