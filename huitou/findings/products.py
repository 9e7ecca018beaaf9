"""Products that lose their inquirers: conversion against the rest of the shop, and the doubt that stands out in their words."""

from dataclasses import dataclass

import polars as pl

from huitou.findings import evidence
from huitou.findings.case import CHAT, LEAST, Case
from huitou.findings.conversion import CODE as GAP
from huitou.findings.conversion import plainest
from huitou.findings.model import OWN_DATA, Cause, Evidence, Finding, Goal, Remedy, Row
from huitou.findings.money import at_stake, tail_en, tail_zh
from huitou.findings.remedies import remedy
from huitou.findings.stats import Estimate, difference, share, z_for
from huitou.findings.wording import count, pct, pct0, points, span
from huitou.rules.taxonomy import Leaf

MARGIN = 0.10
SHORT_REPLY = 20

GOODS = ("product.", "price.", "logistics.")
"""Groups of reasons that can lie in what is sold; the others lie in who served or who came."""
_OTHER = Remedy("抽听 20 段这款商品没成交的会话，定一套问答。",
                "Read twenty lost chats about this product and agree on answers.", "supervisor")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason for which a product's inquirers are lost more often than the rest of the shop's."""

    leaf: Leaf
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
    goal = Goal("inquiry_conversion", rest.value, "peers", "其余商品", "other products", OWN_DATA)
    ask_zh = f"：多因{top.leaf.zh}" if top else ""
    ask_en = f": mostly {top.leaf.en}" if top else ""
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
    """Reasons (primary or secondary) of more of the product's lost inquiries than of the rest's, the largest excess first."""
    if not case.has("inquiry_reasons"):
        return []
    reasons = pl.concat_list(pl.col("reason"), pl.col("secondary")).list.unique()
    is_own = (pl.col("product_key") == product).fill_null(False)
    lost = case.lost.select(is_own.alias("own"), reasons.alias("code"))
    n = {own: lost.filter(own=own).height for own in (True, False)}
    if min(n.values()) < LEAST:
        return []
    named = lost.explode("code").filter(pl.any_horizontal(pl.col("code").str.starts_with(group) for group in GOODS))
    counts = named.group_by("code").agg(k=pl.col("own").sum(), rest=(~pl.col("own")).sum()).sort("code")
    out, z = [], z_for(counts.height)
    for code, k, rest in counts.iter_rows():
        d = Doubt(case.leaf("loss", code), share(float(k), n[True]), share(float(rest), n[False]))
        if difference(d.own, d.rest, z).low > 0 and d.own.value >= 0.05:
            out.append(d)
    return sorted(out, key=lambda d: d.rest.value - d.own.value)[:3]


def _doubt_zh(d: Doubt) -> str:
    return f"没下单的客户里 {pct0(d.own.value)} 因为{d.leaf.zh}，其余商品 {pct0(d.rest.value)}。"


def _doubt_en(d: Doubt) -> str:
    return f" {pct0(d.own.value)} of those who did not order are lost to it ({d.leaf.en}); {pct0(d.rest.value)} elsewhere."


def _cause(d: Doubt) -> Cause:
    k = round(d.own.value * d.own.n)
    return Cause(d.leaf.code, f"{d.leaf.zh}：{count(k)} 位，其余商品 {pct0(d.rest.value)}",
                 f"{d.leaf.en}: {count(k)}; {pct0(d.rest.value)} elsewhere", d.own.value, k)  # fmt: skip


def _counter(case: Case, product: int, doubt: Doubt | None) -> tuple[str, str]:
    """How many of the product's inquirers with the same doubt ordered all the same."""
    if doubt is None:
        return "", ""
    t = case.mature()
    chats = t.filter(t.product_key == product)
    tags = case.tags("loss", doubt.leaf.code)
    asked = chats.semi_join(tags.filter(tags.kind == "customer"), list(CHAT))
    n, k = case.frame(asked.aggregate(n=asked.count(), k=asked.ordered.ifelse(1, 0).sum())).row(0)
    if not k:
        return "", ""
    return (
        f"反例：同样提到{doubt.leaf.zh}的 {count(n)} 位里，{count(k)} 位下了单。",
        f"Counter-example: {count(k)} of the {count(n)} who raised the same doubt ordered.",
    )


def _remedies(top: Doubt | None) -> tuple[Remedy, ...]:
    return (remedy(top.leaf),) if top and top.leaf.remedy.zh else (_OTHER,)


def _proof(case: Case, product: int, top: Doubt | None) -> tuple[Evidence, ...]:
    """Up to two lost chats that show the doubt most plainly; short replies to it are marked as could be better."""
    if top is None:
        return ()
    name, out = case.products.get(product, ""), []
    best = plainest(case, top.leaf.code).filter(pl.col("product_key") == product).head(2)
    for row in best.iter_rows(named=True):
        shown = evidence.messages(case, [(row["customer_key"], row["agent_key"], row["day"])])
        marked = evidence.marks(case, shown.filter(kind="customer"), "loss", [top.leaf.code], row["evidence"])
        bye = evidence.marks(case, shown.filter(kind="agent"), "steps", ["goodbye"])
        found = evidence.chat(shown, marked, _brushed_off(shown, marked, bye), zh=name, en=name)
        out += [found] if found else []
    return tuple(out)


def _brushed_off(lines: pl.DataFrame, doubts: evidence.Marks, goodbyes: evidence.Marks) -> frozenset[int]:
    """Short human replies that directly follow a message with the doubt, other than a goodbye."""
    doubted, faults = False, set[int]()
    for row in lines.iter_rows(named=True):
        if row["kind"] == "customer":
            doubted = row["row_key"] in doubts
        elif row["kind"] == "agent":
            if doubted and len(row["text"]) <= SHORT_REPLY and row["row_key"] not in goodbyes:
                faults.add(row["row_key"])
            doubted = False
    return frozenset(faults)


def _rows(case: Case, rows: dict[int, tuple[Estimate, Estimate, bool]]) -> tuple[Row, ...]:
    """The low products first, then the most asked-for, twelve at most."""
    order = sorted(rows, key=lambda k: (not rows[k][2], -rows[k][0].n, k))[:12]
    return tuple(
        Row(case.products.get(k, "?"), own.value, own.low, own.high, own.n, flagged)
        for k in order for own, _, flagged in [rows[k]]
    )  # fmt: skip
