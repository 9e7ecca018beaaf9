"""JD compensation (赔付): what the shop paid, or was made to pay, for complaints."""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.sources.keys import key_column
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.masking import mask
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import Shaped, read_table

LAYOUT = Layout(
    fields=(
        Field("applied", "time", ("申请时间",), needed=True, filled=True),
        Field("complaint_id", "id", ("赔付单号",), needed=True, filled=True),
        Field("order_id", "id", ("关联订单号",), needed=True),
        Field("amount_fen", "money", ("赔付金额",), needed=True),
        Field("reason", "prose", ("赔付原因",)),
        Field("status", "text", ("赔付状态",)),
    ),
    telling=("赔付单号", "关联订单号", "赔付金额", "赔付原因", "赔付状态"),
    ignored=headings("店铺名称 关联服务单号 申请人"),
)

_PAID = "赔付成功|已赔付|已打款|完成|已支付"


class JdCompensation:
    """Compensation cases of a JD shop, one row each."""

    id = "jd.compensation"
    zh = "京东赔付单"
    en = "JD compensation (赔付)"
    main = "complaints"
    feeds = ("complaints",)
    layout = LAYOUT
    quirks = (
        Say("赔付不是退款：不从净额里减", "compensation is no refund: it is not taken off net sales"),
        Say("申请人不读", "申请人 is not read"),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the cases. Raises FileRefused."""
        return read_table(head, LAYOUT, context, partial(_shape, context))


def _shape(context: Context, rows: pl.DataFrame) -> Shaped:
    settings = context.settings
    shop = (settings.platform, settings.shop)
    frame = rows.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        key_column(rows["complaint_id"], *shop, "complaint").alias("complaint_key"),
        "complaint_id",
        key_column(rows["order_id"], *shop, "order").alias("order_key"),
        pl.lit("compensation").alias("kind"),
        pl.col("applied").alias("applied_at"),
        pl.col("applied_day").alias("day"),
        "amount_fen",
        mask(rows["reason"]).alias("reason"),
        "status",
        (pl.col("status").str.contains(_PAID) & ~pl.col("status").str.starts_with("未")).fill_null(False).alias("settled"),
        "row",
    )
    return Shaped({"complaints": frame}, [], {})
