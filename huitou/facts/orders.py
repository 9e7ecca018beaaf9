"""Orders, refunds and sessions → who served which order, and order_facts net of refunds."""

import ibis

from huitou.facts.shape import DAY_US, SECOND_US, Expr, Rows, declared, matched, pairs
from huitou.rules import RulePack
from huitou.tables import TABLES

QUALITY_WORDS = (
    "质量", "品质", "开胶", "掉色", "褪色", "做工", "瑕疵", "破洞", "开线", "起球", "材质不符", "面料不符", "成分不符",
    "功能不符", "功能故障", "无法使用", "不工作", "保质期", "生产日期", "假冒", "假货", "变质", "发霉", "异物", "结块",
    "有异味", "过敏", "DEFECTIVE", "NOT_AS_DESCRIBED",
)  # fmt: skip
"""A refund reason that holds one of these is of the quality class (品质类). Source: trade: refund reasons."""


def order_service(orders: Rows, sessions: Rows, *, pack: RulePack) -> Rows:
    """One row per order, agent and part that the agent had in it. Only sessions with a person's message count.

    order, pay: the session that holds the moment of order (payment), the one that ends last if several do; else the one that
    ended last before it inside ``attribution_window_s``; ties go to the smaller agent_key. follow: nobody was credited with
    a paid order and this agent was the first to talk to the buyer after payment, inside ``after_sale_days``. assist: talked to
    the buyer from the window before the order to the window after payment (after the order while unpaid), without a part above.
    Source: trade: inquiry funnel (落实下单, 落实付款, 协助服务).
    """
    own = orders.filter(orders.customer_key.notnull())
    own = own.select("shop_key", "order_key", "customer_key", "day", "created_at", "paid_at")
    talks = sessions.filter(sessions.agent_messages > 0)
    talks = talks.select("customer_key", "agent_key", chat_from=talks.started_at, chat_to=talks.ended_at)
    met = pairs(own, talks, "customer_key").mutate(ended_by=lambda t: t.paid_at.coalesce(t.created_at))
    reach, later = pack.attribution_window_s * SECOND_US, pack.after_sale_days * DAY_US
    met = met.mutate(
        at_order=(met.chat_from <= met.created_at) & (met.chat_to >= met.created_at - reach),
        at_pay=((met.chat_from <= met.paid_at) & (met.chat_to >= met.paid_at - reach)).fill_null(False),
        after_pay=((met.chat_from > met.paid_at) & (met.chat_from <= met.paid_at + later)).fill_null(False),
        around=(met.chat_to >= met.created_at - reach) & (met.chat_from <= met.ended_by + reach),
    )
    met = met.filter(met.around | met.after_pay)
    parts = _credited(met)
    return declared(parts, TABLES["order_service"])


def _credited(met: Rows) -> Rows:
    """Sessions near an order → its parts, each with the one session that decided it."""
    order = _best(met.filter(met.at_order), "order", last=True)
    pay = _best(met.filter(met.at_pay), "pay", last=True)
    credit = order.union(pay)
    served = credit.select("order_key").distinct().mutate(has_credit=True)
    silent = matched(met.filter(met.after_pay), served, ("order_key",))
    follow = _best(silent.filter(silent.has_credit.isnull()).drop("has_credit"), "follow", last=False)
    had = credit.union(follow).select("order_key", "agent_key").distinct().mutate(has_part=True)
    near = met.filter(met.around)
    latest = ibis.window(group_by=["order_key", "agent_key"], order_by=[ibis.desc("chat_to"), ibis.desc("chat_from")])
    each = near.mutate(nth=ibis.row_number().over(latest)).filter(lambda t: t.nth == 0).drop("nth")
    assisting = matched(each, had, ("order_key", "agent_key"))
    assist = assisting.filter(assisting.has_part.isnull()).drop("has_part").mutate(part=ibis.literal("assist"))
    return credit.union(follow).union(assist)


def _best(met: Rows, part: str, *, last: bool) -> Rows:
    """Of each order the session that ends last (or, for a follow-up, begins first)."""
    by = [ibis.desc("chat_to"), "agent_key", ibis.desc("chat_from")] if last else ["chat_from", "agent_key", "chat_to"]
    ranked = met.mutate(nth=ibis.row_number().over(ibis.window(group_by=["order_key"], order_by=by)))
    return ranked.filter(ranked.nth == 0).drop("nth").mutate(part=ibis.literal(part))


def first_payments(orders: Rows) -> Rows:
    """Of each customer the first payment, as far as the lake knows: customer_key, first_paid_at."""
    paid = orders.filter(orders.customer_key.notnull() & orders.paid_at.notnull())
    return paid.group_by("customer_key").aggregate(first_paid_at=paid.paid_at.min())


def order_facts(
    orders: Rows, first_paid: Rows, *, service: Rows | None, refunds: Rows | None, lines: Rows | None, pack: RulePack
) -> Rows:
    """One row per order. `service` None: there are no chats; `refunds`, `lines` None: no such export was imported.

    Paid: a payment time, or an amount paid. A paid order's amount is at least what its lines say was paid: where its lines
    came in several files, each file's order knows only some of them. Refunded is the largest of what the order itself, its
    succeeded refunds and its lines say: they are three views of one thing. A line that is refunded by an amount which its export
    does not name counts as refunded whole until a succeeded refund of its order says how much it was.
    Pieces refunded: those of refunded lines; where none is marked, all
    pieces if everything paid went back, else 1. The product is the order's own or that of the line paid most for.
    Ownership is told of paid orders with a buyer id only; returning: any payment of the buyer before this order was placed.
    """
    o = orders.select(*_OF_ORDER)
    o = matched(o, first_paid, ("customer_key",))
    o = matched(o, _refunded(refunds), ("order_key",)) if refunds is not None else o.mutate(**_NO_REFUNDS)
    o = matched(o, _lines(lines), ("order_key",)) if lines is not None else o.mutate(**_NO_LINES)
    o = o.mutate(paid=o.paid_at.notnull() | (o.gross_fen > 0))
    more = ibis.ifelse(o.paid, ibis.greatest(o.line_paid_fen.fill_null(0) - o.gross_fen, 0), 0)
    o = o.mutate(
        gross_fen=o.gross_fen + more,
        placed_fen=o.placed_fen + more,
        items=o["items"].coalesce(o.line_items),
        product_key=o.product_key.coalesce(o.line_product),
        refund_fen=ibis.greatest(o.refund_fen, o.paid_back_fen.fill_null(0), _line_refund_fen(o)),
        has_buyer=o.customer_key.notnull(),
    )
    o = o.mutate(
        refunded=(o.refund_fen > 0) | (o.succeeded.fill_null(0) > 0),
        returning=ibis.ifelse(o.has_buyer, (o.first_paid_at < o.created_at).fill_null(False), ibis.null("boolean")),
    )
    o = o.mutate(
        net_fen=o.gross_fen - o.refund_fen,
        refund_items=_refund_items(o),
        quality_refund=(o.quality.fill_null(0) > 0) if refunds is not None else ibis.null("boolean"),
        # An export without a time of order (拼多多) repeats that of the payment.
        pay_lag_s=(o.paid_at - o.created_at).nullif(0).cast("float64") / SECOND_US,
        paid_same_day=(o.paid_day == o.day).fill_null(False),
        delivery_s=(o.received_at - o.paid_at).cast("float64") / SECOND_US,
    )
    return declared(_owned(o, service, pack), TABLES["order_facts"])


_OF_ORDER = (
    "shop_key", "order_key", "customer_key", "created_at", "day", "second", "paid_at", "paid_day", "received_at", "prepaid",
    "status", "items", "placed_fen", "gross_fen", "refund_fen", "product_key", "region", "courier", "currency",
)  # fmt: skip
_NO_REFUNDS = {name: ibis.null("int64") for name in ("paid_back_fen", "succeeded", "quality")}
_NO_LINES = {
    name: ibis.null("int64")
    for name in ("line_items", "line_refund_items", "line_refund_fen", "line_whole_fen", "line_paid_fen", "line_product")
}


def _refunded(refunds: Rows) -> Rows:
    back = refunds.filter(refunds.succeeded)
    reason = back.reason.fill_null("")
    quality = ibis.or_(*(reason.contains(word) for word in QUALITY_WORDS))
    return back.group_by("order_key").aggregate(
        paid_back_fen=back.amount_fen.sum(), succeeded=back.count(), quality=back.count(where=quality)
    )


def _lines(lines: Rows) -> Rows:
    sums = lines.group_by("order_key").aggregate(
        line_items=lines.quantity.sum(),
        line_refund_items=ibis.ifelse(lines.refunded, lines.quantity, 0).sum(),
        line_refund_fen=lines.refund_fen.sum(),
        line_whole_fen=ibis.ifelse(lines.refunded & lines.refund_fen.isnull(), lines.paid_fen.fill_null(0), 0).sum(),
        line_paid_fen=lines.paid_fen.sum(),
    )
    worth = lines.filter(lines.product_key.notnull())
    worth = worth.mutate(worth=worth.paid_fen.coalesce(worth.price_fen * worth.quantity))
    most = ibis.window(group_by=["order_key"], order_by=[ibis.desc("worth"), "line_key"])
    top = worth.mutate(nth=ibis.row_number().over(most)).filter(lambda t: t.nth == 0)
    return matched(sums, top.select("order_key", line_product="product_key"), ("order_key",))


def _line_refund_fen(o: Rows) -> Expr:
    """What the lines say was paid back; of those that name no amount all, where no succeeded refund does."""
    whole = ibis.ifelse(o.paid_back_fen.isnull(), o.line_whole_fen.fill_null(0), 0)
    return o.line_refund_fen.fill_null(0) + whole


def _refund_items(o: Rows) -> Expr:
    return ibis.cases(
        (~o.refunded, ibis.literal(0, "int64")),
        (o.line_refund_items > 0, o.line_refund_items),
        (o.refund_fen >= o.gross_fen, o["items"]),
        else_=ibis.literal(1, "int64"),
    )


def _owned(o: Rows, service: Rows | None, pack: RulePack) -> Rows:
    """Adds the five ownership cases and who they belong to."""
    agents = ("order_agent", "pay_agent", "follow_agent")
    if service is None:
        none = {name: ibis.null("int64") for name in (*agents, "agent_key")}
        return o.mutate(**none, assists=ibis.literal(0, "int64"), served=ibis.null("boolean"), ownership=ibis.null("string"))
    s = service.group_by("order_key").aggregate(
        **{f"{part}_agent": service.agent_key.min(where=service.part == part) for part in ("order", "pay", "follow")},
        assists=service.count(where=service.part == "assist"),
    )
    o = matched(o, s, ("order_key",))
    case = ibis.cases(
        (~(o.paid & o.has_buyer), ibis.null("string")),
        ((o.order_agent == o.pay_agent).fill_null(False), "own_both"),
        (o.order_agent.notnull() & o.pay_agent.notnull(), "cross"),
        (o.order_agent.notnull(), "own_order"),
        (o.pay_agent.notnull(), "silent_order_own_pay"),
        (o.follow_agent.notnull(), "silent_followed"),
        else_="silent",
    )
    first, second = (o.order_agent, o.pay_agent) if pack.sales_agent == "order" else (o.pay_agent, o.order_agent)
    credited = o.order_agent.notnull() | o.pay_agent.notnull()
    return o.mutate(
        ownership=case,
        agent_key=first.coalesce(second),
        served=ibis.ifelse(o.has_buyer, credited, ibis.null("boolean")),
        assists=o.assists.fill_null(0),
    )
