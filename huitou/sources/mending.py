"""Bad rows out to a spreadsheet and back: taken from the original files under their own header, and known again when mended.

Comes in: the quarantine and the original files. Goes out: a table in the source's own header form, with the number of the
problem, its reason and remedy before the file's own columns. An import of the mended table settles the problems it names.
"""

import csv
import hashlib
import io
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.csv as pc

from huitou.errors import HuitouError, Say, in_language
from huitou.lake import Workspace
from huitou.lake.ledger import LoadReport
from huitou.lake.quarantine import BadRow
from huitou.sources.archive import Given, given
from huitou.sources.delimited import Delimited
from huitou.sources.generic import Mapped
from huitou.sources.importer import Part, parts_of
from huitou.sources.layout import MARKS, Layout, Parsed, Placed
from huitou.sources.mended import mark
from huitou.sources.model import Context, Head, Inspector, Source
from huitou.sources.reasons import NOTHING_TO_MEND
from huitou.sources.registry import readable, sources
from huitou.sources.sniff import delimiter
from huitou.sources.sniff import head as head_of
from huitou.sources.table import slabs

LINES = ("行 row", "内容 text")
"""Headings over the lines of a chat; they are mended in the chat itself."""
_FORMULA = tuple("=+-@\t\r\0＝＋－＠")
_SHEET_ROWS = 1_048_576
_LONG_NUMBER = r"\d{12,}"
"""Digits that a spreadsheet would round or show in scientific notation."""


@dataclass(frozen=True, slots=True)
class Mendable:
    """Bad rows under one header: the headings, and the rows as they stood in their file, each after its four marks."""

    source: str
    headings: tuple[str, ...]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Taken:
    """What could be taken out: tables by header; imports whose original file is not where it was (its path, its rows); rows
    that the original does not give away (they were cut, or stand on one of several sheets)."""

    tables: list[Mendable]
    missing: list[tuple[LoadReport, Path | None, int]]
    left: list[tuple[LoadReport, int]]


def take_out(ws: Workspace, lang: str, elsewhere: Sequence[Path] = ()) -> Taken:
    """The open bad rows of every import, from the original files; `elsewhere` are files (or archives) to look in as well."""
    quarantine = ws.lake.ledger.quarantine
    tables: dict[tuple[str, tuple[str, ...]], Mendable] = {}
    missing: list[tuple[LoadReport, Path | None, int]] = []
    left: list[tuple[LoadReport, int]] = []
    for load in ws.lake.loads():
        if not load.quarantined or load.repeats_of:
            continue
        bad = {r.row: r for r in quarantine.rows(load.number) if r.mended is None and r.reason not in NOTHING_TO_MEND}
        if not bad:
            continue
        origin = quarantine.origin(load.number)
        found = _table_of(ws, load, bad, [*([origin] if origin else []), *elsewhere], lang)
        if found is None:
            missing.append((load, origin, len(bad)))
            continue
        if len(found.rows) < len(bad):
            left.append((load, len(bad) - len(found.rows)))
        if found.rows:
            same = tables.setdefault((found.source, found.headings), found)
            if same is not found:
                same.rows.extend(found.rows)
    return Taken(list(tables.values()), missing, left)


def _table_of(ws: Workspace, load: LoadReport, bad: dict[int, BadRow], places: Iterable[Path], lang: str) -> Mendable | None:
    """The bad rows of one import out of the first of the places that holds its very bytes."""
    for place in places:
        for one in given(place, ws.lake.root / "_scratch") if place.is_file() else ():
            if one.refused is None and _sha256(one.path) == load.sha256:
                header, cells = _cells(ws, one, load.source, set(bad))
                rows = [
                    [mark(load, row), in_language(bad[row].says, lang), in_language(bad[row].fix, lang), bad[row].column or "",
                     *cells[row]]
                    for row in sorted(cells)
                ]  # fmt: skip
                return Mendable(load.source, header, rows)
    return None


def _cells(ws: Workspace, one: Given, source_id: str, rows: set[int]) -> tuple[tuple[str, ...], dict[int, list[str]]]:
    """The headings of a file and the cells of some of its rows; of a file without columns the lines themselves."""
    part = _part(ws, one, source_id)
    if len(part.heads) > 1:
        return (), {}  # the number of a row does not say on which sheet it is
    found = _place(ws, part)
    if found is None:
        return LINES, {row: [str(row), text] for row, text in _lines(one.path, rows)}
    head, placed = found
    whole = Placed(placed.header_row, placed.header, placed.width, {str(i): i for i in range(len(placed.header))}, 0)
    cells: dict[int, list[str]] = {}
    reader = _Misfits(head, whole, rows) if head.kind == "text" else None
    for slab in reader.slabs() if reader else slabs(head, whole):
        for row in slab.frame.filter(pl.col("row").is_in(list(rows))).iter_rows(named=True):
            cells[row["row"]] = [row.get(str(i)) or "" for i in range(len(placed.header))]
    return placed.header, cells | (reader.cells() if reader else {})


class _Misfits(Delimited):
    """A pass over a delimited file that keeps the text of wanted rows with too few or too many cells."""

    def __init__(self, head: Head, placed: Placed, rows: set[int]) -> None:
        super().__init__(head, placed)
        self._rows = rows
        self._sign = delimiter(head.lines)
        self._texts: dict[int, str] = {}

    def _misfit(self, row: pc.InvalidRow):  # type: ignore[no-untyped-def]  # as the parser asks for it
        if row.number in self._rows:
            self._texts[row.number] = row.text
        return super()._misfit(row)

    def cells(self) -> dict[int, list[str]]:
        """Their cells, as far as they can be told apart."""
        split = {
            row: next(csv.reader(io.StringIO(text, newline=""), delimiter=self._sign), []) for row, text in self._texts.items()
        }
        wide = self._placed.width  # filled up: a spreadsheet does the same, and then the row can be read and settled
        return {row: [cell.strip() for cell in cells] + [""] * (wide - len(cells)) for row, cells in split.items()}


class _Place(Inspector):
    """Remembers where a source found the columns."""

    def __init__(self) -> None:
        self.found: tuple[Head, Placed] | None = None

    def header(self, head: Head, layout: Layout, placed: Placed) -> Placed:
        self.found = (head, placed)
        return placed

    def rows(self, raw: pl.DataFrame, parsed: Parsed) -> Parsed:
        return parsed


def _part(ws: Workspace, one: Given, source_id: str) -> Part:
    """What a source read of a file, whether it was recognised, named by the user or made by a mapping. Raises FileRefused."""
    known = sources(ws.path)
    recognised = [part for part in readable(head_of(one.path), known) if part[0].id == source_id]
    if recognised:
        return Part(one.path, one.name, *recognised[0])
    return parts_of(one, [s for s in _known(ws) if s.id == source_id] or known)[0]


def _place(ws: Workspace, part: Part) -> tuple[Head, Placed] | None:
    """Where the columns of a file stand; None for one that has none (a chat as text)."""
    place = _Place()
    for _ in part.read(Context(ws.settings, ws.tokens(), inspectors=(place,))):
        break
    return place.found


def _known(ws: Workspace) -> Iterator[Source]:
    """All sources, and those that the workspace's mappings make."""
    yield from sources(ws.path)
    for file in sorted((ws.path / "mappings").glob("*.toml")):
        try:
            yield Mapped(tomllib.loads(file.read_bytes().decode("utf-8-sig")), file)
        except (HuitouError, ValueError):
            continue  # one that is still being written


def _lines(path: Path, rows: set[int]) -> Iterator[tuple[int, str]]:
    raw = path.read_bytes() if path.stat().st_size < 2**20 else None
    with io.BytesIO(raw) if raw is not None else path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if number in rows:
                try:
                    yield number, line.decode("utf-8-sig").rstrip("\r\n")
                except UnicodeDecodeError:
                    yield number, line.decode("gb18030", "replace").rstrip("\r\n")


def write_table(table: Mendable, path: Path) -> Path:
    """Write bad rows for a spreadsheet, as XLSX or CSV by the name's ending; only the owner may read it.

    No cell is taken for a formula, and no long number is rounded: such cells begin with an apostrophe, which an import drops.
    Raises HuitouError for more rows than a sheet holds.
    """
    header = [*MARKS, *table.headings]
    draft = path.with_name(path.name + ".part")
    os.close(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    if path.suffix.lower() == ".xlsx":
        import xlsxwriter  # noqa: PLC0415 - an import writes no workbook

        if len(table.rows) >= _SHEET_ROWS:
            raise HuitouError(
                Say(f"{len(table.rows):,} 行放不进一张工作表。", f"{len(table.rows):,} rows do not fit on a sheet."),
                Say("换一个以 .csv 结尾的文件名。", "Choose a name that ends in .csv."),
            )
        plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}  # no copy in a public folder
        with xlsxwriter.Workbook(draft, plain) as book:
            text, sheet = book.add_format({"num_format": "@"}), book.add_worksheet()
            for at, row in enumerate([header, *table.rows]):
                for column, cell in enumerate(row):
                    sheet.write_string(at, column, _bare(cell), text)
    else:
        with draft.open("w", newline="", encoding="utf-8-sig") as out:
            csv.writer(out).writerows([guarded(cell) for cell in row] for row in [header, *table.rows])
    draft.replace(path)
    return path


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula or rounds."""
    bare = _bare(cell)
    return f"'{bare}" if bare.startswith(_FORMULA) or re.fullmatch(_LONG_NUMBER, bare) else bare


def _bare(cell: str) -> str:
    text = cell.strip()
    marked = re.fullmatch(r'="([^"]*)"', text)
    return marked[1] if marked else text


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
