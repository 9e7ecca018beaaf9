"""The load ledger: what was imported from which file, what was built, and which table versions readers see."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from huitou.errors import Problem, Say, Text
from huitou.lake import quarantine

Heads = dict[str, int]
"""Table folder under ``lake/`` ("tables/orders") → Delta version."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS loads (
  number INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, file TEXT NOT NULL, sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL, source TEXT NOT NULL, main TEXT NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL, at TEXT NOT NULL,
  rows_read INTEGER NOT NULL DEFAULT 0, stored INTEGER NOT NULL DEFAULT 0, known INTEGER NOT NULL DEFAULT 0,
  quarantined INTEGER NOT NULL DEFAULT 0, by_table TEXT NOT NULL DEFAULT '{}', notes TEXT NOT NULL DEFAULT '{}',
  first_day TEXT, last_day TEXT, repeats_of INTEGER);
CREATE INDEX IF NOT EXISTS loads_sha256 ON loads (sha256);
CREATE TABLE IF NOT EXISTS problems (
  load INTEGER NOT NULL, file TEXT NOT NULL, row INTEGER NOT NULL, "column" TEXT, reason TEXT NOT NULL, says TEXT NOT NULL,
  fix TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS problems_load ON problems (load);
CREATE TABLE IF NOT EXISTS builds (
  number INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, rules TEXT NOT NULL, fingerprint TEXT NOT NULL,
  covers INTEGER NOT NULL, state TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS headers (source TEXT PRIMARY KEY, load INTEGER NOT NULL, header TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS intents (uid TEXT NOT NULL, folder TEXT NOT NULL, change TEXT NOT NULL, PRIMARY KEY (uid, folder));
CREATE TABLE IF NOT EXISTS commits (
  number INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, at TEXT NOT NULL, heads TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one load did to one table: rows stored, rows known before (or repeated in the file), months whose rows changed."""

    stored: int
    known: int
    months: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadReport:
    """One import as the ledger has it: ``rows_read = stored + known + quarantined`` of the source's main table.

    `known` rows were in the lake already or twice in the file. `repeats_of` is the number of an earlier load of the same
    bytes. `first_day` and `last_day` are those of the main table's rows, known ones included.
    """

    number: int
    file: str
    source: str
    main: str
    sha256: str
    bytes: int
    at: datetime
    rows_read: int
    stored: int
    known: int
    quarantined: int
    by_table: dict[str, Counts] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    first_day: date | None = None
    last_day: date | None = None
    repeats_of: int | None = None

    def numbered(self, number: int) -> "LoadReport":
        """The same entry under its number in the ledger."""
        return replace(self, number=number)

    @property
    def balances(self) -> bool:
        """Every row of the file is accounted for."""
        return self.rows_read == self.stored + self.known + self.quarantined


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A load or build that was interrupted: `state` is "pending" (undo it) or "committing" (finish it)."""

    kind: str
    number: int
    uid: str
    state: str


class Ledger:
    """SQLite, WAL, synchronous=FULL; every change is one BEGIN IMMEDIATE transaction."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name='settled'").fetchone():
            self._db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {quarantine.SCHEMA} COMMIT;")
        self.quarantine = quarantine.Quarantine(self._db, self._change)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def heads(self) -> tuple[int, Heads]:
        """Number of the newest finished commit (0: none) and the table versions that it shows."""
        row = self._db.execute("SELECT number, heads FROM commits ORDER BY number DESC LIMIT 1").fetchone()
        return (row["number"], json.loads(row["heads"])) if row else (0, {})

    def start_load(self, report: LoadReport, uid: str, owner: str) -> int:
        """Enter a load as pending; returns its number."""
        with self._change() as db:
            done = db.execute(
                "INSERT INTO loads (uid, file, sha256, bytes, source, main, state, owner, at, repeats_of)"
                " VALUES (?,?,?,?,?,?,'pending',?,?,?)",
                (uid, report.file, report.sha256, report.bytes, report.source, report.main, owner, report.at.isoformat(),
                 report.repeats_of),
            )  # fmt: skip
        return int(done.lastrowid or 0)

    def start_build(self, uid: str, rules: str, fingerprint: str, covers: int) -> int:
        """Enter a build of a rule pack as pending; `covers` is the last load it knows. Returns its number."""
        with self._change() as db:
            done = db.execute(
                "INSERT INTO builds (uid, rules, fingerprint, covers, state, at) VALUES (?,?,?,?,'pending',?)",
                (uid, rules, fingerprint, covers, _now()),
            )
        return int(done.lastrowid or 0)

    def add_problems(self, load: int, problems: Iterable[Problem]) -> None:
        """Quarantine rows; shown once the load is done."""
        with self._change() as db:
            db.executemany(
                "INSERT INTO problems VALUES (?,?,?,?,?,?,?)",
                ((load, p.file, p.row, p.column, p.reason, _packed(p.says), _packed(p.fix)) for p in problems),
            )

    def promise(self, kind: str, uid: str, changes: dict[str, str], report: LoadReport | None = None) -> None:
        """From here on the change is finished, whatever happens: `changes` is folder → what to commit there, as JSON."""
        with self._change() as db:
            db.executemany("INSERT INTO intents VALUES (?,?,?)", [(uid, f, c) for f, c in changes.items()])
            db.execute(f"UPDATE {kind} SET state='committing' WHERE uid=?", (uid,))
            if report is not None:
                db.execute(
                    "UPDATE loads SET sha256=?, rows_read=?, stored=?, known=?, quarantined=?, by_table=?, notes=?, first_day=?,"
                    " last_day=? WHERE uid=?",
                    (report.sha256, report.rows_read, report.stored, report.known, report.quarantined,
                     json.dumps({k: asdict(v) for k, v in report.by_table.items()}), json.dumps(report.notes),
                     report.first_day and report.first_day.isoformat(), report.last_day and report.last_day.isoformat(), uid),
                )  # fmt: skip

    def promised(self, uid: str) -> dict[str, str]:
        """The changes that were promised under `uid`."""
        return {r["folder"]: r["change"] for r in self._db.execute("SELECT folder, change FROM intents WHERE uid=?", (uid,))}

    def finish(self, kind: str, uid: str, versions: Heads) -> int:
        """Show the new table versions to readers, all at once. Returns the commit's number."""
        with self._change() as db:
            row = db.execute("SELECT heads FROM commits ORDER BY number DESC LIMIT 1").fetchone()
            heads = {**(json.loads(row["heads"]) if row else {}), **versions}
            done = db.execute("INSERT INTO commits (uid, at, heads) VALUES (?,?,?)", (uid, _now(), json.dumps(heads)))
            db.execute(f"UPDATE {kind} SET state='done' WHERE uid=?", (uid,))
            db.execute("DELETE FROM intents WHERE uid=?", (uid,))
        return int(done.lastrowid or 0)

    def drop(self, kind: str, uid: str) -> None:
        """Forget a pending load or build; its number is never used again."""
        with self._change() as db:
            db.execute("DELETE FROM problems WHERE load IN (SELECT number FROM loads WHERE uid=?)", (uid,))
            db.execute(f"DELETE FROM {kind} WHERE uid=? AND state='pending'", (uid,))

    def unfinished(self) -> list[Unfinished]:
        """Loads and builds that a dead process left behind."""
        return [
            Unfinished(kind, r["number"], r["uid"], r["state"])
            for kind in ("loads", "builds")
            for r in self._db.execute(f"SELECT number, uid, state FROM {kind} WHERE state <> 'done' ORDER BY number")
        ]

    def known_as(self, sha256: str, source: str) -> LoadReport | None:
        """The first finished load of the same bytes by the same source, if any."""
        row = self._db.execute(
            "SELECT * FROM loads WHERE sha256=? AND source=? AND state='done' AND repeats_of IS NULL ORDER BY number LIMIT 1",
            (sha256, source),
        ).fetchone()
        return _report(row) if row else None

    def last_load(self, source: str) -> LoadReport | None:
        """The newest finished load by a source that read its file, if any."""
        row = self._db.execute(
            "SELECT * FROM loads WHERE source=? AND state='done' AND repeats_of IS NULL ORDER BY number DESC LIMIT 1", (source,)
        ).fetchone()
        return _report(row) if row else None

    def has_size(self, n_bytes: int, source: str) -> bool:
        """Whether a finished load by the source is of a file that long: only then can it be of the same bytes."""
        row = "SELECT 1 FROM loads WHERE bytes=? AND source=? AND state='done' LIMIT 1"
        return bool(self._db.execute(row, (n_bytes, source)).fetchone())

    def holds(self, sha256: str) -> bool:
        """Whether a finished load is of these bytes, whatever source read them."""
        return bool(self._db.execute("SELECT 1 FROM loads WHERE sha256=? AND state='done' LIMIT 1", (sha256,)).fetchone())

    def loads(self) -> list[LoadReport]:
        """Every finished load, oldest first."""
        return [_report(r) for r in self._db.execute("SELECT * FROM loads WHERE state='done' ORDER BY number")]

    def problems(self, load: int | None = None) -> list[Problem]:
        """Quarantined rows of one finished load, or of all."""
        rows = self._db.execute(
            'SELECT l.file, p.row, p."column", p.reason, p.says, p.fix FROM problems p JOIN loads l ON l.number = p.load'
            " WHERE l.state = 'done' AND (?1 IS NULL OR p.load = ?1 OR p.load = (SELECT repeats_of FROM loads WHERE number = ?1))"
            " ORDER BY p.load, p.row",
            (load,),
        )
        return [Problem(r["file"], r["row"], r["column"], r["reason"], _unpacked(r["says"]), _unpacked(r["fix"])) for r in rows]

    def header(self, source: str) -> tuple[str, ...] | None:
        """The headings that files of a source are compared with; None: none was imported yet."""
        row = self._db.execute("SELECT header FROM headers WHERE source=?", (source,)).fetchone()
        return tuple(json.loads(row["header"])) if row else None

    def remember_header(self, source: str, header: tuple[str, ...], load: int) -> None:
        """Keep the headings of a source's files."""
        with self._change() as db:
            row = (source, load, json.dumps(header, ensure_ascii=False))
            db.execute("INSERT OR REPLACE INTO headers VALUES (?,?,?)", row)

    def last_build(self, rules: str) -> tuple[str, int] | None:
        """(fingerprint, last load covered) of the newest finished build of a rule pack."""
        row = self._db.execute(
            "SELECT fingerprint, covers FROM builds WHERE rules=? AND state='done' ORDER BY number DESC LIMIT 1", (rules,)
        ).fetchone()
        return (row["fingerprint"], row["covers"]) if row else None


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _packed(text: Text) -> str:
    return json.dumps(text, ensure_ascii=False)


def _unpacked(text: str) -> Text:
    said = json.loads(text)
    return said if isinstance(said, str) else Say(*said)


def _report(row: sqlite3.Row) -> LoadReport:
    counts = {t: Counts(c["stored"], c["known"], tuple(c["months"])) for t, c in json.loads(row["by_table"]).items()}
    return LoadReport(
        number=row["number"], file=row["file"], source=row["source"], main=row["main"], sha256=row["sha256"],
        bytes=row["bytes"], at=datetime.fromisoformat(row["at"]), rows_read=row["rows_read"], stored=row["stored"],
        known=row["known"], quarantined=row["quarantined"], by_table=counts, notes=json.loads(row["notes"]),
        first_day=_day(row["first_day"]), last_day=_day(row["last_day"]), repeats_of=row["repeats_of"],
    )  # fmt: skip


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
