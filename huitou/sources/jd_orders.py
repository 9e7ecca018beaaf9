"""JD orders: the shop's CSV with one row per goods of an order, the order's own cells repeated on each.

Money, by JD's own words: 订单金额 is goods at list price, 结算金额 what JD settles with the shop, 应付金额 what the buyer still
has to pay after 余额支付 out of the account. Paid by the buyer are the last two together.
"""

from collections.abc import Iterator

import polars as pl

from huitou.errors import Say
from huitou.sources.buyers import Buyers
from huitou.sources.keys import key_column
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.model import Batch, Context, Head
from huitou.sources.reasons import problem
from huitou.sources.regions import province
from huitou.sources.split_orders import Lines, read_split
from huitou.sources.table import Shaped, typed_rows
from huitou.sources.tmall_orders import products, products_of

LAYOUT = Layout(
    fields=(
        Field("order_id", "id", ("订单号",), needed=True, filled=True),
        Field("item_id", "id", ("商品ID",), needed=True, filled=True),
        Field("title", "text", ("商品名称",)),
        Field("quantity", "count", ("订购数量",), needed=True, filled=True),
        Field("payment", "text", ("支付方式",)),
        Field("created", "time", ("下单时间",), needed=True, filled=True),
        Field("price_fen", "money", ("京东价",), needed=True, filled=True),
        Field("balance_fen", "money", ("余额支付",)),
        Field("due_fen", "money", ("应付金额",), needed=True),
        Field("status", "text", ("订单状态",), needed=True),
        Field("buyer", "code", ("下单帐号", "下单账号")),
        Field("name", "code", ("客户姓名",)),
        Field("phone", "code", ("联系电话",)),
        Field("address", "text", ("客户地址",)),
        Field("remark", "prose", ("商家备注",)),
        Field("freight_fen", "money", ("运费金额",)),
        Field("paid", "time", ("付款确认时间",), needed=True),
        Field("sku", "text", ("商家SKUID", "货号")),
        Field("finished", "time", ("订单完成时间",)),
    ),
    telling=("订单号", "商品ID", "京东价", "应付金额", "付款确认时间", "下单帐号|下单账号|结算金额"),
    ignored=headings("""
        订单金额 结算金额 订单类型 订单备注 发票类型 发票抬头 发票内容 商家备注等级（等级1-5为由高到低） 增值税发票 货号
        订单来源 订单渠道 送装服务 服务费 仓库id 仓库名称 商家SKUID 普通发票纳税人识别号 店铺ID 店铺名称
    """),
)  # fmt: skip

STATUSES = {
    "等待付款": "unpaid", "未付款": "unpaid", "等待付款确认": "unpaid",
    "等待出库": "paid", "锁定": "paid", "锁定订单": "paid", "暂停": "paid", "暂停订单": "paid",
    "等待确认收货": "shipped", "完成": "done", "已完成": "done", "已取消": "closed", "取消": "closed", "订单取消": "closed",
}  # fmt: skip
"""JD's words → status. Before them may stand (锁定) or (暂停), which change nothing, or (删除), which closes the order."""

_SPLIT = "订单拆分为"


class JdOrders:
    """Orders of a JD shop, one row per goods."""

    id = "jd.orders"
    zh = "京东订单"
    en = "JD orders (one row per goods)"
    main = "order_lines"
    feeds = ("order_lines", "orders", "products")
    layout = LAYOUT
    quirks = (
        Say(
            "一单多行：金额、运费、状态写在每一行，只算一次；订单到文件读完才合成",
            "an order has a row per goods; its amounts, freight and state are repeated on each and count once",
        ),
        Say(
            "付款金额 = 应付金额 + 余额支付（含运费）；货到付款的订单到完成才算付款",
            "paid is 应付金额 + 余额支付, freight included; cash on delivery is paid when the order is done",
        ),
        Say(
            "已付款的「(删除)」订单算交易关闭、全额退款：文件里没有退款金额",
            "a paid order with (删除) is closed and counts as refunded in full: the file names no refunds",
        ),
        Say(
            "商家备注写着「订单拆分为 …」的原订单不计：拆出的订单各有各的行",
            "an order whose 商家备注 says 订单拆分为 … is left out: the orders it became have rows of their own",
        ),
        Say("没有发货时间；「订单完成时间」作确认收货时间", "no time of shipping; 订单完成时间 stands for the receipt"),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the order lines, then the orders; buyers become tokens, receivers go to the vault. Raises FileRefused."""
        file = _File(head.path.name, context)
        return read_split(typed_rows(head, LAYOUT, context), file.lines, file.orders)


class _File:
    """One file's way from rows to orders."""

    def __init__(self, name: str, context: Context) -> None:
        self._name = name
        self._buyers = Buyers(context)
        self._settings = context.settings
        self._shop = (context.settings.platform, context.settings.shop)

    def lines(self, rows: pl.DataFrame) -> Lines:
        """Typed rows → order lines and products; rows of orders that were split up are set aside."""
        named = pl.col("remark").str.contains(pl.col("order_id"), literal=True)  # an order that bears its parent's remark
        split = pl.col("remark").str.contains(_SPLIT, literal=True) & ~named
        parent = rows.select(split.fill_null(False)).to_series()
        aside = [problem(self._name, row, "商家备注", "split_order") for row in rows["row"].filter(parent)]
        rows = rows.filter(~parent)
        keys = products_of(rows["title"], rows["item_id"], self._shop)
        gift = pl.when(pl.col("price_fen") == 0).then(pl.lit("gift"))  # the same goods may be bought and be a gift
        ids = rows.select(pl.concat_str("order_id", "item_id", gift, separator="-", ignore_nulls=True)).to_series()
        rows = rows.with_columns(
            pl.lit(self._settings.shop_key, dtype=pl.Int64).alias("shop_key"),
            key_column(rows["order_id"], *self._shop, "order").alias("order_key"),
            key_column(ids, *self._shop, "line").alias("line_key"),
            ids.alias("line_id"),
            keys.alias("product_key"),
        )
        lines = rows.select(
            "shop_key", "line_key", "order_key", "line_id", "product_key", "sku", "quantity", "price_fen",
            pl.lit(0, dtype=pl.Int64).alias("refund_fen"), pl.lit(False).alias("refunded"),
            pl.col("created").alias("created_at"), pl.col("created_day").alias("day"), "row",
        )  # fmt: skip
        frames = {"order_lines": lines, "products": products(rows, rows["title"], keys, self._settings.shop_key)}
        return Lines(Shaped(frames, aside, {}), self._told(rows))

    def _told(self, rows: pl.DataFrame) -> pl.DataFrame:
        customers = self._buyers.keys(rows["buyer"])
        self._buyers.remember(rows, customers)
        return rows.select(
            "shop_key", "order_key", "line_key", "order_id", customers.alias("customer_key"),
            pl.col("created").alias("created_at"), pl.col("created_day").alias("day"), pl.col("created_second").alias("second"),
            pl.col("paid").alias("paid_at"), "paid_day", pl.col("finished").alias("received_at"),
            status(rows["status"]).alias("status"), "balance_fen", "due_fen", "freight_fen",
            (~pl.col("payment").fill_null("").str.contains("货到付款", literal=True)).alias("prepaid"),
            province(rows["address"]).alias("region"), "row",
            pl.col("status").is_not_null().alias("has_status"),
            (pl.col("buyer").is_not_null() & customers.is_null()).alias("masked"),
        )  # fmt: skip

    def orders(self, told: pl.DataFrame) -> Shaped:
        """What the lines tell of their orders, put together: what is repeated on each counts once."""
        once = [name for name in told.columns if name not in ("order_key", "line_key", "row")]
        orders = told.group_by("order_key", maintain_order=True).agg(
            *(pl.col(name).drop_nulls().first() for name in once), pl.col("row").min()
        )
        paid = pl.col("paid_at").is_not_null()
        owed = pl.col("due_fen").fill_null(0) + pl.col("balance_fen").fill_null(0)
        settled = paid | (~pl.col("prepaid") & (pl.col("status") == "done").fill_null(False))
        orders = orders.with_columns(owed.alias("placed_fen"), pl.when(settled).then(owed).otherwise(0).alias("gross_fen"))
        closed = (pl.col("status") == "closed").fill_null(False)
        notes = {
            "unknown_status": orders.select((pl.col("has_status") & pl.col("status").is_null()).sum()).item(),
            "masked_buyer": int(orders["masked"].sum()),
        }
        orders = orders.with_columns(
            pl.when(closed).then("gross_fen").otherwise(0).alias("refund_fen"), pl.lit(self._settings.currency).alias("currency")
        )
        return Shaped({"orders": orders.drop("balance_fen", "due_fen", "has_status", "masked")}, [], notes)


def status(words: pl.Series) -> pl.Series:
    """JD's words as one of the product's states; null for words that are not known here."""
    plain = words.str.normalize("NFKC").str.replace_all(r"\s", "")
    known = plain.str.replace(r"^\((?:锁定|暂停)\)", "").replace_strict(STATUSES, default=None, return_dtype=pl.String)
    deleted = plain.str.starts_with("(删除)").fill_null(False)
    return known.set(deleted, "closed") if deleted.any() else known
