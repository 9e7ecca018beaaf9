"""The vault: raw identities, encrypted, away from the lake; written in bulk on import, read one at a time.

People are kept as runs: lists sorted by key, cut into blocks, each sealed by itself, so that a million people cost a thousand
ciphers and not a million. What a load adds is merged with those runs before it that are not much larger, so there are never
more of them than the people can be halved.
"""

import os
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from huitou.errors import LakeDamaged, Say
from huitou.lake.disk import room, sync
from huitou.lake.letters import Letters

FIELDS = ("nick", "name", "phone", "address")
WAITING_BYTES = 8 * 2**20
"""Identities kept in memory until they are sealed: some 250,000 nicks, or 60,000 people with phone and address; sealing them
takes several times as much."""
BLOCK = 1024
"""People sealed together: what one look into the vault has to decrypt of a run."""
MERGED_BLOCKS = 64
"""Blocks that are made at once."""
_NONCE = 12
_FIELD, _PERSON = "\x1f", "\x1e"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS blocks (
  run INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, people INTEGER NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS blocks_keys ON blocks (run, first, last, people);
CREATE TABLE IF NOT EXISTS reads (at TEXT NOT NULL, customer_key INTEGER NOT NULL, why TEXT NOT NULL);
"""
_BLOCK_COLUMNS = "SELECT sealed, run, first, last, people FROM blocks"


class Vault:
    """SQLite (WAL, synchronous FULL) with AES-256-GCM blobs; the key is a file of mode 0600 beside it.

    Writes wait in a transaction until `commit`, which the load calls just before it promises its rows: a crash can leave
    an identity without rows, never rows whose identity is lost.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._aes = AESGCM(read_or_make_key(folder / "vault.key"))
        self._waiting: list[pa.Table] = []
        self._bytes = 0
        self._grown = False  # runs were added that are not merged yet
        self._db: sqlite3.Connection | None = None
        self._beside = ThreadPoolExecutor(1, "huitou-vault")
        self._taking: Future[None] | None = None

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            file = self._folder / "vault.db"
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA cache_size=-32768")
            self._db.executescript(_SCHEMA)
        return self._db

    def remember(self, people: pl.DataFrame) -> None:
        """Queue rows of customer_key and any of `FIELDS`. Empty values and masked ones (``*``) are dropped.

        They are looked at in a thread of its own while the caller goes on; what that raises, the next call or `seal` raises.
        """
        self._taken()
        self._taking = self._beside.submit(self._take, people)

    def _taken(self) -> None:
        """Wait until all rows are queued. Raises DiskFull."""
        taking, self._taking = self._taking, None
        if taking is not None:
            taking.result()

    def _take(self, people: pl.DataFrame) -> None:
        told = {f: clear for f in FIELDS if f in people.columns and (clear := _clear(people[f])) is not None}
        if not told:
            return
        nobody = pl.Series([None], dtype=pl.String)
        columns = [told.get(f, nobody.new_from_index(0, people.height)).alias(f) for f in FIELDS]
        rows = people.select("customer_key", *columns).filter(
            pl.col("customer_key").is_not_null() & pl.any_horizontal(pl.col(f).is_not_null() for f in told)
        )
        if not rows.height:
            return
        self._wait(_each_once(rows))
        if self._bytes > WAITING_BYTES:
            people = self._queued()
            self._wait(people)
            if self._bytes > WAITING_BYTES * 3 // 4:
                self._add_run()

    def _wait(self, people: pl.DataFrame) -> None:
        """Queue rows with texts of their own: frames cut out of a file's stretch would keep all of its texts in memory."""
        told = _told(people)
        self._waiting.append(people.select("customer_key", *told).to_arrow())
        self._bytes += self._waiting[-1].nbytes

    def _queued(self) -> pl.DataFrame:
        """Take what is queued, each customer once, in order of their keys; a field of which nothing is told may be missing."""
        people = pl.from_arrow(pa.concat_tables(self._waiting, promote_options="default"))
        assert isinstance(people, pl.DataFrame)
        self._waiting, self._bytes = [], 0
        return _newest(people)

    def seal(self) -> None:
        """Write what is queued into the open transaction. Raises DiskFull."""
        self._taken()
        self._add_run()
        if self._grown:
            self._grown = False
            with room(self._folder):
                self._merge(self._open())

    def _add_run(self) -> None:
        if not self._waiting:
            return
        people = self._queued()
        self._grown = True
        with room(self._folder):
            db = self._open()
            if not db.in_transaction:
                db.execute("BEGIN IMMEDIATE")
            run = 1 + int(db.execute("SELECT coalesce(max(run), 0) FROM blocks").fetchone()[0])
            for some in people.iter_slices(MERGED_BLOCKS * BLOCK):
                self._add(db, run, some)

    def _add(self, db: sqlite3.Connection, run: int, people: pl.DataFrame) -> None:
        """Append blocks of people, sorted by key, to a run."""
        keys = people["customer_key"].to_numpy()
        told = (pl.col(f).fill_null("") if f in people.columns else pl.lit("") for f in FIELDS)
        fields = pl.concat_str([*told], separator=_FIELD) + _PERSON
        texts = Letters.of(people.select(fields).to_series())
        for at in range(0, len(keys), BLOCK):
            some = keys[at : at + BLOCK]
            first, last = int(some[0]), int(some[-1])
            content = some.astype("<i8").tobytes() + texts.joined(at, len(some)).removesuffix(_PERSON.encode())
            nonce = os.urandom(_NONCE)
            sealed = nonce + self._aes.encrypt(nonce, content, _seal_of(run, first, last, len(some)))
            db.execute("INSERT INTO blocks VALUES (?,?,?,?,?)", (run, first, last, len(some), sealed))

    def _merge(self, db: sqlite3.Connection) -> None:
        """Merge the newest runs, so that each that is left is at least twice as large as all after it."""
        sizes = db.execute("SELECT run, sum(people) FROM blocks GROUP BY run ORDER BY run DESC").fetchall()
        newer, runs = 0, 0
        for at, (_, people) in enumerate(sizes):
            runs = at + 1 if people < 2 * newer else runs
            newer += people
        if runs < 2:
            return
        merged, oldest = sizes[0][0] + 1, sizes[runs - 1][0]
        firsts = [row[0] for row in db.execute("SELECT first FROM blocks WHERE run >= ? ORDER BY first", (oldest,))]
        bounds = [0, *sorted(set(firsts[MERGED_BLOCKS::MERGED_BLOCKS])), 2**63]
        for low, beyond in pairwise(bounds):
            people = self._between(db, (oldest, merged - 1), (low, beyond - 1))
            if people.height:  # below the smallest key there is nobody
                self._add(db, merged, _newest(people))
        db.execute("DELETE FROM blocks WHERE run BETWEEN ? AND ?", (oldest, merged - 1))

    def _between(self, db: sqlite3.Connection, runs: tuple[int, int], keys: tuple[int, int]) -> pl.DataFrame:
        """People of some runs, the older ones first, with a key in a range."""
        blocks = f"{_BLOCK_COLUMNS} WHERE run BETWEEN ? AND ? AND first <= ? AND last >= ? ORDER BY run"
        held = [self._unseal(*block) for block in db.execute(blocks, (*runs, *reversed(keys)))]
        found = np.concatenate([np.empty(0, dtype=np.int64), *(keys for keys, _ in held)])
        texts = pl.Series("text", [some for _, some in held], dtype=pl.String).str.split(_PERSON).explode()
        split = pl.col("text").str.split_exact(_FIELD, len(FIELDS) - 1).struct.rename_fields(list(FIELDS))
        frame = pl.DataFrame([pl.Series("customer_key", found), texts]).filter(pl.col("customer_key").is_between(*keys))
        return frame.select("customer_key", split).unnest("text").with_columns(pl.when(pl.col(f) != "").then(f) for f in FIELDS)

    def _unseal(self, sealed: bytes, run: int, first: int, last: int, people: int) -> tuple[np.ndarray, str]:
        """Keys, and joined fields of joined people, of a block."""
        try:
            content = self._aes.decrypt(sealed[:_NONCE], sealed[_NONCE:], _seal_of(run, first, last, people))
        except InvalidTag as error:
            says = Say("有身份信息无法用 vault.key 解开", "an identity cannot be decrypted with vault.key")
            raise LakeDamaged(self._folder / "vault.db", says) from error
        return np.frombuffer(content, "<i8", people), content[8 * people :].decode()

    def commit(self) -> None:
        """Write what is queued, durably. Raises DiskFull."""
        self.seal()
        with room(self._folder):
            if self._db is not None and self._db.in_transaction:
                self._db.execute("COMMIT")

    def rollback(self) -> None:
        """Forget what is queued."""
        with suppress(Exception):  # what failed is why the load is undone
            self._taken()
        self._waiting, self._bytes, self._grown = [], 0, False
        if self._db is not None and self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def recall(self, customer_key: int, why: str) -> dict[str, str] | None:
        """The raw identity of one customer (fields that are known), or None. Who asked for what reason is on record."""
        db = self._open()
        db.execute("INSERT INTO reads VALUES (?,?,?)", (datetime.now(UTC).isoformat(), customer_key, why))
        known: dict[str, str] = {}
        for block in db.execute(f"{_BLOCK_COLUMNS} WHERE first <= ?1 AND last >= ?1 ORDER BY run", (customer_key,)):
            keys, people = self._unseal(*block)
            at = int(np.searchsorted(keys, customer_key))
            if keys[at] == customer_key:
                known |= {f: v for f, v in zip(FIELDS, people.split(_PERSON)[at].split(_FIELD), strict=True) if v}
        return known or None

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


def _clear(texts: pl.Series) -> pl.Series | None:
    """The values of a field that say something: neither empty nor masked, and without the separators. None: there is none."""
    if texts.null_count() < len(texts):
        texts = texts.set(texts.str.contains("*", literal=True) | (texts == ""), None)
    if texts.null_count() == len(texts):
        return None
    for sign in (_FIELD, _PERSON):
        if texts.str.contains(sign, literal=True).any():
            texts = texts.str.replace_all(sign, " ", literal=True)
    return texts


def _told(people: pl.DataFrame) -> list[str]:
    """The fields that are told of anybody."""
    return [f for f in FIELDS if f in people.columns and people[f].null_count() < people.height]


def _each_once(people: pl.DataFrame) -> pl.DataFrame:
    """Without the earlier ones of equal rows; where only nicks are told, of equal keys."""
    told = _told(people)
    if told == [FIELDS[0]]:
        keys = people["customer_key"].to_numpy()
        order = np.argsort(keys)  # not stable, which would take twice as long: the last of each is found afterwards
        begins = np.flatnonzero(np.diff(keys[order], prepend=-1))  # keys are not negative
        once: pl.DataFrame = people[np.maximum.reduceat(order, begins)]
        return once
    return people.unique(["customer_key", *told], keep="last", maintain_order=True)


def _newest(people: pl.DataFrame) -> pl.DataFrame:
    """Each customer once, with what was told of them last, in order of their keys."""
    people = _each_once(people).sort("customer_key", maintain_order=True)
    keys = people["customer_key"]
    again = (keys == keys.shift(1)) | (keys == keys.shift(-1))
    if not again.any():
        return people
    latest = people.filter(again).group_by("customer_key").agg(pl.col(people.columns[1:]).drop_nulls().last())
    return pl.concat([people.filter(~again.fill_null(False)), latest]).sort("customer_key")


def _seal_of(run: int, first: int, last: int, people: int) -> bytes:
    """What a block is sealed with, so that none can be put in another's place."""
    return f"{run} {first} {last} {people}".encode()


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
