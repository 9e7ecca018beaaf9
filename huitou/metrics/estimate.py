"""From sums to estimates: which aggregates a measure asks of the engine, and value and interval from their answers."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huitou.metrics import intervals
from huitou.metrics.measures import Fact, Measure
from huitou.metrics.needs import Reader

Array = NDArray[np.float64]


def _split(m: Measure) -> tuple[Any, Any]:
    """The rows that count and the rows that still wait; None: all, and none."""
    if m.open is None:
        return m.among, None
    return (~m.open, m.open) if m.among is None else (m.among & ~m.open, m.among & m.open)


def key_flags(m: Measure) -> dict[str, Any]:
    """Of a measure of distinct keys: the rows by which a key is in n, has the outcome, waits. Missing n: by any row."""
    counted, waiting = _split(m)
    flags = {} if counted is None else {"n": counted}
    if m.kind == "share":
        flags["k"] = m.value if counted is None else counted & m.value
    return flags if waiting is None else flags | {"open": waiting}


def flat_aggregates(t: Fact, m: Measure) -> dict[str, Any]:
    """The aggregates of a plain measure of rows, as Ibis scalars of the table it was declared on."""
    counted, waiting = _split(m)
    if m.value is not None:
        filled = m.value.notnull() if m.over is None else m.value.notnull() & m.over.notnull()
        counted = filled if counted is None else counted & filled
    found = {"n": t.count(where=counted)} | _sums(t, m, counted)
    return found if waiting is None else found | {"open": t.count(where=waiting)}


def _sums(t: Fact, m: Measure, counted: Any) -> dict[str, Any]:
    if m.kind == "share":
        return {"k": t.count(where=counted & m.value)}
    if m.kind == "count":
        return {}
    y = m.value.cast("float64")
    if m.kind == "mean":
        return {"sum": y.sum(where=counted), "sd": y.std(where=counted, how="sample")}
    if m.kind == "total":
        return {"sum": m.value.sum(where=counted)}
    x = m.over.cast("float64")
    products = {"yy": y * y, "xy": x * y, "xx": x * x, "y": y, "x": x}
    return {name: product.sum(where=counted) for name, product in products.items()}


def estimate(m: Measure, frame: pl.DataFrame) -> pl.DataFrame:
    """Value, numerator, denominator, n, interval and open count per row of aggregates; NaN where there is none."""
    column = {c: _floats(frame, c) for c in frame.columns if not c.startswith(("d_", "k_"))}
    n, nothing = column["n"], np.full(frame.height, np.nan)
    made = {"n": n, "open": column.get("open", np.zeros(frame.height)), "numerator": nothing, "denominator": nothing}
    made |= {"low": nothing, "high": nothing}
    with np.errstate(invalid="ignore", divide="ignore"):
        made |= _ESTIMATES[m.kind](m, column)
    return pl.DataFrame(made)


def _floats(frame: pl.DataFrame, column: str) -> Array:
    return frame[column].cast(pl.Float64).fill_null(0.0 if column != "sd" else float("nan")).to_numpy()


def _share(m: Measure, c: dict[str, Array]) -> dict[str, Any]:
    k = c["n"] - c["k"] if m.never else c["k"]
    low, high = intervals.wilson(k, c["n"])
    return {"value": k / c["n"], "numerator": k, "denominator": c["n"], "low": low, "high": high}


def _mean(m: Measure, c: dict[str, Array]) -> dict[str, Any]:
    value = c["sum"] / c["n"]
    low, high = intervals.mean_t(value, c["sd"], c["n"]) if m.sampled else (value * np.nan, value * np.nan)
    return {"value": value, "numerator": c["sum"], "denominator": c["n"], "low": low, "high": high}


def _total(m: Measure, c: dict[str, Array]) -> dict[str, Any]:
    return {"value": c["sum"]}


def _count(m: Measure, c: dict[str, Array]) -> dict[str, Any]:
    return {"value": c["n"]}


def _ratio(m: Measure, c: dict[str, Array]) -> dict[str, Any]:
    low, high = intervals.ratio_of_sums(c["n"], (c["y"], c["x"]), (c["yy"], c["xy"], c["xx"]))
    return {"value": c["y"] / c["x"], "numerator": c["y"], "denominator": c["x"], "low": low, "high": high}


def _of_shop(m: Measure, c: dict[str, Array]) -> dict[str, Any]:
    sums, squares = (c["y"], c["shop_x"]), (c["yy"], c["xy"], c["shop_xx"])
    low, high = intervals.ratio_of_sums(c["shop_n"], sums, squares)
    value = c["y"] / c["shop_x"]
    found = {"value": value, "numerator": c["y"], "denominator": c["shop_x"], "n": c["shop_n"]}
    return found | {"low": np.maximum(low, 0), "high": np.minimum(high, 1)}


def _uplift(m: Measure, c: dict[str, Array]) -> dict[str, Any]:
    part, shop = c["sum"] / c["n"], c["shop_sum"] / c["shop_n"]
    low, high = intervals.mean_t(part, c["sd"], c["n"])
    found = {"value": part / shop - 1, "numerator": part, "denominator": shop}
    return found | {"low": low / shop - 1, "high": high / shop - 1}


_ESTIMATES = {
    "share": _share, "mean": _mean, "total": _total, "count": _count, "distinct": _count, "ratio": _ratio,
    "of_shop": _of_shop, "uplift": _uplift,
}  # fmt: skip


def quantiles(snapshot: Reader, t: Fact, m: Measure, dims: list[str], keys: dict[str, str]) -> pl.DataFrame:
    """The p-quantile per group from the counted distribution of values, the same on every engine.

    Interpolated linearly between the two order statistics around (n − 1)·p; the interval's ends are order statistics.
    """
    t = t.mutate(x=m.value.cast("float64"))
    t = t.filter(t.x.notnull() if m.among is None else m.among & t.x.notnull())
    found = {"times": t.count()} | {name: t[column].min() for name, column in keys.items()}
    spread = snapshot.frame(t.group_by([*dims, "x"]).aggregate(**found))
    groups = spread.sort("x").partition_by(dims, maintain_order=True) if dims else [spread.sort("x")]
    rows = [_quantile(group, m.p) | {c: group[c][0] for c in (*dims, *keys)} for group in groups if group.height]
    if not rows and not dims:
        rows = [dict.fromkeys(("value", "numerator", "denominator", "low", "high")) | {"n": 0, "rows": 0, "open": 0}]
    return pl.DataFrame(rows, infer_schema_length=None)


def _quantile(group: pl.DataFrame, p: float) -> dict[str, Any]:
    x, reached = group["x"].to_numpy(), group["times"].cum_sum().to_numpy()
    n = int(reached[-1])

    def at(rank: int) -> float:
        return float(x[np.searchsorted(reached, rank)])

    position = (n - 1) * p
    below = int(position)
    value = at(below + 1) + (position - below) * (at(min(below + 2, n)) - at(below + 1))
    low, high = (int(r) for r in intervals.quantile_ranks(n, p))
    ends = {"low": at(low) if low else None, "high": at(high) if high else None}
    return {"value": round(value, 9), "numerator": None, "denominator": None, "n": n, "rows": n, "open": 0} | ends
