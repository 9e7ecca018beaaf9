"""Files into the lake: what each is, read by its source, balanced, stored; one bad file does not stop the others."""

import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from huitou.errors import FileRefused, HuitouError, Say, SettingsError
from huitou.lake import Workspace
from huitou.lake.identity import People
from huitou.lake.ledger import LoadReport
from huitou.lake.settings import Settings
from huitou.lake.writer import Writer
from huitou.sources.ahead import ahead
from huitou.sources.generic import Mapped
from huitou.sources.model import Batch, Context, Head, Source
from huitou.sources.registry import recognise, source_called, sources
from huitou.sources.sniff import head as head_of

_NO_DAY = date(1970, 1, 1)  # what order lines without a time are stored under

Progress = Callable[[Path, int, int, int], None]
"""Called after every batch with file, bytes done, bytes in all, rows so far."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of one file: stored (`load`), refused (`refused`), or only counted (a dry run: neither).

    `rows` are the file's rows, `problems` those set aside by reason, `notes` counts worth telling. `kind` says what the source
    reads, `days` the first and the last day of its rows, `first` row and column of the first problem of each reason.
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


@dataclass(frozen=True, slots=True)
class Identified:
    """What a file seems to be: the surest source (None: none knows it) and how sure, 1 to 100."""

    head: Head
    source: Source | None
    sure: int


def identify_file(path: Path, workspace: Path | None = None) -> Identified:
    """Look at a file without importing it. Raises FileRefused."""
    head = head_of(path)
    source, sure = recognise(head, sources(workspace))
    return Identified(head, source, sure)


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
    chosen = _chosen(ws, mapping, source)
    reports = []
    if dry_run:
        context = Context(ws.settings, _Forgetful(ws.settings))
        return [_dry(path, chosen, context, progress) for path in files]
    context = Context(ws.settings, ws.people())
    name = files[0].name
    one = len(files) == 1
    what = Say(f"导入 {name if one else f'{len(files)} 个文件'}", f"import of {name if one else f'{len(files)} files'}")
    with ws.lake.write(what) as writer:
        for path in files:
            try:
                reports.append(_store(path, chosen, context, writer, progress))
            except FileRefused as refused:
                reports.append(ImportReport(path, None, refused=refused))
    return reports


def _chosen(ws: Workspace, mapping: Path | None, source: str | None) -> list[Source]:
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


def _recognised(path: Path, chosen: list[Source]) -> tuple[Head, Source]:
    head = head_of(path)
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


def _shown(head: Head) -> str:
    """The headings, cut to a line; a first row without commas may be somebody's words and is not shown."""
    widest = max(head.rows, key=len, default=())
    return ", ".join(cell for cell in widest[:4] if cell)[:60] if len(widest) > 2 else "…"


def _store(path: Path, chosen: list[Source], context: Context, writer: Writer, progress: Progress | None) -> ImportReport:
    """Import one file. Raises FileRefused; then nothing of it is stored."""
    head, source = _recognised(path, chosen)
    load = writer.begin(path, source=source.id, main=source.main)
    counted = _Count(path, source.main, progress)
    try:
        if load.known_as is None:
            load.add("shops", _shop(context.settings))
            for batch in ahead(source.read(head, context)):
                load.read(batch.rows_read)
                for table, frame in batch.frames.items():
                    if frame.height:
                        load.add(table, frame)
                load.set_aside(batch.problems)
                load.note(batch.notes)
                counted.add(batch)
            counted.refuse_none()
        report = load.commit()
    except BaseException:
        load.abort()
        raise
    return replace(_report(head, source, counted), rows=report.rows_read, notes=report.notes, load=report)


def _dry(path: Path, chosen: list[Source], context: Context, progress: Progress | None) -> ImportReport:
    try:
        head, source = _recognised(path, chosen)
        counted = _Count(path, source.main, progress)
        for batch in source.read(head, context):
            counted.add(batch)
        counted.refuse_none()
    except FileRefused as refused:
        return ImportReport(path, None, refused=refused)
    return _report(head, source, counted)


def _report(head: Head, source: Source, counted: "_Count") -> ImportReport:
    """What the batches said of one file."""
    encoding = head.encoding.upper() if head.encoding else {"xlsx": "XLSX", "parquet": "Parquet"}.get(head.kind)
    return ImportReport(
        head.path, source.id, counted.rows, dict(counted.problems), dict(counted.notes),
        kind=Say(source.zh, source.en), encoding=encoding, days=counted.days, first=counted.first,
    )  # fmt: skip


class _Count:
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

    def refuse_none(self) -> None:
        """Raise FileRefused for a file that holds a header and nothing below it."""
        if not self.rows:
            says = Say("只有表头，没有数据", "it has a header and no rows")
            fix = Say("看一下导出时选的日期，再导出一次。", "Check the days chosen on the platform and export it again.")
            raise FileRefused(self._path, says, fix)


class _Forgetful(People):
    """Tokens for a dry run: nothing reaches the vault."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(b"dry run", settings.platform, settings.shop, None)


def _shop(settings: Settings) -> pl.DataFrame:
    return pl.DataFrame({
        "shop_key": [settings.shop_key], "platform": [settings.platform], "name": [settings.shop],
        "timezone": [settings.timezone], "currency": [settings.currency], "row": [0],
    })  # fmt: skip
