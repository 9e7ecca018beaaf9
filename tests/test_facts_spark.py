"""Every fact table and every metric, computed on Spark over a small lake: exactly what the embedded engine gives."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from huitou.facts import Roster, build
from huitou.facts.inquiries import inquiries
from huitou.facts.orders import first_payments, order_facts, order_service
from huitou.facts.receptions import asides, daily_talk, receptions
from huitou.facts.rounds import rounds
from huitou.facts.sessions import sessions
from huitou.facts.turns import turns
from huitou.lake import Workspace
from huitou.lake.spark import SparkSnapshot, local_session
from huitou.metrics import METRICS, compute
from huitou.rules.packs import load_pack
from huitou.tables import TABLES
from tests.facts_shop import message_rows, order_rows
from tests.test_facts_build import FACTS, invented, load, shop, stored

pytestmark = [pytest.mark.spark, pytest.mark.slow]
PACK = load_pack("tmall-2025")


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    if not shutil.which("java"):
        pytest.skip("Spark needs Java 17, and there is none")
    ws = shop(tmp_path_factory.mktemp("spark"), rules=PACK.id)
    lines, orders = invented(seed=4)
    load(ws, "messages", message_rows(lines))
    load(ws, "orders", order_rows(orders))
    build(ws)
    return ws


@pytest.fixture(scope="module")
def spark(ws: Workspace) -> Iterator[SparkSnapshot]:
    with SparkSnapshot(ws.lake.catalog(PACK.id), local_session("2")) as snapshot:
        yield snapshot


def on_spark(spark: SparkSnapshot) -> dict[str, Any]:
    """The fact expressions over the lake's canonical tables, each from the ones before."""
    messages, orders, nobody = spark.table("messages"), spark.table("orders"), Roster()
    turning, paid = turns(messages, PACK), first_payments(orders)
    made: dict[str, Any] = {"rounds": rounds(turning, nobody), "sessions": sessions(turning)}
    made["receptions"] = receptions(daily_talk(turning), asides(messages), made["rounds"], pack=PACK, roster=nobody)
    made["order_service"] = order_service(orders, made["sessions"], pack=PACK)
    made["order_facts"] = order_facts(orders, paid, service=made["order_service"], refunds=None, lines=None, pack=PACK)
    made["inquiries"] = inquiries(
        spark.table("receptions"), spark.table("order_facts"), paid, spark.table("order_service"), pack=PACK, roster=nobody
    )
    return made


def test_every_fact_is_the_same_on_spark(ws: Workspace, spark: SparkSnapshot) -> None:
    embedded = stored(ws)
    for name, expr in on_spark(spark).items():
        key = list(TABLES[name].key)
        assert embedded[name].height > 0
        assert spark.frame(expr).sort(key).rows() == embedded[name].sort(key).rows(), name
    assert {*embedded} == {*FACTS}


def test_every_metric_is_the_same_on_spark(ws: Workspace, spark: SparkSnapshot) -> None:
    with ws.read() as duck:
        ours = compute(duck, ws.settings, PACK, METRICS)
    theirs = compute(spark, ws.settings, PACK, METRICS)
    assert sum(cell.value is not None for cell in ours) > 50
    assert theirs == ours
