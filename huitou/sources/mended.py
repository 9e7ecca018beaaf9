"""What an import makes of a mended table: cells as they were before they were guarded, and the problems that it settles."""

import re

import polars as pl

from huitou.lake.ledger import Ledger, LoadReport
from huitou.sources.layout import MARKS, Placed, heading, width
from huitou.sources.model import Head
from huitou.sources.table import slabs

_MARK = r"^'?P(\d+)R(\d+)-([0-9a-f]{6})$"


def mark(load: LoadReport, row: int) -> str:
    """The number of a problem, as a spreadsheet leaves it: import, row, and the beginning of the file's SHA-256."""
    return f"P{load.number}R{row}-{load.sha256[:6]}"


def settle(ledger: Ledger, head: Head, load: LoadReport) -> int:
    """Note which older problems the rows of a file stand for: stored rows are mended, others are listed anew.

    Returns how many are mended; 0 for a file that is no mended one.
    """
    at = next((i for i, row in enumerate(head.rows) if MARKS[0] in map(heading, row)), None)
    if at is None:
        return 0
    header = head.rows[at]
    column = [heading(cell) for cell in header].index(MARKS[0])
    number = load.repeats_of or load.number
    sums = {one.number: one.sha256[:6] for one in ledger.loads() if one.number != number}
    bad = {r.row for r in ledger.quarantine.rows(number)}
    found: list[tuple[int, int, bool]] = []
    for slab in slabs(head, Placed(at + 1, header, width(head, at), {"mark": column}, 0)):
        marks = slab.frame.select(pl.col(str(column)).fill_null("").str.strip_chars(), "row")
        for text, row in marks.iter_rows():
            told = re.match(_MARK, text)
            if told and sums.get(int(told[1])) == told[3]:
                found.append((int(told[1]), int(told[2]), row not in bad))
    ledger.quarantine.settle(found, number)
    return sum(mended for _, _, mended in found)
