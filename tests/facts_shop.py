"""A tiny shop for facts: messages and orders in a few words, the fact expressions run over them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from typing import Any

import duckdb
import ibis
import polars as pl

from huitou.facts import Roster
from huitou.facts.inquiries import inquiries
from huitou.facts.orders import first_payments, order_facts, order_service
from huitou.facts.receptions import asides, daily_talk, receptions
from huitou.facts.rounds import rounds
from huitou.facts.sessions import sessions
from huitou.facts.turns import turns
from huitou.rules import RulePack
from huitou.tables import TABLES, Table

FIRST = date(2026, 5, 30)
"""Times of these tests are seconds since this day's midnight in the shop's zone, eight hours ahead of UTC."""
MIDNIGHT_UTC_S = (FIRST - date(1970, 1, 1)).days * 86400 - 8 * 3600
NOBODY = Roster()
POLARS = {
    "key": pl.Int64, "int": pl.Int64, "money": pl.Int64, "time": pl.Int64, "date": pl.Date, "bool": pl.Boolean,
    "float": pl.Float64, "code": pl.String, "text": pl.String,
}  # fmt: skip
IBIS = {**dict.fromkeys(("key", "int", "money", "time"), "int64"), "date": "date", "bool": "boolean", "float": "float64"}


@dataclass(frozen=True)
class Line:
    """One message: seconds since the first midnight, who wrote it, and what matters of it."""

    at: int
    kind: str = "customer"
    customer: int = 1
    agent: int = 11
    product: int | None = None
    chars: int = 5
    row: int = 0

    @property
    def us(self) -> int:
        return micros(self.at)

    @property
    def day(self) -> date:
        return day_of(self.at)

    @property
    def row_key(self) -> int:
        return 10_000 + self.row


@dataclass(frozen=True)
class Order:
    """One order; `paid` and `created` are seconds since the first midnight."""

    key: int
    created: int
    paid: int | None = None
    customer: int | None = 1
    gross: int = 9900
    refund: int = 0
    items: int | None = 2


def clock(text: str, day: int = 0) -> int:
    """ "10:10:15" of a day as seconds since the first midnight."""
    h, m, s = (int(p) for p in text.split(":"))
    return day * 86400 + h * 3600 + m * 60 + s


def micros(at: int) -> int:
    return (MIDNIGHT_UTC_S + at) * 1_000_000


def day_of(at: int) -> date:
    return FIRST + timedelta(days=at // 86400)


def numbered(lines: Sequence[Line]) -> list[Line]:
    """Lines with rows in the order given: what decides between equal times."""
    return [Line(x.at, x.kind, x.customer, x.agent, x.product, x.chars, i + 2) for i, x in enumerate(lines)]


def frame(table: str, rows: list[dict[str, Any]], system: bool = True) -> pl.DataFrame:
    """Rows as the lake would store them; columns that are not given are null."""
    columns = TABLES[table].stored if system else TABLES[table].columns
    schema = {c.name: POLARS[c.type] for c in columns}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def message_rows(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {
            "shop_key": 7, "customer_key": x.customer, "agent_key": x.agent, "sent_at": x.us, "day": x.day,
            "second": x.at % 86400, "kind": x.kind, "text": "…", "text_hash": 1, "chars": x.chars,
            "product_key": x.product, "row_key": x.row_key, "load": 1, "row": x.row,
        }
        for x in lines
    ]  # fmt: skip


def order_rows(orders: Sequence[Order]) -> list[dict[str, Any]]:
    return [
        {
            "shop_key": 7, "order_key": o.key, "order_id": str(o.key), "customer_key": o.customer,
            "created_at": micros(o.created), "day": day_of(o.created), "second": o.created % 86400, "prepaid": True,
            "currency": "CNY", "items": o.items, "paid_at": None if o.paid is None else micros(o.paid),
            "paid_day": None if o.paid is None else day_of(o.paid),
            "placed_fen": o.gross, "gross_fen": 0 if o.paid is None else o.gross, "refund_fen": o.refund, "row_key": o.key,
            "load": 1, "row": i + 2,
        }
        for i, o in enumerate(orders)
    ]  # fmt: skip


def unbound(name: str) -> Any:
    """A table of the lake as an expression without an engine."""
    table: Table = TABLES[name]
    return ibis.table({c.name: IBIS.get(c.type, "string") for c in table.stored}, name=name)


def makers(
    pack: RulePack, roster: Roster = NOBODY, *, refunds: bool = False, lines: bool = False, streamed: bool = False
) -> dict[str, Callable[[], Any]]:
    """What makes each fact expression over tables named like the lake's, in the order in which they can be computed."""
    messages, orders = unbound("messages"), unbound("orders")
    made: dict[str, Callable[[], Any]] = {
        "turns": cache(lambda: turns(messages, pack, streamed=streamed)), "asides": cache(lambda: asides(messages))
    }  # fmt: skip

    def of(name: str) -> Any:
        return ibis.table(made[name]().schema(), name=name)

    return made | {
        "rounds": lambda: rounds(of("turns"), roster, streamed=streamed),
        "sessions": lambda: sessions(of("turns"), streamed=streamed),
        "receptions": lambda: receptions(daily_talk(of("turns")), of("asides"), unbound("rounds"), pack=pack, roster=roster),
        "order_service": lambda: order_service(orders, unbound("sessions"), pack=pack),
        "order_facts": lambda: order_facts(
            orders, first_payments(orders), service=unbound("order_service"), pack=pack,
            refunds=unbound("refunds") if refunds else None, lines=unbound("order_lines") if lines else None,
        ),
        "inquiries": lambda: inquiries(
            unbound("receptions"), unbound("order_facts"), first_payments(orders), unbound("order_service"), pack=pack, roster=roster
        ),
    }  # fmt: skip


def expressions(pack: RulePack, roster: Roster = NOBODY, **more: bool) -> dict[str, Any]:
    """Every fact expression."""
    return {name: make() for name, make in makers(pack, roster, **more).items()}


@cache
def compiled(op: Any) -> str:
    """An expression as SQL, as the embedded engine has it; what shops under different rules share is compiled once."""
    ibis.options.sql.fuse_selects = False
    return str(ibis.to_sql(op.to_expr(), dialect="duckdb"))


class Shop:
    """Fact expressions, each made and compiled once when first needed, not when tests are collected; run over any rows."""

    def __init__(
        self, pack: RulePack, roster: Roster = NOBODY, *, refunds: bool = False, lines: bool = False, streamed: bool = True
    ) -> None:
        self._make = makers(pack, roster, refunds=refunds, lines=lines, streamed=streamed)
        self._sql: dict[str, str] = {}

    @cached_property
    def _db(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(config={"threads": 1})

    def facts(
        self, lines: Sequence[Line], orders: Sequence[Order] = (), *, upto: str = "inquiries", **more: list[dict[str, Any]]
    ) -> dict[str, list[dict[str, Any]]]:
        """Rows of the fact tables by their keys, in the order of `expressions`, up to one; `more`: refunds, order_lines."""
        for name, rows in {"messages": message_rows(lines), "orders": order_rows(orders), **more}.items():
            self._db.register("incoming", frame(name, rows).to_arrow())
            self._db.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM incoming").fetchall()
            self._db.unregister("incoming")
        names = list(self._make)
        names = names[: names.index(upto) + 1]
        return {name: self._compute(name) for name in names}

    def _compute(self, name: str) -> list[dict[str, Any]]:
        if name not in self._sql:
            self._sql[name] = compiled(self._make[name]().op())
        self._db.execute(f"CREATE OR REPLACE TABLE {name} AS {self._sql[name]}").fetchall()
        if name not in TABLES:
            return []
        key = ", ".join(TABLES[name].key)
        rows = pl.DataFrame(pl.from_arrow(self._db.sql(f"SELECT * FROM {name} ORDER BY {key}").to_arrow_table()))
        return rows.select(pl.col(c.name).cast(POLARS[c.type]) for c in TABLES[name].columns).to_dicts()
