"""Small lakes for tests: workspaces, canonical rows from a few words, and one import in one call."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import polars as pl

from huitou.errors import Problem
from huitou.lake import Workspace
from huitou.lake.duckdb import Snapshot
from huitou.lake.ledger import LoadReport

SHOP = 7
ibis.duckdb  # noqa: B018  (loaded here once, so that forked writers begin at once)


def new_workspace(folder: Path) -> Workspace:
    return Workspace.create(folder / "ws", shop="青麓男包旗舰店")


def micros(at: str) -> int:
    return int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()) * 1_000_000


def messages(*said: tuple[int, str, str], first_row: int = 2) -> pl.DataFrame:
    """(customer, UTC time, text) as canonical messages of one agent."""
    return pl.DataFrame(
        [
            {
                "shop_key": SHOP, "customer_key": customer, "agent_key": 3, "sent_at": micros(at), "day": at[:10],
                "second": micros(at) // 1_000_000 % 86400, "kind": "customer", "text": text, "text_hash": len(text),
                "chars": len(text), "row": first_row + i,
            }
            for i, (customer, at, text) in enumerate(said)
        ]
    ).with_columns(pl.col("day").str.to_date())  # fmt: skip


def minutes(n: int, start: str = "2026-05-01 00:00:00", customer: int = 1) -> pl.DataFrame:
    """n messages, one a minute."""
    begin = datetime.fromisoformat(start)
    return messages(*((customer, str(begin + timedelta(minutes=i)), f"第{i}句") for i in range(n)))


def order(key: int, **more: Any) -> dict[str, Any]:
    """One order, placed on 2026-05-01 and unpaid unless `more` says otherwise."""
    plain = {
        "shop_key": SHOP, "order_key": key, "order_id": str(key), "created_at": micros("2026-05-01 10:00:00"),
        "day": "2026-05-01", "second": 36000, "prepaid": True, "placed_fen": 9900, "gross_fen": 0, "refund_fen": 0,
        "currency": "CNY", "paid_at": None, "status": None, "items": None,
    }  # fmt: skip
    return plain | more


def orders(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {"paid_at": pl.Int64, "status": pl.String, "items": pl.Int64}
    frame = pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)
    return frame.with_columns(pl.col("day").str.to_date(), row=pl.int_range(2, 2 + frame.height))


def put(ws: Workspace, table: str, frame: pl.DataFrame, *, content: str, name: str = "export.csv",
        problems: tuple[Problem, ...] = ()) -> LoadReport:  # fmt: skip
    """Import one file whose bytes are `content` and whose rows are `frame`."""
    file = ws.path / name
    if not file.exists() or file.read_text() != content:
        file.write_text(content)
    with ws.lake.write(f"import {name}") as writer:
        load = writer.begin(file, source="test.export", main=table)
        if load.known_as is None:
            load.add(table, frame)
            load.set_aside(problems)
            load.read(frame.height + len(problems))
        return load.commit()


def count(snapshot: Snapshot, table: str) -> int:
    return int(snapshot.frame(snapshot.table(table).count()).item())


def rows(ws: Workspace, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """The columns of every visible row, sorted."""
    with ws.read() as snapshot:
        return sorted(snapshot.frame(snapshot.table(table).select(*columns)).rows())
