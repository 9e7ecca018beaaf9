"""Promised dispatch times are held against when the parcels left."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from huitou.build import build
from huitou.findings import diagnose
from huitou.findings.model import Finding
from huitou.rules import load_pack
from tests.lakes import micros, new_workspace, order, orders, put
from tests.test_text_build import talk

MORNING = datetime(2026, 3, 2, 2)  # UTC: ten o'clock in the shop


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Finding:
    """Forty customers are told «today»; the parcels of every fourth leave the day after."""
    said, bought = [], []
    for n in range(40):
        asked = MORNING + timedelta(days=n % 20, minutes=n)
        said += [(n + 1, str(asked), "customer", "今天能发货吗"), (n + 1, str(asked), "agent", "今天就能发货的哦")]
        placed = asked + timedelta(minutes=3)
        left = placed + timedelta(hours=24 if n % 4 == 0 else 5)
        times = {"created_at": micros(str(placed)), "paid_at": micros(str(placed)), "shipped_at": micros(str(left))}
        bought.append(order(n + 1, customer_key=n + 1, day=str(placed.date()), gross_fen=9900, **times))
    ws = new_workspace(Path(tmp_path_factory.mktemp("promises")))
    put(ws, "messages", talk(*said), content="chats", name="chats.csv")
    put(ws, "orders", orders(bought), content="orders", name="orders.csv")
    build(ws)
    with ws.read() as snapshot:
        findings = diagnose(snapshot, ws.settings, load_pack(ws.settings.rules, ws.path)).findings
    (finding,) = [f for f in findings if f.code == "promise.broken"]
    return finding


def test_kept_promises_are_counted_with_their_interval(found: Finding) -> None:
    assert (found.value, found.n, found.customers) == (0.75, 40, 10)
    assert 0.59 < found.low < 0.61 and 0.85 < found.high < 0.87  # Wilson: 30 of 40
    assert found.title_zh == "40 次答应了何时发货，10 次没有做到"


def test_the_words_of_a_broken_promise_are_shown(found: Finding) -> None:
    assert found.evidence
    assert all(any("今天就能发货" in line.text for line in one.lines) for one in found.evidence)
