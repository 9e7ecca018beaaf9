"""The same expression over the same snapshot gives the same rows on both engines."""

import shutil
from pathlib import Path

import pytest

from huitou.lake.spark import SparkSnapshot, compile_for_spark, local_session
from tests.lakes import messages, new_workspace, order, orders, put


def test_expressions_compile(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    with ws.read() as snapshot:
        t = snapshot.table("messages")
        sql = compile_for_spark(t.group_by("day").agg(last=t.sent_at.max()))
    assert "MAX(`t0`.`sent_at`)" in sql


@pytest.mark.spark
@pytest.mark.slow
def test_both_engines_agree(tmp_path: Path) -> None:
    if not shutil.which("java"):
        pytest.skip("Spark needs Java 17, and there is none")
    ws = new_workspace(tmp_path)
    said = ((1, "2026-05-01 10:00:00", "在吗"), (1, "2026-06-01 10:00:07", "在"), (2, "2026-06-02 09:00:00", "好"))
    put(ws, "messages", messages(*said), content="a")
    put(ws, "orders", orders([order(1), order(2)]), content="b")
    put(ws, "orders", orders([order(2, status="paid", day="2026-06-01")]), content="c")
    results = []
    with ws.read() as duck, SparkSnapshot(ws.lake.catalog("tmall-2025"), local_session("2")) as spark:
        for snapshot in (duck, spark):
            t, o = snapshot.table("messages"), snapshot.table("orders")
            said = t.group_by("customer_key", "month").agg(n=t.count(), last=t.sent_at.max()).order_by("customer_key", "month")
            states = o.select("order_key", "status", "created_at", "day").order_by("order_key")
            results.append([snapshot.frame(said).rows(), snapshot.frame(states).rows(),
                            snapshot.frame(snapshot.table("rounds").count()).rows()])  # fmt: skip
    assert results[0] == results[1]
    assert [r[:2] for r in results[0][1]] == [(1, None), (2, "paid")]
