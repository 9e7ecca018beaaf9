"""Rows that an import set aside, until they are mended.

Kept of such a row: its file, import, row number, column, reason and remedy, in the ledger. Not kept: what stands in it. Cells may
name people, and a row that could not be read cannot be told to belong to anybody: erasing a customer would not find it. Whoever
mends rows takes them from the original file, which is theirs already and is known again by its SHA-256.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from huitou.errors import Say, Text

SCHEMA = """
CREATE TABLE IF NOT EXISTS origins (load INTEGER PRIMARY KEY, path TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settled (
  load INTEGER NOT NULL, row INTEGER NOT NULL, by INTEGER NOT NULL, mended INTEGER NOT NULL, PRIMARY KEY (load, row));
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Bad rows of one import with the same reason and column: how many, how many of them are mended by now, and how many were
    tried again and are bad still (the later import lists them)."""

    load: int
    file: str
    source: str
    reason: str
    column: str | None
    says: Text
    fix: Text
    n: int
    mended: int
    again: int
    first_row: int

    @property
    def open(self) -> int:
        """Rows that nobody has tried to mend yet."""
        return self.n - self.mended - self.again


@dataclass(frozen=True, slots=True)
class BadRow:
    """One bad row; `mended`: None while it is open, else whether the row of the mended file that stands for it was stored."""

    row: int
    column: str | None
    reason: str
    says: Text
    fix: Text
    mended: bool | None


class Quarantine:
    """The bad rows in a ledger's database; `change` opens one of its transactions."""

    def __init__(self, db: sqlite3.Connection, change: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._db = db
        self._change = change

    def came_from(self, load: int, path: Path) -> None:
        """Remember where the original file of an import is."""
        with self._change() as db:
            db.execute("INSERT OR REPLACE INTO origins VALUES (?,?)", (load, str(path)))

    def origin(self, load: int) -> Path | None:
        """Where the original file was last seen."""
        row = self._db.execute("SELECT path FROM origins WHERE load=?", (load,)).fetchone()
        return Path(row["path"]) if row else None

    def settle(self, rows: Iterable[tuple[int, int, bool]], by: int) -> None:
        """Note that import `by` brought these rows (import, row, whether it could be stored) again."""
        with self._change() as db:
            db.executemany(
                "INSERT OR REPLACE INTO settled SELECT load, row, ?3, ?4 FROM problems WHERE load=?1 AND row=?2 LIMIT 1",
                ((load, row, by, mended) for load, row, mended in rows),
            )

    def groups(self) -> list[Group]:
        """Every import's bad rows by reason and column, oldest import first, the commonest reason first."""
        rows = self._db.execute(
            'SELECT p.load, l.file, l.source, p.reason, p."column" AS at, p.says, p.fix, COUNT(*) AS n, MIN(p.row) AS first,'
            " COALESCE(SUM(s.mended = 1), 0) AS mended, COALESCE(SUM(s.mended = 0), 0) AS again"
            " FROM problems p JOIN loads l ON l.number = p.load LEFT JOIN settled s ON s.load = p.load AND s.row = p.row"
            " WHERE l.state = 'done' GROUP BY p.load, p.reason, p.\"column\" ORDER BY p.load, n DESC, first"
        )
        return [
            Group(r["load"], r["file"], r["source"], r["reason"], r["at"], _text(r["says"]), _text(r["fix"]), r["n"], r["mended"],
                  r["again"], r["first"])
            for r in rows
        ]  # fmt: skip

    def rows(self, load: int) -> Iterator[BadRow]:
        """The bad rows of one import in the order of its file."""
        rows = self._db.execute(
            'SELECT p.row, p."column" AS at, p.reason, p.says, p.fix, s.mended FROM problems p'
            " LEFT JOIN settled s ON s.load = p.load AND s.row = p.row WHERE p.load = ? ORDER BY p.row",
            (load,),
        )
        for r in rows:
            done = None if r["mended"] is None else bool(r["mended"])
            yield BadRow(r["row"], r["at"], r["reason"], _text(r["says"]), _text(r["fix"]), done)


def _text(packed: str) -> Text:
    said = json.loads(packed)
    return said if isinstance(said, str) else Say(*said)
