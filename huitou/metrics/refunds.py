"""Refunds and returns: by orders, by money and by pieces, for the shop and for each agent. As the newest export knows."""

from huitou.metrics.declare import metric
from huitou.metrics.measures import Expr, Fact, Measure, count, of_shop, ratio, share, total
from huitou.rules import RulePack

REFUNDS = ("orders", "refunds")
ITEMS = ("orders", "refunds", "items", "refunded items")
AGENT_ITEMS = ("chats", "orders", "buyer id", "refunds", "items", "refunded items")
BY_CREDIT = ("attribution_window_s", "sales_agent")


def known_items(t: Fact) -> Expr:
    """Paid orders whose pieces are known, and the refunded ones too where there was a refund."""
    return t.paid & t["items"].notnull() & (t.refund_items.notnull() | ~t.refunded)


def items_back(t: Fact) -> Expr:
    """Pieces refunded; none where there was no refund."""
    return t.refund_items.fill_null(0)


@metric(
    of="order_facts", zh="退款订单数", en="Refunded orders", unit="count", better="lower", needs=REFUNDS,
    final_after="the export", source="trade: value and refunds 退款率",
)  # fmt: skip
def refunded_orders(t: Fact, rule: RulePack) -> Measure:
    """Paid orders with any refund that succeeded."""
    return count(among=t.paid & t.refunded)


@metric(
    of="order_facts", zh="退款金额", en="Amount refunded", unit="CNY", better="lower", needs=REFUNDS,
    final_after="the export", source="生意参谋 成功退款金额, trade: value and refunds",
)  # fmt: skip
def amount_refunded(t: Fact, rule: RulePack) -> Measure:
    """Money that went back to buyers of the orders placed in the period."""
    return total(t.refund_fen)


@metric(
    of="order_facts", zh="订单退款率", en="Refund rate by orders", unit="share", better="lower", needs=REFUNDS,
    final_after="the export", source="trade: value and refunds 退款率",
)  # fmt: skip
def order_refund_rate(t: Fact, rule: RulePack) -> Measure:
    """Paid orders with any refund ÷ paid orders."""
    return share(t.refunded, among=t.paid)


@metric(
    of="order_facts", zh="金额退款率", en="Refund rate by money", unit="share", better="lower", needs=REFUNDS,
    final_after="the export", source="trade: value and refunds 退款率",
)  # fmt: skip
def amount_refund_rate(t: Fact, rule: RulePack) -> Measure:
    """Money refunded ÷ money paid."""
    return ratio(t.refund_fen, t.gross_fen, among=t.paid, money=True)


@metric(
    of="order_facts", zh="品质退款率", en="Quality refund rate", unit="share", better="lower",
    needs=("orders", "refund export", "refund reasons"), final_after="the export", source="天猫 首次品退率, trade: shop scores",
)  # fmt: skip
def quality_refund_rate(t: Fact, rule: RulePack) -> Measure:
    """Paid orders refunded for a quality reason ÷ paid orders."""
    return share(t.quality_refund.fill_null(False), among=t.paid)


@metric(
    of="order_facts", zh="退货率", en="Return rate", unit="share", better="lower", needs=("orders", "refund export"),
    final_after="the export", source="[003] 6.3.4",
)  # fmt: skip
def return_rate(t: Fact, rule: RulePack) -> Measure:
    """Paid orders of which goods went back ÷ paid orders."""
    return share(t.returned, among=t.paid)


@metric(
    of="order_facts", zh="店铺退款率", en="Shop refund rate by items", unit="share", better="lower", needs=ITEMS,
    final_after="the export", source="[003] 5.4.2",
)  # fmt: skip
def shop_refund_rate(t: Fact, rule: RulePack) -> Measure:
    """Items refunded ÷ items sold, silent and served orders together."""
    return ratio(items_back(t), t["items"], among=known_items(t))


@metric(
    of="order_facts", zh="客服退款率", en="Agent refund rate by items", unit="share", better="lower", needs=AGENT_ITEMS,
    final_after="the export", rules=BY_CREDIT, source="[003] 5.4.1",
)  # fmt: skip
def agent_refund_rate(t: Fact, rule: RulePack) -> Measure:
    """Items refunded ÷ items sold in orders credited to an agent."""
    return ratio(items_back(t), t["items"], among=known_items(t) & t.agent_key.notnull())


@metric(
    of="order_facts", zh="客服退款占比", en="Agents' share of refunds", unit="share", better="none", needs=AGENT_ITEMS,
    final_after="the export", rules=BY_CREDIT, source="[003] 5.4.2",
)  # fmt: skip
def agent_refund_share(t: Fact, rule: RulePack) -> Measure:
    """Items refunded in orders credited to an agent ÷ all items refunded.

    About 20 % is normal; far below: the product or its use; far above: service ([003] 5.4.2).
    """
    return of_shop(t.agent_key.notnull().ifelse(items_back(t), 0), items_back(t), among=known_items(t))
