"""The vault: raw identities, encrypted per customer, away from the lake; written in bulk on import, read one at a time."""

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from huitou.errors import LakeDamaged, Say
from huitou.lake.disk import room, sync

FIELDS = ("nick", "name", "phone", "address")
WAITING_BYTES = 64 * 2**20
"""Identities kept in memory until they are sealed: some 1,100,000 nicks, or 400,000 people with phone and address."""
SEALED_AT_ONCE = 100_000
_NONCE = 12
_SEPARATOR = "\x1f"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS people (customer_key INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS reads (at TEXT NOT NULL, customer_key INTEGER NOT NULL, why TEXT NOT NULL);
"""


class Vault:
    """SQLite (WAL, synchronous FULL) with one AES-256-GCM blob per customer; the key is a file of mode 0600 beside it.

    Writes wait in a transaction until `commit`, which the load calls just before it promises its rows: a crash can leave
    an identity without rows, never rows whose identity is lost.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._aes = AESGCM(read_or_make_key(folder / "vault.key"))
        self._waiting: list[pa.Table] = []
        self._bytes = 0
        self._db: sqlite3.Connection | None = None

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            file = self._folder / "vault.db"
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA temp_store=MEMORY")
            self._db.execute("PRAGMA cache_size=-32768")
            self._db.executescript(_SCHEMA)
            self._db.execute("CREATE TEMP TABLE wanted (customer_key INTEGER PRIMARY KEY)")
        return self._db

    def remember(self, people: pl.DataFrame) -> None:
        """Queue rows of customer_key and any of `FIELDS`. Empty values and masked ones (``*``) are dropped."""
        rows = people.select("customer_key", *(_clear(people, f).alias(f) for f in FIELDS)).drop_nulls("customer_key")
        rows = rows.filter(pl.any_horizontal(pl.col(f).is_not_null() for f in FIELDS))
        if not rows.height:
            return
        self._wait(_each_once(rows))
        if self._bytes > WAITING_BYTES:
            people = self._queued()
            self._wait(people)
            if self._bytes > WAITING_BYTES * 3 // 4:
                self.seal()

    def _wait(self, people: pl.DataFrame) -> None:
        """Queue rows with texts of their own: frames cut out of a file's stretch would keep all of its texts in memory."""
        self._waiting.append(people.to_arrow())
        self._bytes += self._waiting[-1].nbytes

    def _queued(self) -> pl.DataFrame:
        """Take what is queued, equal rows once."""
        people = pl.from_arrow(pa.concat_tables(self._waiting))
        assert isinstance(people, pl.DataFrame)
        self._waiting, self._bytes = [], 0
        return _each_once(people)

    def seal(self) -> None:
        """Write what is queued into the open transaction. Raises DiskFull."""
        if not self._waiting:
            return
        people = self._queued()
        again = pl.col("customer_key").is_duplicated()
        if people.select(again.any()).item():
            latest = people.filter(again).group_by("customer_key").agg(pl.col(f).drop_nulls().last() for f in FIELDS)
            people = pl.concat([people.filter(~again), latest])
        people = people.sort("customer_key")  # in key order the B-tree takes three times as many rows a second
        with room(self._folder):
            db = self._open()
            if not db.in_transaction:
                db.execute("BEGIN IMMEDIATE")
            for some in people.iter_slices(SEALED_AT_ONCE):
                some = self._merged(some, self._known(db, some["customer_key"]))
                db.executemany("INSERT OR REPLACE INTO people VALUES (?,?)", self._sealed(some))

    def _merged(self, people: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
        """New values over known ones; customers of whom nothing is new are left out."""
        if not known.height:
            return people
        both = people.join(known, on="customer_key", how="left", suffix="_known", maintain_order="left")
        news = pl.any_horizontal((pl.col(f) != pl.col(f"{f}_known")).fill_null(pl.col(f).is_not_null()) for f in FIELDS)
        return both.filter(news).select("customer_key", *(pl.coalesce(f, f"{f}_known").alias(f) for f in FIELDS))

    def _sealed(self, people: pl.DataFrame) -> Iterator[tuple[int, bytes]]:
        keys, seal = people["customer_key"], self._aes.encrypt
        joined = people.select(pl.concat_str([pl.col(f).fill_null("") for f in FIELDS], separator=_SEPARATOR).cast(pl.Binary))
        texts, owners = joined.to_series().to_list(), _cut(keys.to_numpy().astype(">i8").tobytes(), 8)
        nonces = _cut(os.urandom(_NONCE * len(keys)), _NONCE)
        for key, text, nonce, owner in zip(keys.to_list(), texts, nonces, owners, strict=True):
            yield key, nonce + seal(nonce, text, owner)

    def _known(self, db: sqlite3.Connection, keys: pl.Series) -> pl.DataFrame:
        """What the vault holds of these customers."""
        found: list[tuple[int, bytes]] = []
        between = (keys[0], keys[-1])
        if db.execute("SELECT 1 FROM people WHERE customer_key BETWEEN ? AND ? LIMIT 1", between).fetchone():
            db.execute("DELETE FROM temp.wanted")
            db.executemany("INSERT INTO temp.wanted VALUES (?)", zip(keys.to_list(), strict=True))
            found = db.execute("SELECT customer_key, sealed FROM temp.wanted JOIN people USING (customer_key)").fetchall()
        rows = [(key, *self._unseal(key, sealed)) for key, sealed in found]
        schema = {"customer_key": pl.Int64(), **{f: pl.String() for f in FIELDS}}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _unseal(self, key: int, sealed: bytes) -> list[str | None]:
        try:
            text = self._aes.decrypt(sealed[:_NONCE], sealed[_NONCE:], key.to_bytes(8, "big")).decode()
        except InvalidTag as error:
            says = Say("有身份信息无法用 vault.key 解开", "an identity cannot be decrypted with vault.key")
            raise LakeDamaged(self._folder / "vault.db", says) from error
        return [v or None for v in text.split(_SEPARATOR)]

    def commit(self) -> None:
        """Write what is queued, durably. Raises DiskFull."""
        self.seal()
        with room(self._folder):
            if self._db is not None and self._db.in_transaction:
                self._db.execute("COMMIT")

    def rollback(self) -> None:
        """Forget what is queued."""
        self._waiting, self._bytes = [], 0
        if self._db is not None and self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def recall(self, customer_key: int, why: str) -> dict[str, str] | None:
        """The raw identity of one customer (fields that are known), or None. Who asked for what reason is on record."""
        db = self._open()
        db.execute("INSERT INTO reads VALUES (?,?,?)", (datetime.now(UTC).isoformat(), customer_key, why))
        row = db.execute("SELECT sealed FROM people WHERE customer_key=?", (customer_key,)).fetchone()
        if row is None:
            return None
        return {f: v for f, v in zip(FIELDS, self._unseal(customer_key, row[0]), strict=True) if v is not None}

    def reads(self) -> list["Read"]:
        """Every look into the vault, oldest first."""
        rows = self._open().execute("SELECT at, customer_key, why FROM reads ORDER BY rowid")
        return [Read(datetime.fromisoformat(at), key, why) for at, key, why in rows]


@dataclass(frozen=True, slots=True)
class Read:
    """One look into the vault: when, whose identity, for what reason."""

    at: datetime
    customer_key: int
    why: str


def _clear(people: pl.DataFrame, name: str) -> pl.Series:
    """The values of a field that say something: neither empty nor masked, and without the separator."""
    if name not in people.columns or people[name].null_count() == people.height:
        return pl.Series(name, [None], dtype=pl.String).new_from_index(0, people.height)
    texts = people[name].cast(pl.String)
    texts = texts.set((texts == "") | texts.str.contains("*", literal=True), None)
    broken = texts.str.contains(_SEPARATOR, literal=True).any()
    return texts.str.replace_all(_SEPARATOR, " ", literal=True) if broken else texts


def _each_once(people: pl.DataFrame) -> pl.DataFrame:
    """Without the earlier ones of equal rows."""
    told = [f for f in FIELDS if people[f].null_count() < people.height]
    return people.unique(["customer_key", *told], keep="last", maintain_order=True)


def _cut(data: bytes, size: int) -> list[bytes]:
    """Pieces of equal size."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def read_or_make_key(file: Path) -> bytes:
    """32 random bytes kept in a file that only its owner may read; made on first use."""
    if not file.exists():
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            os.write(handle, os.urandom(32))
            os.fsync(handle)
        finally:
            os.close(handle)
        sync(file.parent)
    return file.read_bytes()
