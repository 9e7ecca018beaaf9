"""Tmall and Taobao orders: the full ExportOrderList and the short order report.

In both, 买家实际支付金额 is what the shop keeps: a refund has already been taken off it. A shop's report of February 2020
holds 实际支付 + 退款 = 总金额 for each of 24,087 paid orders; subtracting refunds again would lose them twice.
"""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.sources.buyers import Buyers
from huitou.sources.keys import each_once, key_column, key_of_repeated
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.masking import mask
from huitou.sources.model import Batch, Context, Head
from huitou.sources.regions import province
from huitou.sources.table import Shape, Shaped, read_table

LAYOUT = Layout(
    fields=(
        Field("order_id", "id", ("订单编号", "主订单编号"), needed=True, filled=True),
        Field("created", "time", ("订单创建时间",), needed=True, filled=True),
        Field("paid", "time", ("订单付款时间",), needed=True),
        Field("kept_fen", "money", ("买家实际支付金额",), needed=True, filled=True),
        Field("gross_fen", "money", ()),
        Field("total_fen", "money", ("总金额",), absent="no_total"),
        Field("goods_fen", "money", ("买家应付货款",)),
        Field("freight_fen", "money", ("买家应付邮费",)),
        Field("refund_fen", "money", ("退款金额",), nulls=("无退款申请", "没有申请退款"), absent="no_refunds"),
        Field("shipped", "time", ("发货时间",)),
        Field("received", "time", ("确认收货时间",)),
        Field("status", "text", ("订单状态",), absent="no_status"),
        Field("close_reason", "prose", ("订单关闭原因",)),
        Field("transport", "text", ("运送方式",)),
        Field("items", "count", ("宝贝总数量",)),
        Field("kinds", "count", ("宝贝种类",)),
        Field("title", "text", ("宝贝标题", "商品标题")),
        Field("item_id", "id", ("商品id", "宝贝id")),
        Field("courier", "text", ("物流公司",)),
        Field("buyer", "code", ("买家会员名", "买家昵称")),
        Field("name", "code", ("收货人姓名",)),
        Field("phone", "code", ("联系手机",)),
        Field("address", "text", ("收货地址",)),
    ),
    telling=("订单编号|主订单编号", "订单创建时间", "订单付款时间", "买家实际支付金额", "收货地址|总金额"),
    ignored=headings("""
        买家支付宝账号 买家支付积分 返点积分 买家实际支付积分 买家留言 联系电话 物流单号 订单备注 店铺Id 店铺名称
        卖家服务费 买家服务费 发票抬头 是否手机订单 分阶段订单信息 特权订金订单id 是否上传合同照片 是否上传小票
        是否代付 定金排名 修改后的sku 修改后的收货地址 异常信息 天猫卡券抵扣 集分宝抵扣 是否是O2O交易 新零售交易类型
        新零售导购门店名称 新零售导购门店id 新零售发货门店名称 新零售发货门店id 预约门店 打款商家金额
        含应开票给个人的个人红包 支付单号 支付详情 虚拟号过期时间 满返红包金额 是否村淘订单 是否信用购 体验期结束时间
        前N有礼 配送类型 直播返现状态 返现金额 延迟发货自动赔付金额 新零售成交门店昵称 新零售成交门店id
        新零售成交经销商id 预售订单 商家备注 商家备忘
    """),
)  # fmt: skip

STATUSES = {
    "等待买家付款": "unpaid", "买家已付款,等待卖家发货": "paid", "买家已付款": "paid", "卖家部分发货": "paid",
    "卖家已发货,等待买家确认": "shipped", "卖家已发货": "shipped", "等待买家确认收货": "shipped",
    "交易成功": "done", "交易关闭": "closed",
} | {status: status for status in ("unpaid", "paid", "shipped", "done", "closed")}  # fmt: skip
"""The platform's words (commas made half-width) → status; the product's own words stand for themselves."""

_NOT_CLOSED = "订单未关闭"


class TmallOrders:
    """Orders of a Tmall or Taobao shop, one row each."""

    id = "tmall.orders"
    zh = "天猫/淘宝订单"
    en = "Tmall and Taobao orders (ExportOrderList, order report)"
    main = "orders"
    feeds = ("orders", "products")
    layout = LAYOUT
    quirks = (
        Say(
            '表头末尾有空格，编码是 GBK，编号写成 ="123…" 或前面带引号：都认',
            'headings end in spaces, the encoding is GBK, ids are written ="123…" or with a quote: all are known',
        ),
        Say(
            "买家实际支付金额已经扣掉退款：付款金额要把退款加回去",
            "买家实际支付金额 has the refund already off it: it is added again for what was paid",
        ),
        Say(
            "一单几种商品时，标题用逗号连在一格里：只认第一种",
            "of an order with several goods the titles share a cell: the first one is taken",
        ),
        Say(
            "短表（订单报表）没有买家会员名：认不出老客户",
            "the short report has no buyer: returning customers cannot be told",
        ),
        Say(
            "编号被 Excel 改成近似数的行不用",
            "rows whose id Excel has rounded are set aside",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the orders; buyers become tokens, receivers go to the vault. Raises FileRefused."""
        return read_table(head, LAYOUT, context, shaping(context))


def shaping(context: Context) -> Shape:
    """What makes orders of the typed rows of one file."""
    return partial(shape, Buyers(context))


def shape(buyers: Buyers, rows: pl.DataFrame) -> Shaped:
    """Typed rows → orders and products; receivers are remembered in the vault."""
    settings = buyers.context.settings
    shop = (settings.platform, settings.shop)
    customers = buyers.keys(rows["buyer"])
    buyers.remember(rows, customers)
    titles = first_title(rows)
    product_keys = products_of(titles, rows["item_id"], shop)
    known_status = each_once(rows["status"], _status)
    orders = rows.with_columns(
        customers.alias("customer_key"),
        key_column(rows["order_id"], *shop, "order").alias("order_key"),
        product_keys.alias("product_key"),
        known_status.alias("status"),
        province(rows["address"]).alias("region"),
        _close_reason(rows["close_reason"]).alias("close_reason"),
    ).select(*_order_columns(settings.shop_key, settings.currency))
    notes = {
        "unknown_status": int((rows["status"].is_not_null() & known_status.is_null()).sum()),
        "masked_buyer": int((rows["buyer"].is_not_null() & customers.is_null()).sum()),
    }
    return Shaped({"orders": orders, "products": products(rows, titles, product_keys, settings.shop_key)}, [], notes)


def _order_columns(shop_key: int, currency: str) -> list[pl.Expr]:
    """The canonical columns of orders from the typed ones."""
    paid = pl.col("paid").is_not_null()
    refund = pl.col("refund_fen").fill_null(0)
    kept = pl.col("kept_fen")
    placed = pl.coalesce("total_fen", pl.col("goods_fen") + pl.col("freight_fen").fill_null(0))
    return [
        pl.lit(shop_key, dtype=pl.Int64).alias("shop_key"), pl.col("order_key"), pl.col("order_id"), pl.col("customer_key"),
        pl.col("created").alias("created_at"), pl.col("created_day").alias("day"), pl.col("created_second").alias("second"),
        pl.col("paid").alias("paid_at"), pl.col("paid_day"), pl.col("shipped").alias("shipped_at"),
        pl.col("received").alias("received_at"), pl.col("status"), pl.col("close_reason"),
        (~pl.col("transport").fill_null("").str.contains("货到付款", literal=True)).alias("prepaid"),
        placed.fill_null(kept).alias("placed_fen"),
        pl.when(paid).then(pl.coalesce("gross_fen", gross_fen(kept, refund, placed))).otherwise(0).alias("gross_fen"),
        refund.alias("refund_fen"), pl.col("freight_fen"), pl.col("items"), pl.col("product_key"), pl.col("region"),
        pl.col("courier"), pl.lit(currency).alias("currency"), pl.col("row"),
    ]  # fmt: skip


def gross_fen(kept: pl.Expr, refund: pl.Expr, placed: pl.Expr) -> pl.Expr:
    """Paid before refunds: kept + refund where that is not more than was placed (the refund is already off), else the
    larger of the two."""
    return pl.when(kept + refund <= placed).then(kept + refund).otherwise(pl.max_horizontal(kept, refund))


def _status(text: pl.Series) -> pl.Series:
    plain = text.str.replace_all("，", ",", literal=True).str.replace_all(" ", "", literal=True)
    return plain.replace_strict(STATUSES, default=None, return_dtype=pl.String)


def _close_reason(text: pl.Series) -> pl.Series:
    reasons = text.set(text.is_in([_NOT_CLOSED, "-", "--", "NULL"]), None)
    distinct = reasons.unique()
    return reasons.replace_strict(distinct, mask(distinct), return_dtype=pl.String)


def first_title(rows: pl.DataFrame) -> pl.Series:
    """Title of an order's first item: all of the cell, or up to the comma where the order has several kinds of goods."""
    several = (rows["kinds"].fill_null(2) > 1) & (rows["items"].fill_null(2) > 1)
    title = rows["title"]
    if not several.any():
        return title
    return title.str.split("，").list.first().str.strip_chars().zip_with(several, title)


def products_of(titles: pl.Series, item_ids: pl.Series, shop: tuple[str, str]) -> pl.Series:
    """Keys of products: by the platform's item id where there is one, else by title."""
    by_title = key_of_repeated(titles, *shop, "title")
    if item_ids.null_count() == len(item_ids):
        return by_title
    by_id = key_of_repeated(item_ids, *shop, "id")
    return by_id.zip_with(item_ids.is_not_null(), by_title)


def products(rows: pl.DataFrame, titles: pl.Series, keys: pl.Series, shop_key: int) -> pl.DataFrame:
    """Rows of ``products``, each product of the rows once, at its first row."""
    frame = pl.DataFrame({
        "product_key": keys, "product_id": rows["item_id"], "title": titles, "row": rows["row"],
    }).drop_nulls("product_key").unique("product_key", keep="first", maintain_order=True)  # fmt: skip
    return frame.with_columns(pl.lit(shop_key, dtype=pl.Int64).alias("shop_key"))
