"""赤兔 receptions: the list of every talk of a buyer with an account (接待明细), one row each.

Comes in: buyer and account by their nicks, a day, and from when to when. Goes out: rows of ``chat_sessions``, kept to reconcile
with: what is computed comes from the chats themselves.
"""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.sources import cells
from huitou.sources.buyers import Buyers
from huitou.sources.jd_sessions import session_agents
from huitou.sources.keys import key_of_repeated
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.model import Batch, Context, Head
from huitou.sources.reasons import problem
from huitou.sources.replies import account_of
from huitou.sources.table import Shaped, read_table

LAYOUT = Layout(
    fields=(
        Field("day", "date", ("日期",)),
        Field("begins", "code", ("开始时间",), needed=True, filled=True),
        Field("ends", "code", ("结束时间",)),
        Field("buyer", "code", ("买家旺旺",), needed=True, filled=True),
        Field("speaker", "code", ("客服旺旺",), needed=True),
        Field("kind", "text", ("接待类型",)),
    ),
    telling=("开始时间", "结束时间", "买家旺旺", "客服旺旺", "接待类型|接待发起"),
    ignored=headings("接待发起 状态"),
)
_TIME_ALONE = r"^\d{1,2}:\d{2}(?::\d{2})?$"


class ChituReceptions:
    """Receptions as 赤兔 lists them."""

    id = "chitu.receptions"
    zh = "赤兔接待明细"
    en = "Receptions listed by 赤兔"
    main = "chat_sessions"
    feeds = ("chat_sessions", "agents")
    lacks = ("satisfaction ratings",)
    layout = LAYOUT
    quirks = (
        Say("开始、结束时间可以只写钟点：日子看「日期」列", "begin and end may be hours only: the day stands in 日期"),
        Say("只用来核对，从不参与计算", "kept to reconcile with, never computed from"),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the receptions; buyers become tokens. Raises FileRefused."""
        return read_table(head, LAYOUT, context, partial(_shape, Buyers(context), head.path.name))


def _shape(buyers: Buyers, file: str, rows: pl.DataFrame) -> Shaped:
    """Typed rows → sessions and accounts; rows whose beginning is no time are set aside."""
    settings, people = buyers.context.settings, buyers.context.people
    shop = (settings.platform, settings.shop)
    begun, ended = (cells.moments(_with_day(rows, name), settings.timezone) for name in ("begins", "ends"))
    rows = rows.with_columns(
        begun.utc_us.alias("started"), begun.day.alias("day"), ((ended.utc_us - begun.utc_us) / 60_000_000).alias("minutes"),
        agent=pl.coalesce(account_of(pl.col("speaker"), (settings.shop,)), pl.col("speaker").str.replace(r"^[^:]*:", "")),
    )  # fmt: skip
    bad = [problem(file, row, "开始时间", "time") for row in rows.filter(pl.col("started").is_null())["row"]]
    rows = rows.drop_nulls("started")
    customers = buyers.keys(rows["buyer"])
    people.remember(pl.DataFrame({"customer_key": customers, "nick": rows["buyer"]}))
    named = rows.select(
        pl.concat_str(pl.lit("session"), "buyer", pl.col("started").cast(pl.String), "agent", separator="\x1f", ignore_nulls=True)
    )
    frame = rows.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"), people.tokens(named.to_series()).alias("session_key"),
        pl.lit("report").alias("origin"), customers.alias("customer_key"),
        key_of_repeated(rows["agent"], *shop).alias("agent_key"), pl.col("started").alias("started_at"), "day", "kind",
        pl.when(pl.col("minutes") >= 0).then("minutes").alias("minutes"), "row",
    )  # fmt: skip
    masked = int((rows["buyer"].is_not_null() & customers.is_null()).sum())
    agents = session_agents(rows.with_columns(next_agent=pl.lit(None, pl.String)), settings)
    return Shaped({"chat_sessions": frame, "agents": agents}, bad, {"masked_buyer": masked})


def _with_day(rows: pl.DataFrame, name: str) -> pl.Series:
    """Texts of moments: an hour alone is one of the row's day."""
    alone = pl.col(name).str.contains(_TIME_ALONE)
    day = pl.col("day").dt.to_string("%Y-%m-%d")
    return rows.select(pl.when(alone).then(day + " " + pl.col(name)).otherwise(name).fill_null("").alias(name)).to_series()
