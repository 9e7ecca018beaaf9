"""How a chat was handled: the steps that the agents performed, their faults, and which kind of customer wrote.

Comes in: the messages of some chats, their tags, and why each inquiry was lost. Goes out: one row a chat. A step or a fault
that is a way of speaking is read from the agents' messages; one that is a way of (not) acting from times and turns.
"""

import numpy as np
import polars as pl

from huitou.text.engine import clause_numbers
from huitou.text.hashes import distinct_texts
from huitou.text.normal import normalise
from huitou.text.sentences import Scores, Sentences, Stretches, learnt

SLOW_S = 120  # a reply that came later than this after the question
FEW_MESSAGES = 3  # of a customer: too few to tell what kind he is
READ_STEPS = ("recommend", "cross_sell", "push_order", "urge_payment", "goodbye")
READ_FAULTS = ("forbidden_words", "blaming", "wrong_promise", "asks_good_review_for_money", "off_platform_contact")
BRUSH_OFF = "perfunctory"
CLOSINGS = ("push_order", "urge_payment", "goodbye")
PUT_OFF = ("service.no_follow_up", "customer.later", "price.wait_for_sale")  # reasons of those who may come again
HESITATES = 0.7  # probability from which a customer's message puts off, whatever the reason is
CUE_LOGITS = (0.0, 1.0, 2.0, 4.0)  # that a cue of strength 0 … 3 adds to what was learnt
AT_LEAST = 0.5  # logit from which a step or fault is said
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "chat": pl.Int64,
    "steps": pl.List(pl.String),
    "faults": pl.List(pl.String),
    "customer_type": pl.String,
}
_SALUTES = "您好|你好|亲亲|亲爱的|哈喽|(早上|中午|下午|晚上|上午)好|欢迎光临|在的|在呢|久等了?|稍等|请稍等|等一下"
_FILLERS = rf"{_SALUTES}|宝妈|美女|客官|老板|小姐姐|[亲哦呢哈呀啊哒滴啦的了吧嘛噢哟嗯～~!！。.,，、\s]|\[[^\]]*\]"
_POLITE = "亲|您好|你好|宝|客官|美女|哥|姐|抱歉|哦|呢|哈|呀|～|~|请|感谢|谢"
_ASSENT = (
    "^(好|好的|嗯|嗯嗯|哦|行|ok|收到|谢谢|感谢|知道了|明白|可以|没事|ok没问题|行吧|好吧|好滴|得|妥)[的了啦呀吧哈亲 。,，!！~～]*$"
)


def quality(messages: pl.DataFrame, tags: pl.DataFrame, loss: pl.DataFrame) -> pl.DataFrame:
    """Steps, faults and customer type, one row a chat of `messages`, ordered by chat, as in `SCHEMA`.

    `messages`: chat, i, at (null where unknown), role, text, ordered by chat and i. `tags`: `Tagger.tag` of their texts
    (``row`` counts the messages). `loss`: chat, primary, secondary, outcome; of a chat that is not there nothing is known.
    """
    said = _said(messages, tags)
    read = _read(said, tags)
    steps = pl.concat([_told(said, read, READ_STEPS), _greeted(said), _answered(said, read)])
    faults = pl.concat([_told(said, read, READ_FAULTS), _brushed_off(said, read, loss), _timed(said, loss), _let_go(said, loss)])
    faults = pl.concat([faults, _no_closing(said, steps, faults, loss)])
    out = said.select(pl.col("chat").unique().sort())
    for name, found in (("steps", steps), ("faults", faults)):
        listed = found.group_by("chat").agg(pl.col("code").unique().sort().alias(name))
        out = out.join(listed, on="chat", how="left").with_columns(pl.col(name).fill_null([]))
    out = out.join(_customer_types(said), on="chat", how="left").sort("chat")
    return out.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _said(messages: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    """The messages with what is looked at later: who writes, what stays without fillers, whether one hesitates or settles."""
    text = pl.col("text").fill_null("")
    salutes = tags.filter((pl.col("taxonomy") == "steps") & (pl.col("code") == "greet") & (pl.col("strength") >= 2))[
        "row"
    ].unique()
    said = messages.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64), text)
    said = said.with_columns(
        pl.col("role").eq("customer").alias("customer"),
        pl.col("role").eq("agent").alias("agent"),
        text.str.replace_all(_FILLERS, "").str.len_chars().alias("length"),
        pl.col("row").is_in(salutes.implode()).alias("salutes"),
        text.str.contains("(?i)" + _ASSENT).alias("assents"),
    )
    return said.with_columns(_puts_off(said)).with_columns(
        (pl.col("assents") | (pl.col("hesitates") >= HESITATES)).alias("settles"),
        (pl.col("agent") & ~pl.col("assents") & (pl.col("length") > 2)).alias("substance"),
    )


def _puts_off(said: pl.DataFrame) -> pl.Series:
    """The probability that each message puts off; 0 where it is no customer's."""
    model = learnt("customers")
    mine = said["customer"].fill_null(value=False)
    out, written = np.zeros(said.height), said["text"].filter(mine)
    if len(written):
        own, number = distinct_texts(written)
        out[mine.to_numpy()] = _chances(model, written.gather(own))[:, model.codes.index("hesitates")].take(number)
    return pl.Series("hesitates", out)


def _chances(model: Sentences, texts: pl.Series) -> Scores:
    normal = normalise(texts)
    return model.clearest(normal, Stretches.of(normal, clause_numbers(normal)))


def _read(said: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    """row, code of the agents' messages that show a code: what was learnt of their clauses, and their cues, together."""
    written = said.filter("agent").select("row", "text")
    model = learnt("agents")
    codes = pl.Series(model.codes, dtype=pl.String)
    if written.is_empty():
        return pl.DataFrame(schema={"row": pl.Int64, "code": pl.String})
    own, number = distinct_texts(written["text"])
    chance = np.clip(_chances(model, written["text"].gather(own)), 1e-6, 1 - 1e-6)
    logit = np.log(chance / (1 - chance))
    cues = tags.filter(pl.col("taxonomy").is_in(["steps", "faults"])).select("row", "code", "strength")
    cues = cues.join(pl.DataFrame({"code": codes, "n": range(len(codes))}), on="code")
    strength = np.zeros((said.height, len(codes)), dtype=np.int8)
    np.maximum.at(strength.ravel(), cues["row"].to_numpy() * len(codes) + cues["n"].to_numpy(), cues["strength"].to_numpy())
    rows = written["row"].to_numpy()
    shows = logit[number] + np.array(CUE_LOGITS)[strength[rows]] > AT_LEAST
    at, code = np.nonzero(shows)
    return pl.DataFrame({"row": rows[at], "code": codes.gather(code)})


def _told(said: pl.DataFrame, read: pl.DataFrame, codes: tuple[str, ...]) -> pl.DataFrame:
    """chat, code of what an agent's message shows."""
    shown = read.filter(pl.col("code").is_in(codes))
    return shown.join(said.select("row", "chat"), on="row").select("chat", "code")


def _greeted(said: pl.DataFrame) -> pl.DataFrame:
    return said.filter(pl.col("agent") & pl.col("salutes")).select("chat", code=pl.lit("greet"))


def _answered(said: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """chat, code: an agent said something to what a customer wrote that is more than a greeting, an assent or a brush-off."""
    brushed = read.filter(pl.col("code") == BRUSH_OFF)["row"].implode()
    asked = (pl.col("customer") & ~pl.col("assents")).cum_sum().over("chat") > 0
    substance = pl.col("agent") & asked & (pl.col("length") >= 2) & ~pl.col("assents") & ~pl.col("row").is_in(brushed)
    return said.filter(substance).select("chat", code=pl.lit("answer"))


def _brushed_off(said: pl.DataFrame, read: pl.DataFrame, loss: pl.DataFrame) -> pl.DataFrame:
    """chat, code: at least two replies, and half of all, were one word or a brush-off without courtesy."""
    brushed = pl.col("row").is_in(read.filter(pl.col("code") == BRUSH_OFF)["row"].implode())
    bare = (pl.col("length") <= 4) & ~pl.col("text").str.contains(_POLITE)
    each = said.filter("agent").select("chat", (brushed | bare).alias("curt"))
    replies = each.group_by("chat").agg(pl.len().alias("n"), pl.col("curt").sum())
    lost = loss.filter(pl.col("primary").is_not_null()).select("chat")
    return (
        replies.filter((pl.col("curt") >= 2) & (pl.col("curt") * 2 >= pl.col("n")))
        .join(lost, on="chat", how="semi")
        .select("chat", code=pl.lit(BRUSH_OFF))
    )


def _timed(said: pl.DataFrame, loss: pl.DataFrame) -> pl.DataFrame:
    """chat, code of the faults that lie in when an agent answered, or did not, and of those that the loss tells."""
    turns = said.with_columns((pl.col("agent").cum_sum().over("chat") - pl.col("agent")).alias("round"))
    open_ = pl.col("at").filter(pl.col("customer") & ~pl.col("settles")).first()
    waits = turns.group_by("chat", "round").agg((pl.col("at").filter("agent").first() - open_).alias("wait"))
    slow = waits.filter(pl.col("wait").dt.total_seconds() >= SLOW_S).select("chat", code=pl.lit("slow"))
    return pl.concat([slow, _reasons(loss, "service.off_point"), _reasons(loss, "service.unanswered")])


def _let_go(said: pl.DataFrame, loss: pl.DataFrame) -> pl.DataFrame:
    """chat, code: the customer put off (in words, or by the reason of the loss) and nobody wrote anything of substance after."""
    last = pl.col("i").filter("substance").max().fill_null(-1)
    put_off = pl.col("i").filter(pl.col("hesitates") >= HESITATES).max().fill_null(-1) > last
    ends = pl.col("i").filter(pl.col("customer") & ~pl.col("assents")).max().fill_null(-1) > last
    chats = said.group_by("chat").agg(put_off.alias("put_off"), ends.alias("ends"), pl.col("agent").any())
    lost = chats.join(loss.filter(pl.col("primary").is_not_null()), on="chat").filter("agent")
    other_fault = pl.col("primary").str.starts_with("service.") & (pl.col("primary") != "service.no_follow_up")
    let_go = (pl.col("put_off") & ~other_fault) | (pl.col("ends") & pl.col("primary").is_in(PUT_OFF))
    found = lost.filter(let_go).select("chat", code=pl.lit("no_follow_up"))
    return pl.concat([found, _reasons(loss, "service.no_follow_up")])


def _reasons(loss: pl.DataFrame, reason: str) -> pl.DataFrame:
    """chat, code of the chats whose loss has a service reason."""
    has = (pl.col("primary") == reason) | pl.col("secondary").list.contains(reason)
    return loss.filter(has.fill_null(False)).select("chat", code=pl.lit(reason.removeprefix("service.")))


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
