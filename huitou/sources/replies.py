"""Which messages are a person's reply: kind customer, agent (a person), auto, robot, system or transfer.

The rule packs' response measures count only kind ``agent`` as an answer. Not a person's reply, in this order: hand-overs between
accounts, the platform's own lines (prompts, read marks, recall notices, where the visitor comes from), robot accounts, and
auto-replies: text that starts with a marker of the shop's settings, or that one account sent three times within two seconds
after a customer's message. Source: the exclusion lists of the platforms' response rules.
"""

import polars as pl

from huitou.lake.settings import Settings

CUSTOMER, SHOP, ROBOT, SYSTEM = 0, 1, 2, 3
"""Who speaks (Int8 column ``side``): the buyer, an account of the shop, the platform's assistant, the platform itself."""

SYSTEM_SPEAKERS = r"^系统(?:提示|提醒|消息|通知)$"
ROBOT_SPEAKERS = r"^(?:阿里|淘宝|天猫|官方)?(?:店小蜜|小蜜|服务助手|智能客服|(?:智能)?机器人(?:客服)?)$"
_ROBOT_ACCOUNT = "机器人|服务助手|店小蜜|小蜜|智能客服|京小智|^(?i:jimi)"

RECALL = r"^(.{1,60}?)\s*撤回了一条消息$"
_NOTICE = r"^(?:系统(?:提示|提醒)(?:[:：]|$)|当前用户来自|原因[:：]\s*【)|^.{1,60}?\s*撤回了一条消息$"
_READ_MARK = r"^(?:已读|未读|发送中)$"

ARROW = r"^(.{1,60}?)\s*-->\s*(.{1,60}?)(?:\s+[0-9]{4}-[0-9]{1,2}-[0-9]{1,2} [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2})?$"
_HANDED = r"^.{0,20}?由\s*\S{1,40}?\s*转交给\s*(\S{1,40}?)[。，,.]?(?:\s*原因.*)?$"

FAST_S, REPEATED, LONG_ENOUGH = 2, 3, 6
"""An auto-reply comes within 2 s, at least 3 times in the file, and has 6 characters or more (「在的」 may be a quick person)."""


def account_of(speaker: pl.Expr, shops: tuple[str, ...]) -> pl.Expr:
    """The sub-account of 「店名:小禾」, the nick itself for the main account; null where the speaker is none of the shop's."""
    account = pl.lit(None, pl.String)
    for shop in shops:
        of_shop = pl.when(speaker.str.starts_with(f"{shop}:")).then(speaker.str.strip_prefix(f"{shop}:"))
        account = of_shop.when(speaker == shop).then(speaker).otherwise(account)
    return account


def transfer_target(messages: pl.DataFrame, shops: tuple[str, ...]) -> pl.Series:
    """The account that each hand-over line gives the chat to (from columns text, side), else null.

    「甲 --> 乙 时间」 and 「由 甲 转交给 乙」. Words of a person count only if they name the shop's own account in full.
    """
    target = pl.Series("target", [None], dtype=pl.String).new_from_index(0, messages.height)
    hits = messages["text"].str.contains_any(["-->", "转交给"]).arg_true()
    if len(hits):
        target.scatter(hits, messages.select("text", "side")[hits].select(_target(shops)).to_series())
    return target


def _target(shops: tuple[str, ...]) -> pl.Expr:
    text = pl.col("text")
    named = (
        pl.when(text.str.contains("-->", literal=True))
        .then(text.str.extract(ARROW, 2))
        .when(text.str.contains("转交给", literal=True))
        .then(text.str.extract(_HANDED, 1))
    ).str.strip_chars()
    ours = account_of(named, shops)
    return pl.when(pl.col("side") >= ROBOT).then(pl.coalesce(ours, named)).otherwise(ours)


def robot(account: pl.Expr, settings: Settings) -> pl.Expr:
    """True for accounts that are robots by name or by the settings' roles."""
    robots = [name for name, role in settings.agent_roles.items() if role == "robot"]
    return account.str.contains(_ROBOT_ACCOUNT) | account.is_in(robots)


def fast(last_customer: pl.Expr) -> pl.Expr:
    """True for a shop's message that may be automatic: `last_customer` (µs) is at most two seconds before its ``time``."""
    lag = pl.col("time") - last_customer
    return (
        (pl.col("side") == SHOP)
        & lag.is_between(0, FAST_S * 1_000_000).fill_null(False)
        & (pl.col("text").str.len_chars() >= LONG_ENOUGH)
    )


def repeats(messages: pl.DataFrame) -> pl.DataFrame:
    """How often each account sent the same text fast: columns account, said (hash of the text), n. Add up over a file."""
    return messages.filter("fast").group_by("account", pl.col("text").hash(0).alias("said")).agg(pl.len().alias("n"))


def no_repeats() -> pl.DataFrame:
    """`repeats` of nothing."""
    return pl.DataFrame(schema={"account": pl.String, "said": pl.UInt64, "n": pl.get_index_type()})


def marks(settings: Settings) -> list[pl.Expr]:
    """What a ``text`` says of its kind by itself: columns notice (the platform's), read_mark, marked (as an auto-reply)."""
    text, marked = pl.col("text"), pl.lit(False)
    for marker in settings.auto_reply_markers:
        marked = marked | text.str.starts_with(marker)
    notice, read_mark = text.str.contains(_NOTICE), text.str.contains(_READ_MARK)
    return [notice.alias("notice"), read_mark.alias("read_mark"), marked.alias("marked")]


def kind(settings: Settings) -> pl.Expr:
    """The kind of each message from `marks` and columns side, account, target and automatic (a fast text, often repeated)."""
    side = pl.col("side")
    return (
        pl.when(pl.col("target").is_not_null())
        .then(pl.lit("transfer"))
        .when((side == SYSTEM) | pl.col("notice") | ((side != CUSTOMER) & pl.col("read_mark")))
        .then(pl.lit("system"))
        .when(side == CUSTOMER)
        .then(pl.lit("customer"))
        .when((side == ROBOT) | robot(pl.col("account"), settings).fill_null(False))
        .then(pl.lit("robot"))
        .when(pl.col("marked") | pl.col("automatic"))
        .then(pl.lit("auto"))
        .otherwise(pl.lit("agent"))
    )
