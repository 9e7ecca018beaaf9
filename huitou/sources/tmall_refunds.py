"""Tmall and Taobao refunds: the refund export of 42 columns, its older and its newer variants.

The export names no buyer any more: refunds join to orders, and through them to customers, by 订单编号 only.
"""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.sources.keys import key_column
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.masking import mask
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import Shape, Shaped, read_table
from huitou.sources.tmall_orders import products, products_of

LAYOUT = Layout(
    fields=(
        Field("refund_id", "id", ("退款编号",), needed=True, filled=True),
        Field("order_id", "id", ("订单编号",), needed=True, filled=True),
        Field("applied", "time", ("退款的申请时间", "退款申请时间"), needed=True, filled=True),
        Field("amount_fen", "money", ("买家退款金额", "退款金额"), needed=True, filled=True),
        Field("status", "text", ("退款状态",), needed=True, filled=True),
        Field("finished", "time", ("退款完结时间", "完结时间")),
        Field("goods_back", "text", ("是否需要退货",)),
        Field("kind", "text", ("售后类型",)),
        Field("reason", "prose", ("买家退款原因",)),
        Field("note", "prose", ("买家退款说明",)),
        Field("duty", "text", ("责任方",)),
        Field("extent", "text", ("部分退款/全部退款",)),
        Field("title", "text", ("宝贝标题",)),
        Field("item_id", "id", ("商品id",)),
    ),
    telling=("退款编号", "订单编号", "退款的申请时间|退款申请时间", "买家退款金额|退款金额", "退款状态", "买家退款原因"),
    ignored=headings("""
        支付宝交易号 支付单号 订单付款时间 商品编码 买家实际支付金额 手工退款/系统退款 超时时间 货物状态 退货物流信息
        发货物流信息 客服介入状态 卖家真实姓名 卖家真实姓名(新) 卖家退货地址 卖家邮编 卖家电话 卖家手机 退货物流单号
        退货物流公司 买家退货时间 售中或售后 商家备注 完结时间 审核操作人 举证超时 是否零秒响应 退款操作人
        退款原因标签 业务类型 是否帮他退款 帮他退款操作账号 买家会员名称
    """),
)  # fmt: skip

_SUCCEEDED = "退款成功"


class TmallRefunds:
    """Refunds of a Tmall or Taobao shop."""

    id = "tmall.refunds"
    zh = "天猫/淘宝退款"
    en = "Tmall and Taobao refunds"
    main = "refunds"
    feeds = ("refunds", "products")
    layout = LAYOUT
    quirks = (
        Say(
            "没有买家：只能靠订单编号找到客户",
            "no buyer is exported: only the order id leads to the customer",
        ),
        Say(
            "旧表和新表列名不同（商品编码、商品id；支付宝交易号、支付单号）：都认",
            "old and new forms name their columns differently: both are known",
        ),
        Say(
            "退款说明里的手机号、地址等先遮住再存",
            "phone numbers, addresses and the like in the buyer's note are masked before it is stored",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the refunds. Raises FileRefused."""
        return read_table(head, LAYOUT, context, shaping(context))


def shaping(context: Context) -> Shape:
    """What makes refunds of the typed rows of one file."""
    return partial(shape, context)


def shape(context: Context, rows: pl.DataFrame) -> Shaped:
    """Typed rows → refunds and products."""
    settings = context.settings
    shop = (settings.platform, settings.shop)
    product_keys = products_of(rows["title"], rows["item_id"], shop)
    back = pl.col("goods_back").fill_null("")
    returned = pl.col("kind").fill_null("").str.contains("退货", literal=True) | back.is_in(["是", "需要", "需要退货", "退货"])
    refunds = rows.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        key_column(rows["refund_id"], *shop, "refund").alias("refund_key"),
        key_column(rows["order_id"], *shop, "order").alias("order_key"),
        pl.col("refund_id"),
        product_keys.alias("product_key"),
        pl.col("applied").alias("applied_at"),
        pl.col("applied_day").alias("day"),
        pl.col("finished").alias("finished_at"),
        pl.col("amount_fen"),
        pl.col("status").is_in([_SUCCEEDED, "succeeded"]).alias("succeeded"),
        returned.alias("returned"),
        mask(rows["reason"]).alias("reason"),
        mask(rows["note"]).alias("note"),
        pl.col("duty"),
        pl.col("extent").str.contains("全部", literal=True).alias("full"),
        pl.col("row"),
    )
    return Shaped({"refunds": refunds, "products": products(rows, rows["title"], product_keys, settings.shop_key)}, [], {})
