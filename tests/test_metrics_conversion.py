"""Conversion: who asked, ordered, paid, and what cannot be told yet."""

from datetime import date

import pytest

from tests.metrics_shop import MODERN, numbers, shop

SECOND, DAY = 1_000_000, 86_400 * 1_000_000
START = 20_574 * DAY  # 2026-05-01 00:00 UTC


def on(day: int) -> date:
    return date(2026, 5, day)


def inquiry(customer: int, day: int = 1, *, agent: int = 10, ordered: bool = False, paid: bool = False, **more):
    asked = START + (day - 1) * DAY
    row = {"customer_key": customer, "agent_key": agent, "day": on(day), "asked_at": asked, "last_at": asked}
    return row | {"final_at": asked + 2 * DAY, "ordered": ordered or paid, "paid": paid} | more


def order(customer: int | None = 1, day: int = 1, *, paid: bool = True, **more):
    created = START + (day - 1) * DAY
    row = {"customer_key": customer, "order_key": customer or 0, "created_at": created, "day": on(day), "paid": paid}
    return row | {"paid_same_day": paid, "currency": "CNY", "placed_fen": 1000, "gross_fen": 1000 * paid} | more


def until(day: int):
    """Orders known up to noon of this day."""
    at = START + (day - 1) * DAY + DAY // 2
    return [{"customer_key": 9, "created_at": START, "day": on(1)}, {"customer_key": 9, "created_at": at, "day": on(day)}]


def cells(names, *, orders, by=(), **tables):
    return numbers(shop(messages=[{}], orders=orders, **tables), names, by=by)


CHATS = [
    inquiry(1, paid=True), inquiry(1, 2), inquiry(2, ordered=True), inquiry(3), inquiry(3, 2, agent=11),
    inquiry(4, agent=11, paid=True),
]  # fmt: skip


def test_customers_count_once_and_a_loss_is_no_order_at_all():
    names = ["inquiry_conversion", "inquiry_loss_rate", "order_conversion", "payment_conversion", "inquiry_payment_rate"]
    got = cells(names, orders=until(20), inquiries=CHATS)
    assert [(c.numerator, c.denominator) for c in got] == [(3, 4), (1, 4), (3, 4), (2, 3), (2, 4)]
    assert {c.status for c in got} == {"final"}


def test_both_definitions_of_inquiry_conversion():
    """[004] received pre-sale customers; [003] all who consulted: after-sale customer 5 and filtered 6 too."""
    chats = [
        {"customer_key": i["customer_key"], "agent_key": i["agent_key"], "day": i["day"], "last_at": i["last_at"]} for i in CHATS
    ]
    chats += [
        {"customer_key": 5, "day": on(1), "last_at": START},
        {"customer_key": 6, "day": on(1), "last_at": START, "filtered": "empty"},
    ]
    names = ["inquiry_conversion", "consulting_conversion"]
    got = cells(names, orders=until(20), inquiries=CHATS, receptions=chats)
    assert [(c.numerator, c.denominator) for c in got] == [(3, 4), (3, 6)]


def test_an_open_window_is_not_yet_and_never_zero():
    chats = [inquiry(1, 1, paid=True), inquiry(2, 1), inquiry(3, 9), inquiry(4, 9, ordered=True)]
    (part,) = cells(["inquiry_conversion"], orders=until(10), inquiries=chats)
    assert (part.value, part.n, part.open, part.status) == (0.5, 2, 2, "not_yet")
    (none,) = cells(["inquiry_conversion"], orders=until(10), inquiries=chats[2:])
    assert (none.value, none.n, none.open, none.status) == (None, 0, 2, "not_yet")


def test_payment_waits_for_both_windows():
    chats = [inquiry(1, 1, paid=True), inquiry(2, 4, ordered=True)]
    orders = until(1 + 2 + MODERN.payment_window_s // 86_400)
    (ordered, paid) = cells(["order_conversion", "payment_conversion"], orders=orders, inquiries=chats)
    assert (ordered.n, ordered.open) == (2, 0)
    assert (paid.n, paid.open, paid.value) == (1, 1, 1)


def test_an_inquiry_before_the_first_order_cannot_be_judged():
    chats = [inquiry(1, 1), inquiry(2, 1)]
    later = [{"customer_key": 9, "created_at": START + 20 * DAY, "day": on(21)}]
    (cell,) = cells(["inquiry_conversion"], orders=later, inquiries=chats)
    assert (cell.value, cell.status) == (None, "needs orders of this period")


def test_products_show_from_five_inquiries_on():
    chats = [inquiry(c, paid=c < 2, product_key=1) for c in range(5)] + [inquiry(c, paid=True, product_key=2) for c in range(4)]
    products = [{"product_key": 1, "title": "托特包"}, {"product_key": 2, "title": "腰包"}]
    got = cells(
        ["product_inquiry_payment_rate"],
        orders=until(20),
        inquiries=chats,
        products=products,
        by=("product",),
    )
    assert [(c.by, c.value, c.n, c.keys) for c in got] == [({"product": "托特包"}, 0.4, 5, {"product": 1})]


ORDERS = [order(1), order(1, paid=False), order(2, paid=False, placed_fen=3000), order(3, paid_same_day=False), order(4, 9)]


def test_payment_by_orders_customers_and_money_are_kept_apart():
    names = ["payment_rate", "payment_rate_customers", "payment_rate_amount", "order_loss_rate"]
    got = cells(names, orders=until(10), order_facts=ORDERS)
    assert [(c.numerator, c.denominator, c.open) for c in got] == [(2, 4, 1), (2, 3, 1), (20, 60, 1), (1, 3, 1)]


def test_same_day_payment_by_orders_customers_and_money():
    names = ["same_day_payment_rate", "same_day_payment_rate_customers", "same_day_payment_rate_amount"]
    got = cells(names, orders=until(9), order_facts=ORDERS)
    assert [(c.numerator, c.denominator, c.open) for c in got] == [(2, 5, 0), (2, 4, 0), (20, 70, 0)]


def test_a_paid_young_order_is_left_out_too():
    """Half of the old orders were paid; counting young orders only once they are paid would show more."""
    orders = [order(c, paid=c % 2 == 0) for c in range(10)] + [order(c, 9, paid=True) for c in range(10, 30)]
    (cell,) = cells(["payment_rate"], orders=until(10), order_facts=orders)
    assert (cell.value, cell.open) == (0.5, 20)


VISITS = [
    {"day": on(1), "device": "all", "visitors": 100, "item_visitors": 80},
    {"day": on(2), "device": "all", "visitors": 50, "item_visitors": 40},
    {"day": on(1), "device": "pc", "visitors": 30, "item_visitors": 9},
    {"day": on(1), "device": "all", "visitors": 40, "product_key": 7},
    {"day": on(25), "device": "all", "visitors": 999, "item_visitors": 999},
]
SOLD = [
    order(1, served=True),
    order(2, served=False, product_key=7),
    order(2, served=False),
    order(3, 2, served=False, paid=False),
]


def test_visitors_who_ordered_and_who_bought_in_silence():
    names = ["visitor_conversion", "silent_conversion"]
    got = cells(names, orders=until(20), order_facts=SOLD, traffic=VISITS)
    assert [(c.numerator, c.denominator) for c in got] == [(3, 150), (1, 120)]
    products = [{"product_key": 7, "title": "腰包"}]
    tables = {"order_facts": SOLD, "traffic": VISITS, "products": products}
    got = cells(names, orders=until(20), by=("product",), **tables)
    assert [(c.by["product"], c.numerator, c.denominator) for c in got] == [("腰包", 1, 40)] * 2


@pytest.mark.parametrize(("tables", "status"), [
    ({}, "needs chats"),
    ({"messages": [{}]}, "needs orders"),
    ({"messages": [{}], "orders": [{"customer_key": None}]}, "needs buyer id"),
    ({"messages": [{}], "orders": [{"customer_key": 1}]}, "needs build"),
])  # fmt: skip
def test_what_is_missing_is_named_one_by_one(tables, status):
    (cell,) = numbers(shop(**tables), ["inquiry_conversion"])
    assert (cell.status, cell.value, cell.n) == (status, None, 0)
