"""Order value of served customers against the shop's, and refunds: by product, over time, and the agents' share of them."""

from huitou.findings.case import LEAST, Case
from huitou.findings.change import worse_than_before
from huitou.findings.conversion import estimate
from huitou.findings.model import OWN_DATA, Cause, Finding, Goal, Money, Remedy, Row
from huitou.findings.products import compare
from huitou.findings.stats import Estimate, difference, mean, share, z_for
from huitou.findings.wording import count, pct, pct0, span, yuan

FAR = 0.05
TALK = Remedy("练退款沟通：先问原因，再解释，能换则换。", "Practise refund talks: ask why, explain, exchange.", "supervisor")
ASK = Remedy("问 30 位没来咨询就退款的客户为什么退。", "Ask 30 customers who refunded without a word why.", "product")


def order_value(case: Case) -> Finding | None:
    """Orders that agents sold are worth less over the shop's average than the trade asks for."""
    if not case.has("order_facts", "messages") or (missed := case.missed("agent_aov_uplift")) is None:
        return None
    cell, goal = missed
    e = estimate(cell)
    t = case.during("order_facts")
    sold = t.filter(t.paid, t.agent_key.notnull())
    gross, all_ = sold.gross_fen.cast("float64"), t.filter(t.paid)
    by = case.frame(sold.group_by("agent_key").aggregate(n=sold.count(), t=gross.sum(), s=(gross * gross).sum()))
    shop = case.frame(all_.aggregate(m=all_.gross_fen.cast("float64").mean()))["m"][0]
    if not shop or by.is_empty():
        return None
    bar, n = shop * (1 + goal.value), int(by["n"].sum())
    z, rows = z_for(by.height), []
    for agent, k, total, squares in by.sort("agent_key").iter_rows():
        if k >= LEAST and agent in case.agents:
            own = mean(total, squares, k)
            rows.append(Row(case.agents[agent], own.value / 100, own.low / 100, own.high / 100, k, own.value + z * own.se < bar))
    rows.sort(key=lambda r: (not r.flagged, r.name))
    low = [r for r in rows if r.flagged]
    per = Estimate(bar - shop * (1 + e.value), bar - shop * (1 + e.high), bar - shop * (1 + e.low), n)
    money = Money(round(per.value * n), round(per.low * n), round(per.high * n), case.settings.currency,
                  f"{count(n)} 单 × 每单差 {yuan(per.value)}。是到 {yuan(bar)} 的距离，未减退款，不是一定能多卖的钱。",
                  f"{count(n)} orders × {case.settings.currency} {per.value / 100:,.0f} each: the distance to the bar "
                  "before refunds, not money sure to come.")  # fmt: skip
    return Finding(
        code="value.order", metric="agent_aov_uplift", scope={}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=n, unit="share", goal=goal, customers=n, money=money,
        title_zh=f"客服单均 {yuan(shop * (1 + e.value))}，比店铺高 {pct(e.value)}，要求高 {pct0(goal.value)}",
        title_en=f"Orders sold by agents are {pct(e.value)} above the shop's average; the trade asks for {pct0(goal.value)}",
        why_zh=f"店铺平均 {yuan(shop)}，按 +{pct0(goal.value)} 是 {yuan(bar)}。"
        f"{len(rows)} 位客服里 {len(low)} 位低于它，其余看不出差别。",
        why_en=f"The shop's average is {shop / 100:,.0f}, the bar {bar / 100:,.0f}. "
        f"{len(low)} of {len(rows)} agents are below it; "
        "for the others no difference can be seen.",
        causes=(Cause("recommend", "推荐搭配少，或没有可以推荐的组合",
                      "little related selling, or no bundle to offer", None, n),),
        evidence=(), counter_zh="目标来自教程的一般值，商品单一的店铺可能到不了。",
        counter_en="The bar is a textbook value; a shop with few matching products may not reach it.",
        remedies=(Remedy("给每款热卖商品配一个搭配和一句推荐的话；免邮门槛设在平均单价以上。",
                         "Give each best-seller one companion and one sentence to offer it; "
                         "set free shipping above the average order.",
                         "operations"),),
        rows=tuple(rows),
    )  # fmt: skip


def refund_products(case: Case) -> Finding | None:
    """Products refunded clearly more often than the rest; by quality reasons where the export carries reasons."""
    if not case.has("order_facts", "refunds"):
        return None
    t = case.during("order_facts")
    paid = t.filter(t.paid, t.product_key.notnull())
    by = case.frame(paid.group_by("product_key").aggregate(n=paid.count(), ordered=(~paid.refunded).ifelse(1, 0).sum()))
    if by.is_empty() or by["n"].sum() < LEAST:
        return None
    rows, _ = compare(by, margin=0.05)
    high = sorted((k for k, r in rows.items() if r[2]), key=lambda k: -(rows[k][1].value - rows[k][0].value) * rows[k][0].n)
    if not high:
        case.fine.append("order_refund_rate")
        return None
    own, rest = (Estimate(1 - e.value, 1 - e.high, 1 - e.low, e.n) for e in rows[high[0]][:2])
    name = case.products.get(high[0], "?")
    causes = _refund_reasons(case, high[0])
    goal = Goal("order_refund_rate", rest.value, "peers", "其余商品", "other products", OWN_DATA)
    return Finding(
        code="refund.product", metric="order_refund_rate", scope={"product": name}, period=case.period,
        value=own.value, low=own.low, high=own.high, n=own.n, unit="share", goal=goal,
        customers=round((own.value - rest.value) * own.n), money=None,
        title_zh=f"{name}退款率 {pct(own.value)}，其余商品 {pct(rest.value)}",
        title_en=f"{pct(own.value)} of the orders of {name} are refunded, other products {pct(rest.value)}",
        why_zh=f"{count(own.n)} 单已付款（{span(own)}）。" + "".join(c.zh + "。" for c in causes[:2]),
        why_en=f"Of {count(own.n)} paid orders ({span(own)} %). " + "".join(c.en + ". " for c in causes[:2]),
        causes=causes, evidence=(), counter_zh="", counter_en="",
        remedies=(Remedy("按退款原因读说明和聊天，商品问题交给工厂，描述问题改页面。",
                         "Read notes and chats by refund reason; faults go to the factory, wrong descriptions to the page.",
                         "product"),),
        rows=tuple(
            Row(case.products.get(k, "?"), 1 - r.value, 1 - r.high, 1 - r.low, r.n, True) for k in high for r in rows[k][:1]
        ),
    )  # fmt: skip


def _refund_reasons(case: Case, product: int) -> tuple[Cause, ...]:
    """The reasons that buyers chose, most frequent first."""
    r, o = case.snapshot.table("refunds"), case.during("order_facts")
    of = r.filter(r.succeeded, r.reason.notnull()).semi_join(o.filter(o.product_key == product), "order_key")
    by = case.frame(of.group_by("reason").aggregate(k=of.count())).sort("k", "reason", descending=[True, False])
    n = by["k"].sum()
    return tuple(
        Cause("refund.reason", f"原因「{reason}」{count(k)} 单", f"Reason {reason}: {count(k)}", k / n, k)
        for reason, k in by.head(3).iter_rows()
    )


def refund_rise(case: Case) -> Finding | None:
    """The refund rate of the last four weeks is above that of the first."""
    if not case.has("order_facts"):
        return None
    return worse_than_before(
        case, "order_refund_rate", better="lower", code="refund.rise", names=("退款率", "Refund rate"),
        remedy=Remedy("按商品和原因看最近的退款，先看同一原因说了几次。",
                      "Look at the latest refunds by product and reason; see which one repeats.", "product"),
    )  # fmt: skip


def refund_share(case: Case) -> Finding | None:
    """The agents' share of refunds is far from the usual fifth, and served orders are in fact refunded more (or less) often."""
    if not case.has("order_facts", "messages"):
        return None
    cell, goals = case.cell("agent_refund_share"), case.goals.get("agent_refund_share", ())
    if cell is None or not goals or cell.low is None or cell.high is None or cell.value is None:
        return None
    goal, e = goals[0], estimate(cell)
    far = e.low > goal.value + FAR or e.high < goal.value - FAR
    t = case.during("order_facts")
    paid = t.filter(t.paid, t.served.notnull())
    by = case.frame(paid.group_by("served").aggregate(n=paid.count(), k=paid.refunded.ifelse(1, 0).sum()))
    rates = {s: share(k, n) for s, n, k in by.iter_rows() if n >= LEAST}
    if not far or len(rates) < 2:
        case.fine.append("agent_refund_share")
        return None
    above = e.value > goal.value
    d = difference(rates[above], rates[not above])
    if d.low <= 0:  # far from the usual, as agents serve another part of the orders; neither fine nor a finding
        return None
    zh = "客服接待的订单退款更多，先看服务" if above else "退款多在没有咨询的订单，先看商品和使用"
    en = (
        "served orders are refunded more often: look at service"
        if above
        else "silent orders are refunded more often: look at product and use"
    )
    return Finding(
        code="refund.agent_share", metric="agent_refund_share", scope={}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=e.n, unit="share", goal=goal,
        customers=round(d.value * rates[above].n), money=None,
        title_zh=f"客服退款占比 {pct(e.value)}，{zh}", title_en=f"Agents' share of refunds is {pct(e.value)}: {en}",
        why_zh=f"{goal.zh} {pct0(goal.value)}。有咨询的订单退款率 {pct(rates[True].value)}，静默订单 {pct(rates[False].value)}。",
        why_en=f"{goal.en} {pct0(goal.value)}. Refunded: {pct(rates[True].value)} of served orders, "
        f"{pct(rates[False].value)} of silent ones.",
        causes=(), evidence=(), counter_zh="", counter_en="",
        remedies=(TALK if above else ASK,),
    )  # fmt: skip
