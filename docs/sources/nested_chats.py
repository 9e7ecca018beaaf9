"""A source of one's own for chats as JSON lines with a conversation each: its messages are a list inside it.

Put this file into a workspace's ``sources/`` folder and change the names to those of the file. Here a conversation is
``{"id": …, "messages": [{"t": "2025-03-01 10:00:00", "role": "customer", "text": "…"}, …]}``, and its id stands for the customer.
"""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from huitou.sources import cells
from huitou.sources.chat_table import read_chats
from huitou.sources.layout import Field, Layout
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import Typed, typed_rows

LAYOUT = Layout(
    fields=(
        Field("buyer", "code", ("id",), needed=True, filled=True),
        Field("messages", "prose", ("messages",), needed=True, filled=True),
    ),
    telling=("id", "messages"),
)
_MESSAGES = pl.List(pl.Struct({"t": pl.String, "role": pl.String, "text": pl.String}))
_ABSENT = ("session", "speaker", "account", "item", "auto")


class NestedChats:
    """Conversations, one per line."""

    id = "nested.chats"
    zh = "一行一段对话的聊天（JSON）"
    en = "Chats with a conversation per line (JSON)"
    main = "messages"
    feeds = ("messages", "agents", "products")

    def identify(self, head: Head) -> int:
        """By its keys; only JSON lines can hold a list in a cell."""
        return LAYOUT.sure(head) if head.kind == "jsonl" else 0

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the messages of every conversation. Raises FileRefused."""
        parts = (_messages(part, context.settings.timezone) for part in typed_rows(head, LAYOUT, context))
        return read_chats(parts, head.path.name, context)


def _messages(part: Typed, zone: str) -> Typed:
    """A row for each message, under the row of the file that holds its conversation."""
    rows = part.rows.with_columns(pl.col("messages").str.json_decode(_MESSAGES)).explode("messages").unnest("messages")
    at = cells.moments(rows["t"], zone)
    rows = rows.with_columns(
        at.utc_us.alias("time"),
        at.day.alias("time_day"),
        at.second.alias("time_second"),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in _ABSENT),
    ).drop_nulls("time")
    return replace(part, rows=rows, rows_read=part.rows_read - part.rows.height + rows.height)


SOURCES = [NestedChats()]
