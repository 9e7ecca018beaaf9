"""Tags of messages: which leaves of the taxonomies a text shows, where, how strongly.

`Tagger.tag` takes a column of texts; `Tagger.__call__` is the same as a pure function of Arrow batches, for an engine's batch
function.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from huitou.rules.taxonomy import Words, load_taxonomies
from huitou.text.engine import KINDS, SPEECH, STRENGTH, Engine
from huitou.text.intents import OTHER, Intents, Scoped
from huitou.text.intents import TAXONOMY as INTENTS
from huitou.text.normal import normalise

ROWS = 32_768  # tagged at once: their arrays stay in the processor's cache
CHARACTERS = 2**23  # of them, at most with one text more
LONGEST = 4 * 2**20  # characters of a text that are read; no message is longer
CHATS = ("loss", "unpaid", "intents", "steps", "faults", "complaints")
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


class Tagger:
    """The taxonomies of chats, compiled once. `taxonomies` picks some of them."""

    def __init__(self, words: Words | None = None, taxonomies: Iterable[str] = CHATS) -> None:
        self._engine = Engine(words or load_taxonomies(), taxonomies)
        self._intents = Intents(self._engine) if (INTENTS, OTHER) in self._engine.number else None
        self.version = self._engine.version
        leaves = self._engine.leaves
        self._names = pl.DataFrame(
            {"leaf": range(len(leaves)), "taxonomy": [t for t, _ in leaves], "code": [leaf.code for _, leaf in leaves]},
            schema={"leaf": pl.Int64, "taxonomy": pl.String, "code": pl.String},
        )
        self._strength = np.array([STRENGTH[kind] for kind in KINDS], dtype=np.int8)

    def tag(self, texts: pl.Series) -> pl.DataFrame:
        """One row a tag, as in `SCHEMA`: ``row`` counts the texts from 0, ``start`` and ``end`` characters of the text as given.

        Equal texts are read once. ``strength``: 1 may mean it, 2 says so, 3 says so in so many words.
        """
        typed = texts.rename("text").to_frame().with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        distinct = typed.select(pl.col("text").unique(maintain_order=True)).with_row_index("distinct").drop_nulls("text")
        begins = _begins(distinct["text"])
        parts = [distinct["text"].slice(at, end - at) for at, end in pairwise((*begins, distinct.height))]
        with ThreadPoolExecutor(2) as pool:
            tags = list(pool.map(self._tags, parts))
        if not tags:
            return pl.DataFrame(schema=SCHEMA)
        found = pl.concat(frame.with_columns(pl.col("distinct") + at) for at, frame in zip(begins, tags, strict=True))
        at = distinct.with_columns(pl.col("distinct").rank("ordinal").cast(pl.Int64) - 1)
        rows = typed.join(at, on="text").select("row", "distinct")
        named = rows.join(found, on="distinct").join(self._names, on="leaf").sort("row", "start", "end", "leaf")
        return named.with_columns(pl.lit(self.version).alias("version")).select(pl.col(n).cast(t) for n, t in SCHEMA.items())

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

    def _tags(self, texts: pl.Series) -> pl.DataFrame:
        normal = normalise(texts.str.head(LONGEST))
        found, clause = self._engine.find(normal)
        scoped = Scoped(*self._engine.scoped(found))
        if self._intents and len(texts):
            scoped = self._intents.decide(normal, clause, scoped)
        found = scoped.found
        start, end = normal.as_typed(found.row, found.start, found.end) if len(found.row) else (found.start, found.end)
        columns: dict[str, npt.NDArray[np.generic]] = {"distinct": found.row, "leaf": found.leaf, "start": start, "end": end}
        columns |= {"strength": self._strength[found.kind], "asked": scoped.asked, "negated": scoped.negated}
        return pl.DataFrame(columns)


def _begins(texts: pl.Series) -> list[int]:
    """Where the stretches begin that are tagged at once: `ROWS` texts, or those that hold `CHARACTERS`."""
    filled = (
        texts.str.len_chars().clip(upper_bound=LONGEST).cast(pl.Int64).cum_sum().shift(1, fill_value=0).to_numpy() // CHARACTERS
    )
    number = np.arange(len(texts)) // ROWS + filled
    return [0, *(np.flatnonzero(np.diff(number)) + 1).tolist()] if len(texts) else []


__all__ = ["CHATS", "SCHEMA", "SPEECH", "Tagger"]
