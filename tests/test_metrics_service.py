"""Service metrics on conversations that stand in the test."""

from datetime import date
from statistics import mean, median

import numpy as np
import pytest

from tests.metrics_shop import CLASSIC, MODERN, numbers, shop

DAY = date(2026, 5, 1)


def clock(text: str) -> int:
    h, m, s = map(int, text.split(":"))
    return h * 3600 + m * 60 + s


def asked(at: str, reply: str | None = None, **more):
    """One round: asked and answered at these wall clocks of one day."""
    wait = None if reply is None else float(clock(reply) - clock(at))
    row = {"day": DAY, "second": clock(at), "asked_at": clock(at) * 10**6, "wait_s": wait, "same_day": reply is not None}
    return row | {"asked_key": clock(at), "opens": True} | more


def value(pack, name, **tables):
    tables = {"messages": [{}]} | tables
    (cell,) = numbers(shop(**tables), [name], pack)
    return cell


def test_consecutive_questions_count_from_the_first():
    """The older Tmall rule's worked example: asked 10:10:15 and 10:15:20, reply 10:18:10 → 0/1."""
    cell = value(CLASSIC, "human_response_rate_3min", rounds=[asked("10:10:15", "10:18:10", questions=2)])
    assert (cell.numerator, cell.denominator, cell.value) == (0, 1, 0)


def test_then_a_fast_answer_makes_it_one_of_two():
    """… then asked 10:18:30, reply 10:19:00 → 1/2."""
    two = [asked("10:10:15", "10:18:10"), asked("10:18:30", "10:19:00")]
    cell = value(CLASSIC, "human_response_rate_3min", rounds=two)
    assert (cell.numerator, cell.denominator, cell.value) == (1, 2, 0.5)


def test_a_question_never_answered_that_day_is_not_answered():
    """… never answered that day → 0/1; a reply of the next day changes nothing."""
    for rounds in ([asked("10:10:15")], [asked("23:59:30", "23:59:59", wait_s=60.0, same_day=False)]):
        cell = value(CLASSIC, "human_response_rate_3min", rounds=rounds)
        assert (cell.numerator, cell.denominator) == (0, 1)


def test_hours_of_the_rule_and_the_calendar_stand_side_by_side():
    rounds = [asked("07:59:59", "08:00:10"), asked("08:00:00", "08:03:00"), asked("22:59:59", "23:03:00"), asked("23:00:00")]
    snapshot = shop(messages=[{}], rounds=rounds)
    names = ["human_response_rate_3min", "human_response_rate_3min_all_day"]
    assert [(c.numerator, c.denominator) for c in numbers(snapshot, names)] == [(1, 2), (2, 4)]


WAITS = [4, 9, 9, 30, 700, None, 31, 64, 5, 12, 12, 15]


def test_mean_median_and_p90_follow_the_rule():
    rounds = [asked(f"10:{i:02}:00", wait_s=None if w is None else float(w), same_day=w is not None) for i, w in enumerate(WAITS)]
    snapshot = shop(messages=[{}], rounds=rounds)
    names = ["average_response_time", "response_time_median", "response_time_p90"]
    capped = [600 if w is None else min(w, 600) for w in WAITS]
    got = [c.value for c in numbers(snapshot, names)]
    assert got == pytest.approx([mean(capped), median(capped), np.quantile(capped, 0.9)])
    plain = [w for w in WAITS if w is not None]
    got = [c.value for c in numbers(snapshot, names, CLASSIC)]
    assert got == pytest.approx([mean(plain), median(plain), np.quantile(plain, 0.9)])


def test_first_response_takes_the_first_round_of_a_chat():
    rounds = [asked("10:00:00", "10:00:08"), asked("10:01:00", "10:02:00", opens=False), asked("11:00:00", "11:00:16")]
    snapshot = shop(messages=[{}], rounds=rounds)
    names = ["first_response_time", "first_response_time_median", "first_response_time_p90"]
    assert [c.value for c in numbers(snapshot, names)] == pytest.approx([12, 12, 15.2])


def test_slow_replies_are_of_replies():
    rounds = [asked("10:00:00", "10:02:00"), asked("10:10:00", "10:12:01"), asked("10:20:00")]
    cell = value(MODERN, "slow_reply_rate", rounds=rounds)
    assert (cell.numerator, cell.denominator) == (1, 2)


def received(customer: int, agent: int, **more):
    return {"customer_key": customer, "agent_key": agent, "day": DAY, "answered": True} | more


CHATS = [
    received(1, 10, customer_messages=4, agent_messages=6),
    received(1, 10, day=date(2026, 5, 2), answered=False, customer_messages=1),
    received(1, 11, customer_messages=2, agent_messages=2),
    received(2, 10, answered=False, customer_messages=3),
    received(3, 10, filtered="colleague", customer_messages=9, agent_messages=9),
]


def test_a_customer_counts_once_per_period_and_agent():
    snapshot = shop(
        messages=[{}], receptions=CHATS, agents=[{"agent_key": 10, "account": "小禾"}, {"agent_key": 11, "account": "小满"}]
    )
    names = ["consulting_customers", "received_customers", "reply_rate"]
    got = {(c.metric, c.by["agent"]): (c.value, c.n) for c in numbers(snapshot, names, by=("agent",))}
    assert got == {
        ("consulting_customers", "小禾"): (3, 3), ("consulting_customers", "小满"): (1, 1),
        ("received_customers", "小禾"): (2, 2), ("received_customers", "小满"): (1, 1),
        ("reply_rate", "小禾"): (0.5, 2), ("reply_rate", "小满"): (1, 1),
    }  # fmt: skip
    assert [c.value for c in numbers(snapshot, names)] == [3, 2, 0.5]


def test_messages_and_load_per_agent():
    snapshot = shop(messages=[{}], receptions=CHATS)
    ratio, load = numbers(snapshot, ["answer_question_ratio", "reception_volume"])
    assert (ratio.numerator, ratio.denominator, ratio.value) == (8, 10, 0.8)
    assert (load.value, load.n) == (1.5, 2)


def paid(fen: int, agent: int | None = None, **more):
    return {"paid": True, "gross_fen": fen, "agent_key": agent, "served": agent is not None, "currency": "CNY"} | more


ORDERS = {"messages": [{}], "orders": [{"customer_key": 1, "created_at": 1}]}


def test_half_again_as_much_silent_as_served_is_a_service_share_of_40_percent():
    """[003] 5.1.3: silent 2250, service 1500, total 3750 → 40 % service."""
    orders = [paid(150_000, 10), paid(75_000), paid(150_000)]
    (cell,) = numbers(shop(**ORDERS, order_facts=orders), ["service_sales_share"])
    assert (cell.value, cell.numerator, cell.denominator) == (0.4, 1500, 3750)


def test_an_agents_sales_share_is_of_the_whole_shop():
    orders = [paid(1000, 10), paid(3000, 11), paid(4000)]
    snapshot = shop(**ORDERS, order_facts=orders, agents=[{"agent_key": 10, "account": "甲"}, {"agent_key": 11, "account": "乙"}])
    cells = numbers(snapshot, ["service_sales_share"], by=("agent",))
    assert {c.by["agent"]: c.value for c in cells} == {"甲": 0.125, "乙": 0.375}
    (one,) = numbers(snapshot, ["service_sales_share"], where={"agent": "乙"})
    assert (one.value, one.by) == (0.375, {"agent": "乙"})


AOV = {
    "甲": [58, 63, 65, 70, 71, 75], "乙": [58, 60, 63, 67, 70, 77], "丙": [65, 66, 64, 67, 67, 68],
    "丁": [65, 75, 55, 56, 60, 75], "戊": [70, 74, 72, 70, 74, 73],
}  # fmt: skip


def test_only_one_agent_is_below_the_bar():
    """[003] 5.3.4: AOV by agent July to December, shop AOV 57, bar 57 × 1.15 = 65.55: only 丁 is below."""
    served = [paid(yuan * 100, k) for k, months in enumerate(AOV.values()) for yuan in months]
    silent = (57 * 1000 - sum(map(sum, AOV.values()))) * 100
    orders = served + [paid(silent // 970)] * 969 + [paid(silent - silent // 970 * 969)]
    agents = [{"agent_key": k, "account": name} for k, name in enumerate(AOV)]
    snapshot = shop(**ORDERS, order_facts=orders, agents=agents)
    mean_of = {c.by["agent"]: c.value for c in numbers(snapshot, ["average_order_value"], by=("agent",))}
    assert [round(mean_of[a], 2) for a in AOV] == [67, 65.83, 66.17, 64.33, 72.17]
    ups = numbers(snapshot, ["agent_aov_uplift"], by=("agent",))
    assert {c.by["agent"]: c.value for c in ups} == pytest.approx({a: sum(m) / 6 / 57 - 1 for a, m in AOV.items()})
    assert [c.by["agent"] for c in ups if c.value < 0.15] == ["丁"]
    assert {c.denominator for c in ups} == {57}


def test_satisfied_sessions_of_those_rated():
    """Rated 5, 4, 3 and 1: two of four; the session without a rating and the one of a masked log count nowhere."""
    rated = [{"satisfaction": n, "agent_key": k} for n, k in ((5, 1), (4, 1), (3, 2), (1, 2), (None, 2))]
    log = [{"origin": "log", "satisfaction": None, "agent_key": 1}]
    snapshot = shop(chat_sessions=[{"origin": "report"} | row for row in rated] + log)
    (cell,) = numbers(snapshot, ["service_satisfaction"])
    assert (cell.value, cell.numerator, cell.n) == (0.5, 2, 4)
    assert {c.by["agent"]: c.value for c in numbers(snapshot, ["service_satisfaction"], by=("agent",))} == {
        "0001": 1.0,
        "0002": 0.0,
    }


def test_what_no_file_carries_says_what_it_needs():
    names = ["phone_service_share", "service_satisfaction", "complaint_rate", "bad_review_resolution"]
    statuses = [c.status for c in numbers(shop(messages=[{}]), names)]
    assert statuses == ["needs call records", "needs satisfaction ratings", "needs complaints", "needs bad review records"]
