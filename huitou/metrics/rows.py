"""The rows behind a number: what was counted, readable, with the keys that open the messages and orders."""

from collections.abc import Mapping

import polars as pl

from huitou.errors import NeedsData, Say
from huitou.lake.settings import Settings
from huitou.metrics.compute import checked_period, missing, stock_under
from huitou.metrics.declare import declared
from huitou.metrics.measures import Fact, Measure
from huitou.metrics.needs import NEEDS, Reader
from huitou.metrics.population import Period, Scope, World, accounts, check, population, short_code, shown
from huitou.rules import RulePack
from huitou.tables import TABLES, Column

ORDER_OF_ROWS = ("asked_at", "first_at", "created_at", "day")


def rows(  # noqa: PLR0913 (a cell's own arguments, and how many rows)
    snapshot: Reader,
    settings: Settings,
    pack: RulePack,
    name: str,
    *,
    by: tuple[str, ...] = (),
    period: Period | None = None,
    where: Mapping[str, str] | None = None,
    limit: int = 1000,
) -> pl.DataFrame:
    """The first `limit` rows that the metric counts, by time: those in n and those still open.

    Columns: one per dimension of `by`; the fact's columns: times as local text, `customer_code`, `agent` as account,
    `product` as title, money in yuan (``gross_fen`` → ``gross_yuan``); `counted` (false: still open) and `outcome` (what
    the numerator or the value takes from the row; absent for plain counts); all keys as they are, last.
    Raises UnknownName as `compute` does, NeedsData where the number itself would say "needs …".
    """
    m = declared(name)
    scope = Scope(tuple(by), checked_period(period), dict(where or {}))
    check(m.dims, name, scope)
    world = World(stock_under(snapshot, pack), settings, pack, scope)
    lacking = missing(m, world)
    if lacking or m.of is None:
        need = lacking or m.needs[0]
        raise NeedsData(name, Say(NEEDS[need].zh, need))
    t = population(m.of, world)
    t = _counted(t, m.measure(t, pack))
    first = next(c for c in ORDER_OF_ROWS if c in t.columns)
    keys = [c for c in (*TABLES[m.of].key, "row_key") if c in t.columns] if m.of in TABLES else []
    return _readable(snapshot.frame(t.order_by([first, *keys]).limit(limit)), world)


def _counted(t: Fact, measure: Measure) -> Fact:
    """The rows in n or open, with `counted` and, where rows carry one, `outcome`."""
    plain = measure.value is not None and measure.kind != "per"
    kept = t.mutate(
        counted=~measure.open if measure.open is not None else True,
        among=measure.among if measure.among is not None else True,
        **({"outcome": measure.value} if plain else {}),
    )
    return kept.filter(kept.among).drop("among")


def _readable(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    """Names, local times and yuan first, keys last."""
    names = accounts(world.stock)
    known: dict[str, Column] = {c.name: c for t in TABLES.values() for c in t.stored}
    out: list[pl.Series] = []
    for dim in world.scope.by:
        out.append(pl.Series(dim, [shown(dim, v, names) for v in frame[f"d_{dim}"]], dtype=pl.String))
    keys: list[pl.Series] = []
    for series in frame:
        column = known.get(series.name)
        if series.name.startswith("d_"):
            continue
        if column is None or column.type not in ("key", "time", "money"):
            out.append(series)
        elif column.type == "time":
            out.append(_local(series, world.settings.timezone))
        elif column.type == "money":
            out.append((series / 100).alias(series.name.replace("_fen", "_yuan")))
        else:
            keys.append(series)
            out.extend(_named(series, names))
    titles = _titles(frame, world)
    first: dict[str, pl.Series] = {}
    for series in (*out, *titles, *keys):
        first.setdefault(series.name, series)  # a dimension may be a column of the fact, too
    return pl.DataFrame([*first.values()])


def _local(series: pl.Series, zone: str) -> pl.Series:
    """Microseconds UTC as "2026-05-19 20:43:07" in the shop's zone."""
    return pl.from_epoch(series, "us").dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.strftime("%Y-%m-%d %H:%M:%S")


def _named(series: pl.Series, names: dict[int, str]) -> list[pl.Series]:
    if series.name == "customer_key":
        return [pl.Series("customer_code", [None if k is None else short_code(k) for k in series], dtype=pl.String)]
    if series.name == "agent_key":
        return [pl.Series("agent", [shown("agent", k, names) for k in series], dtype=pl.String)]
    return []


def _titles(frame: pl.DataFrame, world: World) -> list[pl.Series]:
    """Titles of the products in the rows, unless they are there already."""
    if "product_key" not in frame.columns or "title" in frame.columns or not world.stock.has("products"):
        return []
    products = world.stock.snapshot.table("products")
    listed = products.filter(products.product_key.isin(frame["product_key"].drop_nulls().unique().to_list()))
    titles = dict(world.stock.snapshot.frame(listed.select("product_key", "title")).iter_rows())
    return [pl.Series("product", [titles.get(k) for k in frame["product_key"]], dtype=pl.String)]
