"""How far tables join, before and after they are stored: distinct keys on both sides, in memory that does not grow.

Keys are 63-bit hashes. When there are more than `MOST` of one kind, only those below a limit are kept, the same limit for every
table: a random sample of the things themselves, in which a key that joins keeps its partner. Below `MOST` shares are exact.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from huitou.errors import Say
from huitou.lake.duckdb import Snapshot
from huitou.tables import TABLES

MOST = 1_000_000
"""Distinct keys of one kind kept at once, over all tables: 8 MB."""
_HIGHEST = 2**63 - 1
_FEW, _MANY = 0.05, 20
"""A join below this share of at least so many keys is a fault, not chance."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two tables that share a key; `says` is what the share of the left one's things is a share of."""

    left: str
    right: str
    key: str
    says: Say


LINKS = (
    Link("messages", "orders", "customer_key", Say("聊过的客户里有订单的", "customers who chatted that have an order")),
    Link("orders", "messages", "customer_key", Say("下单的客户里聊过的", "customers who ordered that chatted")),
    Link("order_lines", "orders", "order_key", Say("子订单里找得到订单的", "orders of the order lines that are there")),
    Link("refunds", "orders", "order_key", Say("退款里找得到订单的", "orders of the refunds that are there")),
    Link(
        "reviews",
        "orders",
        "order_key",
        Say("写着订单号的评价里找得到订单的", "orders of the reviews that name one that are there"),
    ),
    Link("reviews", "orders", "customer_key", Say("写评价的客户里找得到订单的", "customers who reviewed that have an order")),
)


_LACKS = {"customer_key": Say("买家账号", "buyer id"), "order_key": Say("订单编号", "order id")}


@dataclass(frozen=True, slots=True)
class Join:
    """Of `n` distinct keys of the left table `found` are in the right one. `sampled`: both are of a sample (the share holds).

    `empty`: the right table holds nothing at all. `nobody`: rows of the files' left tables that carry no such key.
    """

    link: Link
    n: int
    found: int
    sampled: bool
    empty: bool
    nobody: int = 0

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None where there is nothing to join."""
        return self.found / self.n if self.n and not self.empty else None


def said(join: Join, days: Mapping[str, tuple[date, date]]) -> tuple[bool, Say]:
    """Whether a join fails, and how far it holds as a sentence; with the reason where the tables' days tell it."""
    what, right, nobody = join.link.says, TABLES[join.link.right], join.nobody
    lacks = _LACKS[join.link.key]
    if not join.n:
        return True, Say(
            f"{what.zh}：接不上，{nobody:,} 行里一个{lacks.zh}也没有（这份导出不带，或打了星号）。",
            f"{what.en}: unknown, none of the {nobody:,} rows has a {lacks.en} (the export lacks it, or it is masked).",
        )
    if join.empty:
        return False, Say(f"{what.zh}：还没有{right.zh}，接不上。", f"{what.en}: there are no {right.en.lower()} yet.")
    share = join.share or 0.0
    told = f"{min(share, 0.999) if join.found < join.n else share:.1%}"
    zh = f"{what.zh}：{'约 ' if join.sampled else ''}{told}（{join.found:,} / {join.n:,}）。"
    en = f"{what.en}: {'about ' if join.sampled else ''}{told} ({join.found:,} of {join.n:,})."
    if nobody:
        zh, en = f"{zh}另有 {nobody:,} 行没有{lacks.zh}。", f"{en} {nobody:,} more rows have no {lacks.en}."
    if share >= _FEW or join.n < _MANY:
        return False, Say(zh, en)
    left, other = days.get(join.link.left), days.get(join.link.right)
    if left and other and (left[1] < other[0] or other[1] < left[0]):
        return True, Say(f"{zh}两边的日期不重叠，换同一时段的导出。", f"{en} Their days do not overlap: export the same period.")
    return True, Say(
        f"{zh}两边的编号对不上，可能是别的店、被遮住或被改过的编号。",
        f"{en} The ids differ: another shop's, masked ones, or ones that were changed.",
    )


class Keys:
    """Distinct keys of the tables that are linked."""

    def __init__(self) -> None:
        self._nobody: Counter[tuple[str, str]] = Counter()
        self._sets: dict[str, _OneKind] = {key: _OneKind() for key in {link.key for link in LINKS}}
        self._sessions: list[pl.DataFrame] = []

    def add(self, table: str, frame: pl.DataFrame) -> None:
        """Take the keys of a file's canonical rows."""
        for key in _KEYS.get(table, ()):
            if key in frame.columns:
                self._sets[key].add(table, frame[key].cast(pl.Int64))  # a column without a row may have no type
                self._nobody[table, key] += frame[key].null_count()
        if table == "chat_sessions":
            columns = [pl.col(c) if c in frame.columns else pl.lit(None, pl.Int64).alias(c) for c in _SESSION]
            self._sessions.append(frame.select(columns).drop_nulls("alias_key"))

    def add_stored(self, snapshot: Snapshot) -> None:
        """Take the keys of everything that is stored."""
        for table, keys in _KEYS.items():
            if snapshot.has(table):
                t = snapshot.table(table)
                for key in keys:
                    low = self._sets[key].limit_for(snapshot, table, key)
                    self._sets[key].add(table, snapshot.frame(t.filter(t[key] <= low).select(key).distinct())[key])
        if snapshot.has("chat_sessions"):
            t = snapshot.table("chat_sessions")
            self._sessions.append(snapshot.frame(t.filter(t.alias_key.notnull()).select(*_SESSION).limit(MOST)))

    def joins(self) -> list[Join]:
        """Every link whose left table has keys."""
        found = []
        known = self._known()
        for link in LINKS:
            kind = self._sets[link.key]
            left, right = (
                kind.of(t).replace(known["talk_key"], known["customer_key"]).unique() if t == "messages" else kind.of(t)
                for t in (link.left, link.right)
            )
            nobody = self._nobody[link.left, link.key]
            if len(left) or nobody:
                hits = int(left.is_in(right.implode()).sum()) if len(right) else 0
                found.append(Join(link, len(left), hits, kind.sampled, not len(right), nobody))
        return found

    def _known(self) -> pl.DataFrame:
        """talk_key and customer_key of chats of masked buyers that the list of sessions surely tells: the only one of a buyer
        at that second, there and in the log. A build finds these and, with more care, some others."""
        if not self._sessions:
            return pl.DataFrame(schema={"talk_key": pl.Int64, "customer_key": pl.Int64})
        at = ["alias_key", "started_at"]
        each = pl.concat(self._sessions).unique("session_key")
        logs, listed = (
            each.filter(pl.col("origin") == origin).unique(at, keep="none").drop("origin") for origin in ("log", "report")
        )
        met = logs.drop("customer_key").rename({"session_key": "talk_key"}).join(listed.drop("session_key"), on=at)
        return met.select("talk_key", "customer_key").drop_nulls()


_SESSION = ("origin", "alias_key", "started_at", "session_key", "customer_key")
_KEYS: dict[str, tuple[str, ...]] = {
    table: tuple(dict.fromkeys(link.key for link in LINKS if table in (link.left, link.right)))
    for table in dict.fromkeys(t for link in LINKS for t in (link.left, link.right))
}


class _OneKind:
    """Distinct keys of one kind by table, all below one limit."""

    def __init__(self) -> None:
        self._held: dict[str, pl.Series] = {}
        self._waiting: dict[str, list[pl.Series]] = {}
        self._n_waiting = 0
        self._limit = _HIGHEST

    @property
    def sampled(self) -> bool:
        return self._limit < _HIGHEST

    def limit_for(self, snapshot: Snapshot, table: str, key: str) -> int:
        """The limit below which about `MOST` keys of a stored table lie at most."""
        n = int(snapshot.frame(snapshot.table(table).count())[0, 0])
        while n * (self._limit / _HIGHEST) > 4 * MOST:  # rows, of which some share a key
            self._limit //= 2
        return self._limit

    def add(self, table: str, keys: pl.Series) -> None:
        below = keys.filter((keys <= self._limit).fill_null(False)).unique()
        self._waiting.setdefault(table, []).append(below)
        self._n_waiting += len(below)
        if self._n_waiting > MOST // 2:
            self._settle()

    def of(self, table: str) -> pl.Series:
        self._settle()
        return self._held.get(table, pl.Series([], dtype=pl.Int64))

    def _settle(self) -> None:
        """Merge what waits; lower the limit until no more than `MOST` keys are held."""
        for table, waiting in self._waiting.items():
            held = [self._held[table]] if table in self._held else []
            self._held[table] = pl.concat([s.rename("key") for s in (*held, *waiting)]).unique()
        self._waiting, self._n_waiting = {}, 0
        self._forget()
        while sum(map(len, self._held.values())) > MOST:
            self._limit //= 2
            self._forget()

    def _forget(self) -> None:
        """Hold every table to the one limit, else a key could lack its partner on one side only."""
        self._held = {table: keys.filter(keys <= self._limit) for table, keys in self._held.items()}
