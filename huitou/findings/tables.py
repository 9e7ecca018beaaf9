"""The tables of what was lost and why: reasons × products, each cell with its share, its agents and its chats."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import polars as pl

from huitou.findings import evidence
from huitou.findings.case import SILENT, Case
from huitou.findings.conversion import plainest
from huitou.findings.model import Evidence, Example, Reason, Table
from huitou.findings.remedies import remedy
from huitou.findings.reviews import WHOLE, quotes
from huitou.findings.stats import difference, share, z_for

COLUMNS = 5
"""Products with a column of their own; the others share the last one."""
LEAST_CELL = 5
"""A cell with fewer is not said to stand out."""
QUOTED = 6
"""The most frequent reasons that are shown with a conversation."""
EXAMPLES_A_CELL, MOST_EXAMPLES = 3, 1500
OTHERS = -1
Kind = Literal["loss", "unpaid", "reviews"]
TAXONOMY: dict[Kind, str] = {"loss": "loss", "unpaid": "unpaid", "reviews": "aspects"}
REPLACED = "replaced"
"""Of an unpaid order: the customer paid for another one instead, so that no sale was lost."""


def tables(case: Case) -> tuple[Table, ...]:
    """Every table for which there is data."""
    return tuple(t for t in (loss(case), unpaid(case), issues(case)) if t is not None)


def loss(case: Case) -> Table | None:
    """Why inquiries led to no order: the inquiry-loss table."""
    if not case.has("inquiry_reasons", "orders") or case.lost.is_empty():
        return None
    rows = case.lost.select("reason", "agent_key", "day", "product_key", "customer_key", "certainty", "evidence")
    top = [r for r in _by_count(rows, "reason") if r != SILENT][:QUOTED]
    proof = evidence.of_chats(case, pl.concat([plainest(case, code).head(1) for code in top])) if top else {}
    return _table(case, "loss", rows, proof, _chats(case, rows))


def unpaid(case: Case) -> Table | None:
    """Why orders were not paid; those that the customer replaced by another, paid one stand apart."""
    if case.unpaid.is_empty():
        return None
    orders = case.snapshot.table("order_facts").select("order_key", "product_key")
    goods = case.frame(orders.semi_join(case.during("unpaid_reasons"), "order_key"))
    replaced = pl.col("replaced_by").is_not_null()
    rows = case.unpaid.join(goods, on="order_key", how="left").with_columns(
        reason=pl.when(replaced).then(pl.lit(REPLACED)).otherwise("reason"),
        evidence=pl.when(pl.col("message_key").is_not_null()).then(pl.concat_list("message_key")).fill_null([]),
        certainty=pl.col("after").cast(pl.Float64),
    )
    last: dict[str, tuple[int, str, str]] = {}
    for code in [r for r in _by_count(rows, "reason") if r not in (REPLACED, "unknown")][:QUOTED]:
        told = rows.filter(pl.col("reason") == code, pl.col("after")).sort("created_at", "order_key")
        leaf = case.leaf("unpaid", code)
        last |= {code: (told["message_key"][-1], leaf.zh, leaf.en)} if told.height else {}
    proof: dict[str, tuple[Evidence, ...]] = {code: (one,) for code, one in evidence.around(case, "unpaid", last).items()}
    return _table(case, "unpaid", rows, proof, _chats(case, rows))


def issues(case: Case) -> Table | None:
    """What usable reviews complain of, good ones too: each review counts once for an aspect."""
    if not case.has("review_clauses"):
        return None
    r = case.during("review_readings")
    n = int(case.frame(r.filter(r.usable == "usable").count())[0, 0])
    said = case.complaints
    if not n or said.is_empty():
        return None
    goods = case.reviewed
    rows = said.unique(["review_key", "aspect"], maintain_order=True).drop("product_key").join(goods, on="review_key", how="left")
    rows = rows.rename({"aspect": "reason"}).with_columns(agent_key=pl.lit(None, pl.Int64))
    proof: dict[str, tuple[Evidence, ...]] = {}
    for code in _by_count(rows, "reason")[:QUOTED]:
        leaf = case.leaf("aspects", code)
        told = said.filter(aspect=code).sort("day", "review_key", descending=[True, False])
        proof[code] = tuple(quotes(case, told, most=2, zh=leaf.zh, en=leaf.en))
    totals = goods.join(case.frame(r.filter(r.usable == "usable").select("review_key")), on="review_key", how="semi")
    return _table(case, "reviews", rows, proof, _reviews(case, said, rows), of=(n, totals))


def _by_count(rows: pl.DataFrame, column: str) -> list[Any]:
    counts = rows[column].value_counts(sort=True).sort("count", column, descending=[True, False])
    return counts[column].to_list()


def _table(
    case: Case,
    kind: Kind,
    rows: pl.DataFrame,
    proof: dict[str, tuple[Evidence, ...]],
    examples: dict[str, tuple[Example, ...]],
    *,
    of: tuple[int, pl.DataFrame] | None = None,
) -> Table:
    """Counts of `rows` (reason, product_key, agent_key, day), one row a unit and reason; `of`: the units and their products."""
    listing = {key: case.listings[name] for key, name in case.products.items()}
    same = pl.col("product_key").replace_strict(listing, default=None, return_dtype=pl.Int64)
    rows = rows.with_columns(same)
    n, units = (of[0], of[1].with_columns(same)) if of else (rows.height, rows)
    columns = [p for p in _by_count(rows.drop_nulls("product_key"), "product_key") if p in case.products][:COLUMNS]
    placed = rows.with_columns(column=_column(columns))
    totals: dict[int, int] = dict(units.select(_column(columns).alias("column")).group_by("column").len().iter_rows())
    keys = [*columns, OTHERS]
    counts = {(r, c): k for r, c, k in placed.group_by("reason", "column").len().iter_rows()}
    order: list[str] = sorted(_by_count(rows, "reason"), key=lambda code: code == WHOLE)
    out = []
    z = z_for(len(order) * len(keys))
    for code in order:
        cells = tuple(counts.get((code, key), 0) for key in keys)
        reason = _reason(case, kind, code, rows.filter(pl.col("reason") == code), n)
        outstanding = _outstanding(cells, keys, totals, z)
        out.append(replace(reason, cells=cells, stands_out=outstanding, evidence=proof.get(code, ())))
    names = tuple(case.products[p] for p in columns)
    return Table(kind, n, names, tuple(totals.get(k, 0) for k in keys), tuple(out), examples)


def _column(columns: Sequence[int]) -> pl.Expr:
    return pl.when(pl.col("product_key").is_in(list(columns))).then("product_key").otherwise(pl.lit(OTHERS, pl.Int64))


def _outstanding(cells: Sequence[int], keys: Sequence[int], totals: dict[int, int], z: float) -> tuple[int, ...]:
    """How far each column's share of a reason lies above that of the other columns; 0 where it is no clear difference."""
    out = []
    whole, units = sum(cells), sum(totals.get(key, 0) for key in keys)
    for k, key in zip(cells, keys, strict=True):
        n = totals.get(key, 0)
        if k < LEAST_CELL or n >= units or not n:
            out.append(0)
            continue
        own, rest = share(min(k, n), n), share(min(whole - k, units - n), units - n)
        clear = difference(own, rest, z).low > 0
        out.append(min(6, max(1, round(2 * own.value / max(rest.value, 0.01)) - 1)) if clear else 0)
    return tuple(out)


def _reason(case: Case, kind: Kind, code: str, own: pl.DataFrame, n: int) -> Reason:
    """One row of a table, without its cells."""
    leaf, e = case.leaf(TAXONOMY[kind], code), share(min(own.height, n), n)
    zh, en, who = leaf.zh, leaf.en, "unknown" if code.startswith("unknown") else str(leaf.who)
    if code == REPLACED:
        zh, en, who = "另拍一单付了款（不算流失）", "paid in another order (not lost)", "unknown"
    agents = own.drop_nulls("agent_key")["agent_key"].value_counts(sort=True).sort("count", "agent_key", descending=[True, False])
    named = tuple((case.agents[a], k) for a, k in agents.iter_rows() if a in case.agents)
    fix = remedy(leaf) if leaf.remedy.zh and code != REPLACED else None
    weeks = _weeks(case, own)
    return Reason(code, zh, en, who, own.height, e.value, e.low, e.high, (), (), weeks, named, fix, (), lost=code != REPLACED)


def _weeks(case: Case, own: pl.DataFrame) -> tuple[int, ...]:
    """Counts of the period's whole weeks, counted back from its end."""
    first, last = case.period
    n = ((last - first).days + 1) // 7
    back = dict(own.select(((pl.lit(last) - pl.col("day")).dt.total_days() // 7).alias("w")).group_by("w").len().iter_rows())
    return tuple(back.get(w, 0) for w in range(n - 1, -1, -1))


def _chats(case: Case, rows: pl.DataFrame) -> dict[str, tuple[Example, ...]]:
    """For each reason, product and agent the chats that show it most plainly, with the words that do."""
    kept = _spread(rows.filter(pl.col("evidence").list.len() > 0), ["certainty", "day", "customer_key"])
    keys = kept["evidence"].list.first().to_list()
    texts = dict(case.frame(case.of_keys("messages", "row_key", keys).select("row_key", "text")).iter_rows()) if keys else {}
    out: dict[str, list[Example]] = {}
    for row, key in zip(kept.iter_rows(named=True), keys, strict=True):
        out.setdefault(row["reason"], []).append(_example(case, row, texts.get(key, ""), key))
    return {code: tuple(found) for code, found in out.items()}


def _reviews(case: Case, said: pl.DataFrame, rows: pl.DataFrame) -> dict[str, tuple[Example, ...]]:
    """For each aspect and product the newest reviews that complain of it, with the clause that does."""
    kept = _spread(rows.with_columns(certainty=pl.lit(1.0)), ["day", "review_key"])
    keys = kept["review_key"].unique().to_list()
    found = case.of_keys("reviews", "row_key", keys).select("row_key", "text", "append_text") if keys else None
    texts = pl.DataFrame() if found is None else case.frame(found)
    known = {key: (text, more) for key, text, more in texts.iter_rows()}
    out: dict[str, list[Example]] = {}
    for row in kept.iter_rows(named=True):
        text, more = known.get(row["review_key"], ("", ""))
        clause = ((text if row["part"] == "text" else more) or "")[row["start"] : row["end"]]
        out.setdefault(row["reason"], []).append(_example(case, row, clause, row["review_key"]))
    return {code: tuple(found) for code, found in out.items()}


def _spread(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """A few rows for each reason, product and agent, at most `MOST_EXAMPLES` in all."""
    ranked = rows.sort(keys, descending=[k in ("certainty", "day") for k in keys])
    nth = pl.int_range(pl.len()).over("reason", "product_key", "agent_key")
    return (
        ranked.with_columns(nth=nth).filter(pl.col("nth") < EXAMPLES_A_CELL).sort("nth", maintain_order=True).head(MOST_EXAMPLES)
    )


def _example(case: Case, row: dict[str, Any], text: str, key: int) -> Example:
    agent, product = case.agents.get(row["agent_key"], ""), case.products.get(row["product_key"], "")
    return Example(evidence.customer_code(row["customer_key"]), row["day"], agent, product, text, key)
