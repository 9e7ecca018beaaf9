"""Orders and inquiries: whose sale it is, what remains after refunds, who asked before buying and what became of it."""

from dataclasses import replace
from typing import Any

import pytest

from huitou.facts import Roster
from huitou.rules.packs import load_pack
from tests.facts_shop import Line, Order, Shop, clock, micros, numbered

TMALL = load_pack("tmall-2025")
NOON, MINUTE, DAY = clock("12:00:00"), 60, 86400
shop = Shop(TMALL, Roster(not_selling=(14,)))


def chat(start: int, agent: int = 11, customer: int = 1, length: int = 5 * MINUTE) -> list[Line]:
    """A customer's question and the last word of a person, `length` seconds later."""
    return [Line(start, "customer", customer, agent), Line(start + length, "agent", customer, agent)]


def order_of(lines: list[Line], order: Order) -> dict[str, Any]:
    return shop.facts(numbered(lines), [order], upto="order_facts")["order_facts"][0]


def asked(lines: list[Line], *orders: Order) -> list[dict[str, Any]]:
    return shop.facts(numbered(lines), orders)["inquiries"]


@pytest.mark.costly
@pytest.mark.parametrize(
    ("lines", "order", "case", "agents"),
    [
        (chat(NOON), Order(1, NOON + 60, NOON + 90), "own_both", (11, 11, None, 11)),
        (chat(NOON), Order(1, NOON + 60, NOON + 5 * DAY), "own_order", (11, None, None, 11)),
        (chat(NOON) + chat(NOON + 3600, 12), Order(1, NOON + 60, NOON + 4000), "cross", (11, 12, None, 12)),
        (chat(NOON), Order(1, NOON - 60, NOON + 60), "silent_order_own_pay", (None, 11, None, 11)),
        (chat(NOON), Order(1, NOON - 90, NOON - 60), "silent_followed", (None, None, 11, None)),
        ([], Order(1, NOON, NOON), "silent", (None, None, None, None)),
        (chat(NOON), Order(1, NOON + 60), None, (11, None, None, 11)),
        (chat(NOON), Order(1, NOON + 60, NOON + 90, customer=None), None, (None, None, None, None)),
    ],
)
def test_the_cases_of_ownership(lines: list[Line], order: Order, case: str | None, agents: tuple[int | None, ...]) -> None:
    lines = lines or chat(NOON, customer=9)
    found = order_of(lines, order)
    assert found["ownership"] == case
    assert tuple(found[k] for k in ("order_agent", "pay_agent", "follow_agent", "agent_key")) == agents


def test_the_chat_that_ends_last_has_the_order() -> None:
    inside = chat(NOON, 11, length=9 * MINUTE) + chat(NOON + 60, 12, length=5 * MINUTE)
    assert order_of(inside, Order(1, NOON + 120))["order_agent"] == 11
    after = chat(NOON, 11) + chat(NOON + 3600, 12)
    assert order_of(after, Order(1, NOON + 2 * DAY))["order_agent"] == 12
    assert order_of(chat(NOON, 12) + chat(NOON, 11), Order(1, NOON + DAY))["order_agent"] == 11


def test_the_window_ends_two_days_after_the_chat() -> None:
    ended = NOON + 5 * MINUTE
    assert order_of(chat(NOON), Order(1, ended + 2 * DAY))["order_agent"] == 11
    assert order_of(chat(NOON), Order(1, ended + 2 * DAY + 1))["order_agent"] is None


def test_a_chat_without_a_person_earns_nothing() -> None:
    lines = [Line(NOON), Line(NOON + 1, "auto"), Line(NOON + 2, "robot")]
    assert order_of(lines, Order(1, NOON + 60, NOON + 90))["ownership"] == "silent"


def test_who_talked_without_credit_assisted() -> None:
    made = shop.facts(numbered(chat(NOON) + chat(NOON + 3600, 12)), [Order(1, NOON + 7200, NOON + 7300)], upto="order_facts")
    assert [(s["agent_key"], s["part"]) for s in made["order_service"]] == [(11, "assist"), (12, "order"), (12, "pay")]
    assert made["order_facts"][0]["assists"] == 1


def test_an_old_customer_had_paid_before_this_order() -> None:
    made = shop.facts(chat(NOON), [Order(1, NOON, NOON + 5), Order(2, NOON + 3, None), Order(3, NOON + 6)], upto="order_facts")
    assert [o["returning"] for o in made["order_facts"]] == [False, False, True]


def line(key: int, **more: Any) -> dict[str, Any]:
    plain = {"line_key": key, "order_key": 1, "quantity": 1, "price_fen": 100, "refund_fen": 0, "refunded": False}
    return plain | more


def refund(key: int, fen: int, succeeded: bool = True, reason: str | None = None) -> dict[str, Any]:
    return {"refund_key": key, "order_key": 1, "amount_fen": fen, "succeeded": succeeded, "reason": reason}


money = Shop(TMALL, refunds=True, lines=True)


@pytest.mark.costly
@pytest.mark.parametrize(
    ("order", "refunds", "lines", "fen", "pieces"),
    [
        (Order(1, 0, 5, refund=0), [], [], 0, 0),
        (Order(1, 0, 5, refund=500), [], [], 500, 1),
        (Order(1, 0, 5, refund=9900), [], [], 9900, 2),
        (Order(1, 0, 5, refund=500), [refund(1, 300), refund(2, 400)], [], 700, 1),
        (Order(1, 0, 5), [refund(1, 9900, succeeded=False)], [], 0, 0),
        (Order(1, 0, 5), [], [line(1, quantity=3, refund_fen=800, refunded=True), line(2)], 800, 3),
    ],
)
def test_what_went_back(order: Order, refunds: list[Any], lines: list[Any], fen: int, pieces: int) -> None:
    found = money.facts([], [order], upto="order_facts", refunds=refunds, order_lines=lines)["order_facts"][0]
    assert (found["refund_fen"], found["net_fen"], found["refund_items"]) == (fen, 9900 - fen, pieces)
    assert found["refunded"] is (fen > 0)


def test_pieces_and_product_come_from_the_lines_where_the_order_has_none() -> None:
    lines = [line(1, quantity=5, price_fen=100, product_key=501), line(2, paid_fen=600, product_key=502)]
    found = money.facts([], [Order(1, 0, 5, items=None)], upto="order_facts", order_lines=lines, refunds=[])["order_facts"][0]
    assert (found["items"], found["product_key"]) == (6, 502)


@pytest.mark.costly
@pytest.mark.parametrize(
    ("reason", "quality"), [("做工瑕疵", True), ("质量问题-掉色", True), ("7天无理由退换货", False), (None, False)]
)
def test_quality_refunds(reason: str | None, quality: bool) -> None:
    found = money.facts([], [Order(1, 0, 5)], upto="order_facts", refunds=[refund(1, 100, reason=reason)], order_lines=[])
    assert found["order_facts"][0]["quality_refund"] is quality


def test_an_inquiry_ends_in_an_order_paid_or_not() -> None:
    assert [(i["stage"], i["credited"]) for i in asked(chat(NOON))] == [("inquiry", False)]
    assert [(i["stage"], i["credited"]) for i in asked(chat(NOON), Order(1, NOON + 60))] == [("order", True)]
    (paid,) = asked(chat(NOON), Order(1, NOON + 60, NOON + 90, refund=900))
    assert (paid["stage"], paid["order_key"], paid["gross_fen"], paid["net_fen"]) == ("none", 1, 9900, 9000)


def test_the_order_window_runs_from_the_last_message() -> None:
    ended = NOON + 5 * MINUTE
    assert [i["ordered"] for i in asked(chat(NOON), Order(1, ended + 2 * DAY))] == [True]
    assert [i["ordered"] for i in asked(chat(NOON), Order(1, ended + 2 * DAY + 1))] == [False]
    assert asked(chat(NOON))[0]["final_at"] == micros(ended + 2 * DAY)


def test_who_bought_lately_comes_for_after_sale_unless_they_order_again() -> None:
    later = chat(NOON + 3 * DAY)
    assert asked(later, Order(1, NOON, NOON + 5)) == []
    again = asked(later, Order(1, NOON, NOON + 5), Order(2, NOON + 3 * DAY + 90))
    assert [(i["order_key"], i["returning"]) for i in again] == [(2, True)]
    assert [i["returning"] for i in asked(chat(NOON + 22 * DAY), Order(1, NOON, NOON + 5))] == [True]


def test_after_sale_accounts_and_filtered_receptions_make_no_inquiries() -> None:
    assert asked(chat(NOON, agent=14)) == []
    assert asked([Line(NOON, "auto")]) == []


def test_the_order_of_two_agents_is_credited_to_one() -> None:
    found = asked(chat(NOON, 11) + chat(NOON + 3600, 12), Order(1, NOON + 7200))
    assert [(i["agent_key"], i["ordered"], i["credited"]) for i in found] == [(11, True, False), (12, True, True)]


@pytest.mark.slow
def test_the_sale_goes_to_the_part_that_the_rules_name() -> None:
    both = chat(NOON) + chat(NOON + 3600, 12)
    by_order = Shop(replace(TMALL, sales_agent="order")).facts(
        numbered(both), [Order(1, NOON + 60, NOON + 4000)], upto="order_facts"
    )
    assert by_order["order_facts"][0]["agent_key"] == 11
    assert order_of(both, Order(1, NOON + 60, NOON + 4000))["agent_key"] == 12
