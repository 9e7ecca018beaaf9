"""Daily traffic of 生意参谋 (the platform's statistics), CSV or XLSX, its header in the fourth row or elsewhere."""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import Shape, Shaped, read_table

LAYOUT = Layout(
    fields=(
        Field("day", "date", ("统计日期", "日期"), needed=True, filled=True),
        Field("visitors", "count", ("访客数",), needed=True, filled=True),
        Field("page_views", "count", ("浏览量",)),
        Field("visits", "count", ("访问次数",)),
        Field("old_visitors", "count", ("老访客数",)),
        Field("new_visitors", "count", ("新访客数",)),
        Field("item_visitors", "count", ("商品访客数",)),
        Field("device", "text", ("终端", "终端类型", "所属终端")),
        Field("score_item", "number", ("描述相符评分",)),
        Field("score_service", "number", ("服务态度评分",)),
        Field("score_logistics", "number", ("物流服务评分",)),
    ),
    telling=("统计日期|日期", "访客数", "浏览量|支付金额|支付买家数|支付转化率"),
    ignored=headings("""
        跳失率 人均停留时长(秒) 平均停留时长 人均浏览量 支付金额 支付买家数 支付转化率 下单买家数 下单转化率 下单金额
        客单价 老买家数 新买家数 售中申请退款金额 售中申请退款买家数 成功退款金额 商品浏览量 加购人数 商品加购人数
        收藏人数 商品收藏人数 支付商品件数 支付订单数 支付子订单数
    """),
)  # fmt: skip

DEVICES = {
    "所有终端": "all", "全部": "all", "all": "all", "PC端": "pc", "PC": "pc", "pc": "pc",
    "无线端": "wireless", "无线": "wireless", "手淘": "wireless", "wireless": "wireless",
}  # fmt: skip


class SycmTraffic:
    """Daily traffic of the shop."""

    id = "sycm.traffic"
    zh = "生意参谋每日流量"
    en = "Daily traffic of 生意参谋"
    main = "traffic"
    feeds = ("traffic",)
    layout = LAYOUT
    quirks = (
        Say(
            "表头在第四行或别处：按内容找",
            "the header stands in the fourth row or elsewhere: it is found by its content",
        ),
        Say(
            "汇总行、平均行不算一天",
            "totals and means are no days",
        ),
        Say(
            "没有终端一栏就是所有终端",
            "without a device a row is that of all devices",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the days. Raises FileRefused."""
        return read_table(head, LAYOUT, context, shaping(context))


def shaping(context: Context) -> Shape:
    """What makes traffic of the typed rows of one file."""
    return partial(shape, context)


def shape(context: Context, rows: pl.DataFrame) -> Shaped:
    """Typed rows → traffic; a row without a device is that of all devices."""
    device = rows["device"].replace_strict(DEVICES, default=None, return_dtype=pl.String)
    unknown = rows["device"].is_not_null() & device.is_null()
    traffic = rows.select(
        pl.lit(context.settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        pl.col("day"),
        device.fill_null(rows["device"]).fill_null("all").alias("device"),
        pl.col("visitors", "page_views", "visits", "new_visitors", "old_visitors", "item_visitors"),
        pl.col("score_item", "score_service", "score_logistics", "row"),
    )
    return Shaped({"traffic": traffic}, [], {"unknown_device": int(unknown.sum())})
