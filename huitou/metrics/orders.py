"""Orders: how many, how much, how fast paid, who buys again. By the day the order was placed."""

from huitou.metrics.declare import metric, not_carried
from huitou.metrics.measures import Fact, Measure, count, distinct, mean, per, quantile, share, total
from huitou.rules import RulePack

ORDERS = ("orders",)
BUYERS = ("orders", "buyer id")


@metric(
    of="order_facts", zh="下单客户数", en="Ordering customers", unit="count", better="higher", needs=BUYERS,
    final_after="at once", source="[003] 1.3.2",
)  # fmt: skip
def ordering_customers(t: Fact, rule: RulePack) -> Measure:
    """Distinct customers who placed an order."""
    return distinct(t.customer_key)


@metric(
    of="order_facts", zh="付款客户数", en="Paying customers", unit="count", better="higher", needs=BUYERS,
    final_after="the payment window", source="生意参谋 支付买家数",
)  # fmt: skip
def paying_customers(t: Fact, rule: RulePack) -> Measure:
    """Distinct customers who paid an order placed in the period, as far as the export knows."""
    return distinct(t.customer_key, among=t.paid)


@metric(
    of="order_facts", zh="下单单量", en="Orders placed", unit="count", better="higher", needs=ORDERS,
    final_after="at once", source="[003] 1.3.2",
)  # fmt: skip
def orders_placed(t: Fact, rule: RulePack) -> Measure:
    """Orders placed, paid or not."""
    return count()


@metric(
    of="order_facts", zh="下单金额", en="Amount placed", unit="CNY", better="higher", needs=ORDERS,
    final_after="at once", source="[003] 1.3.2",
)  # fmt: skip
def amount_placed(t: Fact, rule: RulePack) -> Measure:
    """Goods and freight of all orders placed, paid or not."""
    return total(t.placed_fen)


@metric(
    of="order_facts", zh="付款订单数", en="Paid orders", unit="count", better="higher", needs=ORDERS,
    final_after="the payment window", source="[003] 1.3.2",
)  # fmt: skip
def paid_orders(t: Fact, rule: RulePack) -> Measure:
    """Orders placed in the period and paid, as far as the export knows."""
    return count(among=t.paid)


@metric(
    of="order_facts", zh="未付款订单数", en="Unpaid orders", unit="count", better="lower", needs=ORDERS,
    final_after="the payment window", source="[001]",
)  # fmt: skip
def unpaid_orders(t: Fact, rule: RulePack) -> Measure:
    """Orders placed in the period and not paid when the export was made; the youngest may still be."""
    return count(among=~t.paid)


@metric(
    of="order_facts", zh="先款订单", en="Prepaid orders", unit="count", better="none", needs=ORDERS,
    final_after="the payment window", source="[003] 1.3.2",
)  # fmt: skip
def prepaid_orders(t: Fact, rule: RulePack) -> Measure:
    """Orders paid before shipping."""
    return count(among=t.paid & t.prepaid)


@metric(
    of="order_facts", zh="先货订单", en="Cash-on-delivery orders", unit="count", better="none", needs=ORDERS,
    final_after="at once", source="[003] 1.3.2",
)  # fmt: skip
def cod_orders(t: Fact, rule: RulePack) -> Measure:
    """Orders shipped before they are paid."""
    return count(among=~t.prepaid)


@metric(
    of="order_facts", zh="付款金额", en="Amount paid", unit="CNY", better="higher", needs=ORDERS,
    final_after="the payment window", source="trade: value and refunds 销售额",
)  # fmt: skip
def amount_paid(t: Fact, rule: RulePack) -> Measure:
    """Paid by buyers before any refund (销售额)."""
    return total(t.gross_fen, among=t.paid)


@metric(
    of="order_facts", zh="净销售额", en="Amount paid, net of refunds", unit="CNY", better="higher", needs=ORDERS,
    final_after="the export", source="生意参谋 净销售额, trade: value and refunds",
)  # fmt: skip
def amount_paid_net(t: Fact, rule: RulePack) -> Measure:
    """Paid by buyers less what went back to them."""
    return total(t.net_fen, among=t.paid)


@metric(
    of="order_facts", zh="笔单价", en="Average order value", unit="CNY", better="higher", needs=ORDERS,
    final_after="the payment window", source="[003] 5.3.2",
)  # fmt: skip
def average_order_value(t: Fact, rule: RulePack) -> Measure:
    """Amount paid ÷ paid orders: [003] calls it 客单价, the trade 笔单价. By agent: orders credited to that agent."""
    return mean(t.gross_fen, among=t.paid)


@metric(
    of="order_facts", zh="订单金额中位数", en="Median order value", unit="CNY", better="higher", needs=ORDERS,
    final_after="the payment window", source="trade: response, the robust choice",
)  # fmt: skip
def order_value_median(t: Fact, rule: RulePack) -> Measure:
    """Half of the paid orders are no larger than this; one very large order does not move it."""
    return quantile(t.gross_fen, 0.5, among=t.paid)


@metric(
    of="order_facts", zh="客单价", en="Average spend per buyer", unit="CNY", better="higher", needs=BUYERS,
    final_after="the payment window", source="[003] 5.3.2, trade: value and refunds",
)  # fmt: skip
def average_spend_per_buyer(t: Fact, rule: RulePack) -> Measure:
    """Amount paid in the period ÷ paying customers: what the trade calls 客单价."""
    return per(t.customer_key, t.gross_fen.sum(), lambda buyers: mean(buyers.x), among=t.paid)


@metric(
    of="order_facts", zh="购买频次", en="Orders per buyer", unit="ratio", better="higher", needs=BUYERS,
    final_after="the payment window", source="[003] 6.2.1 消费频率",
)  # fmt: skip
def frequency(t: Fact, rule: RulePack) -> Measure:
    """Paid orders in the period ÷ paying customers."""
    return per(t.customer_key, t.order_key.count(), lambda buyers: mean(buyers.x), among=t.paid)


@metric(
    of="order_facts", zh="客单量", en="Items per customer", unit="ratio", better="higher", needs=(*BUYERS, "items"),
    final_after="at once", source="[003] 1.3.2",
)  # fmt: skip
def items_per_customer(t: Fact, rule: RulePack) -> Measure:
    """Pieces ordered ÷ customers who ordered."""
    return per(t.customer_key, t["items"].sum(), lambda customers: mean(customers.x), among=t["items"].notnull())


@metric(
    of="order_facts", zh="客件数", en="Items per buyer", unit="ratio", better="higher", needs=(*BUYERS, "items"),
    final_after="the payment window", source="[004], trade: value and refunds",
)  # fmt: skip
def items_per_buyer(t: Fact, rule: RulePack) -> Measure:
    """Pieces in paid orders ÷ paying customers."""
    return per(t.customer_key, t["items"].sum(), lambda buyers: mean(buyers.x), among=t.paid & t["items"].notnull())


@metric(
    of="order_facts", zh="付款时长中位数", en="Median time to pay", unit="s", better="lower", needs=ORDERS,
    final_after="the payment window", source="[001]",
)  # fmt: skip
def time_to_pay_median(t: Fact, rule: RulePack) -> Measure:
    """Half of the paid orders were paid within this time after ordering."""
    return quantile(t.pay_lag_s, 0.5, among=t.paid)


@metric(
    of="order_facts", zh="付款时长 P90", en="Time to pay, 90th percentile", unit="s", better="lower", needs=ORDERS,
    final_after="the payment window", source="[001]",
)  # fmt: skip
def time_to_pay_p90(t: Fact, rule: RulePack) -> Measure:
    """The time within which nine of ten paid orders were paid; it sets the time of the reminder."""
    return quantile(t.pay_lag_s, 0.9, among=t.paid)


@metric(
    of="order_facts", zh="复购率", en="Repurchase rate", unit="share", better="higher", needs=BUYERS,
    final_after="the export", source="[003] 6.3.4, trade: value and refunds, trade: retention",
    not_by=("customer", "day", "hour"),
)  # fmt: skip
def repurchase_rate(t: Fact, rule: RulePack) -> Measure:
    """Customers who bought on two or more days of the period ÷ customers who bought in it.

    Orders refunded in full are no purchase; two orders of one day are one. It grows with the length of the period: compare
    equal periods. Where some orders carry no buyer id it is a lower bound. It says little about high-value durable goods.
    By day, hour, or new and returning customers it would say nothing: a repurchase is never on the day, nor of the kind, of
    the first purchase.
    """
    bought = t.paid & (t.net_fen > 0)
    return per(t.customer_key, t.day.max() > t.day.min(), lambda buyers: share(buyers.x), among=bought)


not_carried(
    "churn_rate", zh="客户流失率", en="Churn rate", unit="share", better="lower",
    source="[002]", needs=("customer file",), doc="Customers lost ÷ customers at the start of the window.",
)  # fmt: skip
not_carried(
    "price_sensitivity", zh="价格敏感度", en="Price sensitivity", unit="share", better="none",
    source="[003] 6.3.4", needs=("customer file",), doc="How far a customer's buying follows the price.",
)  # fmt: skip
