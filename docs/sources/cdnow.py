"""A source of one's own for a file that is no table with a header: CDNOW, columns of figures with spaces between them.

Put this file into a workspace's ``sources/`` folder. A row is a purchase: customer, day, number of CDs, dollars (in the sample a
second customer number comes after the first). Purchases carry no order id: the row's number stands for it.
"""

import re
from collections.abc import Iterator
from itertools import islice

import polars as pl

from huitou.sources import cells
from huitou.sources.keys import key_column
from huitou.sources.model import Batch, Context, Head
from huitou.sources.reasons import problem

_ROW = re.compile(r"^\s*(\d{5})(?:\s+\d{4})?\s+(\d{8})\s+(\d+)\s+(\d+\.\d{2})\s*$")
_AT_ONCE = 50_000


class Cdnow:
    """Purchases of CDNOW's customers."""

    id = "cdnow"
    zh = "CDNOW 购买记录"
    en = "Purchases of CDNOW"
    main = "orders"
    feeds = ("orders",)

    def identify(self, head: Head) -> int:
        """90 where every line after the first is a purchase."""
        lines = [line for line in head.lines[1:50] if line.strip()]
        return 90 if head.kind == "text" and lines and all(_ROW.match(line) for line in lines) else 0

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the purchases; other lines than the header are set aside."""
        done = 0
        with head.path.open(encoding="utf-8") as file:
            lines = enumerate(file, 1)
            while some := list(islice(lines, _AT_ONCE)):
                done += sum(len(line) for _, line in some)
                found = [(row, match) for row, line in some if (match := _ROW.match(line))]
                named = {row for row, _ in found}
                bad = [row for row, line in some if row not in named and line.strip() and row > 1]
                problems = [problem(head.path.name, row, None, "columns") for row in bad]
                orders = _orders(context, [(row, *match.groups()) for row, match in found])
                yield Batch({"orders": orders}, orders.height + len(problems), done, problems)


def _orders(context: Context, found: list[tuple[int, ...]]) -> pl.DataFrame:
    settings = context.settings
    rows = pl.DataFrame(found, schema={"row": pl.Int64, "buyer": str, "day": str, "items": str, "paid": str}, orient="row")
    order_ids = rows.select(pl.concat_str("buyer", "day", pl.col("row").cast(pl.String), separator="-")).to_series()
    at = cells.moments(rows["day"], settings.timezone)
    money = cells.money(rows["paid"]).values
    return rows.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        key_column(order_ids, settings.platform, settings.shop, "order").alias("order_key"),
        order_ids.alias("order_id"),
        context.people.tokens(rows["buyer"]).alias("customer_key"),
        at.utc_us.alias("created_at"),
        at.day.alias("day"),
        at.second.alias("second"),
        at.utc_us.alias("paid_at"),
        at.day.alias("paid_day"),
        pl.lit("done").alias("status"),
        pl.lit(True).alias("prepaid"),
        money.alias("placed_fen"),
        money.alias("gross_fen"),
        pl.lit(0, dtype=pl.Int64).alias("refund_fen"),
        pl.col("items").cast(pl.Int64),
        pl.lit(settings.currency).alias("currency"),
        "row",
    )


SOURCES = [Cdnow()]
