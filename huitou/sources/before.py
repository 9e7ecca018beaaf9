"""Whether a file is smaller than the last one of its source: an export that was cut between two rows shows nowhere else.

Comes in: the ledger's last load of the source, and what the file holds. Goes out: what to tell, or None.
"""

from dataclasses import dataclass
from datetime import date

from huitou.errors import Say
from huitou.lake.ledger import LoadReport

_FEWER, _FAR_FEWER = 0.8, 0.5
"""Of the rows before: where the days overlap, and where they do not."""


@dataclass(frozen=True, slots=True)
class Before:
    """The load that a file falls short of, and by which share of its rows (0–1)."""

    load: LoadReport
    fewer: float

    @property
    def says(self) -> Say:
        """What it was, how much less this is, and what that may mean."""
        b = self.load
        return Say(
            f"比上次同类文件少 {self.fewer:.0%} 的行："
            f"第 {b.number} 次导入有 {b.rows_read:,} 行（{b.first_day} 至 {b.last_day}）。"
            "如果选的日期一样，可能没有导完，请核对行数",
            f"{self.fewer:.0%} fewer rows than the last file of its kind: import {b.number} had {b.rows_read:,} "
            f"({b.first_day} to {b.last_day}). If the days chosen were the same it may have been cut: please check the rows",
        )


def shrunk(load: LoadReport | None, rows: int, days: tuple[date, date] | None) -> Before | None:
    """Something to tell where the last load of the source, `load`, shares the first or the last day and had more rows; or
    where this file has far fewer."""
    if load is None or days is None or load.first_day is None or load.last_day is None or rows >= load.rows_read:
        return None
    overlap = days[0] <= load.last_day and load.first_day <= days[1]
    same_end = days[0] == load.first_day or days[1] == load.last_day
    share = rows / load.rows_read
    return Before(load, 1 - share) if same_end or share < (_FEWER if overlap else _FAR_FEWER) else None
