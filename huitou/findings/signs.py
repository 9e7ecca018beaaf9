"""Visible signs of how an agent works, each against the agents that cannot be told apart: what stands out, and the remedy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Literal

import ibis.expr.types as ir
import polars as pl

from huitou.findings.case import LEAST, Case
from huitou.findings.stats import Estimate, Z, difference, ratio, share, z_for
from huitou.findings.wording import pct0

SLOW_S = 60
OWN_TEXTS = 3
CLOSINGS = ("push_order", "urge_payment", "goodbye")
"""Steps that bring a chat to an end: without one it just stops."""
NEW_DAYS = 30

Values = dict[int, Estimate]


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign: how to measure it, which side is worse, what is too little to speak of, and how to say it."""

    code: str
    measure: Callable[[Case], Values]
    worse: Literal["high", "low"]
    least: float  # a smaller difference is not worth a word, in the sign's unit
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    show: Callable[[float], str] = pct0
    minor: bool = False  # a mark of style: named first only where nothing else stands out


@dataclass(frozen=True, slots=True)
class Seen:
    """A sign found on one agent: its sentence, remedy and how far outside the peers' spread it lies."""

    code: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    far: float


def slow_rounds(case: Case) -> Values:
    """Share of answered rounds in the rule's hours that waited longer than a minute; an hour's wait is absence, not typing."""
    t = case.during("rounds")
    t = t.filter(t.second >= case.pack.response_from_s, t.second < case.pack.response_to_s, t.wait_s <= 3600.0)
    return _shares(case, t.group_by("agent_key").aggregate(n=t.count(), k=(t.wait_s > SLOW_S).ifelse(1, 0).sum()))


def own_texts(case: Case) -> Values:
    """Share of a person's replies that are one of their own three most frequent texts."""
    m = case.during("messages")
    m = m.filter(m.kind == "agent")
    counts = m.group_by("agent_key", "text_hash").aggregate(c=m.count())
    frame = case.frame(counts.filter(counts.c >= 3)).sort("c", "text_hash", descending=[True, False])
    top = frame.group_by("agent_key").agg(k=pl.col("c").head(OWN_TEXTS).sum())
    n = case.frame(m.group_by("agent_key").aggregate(n=m.count()))
    joined = n.join(top, on="agent_key", how="left").with_columns(pl.col("k").fill_null(0))
    return {a: share(k, n) for a, n, k in joined.select("agent_key", "n", "k").iter_rows() if n >= LEAST}


def no_closing(case: Case) -> Values:
    """Share of inquiries in which no message of the agent closes: asks to order, gives a reason to, or says goodbye."""
    t = case.readings()
    t = t.filter(t.agent_messages > 0)
    closed = t.steps.contains(CLOSINGS[0])
    for step in CLOSINGS[1:]:
        closed = closed | t.steps.contains(step)
    return _shares(case, t.group_by("agent_key").aggregate(n=t.count(), k=(~closed).ifelse(1, 0).sum()))


def answers_per_question(case: Case) -> Values:
    """Answer/question ratio: a person's messages for each message of the customer, in inquiries."""
    t = case.mature()
    return _ratios(case, t, "agent_messages", "customer_messages")


def chars_per_reply(case: Case) -> Values:
    """Mean length of a person's replies in characters."""
    t = case.during("receptions")
    return _ratios(case, t.filter(t.filtered.isnull(), t.agent_messages > 0), "agent_chars", "agent_messages")


def _ratios(case: Case, t: ir.Table, over: str, under: str) -> Values:
    y, x = t[over].cast("float64"), t[under].cast("float64")
    sums = t.group_by("agent_key").aggregate(
        y=y.sum(), x=x.sum(), yy=(y * y).sum(), xx=(x * x).sum(), xy=(x * y).sum(), n=t.count()
    )
    rows = case.frame(sums).filter(pl.col("n") >= LEAST, pl.col("x") > 0).select("agent_key", "y", "x", "yy", "xx", "xy", "n")
    return {a: ratio(y, x, yy, xx, xy, n) for a, y, x, yy, xx, xy, n in rows.iter_rows()}


def _shares(case: Case, counted: ir.Table) -> Values:
    rows = case.frame(counted).filter(pl.col("n") >= LEAST).select("agent_key", "k", "n")
    return {a: share(k, n) for a, k, n in rows.iter_rows()}


def _one(v: float) -> str:
    return f"{v:.1f}"


SIGNS = (
    Sign("slow", slow_rounds, "high", 0.05, "打字慢，{v} 的回复超过 60 秒（其余 {p}）",
         "slow: {v} of the replies take over 60 s (others {p})",
         "整理自己的快捷短语，常见问题先用短语接住", "own shortcut phrases for common questions"),
    Sign("canned", own_texts, "high", 0.10, "{v} 的回复是自己的同 3 句话（其余 {p}）",
         "{v} of the replies are the same three texts (others {p})",
         "主管面谈：先看问题再答，短语只用来开头", "talk with the supervisor: answer the question, phrases only to open"),
    Sign("no_closing", no_closing, "high", 0.10, "{v} 的会话没有推动下单（其余 {p}）",
         "{v} of the chats never ask for the order (others {p})",
         "结对练推动下单：{peer}", "pairing on closing: {peer}"),
    Sign("passive", answers_per_question, "low", 0.15, "答问比 {v}（其余 {p}）", "answer/question ratio {v} (others {p})",
         "每个问题都答，再多说一句建议", "answer each question and add one suggestion", _one, True),
    Sign("short", chars_per_reply, "low", 2.0, "每句平均 {v} 字（其余 {p}）", "{v} characters a reply (others {p})",
         "回答写完整：是什么、为什么、怎么选", "write whole answers: what, why, which to choose", _one, True),
)  # fmt: skip


def seen(case: Case, flagged: Sequence[int], peers: Sequence[int]) -> dict[int, list[Seen]]:
    """Each flagged agent's signs: being new before all, then those furthest outside the peers' spread, marks of style last.

    A sign counts where its difference from the peers excludes zero with all looks sharing one error rate, is large enough to
    matter, and lies more than two standard deviations of the peers away.
    """
    found: dict[int, list[Seen]] = {a: [] for a in flagged}
    z = z_for(len(flagged) * len(SIGNS))
    for sign in SIGNS:
        values = sign.measure(case)
        usual = [values[p].value for p in peers if p in values]
        if len(usual) < 2:
            continue
        spread, middle = stdev(usual), fmean(usual)
        half = Z * spread / len(usual) ** 0.5
        best = _best(values, [p for p in peers if p in values], sign.worse)
        for agent in (a for a in flagged if a in values):
            d = difference(values[agent], Estimate(middle, middle - half, middle + half, len(usual)), z)
            worse = d.low > 0 if sign.worse == "high" else d.high < 0
            far = abs(d.value) / max(spread, sign.least / 4)
            if worse and abs(d.value) >= sign.least and far > 2:
                found[agent].append(_say(sign, (values[agent].value, middle), case.agents.get(best, "?"), far))
    new = _new(case, flagged, peers)
    minor = {s.code for s in SIGNS if s.minor}
    ranked = {a: sorted(s, key=lambda one: (one.code in minor, -one.far)) for a, s in found.items()}
    return {a: [*([new[a]] if a in new else []), *s] for a, s in ranked.items()}


def _best(values: Values, peers: Sequence[int], worse: str) -> int:
    turn = 1 if worse == "high" else -1
    return min(peers, key=lambda p: (turn * values[p].value, p))


def _say(sign: Sign, values: tuple[float, float], peer: str, far: float) -> Seen:
    words = {"v": sign.show(values[0]), "p": sign.show(values[1]), "peer": peer}
    zh, en, do_zh, do_en = (t.format(**words) for t in (sign.zh, sign.en, sign.remedy_zh, sign.remedy_en))
    return Seen(sign.code, zh, en, do_zh, do_en, far)


def _new(case: Case, flagged: Sequence[int], peers: Sequence[int]) -> dict[int, Seen]:
    """Agents whose first chat lies within 30 days of the period's end, while the peers' lie earlier."""
    t = case.snapshot.table("receptions")
    first = dict(case.frame(t.group_by("agent_key").aggregate(first=t.day.min())).iter_rows())
    end = case.period[1]
    older = [p for p in peers if p in first and (end - first[p]).days > NEW_DAYS]
    if len(older) < len(peers) / 2 or not older:
        return {}
    n = case.cells.group_by("agent_key").agg(pl.col("n").sum()).filter(pl.col("agent_key").is_in(older)).sort("n", "agent_key")
    peer = case.agents.get(n["agent_key"][-1], "?") if n.height else "?"
    out = {}
    for a in flagged:
        days = (end - first[a]).days + 1 if a in first else NEW_DAYS + 2
        if days <= NEW_DAYS + 1:
            out[a] = Seen("new", f"到岗 {days} 天", f"joined {days} days ago", f"结对答疑：{peer}", f"pairing: {peer}", 0.0)
    return out
