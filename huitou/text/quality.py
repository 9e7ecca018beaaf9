"""How a chat was handled: the steps that the agents performed, their faults, and which kind of customer wrote.

Comes in: the messages of some chats, their tags, and why each inquiry was lost. Goes out: one row a chat. A step or a fault
that is a way of speaking is read from the agents' messages; one that is a way of (not) acting from times and turns.
"""

import polars as pl

SLOW_S = 120  # a reply that came later than this after the question
TERSE = 4  # characters of a reply without its fillers, at most, that is one word
FEW_MESSAGES = 3  # of a customer: too few to tell what kind he is
STEPS = ("greet", "answer", "recommend", "cross_sell", "push_order", "urge_payment", "goodbye")
SPOKEN_FAULTS = ("forbidden_words", "blaming", "wrong_promise", "asks_good_review_for_money", "off_platform_contact")
CLOSINGS = ("push_order", "urge_payment", "goodbye")
HESITATIONS = ("service.no_follow_up", "customer.later", "customer.looking", "price.wait_for_sale")
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "chat": pl.Int64,
    "steps": pl.List(pl.String),
    "faults": pl.List(pl.String),
    "customer_type": pl.String,
}
_FILLERS = r"[亲哦呢哈呀啊哒滴啦的了吧嘛噢哟～~!！。.,，、\s]|\[[^\]]*\]"


def quality(messages: pl.DataFrame, tags: pl.DataFrame, loss: pl.DataFrame) -> pl.DataFrame:
    """Steps, faults and customer type, one row a chat of `messages`, ordered by chat, as in `SCHEMA`.

    `messages`: chat, i, at (null where unknown), role, text, ordered by chat and i. `tags`: `Tagger.tag` of their texts
    (``row`` counts the messages). `loss`: chat, primary, secondary, outcome; of a chat that is not there nothing is known.
    """
    said = _said(messages, tags)
    faults = pl.concat([_spoken(said), _acted(said, loss)])
    steps = _steps(said)
    faults = pl.concat([faults, _no_closing(said, steps, faults, loss)]).unique()
    chats = said.select(pl.col("chat").unique().sort())
    out = chats
    for name, found in (("steps", steps), ("faults", faults)):
        listed = found.group_by("chat").agg(pl.col("code").sort().alias(name))
        out = out.join(listed, on="chat", how="left").with_columns(pl.col(name).fill_null([]))
    out = out.join(_customer_types(said), on="chat", how="left").sort("chat")
    return out.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _said(messages: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    """The messages with what the later steps look at: codes shown, length without fillers, whether one asks or settles."""
    codes = (
        tags.filter(pl.col("strength") >= 2)
        .group_by("row")
        .agg(
            pl.col("code").filter(pl.col("taxonomy") == "steps").unique().alias("steps"),
            pl.col("code").filter(pl.col("taxonomy") == "faults").unique().alias("faults"),
            pl.col("code").filter((pl.col("taxonomy") == "loss") & ~pl.col("asked")).unique().alias("reasons"),
            pl.col("code").filter(pl.col("taxonomy") == "intents").unique().alias("intents"),
        )
    )
    text = pl.col("text").fill_null("")
    return (
        messages.with_row_index("row")
        .with_columns(pl.col("row").cast(pl.Int64), text)
        .join(codes, on="row", how="left", maintain_order="left")
        .with_columns(pl.col("steps", "faults", "reasons", "intents").fill_null([]))
        .with_columns(
            text.str.replace_all(_FILLERS, "").str.len_chars().alias("length"),
            pl.col("role").eq("customer").alias("customer"),
            pl.col("role").eq("agent").alias("agent"),
            pl.col("reasons").list.set_intersection(list(HESITATIONS)).list.len().gt(0).alias("hesitates"),
        )
        .with_columns(
            (
                pl.col("hesitates")
                | text.str.contains(r"^(好|好的|嗯|哦|行|ok|OK|谢|感谢|收到|知道了|明白|可以)") & ~text.str.contains(r"[?？吗么]")
            ).alias("settles"),
        )
    )


def _steps(said: pl.DataFrame) -> pl.DataFrame:
    """chat, code of every step that a person performed."""
    return said.filter("agent").select("chat", pl.col("steps").alias("code")).explode("code").drop_nulls().unique()


def _spoken(said: pl.DataFrame) -> pl.DataFrame:
    """chat, code of the faults that lie in what an agent wrote."""
    shown = said.filter("agent").select("chat", pl.col("faults").alias("code")).explode("code").drop_nulls().unique()
    return shown.filter(pl.col("code").is_in(SPOKEN_FAULTS))


def _acted(said: pl.DataFrame, loss: pl.DataFrame) -> pl.DataFrame:
    """chat, code of the faults that lie in when and how an agent answered, and of those that the loss tells."""
    turns = said.with_columns(pl.col("agent").cum_sum().over("chat").sub(pl.col("agent")).alias("round"))
    waits = turns.group_by("chat", "round").agg(
        (pl.col("at").filter("agent").first() - pl.col("at").filter(pl.col("customer") & ~pl.col("settles")).first()).alias(
            "wait"
        )
    )
    slow = waits.filter(pl.col("wait").dt.total_seconds() >= SLOW_S).select("chat", code=pl.lit("slow"))
    replies = turns.group_by("chat").agg(
        pl.col("agent").sum().alias("replies"),
        (pl.col("agent") & (pl.col("length") <= TERSE)).sum().alias("terse"),
    )
    perfunctory = replies.filter((pl.col("terse") >= 2) & (pl.col("terse") * 2 >= pl.col("replies")))
    reasons = loss.select("chat", pl.concat_list(pl.col("primary"), pl.col("secondary").fill_null([])).alias("code"))
    told = (
        reasons.explode("code")
        .filter(pl.col("code").is_in(["service.off_point", "service.unanswered", "service.no_follow_up"]))
        .with_columns(pl.col("code").str.strip_prefix("service."))
    )
    return pl.concat([slow, perfunctory.select("chat", code=pl.lit("perfunctory")), told.select("chat", "code")]).unique()


def _no_closing(said: pl.DataFrame, steps: pl.DataFrame, faults: pl.DataFrame, loss: pl.DataFrame) -> pl.DataFrame:
    """chat, code: lost after a person took part, and nobody asked for the order, the payment, or said goodbye."""
    lost = loss.filter(pl.col("primary").is_not_null() & (pl.col("primary") != "customer.no_intent"))
    closed = steps.filter(pl.col("code").is_in(CLOSINGS))
    return (
        lost.join(said.filter("agent"), on="chat", how="semi")
        .join(closed, on="chat", how="anti")
        .join(faults.filter(pl.col("code") == "unanswered"), on="chat", how="anti")
        .select("chat", code=pl.lit("no_closing"))
    )


def _customer_types(said: pl.DataFrame) -> pl.DataFrame:
    """chat, customer_type: quick and direct, or slow and chatty; null where too little was written."""
    written = said.filter("customer")
    chatty = pl.col("text").str.count_matches(r"哈|呀|啦|吧|。。|…|\[|～|呢|嘛").sum() / pl.len()
    kinds = written.group_by("chat").agg(
        pl.len().alias("n"), pl.col("text").str.len_chars().mean().alias("length"), chatty.alias("chatty")
    )
    active = (pl.col("chatty") < 0.2) & (pl.col("length") < 11)
    kind = pl.when(pl.col("n") > FEW_MESSAGES).then(pl.when(active).then(pl.lit("active")).otherwise(pl.lit("passive")))
    return kinds.select("chat", kind.alias("customer_type"))
