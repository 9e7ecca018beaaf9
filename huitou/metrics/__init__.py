"""Declared numbers over facts: one function per metric, one file per field.

Comes in: a pinned snapshot of the lake (fact tables, reviews, traffic), the shop's settings and a rule pack. Goes out:
`Cell`s with value, numerator, denominator, n, 95 % interval and status, for the whole shop or by any allowed dimension,
and the rows behind them.
"""

from huitou.metrics import conversion, orders, quality, refunds, reviews, scores, service, traffic
from huitou.metrics.compute import compute, covered, default_period
from huitou.metrics.declare import METRICS, Metric, catalog, metric
from huitou.metrics.model import Cell
from huitou.metrics.needs import NEEDS, needs_zh
from huitou.metrics.population import DIMENSIONS, NONE, POPULATIONS
from huitou.metrics.rows import rows

FIELDS = (conversion, quality, service, orders, refunds, reviews, traffic, scores)
"""The modules that declare the built-in metrics, one per field of the trade."""

__all__ = [
    "DIMENSIONS", "FIELDS", "METRICS", "NEEDS", "NONE", "POPULATIONS", "Cell", "Metric", "catalog", "compute", "covered",
    "default_period", "metric", "needs_zh", "rows",
]  # fmt: skip
