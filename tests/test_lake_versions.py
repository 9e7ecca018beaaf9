"""Overlapping exports of things that change: readers see the newest version, as a plain loop over all rows finds it."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lakes import micros, new_workspace, order, orders, put, rows

DAY_US = 86_400_000_000
CREATED = micros("2026-05-01 10:00:00")


def test_the_newest_state_of_an_order_shows(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    paid = order(1, paid_at=CREATED + DAY_US, status="paid")
    put(ws, "orders", orders([paid, order(2)]), content="a")
    put(ws, "orders", orders([order(1)]), content="an older export")
    put(ws, "orders", orders([order(2, status="closed")]), content="b")
    assert rows(ws, "orders", "order_key", "status") == [(1, "paid"), (2, "closed")]
    assert sum(load.stored for load in ws.lake.loads()) == 4
    assert ws.lake.check() == []


def test_a_version_that_moves_to_another_month_leaves_the_old_one(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    put(ws, "orders", orders([order(1), order(2)]), content="a")
    put(ws, "orders", orders([order(1, day="2026-06-02", items=1)]), content="b")
    with ws.read() as snapshot:
        for month, keys in (("2026-05", [2]), ("2026-06", [1])):
            assert snapshot.frame(snapshot.table("orders", [month])).get_column("order_key").to_list() == keys
    with ws.lake.write("test") as writer:
        assert writer.changed("tmall-2025") == {"orders": {"2026-05", "2026-06"}}
    assert ws.lake.loads()[-1].by_table["orders"].months == ("2026-05", "2026-06")


def test_a_key_with_an_empty_part_has_versions_too(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    day = orders([order(1)]).select("shop_key", "day", "row").with_columns(visitors=100)
    for n in (100, 120):
        frame = day.with_columns(visitors=n, device=orders([order(1, status="all")])["status"])
        put(ws, "traffic", frame, content=f"{n}")
    assert rows(ws, "traffic", "visitors", "load") == [(120, 2)]


STATES = st.fixed_dictionaries(
    {
        "key": st.integers(1, 3),
        "paid": st.sampled_from([None, 0, 1, 40]),
        "status": st.sampled_from([None, "paid", "closed"]),
        "items": st.sampled_from([None, 2]),
        "day": st.sampled_from(["2026-05-01", "2026-06-01"]),
    }
)


def newest(exports: list[list[dict[str, Any]]]) -> tuple[dict[int, tuple[Any, ...]], list[int]]:
    """The oracle: all distinct states in order of arrival; per order the one with the latest time, most filled,
    furthest state, last."""
    seen: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    stored = []
    for load, export in enumerate(exports, 1):
        before = len(seen)
        for row, s in enumerate(export, 2):
            state = (s["key"], s["paid"], s["status"], s["items"], s["day"])
            filled = sum(v is not None for v in (s["paid"], s["status"], s["items"]))
            grown = (None, "paid", "closed").index(s["status"])
            seen.setdefault(state, (max(0, s["paid"] or 0), filled, grown, load, row))
        stored.append(len(seen) - before)
    best: dict[int, tuple[Any, ...]] = {}
    for state, rank in seen.items():
        best[state[0]] = max(best.get(state[0], ((-1,), ())), (rank, state), key=lambda b: b[0])
    return {key: state for key, (_, state) in best.items()}, stored


@pytest.mark.slow
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(STATES, min_size=1, max_size=6), min_size=1, max_size=3))
def test_overlapping_exports_equal_a_plain_loop(exports: list[list[dict[str, Any]]]) -> None:
    expected, stored = newest(exports)
    with tempfile.TemporaryDirectory() as folder:
        ws = new_workspace(Path(folder))
        for i, export in enumerate(exports):
            frame = orders([
                order(s["key"], paid_at=None if s["paid"] is None else CREATED + s["paid"] * DAY_US, status=s["status"],
                      items=s["items"], day=s["day"])
                for s in export
            ])  # fmt: skip
            report = put(ws, "orders", frame, content=f"export {i}")
            assert (report.stored, report.known) == (stored[i], len(export) - stored[i])
        shown = rows(ws, "orders", "order_key", "paid_at", "status", "items", "month")
        assert [(k, s, i, m) for k, _, s, i, m in shown] == [(k, s, i, d[:7]) for k, (_, _, s, i, d) in sorted(expected.items())]
        assert [p and (p - CREATED) // DAY_US for _, p, *_ in shown] == [expected[k][1] for k in sorted(expected)]
