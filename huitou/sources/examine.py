"""Looks at files before they are imported: what each is, what is wrong in it, and how far the files and the lake will join.

Comes in: files and a workspace. Goes out: a `Checkup`; nothing is stored, and nothing of a person is in it. Files are
streamed through the same sources as an import, so that what is said here is what an import will do.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from huitou.errors import FileRefused, HuitouError, Say
from huitou.lake import Workspace
from huitou.lake.load import conform
from huitou.lake.prints import prints
from huitou.sources import cells
from huitou.sources.archive import Given, given
from huitou.sources.before import Before, shrunk
from huitou.sources.drift import Drift, policy_of
from huitou.sources.importer import Part, Progress, Tally, chosen_sources, encoding_of, parts_of
from huitou.sources.joins import Join, Keys
from huitou.sources.layout import Layout, Parsed, Placed, heading
from huitou.sources.masking import mask
from huitou.sources.model import Batch, Context, Head, Source
from huitou.sources.shops import ShopNames
from huitou.tables import TABLES

Days = tuple[date, date]

_NO_DAY = date(1970, 1, 1)
_FEW_DAYS, _FEW_ROWS = 7, 20
"""Fewer days say nothing about gaps, fewer rows nothing about a clock that stands still."""

_CURRENCY = ("币种", "货币", "currency", "presentmentcurrency")
_LONGEST_NAME = 40
_OFFSET = r"\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})$"
_CIPHER = r"^(?:Enc\.|[~$#].{16,}[~$#]\d*$|[0-9A-Za-z+/=_-]{40,}$)"
_VIRTUAL = r"^\d{11}[-－转,]\d{1,6}$"
_WHO = ("phone", "buyer", "nick")
"""Fields by which a person can be reached or told from another."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows that will be set aside: why, in which column, how many, and the first one as a person counts rows."""

    reason: str
    column: str | None
    n: int
    first: int


@dataclass(frozen=True, slots=True)
class Header:
    """A table's headings: `version` is the same for the same set of headings; `unknown` are the names of those not read."""

    version: str
    columns: int
    used: int
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file, one in an archive (archive/member), or the sheets of a workbook that one source reads.

    `tables`: rows that it would bring to each table; `filled`: of each of their columns the cells that hold something; `span`:
    its first and last moment in the shop's zone (or day).

    `contacts`: heading → how many cells are clear, masked, cipher, virtual; `damaged`: heading → ids in scientific notation
    and ids rounded otherwise; `several_rows`: orders on more than one row, and their rows; `zones`: offsets written in
    times ("": none); `known_as`: number of the import that stored the same bytes; `new` and `missing`: columns that came or
    went since the source was imported before; `gaps`: days between the first and the last without a single row, where they
    are few enough to be an oversight; `before`: the last file of the source, where this one falls short of it.
    """

    name: str
    refused: HuitouError | None = None
    source: str | None = None
    kind: Say | None = None
    encoding: str | None = None
    rows: int = 0
    header: Header | None = None
    span: tuple[datetime, datetime] | Days | None = None
    days: Days | None = None
    tables: dict[str, int] = field(default_factory=dict)
    filled: dict[str, Counter[str]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    notes: dict[str, int] = field(default_factory=dict)
    contacts: dict[str, dict[str, int]] = field(default_factory=dict)
    damaged: dict[str, dict[str, int]] = field(default_factory=dict)
    several_rows: tuple[int, int] = (0, 0)
    currencies: dict[str, int] = field(default_factory=dict)
    zones: dict[str, int] = field(default_factory=dict)
    known_as: int | None = None
    new: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    gaps: tuple[date, ...] = ()
    before: Before | None = None

    @property
    def set_aside(self) -> int:
        """Rows that will not be stored."""
        return sum(fault.n for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Checkup:
    """What files are, what will join among them and the lake, and the days that each table will cover."""

    files: tuple[FileCheck, ...]
    joins: tuple[Join, ...]
    days: dict[str, Days]


def examine_files(
    ws: Workspace,
    files: Sequence[Path],
    *,
    mapping: Path | None = None,
    source: str | None = None,
    progress: Progress | None = None,
) -> Checkup:
    """Look at files as an import would read them, and store nothing. Raises UnknownName and SettingsError.

    `mapping` and `source` as for `import_files`; a file that cannot be read is refused in its own check.
    """
    chosen = chosen_sources(ws, mapping, source)
    keys = Keys()
    examiner = _Examiner(ws, keys, progress)
    checks = tuple(
        check for path in files for one in given(path, ws.lake.root / "_scratch") for check in examiner.checks(one, chosen)
    )
    joins, days = stored(ws, keys)
    for check in checks:
        if check.days and check.source:
            days[_main(check)] = _over(days.get(_main(check)), check.days)
    return Checkup(checks, joins, days)


def stored(ws: Workspace, keys: Keys | None = None) -> tuple[tuple[Join, ...], dict[str, Days]]:
    """How far what is stored joins (together with `keys` of files), and the days that each table covers."""
    keys = keys or Keys()
    days: dict[str, Days] = {}
    with ws.lake.read() as snapshot:
        keys.add_stored(snapshot)
    for load in ws.lake.loads():
        if load.first_day and load.last_day:
            days[load.main] = _over(days.get(load.main), (load.first_day, load.last_day))
    return tuple(keys.joins()), days


def _main(check: FileCheck) -> str:
    return next(iter(check.tables))


def _over(one: Days | None, other: Days) -> Days:
    return other if one is None else (min(one[0], other[0]), max(one[1], other[1]))


@dataclass(frozen=True, slots=True)
class _Examiner:
    """Looks at files one after the other; `keys` takes what they join by."""

    ws: Workspace
    keys: Keys
    progress: Progress | None

    def checks(self, one: Given, chosen: list[Source]) -> Iterator[FileCheck]:
        """A check of each part of a file; a refusal is one too."""
        try:
            if one.refused:
                raise one.refused
            parts = parts_of(one, chosen)
        except FileRefused as refused:
            yield FileCheck(one.name, refused.told_as(one.name))
            return
        for part in parts:
            try:
                yield self._check(part)
            except FileRefused as refused:
                yield FileCheck(part.name, refused.told_as(part.name))

    def _check(self, part: Part) -> FileCheck:
        """Raises FileRefused where an import would refuse it."""
        source, head, settings, ledger = part.source, part.heads[0], self.ws.settings, self.ws.lake.ledger
        look, shops, sums = Look(), ShopNames(), _Sums(source.main, settings.timezone)
        drift = Drift(policy_of(settings, source.id), ledger.header(source.id))
        tally = Tally(part.path, source.main, self.progress)
        for batch in part.read(drift.guarding(Context(settings, self.ws.tokens(), inspectors=(look, shops)))):
            drift.words(batch.notes)
            tally.add(batch)
            sums.add(batch)
            for table, frame in batch.frames.items():
                self.keys.add(table, frame)
        tally.finish(shops.notes)
        with part.path.open("rb") as stream:
            earlier = ledger.known_as(hashlib.file_digest(stream, "sha256").hexdigest(), source.id)
        faults = sums.faults()
        return FileCheck(
            part.name, None, source.id, Say(source.zh, source.en), encoding_of(head), tally.rows, look.seen,
            sums.span or tally.days, tally.days, dict(sums.tables), sums.filled, faults, sums.notes(dict(tally.notes)),
            look.contacts(), look.damaged(faults), look.several_rows(), dict(look.currencies), look.zones(),
            earlier.number if earlier else None, drift.new, drift.missing, sums.gaps(),
            None if earlier else shrunk(ledger.last_load(source.id), tally.rows, tally.days),
        )  # fmt: skip


class _Sums:
    """Adds up what the batches of one file hold."""

    def __init__(self, main: str, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._time = next((c.name for c in TABLES[main].columns if c.type == "time"), "")
        self._main = main
        self._us: tuple[int, int] | None = None
        self._faults: dict[tuple[str, str | None], tuple[int, int]] = {}
        self.tables: Counter[str] = Counter({main: 0})
        self.filled: dict[str, Counter[str]] = {}
        self._days: set[date] = set()
        self._prints: list[np.ndarray] = []

    def add(self, batch: Batch) -> None:
        for p in batch.problems:
            n, first = self._faults.get((p.reason, p.column), (0, p.row))
            self._faults[p.reason, p.column] = (n + 1, min(first, p.row))
        for table, frame in batch.frames.items():
            self.tables[table] += frame.height
            filled = {name: frame.height - frame[name].null_count() for name in frame.columns}
            if "refund_fen" in frame.columns:  # a refund of nothing says nothing
                filled["refund_fen"] = int((frame["refund_fen"] > 0).sum())
            if "refunded" in frame.columns:
                filled["refunded"] = int(frame["refunded"].sum())
            self.filled.setdefault(table, Counter()).update(filled)
        main = batch.frames.get(self._main)
        if main is not None and main.height:
            self._see_rows(main)
        if main is not None and self._time in main.columns and main[self._time].null_count() < main.height:
            times = main[self._time]
            ends = (*(self._us or ()), int(times.min()), int(times.max()))  # type: ignore[arg-type]
            self._us = (min(ends), max(ends))

    def _see_rows(self, main: pl.DataFrame) -> None:
        """Their days, and of a table whose repeated rows are stored once, their prints."""
        table = TABLES[self._main]
        if table.month_of and table.month_of in main.columns:
            self._days.update(main[table.month_of].drop_nulls().unique().to_list())
        if table.repeats == "drop":
            self._prints.append(prints(table, conform(table, main)).to_numpy())

    def notes(self, told: dict[str, int]) -> dict[str, int]:
        """The notes of a file, with what only all of its rows together show."""
        seen = np.concatenate(self._prints) if self._prints else np.zeros(0)
        if twins := len(seen) - len(np.unique(seen)):
            told["twins"] = twins
        one_moment = self._us is not None and self._us[0] == self._us[1] and self.tables[self._main] > _FEW_ROWS
        if one_moment and "given_time" not in told:
            told["same_time"] = 1
        return told

    def gaps(self) -> tuple[date, ...]:
        """Days without rows between the first and the last, where nearly all the others have some."""
        days = {day for day in self._days if day > _NO_DAY}
        if len(days) < _FEW_DAYS:
            return ()
        first, last = min(days), max(days)
        missing = [day for n in range((last - first).days) if (day := first + timedelta(n)) not in days]
        return tuple(missing) if len(missing) <= len(days) // _FEW_DAYS else ()

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """First and last moment on the shop's clock."""
        if self._us is None:
            return None
        first, last = (datetime.fromtimestamp(us // 1_000_000, UTC).astimezone(self._zone) for us in self._us)
        return first, last

    def faults(self) -> tuple[Fault, ...]:
        """The commonest first."""
        found = [Fault(reason, column, n, first) for (reason, column), (n, first) in self._faults.items()]
        return tuple(sorted(found, key=lambda f: (-f.n, f.first)))


class Look:
    """What can only be seen in a file's own columns: counts of them, and nothing that they hold."""

    def __init__(self) -> None:
        self._sheets: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self.seen: Header | None = None
        self.currencies: Counter[str] = Counter()
        self._placed: Placed | None = None
        self._layout: Layout | None = None
        self._contacts: dict[str, Counter[str]] = {}
        self._scientific: Counter[str] = Counter()
        self._zones: Counter[str] = Counter()
        self._orders: list[np.ndarray] = []

    def header(self, head: Head, layout: Layout, placed: Placed) -> Placed:
        """Note the headings, and have a column that names a currency read too.

        A source may read a file or a sheet a second time: then counting begins anew.
        """
        sheet = head.sheet.name if head.sheet else ""
        if sheet in self._sheets:
            self._begin()
        self._sheets.add(sheet)
        named = sorted({heading(cell) for cell in placed.header if cell})
        print_ = hashlib.sha256("\n".join(named).encode()).hexdigest()[:6]
        unknown = mask(pl.Series(layout.unknown(placed.header), dtype=pl.String)).str.slice(0, _LONGEST_NAME)
        self.seen = Header(f"{len(named)}-{print_}", len(named), len(set(placed.positions.values())), tuple(unknown))
        at = next((i for i, cell in enumerate(placed.header) if heading(cell) in _CURRENCY), None)
        positions = placed.positions | ({"\0currency": at} if at is not None else {})
        self._layout, self._placed = layout, Placed(placed.header_row, placed.header, placed.width, positions, placed.unknown)
        return self._placed

    def rows(self, raw: pl.DataFrame, parsed: Parsed) -> Parsed:
        """Count, and let everything through."""
        assert self._layout is not None and self._placed is not None
        if (at := self._placed.positions.get("\0currency")) is not None:
            found = cells.unwrapped(raw[str(at)]).drop_nulls().str.to_uppercase().str.extract(r"^([A-Z]{3}|人民币|元)$")
            self.currencies.update(dict(found.drop_nulls().value_counts().iter_rows()))
        for known in self._layout.fields:
            position = self._placed.positions.get(known.name)
            if position is None:
                continue
            column, name = raw[str(position)], self._placed.header[position]
            if known.kind == "id":
                self._scientific[name] += int(cells.in_scientific(cells.unwrapped(column)).sum())
            elif known.kind in ("time", "instant"):
                self._see_zones(column)
            if known.name in _WHO:
                self._see_contacts(name, parsed.frame[known.name])
        if "order_id" in parsed.frame.columns:
            self._orders.append(parsed.frame["order_id"].drop_nulls().hash(0).to_numpy())
        return parsed

    def _see_zones(self, times: pl.Series) -> None:
        filled = times.filter(times.str.len_chars() > 5)
        if not len(filled):
            return
        if filled.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})\s*$").any():
            offsets = filled.str.strip_chars().str.extract(_OFFSET, 1).fill_null("").str.replace(r"^Z$", "+00:00")
            told = offsets.str.replace(r"^([+-]\d{2})(\d{2})$", "${1}:${2}")
            self._zones.update(dict(told.value_counts().iter_rows()))
        else:
            self._zones[""] += len(filled)

    def _see_contacts(self, name: str, who: pl.Series) -> None:
        text = who.cast(pl.String).drop_nulls()
        said = pl.DataFrame({"who": text}).select(
            pl.when(pl.col("who").str.contains(_CIPHER)).then(pl.lit("cipher"))
            .when(pl.col("who").str.contains("*", literal=True)).then(pl.lit("masked"))
            .when(pl.col("who").str.contains(_VIRTUAL)).then(pl.lit("virtual"))
            .otherwise(pl.lit("clear")).alias("kind")
        )  # fmt: skip
        counts = self._contacts.setdefault(name, Counter())
        counts.update(dict(said["kind"].value_counts().iter_rows()))
        counts["empty"] += who.null_count()

    def contacts(self) -> dict[str, dict[str, int]]:
        """Heading → how its cells name people."""
        kinds = ("clear", "masked", "cipher", "virtual", "empty")
        return {name: {kind: counts[kind] for kind in kinds} for name, counts in self._contacts.items()}

    def damaged(self, faults: tuple[Fault, ...]) -> dict[str, dict[str, int]]:
        """Heading → ids that Excel spoiled: in scientific notation, and rounded to digits that look whole."""
        found = Counter({f.column or "": f.n for f in faults if f.reason == "damaged_id"})
        return {
            name: {"scientific": min(n, self._scientific[name]), "rounded": max(0, n - self._scientific[name])}
            for name, n in found.items()
        }

    def several_rows(self) -> tuple[int, int]:
        """Orders on more than one row, wherever these stand, and their rows."""
        times = np.unique(np.concatenate(self._orders), return_counts=True)[1] if self._orders else np.zeros(0, np.int64)
        several = times[times > 1]
        return len(several), int(several.sum())

    def zones(self) -> dict[str, int]:
        """Offsets written in times, where any is; "" counts times without one."""
        return dict(self._zones) if set(self._zones) - {""} else {}
