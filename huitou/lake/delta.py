"""Delta tables on disk: schema, file lists of a version, and commits that reach the disk before anyone hears of them."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.schema import Field, PrimitiveType, Schema
from deltalake.transaction import AddAction, RemoveAction

from huitou.errors import LakeDamaged, Say, UnknownName
from huitou.lake.disk import sync, sync_new
from huitou.lake.ledger import Heads
from huitou.tables import TABLES, Column, Table

DELTA_TYPE = {
    "key": "long", "int": "long", "money": "long", "time": "timestamp", "date": "date", "bool": "boolean",
    "float": "double", "code": "string", "codes": "string", "text": "string",
}  # fmt: skip
CHECKPOINT_EVERY = 100
KEPT_HOURS = 7 * 24

_ROW_KEY = Column("row_key", "key", "行键", "row_key of a row that a newer version of the same thing replaced")
SUPERSEDED = {
    t.name: Table(f"{t.name}_superseded", "旧版本", "Replaced versions", (_ROW_KEY,), ("row_key",), None, fact=True)
    for t in TABLES.values()
    if t.versions and not t.fact
}
"""Per table with versions: which of its rows are no longer the newest. Losing is for ever, so the set only grows."""


def table_of(folder: str) -> Table:
    """The table that a folder under ``lake/`` ("tables/orders") holds."""
    kind, name = folder.split("/")[0], folder.split("/")[-1]
    return SUPERSEDED[name] if kind == "superseded" else TABLES[name]


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file of a table: path relative to the table's folder, its month, rows, bytes, and min/max of columns
    that hold no text (times as datetime, dates as date)."""

    path: str
    month: str
    rows: int
    bytes: int
    low: dict[str, Any] = field(default_factory=dict)
    high: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One commit to one table: files that come and files that go."""

    add: tuple[DataFile, ...] = ()
    remove: tuple[DataFile, ...] = ()

    def to_json(self) -> str:
        """For the ledger; dates and times as ISO text."""
        return json.dumps(asdict(self), default=_plain)

    @classmethod
    def from_json(cls, text: str) -> "Change":
        """Back from the ledger; min and max stay text, which is how Delta writes them."""
        data = json.loads(text)
        return cls(tuple(DataFile(**f) for f in data["add"]), tuple(DataFile(**f) for f in data["remove"]))


class Folder:
    """The folder of one Delta table."""

    def __init__(self, path: Path, table: Table) -> None:
        self.path = path
        self.table = table

    def ensure(self) -> None:
        """Create the table, empty, if it is not there. Statistics are kept for columns without text only."""
        if (self.path / "_delta_log" / f"{0:020}.json").exists():
            return
        self.path.mkdir(parents=True, exist_ok=True)
        skip = [c.name for c in self.table.stored if c.type not in ("code", "codes", "text")]
        DeltaTable.create(
            self.path, schema=self._schema(), mode="ignore", partition_by=["month"],
            configuration={"delta.dataSkippingStatsColumns": ",".join(skip), "delta.logRetentionDuration": "interval 3650 days"},
        )  # fmt: skip
        sync_new([self.path / "_delta_log" / f"{0:020}.json"], self.path)
        for parent in (self.path.parent, self.path.parent.parent):
            sync(parent)

    def files(self, version: int | None) -> list[DataFile]:
        """The files of a version (None: of no version, so none)."""
        if version is None:
            return []
        try:
            actions = pl.DataFrame(DeltaTable(self.path, version=version).get_add_actions(flatten=False)).to_dicts()
        except Exception as error:
            says = Say(f"表的版本 {version} 读不出", f"version {version} of the table cannot be read")
            raise LakeDamaged(self.path, says) from error
        return [
            DataFile(
                a["path"], (a["partition"] or {})["month"], a["num_records"], a["size_bytes"],
                {k: v for k, v in (a.get("min") or {}).items() if v is not None},
                {k: v for k, v in (a.get("max") or {}).items() if v is not None},
            )
            for a in actions
        ]  # fmt: skip

    def commit(self, change: Change, uid: str) -> int:
        """Commit once: a change whose `uid` is in the log already is not written again. Returns the version."""
        table = DeltaTable(self.path)
        if (table.transaction_version(uid) or 0) < 1:
            now = int(time.time() * 1000)
            actions: list[AddAction | RemoveAction] = [
                AddAction(f.path, f.bytes, {"month": f.month}, now, True, _stats(f)) for f in change.add
            ]
            actions += [
                RemoveAction(f.path, data_change=True, deletion_timestamp=now, size=f.bytes, partition_values={"month": f.month})
                for f in change.remove
            ]
            table.create_write_transaction(
                actions, "append", self._schema(), ["month"],
                commit_properties=CommitProperties(app_transactions=[Transaction(uid, 1)], max_commit_retries=0),
                post_commithook_properties=PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False),
            )  # fmt: skip
            table = DeltaTable(self.path)
        version = int(table.version())
        log = self.path / "_delta_log"
        new = [log / f"{version:020}.json"]
        if version and version % CHECKPOINT_EVERY == 0:
            table.create_checkpoint()
            new += [log / f"{version:020}.checkpoint.parquet", log / "_last_checkpoint"]
        sync_new([file for file in new if file.exists()], self.path)
        return version

    def mend(self) -> None:
        """Remove what a crash can leave in the log: temporary commits, and a checkpoint that was not written through."""
        log = self.path / "_delta_log"
        for temporary in (*log.glob("*#*"), *log.glob("*.tmp"), *log.glob("_commit_*")):
            temporary.unlink(missing_ok=True)
        for checkpoint in log.glob("*.checkpoint*.parquet"):
            try:
                pq.ParquetFile(checkpoint).close()
            except (OSError, pa.ArrowInvalid):
                (log / "_last_checkpoint").unlink(missing_ok=True)
                checkpoint.unlink()

    def tidy(self) -> None:
        """Delete files that no version of the last `KEPT_HOURS` shows."""
        for path in DeltaTable(self.path).vacuum(retention_hours=KEPT_HOURS, dry_run=True):
            (self.path / path).unlink(missing_ok=True)

    def _schema(self) -> Schema:
        fields = [Field(c.name, PrimitiveType(DELTA_TYPE[c.type]), nullable=True) for c in self.table.stored]
        return Schema([*fields, Field("month", PrimitiveType("string"), nullable=False)])


@dataclass(frozen=True, slots=True)
class Catalog:
    """What a reader sees: the table versions of one finished commit. Engine-neutral; both engines read its file lists."""

    root: Path
    version: int
    heads: Heads
    rules: str | None = None
    _seen: dict[str, list[DataFile]] = field(default_factory=dict, repr=False, compare=False)

    def folder(self, name: str) -> str:
        """Folder of a table under ``lake/``: canonical ones are shared, facts belong to a rule pack. Raises UnknownName."""
        if name not in TABLES:
            raise UnknownName(Say("表", "table"), name, TABLES)
        return f"facts/{self.rules}/{name}" if TABLES[name].fact else f"tables/{name}"

    def files(self, name: str, months: Iterable[str] | None = None) -> list[DataFile]:
        """Files of a canonical or fact table, all months or some."""
        return self._files(self.folder(name), TABLES[name], months)

    def superseded(self, name: str, months: Iterable[str] | None = None) -> list[DataFile]:
        """Files that list the replaced rows of a table with versions, of all months or some."""
        return self._files(f"superseded/{name}", SUPERSEDED[name], months) if name in SUPERSEDED else []

    def _files(self, folder: str, table: Table, months: Iterable[str] | None) -> list[DataFile]:
        if folder not in self._seen:
            self._seen[folder] = Folder(self.root / folder, table).files(self.heads.get(folder))
        wanted = None if months is None else set(months)
        return [f for f in self._seen[folder] if wanted is None or f.month in wanted]

    def paths(self, name: str, months: Iterable[str] | None = None) -> list[str]:
        """Absolute paths of `files`."""
        return [str(self.root / self.folder(name) / f.path) for f in self.files(name, months)]

    def superseded_paths(self, name: str, months: Iterable[str] | None = None) -> list[str]:
        """Absolute paths of `superseded`."""
        return [str(self.root / "superseded" / name / f.path) for f in self.superseded(name, months)]

    def rows(self, name: str) -> int:
        """Rows stored of a table, replaced versions included."""
        return sum(f.rows for f in self.files(name))

    def months(self, name: str) -> list[str]:
        """Months that hold rows of a table, sorted."""
        return sorted({f.month for f in self.files(name)})


def _stats(file: DataFile) -> str:
    return json.dumps(
        {
            "numRecords": file.rows,
            "minValues": {k: _plain(v) for k, v in file.low.items()},
            "maxValues": {k: _plain(v) for k, v in file.high.items()},
        }
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value.isoformat() if isinstance(value, date) else value
