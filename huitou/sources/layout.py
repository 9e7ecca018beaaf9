"""What an export's columns are: found by their headings, wherever the header stands, then read as typed cells.

Comes in: a file's head and its raw text columns. Goes out: typed columns by field name, and one Problem per row that
cannot be read.
"""

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import Literal

import polars as pl

from huitou.errors import FileRefused, Problem, Say
from huitou.sources import cells
from huitou.sources.keys import encoded, repeated
from huitou.sources.model import Head
from huitou.sources.reasons import VALUES, problem

Kind = Literal["prose", "text", "code", "id", "money", "count", "number", "share", "time", "instant", "date"]
"""``prose`` free text as typed, «nothing» is null where it is not needed · ``text`` short text, «nothing» is null · ``code`` the
same out of Excel's text marks · ``id`` a code that Excel may have rounded · ``money`` yuan → fen · ``time`` → three columns: UTC
µs, day, second · ``instant`` the same, also of seconds or milliseconds since 1970."""


MARKS = ("问题编号", "问题原因", "怎么改", "问题列")
"""Headings that `huitou problems --export` puts before a file's own, and an import of the mended file reads past."""

TOTALS = (
    r"(?i)^(?:(?:店铺|全店|同行|同层)?.{0,4}(?:汇总|合计|总计|小计|平均|均值).{0,12}"
    r"|共\s*[\d,]+\s*[条行笔单个].{0,6}|(?:grand |sub)?totals?:?)$"
)
"""The first cell of a row that adds up the others."""


@lru_cache(4096)
def heading(cell: str) -> str:
    """A heading as headings are compared: no white space, half-width signs, ``->`` for ``→``, lower case, and without
    the star of a cell that a form wants filled."""
    text = unicodedata.normalize("NFKC", cell).replace("→", "->").replace("\ufeff", "")
    return re.sub(r'[\s="\'*]', "", text).lower()


def headings(text: str) -> tuple[str, ...]:
    """A list of headings written as words with white space between them."""
    return tuple(text.split())


@dataclass(frozen=True, slots=True)
class Field:
    """One column that a source reads. `needed`: without the column the file is refused; `filled`: without a value the
    row is set aside; `nulls`: texts that mean «nothing» here; `absent`: the note (of `reasons.NOTES`) that tells what is done
    without the column, where that changes numbers."""

    name: str
    kind: Kind
    headings: tuple[str, ...]
    needed: bool = False
    filled: bool = False
    nulls: tuple[str, ...] = ()
    absent: str = ""

    @property
    def nothing(self) -> tuple[str, ...]:
        """What means «nothing» where people write: a sign such as ``-`` may be all that a needed text says."""
        return self.nulls if self.needed else (*self.nulls, *cells.NULLS)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a layout stands in one file: `header_row` as a person counts (0: the file has none of its own), the cells of
    a row, the position of each field found, and how many headings no field knows."""

    header_row: int
    header: tuple[str, ...]
    width: int
    positions: dict[str, int]
    unknown: int

    def column(self, name: str) -> str:
        """The file's own heading of a field."""
        return self.header[self.positions[name]]


@dataclass(frozen=True)
class Layout:
    """The columns of one export. `telling`: headings that together tell it from other exports; `ignored`: official
    headings that are not read, so that only really new ones count as unknown."""

    fields: tuple[Field, ...]
    telling: tuple[str, ...]
    ignored: tuple[str, ...] = ()

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(heading(h) for field in self.fields for h in field.headings)

    def sure(self, head: Head) -> int:
        """0 (another file) … 100: all needed columns and all telling headings are there."""
        if not head.rows:
            return 0
        found = {heading(cell) for cell in head.rows[_header_index(head, self._known)]}
        told = sum(any(heading(h) in found for h in t.split("|")) for t in self.telling) / len(self.telling)
        if all(any(heading(h) in found for h in field.headings) for field in self.fields if field.needed):
            return int(60 + 40 * told) if told >= 0.5 else 0
        return int(50 * told) if told >= 0.6 else 0

    def place(self, head: Head) -> Placed:
        """Find the header. Raises FileRefused that names a needed column that is missing and the nearest heading."""
        row = _header_index(head, self._known)
        header = head.rows[row]
        found = {field.name: _first_present(field.headings, header) for field in self.fields}
        positions = {name: at for name, at in found.items() if at is not None}
        for field in self.fields:
            if field.needed and field.name not in positions:
                raise _missing(head, header, field)
        first = 0 if head.kind in ("jsonl", "parquet") else row + 1
        return Placed(first, header, width(head, row), positions, len(self.unknown(header)))

    def unknown(self, header: tuple[str, ...]) -> list[str]:
        """The headings that neither a field reads nor the platform is known to write."""
        known = self._known | {heading(h) for h in (*self.ignored, *MARKS)}
        return [cell for cell in header if heading(cell) and heading(cell) not in known]


def _first_present(headings: tuple[str, ...], header: tuple[str, ...]) -> int | None:
    """Position of the first of a field's headings, in the field's own order of preference."""
    present = [heading(cell) for cell in header]
    return next((present.index(heading(h)) for h in headings if heading(h) in present), None)


def _header_index(head: Head, known: frozenset[str]) -> int:
    """Index of the row with the most known headings (the first of equals)."""
    scores = [len({heading(cell) for cell in row} & known) for row in head.rows]
    return scores.index(max(scores))


def width(head: Head, row: int) -> int:
    """Cells of a data row: those of the header, or more where all rows end with empty ones that the header lacks."""
    header = len(head.rows[row])
    data = [r for r in head.rows[row + 1 :] if len(r) > 1]
    longer = [r for r in data if len(r) > header and not any(r[header:])]
    all_but_a_cut_one = len(longer) >= max(1, len(data) - 1) and (len(longer) > 1 or len(data) == 1)
    return len(longer[0]) if all_but_a_cut_one and len({len(r) for r in longer}) == 1 else header


def _missing(head: Head, header: tuple[str, ...], field: Field) -> FileRefused:
    present = [cell for cell in header if cell]
    wanted = field.headings[0]
    near = (get_close_matches(wanted, present, n=1, cutoff=0.3) or present[:1] or [""])[0]
    says = Say(
        f"没有「{wanted}」这一列（最接近的表头是「{near}」）",
        f"it has no column «{wanted}» (the nearest heading is «{near}»)",
    )
    fix = Say(
        "勾选全部列后重新导出，或用 `huitou import --map` 指定各列的含义。",
        "Export it again with all columns, or map its columns with `huitou import --map`.",
    )
    return FileRefused(head.path, says, fix)


@dataclass(frozen=True, slots=True)
class Parsed:
    """Typed columns by field name (absent columns are all null; ``time`` fields add ``…_day`` and ``…_second``) and
    ``row``, without the rows that became problems."""

    frame: pl.DataFrame
    problems: list[Problem]


Faults = list[tuple[str, pl.Series | None]]
"""Reason and mask of the cells at fault."""


class Parser:
    """Reads the cells of one file; remembers from its beginning whether Excel rounded its ids.

    `forgiving`: a value that cannot be read is dropped where its row can do without it; `dropped` counts them.
    """

    def __init__(self, head: Head, layout: Layout, placed: Placed, zone: str, *, forgiving: bool = False) -> None:
        self._file = head.path.name
        self._forgiving = forgiving
        self.dropped = 0
        self._layout = layout
        self._placed = placed
        self._zone = zone
        self._rounding: dict[str, cells.Rounding | None] = {}

    def parse(self, raw: pl.DataFrame) -> Parsed:
        """Typed columns of raw ones (named by their position as text, plus ``row``)."""
        columns: dict[str, pl.Series] = {"row": raw["row"]}
        bad: list[tuple[str, str, pl.Series]] = []
        for field in self._layout.fields:
            at = self._placed.positions.get(field.name)
            if at is None:
                columns |= _absent(field, raw.height)
                continue
            read, faults = self._typed(field, raw[str(at)])
            columns |= read
            found = [(field.name, reason, mask) for reason, mask in faults if mask is not None and mask.any()]
            if self._forgiving and not field.filled:
                self.dropped += sum(int(mask.sum()) for _, reason, mask in found if reason in VALUES)
                found = [one for one in found if one[1] not in VALUES]
            bad += found
        frame = pl.DataFrame(columns)
        bad = [*self._totals(raw, bad), *bad]
        if not bad:
            return Parsed(frame, [])
        wrong = pl.repeat(False, raw.height, eager=True)
        problems: list[Problem] = []
        for name, reason, mask in bad:
            rows = raw["row"].filter(mask & ~wrong).to_list()
            problems += [problem(self._file, row, self._placed.column(name), reason) for row in rows]
            wrong = wrong | mask
        return Parsed(frame.filter(~wrong), sorted(problems, key=lambda p: p.row))

    def _totals(self, raw: pl.DataFrame, bad: list[tuple[str, str, pl.Series]]) -> list[tuple[str, str, pl.Series]]:
        """Rows that name a total where the others have their first cell are no data: if that is an id, or the row cannot be
        read anyway."""
        name, at = min(self._placed.positions.items(), key=lambda one: one[1], default=("", -1))
        numbered = any(field.name == name and field.kind == "id" for field in self._layout.fields)
        if at < 0 or not (bad or numbered):
            return []
        total = raw[str(at)].str.strip_chars().str.contains(TOTALS).fill_null(False)
        if not numbered:
            unread = pl.repeat(False, raw.height, eager=True)
            for _, _, mask in bad:
                unread = unread | mask
            total = total & unread
        return [(name, "total_row", total)] if total.any() else []

    def _typed(self, field: Field, raw: pl.Series) -> tuple[dict[str, pl.Series], Faults]:
        """The typed columns of one field, and the masks of its bad cells by reason."""
        if field.kind == "id":  # whether Excel rounded them shows in all of them
            columns = {field.name: cells.unwrapped(raw, field.nulls)}
            faults: Faults = [("damaged_id", self._damaged(field.name, columns[field.name]))]
        elif not (raw.str.len_bytes() > 0).any():
            columns, faults = _absent(field, len(raw)), []
        elif field.kind in _CLOCKED or not repeated(raw):
            columns, faults = self._read(field, raw)
        else:
            distinct, at = encoded(raw)
            columns, faults = self._read(field, distinct)
            columns = {name: values.gather(at) for name, values in columns.items()}
            faults = [(reason, mask.gather(at).fill_null(False)) for reason, mask in faults if mask is not None]
        if field.filled and columns[field.name].null_count():
            faults.append(("empty", columns[field.name].is_null()))
        return columns, faults

    def _read(self, field: Field, raw: pl.Series) -> tuple[dict[str, pl.Series], Faults]:
        """The same of cells each of which says by itself what it means."""
        if field.kind in _CLOCKED:
            read = cells.moments(raw, self._zone, field.nulls, counted=field.kind == "instant")
            columns = {field.name: read.utc_us, f"{field.name}_day": read.day, f"{field.name}_second": read.second}
            return columns, [("time", read.unread), ("dst", read.dst)]
        if field.kind in _READ:
            typed = _READ[field.kind](raw, field.nulls)
            faults: Faults = [(_FAULT[field.kind], typed.unread)]
            if field.kind == "date" and typed.unread is not None:
                faults.insert(0, ("total_row", typed.unread & raw.str.strip_chars().str.contains(TOTALS)))
            return {field.name: typed.values}, faults
        return {field.name: cells.prose(raw, field.nothing) if field.kind == "prose" else cells.unwrapped(raw, field.nulls)}, []

    def _damaged(self, name: str, ids: pl.Series) -> pl.Series:
        if name not in self._rounding and len(ids):
            self._rounding[name] = cells.rounding(ids)
        damaged = cells.in_scientific(ids)
        how = self._rounding.get(name)
        return damaged | cells.rounded(ids, how) if how else damaged


_CLOCKED = ("time", "instant")
_READ = {"money": cells.money, "count": cells.count, "number": cells.number, "share": cells.share, "date": cells.days}
_FAULT = {"money": "money", "count": "number", "number": "number", "share": "percent", "date": "time"}
_TYPES: dict[str, type[pl.DataType]] = {
    "money": pl.Int64, "count": pl.Int64, "number": pl.Float64, "share": pl.Float64, "date": pl.Date,
    **dict.fromkeys(_CLOCKED, pl.Int64),
}  # fmt: skip


def _absent(field: Field, height: int) -> dict[str, pl.Series]:
    """All-null columns of a field that the file does not have."""
    kind = _TYPES.get(field.kind, pl.String)
    names = {field.name: kind}
    if field.kind in _CLOCKED:
        names |= {f"{field.name}_day": pl.Date, f"{field.name}_second": pl.Int64}
    return {name: pl.Series(name, [None], dtype=dtype).new_from_index(0, height) for name, dtype in names.items()}
