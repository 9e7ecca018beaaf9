"""Customers who said they would look around and heard nothing more."""

from typing import Any

import ibis
import polars as pl

from huitou.errors import Say
from huitou.findings import evidence
from huitou.findings.agents import HESITATES
from huitou.findings.case import CHAT, LEAST, Case
from huitou.findings.conversion import CODE as GAP
from huitou.findings.model import Cause, Evidence, Finding, Goal, Remedy
from huitou.findings.money import at_stake, said_en, said_zh
from huitou.findings.stats import Estimate, difference, share
from huitou.findings.wording import count, pct, pct0, points, span

BARE_CHARS = 8
"""A reply this short («好的», «不客气») after the hesitation is an answer, not a follow-up."""

WITHIN_DAYS = 2
_TAUGHT = Say("转化率课程：「再看看」之后跟进", "A course on conversion: follow up after “let me think”")


def hesitating(case: Case) -> pl.DataFrame:
    """Mature inquiries in which the customer hesitated before any order: chat, the message's row_key, `ordered`, `followed`.

    Followed: within two days, before the customer wrote again or ordered, a person wrote more than a bare answer or a goodbye.
    """
    t = case.mature().select(*CHAT, "ordered", "ordered_at")
    m = case.during("messages")
    asked = m.filter(m.kind == "customer").select(*CHAT, "sent_at", "row", "row_key")
    asked = asked.mutate(again_at=asked.sent_at.lead().over(_in_order(["customer_key"])))
    tags = case.tags("loss", *HESITATES)
    unsure = tags.filter(~tags.asked).select(row_key="message_key").distinct()
    asked = asked.semi_join(unsure, "row_key").inner_join(t, list(CHAT))
    asked = asked.filter(asked.ordered_at.isnull() | (asked.sent_at < asked.ordered_at))
    first = asked.mutate(turn=ibis.row_number().over(_in_order(list(CHAT))))
    unsure = first.filter(first.turn == 0).select(*CHAT, "row_key", "sent_at", "again_at", "ordered", "ordered_at")
    bye = case.tags("steps", "goodbye").select(row_key="message_key").distinct()
    said = m.filter(m.kind == "agent", m.chars > BARE_CHARS).anti_join(bye, "row_key").select("customer_key", told_at="sent_at")
    both = unsure.inner_join(said, "customer_key")
    after = (both.told_at > both.sent_at) & (both.told_at <= both.sent_at + WITHIN_DAYS * 86_400_000_000)
    for end in (both.again_at, both.ordered_at):
        after = after & (end.isnull() | (both.told_at < end))
    told = both.filter(after).select(told_key="row_key").distinct()
    found = unsure.left_join(told, unsure.row_key == told.told_key)
    frame = case.frame(found.select(*CHAT, "row_key", "sent_at", "ordered", followed=found.told_key.notnull()))
    return frame.sort("sent_at", "row_key")


def _in_order(group: list[str]) -> Any:
    return ibis.window(group_by=group, order_by=["sent_at", "row", "row_key"])


def dropped(case: Case) -> Finding | None:
    """Hesitating customers were left alone, though those who were written to order more often."""
    if not case.has("inquiries", "orders", "message_tags"):
        return None
    frame = hesitating(case)
    alone, told = frame.filter(~pl.col("followed")), frame.filter(pl.col("followed"))
    lost = alone.filter(~pl.col("ordered"))
    if min(lost.height, frame.height) < LEAST:
        return None
    e = share(told.height, frame.height)
    short, text_zh, text_en = _worth_of_following(alone, told)
    worth = case.worth()
    money = at_stake(short, worth, case.settings.currency) if short and worth else None
    goal = Goal("follow_up_rate", 1.0, "industry", "跟进要求", "to be followed up", _TAUGHT, "B")
    if e.high >= goal.value:
        case.fine.append("follow_up_rate")
        return None
    return Finding(
        code="follow_up.none", metric="follow_up_rate", scope={}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=e.n, unit="share", goal=goal,
        customers=round(short.value) if short else lost.height, money=money,
        title_zh=f"{count(lost.height)} 位说「再看看」后没有人跟进，也没有下单",
        title_en=f"{count(lost.height)} customers said they would look around; nobody followed up and they did not order",
        why_zh=f"{count(frame.height)} 位说过再看看之类，{pct0(e.value)} 有人跟进。{text_zh}"
        + (f"{said_zh(money)}。" if money else ""),
        why_en=f"{count(frame.height)} hesitated, {pct0(e.value)} were followed up. {text_en}"
        + (f" It is {said_en(money)}." if money else ""),
        causes=_who(case, lost), evidence=_proof(case, lost), counter_zh="", counter_en="",
        remedies=(Remedy("说「再看看」的，次日跟进一次，只一次；随机留一成不跟进作对照。",
                         "Write once, on the next day, to those who hesitated; leave a random tenth alone for comparison.",
                         "operations"),),
        part_of=GAP,
    )  # fmt: skip


def _worth_of_following(alone: pl.DataFrame, told: pl.DataFrame) -> tuple[Estimate | None, str, str]:
    """Customers that following up might win: the difference in ordering × those left alone; None where none shows."""
    if min(alone.height, told.height) < LEAST:
        return None, "跟进的太少，看不出跟进有没有用。", "Too few were followed up to see whether it helps."
    a, b = share(float(alone["ordered"].sum()), alone.height), share(float(told["ordered"].sum()), told.height)
    d = difference(b, a)
    if d.low <= 0:
        return (
            None,
            f"跟进的 {pct(b.value)} 下单，没跟进的 {pct(a.value)}，看不出差别。",
            f"{pct(b.value)} of those followed up ordered, {pct(a.value)} of the others: no clear difference.",
        )
    zh = f"跟进的 {pct(b.value)} 下单，没跟进的 {pct(a.value)}，高 {points(d.value)} 点（{span(d)}）；"
    zh += "这不是实验，跟进的客户本来可能更想买。"
    en = f"{pct(b.value)} of those followed up ordered, {pct(a.value)} of the others: {points(d.value)} points more "
    en += f"({span(d)}). This is no experiment: they may have been keener."
    return d.times(alone.height), zh, en


def _who(case: Case, lost: pl.DataFrame) -> tuple[Cause, ...]:
    """Whether the customer was left without any answer, or got a bare one."""
    bare = lost.join(case.lost.filter(~pl.col("customer_last")).select(*CHAT), on=list(CHAT), how="semi").height
    n, silent = lost.height, lost.height - bare
    return (
        Cause("no_answer", f"{count(silent)} 位的「再看看」是最后一句",
              f"for {count(silent)} it was the last line", silent / n, silent),
        Cause("bare_answer", f"{count(bare)} 位只等到一句「好的」之类", f"{count(bare)} got a bare reply", bare / n, bare),
    )  # fmt: skip


def _proof(case: Case, lost: pl.DataFrame) -> tuple[Evidence, ...]:
    """The latest such chat with at least six customer messages, else the latest."""
    long = lost.join(case.lost.filter(pl.col("customer_messages") >= 4).select(*CHAT), on=list(CHAT), how="semi")
    chat = (long if long.height else lost).select(CHAT).row(-1)
    shown = evidence.messages(case, [chat])
    marked = evidence.marks(case, shown, "loss", HESITATES)
    one = evidence.chat(shown, marked, zh="之后没有人跟进", en="nobody followed up")
    return (one,) if one else ()
