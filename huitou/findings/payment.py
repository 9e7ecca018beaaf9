"""Orders placed and not paid: against the trade's line or the shop's own earlier weeks, and when to remind."""

import ibis
import polars as pl

from huitou.findings import evidence
from huitou.findings.case import LEAST, Case
from huitou.findings.conversion import estimate
from huitou.findings.model import OWN_DATA, Cause, Evidence, Finding, Goal, Remedy
from huitou.findings.money import at_stake, tail_en, tail_zh
from huitou.findings.stats import Estimate, difference, mean, share
from huitou.findings.wording import count, day_en, day_zh, pct, pct0, points, seconds_en, seconds_zh, span

SOONEST_S = 600
"""Nobody is reminded sooner than ten minutes after ordering, however fast the others pay."""

NAMES = {
    "same_day_payment_rate": ("当日拍下支付率", "Same-day payment"),
    "order_loss_rate": ("下单流失率", "Orders left unpaid"),
}


def unpaid(case: Case) -> Finding | None:
    """Orders that customers placed and did not pay, where the trade's line or the shop's own past is missed."""
    if not case.has("order_facts"):
        return None
    missed = _missed(case)
    if missed is None:
        return None
    metric, e, goal = missed
    short = Estimate(*sorted_abs(e, goal.value), e.n)
    worth = _worth(case)
    money = at_stake(short, worth, case.settings.currency, what_zh="单", what_en="orders") if worth else None
    causes, p90 = _causes(case), case.cell("time_to_pay_p90")
    zh, en = NAMES[metric]
    lag = p90.value if p90 and p90.value is not None else None
    quick_zh = f"付款的客户 90% 在 {seconds_zh(lag)}内付完。" if lag is not None else ""
    quick_en = f" 90 % of those who pay have paid within {seconds_en(lag)}." if lag is not None else ""
    goal_text = pct(goal.value) if goal.origin == "history" else pct0(goal.value)
    return Finding(
        code="payment.unpaid", metric=metric, scope={}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=e.n, unit="share", goal=goal, customers=round(short.value), money=money,
        title_zh=f"{zh} {pct(e.value)}，{goal.zh} {goal_text}",
        title_en=f"{en} {pct(e.value)}; {goal.en} {goal_text}",
        why_zh=f"{count(e.n)} 单的区间是 {span(e)}，差 {points(e.value - goal.value)} 点，合 {count(short.value)} 单"
        + tail_zh(money) + quick_zh
        + "".join(c.zh + "。" for c in causes[:1]),
        why_en=f"The interval over {count(e.n)} orders is {span(e)} %, {points(e.value - goal.value)} points off, "
        f"{count(short.value)} orders"
        + tail_en(money) + quick_en + "".join(f" {c.en}." for c in causes[:1]),
        causes=causes, evidence=_proof(case), counter_zh="", counter_en="", remedies=_remedies(lag),
    )  # fmt: skip


def sorted_abs(e: Estimate, goal: float) -> tuple[float, float, float]:
    """|value − goal|·n with its interval, whichever side is better."""
    value, *ends = (abs(v - goal) * e.n for v in (e.value, e.low, e.high))
    return value, min(ends), max(ends)


def _missed(case: Case) -> tuple[str, Estimate, Goal] | None:
    """The payment metric furthest from its goal; else the same-day rate against the shop's own earlier weeks."""
    found = []
    for metric, better in (("same_day_payment_rate", "higher"), ("order_loss_rate", "lower")):
        missed = case.missed(metric, better=better)
        if missed:
            found.append((metric, estimate(missed[0]), missed[1]))
    if found:
        return max(found, key=lambda f: abs(f[1].value - f[2].value) * f[1].n)
    if case.stretches is None:
        return None
    then, now = (case.cell("same_day_payment_rate", s) for s in case.stretches)
    if then is None or now is None or min(then.n, now.n) < LEAST:
        return None
    before, after = estimate(then), estimate(now)
    if difference(before, after).low <= 0:
        return None
    first, last = case.stretches[0]
    goal = Goal("same_day_payment_rate", before.value, "history", f"本店{day_zh(first)}–{day_zh(last)}",
                f"own {day_en(first)}–{day_en(last)}", OWN_DATA)  # fmt: skip
    return "same_day_payment_rate", after, goal


def _worth(case: Case) -> Estimate | None:
    """What a paid order brings, net of refunds (fen)."""
    t = case.during("order_facts")
    net = t.filter(t.paid).net_fen.cast("float64")
    total, squares, n = case.frame(t.filter(t.paid).aggregate(t=net.sum(), s=(net * net).sum(), n=net.count())).row(0)
    return mean(total, squares, n) if n and n >= 10 else None


def _causes(case: Case) -> tuple[Cause, ...]:
    """Why orders stay unpaid, how many nobody wrote to afterwards, and whether new customers leave more unpaid."""
    t = case.during("order_facts")
    final = t.filter(t.created_at + case.pack.payment_window_s * 1_000_000 <= case.as_of)
    open_ = final.filter(~final.paid, final.customer_key.notnull())
    n = case.frame(open_.aggregate(n=open_.count()))["n"][0]
    out = []
    if n >= LEAST and case.has("messages"):
        m = case.during("messages")
        m = m.filter(m.kind == "agent").select("customer_key", "sent_at")
        both = open_.select("order_key", "customer_key", "created_at").inner_join(m, "customer_key")
        window = case.pack.payment_window_s * 1_000_000
        told = (
            both.filter(both.sent_at > both.created_at, both.sent_at <= both.created_at + window).select("order_key").distinct()
        )
        k = n - case.frame(told.aggregate(k=told.count()))["k"][0]
        out.append(Cause("no_reminder", f"没付款的 {count(n)} 单里，{count(k)} 单之后没有人联系过",
                         f"After {count(k)} of {count(n)} unpaid orders nobody wrote to the customer", k / n, k))  # fmt: skip
    return (*_told(case), *out, *_by_kind(case, final))


def _told(case: Case) -> tuple[Cause, ...]:
    """The reasons that customers gave, most frequent first; and the orders that another one replaced, which are no loss."""
    unpaid = case.unpaid
    if unpaid.is_empty():
        return ()
    again, out = unpaid.filter(pl.col("replaced_by").is_not_null()).height, []
    if again:
        k, n, part = count(again), count(unpaid.height), again / unpaid.height
        zh = f"{n} 张没付的订单里，{k} 张的客户另拍一张付了款，不算流失"
        out.append(Cause("replaced", zh, f"After {k} of {n} unpaid orders the customer paid another one: not lost", part, again))
    lost = unpaid.filter(pl.col("replaced_by").is_null(), pl.col("reason") != "unknown")
    by = lost["reason"].value_counts(sort=True).sort("count", "reason", descending=[True, False])
    for code, k in by.head(4).iter_rows():
        leaf = case.leaf("unpaid", code)
        out.append(Cause(f"unpaid.{code}", f"{leaf.zh}：{count(k)} 单", f"{leaf.en}: {count(k)} orders", k / unpaid.height, k))
    return tuple(out)


def _by_kind(case: Case, final: ibis.expr.types.Table) -> tuple[Cause, ...]:
    known = final.filter(final.returning.notnull())
    by = case.frame(known.group_by("returning").aggregate(n=known.count(), k=(~known.paid).ifelse(1, 0).sum()))
    rates = {r: share(k, n) for r, n, k in by.select("returning", "n", "k").iter_rows() if n >= LEAST}
    if len(rates) < 2 or difference(rates[False], rates[True]).low <= 0:
        return ()
    new = rates[False]
    zh = f"新客户的订单 {pct(new.value)} 没付，老客户 {pct(rates[True].value)}"
    en = f"{pct(new.value)} of new customers' orders stay unpaid, {pct(rates[True].value)} of returning customers'"
    return (Cause("new_customers", zh, en, None, new.n),)


def _remedies(lag: float | None) -> tuple[Remedy, ...]:
    after_zh = seconds_zh(max(lag or 0.0, SOONEST_S))
    after_en = seconds_en(max(lag or 0.0, SOONEST_S))
    return (
        Remedy(f"先抽 30 单问清为什么没付，再按原因写提醒；下单 {after_zh}未付提醒一次，老客户晚 1 小时。",
               f"Ask on 30 orders why they were not paid, then write reminders by reason; remind once {after_en} after ordering, "
               "returning customers one hour later.", "operations"),
        Remedy("随机留一成不提醒作对照，只按多付的部分算效果。",
               "Leave a random tenth without a reminder and count only what is paid beyond it.", "operations"),
    )  # fmt: skip


def _proof(case: Case) -> tuple[Evidence, ...]:
    """For each of the two most frequent reasons the latest chat in which a customer says after the order why it is not paid."""
    told = case.unpaid.filter(pl.col("replaced_by").is_null(), pl.col("after"), pl.col("reason") != "unknown")
    by = told["reason"].value_counts(sort=True).sort("count", "reason", descending=[True, False])
    shown: dict[str, tuple[int, str, str]] = {}
    for code in by["reason"].head(2):
        last = told.filter(reason=code).sort("created_at", "order_key").row(-1, named=True)
        leaf = case.leaf("unpaid", code)
        shown[code] = (last["message_key"], f"没付款：{leaf.zh}", f"not paid: {leaf.en}")
    return tuple(evidence.around(case, "unpaid", shown).values())
