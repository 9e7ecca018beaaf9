"""Receptions: what is counted, who was received, who was filtered out and why."""

from typing import Any

import pytest

from huitou.facts import Roster
from huitou.rules.packs import load_pack
from tests.facts_shop import Line, Shop, clock, micros, numbered

ROSTER = Roster(robots=(13,), not_selling=(13,), colleagues=(4,), blocked=(5,))
shop = Shop(load_pack("tmall-2025"), ROSTER)


def said(at: str, kind: str = "customer", **more: Any) -> Line:
    return Line(clock(at), kind, **more)


def received(*lines: Line) -> list[dict[str, Any]]:
    return shop.facts(numbered(lines), upto="receptions")["receptions"]


def test_a_reception_counts_what_each_side_wrote() -> None:
    (day,) = received(
        said("10:00:00", "auto"), said("10:00:05"), said("10:00:06", "auto"), said("10:00:25", "agent", chars=8),
        said("10:00:40"), said("10:03:00", "agent", chars=4), said("15:00:00"),
    )  # fmt: skip
    counts = ("customer_messages", "agent_messages", "auto_messages", "agent_chars", "sessions", "rounds", "slow_rounds")
    assert [day[name] for name in counts] == [3, 2, 2, 12, 2, 3, 1]
    assert (day["first_at"], day["last_at"]) == (micros(clock("10:00:00")), micros(clock("15:00:00")))
    assert (day["first_wait_s"], day["answered"], day["customer_first"], day["customer_last"]) == (20.0, True, True, True)
    assert day["filtered"] is None


def test_the_first_wait_is_empty_while_the_first_round_is_unanswered() -> None:
    lines = said("10:00:00"), said("10:00:00", "agent"), said("10:00:00")
    assert [d["first_wait_s"] for d in received(*lines)] == [0.0]
    assert [d["first_wait_s"] for d in received(said("10:00:00"), said("11:00:00"))] == [None]


def test_a_round_is_slow_when_it_waits_longer_than_the_limit() -> None:
    assert [d["slow_rounds"] for d in received(said("10:00:00"), said("10:02:00", "agent"))] == [0]
    assert [d["slow_rounds"] for d in received(said("10:00:00"), said("10:02:01", "agent"))] == [1]


def test_the_product_is_the_first_that_the_customer_sent() -> None:
    (day,) = received(
        said("10:00:00", "agent", product=900), said("10:00:05"), said("10:00:09", product=501), said("10:00:09", product=502)
    )
    assert day["product_key"] == 501


@pytest.mark.costly
@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([said("10:00:00", customer=4), said("10:00:05", "agent", customer=4)], "colleague"),
        ([said("10:00:00", customer=5)], "blocked"),
        ([said("10:00:00", "system"), said("10:00:01", "auto")], "empty"),
        ([said("10:00:00"), said("10:00:01", "auto"), said("10:00:05", "transfer")], "forwarded"),
        ([said("10:00:00", agent=13), said("10:00:01", "robot", agent=13)], "robot"),
        ([said("10:00:00"), said("10:00:05", "transfer"), said("10:00:09")], None),
        ([said("10:00:00"), said("10:00:01", "auto")], None),
        ([said("10:00:00", agent=13), said("10:00:01", "robot", agent=13), said("10:00:30", "agent", agent=13)], None),
    ],
)
def test_why_a_reception_is_filtered(lines: list[Line], why: str | None) -> None:
    assert [d["filtered"] for d in received(*lines)] == [why]


def test_a_transfer_leaves_one_account_and_reaches_the_next() -> None:
    first, second = received(
        said("10:00:00", agent=11), said("10:00:04", "transfer", agent=11), said("10:00:20", "agent", agent=12),
        said("10:00:40", agent=12),
    )  # fmt: skip
    assert [(d["transferred_in"], d["transferred_out"]) for d in (first, second)] == [(False, True), (True, False)]
    (own,) = received(said("10:00:00", "transfer"), said("10:00:04", "agent"), said("10:00:09"))
    assert (own["transferred_in"], own["transferred_out"]) == (True, False)
