"""Chats as a table with one message per row, whatever wrote it: columns that a mapping names become messages.

Comes in: typed rows of any kind of file (CSV, sheet, JSON lines, Parquet). Goes out: the same canonical messages as those of
旺旺. Rows may come in any order of time: what is said in a chat is put in order by time, then by row. A conversation that
crosses from one stretch of the file into the next is seen whole, because each stretch is read between its neighbours.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from huitou.errors import Problem
from huitou.sources import masking
from huitou.sources.ahead import ahead
from huitou.sources.chat_lines import clean_nick
from huitou.sources.chat_rows import Chats, with_holders, without_unheld
from huitou.sources.layout import Field, Layout
from huitou.sources.model import Batch, Context
from huitou.sources.reasons import problem
from huitou.sources.replies import CUSTOMER, ROBOT, ROBOT_SPEAKERS, SHOP, SYSTEM, SYSTEM_SPEAKERS, no_repeats, repeats
from huitou.sources.table import Typed

LAYOUT = Layout(
    fields=(
        Field("buyer", "code", ("买家", "买家昵称", "买家旺旺", "买家会员名"), needed=True, filled=True),
        Field("time", "time", ("发送时间", "消息时间", "时间"), needed=True, filled=True),
        Field("text", "prose", ("消息内容", "聊天内容", "内容"), needed=True),
        Field("role", "text", ("角色", "发送方角色", "消息方向", "方向")),
        Field("speaker", "code", ("发送方", "发送人", "发言人")),
        Field("account", "code", ("客服", "客服旺旺", "接待客服", "客服昵称")),
        Field("session", "code", ("会话", "会话编号", "会话ID")),
        Field("item", "code", ("商品ID", "商品编号", "商品链接")),
        Field("auto", "text", ("是否自动回复", "自动回复", "是否机器人", "机器人")),
    ),
    telling=("买家|买家昵称", "发送时间|时间", "消息内容|内容"),
)  # fmt: skip

ROLES = {
    "customer": ("买家", "客户", "顾客", "用户", "消费者", "会员", "访客", "customer", "user", "buyer", "visitor", "client",
                 "guest", "consumer"),
    "agent": ("客服", "商家", "卖家", "店铺", "人工", "人工客服", "坐席", "agent", "seller", "shop", "merchant", "staff",
              "service", "servicer", "waiter", "kf"),
    "robot": ("机器人", "店小蜜", "小蜜", "智能客服", "智能助手", "robot", "bot", "assistant", "chatbot", "ai"),
    "auto": ("自动回复", "自动", "auto", "auto_reply", "autoreply"),
    "system": ("系统", "系统消息", "系统提示", "系统通知", "平台", "system", "notice", "event"),
}  # fmt: skip
"""Words that files use for who speaks; the keys are the words that a mapping may use."""

DIRECTIONS = {
    "customer": ("0", "in", "inbound", "incoming", "received", "接收", "收到", "来", "q"),
    "agent": ("1", "out", "outbound", "outgoing", "sent", "发送", "发出", "回", "a"),
}
"""Words that mean one or the other by custom only: for drafts, which a person confirms."""

_WORDS = {word: role for role, words in ROLES.items() for word in (role, *words)}
_SIDES = {"customer": CUSTOMER, "agent": SHOP, "auto": SHOP, "robot": ROBOT, "system": SYSTEM}
_YES = ("1", "1.0", "true", "yes", "y", "t", "是", "自动", "自动回复", "auto", "机器人", "robot", "bot")
_ROBOT_WORDS = ("机器人", "robot", "bot")
_AROUND = 10_000  # rows of each neighbour; more than a shop's ten minutes
_BY_CHANCE = (0.3, 0.7)  # share of steps back in time of rows that nobody sorted; by chat it is less, newest first more


@dataclass(slots=True)
class _Stretch:
    """Typed messages in file order, as `with_holders` takes them, with what was wrong in their part of the file."""

    messages: pl.DataFrame
    rows_read: int
    bytes_done: int
    problems: list[Problem]
    notes: dict[str, int]


@dataclass(slots=True)
class _Held:
    """A stretch with holders, and the fast texts counted up to its end."""

    stretch: _Stretch
    held: pl.DataFrame
    said: pl.DataFrame = field(default_factory=no_repeats)


def read_chats(parts: Iterator[Typed], file: str, context: Context) -> Iterator[Batch]:
    """Batches of messages, agents and products from the typed rows of one file."""
    settings = context.settings
    chats = Chats(context, (settings.shop,), settings.shop, waits=True)
    stretches = (_stretch(part, file, settings.shop) for part in parts)
    arrived = None
    for arrived in ahead(_between_neighbours(stretches, settings.shop)):
        stretch, frames = arrived.stretch, chats.frames(arrived.held, arrived.said)
        read = frames["messages"].height + len(stretch.problems)
        yield Batch(frames, read, stretch.bytes_done, stretch.problems, stretch.notes)
    if arrived:
        yield from chats.rest(arrived.said, arrived.stretch.bytes_done)


def _between_neighbours(stretches: Iterator[_Stretch], shop: str) -> Iterator[_Held]:
    """Each stretch's messages with their holders, found with the nearest rows of the stretches before and after.

    Messages that nobody near them holds wait for whoever speaks next in their chat, however far on.
    """
    said, before = no_repeats(), None
    here = next(stretches, None)
    unheld: pl.DataFrame | None = None
    many = False
    while here is not None:
        after = next(stretches, None)
        unheld = here.messages.clear() if unheld is None else unheld
        around = [unheld, here.messages]
        if before is not None:
            around.insert(0, before.messages.tail(_AROUND).join(unheld, on="row", how="anti"))
        if after is not None:
            around.append(after.messages.head(_AROUND))
        held = with_holders(pl.concat(around), None, (shop,))
        held = held.join(pl.concat([unheld, here.messages]).select("row"), on="row", how="semi").sort("row")
        held, left = without_unheld(held, pl.lit(after is not None))
        unheld = left.select(here.messages.columns)
        said = pl.concat([said, repeats(held)]).group_by("account", "said").agg(pl.col("n").sum())
        if not many and after is not None and _unsorted(here.messages):
            here.notes["unsorted"] = 1
        many = True
        yield _Held(here, held, said)
        before, here = here, after


def _unsorted(messages: pl.DataFrame) -> bool:
    """True for rows in no order at all: neither by time nor chat by chat."""
    low, high = _BY_CHANCE
    back = messages.select((pl.col("time").diff() < 0).mean()).item()
    return back is not None and low < back < high


def _stretch(part: Typed, file: str, shop: str) -> _Stretch:
    """Who says what to whom; rows whose speaker cannot be told become problems."""
    rows = part.rows.with_columns(
        clean_nick(pl.col("buyer")).alias("buyer"),
        _without_shop(clean_nick(pl.col("speaker"))).alias("speaker"),
        _without_shop(clean_nick(pl.col("account"))).alias("account"),
        pl.col("role").str.to_lowercase().replace_strict(_WORDS, default=None, return_dtype=pl.String).alias("word"),
    ).with_columns(_side().alias("side"))
    wrong = (
        pl.when(pl.col("side").is_null()).then(pl.lit("unknown_value"))
        .when(pl.col("buyer").str.contains("*", literal=True)).then(pl.lit("masked_buyer"))
        .when(pl.col("buyer") == "").then(pl.lit("empty"))
    )  # fmt: skip
    rows = rows.with_columns(wrong.alias("wrong"))
    problems = [*part.problems]
    if rows["wrong"].null_count() < rows.height:
        for row, reason in rows.filter(pl.col("wrong").is_not_null()).select("row", "wrong").iter_rows():
            column = part.headings.get("role" if reason == "unknown_value" else "buyer") or part.headings.get("speaker")
            problems.append(problem(file, row, column, reason))
        rows = rows.filter(pl.col("wrong").is_null())
    return _Stretch(_messages(rows, shop), part.rows_read, part.bytes_done, problems, part.notes)


def _without_shop(name: pl.Expr) -> pl.Expr:
    """The sub-account of 「店名:小禾」."""
    return pl.when(name.str.contains(":", literal=True)).then(name.str.extract(r":\s*([^:]+)$", 1)).otherwise(name)


def _side() -> pl.Expr:
    """By the role's word; where no role is given or known, by the speaker's name: the buyer, the platform, else the shop's."""
    name = pl.coalesce("speaker", "role")
    named = (
        pl.when(name == pl.col("buyer")).then(CUSTOMER)
        .when(name == pl.col("account")).then(SHOP)
        .when(name.str.contains(SYSTEM_SPEAKERS)).then(SYSTEM)
        .when(name.str.contains(ROBOT_SPEAKERS)).then(ROBOT)
        .when(pl.col("speaker").is_not_null() & pl.col("role").is_null()).then(SHOP)
    )  # fmt: skip
    return pl.col("word").replace_strict(_SIDES, default=None, return_dtype=pl.Int8).fill_null(named.cast(pl.Int8))


def _messages(rows: pl.DataFrame, shop: str) -> pl.DataFrame:
    """Columns as `with_holders` and `Chats` take them. `time` is UTC here: day and second come along."""
    ours = pl.col("side").is_in([SHOP, ROBOT])
    flag = pl.col("auto").str.to_lowercase()
    robot = (pl.col("side") == SHOP) & flag.is_in(_ROBOT_WORDS).fill_null(False)
    known = rows["account"].null_count() < rows.height or rows["speaker"].null_count() < rows.height
    speaks = pl.coalesce("speaker", "account") if known else pl.lit(shop)
    item = pl.col("item")
    return rows.select(
        "row",
        pl.concat_str("buyer", "session", separator="\x1f", ignore_nulls=True).hash(0).reinterpret(signed=True).alias("section"),
        "buyer",
        pl.when(robot).then(ROBOT).otherwise("side").cast(pl.Int8).alias("side"),
        pl.when(ours).then(speaks).alias("account"),
        pl.when(~ours).then("account").alias("received_by"),
        "time",
        pl.col("text").fill_null(""),
        pl.col("time_day").alias("day"),
        pl.col("time_second").alias("second"),
        pl.when(item.str.contains("htm", literal=True)).then(item.str.extract(masking.ITEM_ID, 1)).otherwise(item).alias("item"),
        ((pl.col("word") == "auto").fill_null(False) | flag.is_in(_YES).fill_null(False)).alias("flagged"),
    )
