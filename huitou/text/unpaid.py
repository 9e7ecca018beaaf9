"""Unpaid orders and what their customers said around them → why each was not paid, and what was bought instead."""

from typing import Any

import ibis

from huitou.rules.model import RulePack

Rows = Any
"""An Ibis table expression."""

SECOND_US = 1_000_000
BEFORE_US = 3600 * SECOND_US
"""What was said this long before the order may tell why it is not paid, where nothing was said after it."""
SURE = 3
"""Before the order only what is said, not asked, in so many words counts."""


def unpaid(orders: Rows, every: Rows, tags: Rows | None, *, pack: RulePack, version: str) -> Rows:
    """Rows of ``unpaid_reasons``: `orders` that were not paid and have a customer; `every` order facts, `tags` of messages.

    What was said after the order, inside the payment window, counts before what was said before it; any other reason before
    a mere hesitation, the plainer word before the weaker one, the later before the earlier. Where nothing was said and the
    customer paid for the same goods in another order, this one was ordered by mistake. `tags` None: there are no chats.
    """
    window = pack.payment_window_s * SECOND_US
    open_ = orders.filter(~orders.paid, orders.customer_key.notnull())
    open_ = open_.select("shop_key", "order_key", "customer_key", "created_at", "day", "product_key", "placed_fen")
    other = every.filter(every.paid, every.customer_key.notnull())
    other = other.select(
        other_key="order_key", other_customer="customer_key", other_at="created_at", other_goods="product_key",
        other_fen="placed_fen",
    )  # fmt: skip
    met = open_.inner_join(other, [open_.customer_key == other.other_customer])
    near = met.filter(met.other_at >= met.created_at - window, met.other_at <= met.created_at + window)
    alike = (near.other_goods == near.product_key).fill_null(near.other_fen == near.placed_fen)
    bought = near.group_by("order_key").aggregate(replaced_by=near.other_key.min(), alike=alike.any())
    found = open_.left_join(bought, "order_key").drop("order_key_right")
    nothing = ibis.ifelse(found.alike.fill_null(False), "wrong_item", "unknown")
    if tags is None:
        said = {"agent_key": ibis.null("int64"), "reason": nothing, "message_key": ibis.null("int64")}
        return found.mutate(**said, after=ibis.literal(False), version=ibis.literal(version))
    told = _told(open_, tags, window)
    found = found.left_join(told, "order_key").drop("order_key_right")
    nothing = ibis.ifelse(found.alike.fill_null(False), "wrong_item", "unknown")
    return found.mutate(reason=found.reason.fill_null(nothing), after=found.after.fill_null(False), version=ibis.literal(version))


def _told(orders: Rows, tags: Rows, window: int) -> Rows:
    """One row for each order around which a reason was said: reason, message_key, agent_key, after."""
    tags = tags.filter(tags.taxonomy == "unpaid", tags.kind == "customer", tags.code != "unknown", ~tags.negated)
    tags = tags.select("agent_key", "sent_at", "message_key", "strength", "asked", reason="code", by="customer_key")
    met = orders.inner_join(tags, [orders.customer_key == tags.by])
    met = met.mutate(after=met.sent_at >= met.created_at)
    soon = met.after & (met.sent_at <= met.created_at + window)
    just = ~met.after & (met.sent_at >= met.created_at - BEFORE_US) & (met.strength >= SURE) & ~met.asked
    near = met.filter(soon | just)
    vague = (near.reason == "hesitating").ifelse(1, 0)
    order = [near.after.desc(), vague, near.strength.desc(), near.sent_at.desc(), near.message_key, near.reason]
    first = near.mutate(nth=ibis.row_number().over(ibis.window(group_by="order_key", order_by=order)))
    return first.filter(first.nth == 0).select("order_key", "agent_key", "reason", "message_key", "after")
