"""The shape of a fact expression: exactly the columns that its table declares, and joins that keep the left side's names."""

from typing import Any, TypeAlias

from huitou.tables import Table

Rows: TypeAlias = Any
"""An Ibis table expression. Its columns are attributes, which no type checker sees."""
Expr: TypeAlias = Any
"""An Ibis column expression."""

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US


def declared(rows: Rows, table: Table) -> Rows:
    """The declared columns of the table, in their order."""
    return rows.select(*(c.name for c in table.columns))


def matched(left: Rows, right: Rows, keys: tuple[str, ...]) -> Rows:
    """Left rows, each with the right row of the same keys (at most one) or nulls; `right` brings no other name of `left`."""
    joined = left.left_join(right, [left[k] == right[k] for k in keys])
    return joined.select(*(left[c] for c in left.columns), *(right[c] for c in right.columns if c not in keys))


def pairs(left: Rows, right: Rows, key: str) -> Rows:
    """Every left row with every right row of the same key; `right` brings no other name of `left`."""
    joined = left.inner_join(right, [left[key] == right[key]])
    return joined.select(*(left[c] for c in left.columns), *(right[c] for c in right.columns if c != key))
