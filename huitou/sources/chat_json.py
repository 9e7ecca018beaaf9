"""Chat messages as JSON lines, one message a line: the form for whoever has chats in a program of their own.

::

    {"buyer": "tb一位买家", "time": "2025-03-01 10:10:15", "role": "customer", "text": "在吗"}
    {"buyer": "tb一位买家", "time": "2025-03-01 10:10:40", "role": "agent", "account": "小禾", "text": "在的"}

Needed are ``buyer``, ``time``, ``text`` and one of ``role`` (or ``direction``: in, out) and ``speaker``; not needed ``account``,
``session``, ``item`` (or ``product``: an id or a link) and ``auto``. Lines may come in any order.
"""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from huitou.errors import Say
from huitou.sources import chat_table
from huitou.sources.layout import Field, Layout
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import typed_rows

_ALSO = {"role": ("direction",), "item": ("product",)}
_WHO = ("role", "direction", "speaker")


def _named(known: Field) -> Field:
    """A field of a table of messages under its own name; its time may also be counted since 1970."""
    kind = "instant" if known.kind == "time" else known.kind
    return replace(known, kind=kind, headings=(known.name, *_ALSO.get(known.name, ())))


LAYOUT = Layout(tuple(map(_named, chat_table.LAYOUT.fields)), telling=("buyer", "time", "text", "|".join(_WHO)))
_DIRECTIONS = {word: role for role, words in chat_table.DIRECTIONS.items() for word in words if len(word) > 1}


class ChatJson:
    """Messages under the product's own field names."""

    id = "chat.jsonl"
    zh = "聊天消息（JSON，每行一条）"
    en = "Chat messages as JSON lines"
    main = "messages"
    feeds = ("messages", "agents", "products")
    layout = LAYOUT
    quirks = (
        Say(
            "role 写 customer、agent、robot、auto、system；direction 写 in、out；只有 speaker 时，名字和 buyer 相同的是买家",
            "role is one of customer, agent, robot, auto, system; direction is in or out; with speaker alone, who is named as "
            "buyer is the customer",
        ),
        Say(
            "time 可以是店铺时区的时间、带时区的时间，或 1970 年以来的秒、毫秒",
            "time is in the shop's zone, or with an offset, or in seconds or milliseconds since 1970",
        ),
    )

    def identify(self, head: Head) -> int:
        """Sure of JSON lines with the needed names, 0 for everything else."""
        if head.kind != "jsonl" or not set(_WHO) & set(head.rows[0]):
            return 0
        return LAYOUT.sure(head) if {"buyer", "time", "text"} <= set(head.rows[0]) else 0

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the messages. Raises FileRefused."""
        role = pl.col("role").str.to_lowercase().replace(_DIRECTIONS)
        parts = (replace(part, rows=part.rows.with_columns(role)) for part in typed_rows(head, LAYOUT, context))
        return chat_table.read_chats(parts, head.path.name, context)
