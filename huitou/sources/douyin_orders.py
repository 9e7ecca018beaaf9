"""Douyin shop orders (抖店订单): one row per sub-order, with 73 columns or 75, in UTF-8.

Money stands on the sub-order's row and is of that row only: 订单应付金额 = goods and freight less all discounts. An order's
amount is the sum of its rows. 支付优惠 is a discount of the payment that the shop is paid all the same, so it stays in.
"""

from collections.abc import Iterator

import polars as pl

from huitou.errors import Say
from huitou.sources.keys import key_column
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.masking import mask
from huitou.sources.model import Batch, Context, Head
from huitou.sources.regions import province
from huitou.sources.split_orders import Lines, read_split
from huitou.sources.table import Shaped, typed_rows
from huitou.sources.tmall_orders import products, products_of

LAYOUT = Layout(
    fields=(
        Field("order_id", "id", ("主订单编号",), needed=True, filled=True),
        Field("line_id", "id", ("子订单编号",), needed=True, filled=True),
        Field("title", "text", ("选购商品",), needed=True),
        Field("sku", "text", ("商品规格",)),
        Field("quantity", "count", ("商品数量",), needed=True, filled=True),
        Field("item_id", "id", ("商品ID",)),
        Field("price_fen", "money", ("商品单价", "商品金额")),
        Field("due_fen", "money", ("订单应付金额",), needed=True, filled=True),
        Field("freight_fen", "money", ("运费",)),
        Field("payment", "text", ("支付方式",)),
        Field("province", "text", ("省",)),
        Field("created", "time", ("订单提交时间",), needed=True, filled=True),
        Field("paid", "time", ("支付完成时间",), absent="no_paid_time"),
        Field("finished", "time", ("订单完成时间",)),
        Field("shipped", "time", ("发货时间",)),
        Field("status", "text", ("订单状态",), needed=True),
        Field("after_sale", "text", ("售后状态",)),
        Field("close_reason", "prose", ("取消原因",)),
        Field("parcel", "text", ("快递信息",)),
    ),
    telling=("主订单编号", "子订单编号", "选购商品", "订单应付金额", "订单提交时间", "售后状态|取消原因"),
    ignored=headings("""
        商家编码 货号 商品金额 优惠总金额 平台优惠 商家优惠 达人优惠 商家改价 支付优惠 红包抵扣 手续费 收件人 收件人手机号
        市 区 街道 详细地址 是否修改过地址 地址修改时段 买家留言 旗帜颜色 商家备注 APP渠道 流量来源 承诺发货时间 订单类型
        鲁班落地页ID 达人ID 达人昵称 所属门店ID 预约发货时间 仓库ID 仓库名称 是否安心购 广告渠道 流量类型 流量体裁 流量渠道
        发货主体 发货主体明细
        降价类优惠 平台实际承担优惠金额 商家实际承担优惠金额 达人实际承担优惠金额 预计送达时间 是否平台仓自流转 车型 商品69码
        发货SN码 发货IMEI码1 发货IMEI码2 预约送达时间 建议发货时间（起） 建议发货时间（止） 物流SN码 物流IMEI码1 物流IMEI码2
        序列号 拼团订单团编号 税费 教育优惠 是否是以旧换新 换新额外补贴 换新额外补贴发放状态 商品单价是否含税 是否是渠道商品
        商家收入金额
    """),
)  # fmt: skip

STATUSES = {
    "待支付": "unpaid", "待付款": "unpaid", "待确认": "unpaid", "已支付": "paid", "待发货": "paid", "备货中": "paid",
    "部分发货": "paid", "已发货": "shipped", "待收货": "shipped", "已完成": "done", "已收货": "done",
    "已关闭": "closed", "已取消": "closed",
}  # fmt: skip
REFUNDED = r"退款成功|已全额退款"
"""What 售后状态 says of money that went back."""
_OPEN = ("unpaid", "paid", "shipped", "done")


class DouyinOrders:
    """Orders of a Douyin shop, one row per sub-order."""

    id = "douyin.orders"
    zh = "抖店订单"
    en = "Douyin shop orders (one row per sub-order)"
    main = "order_lines"
    feeds = ("order_lines", "orders", "products")
    lacks = ("buyer id",)
    layout = LAYOUT
    quirks = (
        Say(
            "一单多行，每行一个子订单；订单应付金额、运费是这一行的，一单的金额是各行之和，文件读完才合成",
            "an order has a row per sub-order; amounts and freight are those of the row, an order's are their sum",
        ),
        Say(
            "付款金额 = 订单应付金额：买家要付的，已减店铺、平台、达人优惠；支付优惠不减",
            "paid is 订单应付金额, after the discounts of shop, platform and creator; 支付优惠 is not taken off",
        ),
        Say(
            "没有买家编号，收件人是密文：不认客户，复购率只是下限",
            "no buyer id, and the receiver is encrypted: nobody is known, repeat rates are lower bounds",
        ),
        Say(
            "售后状态是「退款成功」的子订单先算整行退款；部分退款的准数在售后单导出里",
            "a sub-order with 售后状态 退款成功 counts as refunded whole; the after-sale export has the exact amounts",
        ),
        Say(
            "一单里已关闭的子订单不决定订单状态；其余子订单中走得最慢的决定",
            "a closed sub-order does not decide the order's state; of the others the one that is least far does",
        ),
        Say(
            "格子前后有制表符、金额有千分位逗号；75 列版的「商品金额」是单价；商家优惠「名称-金额」不读",
            "cells are padded with tabs, amounts have commas; 商品金额 (75 columns) is a unit price; 商家优惠 is not read",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the sub-orders, then the orders. Raises FileRefused."""
        file = _File(context)
        return read_split(typed_rows(head, LAYOUT, context), file.lines, file.orders)


class _File:
    """One file's way from rows to orders."""

    def __init__(self, context: Context) -> None:
        self._settings = context.settings
        self._shop = (context.settings.platform, context.settings.shop)

    def lines(self, rows: pl.DataFrame) -> Lines:
        """Typed rows → order lines and products."""
        keys = products_of(rows["title"], rows["item_id"], self._shop)
        refunded = pl.col("after_sale").str.contains(REFUNDED).fill_null(False)
        paid = pl.col("paid").is_not_null()
        each = pl.when(pl.col("quantity") > 0).then(pl.col("due_fen") // pl.col("quantity"))
        rows = rows.with_columns(
            pl.lit(self._settings.shop_key, dtype=pl.Int64).alias("shop_key"),
            key_column(rows["order_id"], *self._shop, "order").alias("order_key"),
            key_column(rows["line_id"], *self._shop, "line").alias("line_key"),
            keys.alias("product_key"),
            pl.when(paid).then("due_fen").otherwise(0).alias("paid_fen"),
            (refunded & paid).alias("refunded"),
            pl.when(refunded & paid).then(None).otherwise(0).cast(pl.Int64).alias("refund_fen"),
        )
        lines = rows.select(
            "shop_key", "line_key", "order_key", "line_id", "product_key", "sku", "quantity",
            pl.coalesce("price_fen", each, 0).alias("price_fen"), "paid_fen", "refund_fen", "refunded",
            pl.col("created").alias("created_at"), pl.col("created_day").alias("day"), "row",
        )  # fmt: skip
        frames = {"order_lines": lines, "products": products(rows, rows["title"], keys, self._settings.shop_key)}
        return Lines(Shaped(frames, [], {}), _told(rows))

    def orders(self, told: pl.DataFrame) -> Shaped:
        """The sub-orders put together: amounts are added, the slowest open sub-order gives the state."""
        state = pl.col("status").replace_strict({name: i for i, name in enumerate(_OPEN)}, default=None, return_dtype=pl.Int64)
        slowest = state.min().replace_strict(dict(enumerate(_OPEN)), default=None, return_dtype=pl.String)
        closed = (pl.col("status") == "closed").any()
        same = ("shop_key", "order_id", "created_at", "day", "second", "prepaid", "region", "courier", "close_reason")
        orders = told.group_by("order_key", maintain_order=True).agg(
            *(pl.col(name).drop_nulls().first() for name in same),
            *(pl.col(name).min() for name in ("paid_at", "paid_day", "shipped_at", "row")),
            pl.col("received_at").max(),
            pl.coalesce(slowest, pl.when(closed).then(pl.lit("closed"))).alias("status"),
            *(pl.col(name).sum() for name in ("placed_fen", "gross_fen", "refund_fen", "freight_fen")),
            (pl.col("has_status") & pl.col("status").is_null()).any().alias("unknown"),
        )
        done = (pl.col("status") == "done").fill_null(False)
        orders = orders.with_columns(
            pl.when(done).then("received_at").alias("received_at"), pl.lit(self._settings.currency).alias("currency")
        )
        return Shaped({"orders": orders.drop("unknown")}, [], {"unknown_status": int(orders["unknown"].sum())})


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    """What each sub-order tells of its order."""
    status = rows["status"].str.replace_all(r"\s", "").replace_strict(STATUSES, default=None, return_dtype=pl.String)
    reasons = rows["close_reason"].str.strip_chars()
    reasons = reasons.set(reasons.is_in(["", "-", "--"]), None)
    return rows.select(
        "shop_key", "order_key", "line_key", "order_id", pl.col("created").alias("created_at"),
        pl.col("created_day").alias("day"), pl.col("created_second").alias("second"), pl.col("paid").alias("paid_at"), "paid_day",
        pl.col("shipped").alias("shipped_at"), pl.col("finished").alias("received_at"),
        status.alias("status"),
        pl.col("status").is_not_null().alias("has_status"), mask(reasons).alias("close_reason"),
        (~pl.col("payment").fill_null("").str.contains("货到付款", literal=True)).alias("prepaid"),
        pl.col("due_fen").alias("placed_fen"), pl.col("paid_fen").alias("gross_fen"), "refund_fen",
        pl.col("freight_fen").fill_null(0),
        province(rows["province"]).alias("region"),
        pl.col("parcel").str.extract(r"^[^,;]*?-([^-,;]+)", 1).str.strip_chars().alias("courier"), "row",
    )  # fmt: skip
