"""Why inquiries were lost, how their agents worked: one row a chat.

Comes in: messages of whole chats, and the outcomes as far as orders told them. Goes out: the primary and the secondary reasons
with the messages that show them, the steps and faults, the customer's type.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import polars as pl

from huitou.rules.taxonomy import Words, load_taxonomies
from huitou.text.loss import LossReader
from huitou.text.quality import PUT_OFF, quality
from huitou.text.satisfaction import MOODS, satisfaction
from huitou.text.tagger import THREADS, Tagger

MESSAGES: dict[str, pl.DataType | type[pl.DataType]] = {
    "chat": pl.Int64,
    "i": pl.Int64,
    "at": pl.Datetime("us"),
    "role": pl.String,
    "text": pl.String,
}
CHATS = 8_000  # whose quality is read at once
UNFOLLOWED = "service.no_follow_up"
OUTCOMES: dict[str, pl.DataType | type[pl.DataType]] = {"chat": pl.Int64, "outcome": pl.String}
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "chat": pl.Int64,
    "primary": pl.String,
    "secondary": pl.List(pl.String),
    "evidence": pl.List(pl.Int64),
    "steps": pl.List(pl.String),
    "faults": pl.List(pl.String),
    "customer_type": pl.String,
    "satisfaction": pl.String,
    "certainty": pl.Float64,
}


class InquiryReader:
    """The words and models of inquiries, compiled once."""

    def __init__(self, words: Words | None = None) -> None:
        words = words or load_taxonomies()
        self._tagger = Tagger(words, ("loss", "intents", "steps", "faults", MOODS))
        self._loss = LossReader(words)
        self.version = self._tagger.version

    def read(self, messages: pl.DataFrame, outcomes: pl.DataFrame | None = None) -> pl.DataFrame:
        """One row a chat as in `SCHEMA`, ordered by ``chat``.

        `messages` as in `MESSAGES`: ``i`` counts a chat's messages from 0, ``at`` may be null, ``role`` customer, agent, robot or
        system. `outcomes` as in `OUTCOMES`: ordered or paid says that nothing was lost, lost that something was; of a chat
        without one the text decides. ``primary`` is null where nothing was lost; ``certainty`` is the share, 0 … 1, that the
        model gives to it among all reasons. ``satisfaction`` is low, neutral or high; null where no customer wrote.
        """
        messages = messages.select(pl.col(name).cast(kind) for name, kind in MESSAGES.items())
        messages = messages.with_columns(pl.col("text").fill_null("")).sort("chat", "i", maintain_order=True)
        tags = self._tagger.tag(messages["text"])
        loss = self._loss.read(messages, tags, outcomes)
        made = _quality(messages, tags, loss)
        whole = loss.join(made, on="chat", how="left").join(satisfaction(messages, tags), on="chat", how="left").sort("chat")
        whole = whole.with_columns(pl.col("secondary", "evidence", "steps", "faults").fill_null([])).with_columns(_let_go())
        return whole.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _let_go() -> pl.Expr:
    """Further reasons: who wanted to come another time, and was let go without a word of substance, is lost by that as well."""
    let_go = pl.col("primary").is_in(PUT_OFF) & (pl.col("primary") != UNFOLLOWED) & pl.col("faults").list.contains("no_follow_up")
    more = pl.col("secondary").list.set_union(pl.lit([UNFOLLOWED]))
    return pl.when(let_go).then(more).otherwise("secondary").alias("secondary")


def _quality(messages: pl.DataFrame, tags: pl.DataFrame, loss: pl.DataFrame) -> pl.DataFrame:
    """`quality` of all chats, some at a time."""
    chat, tagged = messages["chat"].to_numpy(), tags["row"].to_numpy()
    begins = [0, *(np.flatnonzero(np.diff(chat)) + 1).tolist()][::CHATS]

    def made(rows: tuple[int, int]) -> pl.DataFrame:
        some = messages[slice(*rows)]
        theirs = tags[slice(*np.searchsorted(tagged, rows).tolist())].with_columns(pl.col("row") - rows[0])
        return quality(some, theirs, loss.join(some.select("chat").unique(), on="chat", how="semi"))

    with ThreadPoolExecutor(THREADS) as pool:
        return pl.concat(pool.map(made, pairwise((*begins, len(chat)))))
