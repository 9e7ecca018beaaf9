"""The diagnosis: every kind of finding asked once, ordered by money, with what is fine and what cannot be told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from huitou.errors import NeedsData, Say
from huitou.findings import agents, conversion, follow_up, logistics, payment, products, quality, response, reviews, rising, value
from huitou.findings.case import SILENT, Case
from huitou.findings.model import Cause, Diagnosis, Finding
from huitou.findings.tables import tables
from huitou.findings.wording import count, day_en, day_zh
from huitou.lake.duckdb import Snapshot
from huitou.lake.settings import Settings
from huitou.metrics import covered as days_covered
from huitou.metrics import default_period
from huitou.rules.model import RulePack
from huitou.rules.taxonomy import Words, load_taxonomies
from huitou.tables import TABLES

MOST_DAYS = 92
"""Without a period asked for, the diagnosis covers what was imported, at most the last three months."""

THIN = 0.05
"""A day at the border with less than this part of a usual day's chats and orders is the tail of a neighbour, not a day."""

KINDS: tuple[Callable[[Case], Finding | None], ...] = (
    conversion.gap, conversion.decline, agents.below_peers, products.lost, follow_up.dropped, payment.unpaid,
    response.busy_hours, response.speed, response.unanswered, logistics.slow_lines,
    rising.issue, reviews.hidden, reviews.bad_products, reviews.price_drop, reviews.rating_drop,
    quality.forbidden, quality.promises,
    value.order_value, value.refund_products, value.refund_rise, value.refund_share,
)  # fmt: skip


def diagnose(
    snapshot: Snapshot,
    settings: Settings,
    pack: RulePack,
    *,
    period: tuple[date, date] | None = None,
    words: Words | None = None,
) -> Diagnosis:
    """Everything that can be said about the shop in a period ([first, last] day, default the last three months of what there is).

    `words`: the taxonomies that name the codes of texts (default: the built-in ones).

    Works with whatever was imported; what is missing is listed. Raises NeedsData where nothing with days was imported.
    """
    whole = _whole_days(snapshot)
    if whole is None:
        raise NeedsData(Say("诊断", "a diagnosis"), Say("聊天记录、订单或评价", "chats, orders or reviews"))
    asked = period or (whole[1] - timedelta(days=MOST_DAYS - 1), whole[1])
    if period:
        days = days_covered(snapshot).values()
        whole = min(first for first, _ in days), max(last for _, last in days)
    inside = max(asked[0], whole[0]), min(asked[1], whole[1])
    if inside[0] > inside[1]:
        what = _asked(*asked)
        needs = Say(f"这些天的数据；现有 {whole[0]} 至 {whole[1]}", f"data of these days; there is {whole[0]} to {whole[1]}")
        raise NeedsData(what, needs)
    case = Case(snapshot, settings, pack, inside, words or load_taxonomies())
    found = [f for kind in KINDS if (f := kind(case)) is not None]
    unknown = _unknown(case)
    return Diagnosis(
        settings.shop, settings.platform, inside, pack.id, tuple(_ordered(_parts(found))), tuple(dict.fromkeys(case.fine)),
        tuple(zh for zh, _ in unknown), tuple(en for _, en in unknown), tables(case), case.whole,
    )  # fmt: skip


def _asked(first: date, last: date) -> Say:
    """What a diagnosis of days without data is called; an end that was left open stays open."""
    if last == date.max:
        return Say(f"{first} 起的诊断", f"a diagnosis from {first} on")
    if first == date.min:
        return Say(f"{last} 及以前的诊断", f"a diagnosis up to {last}")
    return Say(f"{first} 至 {last} 的诊断", f"a diagnosis of {first} to {last}")


def _whole_days(snapshot: Snapshot) -> tuple[date, date] | None:
    """The days that chats and orders cover, without a border day that only holds what ran over midnight."""
    whole = default_period(snapshot)
    tables = [snapshot.table(name) for name in ("messages", "orders") if snapshot.has(name)]
    if whole is None or not tables:
        return whole
    first, last = whole
    busy = pl.concat([snapshot.frame(t.group_by("day").aggregate(n=t.count())) for t in tables]).group_by("day").agg(pl.sum("n"))
    usual = float(str(busy["n"].median()))
    full = busy.filter(pl.col("n") >= THIN * usual, pl.col("day").is_between(first, last))["day"].sort()
    return (full[0], full[-1]) if len(full) else whole


def _ordered(found: list[Finding]) -> list[Finding]:
    """By money, then customers, then code."""
    return sorted(found, key=lambda f: (-(f.money.value_fen if f.money else 0), -f.customers, f.code))


def _parts(found: list[Finding]) -> list[Finding]:
    """`part_of` only where that finding exists; and the whole lists its parts, each with its share of the gap."""
    codes = {f.code for f in found}
    kept = [replace(f, part_of=f.part_of if f.part_of in codes else None) for f in found]
    return [replace(f, parts=_shares(f, kept)) for f in kept]


def _shares(whole: Finding, found: list[Finding]) -> tuple[Cause, ...]:
    parts = sorted((p for p in found if p.part_of == whole.code and p.money), key=lambda p: -p.customers)
    return tuple(
        Cause(p.code, p.title_zh, p.title_en, p.customers / whole.customers, p.customers) for p in parts if whole.customers
    )


MISSING = (
    ("messages", "没有聊天记录：看不了询单、客服和响应。导出千牛聊天记录可补。",
     "No chats: inquiries, agents and response cannot be seen. Export the chat records."),
    ("orders", "没有订单：分不清成交和流失，没有下单的一律不说流失。导出订单报表可补。",
     "No orders: bought and lost cannot be told apart, nothing is called lost. Export the order report."),
    ("reviews", "没有评价：看不了好评里的不满和差评。导出评价可补。",
     "No reviews: complaints cannot be seen. Export the reviews."),
    ("refunds", "没有退款明细：退款的原因和责任说不清。导出退款管理表可补。",
     "No refund export: reasons and responsibility cannot be told. Export the refunds."),
    ("traffic", "没有流量：静默转化率算不了。导出生意参谋日数据可补。",
     "No traffic: silent conversion cannot be computed. Export the daily traffic."),
)  # fmt: skip


def _unknown(case: Case) -> list[tuple[str, str]]:
    """What cannot be told and why, in both languages."""
    out = [(zh, en) for table, zh, en in MISSING if not case.has(table)]
    if case.has("orders") and not _any(case, "orders", "customer_key"):
        out.append(("订单没有买家号，和聊天对不上：看不了询单转化、老客户和复购。导出带买家会员名的订单表可补。",
                    "The orders carry no buyer id, so chats and orders do not meet: no conversion, no returning customers. "
                    "Export orders with the buyer's account."))  # fmt: skip
    out += [*_elsewhere(case), *_silent(case), *_open(case), *_traffic_days(case), *_few(case)]
    if case.has("inquiry_reasons"):
        out.append(("流失原因由规则和模型读聊天得出，没有人工抽查；每条都能翻到原话，拿不准的先看原话。",
                    "Loss reasons are read from the chats by rules and models, not checked by hand; each opens to the words "
                    "that show it."))  # fmt: skip
    return out


def _elsewhere(case: Case) -> list[tuple[str, str]]:
    """Imported tables none of whose days lie in the period."""
    out = []
    for name, (first, last) in days_covered(case.snapshot).items():
        if last < case.period[0] or first > case.period[1]:
            table = TABLES[name]
            out.append((f"{table.zh}只有 {first} 到 {last} 的，不在这段时间里，没有看；用 --from 和 --to 可以看那一段。",
                        f"{table.en}: there are only days from {first} to {last}, outside this period; "
                        "look at them with --from and --to."))  # fmt: skip
    return out


def _any(case: Case, table: str, column: str) -> bool:
    t = case.snapshot.table(table)
    return bool(case.frame(t.aggregate(n=t[column].count()))["n"][0])


def _silent(case: Case) -> list[tuple[str, str]]:
    """Lost inquiries whose last word is the agent's and in which the customer named no reason."""
    if not case.has("inquiry_reasons", "orders"):
        return []
    n = case.lost.filter(reason=SILENT).height
    if not n:
        return []
    return [
        (
            f"「突然无回复」的 {count(n)} 段不知道原因。",
            f"{count(n)} chats in which the customer suddenly fell silent: the reason is unknown.",
        )
    ]


def _open(case: Case) -> list[tuple[str, str]]:
    if not case.has("inquiries", "orders"):
        return []
    t = case.during("inquiries")
    t = t.filter(t.final_at > case.as_of)
    n = case.frame(t.aggregate(n=t.count()))["n"][0]
    return (
        [(f"{count(n)} 段询单还没到期，没有算进来。", f"{count(n)} inquiries are not final yet and are left out.")] if n else []
    )


def _traffic_days(case: Case) -> list[tuple[str, str]]:
    """Days of the period that the traffic export skips."""
    if not case.has("traffic"):
        return []
    t = case.during("traffic")
    known = set(case.frame(t.select("day").distinct())["day"].to_list())
    days = [case.period[0] + timedelta(days=i) for i in range((case.period[1] - case.period[0]).days + 1)]
    gone = [d for d in days if d not in known]
    if not gone or not known:
        return []
    zh, en = "、".join(map(day_zh, gone[:5])), ", ".join(map(day_en, gone[:5]))
    more = len(gone) > 5
    return [(f"流量文件缺 {zh}" + (f"等 {len(gone)} 天" if more else "") + "，静默转化率当天空着。",
             f"The traffic files lack {en}" + (f" and {len(gone) - 5} more days" if more else "")
             + "; silent conversion is blank there.")]  # fmt: skip


def _few(case: Case) -> list[tuple[str, str]]:
    """Agents with too few inquiries to be compared."""
    if not case.has("inquiries", "orders"):
        return []
    by = case.cells.filter(pl.col("agent_key").is_in(list(case.agents))).group_by("agent_key").agg(pl.col("n").sum())
    few = sorted(case.agents[a] for a in by.filter(pl.col("n") < 30)["agent_key"])
    if not few:
        return []
    return [
        (
            f"{len(few)} 位客服的询单不到 30 位，没有比较。",
            f"{len(few)} agents have fewer than 30 inquirers and were not compared.",
        )
    ]
