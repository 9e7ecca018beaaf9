"""Rows in an order: each sees what stands before and after it among the rows of its customer and account."""

from typing import Any, TypeAlias

import ibis

from huitou.facts.shape import Expr, Rows

PAIR = ("customer_key", "agent_key")

Named: TypeAlias = dict[str, Expr]
"""Columns of the ordered rows under names of their own."""
Seen: TypeAlias = dict[str, Expr | tuple[Expr, Any]]
"""Columns under names of their own; with one, what stands at the ends of a pair, where none is to be seen; else a null."""


class InOrder:
    """Rows in the order of `by` inside each customer and account; `rows` is what its columns are to be taken from.

    `streamed`: sorted once as a whole and read in one pass, which halves the work, in an engine that hands rows on in the order
    in which they were sorted and stored (the embedded one); with `by` empty they already are. Else by windows, in any engine.
    Both give the same, but for `so_far` and `place`: streamed, they go on from pair to pair, so only differences mean anything.
    """

    def __init__(self, rows: Rows, by: tuple[str, ...], *, streamed: bool) -> None:
        self.rows = rows.order_by([*PAIR, *by]) if streamed and by else rows
        self._streamed = streamed
        order = {} if streamed else {"group_by": list(PAIR), "order_by": [self.rows[name] for name in by]}
        self._run, self._so_far = ibis.window(**order), ibis.window(**order, preceding=(None, 0))

    def place(self) -> Expr:
        """0, 1, 2… along the order."""
        return ibis.row_number().over(self._run)

    def so_far(self, column: Expr) -> Expr:
        """Sum up to and with each row, as the int64 that it is declared to be: some engines widen sums."""
        return column.sum().over(self._so_far).cast("uint64" if self._streamed else "float64").cast("int64")

    def seeing(self, *, before: Seen, after: Seen, more: Named | None = None) -> Rows:
        """The rows with columns of the one before and the one after, and `more` of their own."""
        sides = {"before": before, "after": after}
        asked = [(name, side, *_or_null(column)) for side, seen in sides.items() for name, column in seen.items()]
        seen = {name: self._beside(side, column, none) for name, side, column, none in asked}
        if not self._streamed:
            return self.rows.mutate(**seen, **(more or {}))
        keys = {f"{key}_{side}": self._beside(side, self.rows[key], None) for side in sides for key in PAIR}
        found = self.rows.mutate(**seen, **keys, **(more or {}))
        same = {side: ibis.and_(*(found[f"{key}_{side}"] == found[key] for key in PAIR)).fill_null(False) for side in sides}
        ends = {name: ibis.null(column.type()) if none is None else none for name, _, column, none in asked}
        own = {name: ibis.ifelse(same[side], found[name], ends[name]) for name, side, _, _ in asked}
        return found.mutate(**own).drop(*keys)

    def _beside(self, side: str, column: Expr, none: Any) -> Expr:
        look = column.lag if side == "before" else column.lead
        return look(default=none).over(self._run)


def _or_null(column: Expr | tuple[Expr, Any]) -> tuple[Expr, Any]:
    return column if isinstance(column, tuple) else (column, None)
