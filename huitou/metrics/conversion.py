"""Conversion and loss: what became of the customers who asked, ordered and paid."""

from huitou.metrics.declare import metric
from huitou.metrics.measures import Fact, Measure, ratio, share
from huitou.rules import RulePack

INQUIRY = ("chats", "orders", "buyer id")


@metric(
    of="inquiries", zh="询单转化率", en="Inquiry conversion", unit="share", better="higher", needs=INQUIRY,
    final_after="the order window", rules=("inquiry_window_s", "after_sale_days"), source="[003] 1.3.3, [004]",
)  # fmt: skip
def inquiry_conversion(t: Fact, rule: RulePack) -> Measure:
    """Customers who asked before ordering and then ordered inside the order window ÷ those customers.

    [004]'s denominator: received customers whose consultation is pre-sale. `consulting_conversion` has [003]'s.
    """
    return share(t.ordered, of=t.customer_key, open=t.open)


@metric(
    of="consultations", zh="咨询转化率", en="Conversion of all who consulted", unit="share", better="higher", needs=INQUIRY,
    final_after="the order window", rules=("inquiry_window_s", "after_sale_days"), source="[003] 1.3.3",
)  # fmt: skip
def consulting_conversion(t: Fact, rule: RulePack) -> Measure:
    """Customers who ordered after their inquiry ÷ all customers who consulted, filtered and after-sale ones among them.

    [003]'s denominator for 询单转化率; it can only be lower than `inquiry_conversion`.
    """
    return share(t.ordered, of=t.customer_key, open=t.open)


@metric(
    of="inquiries", zh="询单流失率", en="Inquiry loss rate", unit="share", better="lower", needs=INQUIRY,
    final_after="the order window", rules=("inquiry_window_s", "after_sale_days"), source="[000]",
)  # fmt: skip
def inquiry_loss_rate(t: Fact, rule: RulePack) -> Measure:
    """Inquiring customers who placed no order inside the window ÷ inquiring customers."""
    return share(t.ordered, of=t.customer_key, open=t.open, never=True)


@metric(
    of="inquiries", zh="下单转化率", en="Order conversion", unit="share", better="higher", needs=INQUIRY,
    final_after="the order window", rules=("inquiry_window_s", "after_sale_days"), source="[004]",
)  # fmt: skip
def order_conversion(t: Fact, rule: RulePack) -> Measure:
    """Inquirers who ordered ÷ inquirers: the first of [004]'s two steps, equal to `inquiry_conversion`."""
    return share(t.ordered, of=t.customer_key, open=t.open)


@metric(
    of="inquiries", zh="付款转化率", en="Payment conversion", unit="share", better="higher", needs=INQUIRY,
    final_after="both windows", rules=("inquiry_window_s", "payment_window_s"), source="[004]",
)  # fmt: skip
def payment_conversion(t: Fact, rule: RulePack) -> Measure:
    """Inquirers who paid ÷ inquirers who ordered: the second of [004]'s two steps."""
    return share(t.paid, among=t.ordered, of=t.customer_key, open=t.pay_open)


@metric(
    of="inquiries", zh="询单最终付款成功率", en="Inquiry payment rate", unit="share", better="higher", needs=INQUIRY,
    final_after="both windows", rules=("inquiry_window_s", "payment_window_s"), source="赤兔 and 生意参谋, trade: inquiry funnel",
)  # fmt: skip
def inquiry_payment_rate(t: Fact, rule: RulePack) -> Measure:
    """Inquiring customers who finally paid ÷ inquiring customers."""
    return share(t.paid, of=t.customer_key, open=t.pay_open)


@metric(
    of="inquiries", zh="询单付款成功率（按商品）", en="Inquiry payment rate by product", unit="share", better="higher",
    needs=INQUIRY, final_after="both windows", rules=("inquiry_window_s", "payment_window_s"), min_n=5, source="[000]",
)  # fmt: skip
def product_inquiry_payment_rate(t: Fact, rule: RulePack) -> Measure:
    """Inquiries that ended paid ÷ inquiries; meant by product, shown only where there are five or more."""
    return share(t.paid, open=t.pay_open)


@metric(
    of="order_facts", zh="下单流失率", en="Order loss rate", unit="share", better="lower", needs=("orders", "buyer id"),
    final_after="the payment window", rules=("payment_window_s",), source="[000]",
)  # fmt: skip
def order_loss_rate(t: Fact, rule: RulePack) -> Measure:
    """Customers who ordered and paid none of their orders ÷ customers who ordered."""
    return share(t.paid, of=t.customer_key, open=t.open, never=True)


@metric(
    of="order_facts", zh="订单支付率", en="Payment rate by orders", unit="share", better="higher", needs=("orders",),
    final_after="the payment window", rules=("payment_window_s",), source="[000]",
)  # fmt: skip
def payment_rate(t: Fact, rule: RulePack) -> Measure:
    """Orders paid ÷ orders placed.

    An order younger than the payment window is left out, paid or not: keeping the paid ones alone would raise the rate.
    """
    return share(t.paid, open=t.open)


@metric(
    of="order_facts", zh="客户支付率", en="Payment rate by customers", unit="share", better="higher",
    needs=("orders", "buyer id"), final_after="the payment window", rules=("payment_window_s",), source="[000]",
)  # fmt: skip
def payment_rate_customers(t: Fact, rule: RulePack) -> Measure:
    """Customers who paid at least one order ÷ customers who ordered."""
    return share(t.paid, of=t.customer_key, open=t.open)


@metric(
    of="order_facts", zh="金额支付率", en="Payment rate by money", unit="share", better="higher", needs=("orders",),
    final_after="the payment window", rules=("payment_window_s",), source="[000]",
)  # fmt: skip
def payment_rate_amount(t: Fact, rule: RulePack) -> Measure:
    """Amount placed in orders that were paid ÷ amount placed in all orders."""
    return ratio(t.paid.ifelse(t.placed_fen, 0), t.placed_fen, open=t.open, money=True)


@metric(
    of="order_facts", zh="当日拍下支付率", en="Same-day payment rate", unit="share", better="higher", needs=("orders",),
    final_after="the day's end", source="[000]",
)  # fmt: skip
def same_day_payment_rate(t: Fact, rule: RulePack) -> Measure:
    """Orders placed and paid the same day ÷ orders placed that day.

    Final when the day is over: exports hold whole days, so the last day is taken as one.
    """
    return share(t.paid_same_day)


@metric(
    of="order_facts", zh="当日客户支付率", en="Same-day payment rate by customers", unit="share", better="higher",
    needs=("orders", "buyer id"), final_after="the day's end", source="[000]",
)  # fmt: skip
def same_day_payment_rate_customers(t: Fact, rule: RulePack) -> Measure:
    """Customers who paid an order on the day they placed it ÷ customers who ordered."""
    return share(t.paid_same_day, of=t.customer_key)


@metric(
    of="order_facts", zh="当日金额支付率", en="Same-day payment rate by money", unit="share", better="higher",
    needs=("orders",), final_after="the day's end", source="[000]",
)  # fmt: skip
def same_day_payment_rate_amount(t: Fact, rule: RulePack) -> Measure:
    """Amount placed in orders paid the same day ÷ amount placed."""
    return ratio(t.paid_same_day.ifelse(t.placed_fen, 0), t.placed_fen, money=True)


@metric(
    of="visit_days", zh="客户转化率", en="Visitor conversion", unit="share", better="higher",
    needs=("traffic", "orders", "buyer id"), final_after="the day's end", source="[003] 1.3.3",
)  # fmt: skip
def visitor_conversion(t: Fact, rule: RulePack) -> Measure:
    """Ordering customers ÷ visitors, both counted per day and added over the days that traffic and orders cover."""
    return ratio(t.customers, t.visitors)


@metric(
    of="visit_days", zh="静默转化率", en="Silent conversion", unit="share", better="higher",
    needs=("traffic", "item visitors", "orders", "buyer id", "chats"), final_after="the day's end",
    rules=("attribution_window_s",), source="[003] 1.3.3",
)  # fmt: skip
def silent_conversion(t: Fact, rule: RulePack) -> Measure:
    """Customers who paid with no consultation ÷ visitors of the item's page, both per day and added."""
    return ratio(t.silent, t.page_visitors)
