"""拼多多 orders: one row per order, of one kind of goods each; CSV in UTF-8 or XLSX, with its older and newer columns.

用户实付金额 is what the buyer paid. 商家实收金额 adds what the platform pays on top (its discounts) and is not read.
"""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.sources import cells
from huitou.sources.keys import key_column
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.model import Batch, Context, Head
from huitou.sources.reasons import problem
from huitou.sources.regions import province
from huitou.sources.table import Shaped, read_table
from huitou.sources.tmall_orders import products, products_of

LAYOUT = Layout(
    fields=(
        Field("title", "text", ("商品", "商品名称"), needed=True),
        Field("order_id", "id", ("订单号",), needed=True, filled=True),
        Field("status", "text", ("订单状态",), needed=True),
        Field("goods_fen", "money", ("商品总价(元)",)),
        Field("shop_off_fen", "money", ("店铺优惠折扣(元)",)),
        Field("platform_off_fen", "money", ("平台优惠折扣(元)",)),
        Field("freight_fen", "money", ("邮费(元)",)),
        Field("user_fen", "money", ("用户实付金额(元)",), needed=True, filled=True),
        Field("items", "count", ("商品数量(件)",), needed=True, filled=True),
        Field("province", "text", ("省",)),
        Field("paid", "time", ("支付时间",)),
        Field("deal", "time", ("订单成交时间",)),
        Field("group", "time", ("拼单成功时间",)),
        Field("confirmed", "time", ("订单确认时间",)),
        Field("shipped", "time", ("发货时间",)),
        Field("received", "time", ("确认收货时间",)),
        Field("item_id", "id", ("商品id",)),
        Field("sku", "text", ("商品规格",)),
        Field("courier", "text", ("快递公司",)),
        Field("payment", "text", ("支付方式",)),
        Field("after_sale", "text", ("售后状态",)),
    ),
    telling=("商品", "订单号", "用户实付金额(元)", "商品数量(件)", "支付时间|订单成交时间|拼单成功时间", "售后状态"),
    ignored=headings("""
        上门安装费(元) 送货入户费(元) 送货入户并安装费(元) 身份证姓名 身份证号码 收货人 手机
        是否异常 市 区 街道 街道/镇 承诺发货时间 用户购买手机号 样式ID 商家编码-SKU维度 商家编码-规格维度 商家编码-商品维度
        快递单号 海淘清关订单号 支付ID 是否抽奖或0元试用 是否顺丰加价 商家备注 买家留言 关联货品编码 货品名称 货品类型 子货品
        仓库名称 仓库所在地址 是否门店自提 门店名称 门店自定义编码 旅行类信息 商家实收金额(元) 多多支付立减金额(元) 是否审核中
        预约配送时间 是否分期 分期期数 手续费承担方 是否无痕发货 订单来源 是否社区团购 是否直播间成交 集运类型
    """),
)  # fmt: skip

_STATES = (
    ("closed", r"取消|未发货[,，]?退款成功|^退款成功$|已关闭"),
    ("done", "已签收|已收货|已完成|已评价|待评价"),
    ("shipped", "已发货"),
    ("unpaid", "待支付|待付款|未支付|未付款"),
    ("paid", "待发货|待成团|已成团|已支付|部分发货|未发货"),
)
"""Status → what 订单状态 holds; the first that fits. Words are combined: 已发货，待签收 · 已发货，退款成功 · 未发货，退款成功."""
_BEGUN = ("paid", "deal", "group", "confirmed")


class PddOrders:
    """Orders of a 拼多多 shop, one row each."""

    id = "pdd.orders"
    zh = "拼多多订单"
    en = "拼多多 orders"
    main = "orders"
    feeds = ("orders", "order_lines", "products")
    lacks = ("buyer id",)
    layout = LAYOUT
    quirks = (
        Say(
            "没有买家编号：不认客户，复购率只是下限；收货人、手机不读",
            "no buyer id: nobody is known, repeat rates are lower bounds; receiver and phone are not read",
        ),
        Say(
            "没有下单时间：用支付、成交、拼单成功、确认时间里最先有的；都没有就按订单号开头的日期",
            "no time of order: the first there is of payment, deal, group and confirmation; else the date that begins the number",
        ),
        Say(
            "付款金额 = 用户实付金额（含邮费）；商家实收含平台补贴，不用",
            "paid is 用户实付金额, freight included; 商家实收金额 holds subsidies",
        ),
        Say(
            "没付款的订单实付为 0：下单金额用商品总价加邮费减优惠",
            "orders nobody paid have 实付 0: their amount placed is goods and freight without the discounts",
        ),
        Say(
            "订单文件没有退款金额：售后状态「退款成功」先算全额，售后单导出有准数",
            "the file names no refund amounts: 退款成功 counts as the whole; the after-sale export has the exact ones",
        ),
        Say(
            "空格子里是制表符；订单状态和售后状态两列要一起看",
            "blank cells hold a tab; 订单状态 may hold the refund's state as well",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the orders. Raises FileRefused."""
        return read_table(head, LAYOUT, context, partial(_shape, head.path.name, context))


def _shape(file: str, context: Context, rows: pl.DataFrame) -> Shaped:
    settings = context.settings
    shop = (settings.platform, settings.shop)
    rows, by_id = _dated(rows, settings.timezone)
    undated = rows["created"].is_null()
    problems = [problem(file, row, "支付时间", "empty") for row in rows["row"].filter(undated)]
    rows = rows.filter(~undated)
    keys = products_of(rows["title"], rows["item_id"], shop)
    said = pl.concat_str("status", "after_sale", separator=" ", ignore_nulls=True)
    paid = pl.coalesce("paid", "deal", "group")
    settled = paid.is_not_null() & (pl.col("state") != "unpaid").fill_null(True)
    rows = rows.with_columns(status(pl.col("status")).alias("state")).with_columns(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        key_column(rows["order_id"], *shop, "order").alias("order_key"),
        key_column(rows["order_id"], *shop, "line").alias("line_key"),
        keys.alias("product_key"),
        pl.when(settled).then(paid).alias("paid_at"),
        pl.when(settled).then(pl.coalesce("paid_day", "deal_day", "group_day")).alias("paid_on"),
        pl.when(settled).then("user_fen").otherwise(0).alias("gross_fen"),
        (settled & said.str.contains("退款成功", literal=True)).fill_null(False).alias("refunded"),
    )
    rows = rows.with_columns(pl.when("refunded").then(None).otherwise(0).cast(pl.Int64).alias("refund_fen"))
    frames = {
        "orders": _orders(rows, settings.currency),
        "order_lines": _lines(rows),
        "products": products(rows, rows["title"], keys, settings.shop_key),
    }
    unknown = rows.select((pl.col("status").is_not_null() & pl.col("state").is_null()).sum()).item()
    return Shaped(frames, problems, {"unknown_status": unknown, "day_of_id": by_id})


def status(words: pl.Expr) -> pl.Expr:
    """One of the product's states, from what 订单状态 holds; null for words that are not known here."""
    state = pl.lit(None, pl.String)
    for name, form in reversed(_STATES):
        state = pl.when(words.str.contains(form)).then(pl.lit(name)).otherwise(state)
    return state


def _dated(rows: pl.DataFrame, zone: str) -> tuple[pl.DataFrame, int]:
    """With created, created_day and created_second; and how many orders have only the day in their number."""
    rows = rows.with_columns(
        pl.coalesce(_BEGUN).alias("created"),
        pl.coalesce(f"{name}_day" for name in _BEGUN).alias("created_day"),
        pl.coalesce(f"{name}_second" for name in _BEGUN).alias("created_second"),
    )
    late = rows["created"].is_null()
    if not late.any():
        return rows, 0
    days = "20" + rows["order_id"].set(~late, None).str.extract(r"^(\d{6})-\d{6,}$", 1)
    dates = cells.moments(days, zone)
    columns = {"created": dates.utc_us, "created_day": dates.day, "created_second": dates.second}
    rows = rows.with_columns(pl.col(name).fill_null(values) for name, values in columns.items())
    return rows, int(dates.utc_us.is_not_null().sum())


def _orders(rows: pl.DataFrame, currency: str) -> pl.DataFrame:
    return rows.select(
        "shop_key", "order_key", "order_id", pl.col("created").alias("created_at"), pl.col("created_day").alias("day"),
        pl.col("created_second").alias("second"), "paid_at", pl.col("paid_on").alias("paid_day"),
        pl.col("shipped").alias("shipped_at"), pl.col("received").alias("received_at"), pl.col("state").alias("status"),
        (~pl.col("payment").fill_null("").str.contains("货到付款", literal=True)).alias("prepaid"),
        _placed_fen().alias("placed_fen"), "gross_fen", pl.lit(0).alias("refund_fen"), "freight_fen", "items", "product_key",
        province(rows["province"]).alias("region"), "courier", pl.lit(currency).alias("currency"), "row",
    )  # fmt: skip


def _placed_fen() -> pl.Expr:
    """What was due: 用户实付金额; while it is 0 because nobody has paid, goods and freight without the discounts."""
    off = pl.col("shop_off_fen").fill_null(0) + pl.col("platform_off_fen").fill_null(0)
    due = pl.max_horizontal(pl.col("goods_fen") + pl.col("freight_fen").fill_null(0) - off, pl.lit(0))
    unpaid = pl.col("paid_at").is_null() & (pl.col("user_fen") == 0)
    return pl.when(unpaid).then(due.fill_null(0)).otherwise("user_fen")


def _lines(rows: pl.DataFrame) -> pl.DataFrame:
    worth = pl.coalesce("goods_fen", "user_fen")
    return rows.select(
        "shop_key", "line_key", "order_key", pl.col("order_id").alias("line_id"), "product_key", "sku",
        pl.col("items").alias("quantity"),
        pl.when(pl.col("items") > 0).then(worth // pl.col("items")).otherwise(worth).alias("price_fen"),
        pl.col("gross_fen").alias("paid_fen"), "refund_fen", "refunded",
        pl.col("created").alias("created_at"), pl.col("created_day").alias("day"), "row",
    )  # fmt: skip
