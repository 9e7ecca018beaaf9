"""Files into the lake: what each is, read by its source, balanced, stored; one bad file does not stop the others."""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from huitou.errors import FileRefused, HuitouError, Say, SettingsError
from huitou.lake import Workspace
from huitou.lake.identity import People
from huitou.lake.ledger import LoadReport
from huitou.lake.settings import Settings
from huitou.lake.writer import Writer
from huitou.sources.ahead import ahead, short_turns
from huitou.sources.archive import Given, given
from huitou.sources.before import Before, shrunk
from huitou.sources.drift import Drift, policy_of
from huitou.sources.generic import Mapped
from huitou.sources.mended import settle
from huitou.sources.model import Batch, Context, Head, Source
from huitou.sources.others import other
from huitou.sources.registry import SURE, readable, recognise, source_called, sources, surest_sheet
from huitou.sources.shops import ShopNames
from huitou.sources.sniff import head as head_of
from huitou.sources.sniff import sheet_heads

_NO_DAY = date(1970, 1, 1)  # what order lines without a time are stored under
_FIRST_YEAR = 2003  # Taobao's first

Progress = Callable[[Path, int, int, int], None]
"""Called after every batch with file, bytes done, bytes in all, rows so far."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of one file: stored (`load`), refused (`refused`), or only counted (a dry run: neither).

    `rows` are the file's rows, `problems` those set aside by reason, `notes` counts worth telling. `kind` says what the source
    reads, `days` the first and the last day of its rows, `first` row and column of the first problem of each reason.
    `name` is how the file is told: of a file in the archive `file` archive/member. `mended`: rows set aside before that it mends.
    `before`: the last file of its source, where this one falls short of it.
    """

    file: Path
    source: str | None
    rows: int = 0
    problems: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    load: LoadReport | None = None
    refused: HuitouError | None = None
    kind: Say | None = None
    encoding: str | None = None
    days: tuple[date, date] | None = None
    first: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    name: str = ""
    mended: int = 0
    before: Before | None = None


@dataclass(frozen=True, slots=True)
class Identified:
    """What a file seems to be: the surest source (None: none knows it) and how sure, 1 to 100."""

    head: Head
    source: Source | None
    sure: int


def identify_file(path: Path, workspace: Path | None = None) -> Identified:
    """Look at a file without importing it. Raises FileRefused."""
    known = sources(workspace)
    head = surest_sheet(head_of(path), known)
    return Identified(head, *recognise(head, known))


def import_files(
    ws: Workspace,
    files: Sequence[Path],
    *,
    mapping: Path | None = None,
    source: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> list[ImportReport]:
    """Import files in any order, each as a load of its own, and report on each.

    `mapping` is a mapping file for all of them, `source` the id of the source to use instead of recognising one.
    Raises LakeBusy, DiskFull, UnknownName and SettingsError; a file that cannot be read is in its report.
    """
    chosen = chosen_sources(ws, mapping, source)
    if dry_run:
        context = Context(ws.settings, _Forgetful(ws.settings))
        return _each(ws, files, chosen, lambda part: _dry(part, context, progress))
    context = Context(ws.settings, ws.people())
    name = files[0].name
    one = len(files) == 1
    what = Say(f"导入 {name if one else f'{len(files)} 个文件'}", f"import of {name if one else f'{len(files)} files'}")
    with ws.lake.write(what) as writer, short_turns():
        return _each(ws, files, chosen, lambda part: _store(part, context, writer, progress))


@dataclass(frozen=True, slots=True)
class Part:
    """What one source reads of a file: all of it, or the sheets of a workbook that are its own."""

    path: Path
    name: str
    source: Source
    heads: list[Head]

    def read(self, context: Context) -> Iterator[Batch]:
        """Its batches, sheet after sheet. Raises FileRefused."""
        for head in self.heads:
            yield from self.source.read(head, context)


def _each(
    ws: Workspace, files: Sequence[Path], chosen: list[Source], bring: Callable[[Part], ImportReport]
) -> list[ImportReport]:
    """What `bring` reports of every file, of every file in an archive, and of every kind of sheet in a workbook."""
    reports = []
    for file in files:
        for one in given(file, ws.lake.root / "_scratch"):
            for report in _brought(one, chosen, bring):
                reports.append(replace(report, file=file))
                if report.load and report.load.quarantined:
                    ws.lake.ledger.quarantine.came_from(report.load.repeats_of or report.load.number, file.resolve())
    return reports


def _brought(one: Given, chosen: list[Source], bring: Callable[[Part], ImportReport]) -> Iterator[ImportReport]:
    """Reports on the parts of one file, a refusal being one too: a sheet that cannot be read does not stop the others."""
    try:
        if one.refused:
            raise one.refused
        parts = parts_of(one, chosen)
    except FileRefused as refused:
        yield ImportReport(one.path, None, refused=refused.told_as(one.name), name=one.name)
        return
    for part in parts:
        try:
            yield replace(bring(part), name=part.name)
        except FileRefused as refused:
            yield ImportReport(one.path, None, refused=refused.told_as(part.name), name=part.name)


def parts_of(one: Given, chosen: list[Source]) -> list[Part]:
    """What is read of a file, and by which source. Raises FileRefused where none knows it."""
    head = head_of(one.path)
    if len(chosen) > 1:
        _refuse_other(head, chosen)
    found = readable(head, chosen)
    if not found:
        recognised(one.path, chosen)  # refuses it with its reason
    if len(found) == 1:
        return [Part(one.path, one.name, *found[0])]
    return [
        Part(one.path, f"{one.name} · {'、'.join(head.sheet.name for head in heads if head.sheet)}", source, heads)
        for source, heads in found
    ]


def chosen_sources(ws: Workspace, mapping: Path | None, source: str | None) -> list[Source]:
    """The sources to choose from: the user's mapping, the one named, or all."""
    if mapping is not None:
        try:
            return [Mapped(tomllib.loads(mapping.read_bytes().decode("utf-8-sig")), mapping)]
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            says = Say(f"映射文件读不出来：{error}", f"mapping cannot be read: {error}")
            fix = Say("改正后再试；它必须是 UTF-8 的 TOML。", "Correct it; it must be TOML in UTF-8.")
            raise SettingsError(mapping, "", says, fix) from None
    known = sources(ws.path)
    return [source_called(source, known)] if source is not None else known


def recognised(path: Path, chosen: list[Source]) -> tuple[Head, Source]:
    """A file's head and the source that reads it. Raises FileRefused."""
    head = surest_sheet(head_of(path), chosen)
    source = chosen[0] if len(chosen) == 1 else recognise(head, chosen)[0]
    if source is None:
        shown = _shown(head)
        says = Say(f"认不出是哪种导出（开头是「{shown}」）", f"no source recognises it (it begins with «{shown}»)")
        fix = Say(
            "如果它是表格，用 `huitou import --map` 生成各列含义的草稿，改好后再导入。",
            "If it is a table, run `huitou import --map` to draft a mapping of its columns, and edit that.",
        )
        raise FileRefused(path, says, fix)
    return head, source


def _refuse_other(head: Head, chosen: list[Source]) -> None:
    """Raises FileRefused for an export that is known to hold nothing to import."""
    known = other(head)
    if known and max(recognise(sheet, chosen)[1] for sheet in sheet_heads(head)) < SURE:
        raise FileRefused(head.path, known.says, known.fix)


def _shown(head: Head) -> str:
    """The headings, cut to a line; a first row without commas may be somebody's words and is not shown."""
    widest = max(head.rows, key=len, default=())
    return ", ".join(cell for cell in widest[:4] if cell)[:60] if len(widest) > 2 else "…"


def _store(part: Part, context: Context, writer: Writer, progress: Progress | None) -> ImportReport:
    """Import one part of a file. Raises FileRefused; then nothing of it is stored."""
    head, source = part.heads[0], part.source
    load = writer.begin(part.path, source=source.id, main=source.main, name=part.name)
    counted = Tally(part.path, source.main, progress)
    drift = Drift(policy_of(context.settings, source.id), writer.ledger.header(source.id))
    last, shops = writer.ledger.last_load(source.id), ShopNames()
    try:
        if load.known_as is None:
            load.add("shops", _shop(context.settings))
            for batch in ahead(part.read(drift.guarding(replace(context, inspectors=(*context.inspectors, shops))))):
                drift.words(batch.notes)
                load.read(batch.rows_read)
                for table, frame in batch.frames.items():
                    if frame.height:
                        load.add(table, frame)
                load.set_aside(batch.problems)
                load.note(batch.notes)
                counted.add(batch)
            load.note(counted.finish(shops.notes))
        report = load.commit()
        drift.remember(writer.ledger, source.id, report.number)
        mended = sum(settle(writer.ledger, one, report) for one in part.heads)
    except BaseException:
        load.abort()
        raise
    before = None if load.known_as or mended else shrunk(last, counted.rows, counted.days)
    told = _report(head, source, counted)
    return replace(told, rows=report.rows_read, notes=report.notes, load=report, mended=mended, before=before)


def _dry(part: Part, context: Context, progress: Progress | None) -> ImportReport:
    counted = Tally(part.path, part.source.main, progress)
    for batch in part.read(context):
        counted.add(batch)
    counted.finish({})
    return _report(part.heads[0], part.source, counted)


def encoding_of(head: Head) -> str | None:
    """How the file's content is written, for people."""
    return head.encoding.upper() if head.encoding else {"xlsx": "XLSX", "parquet": "Parquet"}.get(head.kind)


def _report(head: Head, source: Source, counted: "Tally") -> ImportReport:
    """What the batches said of one file."""
    return ImportReport(
        head.path, source.id, counted.rows, dict(counted.problems), dict(counted.notes),
        kind=Say(source.zh, source.en), encoding=encoding_of(head), days=counted.days, first=counted.first,
    )  # fmt: skip


class Tally:
    """Adds up what the batches of one file say, and tells how far it is."""

    def __init__(self, path: Path, main: str, progress: Progress | None) -> None:
        self._path = path
        self._main = main
        self._total = path.stat().st_size
        self._progress = progress
        self.rows = 0
        self.problems: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.days: tuple[date, date] | None = None
        self.first: dict[str, tuple[int, str | None]] = {}

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        self.rows += batch.rows_read
        self.problems.update(p.reason for p in batch.problems)
        for p in batch.problems:
            if p.reason not in self.first or p.row < self.first[p.reason][0]:
                self.first[p.reason] = (p.row, p.column)
        self._see_days(batch.frames.get(self._main))
        self.notes.update(batch.notes)
        if self._progress:
            self._progress(self._path, batch.bytes_done, self._total, self.rows)

    def _see_days(self, main: pl.DataFrame | None) -> None:
        if main is None or "day" not in main.columns:
            return
        days = main["day"].filter(main["day"] > _NO_DAY)
        if len(days):
            span = (*(self.days or ()), days.min(), days.max())
            self.days = (min(span), max(span))

    def finish(self, more: dict[str, int]) -> dict[str, int]:
        """What only the whole file shows, with `more`, as notes. Raises FileRefused for a header with nothing below it."""
        if not self.rows:
            says = Say("只有表头，没有数据", "it has a header and no rows")
            fix = Say("看一下导出时选的日期，再导出一次。", "Check the days chosen on the platform and export it again.")
            raise FileRefused(self._path, says, fix)
        odd = self.days and (self.days[0].year < _FIRST_YEAR or self.days[1] > date.today() + timedelta(1))
        told = more | ({"far_days": 1} if odd else {})
        self.notes.update(told)
        return told


class _Forgetful(People):
    """Tokens for a dry run: nothing reaches the vault."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(b"dry run", settings.platform, settings.shop, None)


def _shop(settings: Settings) -> pl.DataFrame:
    return pl.DataFrame({
        "shop_key": [settings.shop_key], "platform": [settings.platform], "name": [settings.shop],
        "timezone": [settings.timezone], "currency": [settings.currency], "row": [0],
    })  # fmt: skip
