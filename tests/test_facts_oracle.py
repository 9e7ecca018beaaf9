"""Every fact expression against loops over lists, on small random shops full of ties and edges."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huitou.facts import Roster
from huitou.rules.packs import load_pack
from tests import oracle_facts as oracle
from tests.facts_shop import Line, Order, Shop, numbered

TMALL = load_pack("tmall-2025")
ROSTER = Roster(robots=(13,), not_selling=(13,), colleagues=(4,), blocked=(5,))
PACKS = {
    "tmall": TMALL,
    "gap": replace(load_pack("course"), after_sale_days=1, sales_agent="order"),
    "neither": replace(TMALL, answer_same_day=False, attribution_window_s=3600, inquiry_window_s=1800),
}
KINDS = ("customer", "customer", "agent", "agent", "auto", "robot", "system", "transfer")
PAUSES = (0, 0, 1, 30, 120, 121, 599, 600, 601, 3600, 40_000, 86_400, 700_000)

said = st.tuples(
    st.sampled_from(PAUSES), st.sampled_from(KINDS), st.sampled_from((1, 1, 1, 2, 4, 5)), st.sampled_from((11, 11, 12, 13)),
    st.sampled_from((None, None, 501, 502)),
)  # fmt: skip
placed = st.tuples(
    st.sampled_from((1, 1, 2, 9, None)),
    st.integers(0, 400_000),
    st.sampled_from((None, 0, 5, 700, 200_000)),
    st.sampled_from((0, 900)),
)


@pytest.fixture(scope="module")
def shops() -> dict[str, Shop]:
    return {name: Shop(pack, ROSTER) for name, pack in PACKS.items()} | {"windows": Shop(TMALL, ROSTER, streamed=False)}


def talk(steps: Sequence[tuple[Any, ...]]) -> list[Line]:
    at, lines = 70_000, []
    for pause, kind, customer, agent, product in steps:
        at += pause
        lines.append(Line(at, kind, customer, agent, product, chars=1 + at % 7))
    return numbered(lines)


def bought(steps: Sequence[tuple[Any, ...]]) -> list[Order]:
    return [
        Order(100 + i, 70_000 + at, None if lag is None else 70_000 + at + lag, customer, refund=0 if lag is None else refund)
        for i, (customer, at, lag, refund) in enumerate(steps)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*PACKS, "windows"])
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(said, min_size=30, max_size=90), deals=st.lists(placed, min_size=4, max_size=16))
def test_facts_equal_the_slow_computation(shops: dict[str, Shop], name: str, steps: list[Any], deals: list[Any]) -> None:
    pack, lines, orders = PACKS.get(name, TMALL), talk(steps), bought(deals)
    made = shops[name].facts(lines, orders)
    assert made["rounds"] == oracle.rounds(lines, pack, ROSTER)
    assert made["sessions"] == oracle.session_rows(lines, pack)
    assert made["receptions"] == oracle.receptions(lines, pack, ROSTER)
    assert made["order_service"] == oracle.order_service(lines, orders, pack)
    assert same(made["order_facts"], oracle.ownership(lines, orders, pack))
    assert same(made["inquiries"], oracle.inquiries(lines, orders, pack, ROSTER))


def same(made: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    """Equal in every column that the slow computation has."""
    assert [{k: m[k] for k in e} for m, e in zip(made, expected, strict=True)] == expected
    return True
