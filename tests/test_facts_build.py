"""Building the facts of a workspace: only what changed, and the same as building all at once."""

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from huitou.errors import UnknownName
from huitou.facts import build
from huitou.lake import Workspace
from huitou.tables import TABLES
from tests.facts_shop import Line, Order, frame, message_rows, order_rows
from tests.lakes import put

FACTS = ("rounds", "sessions", "receptions", "order_service", "order_facts", "inquiries")
DAY = 86_400


def shop(folder: Path, **settings: Any) -> Workspace:
    return Workspace.create(folder, shop="青麓男包旗舰店", **settings)


def load(ws: Workspace, name: str, rows: list[dict[str, Any]]) -> None:
    content = f"{name} {random.Random(str(rows)).random()}"
    put(ws, name, frame(name, rows).drop("row_key", "load"), content=content)


def stored(ws: Workspace) -> dict[str, pl.DataFrame]:
    with ws.read() as snapshot:
        columns = {name: [c.name for c in TABLES[name].columns] for name in FACTS}
        return {name: snapshot.frame(snapshot.table(name).select(*columns[name])).sort(TABLES[name].key) for name in FACTS}


def invented(seed: int) -> tuple[list[Line], list[Order]]:
    """Talk and orders of few customers over four months, thick around the ends of months."""
    rng = random.Random(seed)
    at = sorted(rng.choice((0, 31 * DAY, 32 * DAY - 400, 62 * DAY, 92 * DAY)) + rng.randrange(3 * DAY) for _ in range(60))
    at = [t + rng.choice((0, 20, 700)) for t in at for _ in range(3)]
    kinds = ("customer", "customer", "agent", "auto", "transfer")
    lines = [Line(t, rng.choice(kinds), rng.randrange(5), rng.choice((11, 12)), row=i + 2) for i, t in enumerate(at)]
    orders = [Order(i, c := rng.choice(at) + rng.randrange(DAY), rng.choice((None, c + 60)), rng.randrange(6)) for i in range(25)]
    return lines, orders


@pytest.mark.slow
@pytest.mark.parametrize("rules", ["tmall-2025", "course"])
def test_building_after_every_import_equals_building_once(tmp_path: Path, rules: str) -> None:
    lines, orders = invented(seed=4)
    parts = [("messages", message_rows([x for x in lines if x.at // DAY // 61 == m])) for m in range(2)]
    placed = order_rows(orders)
    parts += [("orders", placed[:9]), ("orders", placed[9:])]
    random.Random(rules).shuffle(parts)
    often = shop(tmp_path / "often", rules=rules)
    for name, rows in parts:
        load(often, name, rows)
        build(often)
    step_by_step, at_once = stored(often), stored(anew(often))
    for name in FACTS:
        assert at_once[name].height > 0
        assert step_by_step[name].equals(at_once[name]), name


def anew(ws: Workspace) -> Workspace:
    """The same lake with all facts made anew: as if nothing had been built before."""
    ws.lake.ledger._db.execute("DELETE FROM builds")
    assert build(ws).months
    return ws


@pytest.mark.slow
def test_a_build_without_news_does_nothing(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    load(ws, "messages", message_rows([Line(0, row=2), Line(20, "agent", row=3)]))
    assert build(ws).rows["rounds"] == 1
    assert build(ws).months == ()


def test_a_build_touches_only_the_months_near_the_import(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    load(ws, "messages", message_rows([Line(d * DAY, row=2 + d) for d in (0, 100, 160, 180)]))
    build(ws)
    load(ws, "messages", message_rows([Line(185 * DAY, row=99)]))
    assert build(ws).months == ("2026-11", "2026-12")


@pytest.mark.slow
def test_new_roles_make_everything_anew(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    agents = [{"shop_key": 7, "agent_key": 11, "account": "小夏", "robot": False, "row": 2}]
    load(ws, "agents", agents)
    load(ws, "messages", message_rows([Line(0, row=2), Line(20, "agent", row=3)]))
    assert build(ws).rows["inquiries"] == 1
    file = ws.path / "huitou.toml"
    file.write_text(file.read_text("utf-8").replace("[agents]", '[agents]\n"小夏" = "aftersale"'), encoding="utf-8")
    assert build(Workspace.open(tmp_path)).rows["inquiries"] == 0


@pytest.mark.slow
def test_a_colleague_is_filtered_by_name(tmp_path: Path) -> None:
    ws = shop(tmp_path, colleagues=("青麓小冬",))
    load(ws, "messages", message_rows([Line(0, customer=ws.people().token("青麓小冬"), row=2)]))
    build(ws)
    assert stored(ws)["receptions"]["filtered"].to_list() == ["colleague"]


@pytest.mark.slow
def test_orders_alone_and_chats_alone_are_built(tmp_path: Path) -> None:
    orders, chats = shop(tmp_path / "orders"), shop(tmp_path / "chats")
    load(orders, "orders", order_rows([Order(1, 0, 60), Order(2, DAY, None)]))
    assert build(orders).rows == {"order_facts": 2}
    assert stored(orders)["order_facts"]["served"].to_list() == [None, None]
    load(chats, "messages", message_rows([Line(0, row=2), Line(20, "agent", row=3)]))
    build(chats)
    assert stored(chats)["inquiries"]["ordered"].to_list() == [False]


@pytest.mark.slow
def test_progress_names_the_tables_in_order(tmp_path: Path) -> None:
    ws, seen = shop(tmp_path), []
    load(ws, "messages", message_rows([Line(0, row=2)]))
    load(ws, "orders", order_rows([Order(1, 0, 60)]))
    build(ws, progress=lambda table, step, steps: seen.append((table, step, steps)))
    assert [t for t, _, _ in seen] == ["rounds", "sessions", "receptions", "order_service", "order_facts", "inquiries"]
    assert all(a[1] < b[1] <= b[2] for a, b in pairwise(seen))


def test_an_unknown_rule_pack_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="tmall-2052"):
        build(shop(tmp_path, rules="tmall-2052"))
