"""The one writer of a lake: begins loads and builds, finishes or undoes what a dead process left behind."""

import os
import shutil
import socket
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal
from uuid import uuid4

from huitou.errors import DiskFull, Text, in_language
from huitou.lake.build import Build
from huitou.lake.delta import Catalog, Change, Folder, table_of
from huitou.lake.digest import Digest
from huitou.lake.disk import Ballast, room, sync_new
from huitou.lake.duckdb import Engine, Snapshot
from huitou.lake.ledger import Ledger, LoadReport
from huitou.lake.load import Load
from huitou.lake.lock import WriterLock
from huitou.lake.vault import Vault
from huitou.tables import TABLES

Kind = Literal["loads", "builds"]


class Writer:
    """Holds the lake's lock while open. Leaving it by an exception undoes the load or build that is open."""

    def __init__(self, root: Path, ledger: Ledger, vault: Vault | None, what: Text, memory_gib: float | None = None) -> None:
        self.root = root
        self.ledger = ledger
        self._vault = vault
        self._what = what
        self._lock = WriterLock(root / "writer.lock")
        self._ballast = Ballast(root / "ballast")
        self._open: Load | Build | None = None
        with room(root):
            self._lock.take(what)
        try:
            with room(root):
                self.recover()
                self._ballast.take()
                self.engine = Engine(root, memory_gib)
        except BaseException:
            self._lock.drop()
            raise

    def begin(self, file: Path, *, source: str, main: str, name: str | None = None) -> Load:
        """Enter a file in the ledger, as `name` if it has another than its own. `main` gets one row per row of the file."""
        self._leave_nothing_open()
        size = file.stat().st_size
        if shutil.disk_usage(self.root).free < size:
            raise DiskFull(self.root, size)
        digest = Digest(file)
        known = self.ledger.known_as(digest.of_all(), source) if self.ledger.has_size(size, source) else None
        entry = LoadReport(
            number=0, file=name or file.name, source=source, main=main, sha256="", bytes=size, at=datetime.now(UTC),
            rows_read=0, stored=0, known=0, quarantined=0, repeats_of=known.number if known else None,
        )  # fmt: skip
        uid = uuid4().hex
        owner = f"{in_language(self._what, 'en')} (pid {os.getpid()} on {socket.gethostname()})"
        with room(self.root):
            number = self.ledger.start_load(entry, uid, owner)
        load = Load(self, entry.numbered(number), uid, known, digest)
        self._open = load
        return load

    def changed(self, rules: str, fingerprint: str | None = None, *, part: int | None = None) -> dict[str, set[str]]:
        """Canonical table → months whose rows changed since the last build of a rule pack.

        All months that hold rows when the pack was never built, or was built with another fingerprint. A fingerprint of
        several parts has dots between them; `part` says with which of them `fingerprint` is compared.
        """
        last = self.ledger.last_build(rules)
        catalog = self.catalog()
        before = last[0] if last and part is None else [*(last[0] if last else "").split("."), ""][part or 0]
        if last is None or (fingerprint is not None and fingerprint != before):
            everything = {name: set(catalog.months(name)) for name, table in TABLES.items() if not table.fact}
            return {name: months for name, months in everything.items() if months}
        changed: dict[str, set[str]] = {}
        for load in self.ledger.loads():
            if load.number > last[1]:
                for name, counts in load.by_table.items():
                    changed.setdefault(name, set()).update(counts.months)
        return {name: months for name, months in changed.items() if months}

    def build(self, rules: str, fingerprint: str) -> Build:
        """Begin to build the facts of a rule pack from what is stored now; `fingerprint` names rules and code."""
        self._leave_nothing_open()
        uid = uuid4().hex
        loads = self.ledger.loads()
        with room(self.root):
            number = self.ledger.start_build(uid, rules, fingerprint, loads[-1].number if loads else 0)
        build = Build(self, self.catalog(rules), number, uid)
        self._open = build
        return build

    def catalog(self, rules: str | None = None) -> Catalog:
        """What is stored now."""
        version, heads = self.ledger.heads()
        return Catalog(self.root, version, heads, rules)

    def snapshot(self, rules: str | None = None) -> Snapshot:
        """What is stored now, to be read until the writer closes."""
        return Snapshot(self.catalog(rules), self.engine)

    def store(self, kind: Kind, uid: str, changes: dict[str, Change], report: LoadReport | None = None) -> None:
        """Make files durable, promise the change in the ledger, commit each table, then show all of it at once."""
        with room(self.root):
            for name, change in changes.items():
                folder = self.folder(name)
                sync_new([folder.path / f.path for f in change.add], folder.path)
            if report is not None and self._vault is not None:
                self._vault.commit()
            self._ballast.drop()
            self.ledger.promise(kind, uid, {f: c.to_json() for f, c in changes.items()}, report)
        with room(self.root):
            self._fulfil(kind, uid)
            self._ballast.take()

    def seal(self) -> None:
        """Encrypt the identities of the open load, which is most of the work of storing them. Raises DiskFull."""
        if self._vault is not None:
            self._vault.seal()

    def _fulfil(self, kind: str, uid: str) -> None:
        versions = {}
        for name, change in self.ledger.promised(uid).items():
            versions[name] = self.folder(name).commit(Change.from_json(change), uid)
        self.ledger.finish(kind, uid, versions)

    def undo(self, kind: Kind, number: int, uid: str) -> None:
        """Remove every file of a pending load or build and its ledger entry; a promised one is left to be finished."""
        self._ballast.drop()
        # On a full disk not even this may work; the next writer does it then.
        with suppress(OSError, sqlite3.Error):
            if self._vault is not None:
                self._vault.rollback()
            if any(u.uid == uid and u.state == "pending" for u in self.ledger.unfinished()):
                self._wipe(kind, number, uid)

    def _wipe(self, kind: str, number: int, uid: str) -> None:
        stem = f"{kind[:-1]}-{number}-"
        for folder in ("tables", "superseded", "facts"):
            for file in (self.root / folder).glob(f"**/month=*/{stem}*"):
                file.unlink(missing_ok=True)
        shutil.rmtree(self.root / "_staging", ignore_errors=True)
        self.ledger.drop(kind, uid)

    def recover(self) -> None:
        """Finish promised changes, undo pending ones, sweep what dead processes left. Only under the lock."""
        self._ballast.drop()
        for log in self.root.glob("*/**/_delta_log"):
            self.folder(str(log.parent.relative_to(self.root))).mend()
        for left in self.ledger.unfinished():
            if left.state == "committing":
                with room(self.root):
                    self._fulfil(left.kind, left.uid)
            else:
                self._wipe(left.kind, left.number, left.uid)
        shutil.rmtree(self.root / "_staging", ignore_errors=True)
        for scratch in (self.root / "_scratch").glob("*-*"):
            if not _alive(int(scratch.name.split("-")[0])):
                shutil.rmtree(scratch, ignore_errors=True)

    def folder(self, name: str) -> Folder:
        """The Delta table in a folder under ``lake/``."""
        return Folder(self.root / name, table_of(name))

    def _leave_nothing_open(self) -> None:
        if self._open is not None and self._open.open:
            raise ValueError("the load or build begun before must be committed or aborted first")

    def close(self) -> None:
        """Undo what is open and let the next writer in."""
        try:
            if self._open is not None:
                self._open.abort()
        finally:
            self.engine.close()
            self._ballast.drop()
            self._lock.drop()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _alive(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
