"""Receptions and order_facts → inquiries: who came to ask before buying, and what became of it."""

import ibis

from huitou.facts.receptions import DAILY
from huitou.facts.roster import Roster, among
from huitou.facts.shape import DAY_US, SECOND_US, Rows, declared, matched, pairs
from huitou.rules import RulePack
from huitou.tables import TABLES


def inquiries(
    receptions: Rows, orders: Rows | None, first_paid: Rows | None, service: Rows | None, *, pack: RulePack, roster: Roster
) -> Rows:
    """Received, pre-sale receptions of accounts that sell, each with the first order inside its window.

    Pre-sale: the customer placed no order in the ``after_sale_days`` before, or places one inside the window, which ends
    ``inquiry_window_s`` after the last message. `orders`: order_facts (None: no order was ever imported, nothing is known as
    sold); `service`: order_service. Money and payment are those of that first order. Source: trade: inquiry funnel (询单人数).
    """
    came = receptions.filter(receptions.filtered.isnull())
    if roster.not_selling:
        came = came.filter(~among(came.agent_key, roster.not_selling))
    came = came.mutate(asked_at=came.first_at, final_at=came.last_at + pack.inquiry_window_s * SECOND_US)
    if orders is None or first_paid is None:
        asked = came.mutate(**_NO_ORDER)
    else:
        asked = _with_outcome(came, orders, first_paid, pack=pack)
        asked = asked.filter(asked.order_key.notnull() | ~asked.bought_before)
    asked = asked.mutate(
        ordered=asked.order_key.notnull(),
        credited=ibis.literal(False),
        stage=ibis.cases((asked.order_key.isnull(), "inquiry"), (asked.paid, "none"), else_="order"),
    )
    if orders is not None and service is not None:
        mine = service.filter(service.part == "order").select("order_key", "agent_key").mutate(is_mine=True)
        asked = matched(asked, mine, ("order_key", "agent_key"))
        asked = asked.mutate(credited=asked.is_mine.fill_null(False))
    return declared(asked, TABLES["inquiries"])


_NO_ORDER = {
    "order_key": ibis.null("int64"), "ordered_at": ibis.null("int64"), "paid": ibis.literal(False), "paid_at": ibis.null("int64"),
    "gross_fen": ibis.literal(0, "int64"), "net_fen": ibis.literal(0, "int64"), "returning": ibis.literal(False),
}  # fmt: skip


_OUTCOME = {
    "order_key": "int64", "ordered_at": "int64", "paid": "boolean", "paid_at": "int64", "gross_fen": "int64", "net_fen": "int64",
}  # fmt: skip


def _with_outcome(came: Rows, orders: Rows, first_paid: Rows, *, pack: RulePack) -> Rows:
    own = orders.filter(orders.customer_key.notnull())
    own = own.select("customer_key", "order_key", "paid", "paid_at", "gross_fen", "net_fen", ordered_at=own.created_at)
    met = pairs(came.select(*DAILY, "asked_at", "final_at"), own, "customer_key")
    recent = (met.ordered_at < met.asked_at) & (met.ordered_at >= met.asked_at - pack.after_sale_days * DAY_US)
    inside = (met.ordered_at >= met.asked_at) & (met.ordered_at <= met.final_at)
    near = met.mutate(recent=recent).filter(recent | inside)
    run = ibis.window(group_by=list(DAILY), order_by=["recent", "ordered_at", "order_key"])
    near = near.mutate(nth=ibis.row_number().over(run), before=near.recent.any().over(ibis.window(group_by=list(DAILY))))
    first = near.filter(near.nth == 0)
    ordered = {name: ibis.ifelse(first.recent, ibis.null(kind), first[name]) for name, kind in _OUTCOME.items()}
    first = first.select(*DAILY, "before", **ordered)
    asked = matched(matched(came, first, DAILY), first_paid, ("customer_key",))
    return asked.mutate(
        bought_before=asked.before.fill_null(False),
        returning=(asked.first_paid_at < asked.asked_at).fill_null(False),
        paid=asked.paid.fill_null(False),
        gross_fen=asked.gross_fen.fill_null(0),
        net_fen=asked.net_fen.fill_null(0),
    )
