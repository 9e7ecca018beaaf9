"""Chats that a robot copied out of 千牛: a workbook with a sheet for each buyer, named by the buyer's nick.

A sheet has a row per message, with who wrote it, when and what; nicks may carry the prefix ``cntaobao`` of the platform's
interfaces.
"""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from huitou.errors import Say
from huitou.sources import chat_table
from huitou.sources.layout import Field, Layout
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import typed_rows

LAYOUT = Layout(
    fields=(
        Field("buyer", "code", ()),
        Field("time", "instant", ("时间", "发送时间", "消息时间", "聊天时间"), needed=True, filled=True),
        Field("speaker", "code", ("发送人", "发送方", "发言人", "昵称", "旺旺", "发送者"), needed=True, filled=True),
        Field("text", "prose", ("内容", "消息内容", "聊天内容", "消息", "聊天记录"), needed=True),
        Field("item", "code", ("商品ID", "商品链接")),
        *(Field(name, "code", ()) for name in ("account", "session")),
        *(Field(name, "text", ()) for name in ("role", "auto")),
    ),
    telling=("时间|发送时间|消息时间|聊天时间", "发送人|发送方|发言人|昵称|旺旺|发送者", "内容|消息内容|聊天内容|消息|聊天记录"),
)  # fmt: skip
_PREFIX = "cntaobao"


class ChatSheets:
    """One sheet a buyer."""

    id = "qianniu.sheets"
    zh = "千牛聊天记录（工作簿，每位买家一个工作表）"
    en = "千牛 chats in a workbook with a sheet for each buyer"
    main = "messages"
    feeds = ("messages", "agents", "products")
    layout = LAYOUT
    quirks = (
        Say(
            "工作表的名字是买家昵称；昵称前的 cntaobao 会去掉",
            "a sheet is named by its buyer's nick; the prefix cntaobao of nicks is dropped",
        ),
    )

    def identify(self, head: Head) -> int:
        """97 where the sheet's name, or an account with a colon, speaks in it; 0 for everything else."""
        if head.kind != "xlsx" or head.sheet is None or LAYOUT.sure(head) < 100:
            return 0
        at = LAYOUT.place(head).positions["speaker"]
        nicks = {row[at].removeprefix(_PREFIX) for row in head.rows if len(row) > at}
        return 97 if head.sheet.name.removeprefix(_PREFIX) in nicks or any(":" in nick for nick in nicks) else 0

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """The sheet's messages. Raises FileRefused."""
        buyer = pl.lit(head.sheet.name if head.sheet else "").alias("buyer")
        parts = (replace(part, rows=part.rows.with_columns(buyer)) for part in typed_rows(head, LAYOUT, context))
        return chat_table.read_chats(parts, head.path.name, context)
