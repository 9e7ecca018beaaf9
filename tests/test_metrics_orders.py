"""Orders, refunds, reviews, traffic and scores, each counted again by hand or printed in a source."""

from datetime import date
from statistics import mean, median

import numpy as np
import pytest

from huitou.errors import UnknownName
from tests.metrics_shop import numbers, shop


def order(customer: int | None, yuan: float, day: int = 1, **more):
    fen = round(yuan * 100)
    row = {"customer_key": customer, "day": date(2026, 5, day), "paid": True, "prepaid": True, "currency": "CNY"}
    row |= {"placed_fen": fen, "gross_fen": fen, "net_fen": fen}
    return row | more


def got(names, **tables):
    tables = {"messages": [{}], "orders": [{"customer_key": 1, "items": 1, "refund_fen": 1}]} | tables
    return [c.value for c in numbers(shop(**tables), names)]


UNPAID = {"paid": False, "gross_fen": 0, "net_fen": 0}
ORDERS = [
    order(1, 40, order_key=1, items=1), order(1, 60, order_key=2, items=3), order(1, 30, 2, order_key=3, items=1),
    order(2, 200.5, order_key=4, items=2), order(3, 10, order_key=5, items=4, **UNPAID), order(None, 5, order_key=6),
    order(3, 7, order_key=7, prepaid=False, items=1, **UNPAID),
]  # fmt: skip


def test_counts_and_amounts():
    names = [
        "orders_placed",
        "paid_orders",
        "unpaid_orders",
        "ordering_customers",
        "paying_customers",
        "prepaid_orders",
        "cod_orders",
    ]
    assert got(names, order_facts=ORDERS) == [7, 5, 2, 3, 2, 5, 1]
    assert got(["amount_placed", "amount_paid"], order_facts=ORDERS) == [352.5, 335.5]


def test_order_value_and_spend_per_buyer_are_two_numbers():
    names = ["average_order_value", "order_value_median", "average_spend_per_buyer", "frequency"]
    paid = [40, 60, 30, 200.5, 5]
    assert got(names, order_facts=ORDERS) == pytest.approx([mean(paid), median(paid), 330.5 / 2, 2])


def test_items_per_customer_and_per_buyer():
    names = ["items_per_customer", "items_per_buyer"]
    assert got(names, order_facts=ORDERS) == pytest.approx([12 / 3, 7 / 2])


def test_money_of_another_currency_is_not_added():
    orders = [order(1, 10), order(1, 99, currency="USD")]
    assert got(["orders_placed", "amount_paid", "average_order_value"], order_facts=orders) == [2, 10, 10]


def test_time_to_pay():
    lags = [8, 8, 9, 11, 51, 3600, 3, 4]
    orders = [order(1, 1, pay_lag_s=float(s)) for s in lags] + [order(1, 1, **UNPAID)]
    names = ["time_to_pay_median", "time_to_pay_p90"]
    assert got(names, order_facts=orders) == pytest.approx([8.5, np.quantile(lags, 0.9)])


def test_a_second_day_of_buying_is_a_repurchase():
    """1 bought on two days, 2 twice on one day, 3 came back but was refunded in full, 4 never paid."""
    orders = [
        order(1, 9),
        order(1, 9, 3),
        order(2, 9),
        order(2, 9),
        order(3, 9),
        order(3, 9, 3, net_fen=0),
        order(4, 9, **UNPAID),
    ]
    held = shop(orders=[{"customer_key": 1}], order_facts=orders)
    (cell,) = numbers(held, ["repurchase_rate"])
    assert (cell.numerator, cell.denominator) == (1, 3)
    with pytest.raises(UnknownName, match="repurchase_rate"):  # of new customers it would be 0 whatever they do
        numbers(held, ["repurchase_rate"], by=["customer"])


def test_january_refunds():
    """[003] 5.4.3: sold 2033, refunded 468; service sold 1179, refunded 43 → shop 23 %, agent share 9 %, agent rate 4 %."""
    silent = [order(1, 1, items=2033 - 1179, refund_items=468 - 43, refunded=True, refund_fen=100)]
    served = [order(1, 1, items=43, refund_items=43, refunded=True, agent_key=10), order(1, 1, items=1179 - 43, agent_key=10)]
    names = ["shop_refund_rate", "agent_refund_share", "agent_refund_rate"]
    values = got(names, order_facts=silent + served)
    assert values == pytest.approx([468 / 2033, 43 / 468, 43 / 1179])
    assert [f"{v:.0%}" for v in values] == ["23%", "9%", "4%"]


def test_refunds_by_orders_and_money():
    orders = [
        order(1, 100, order_key=1, refunded=True, refund_fen=4000, quality_refund=True),
        order(1, 60, order_key=2),
        order(1, 9, **UNPAID),
    ]
    names = ["refunded_orders", "amount_refunded", "order_refund_rate", "amount_refund_rate"]
    assert got(names, order_facts=orders) == [1, 40, 0.5, 0.25]
    refunds = [{"order_key": 1, "succeeded": True, "returned": True, "reason": "质量问题"}] * 2 + [
        {"order_key": 2, "returned": True}
    ]
    assert got(["return_rate", "quality_refund_rate"], order_facts=orders, refunds=refunds) == [0.5, 0.5]


def test_no_refund_known_is_not_a_rate_of_zero():
    (cell,) = numbers(shop(orders=[{}], order_facts=[order(1, 5)]), ["order_refund_rate"])
    assert (cell.value, cell.status) == (None, "needs refunds")


def test_422_reviews():
    """[000], 23 May to 13 June: 410 good, 10 mid, 2 bad → 97 % good."""
    reviews = [{"rating": r} for r, n in (("good", 410), ("mid", 10), ("bad", 2)) for _ in range(n)]
    values = got(["good_review_rate", "mid_review_rate", "bad_review_rate", "review_count"], reviews=reviews)
    assert values == pytest.approx([410 / 422, 10 / 422, 2 / 422, 422])
    assert f"{values[0]:.0%}" == "97%"


def test_good_reviews_that_complain():
    reviews = [{"rating": "good"}] * 8 + [{"rating": "bad", "reply_text": "亲，已为您补发"}]
    read = [{"rating": "good", "has_complaint": i < 4} for i in range(8)] + [{"rating": "bad", "has_complaint": True}]
    (hidden,) = numbers(shop(reviews=reviews, review_readings=read), ["hidden_complaints"])
    assert (hidden.numerator, hidden.denominator) == (4, 8)
    assert got(["review_reply_rate"], reviews=reviews) == pytest.approx([1 / 9])
    (unread,) = numbers(shop(reviews=reviews), ["hidden_complaints"])
    assert (unread.value, unread.status) == (None, "needs build")


def traffic(day: int, device: str, visitors: int, score: float):
    row = {"day": date(2026, 5, day), "device": device, "visitors": visitors, "page_views": 3 * visitors, "visits": 2 * visitors}
    return row | {"score_item": score, "score_service": 4.8, "score_logistics": 4.7}


TRAFFIC = [traffic(1, "all", 100, 4.9), traffic(1, "pc", 20, 4.0), traffic(1, "wireless", 80, 4.0), traffic(2, "all", 50, 4.7)]


def test_traffic_is_added_over_days_not_over_devices():
    assert got(["visitors", "visits", "page_views"], traffic=TRAFFIC) == [150, 300, 450]
    cells = numbers(shop(traffic=TRAFFIC), ["visitors"], by=("device",))
    assert {c.by["device"]: c.value for c in cells} == {"all": 150, "pc": 20, "wireless": 80}


def test_platform_scores_have_no_interval_of_ours():
    cells = numbers(shop(traffic=TRAFFIC), ["dsr_item", "dsr_service", "dsr_logistics"])
    assert [c.value for c in cells] == pytest.approx([4.8, 4.8, 4.7])
    assert {c.low for c in cells} == {None}
