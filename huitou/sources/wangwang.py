"""Chats of 旺旺/千牛 as their clients export them: the old client's TXT, and the 即时消息 TXT with one row per message.

The old client::

    店名:小禾
                                  单聊
    ================================================================
    ----------------------------tb一位买家----------------------------
    tb一位买家(2025-03-01 10:10:15):  在吗
    店名:小禾(2025-03-01 10:10:40):  在的

即时消息::

    店名:小禾
    tb一位买家
    即时消息
    2025-03-01
    2025-03-01 10:10:15 tb一位买家: 在吗
    2025-03-01 10:10:40 店名:小禾: 在的

The second line of 即时消息 may name the only buyer; where it does not, every nick that is not the shop's is a buyer, and a file
in which only the shop speaks is about the nick of that line. Both are UTF-8 or GB18030, with any line ends.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from huitou.errors import FileRefused, Say
from huitou.sources.ahead import ahead
from huitou.sources.chat_accounts import form_of, own_account
from huitou.sources.chat_blocks import BLOCK_BYTES, EXPORT_AGAIN, STAMP, blocks
from huitou.sources.chat_lines import Form, Place, parse
from huitou.sources.chat_rows import Arrived, Chats, still_open, with_holders
from huitou.sources.model import Batch, Context, Head
from huitou.sources.replies import no_repeats, repeats

_RULE = re.compile(r"={64}\s*$")
_TITLE = re.compile(r"[\s\u3000]*(?:单聊|群聊)[\s\u3000]*$")
_MARK = re.compile(r"-{28} ?[^\n]*?[^- ][^\n]*? ?-{28}\s*$")
_OLD_HEAD = re.compile(rf"[^\n]{{1,80}}?\({STAMP}\):")
_INSTANT_HEAD = re.compile(rf"{STAMP} +\S")


@dataclass(frozen=True, slots=True)
class Wangwang:
    """One of the two TXT forms; `old` is the client's with a mark above each buyer's chat."""

    id: str
    zh: str
    en: str
    old: bool
    main: str = "messages"
    feeds: tuple[str, ...] = ("messages", "agents", "products")
    block_bytes: int = BLOCK_BYTES

    def identify(self, head: Head) -> int:
        """98 for the form's own structure, less where part of it is missing, 0 for everything else."""
        if head.kind != "text":
            return 0
        lines = head.lines[:400]
        instant = _instant_score(lines)
        return (0 if instant else _old_score(lines)) if self.old else instant

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the chats in blocks. Raises FileRefused for files cut inside a message's head or without any message.

        Whether a text is an auto-reply is decided by how often it came fast up to the end of the next block.
        """
        form = form_of(head, context.settings.shop, old=self.old)
        chats = Chats(context, form.shops, own_account(head, form))
        messages, waiting = 0, None
        for arrived in ahead(self._arriving(head, form)):
            if waiting:
                yield chats.batch(waiting, said=arrived.said)
            waiting = arrived
            messages += arrived.parsed.messages.height
        if not waiting or not messages:
            raise FileRefused(
                head.path, Say("里面没有能读出的聊天消息", "it holds no chat message that could be read"), EXPORT_AGAIN
            )
        yield chats.batch(waiting, said=waiting.said)

    def _arriving(self, head: Head, form: Form) -> Iterator[Arrived]:
        """The file's blocks, parsed, each with the fast texts counted up to it."""
        place, said = Place(), no_repeats()
        earlier: pl.DataFrame | None = None
        for block in blocks(head.path, head.encoding or "utf-8", old=form.old, size=self.block_bytes):
            parsed = parse(block, form, place)
            held = with_holders(parsed.messages, earlier, form.shops)
            earlier = still_open(held)
            said = pl.concat([said, repeats(held)]).group_by("account", "said").agg(pl.col("n").sum())
            yield Arrived(head.path.name, block.bytes_done, parsed, held, said)


def _old_score(lines: tuple[str, ...]) -> int:
    heads = any(_OLD_HEAD.match(line) for line in lines)
    mark = any(_MARK.match(line) for line in lines)
    titled = any(_TITLE.match(title) and _RULE.match(rule) for title, rule in pairwise(lines[:12]))
    return 98 if titled and (mark or heads) else 96 if mark and heads else 0


def _instant_score(lines: tuple[str, ...]) -> int:
    named = len(lines) > 2 and "即时消息" in lines[2] and len(lines[2]) < 100
    rows = sum(bool(_INSTANT_HEAD.match(line)) for line in lines)
    return 98 if named and rows else 0


WANGWANG_OLD = Wangwang("wangwang.old", "旺旺聊天记录（旧版客户端 TXT）", "Wangwang chats, old client's TXT", old=True)
WANGWANG_INSTANT = Wangwang("wangwang.instant", "旺旺聊天记录（即时消息 TXT）", "Wangwang chats, 即时消息 TXT", old=False)
SOURCES = (WANGWANG_OLD, WANGWANG_INSTANT)
