"""Reads the texts of a lake into its tables: tags of messages, reasons of lost inquiries and unpaid orders, clauses of reviews.

Comes in: an open build whose facts are staged, the months that changed, the words. Goes out: the staged tables of
``huitou.tables.text``. A text that occurs many times is tagged once; texts are read a bounded number at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache, partial, reduce
from pathlib import Path
from typing import Any

import ibis
import polars as pl

from huitou.lake.build import Build
from huitou.rules.model import RulePack
from huitou.rules.taxonomy import Words
from huitou.tables import TABLES
from huitou.text.chats import INQUIRY, chats, outcomes, read_chats, read_promises
from huitou.text.commitments import TAXONOMY as PROMISES
from huitou.text.commitments import CommitmentReader
from huitou.text.inquiries import InquiryReader
from huitou.text.readings import read_reviews
from huitou.text.reviews import Reviewer
from huitou.text.tagger import Tagger
from huitou.text.trained import polarity_of
from huitou.text.unpaid import unpaid
from huitou.text.version import version_of

AT_ONCE = 400_000
"""Messages, distinct texts or reviews in memory at once, about."""
NOT_OF_MESSAGES = ("speech", "aspects", "polarity", "returns")
"""Taxonomies that are the grammar of others, or of reviews and refunds; all others are of messages."""

Rows = Any
"""An Ibis table expression."""
Progress = Callable[[str, int, int], None]
"""Called with the table that is being made, how many stretches of it are done and how many there are."""


class Texts:
    """The texts of one build under way. `words`: with the workspace of which they are, whose model of polarity is used where it
    is better than the rules. `people`: rows with a customer_key → the same under the people who are behind them.
    """

    def __init__(self, build: Build, words: tuple[Words, Path], pack: RulePack, people: Callable[[Rows], Rows]) -> None:
        self.build = build
        self.words, self._workspace = words
        self.pack = pack
        self.people = people
        self.version = version_of(*words)
        self.months: set[str] = set()
        self._progress: Progress = lambda table, done, steps: None

    def all_of(self, changed: dict[str, set[str]], facts: dict[str, set[str]], progress: Progress | None = None) -> None:
        """Stage every table. `changed`: imported months to read anew; `facts`: months of facts that were staged before."""
        self._progress = progress or self._progress
        spoken = set(self.build.snapshot.months("messages"))
        talk = changed.get("messages", set()) | (changed.get("chat_sessions", set()) & spoken)
        for month in sorted(talk):
            self._tags(month)
        near = {before for month in talk for before in (month, _month_after(month, -1))}
        for month in sorted(spoken & (near | facts.get("inquiries", set()))):
            self._inquiries(month, anew=month in near)
        if deals := facts.get("order_facts", set()) | changed.get("orders", set()):
            self._unpaid(deals)
        for month in sorted(changed.get("reviews", set())):
            self._reviews(month)

    def _stage(self, name: str, rows: Rows | None, months: Iterable[str]) -> None:
        """Replace months of a table by rows (None: by nothing)."""
        made = rows if rows is not None else self.build.snapshot.table(name, [])
        self.build.stage(name, made.select(*(c.name for c in TABLES[name].columns)), months)
        self.months |= set(months)

    def _slices(self, name: str, n: int, key: str) -> Iterator[Callable[[Rows], Rows]]:
        """Filters that cut rows into stretches of a key of about `AT_ONCE` rows: keys are hashes and spread evenly."""
        parts = max(-(-n // AT_ONCE), 1)
        for part in range(parts):
            self._progress(name, part, parts)
            low, high = 2**63 * part // parts, 2**63 * (part + 1) // parts - 1
            yield partial(_between, key, low, high)

    def _count(self, rows: Rows) -> int:
        return int(self.build.snapshot.frame(rows.count())[0, 0])

    def _tags(self, month: str) -> None:
        """Tags of a month's distinct texts, then of every message that has one of the texts."""
        m = self.build.snapshot.table("messages", [month])
        spoken = m.filter(m.kind.isin(("customer", "agent", "auto", "robot")))
        texts = spoken.group_by("text_hash").aggregate(text=spoken.text.min()).cache()
        speakers = {name: taxonomy.speaker for name, taxonomy in self.words.taxonomies.items()}

        def tagged() -> Iterator[pl.DataFrame]:
            for part in self._slices("message_tags", self._count(texts), "text_hash"):
                frame = self.build.snapshot.frame(part(texts))
                tags = _tagger(self.words).tag(frame["text"])
                speaker = pl.col("taxonomy").replace_strict(speakers)
                yield tags.with_columns(frame["text_hash"].gather(tags["row"]), speaker=speaker).drop("row", "version")

        with texts:
            tags = self.build.keep("tags", tagged())
        if tags is None:
            for name in ("message_tags", "commitments"):
                self._stage(name, None, [month])
            return
        said = spoken.inner_join(tags, "text_hash")
        said = said.filter((said.speaker == "any") | (said.speaker == said.kind))
        self._stage("message_tags", said.mutate(message_key=said.row_key, version=ibis.literal(self.version)), [month])
        promised = tags.filter(tags.taxonomy == PROMISES).select("text_hash").distinct()
        self._promises(spoken.filter(spoken.kind == "agent").semi_join(promised, "text_hash"), month)

    def _promises(self, said: Rows, month: str) -> None:
        """What a month's messages that speak of a promise promise, and by when."""

        def read() -> Iterator[pl.DataFrame]:
            for part in self._slices("commitments", self._count(said), "row_key"):
                frame = self.build.snapshot.frame(part(said))
                if frame.height:
                    yield read_promises(frame, _promises_of(self.words), self.version)

        self._stage("commitments", self.build.keep("promises", read()), [month])

    def _inquiries(self, month: str, *, anew: bool) -> None:
        """Readings of a month's inquiries; unless `anew` those stay whose outcome and version are still the same."""
        known = self.build.snapshot.has("orders")
        asked = outcomes(self.build.table("inquiries", [month]), known=known)
        kept = None
        if not anew:
            old = self.build.snapshot.table("inquiry_reasons", [month])
            kept = old.filter(old.version == self.version).semi_join(asked, [*INQUIRY, "outcome"])
            asked = asked.anti_join(kept, list(INQUIRY))
        columns = ("shop_key", *INQUIRY, "asked_at", "product_key", "outcome", "last_at")
        asked = asked.select(*columns)
        messages = self.people(self.build.snapshot.table("messages", [month, _month_after(month, 1)]))

        def read() -> Iterator[pl.DataFrame]:
            for part in self._slices("inquiry_reasons", self._count(messages.filter(messages.month == month)), "customer_key"):
                frame = self.build.snapshot.frame(part(asked))
                if frame.height:
                    said = self.build.snapshot.frame(chats(part(asked), part(messages)))
                    yield read_chats(said, frame.drop("last_at"), _reader(self.words), self.version)

        fresh = self.build.keep("readings", read())
        rows = [r.select(*(c.name for c in TABLES["inquiry_reasons"].columns)) for r in (kept, fresh) if r is not None]
        self._stage("inquiry_reasons", reduce(lambda a, b: a.union(b), rows) if rows else None, [month])

    def _unpaid(self, months: set[str]) -> None:
        """Reasons of the orders of some months, by what was said in them, the month before and after."""
        self._progress("unpaid_reasons", 0, 1)
        around = sorted({_month_after(month, step) for month in months for step in (-1, 0, 1)})
        tags = self.people(self.build.table("message_tags", around)) if self.build.snapshot.has("messages") else None
        orders, every = self.build.table("order_facts", sorted(months)), self.build.table("order_facts", around)
        self._stage("unpaid_reasons", unpaid(orders, every, tags, pack=self.pack, version=self.version), sorted(months))

    def _reviews(self, month: str) -> None:
        """Readings and clauses of a month's reviews."""
        reviews = self.build.snapshot.table("reviews", [month])
        clauses: list[pl.DataFrame] = []
        reviewer = _reviewer(self.words, self._workspace, self.version)

        def read() -> Iterator[pl.DataFrame]:
            for part in self._slices("review_readings", self._count(reviews), "row_key"):
                frame = self.build.snapshot.frame(part(reviews))
                if frame.height:
                    whole, said = read_reviews(frame, reviewer, self.version)
                    clauses.append(said)
                    yield whole

        self._stage("review_readings", self.build.keep("reviews", read()), [month])
        self._stage("review_clauses", self.build.keep("clauses", clauses), [month])


@lru_cache(maxsize=1)
def _tagger(words: Words) -> Tagger:
    return Tagger(words, [name for name in words.taxonomies if name not in NOT_OF_MESSAGES])


@lru_cache(maxsize=1)
def _promises_of(words: Words) -> CommitmentReader:
    return CommitmentReader(words)


@lru_cache(maxsize=1)
def _reader(words: Words) -> InquiryReader:
    return InquiryReader(words)


@lru_cache(maxsize=1)
def _reviewer(words: Words, workspace: Path, _version: str) -> Reviewer:
    return Reviewer(words, polarity_of(workspace))


def _between(key: str, low: int, high: int, rows: Rows) -> Rows:
    return rows.filter(rows[key].between(low, high))


def _month_after(month: str, steps: int) -> str:
    """2026-01 and −1 → 2025-12."""
    middle = date.fromisoformat(f"{month}-15") + timedelta(days=30 * steps)
    return f"{middle:%Y-%m}"
