"""Facts: computed once, replaced month by month, shown all at once."""

from pathlib import Path

import ibis
import ibis.expr.types as ir
import pytest

from huitou.lake import Workspace
from tests.lakes import count, messages, new_workspace, order, orders, put, rows

RULES = "tmall-2025"


def services(orders: ir.Table, part: str = "order") -> ir.Table:
    """Every order as served by agent 3: enough of a fact table to store."""
    return orders.select(
        "shop_key", "order_key", "day", customer_key=orders.order_key, agent_key=ibis.literal(3, "int64"),
        part=ibis.literal(part), chat_from=orders.created_at, chat_to=orders.created_at + 1,
    )  # fmt: skip


def build(ws: Workspace, part: str, months: list[str] | None = None, fingerprint: str = "f1") -> None:
    with ws.lake.write("build") as writer:
        one = writer.build(RULES, fingerprint)
        one.stage("order_service", services(one.snapshot.table("orders"), part), months)
        one.commit()


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    ws = new_workspace(tmp_path)
    put(ws, "orders", orders([order(1), order(2, day="2026-06-01")]), content="a")
    return ws


def test_facts_keep_instants_as_microseconds(ws: Workspace) -> None:
    build(ws, "order")
    created = rows(ws, "orders", "order_key", "created_at")
    assert rows(ws, "order_service", "order_key", "chat_from") == created
    assert rows(ws, "order_service", "chat_to") == sorted((at + 1,) for _, at in created)
    with ws.read("another-pack") as snapshot:
        assert not snapshot.has("order_service")


def test_a_month_is_replaced_and_the_others_stay(ws: Workspace) -> None:
    build(ws, "order")
    with ws.lake.write("build") as writer:
        one = writer.build(RULES, "f1")
        one.stage("order_service", services(one.snapshot.table("orders"), "pay"), ["2026-06"])
        staged = one.table("order_service", ["2026-06"])
        assert one.snapshot.frame(staged.select("part", "month")).rows() == [("pay", "2026-06")]
        assert sorted(one.snapshot.frame(one.table("order_service").part).to_series()) == ["order", "pay"]
        assert rows(ws, "order_service", "part") == [("order",), ("order",)]
        one.commit()
    assert rows(ws, "order_service", "month", "part") == [("2026-05", "order"), ("2026-06", "pay")]
    assert ws.lake.check() == []


@pytest.mark.slow
def test_an_empty_month_empties_it(ws: Workspace) -> None:
    build(ws, "order")
    with ws.lake.write("build") as writer:
        one = writer.build(RULES, "f1")
        one.stage("order_service", services(one.snapshot.table("orders").filter(ibis.literal(False))), ["2026-05"])
        one.commit()
    assert rows(ws, "order_service", "month") == [("2026-06",)]


def test_what_changed_since_the_last_build(ws: Workspace) -> None:
    with ws.lake.write("build") as writer:
        assert writer.changed(RULES, "f1") == {"orders": {"2026-05", "2026-06"}}
    build(ws, "order")
    put(ws, "messages", messages((1, "2026-07-01 10:00:00", "在吗")), content="b")
    put(ws, "orders", orders([order(1)]), content="known rows only")
    with ws.lake.write("build") as writer:
        assert writer.changed(RULES, "f1") == {"messages": {"2026-07"}}
        assert writer.changed(RULES, "f2") == {"orders": {"2026-05", "2026-06"}, "messages": {"2026-07"}}
        assert writer.changed("jd-2025", "f1") == writer.changed(RULES, "f2")


def test_a_build_that_fails_leaves_the_last_one(ws: Workspace) -> None:
    build(ws, "order")
    with pytest.raises(KeyError), ws.lake.write("build") as writer:
        one = writer.build(RULES, "f2")
        one.stage("order_service", services(one.snapshot.table("orders"), "pay"))
        raise KeyError("the builder broke")
    assert rows(ws, "order_service", "part") == [("order",), ("order",)]
    assert len(list((ws.lake.root / "facts").rglob("build-*.parquet"))) == 2
    with ws.lake.write("build") as writer:
        assert writer.changed(RULES, "f1") == {}


def test_an_expression_with_other_columns_is_refused(ws: Workspace) -> None:
    with ws.lake.write("build") as writer:
        one = writer.build(RULES, "f1")
        with pytest.raises(ValueError, match=r"lacks \['part'\].*\['nick'\]"):
            one.stage("order_service", services(one.snapshot.table("orders")).drop("part").mutate(nick=ibis.literal("x")))


@pytest.mark.slow
def test_a_reader_keeps_its_facts_during_a_build(ws: Workspace) -> None:
    build(ws, "order")
    with ws.read() as snapshot:
        build(ws, "pay")
        assert snapshot.frame(snapshot.table("order_service").part).to_series().to_list() == ["order", "order"]
        assert count(snapshot, "order_service") == 2
