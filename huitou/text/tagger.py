"""Tags of messages: which leaves of the taxonomies a text shows, where, how strongly.

`Tagger.tag` takes a column of texts; `Tagger.__call__` is the same as a pure function of Arrow batches, for an engine's batch
function.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from huitou.rules.taxonomy import Leaf, Words, load_taxonomies
from huitou.text.compiled import compiled
from huitou.text.engine import KINDS, SPEECH, STRENGTH, Engine, Flags, in_order
from huitou.text.hashes import distinct_texts
from huitou.text.intents import OTHER, Intents, Scoped
from huitou.text.intents import TAXONOMY as INTENTS
from huitou.text.normal import Places, normalise

ROWS = 8_192  # tagged at once: their arrays stay in the processor's cache
FEWEST = 1_024  # for which a thread is worth its while
THREADS = 2
CHARACTERS = 2**23  # tagged at once, at most with one text more
_MOSTLY = 0.9  # of the texts: if more differ, they do not repeat themselves
LONGEST = 4 * 2**20  # characters of a text that are read; no message is longer
CHATS = ("loss", "unpaid", "intents", "steps", "faults", "complaints")
Made = TypeVar("Made")
Sizes = npt.NDArray[np.uint32]
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.Int64,
    "taxonomy": pl.String,
    "code": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "strength": pl.Int8,
    "asked": pl.Boolean,
    "negated": pl.Boolean,
    "version": pl.String,
}


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags as arrays, ordered by ``row`` and place; `leaf`: the engine's number."""

    row: Places
    leaf: Places
    start: Places
    end: Places
    strength: npt.NDArray[np.int8]
    asked: Flags
    negated: Flags

    @staticmethod
    def of(parts: Iterable["Tags"]) -> "Tags":
        """Several, one after the other."""
        columns = [[getattr(part, field.name) for field in fields(Tags)] for part in parts]
        return Tags(*(np.concatenate(column) for column in zip(*columns, strict=True)))

    def spread(self, number: Places, texts: int) -> Iterator["Tags"]:
        """The tags of texts each of which is like one of `texts` whose tags these are: that of its `number`. Some at a time."""
        count = np.bincount(self.row, minlength=texts)
        first = np.cumsum(count) - count
        for begin in range(0, len(number), ROWS):
            some = number[begin : begin + ROWS]
            sizes = count.take(some)
            row = np.repeat(np.arange(len(some)), sizes)
            at = np.arange(len(row)) + (first.take(some) - np.cumsum(sizes) + sizes).take(row)
            yield Tags(row + begin, *(getattr(self, field.name).take(at) for field in fields(self)[1:]))


class Tagger:
    """The taxonomies of chats, compiled once. `taxonomies` picks some of them."""

    def __init__(self, words: Words | None = None, taxonomies: Iterable[str] = CHATS) -> None:
        self._engine = Engine(words or load_taxonomies(), taxonomies)
        self._intents = Intents(self._engine) if (INTENTS, OTHER) in self._engine.number else None
        self.version = self._engine.version
        leaves = self._engine.leaves
        self._names = (
            pl.Series([t for t, _ in leaves], dtype=pl.String),
            pl.Series([leaf.code for _, leaf in leaves], dtype=pl.String),
        )
        self._strength = np.array([STRENGTH[kind] for kind in KINDS], dtype=np.int8)

    @property
    def leaves(self) -> list[tuple[str, Leaf]]:
        """The taxonomy and the leaf of each number in `Tags.leaf`."""
        return self._engine.leaves

    def tag(self, texts: pl.Series) -> pl.DataFrame:
        """One row a tag, as in `SCHEMA`: ``row`` counts the texts from 0, ``start`` and ``end`` characters of the text as given.

        Of texts that repeat themselves equal ones are read once. ``strength``: 1 may mean it, 2 says so, 3 in so many words.
        """
        return pl.concat([self._table(_NONE), *self._each(texts, self._table)], rechunk=True)

    def tags(self, texts: pl.Series) -> Tags:
        """The same as arrays."""
        return Tags.of([_NONE, *self._each(texts, lambda tags: tags)])

    def _each(self, texts: pl.Series, make: Callable[[Tags], Made]) -> list[Made]:
        """What is made of the tags of some texts at a time, in order."""
        rows = np.flatnonzero(texts.is_not_null().to_numpy())
        texts = texts.drop_nulls()
        if (texts.str.len_bytes() > LONGEST).any():
            texts = texts.str.head(LONGEST)
        own, number = distinct_texts(texts)
        repeated = len(own) < _MOSTLY * len(texts)  # if not, sorting out what is the same takes longer than reading it twice
        distinct = texts.gather(own) if repeated else texts
        begins = _begins(distinct)
        parts = [(at, distinct.slice(at, end - at)) for at, end in pairwise((*begins, len(distinct)))]
        with ThreadPoolExecutor(THREADS) as pool:
            found: Iterable[Tags] = pool.map(self._tags, parts)
            if repeated:
                found = Tags.of(found).spread(number, len(own))
            return list(pool.map(lambda tags: make(replace(tags, row=rows.take(tags.row))), found))

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The tags of a batch with a column ``text`` and perhaps ``row``, whose values then stand for the rows' numbers."""
        frame = pl.from_arrow(pa.Table.from_batches([batch]))
        assert isinstance(frame, pl.DataFrame)
        tags = self.tag(frame["text"])
        if "row" in frame.columns:
            tags = tags.with_columns(frame["row"].gather(tags["row"]).cast(pl.Int64).alias("row"))
        table = tags.to_arrow()
        batches = table.combine_chunks().to_batches()
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)

    def _tags(self, part: tuple[int, pl.Series]) -> Tags:
        """The tags of some texts, whose rows are counted from a number."""
        first, texts = part
        normal = normalise(texts)
        found, clause = self._engine.find(normal)
        scoped = Scoped(*self._engine.scoped(found))
        if self._intents and len(texts):
            scoped = self._intents.decide(normal, clause, scoped)
        found = scoped.found
        order = in_order(found.start, found.end, found.leaf)
        found = found.where(order)
        start, end = normal.as_typed(found.row, found.start, found.end) if len(order) else (found.start, found.end)
        strength, asked, negated = self._strength.take(found.kind), scoped.asked.take(order), scoped.negated.take(order)
        return Tags(found.row + first, found.leaf, start, end, strength, asked, negated)

    def _table(self, tags: Tags) -> pl.DataFrame:
        """Tags as in `SCHEMA`."""
        taxonomy, code = (names.gather(tags.leaf) for names in self._names)
        held = {
            "row": tags.row, "taxonomy": taxonomy, "code": code, "start": tags.start, "end": tags.end,
            "strength": tags.strength, "asked": tags.asked, "negated": tags.negated,
        }  # fmt: skip
        version = pl.lit(self.version, pl.String).alias("version")
        return pl.DataFrame(held).with_columns(version).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _begins(texts: pl.Series) -> list[int]:
    """Where the stretches begin that are tagged at once: `ROWS` texts, fewer where a thread would have none, or `CHARACTERS`."""
    sizes = texts.str.len_chars().to_numpy()
    begins = np.empty(len(sizes) + 1, dtype=np.int64)
    most = min(ROWS, max(FEWEST, -(-len(texts) // THREADS)))
    return list(map(int, begins[: _part(sizes, (most, CHARACTERS), begins)]))


@compiled
def _part(sizes: Sizes, most: tuple[int, int], begins: Places) -> int:
    """Writes where stretches begin; none has more texts than `most`, nor more characters but for those of its last text."""
    count, characters = 1, 0
    begins[0] = 0
    for nth in range(len(sizes)):
        if nth - begins[count - 1] >= most[0] or characters >= most[1]:
            begins[count], characters = nth, 0
            count += 1
        characters += sizes[nth]
    return count


_NONE = Tags(*(np.zeros(0, dtype=kind) for kind in (*[np.int64] * 4, np.int8, *[np.bool_] * 2)))
__all__ = ["CHATS", "SCHEMA", "SPEECH", "Tagger"]
