"""Slow parcels: a province and courier whose parcels take clearly longer than the rest's, with what reviews say of it."""

from typing import Any

import polars as pl

from huitou.findings.case import LEAST, Case
from huitou.findings.model import OWN_DATA, Cause, Evidence, Finding, Goal, Remedy, Row
from huitou.findings.reviews import quotes
from huitou.findings.stats import Estimate, difference, mean, share, z_for
from huitou.findings.wording import count, list_en, list_zh, pct0, span

DAY_S = 86_400
LATE = ("logistics", "dispatch")
"""Aspects of a review that speak of how long the parcel took."""
MARGIN = 0.25
HALF_DAY = 0.5


def slow_lines(case: Case) -> Finding | None:
    """Province × courier lines whose time from payment to receipt is at least a quarter longer than the rest's."""
    if not case.has("order_facts"):
        return None
    t = case.during("order_facts")
    known = t.filter(t.delivery_s.notnull(), t.courier.notnull(), t.region.notnull())
    days = known.delivery_s / DAY_S
    sums = known.group_by("region", "courier").aggregate(n=known.count(), total=days.sum(), squares=(days * days).sum())
    by = case.frame(sums).sort("region", "courier")
    if by["n"].sum() < LEAST or by.height < 2:
        return None
    rows = compare(by)
    slow = sorted((k for k, (_, _, flagged) in rows.items() if flagged), key=lambda k: -rows[k][0].n)
    if not slow:
        case.fine.append("delivery_days")
        return None
    own = _pooled(by.filter(_line().is_in([f"{r}|{c}" for r, c in slow])))
    rest = rows[slow[0]][1]
    goal = Goal("delivery_days", rest.value, "peers", "其余线路", "other lines", OWN_DATA)
    names = [f"{region}·{courier}" for region, courier in slow]
    names_en = [f"{region} by {courier}" for region, courier in slow]
    said = _reviews(case, slow)
    return Finding(
        code="logistics.slow_line", metric="delivery_days", scope={"line": names[0]}, period=case.period,
        value=own.value, low=own.low, high=own.high, n=own.n, unit="days", goal=goal, customers=own.n, money=None,
        title_zh=f"{list_zh(names, 2)}送达 {own.value:.1f} 天，其余 {rest.value:.1f} 天",
        title_en=f"{list_en(names_en, 2)} takes {own.value:.1f} days, other lines {rest.value:.1f}",
        why_zh=f"{count(own.n)} 单从付款到确认收货平均 {own.value:.1f} 天（{span(own, 1.0)}），"
        f"慢 {own.value - rest.value:.1f} 天。"
        + "".join(c.zh + "。" for c in said[0]),
        why_en=f"{count(own.n)} orders took {own.value:.1f} days from payment to receipt ({span(own, 1.0)}), "
        f"{own.value - rest.value:.1f} more. "
        + "".join(c.en + "." for c in said[0]),
        causes=said[0], evidence=said[1], counter_zh="", counter_en="",
        remedies=(Remedy("这条线路换一家快递；换之前在下单页写明到货天数，超期的包裹每天查一次。",
                         "Use another courier on this line; until then state the days on the page and check late parcels daily.",
                         "logistics"),),
        rows=_rows(rows, slow),
    )  # fmt: skip


def compare(by: pl.DataFrame) -> dict[tuple[str, str], tuple[Estimate, Estimate, bool]]:
    """Per line with enough orders: own mean days, the rest's without lines already found slow, clearly slower or not."""
    judged = by.filter(pl.col("n") >= LEAST)
    z, slow = z_for(judged.height), set[tuple[str, str]]()
    rows: dict[tuple[str, str], tuple[Estimate, Estimate, bool]] = {}
    for _ in range(by.height + 1):
        rows = {}
        for line in judged.iter_rows(named=True):
            key = (line["region"], line["courier"])
            out = slow | {key}
            rest = by.filter(~_line().is_in([f"{r}|{c}" for r, c in out]))
            if rest["n"].sum() < LEAST:
                continue
            own, other = mean(line["total"], line["squares"], line["n"]), _pooled(rest)
            d = difference(own, other, z)
            rows[key] = own, other, d.low > 0 and d.value >= max(MARGIN * other.value, HALF_DAY)
        found = {k for k, r in rows.items() if r[2]}
        if found <= slow:
            break
        slow |= found
    return rows


def _line() -> pl.Expr:
    return pl.concat_str("region", pl.lit("|"), "courier")


def _pooled(by: pl.DataFrame) -> Estimate:
    return mean(float(by["total"].sum()), float(by["squares"].sum()), int(by["n"].sum()))


def _rows(rows: dict[tuple[str, str], tuple[Estimate, Estimate, bool]], slow: list[tuple[str, str]]) -> tuple[Row, ...]:
    order = [*slow, *sorted((k for k in rows if k not in slow), key=lambda k: (-rows[k][0].n, k))][:10]
    return tuple(Row(f"{k[0]}·{k[1]}", rows[k][0].value, rows[k][0].low, rows[k][0].high, rows[k][0].n, k in slow) for k in order)


def _reviews(case: Case, slow: list[tuple[str, str]]) -> tuple[tuple[Cause, ...], tuple[Evidence, ...]]:
    """Whether reviews of these orders complain of the courier more often, and two of them."""
    if not case.has("review_clauses"):
        return (), ()
    r, o = case.during("review_readings"), case.snapshot.table("order_facts")
    joined: Any = r.filter(r.order_key.notnull()).inner_join(o.select("order_key", "region", "courier"), "order_key")
    frame = case.frame(joined.select("review_key", "day", "region", "courier"))
    late = case.complaints.filter(pl.col("aspect").is_in(LATE))
    if frame.is_empty():
        return _named(case, slow, late)
    lines = [f"{a}|{b}" for a, b in slow]
    told = late["review_key"].unique().implode()
    frame = frame.with_columns(slow=_line().is_in(lines).fill_null(False), says=pl.col("review_key").is_in(told))
    sums = dict(frame.group_by("slow").agg(pl.struct(pl.col("says").sum().alias("k"), pl.len().alias("n"))).iter_rows())
    own, rest = sums.get(True), sums.get(False)
    if not own or not rest or not own["k"]:
        return (), ()
    a, b = share(own["k"], own["n"]), share(rest["k"], rest["n"])
    of_line = late.join(frame.filter(pl.col("slow")), on="review_key", how="semi").sort(
        "day", "review_key", descending=[True, False]
    )
    proof = tuple(quotes(case, of_line, most=2, zh="这条线路的评价", en="a review of this line"))
    if difference(a, b).low <= 0:
        return (), proof
    zh = f"评价里 {pct0(a.value)} 说快递慢，其余线路 {pct0(b.value)}"
    en = f"{pct0(a.value)} of its reviews call the courier slow, {pct0(b.value)} elsewhere"
    return (Cause("logistics", zh, en, a.value, own["k"]),), proof


def _named(case: Case, slow: list[tuple[str, str]], late: pl.DataFrame) -> tuple[tuple[Cause, ...], tuple[Evidence, ...]]:
    """Without reviews that name their order: reviews that complain of the courier and name the slow one."""
    couriers = sorted({courier for _, courier in slow})
    r = case.during("reviews")
    naming = r.text.contains(couriers[0])
    for courier in couriers[1:]:
        naming = naming | r.text.contains(courier)
    told = late.join(case.frame(r.filter(naming).select(review_key="row_key")), on="review_key", how="semi")
    told = told.sort("day", "review_key", descending=[True, False])
    if told.is_empty():
        return (), ()
    n = told["review_key"].n_unique()
    proof = tuple(quotes(case, told, most=2, zh="点名的评价", en="a review that names the courier"))
    zh = f"{count(n)} 条评价点名说{'、'.join(couriers)}慢"
    return (Cause("logistics", zh, f"{count(n)} reviews call {', '.join(couriers)} slow", None, n),), proof
