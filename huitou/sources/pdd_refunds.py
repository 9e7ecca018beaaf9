"""拼多多 refunds: the after-sale export (售后单), with its older and newer headings."""

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
        Field("refund_id", "id", ("售后编号", "售后单号"), needed=True, filled=True),
        Field("order_id", "id", ("订单编号", "订单号"), needed=True, filled=True),
        Field("amount_fen", "money", ("退款金额(元)", "退款金额"), needed=True),
        Field("status", "text", ("售后状态",), needed=True, filled=True),
        Field("kind", "text", ("售后类型", "退款类型")),
        Field("reason", "prose", ("售后原因", "退款原因")),
        Field("note", "prose", ("售后描述", "退款说明", "问题描述")),
        Field("applied", "time", ("申请时间", "售后申请时间"), needed=True, filled=True),
        Field("finished", "time", ("同意退款时间", "退款成功时间")),
        Field("paid_fen", "money", ("交易金额(元)", "用户实付金额(元)", "交易金额", "实付金额(元)")),
        Field("duty", "text", ("责任方",)),
        Field("title", "text", ("商品名称", "商品")),
        Field("item_id", "id", ("商品id",)),
    ),
    telling=("售后编号", "订单编号|订单号", "退款金额(元)|退款金额", "售后状态", "售后类型|退款类型", "申请时间|售后申请时间"),
    ignored=headings("""
        退货运单号 退货快递单号 快递拦截状态 运费补偿状态 同意退货时间 同意退款人 处理人 退货物流状态 退货物流状态对应时间
        退货快递 快递公司 物流公司 收费状态 收费编号 理赔状态 备注 处理时长(小时) 订单状态 发货状态 发货快递单号 发货运单号
        sku信息 商品规格 规格编码 商家编码 订单标记 超时时间 平台介入状态 商品数量 退货数量 店铺名称
    """),
)  # fmt: skip


class PddRefunds:
    """After-sale cases of a 拼多多 shop."""

    id = "pdd.refunds"
    zh = "拼多多售后单"
    en = "拼多多 refunds (after-sale export)"
    main = "refunds"
    feeds = ("refunds", "products")
    layout = LAYOUT
    quirks = (
        Say(
            "售后状态含「退款成功」才算已退款；换货、补寄没有金额",
            "refunded only where 售后状态 says 退款成功; exchanges have no amount",
        ),
        Say("只能按订单编号和订单相连：没有买家", "joins to orders by 订单编号 only: no buyer is named"),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the cases. Raises FileRefused."""
        return read_table(head, LAYOUT, context, partial(_shape, context))


def _shape(context: Context, rows: pl.DataFrame) -> Shaped:
    return refunds_of(context, rows.with_columns((pl.col("amount_fen") >= pl.col("paid_fen")).alias("full")))
