"""Rows in an order: each sees what stands before and after it among the rows of its customer and account."""

from typing import TypeAlias

import ibis

from huitou.facts.shape import Expr, Rows

PAIR = ("customer_key", "agent_key")

Named: TypeAlias = dict[str, Expr]
"""Columns of the ordered rows under names of their own."""


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

    def seeing(self, *, before: Named, after: Named, more: Named | None = None) -> Rows:
        """The rows with columns of the one before and the one after, null at the ends of a pair, and `more` of their own."""
        seen = {name: column.lag().over(self._run) for name, column in before.items()}
        seen |= {name: column.lead().over(self._run) for name, column in after.items()}
        if not self._streamed:
            return self.rows.mutate(**seen, **(more or {}))
        keys = {f"{key}_{side}": (self.rows[key], side) for side in ("before", "after") for key in PAIR}
        seen |= {n: (key.lag() if side == "before" else key.lead()).over(self._run) for n, (key, side) in keys.items()}
        found = self.rows.mutate(**seen, **(more or {}))
        for side, names in (("before", before), ("after", after)):
            same = ibis.and_(*(found[f"{key}_{side}"] == found[key] for key in PAIR)).fill_null(False)
            found = found.mutate(**{n: ibis.ifelse(same, found[n], ibis.null(found[n].type())) for n in names})
        return found.drop(*keys)
