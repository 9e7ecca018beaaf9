"""Douyin shop refunds (抖店售后单): the after-sale export of 50 columns."""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.model import Batch, Context, Head
from huitou.sources.refund_rows import refunds_of
from huitou.sources.table import Shaped, read_table

LAYOUT = Layout(
    fields=(
        Field("refund_id", "id", ("售后单号",), needed=True, filled=True),
        Field("order_id", "id", ("订单号",), needed=True, filled=True),
        Field("title", "text", ("商品名称",)),
        Field("item_id", "id", ("商品ID",)),
        Field("due_fen", "money", ("应付金额（元）",)),
        Field("kind", "text", ("售后类型",), needed=True),
        Field("goods_fen", "money", ("退商品金额（元）",), needed=True),
        Field("freight_fen", "money", ("退运费金额（元）",)),
        Field("tax_fen", "money", ("退税费金额（元）",)),
        Field("status", "text", ("售后状态",), needed=True, filled=True),
        Field("applied", "time", ("售后申请时间",), needed=True, filled=True),
        Field("reason", "prose", ("售后原因",)),
        Field("finished", "time", ("售后完结时间", "用户到账时间", "商家退款时间")),
        Field("duty", "text", ("纠纷责任方",)),
        Field("note", "prose", ("用户售后说明",)),
    ),
    telling=("售后单号", "订单号", "商品单号", "退商品金额（元）", "售后申请时间", "售后类型"),
    ignored=headings("""
        商品单号 商品运费（元） 支付优惠（元） 商品税费（元） 商品发货状态 退支付优惠（元） 退款方式 是否已上传退款凭证
        售后原因标签 退货物流单号 退货异常 退货发货时间 退货物流公司 自动处理截止时间 同意售后申请时间 商家退款时间 用户到账时间
        售后关闭时间 商家退货地址 商家退货联系人姓名 商家退货联系人电话 仲裁状态 是否极速退款 是否拒签后退款
        发货物流单号 发货物流状态 换货物流单号 退货物流状态 订单备注 售后备注 操作人 协商记录 换货商品信息 商家编码 门店名称
    """),
)  # fmt: skip


class DouyinRefunds:
    """After-sale cases of a Douyin shop."""

    id = "douyin.refunds"
    zh = "抖店售后单"
    en = "Douyin shop refunds (after-sale export)"
    main = "refunds"
    feeds = ("refunds", "products")
    layout = LAYOUT
    quirks = (
        Say(
            "退款金额 = 退商品金额 + 退运费 + 退税费；退支付优惠不减",
            "the amount is goods, freight and tax; 退支付优惠 is not taken off",
        ),
        Say(
            "售后状态含「退款成功」才算已退款；换货、补寄金额为 0",
            "refunded only where 售后状态 says 退款成功; exchanges have amount 0",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the cases. Raises FileRefused."""
        return read_table(head, LAYOUT, context, partial(_shape, context))


def _shape(context: Context, rows: pl.DataFrame) -> Shaped:
    parts = [pl.col(name).fill_null(0) for name in ("goods_fen", "freight_fen", "tax_fen")]
    full = pl.col("goods_fen") + pl.col("freight_fen").fill_null(0) >= pl.col("due_fen")
    return refunds_of(context, rows.with_columns(pl.sum_horizontal(parts).alias("amount_fen"), full.alias("full")))
