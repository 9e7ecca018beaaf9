"""JD chat sessions: the workbook in which 咚咚 lists every session with its times, counts and rating (会话记录).

It names the customer in full where the chat log has a mask: matched with the log (see facts), it tells who spoke there.
"""

from collections.abc import Iterator
from functools import partial

import polars as pl

from huitou.errors import Say
from huitou.lake.identity import People
from huitou.lake.settings import Settings
from huitou.sources import cells
from huitou.sources.buyers import Buyers
from huitou.sources.keys import key_column, key_of_repeated
from huitou.sources.layout import Field, Layout, headings
from huitou.sources.model import Batch, Context, Head
from huitou.sources.replies import robot
from huitou.sources.table import Shaped, read_table
from huitou.sources.tmall_orders import products, products_of

LAYOUT = Layout(
    fields=(
        Field("started", "time", ("咨询时间",), needed=True, filled=True),
        Field("buyer", "code", ("顾客",), needed=True, filled=True),
        Field("kind", "text", ("咨询类型",)),
        Field("agent", "code", ("客服",), needed=True),
        Field("next_agent", "code", ("转接后客服",)),
        Field("item_id", "id", ("商品编号",)),
        Field("title", "text", ("商品名称",)),
        Field("first", "code", ("首次响应时间",)),
        Field("mean", "number", ("新平均响应时间(S)", "平均响应时间(S)")),
        Field("minutes", "number", ("会话时长(M)",)),
        Field("customer_messages", "count", ("客户消息数",)),
        Field("agent_messages", "count", ("客服消息数",)),
        Field("rating", "text", ("满意度",)),
        Field("solved", "text", ("是否解决",)),
        Field("cid", "code", ("cid",)),
    ),
    telling=("咨询时间", "顾客", "客服", "cid|会话时长(M)", "首次响应时间", "客户消息数"),
    ignored=headings("技能组 平均响应时间(S)"),
)  # fmt: skip

_RATINGS = {
    "非常满意": 5, "很满意": 5, "满意": 4, "一般": 3, "不满意": 2, "不满": 2, "非常不满意": 1, "很不满意": 1, "很不满": 1,
    "5": 5, "4": 4, "3": 3, "2": 2, "1": 1,
}  # fmt: skip
_UNRATED = ("未评价", "无", "未评", "暂未评价")
_SOLVED = {"是": True, "已解决": True, "解决": True, "否": False, "未解决": False}


class JdSessions:
    """Chat sessions of a JD shop, one row each."""

    id = "jd.sessions"
    zh = "京东咚咚会话记录"
    en = "JD chat sessions (咚咚 session list)"
    main = "chat_sessions"
    feeds = ("chat_sessions", "agents", "products")
    layout = LAYOUT
    quirks = (
        Say(
            "顾客是完整账号：和聊天记录按时间、掩码、客服对上后，聊天才认得出客户",
            "the customer is named in full: a chat log's masked session is known once it is matched by time, mask and account",
        ),
        Say("首次响应时间可以是时刻，也可以是秒数", "首次响应时间 is a moment or a number of seconds"),
        Say(
            "响应秒数按平台口径，不和本产品的响应指标混算",
            "response times are the platform's own and enter no response metric of Huitou",
        ),
    )

    def identify(self, head: Head) -> int:
        """By its headings."""
        return LAYOUT.sure(head)

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the sessions. Raises FileRefused."""
        return read_table(head, LAYOUT, context, partial(_shape, Buyers(context)))


def alias_keys(buyers: pl.Series, people: People) -> pl.Series:
    """Keyed prints of what every mask leaves of a buyer's name: its first and last character (``j****08``, ``j****8`` and the
    whole name have one print)."""
    name = buyers.str.strip_chars().str.to_lowercase()
    ends = (
        pl.DataFrame({"n": name}).select("alias\x1f" + pl.col("n").str.slice(0, 1) + "*" + pl.col("n").str.slice(-1)).to_series()
    )
    return people.tokens(ends.set(name.str.len_chars() < 2, None)).alias("alias_key")


def _shape(buyers: Buyers, rows: pl.DataFrame) -> Shaped:
    settings, people = buyers.context.settings, buyers.context.people
    shop = (settings.platform, settings.shop)
    customers = buyers.keys(rows["buyer"])
    people.remember(pl.DataFrame({"customer_key": customers, "nick": rows["buyer"]}))
    named = rows.select(
        pl.concat_str(pl.lit("session"), "buyer", pl.col("started").cast(pl.String), "agent", separator="\x1f", ignore_nulls=True)
    )
    sessions = key_column(rows["cid"], *shop, "session").fill_null(people.tokens(named.to_series()))
    keys = products_of(rows["title"], rows["item_id"], shop)
    rating = rows["rating"].str.replace_all(r"\s|星", "")
    stars = rating.replace_strict(_RATINGS, default=None, return_dtype=pl.Int64)
    frame = rows.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"), sessions.alias("session_key"),
        pl.lit("report").alias("origin"), customers.alias("customer_key"), alias_keys(rows["buyer"], people),
        key_of_repeated(rows["agent"], *shop).alias("agent_key"), pl.col("started").alias("started_at"),
        pl.col("started_day").alias("day"), keys.alias("product_key"), "kind",
        _first_response(rows, settings.timezone).alias("first_response_s"), pl.col("mean").alias("mean_response_s"), "minutes",
        "customer_messages", "agent_messages", stars.alias("satisfaction"),
        rows["solved"].replace_strict(_SOLVED, default=None, return_dtype=pl.Boolean).alias("solved"),
        key_of_repeated(rows["next_agent"], *shop).alias("transferred_to"), "row",
    )  # fmt: skip
    unknown = rating.is_not_null() & stars.is_null() & ~rating.is_in(_UNRATED)
    frames = {
        "chat_sessions": frame,
        "agents": session_agents(rows, settings),
        "products": products(rows, rows["title"], keys, settings.shop_key),
    }
    notes = {"masked_buyer": int((rows["buyer"].is_not_null() & customers.is_null()).sum()), "unknown_rating": int(unknown.sum())}
    return Shaped(frames, [], notes)


def _first_response(rows: pl.DataFrame, zone: str) -> pl.Series:
    """Seconds to the first reply, from a moment or from a number of seconds; null for anything else."""
    seconds = rows["first"].str.strip_suffix("s").str.strip_suffix("秒").cast(pl.Float64, strict=False)
    moment = cells.moments(rows["first"].set(seconds.is_not_null(), None), zone).utc_us
    waited = ((moment - rows["started"]) / 1_000_000).cast(pl.Float64)
    return seconds.fill_null(waited.set(waited < 0, None))


def session_agents(rows: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Rows of ``agents``: each account once that received a session (agent) or was handed one (next_agent)."""
    named = rows.select(
        pl.concat([pl.col("agent"), pl.col("next_agent")]).alias("account"), pl.concat([pl.col("row")] * 2).alias("row")
    )
    each = named.drop_nulls("account").group_by("account", maintain_order=True).agg(pl.col("row").min())
    return each.select(
        pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
        key_of_repeated(each["account"], settings.platform, settings.shop).alias("agent_key"),
        "account",
        robot(pl.col("account"), settings).alias("robot"),
        "row",
    )
