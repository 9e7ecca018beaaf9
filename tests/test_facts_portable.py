"""Fact expressions are portable: they compile for both engines and give exactly the declared columns."""

from functools import cache
from typing import Any

import ibis
import pytest

from huitou.facts import Roster
from huitou.facts.inquiries import inquiries
from huitou.facts.orders import first_payments, order_facts
from huitou.rules.packs import load_pack
from huitou.tables import TABLES
from huitou.text.chats import chats, outcomes
from huitou.text.unpaid import unpaid
from tests.facts_shop import IBIS, expressions, unbound

PACKS = ("tmall-2025", "course")
FACTS = ("rounds", "sessions", "receptions", "order_service", "order_facts", "inquiries")


@cache
def made(pack: str) -> dict[str, Any]:
    """Every fact expression under a rule pack."""
    assert ibis.pyspark.name == "pyspark"  # naming the backend sets the options that its compiler reads; no Spark is started
    return expressions(load_pack(pack), refunds=True, lines=True)


@pytest.mark.costly
@pytest.mark.parametrize(("pack", "table"), [*(("tmall-2025", t) for t in ("turns", "asides", *FACTS)), ("course", "turns")])
def test_it_compiles_for_spark(pack: str, table: str) -> None:
    sql = ibis.to_sql(made(pack)[table], dialect="pyspark")
    assert sql.upper().startswith(("SELECT", "WITH"))
    assert not any(word in sql.upper() for word in ("ASOF", "WITHIN GROUP", "ARRAY_AGG", "QUALIFY"))


@pytest.mark.parametrize("table", FACTS)
def test_it_has_exactly_the_declared_columns(table: str) -> None:
    found = made("tmall-2025")[table].schema()
    declared = {c.name: ibis.dtype(IBIS.get(c.type, "string")) for c in TABLES[table].columns}
    assert list(found.names) == list(declared)
    assert {n: t.copy(nullable=True) for n, t in found.items()} == {n: t.copy(nullable=True) for n, t in declared.items()}


def test_without_chats_or_orders_the_rest_is_still_built() -> None:
    orders, pack = unbound("orders"), load_pack("tmall-2025")
    alone = order_facts(orders, first_payments(orders), service=None, refunds=None, lines=None, pack=pack)
    asked = inquiries(unbound("receptions"), None, None, None, pack=pack, roster=Roster())
    assert list(alone.columns) == [c.name for c in TABLES["order_facts"].columns]
    assert list(asked.columns) == [c.name for c in TABLES["inquiries"].columns]


def test_what_texts_are_read_from_compiles_for_spark() -> None:
    made("tmall-2025")
    asked, orders = outcomes(unbound("inquiries"), known=True), unbound("order_facts")
    why = unpaid(orders, orders, unbound("message_tags"), pack=load_pack("tmall-2025"), version="1")
    for expr in (chats(asked, unbound("messages")), why):
        assert ibis.to_sql(expr, dialect="pyspark").upper().startswith(("SELECT", "WITH"))
    assert {c.name for c in TABLES["unpaid_reasons"].columns} <= set(why.columns)
