"""Products that lose their inquirers: conversion against the rest of the shop, and the doubt that stands out in their words."""

from dataclasses import dataclass

import polars as pl

from huitou.findings import evidence
from huitou.findings.case import CHAT, LEAST, Case
from huitou.findings.conversion import CODE as GAP
from huitou.findings.model import Cause, Evidence, Finding, Goal, Remedy, Row
from huitou.findings.money import at_stake, tail_en, tail_zh
from huitou.findings.reasons import with_reasons
from huitou.findings.stats import Estimate, difference, share, z_for
from huitou.findings.wording import count, pct, pct0, points, span
from huitou.rules.cues import Cue

MARGIN = 0.10
SHORT_REPLY = 20

REMEDIES: dict[str, tuple[str, str]] = {
    "product.authenticity": ("把检测报告和授权书放进商品页；要凭证的客户当场发，验货不满意运费由店铺出。",
                             "Put the test report and authorisation on the product page; send them at once to those who ask, "
                             "and pay the freight back if the goods fail inspection."),
    "product.quality": ("商品页写明材质、工艺和保修；给客服一份质量问答。",
                        "State material, make and warranty on the page; give agents answers on quality."),
    "product.fit": ("商品页加尺寸实物对照和能放什么的图；给客服一张尺码表。",
                    "Show the size beside familiar objects on the page; give agents a size table."),
    "product.looks": ("补不同光线下的实拍图和短视频。", "Add photographs and a short video in different light."),
    "product.stock": ("写明补货日期，推荐同款可买的颜色。", "State the restocking date and recommend a colour that is there."),
    "product.function": ("商品页写明有什么、没有什么，并指向有这个功能的一款。",
                         "Say on the page what it has and has not, and point to the item that has it."),
    "logistics.time": ("写明当日发货截止时间和各地到货天数。",
                       "State the cut-off for same-day dispatch and the days to each region."),
}  # fmt: skip
_PRICE = ("给客服一套议价的说法：摊到每天的价、成本、下一次活动的日期。",
          "Give agents answers to bargaining: price per day, cost, date of the next sale.")  # fmt: skip
_OTHER = ("抽听 20 段这款商品没成交的会话，定一套问答。", "Read twenty lost chats about this product and agree on answers.")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason that a product's lost inquirers name more often than the rest of the shop's."""

    cue: Cue
    own: Estimate
    rest: Estimate


def lost(case: Case) -> Finding | None:
    """Products whose inquirers order clearly less than the rest's; the one that loses most leads."""
    if not case.has("inquiries", "orders"):
        return None
    t = case.mature()
    rows, short = compare(case.count(t, "product_key"))
    low = [k for k, (_, _, flagged) in rows.items() if flagged]
    if not low:
        return None
    low.sort(key=lambda k: -short[k].value)
    lead, own, rest = low[0], rows[low[0]][0], rows[low[0]][1]
    worth = case.worth(t.filter(t.product_key == lead)) or case.worth()
    money = at_stake(short[lead], worth, case.settings.currency) if worth else None
    doubts = doubts_of(case, lead)
    name, top = case.products.get(lead, "?"), doubts[0] if doubts else None
    goal = Goal("inquiry_conversion", rest.value, "peers", "其余商品", "other products", "the shop's own data")
    ask_zh = f"：客户要{top.cue.more['ask']}" if top else ""
    ask_en = f": customers ask for {top.cue.more['ask_en']}" if top else ""
    counter = _counter(case, lead, top) if top else ("", "")
    others = [case.products.get(k, "?") for k in low[1:]]
    return Finding(
        code="product.lost", metric="inquiry_conversion", scope={"product": name}, period=case.period,
        value=own.value, low=own.low, high=own.high, n=own.n, unit="share", goal=goal,
        customers=round(short[lead].value), money=money,
        title_zh=f"{name}询单转化 {pct(own.value)}，其余商品 {pct(rest.value)}{ask_zh}",
        title_en=f"{name} converts {pct(own.value)} of inquiries, other products {pct(rest.value)}{ask_en}",
        why_zh=f"{count(own.n)} 位客户询单，{count(own.value * own.n)} 位下单（{span(own)}），"
        f"低 {points(own.value - rest.value)} 点"
        + tail_zh(money) + (_doubt_zh(top) if top else "")
        + (f"另有{'、'.join(others)}也低。" if others else ""),
        why_en=f"{count(own.value * own.n)} of {count(own.n)} inquirers ordered ({span(own)} %), "
        f"{points(own.value - rest.value)} points below" + tail_en(money) + (_doubt_en(top) if top else "")
        + (f" Also low: {', '.join(others)}." if others else ""),
        causes=tuple(_cause(d) for d in doubts), evidence=_proof(case, lead, top) if top else (),
        counter_zh=counter[0], counter_en=counter[1], remedies=_remedies(top), rows=_rows(case, rows), part_of=GAP,
    )  # fmt: skip


def compare(
    cells: pl.DataFrame, *, margin: float = MARGIN
) -> tuple[dict[int, tuple[Estimate, Estimate, bool]], dict[int, Estimate]]:
    """Per product with enough inquiries: own share, the rest's, clearly lower or not; and customers short of the rest's.

    All products share one error rate; a product is low where its interval against the rest excludes zero and the distance
    is at least `margin` (a tenth) of the rest's share. The rest leaves out products already found low, so that one does not
    hide the next.
    """
    by = (
        cells.drop_nulls("product_key")
        .group_by("product_key")
        .agg(pl.col("n").sum(), pl.col("ordered").sum())
        .sort("product_key")
    )
    judged = by.filter(pl.col("n") >= LEAST)
    z, low = z_for(judged.height), set[int]()
    while True:
        rows: dict[int, tuple[Estimate, Estimate, bool]] = {}
        for key, n, k in judged.iter_rows():
            rest = by.filter(pl.col("product_key") != key, ~pl.col("product_key").is_in(list(low)))
            if (rest_n := rest["n"].sum()) < LEAST:
                continue
            own, other = share(k, n), share(float(rest["ordered"].sum()), float(rest_n))
            d = difference(own, other, z)
            rows[key] = own, other, d.high < 0 and -d.value >= margin * other.value
        found = {k for k, r in rows.items() if r[2]}
        if found <= low:
            break
        low |= found
    short = {k: difference(other, own).times(own.n) for k, (own, other, _) in rows.items()}
    return rows, short


def doubts_of(case: Case, product: int) -> list[Doubt]:
    """Reasons named more often by the product's lost inquirers than by the rest's, the largest excess first."""
    if not case.has("messages"):
        return []
    named = case.lost_lines.group_by(CHAT).agg(pl.col(c.code).any() for c in case.cues.loss)
    chats = case.lost.select(*CHAT, "product_key").join(named, on=list(CHAT), how="left").with_columns(
        pl.col(c.code).fill_null(False) for c in case.cues.loss
    )  # fmt: skip
    is_own = (pl.col("product_key") == product).fill_null(False)
    own, rest = chats.filter(is_own), chats.filter(~is_own)
    if min(own.height, rest.height) < LEAST:
        return []
    out, z = [], z_for(len(case.cues.loss))
    for cue in case.cues.loss:
        d = Doubt(cue, share(float(own[cue.code].sum()), own.height), share(float(rest[cue.code].sum()), rest.height))
        if difference(d.own, d.rest, z).low > 0 and d.own.value >= 0.05:
            out.append(d)
    return sorted(out, key=lambda d: d.rest.value - d.own.value)[:3]


def _doubt_zh(d: Doubt) -> str:
    return f"没下单的客户里 {pct0(d.own.value)} 提到{d.cue.zh}，其余商品 {pct0(d.rest.value)}。"


def _doubt_en(d: Doubt) -> str:
    return f" Of those who did not order {pct0(d.own.value)} speak of it ({d.cue.en}); {pct0(d.rest.value)} elsewhere."


def _cause(d: Doubt) -> Cause:
    k = round(d.own.value * d.own.n)
    return Cause(d.cue.code, f"{d.cue.zh}：{count(k)} 位提到，其余商品 {pct0(d.rest.value)}",
                 f"{d.cue.en}: named by {count(k)}; {pct0(d.rest.value)} elsewhere", d.own.value, k)  # fmt: skip


def _counter(case: Case, product: int, doubt: Doubt | None) -> tuple[str, str]:
    """How many of the product's inquirers with the same doubt ordered all the same."""
    if doubt is None:
        return "", ""
    t = case.mature()
    chats = t.filter(t.product_key == product)
    lines = with_reasons(case.lines(chats), (doubt.cue,))
    asked = lines.filter(pl.col(doubt.cue.code)).select(CHAT).unique()
    outcome = case.frame(chats.select(*CHAT, "ordered")).join(asked, on=list(CHAT), how="semi")
    n, k = outcome.height, int(outcome["ordered"].sum())
    if not k:
        return "", ""
    return (
        f"反例：同样提到{doubt.cue.zh}的 {count(n)} 位里，{count(k)} 位下了单。",
        f"Counter-example: {count(k)} of the {count(n)} who raised the same doubt ordered.",
    )


def _remedies(top: Doubt | None) -> tuple[Remedy, ...]:
    code = top.cue.code if top else ""
    zh, en = REMEDIES.get(code, _PRICE if code.startswith("price.") else _OTHER)
    owner = "product" if code.startswith("product.") else "supervisor"
    return (Remedy(zh, en, "product" if owner == "product" else "supervisor"),)


def _proof(case: Case, product: int, top: Doubt | None) -> tuple[Evidence, ...]:
    """Up to two lost chats that name the doubt most often; short replies to it are marked as could be better."""
    if top is None:
        return ()
    code = top.cue.code
    said = case.lost_lines.filter(pl.col(code)).group_by(CHAT).agg(pl.len().alias("c"), pl.col("sent_at").min())
    best = case.lost.filter(pl.col("product_key") == product).join(said, on=list(CHAT))
    best = best.sort("c", "sent_at", "customer_key", descending=[True, False, False]).head(2)
    chats = best.select(CHAT).rows()
    shown = evidence.messages(case, chats)
    out = []
    for chat in chats:
        one = shown.filter(customer_key=chat[0], agent_key=chat[1], day=chat[2])
        found = evidence.chat(
            one,
            top.cue.cues,
            _brushed_off(one, top.cue, case.cues.words["goodbye"]),
            zh=case.products.get(product, ""),
            en=case.products.get(product, ""),
        )
        out += [found] if found else []
    return tuple(out)


def _brushed_off(lines: pl.DataFrame, cue: Cue, goodbye: Cue) -> frozenset[int]:
    """Short human replies that directly follow a message with the doubt, other than a goodbye."""
    doubts, faults = False, set[int]()
    for row in lines.iter_rows(named=True):
        if row["kind"] == "customer":
            doubts = any(c in row["text"] for c in cue.cues)
        elif row["kind"] == "agent":
            if doubts and len(row["text"]) <= SHORT_REPLY and not any(c in row["text"] for c in goodbye.cues):
                faults.add(row["row_key"])
            doubts = False
    return frozenset(faults)


def _rows(case: Case, rows: dict[int, tuple[Estimate, Estimate, bool]]) -> tuple[Row, ...]:
    """The low products first, then the most asked-for, twelve at most."""
    order = sorted(rows, key=lambda k: (not rows[k][2], -rows[k][0].n, k))[:12]
    return tuple(
        Row(case.products.get(k, "?"), own.value, own.low, own.high, own.n, flagged)
        for k in order for own, _, flagged in [rows[k]]
    )  # fmt: skip
