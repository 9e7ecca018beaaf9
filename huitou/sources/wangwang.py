"""Chats of 旺旺/千牛 as their clients export them: the old client's TXT, the 即时消息 TXT with one row
per message, and text copied out of it.

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

Copied out of 千牛 or its web page, with or without a space after the nick, and notices in between::

    tb一位买家 2025-3-1 10:10:15
    在吗
    店名:小禾2025-3-1 10:10:40
    在的
    已读

The second line of 即时消息 may name the only buyer; where it does not, every nick that is not the shop's is a buyer, and a file
in which only the shop speaks is about the nick of that line. All are UTF-8, GB18030 or UTF-16, with any line ends.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from huitou.errors import FileRefused, Say
from huitou.sources.ahead import ahead
from huitou.sources.chat_accounts import form_of, own_account, speakers_below
from huitou.sources.chat_blocks import BLOCK_BYTES, EXPORT_AGAIN, STAMP, Block, blocks
from huitou.sources.chat_lines import Form, Parsed, Place, parse
from huitou.sources.chat_rows import CARRIED, Arrived, Chats, still_open, with_holders, without_unheld
from huitou.sources.model import Batch, Context, Head
from huitou.sources.replies import no_repeats, repeats

_RULE = re.compile(r"={64}\s*$")
_TITLE = re.compile(r"[\s\u3000]*(?:单聊|群聊)[\s\u3000]*$")
_MARK = re.compile(r"-{28} ?[^\n]*?[^- ][^\n]*? ?-{28}\s*$")
_OLD_HEAD = re.compile(rf"[^\n]{{1,80}}?\({STAMP}\):")
_PREAMBLE, _MOSTLY = 6, 0.8  # of copied text: lines before its first head, share of heads with a text below
_INSTANT_HEAD = re.compile(rf"{STAMP} +\S")


@dataclass(frozen=True, slots=True)
class Wangwang:
    """One of the two TXT forms; `old` is the client's with a mark above each buyer's chat."""

    id: str
    zh: str
    en: str
    old: bool
    below: bool = False
    main: str = "messages"
    feeds: tuple[str, ...] = ("messages", "agents", "products")
    block_bytes: int = BLOCK_BYTES
    quirks: tuple[Say, ...] = (
        Say("编码是 UTF-8、GB18030 或带标记的 UTF-16，换行随客户端", "in UTF-8, GB18030 or UTF-16 with its mark, any line ends"),
        Say("只精确到秒：同一秒的按文件里的先后", "times are whole seconds: within one, the file's order counts"),
        Say(
            "同一账号两秒内重复三次的话算自动回复，不算人工回复",
            "what an account says three times within two seconds is automatic, no person's reply",
        ),
        Say("网页版只能往前导三个月", "the web version looks back three months only"),
    )

    def identify(self, head: Head) -> int:
        """98 for the form's own structure, less where part of it is missing, 0 for everything else."""
        if head.kind != "text":
            return 0
        lines = head.lines[:400]
        instant, old = _instant_score(lines), _old_score(lines)
        if self.below:
            return 0 if instant or old else _below_score(lines)
        return (0 if instant else old) if self.old else instant

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the chats in blocks. Raises FileRefused for files cut inside a message's head or without any message.

        Whether a text is an auto-reply, and who received a message, is decided by the whole file.
        """
        form = form_of(head, context.settings.shop, old=self.old, below=self.below)
        chats = Chats(context, form.shops, own_account(head, form), waits=True)
        messages, arrived = 0, None
        for arrived in ahead(self._arriving(head, form)):
            messages += arrived.parsed.messages.height
            yield chats.batch(arrived, arrived.said)
        if not arrived or not messages:
            raise FileRefused(
                head.path, Say("里面没有能读出的聊天消息", "it holds no chat message that could be read"), EXPORT_AGAIN
            )
        yield from chats.rest(arrived.said, arrived.bytes_done)

    def _arriving(self, head: Head, form: Form) -> Iterator[Arrived]:
        """The file's blocks, parsed, each with the fast texts counted up to it."""
        said = no_repeats()
        earlier: pl.DataFrame | None = None
        for block, parsed, sections in ahead(self._parsed(head, form)):
            held = with_holders(parsed.messages, earlier, form.shops)
            goes_on = pl.lit(not block.last) & (pl.lit(not form.old) | (pl.col("section") == sections))
            held, unheld = without_unheld(held, goes_on)
            earlier = pl.concat([still_open(held), unheld.select(CARRIED)])
            said = pl.concat([said, repeats(held)]).group_by("account", "said").agg(pl.col("n").sum())
            yield Arrived(head.path.name, block.bytes_done, parsed, held, said)

    def _parsed(self, head: Head, form: Form) -> Iterator[tuple[Block, Parsed, int]]:
        """The file's blocks, parsed, each with the number of chats up to its end."""
        place = Place()
        cut = blocks(head.path, head.encoding or "utf-8", old=form.old, below=form.below, size=self.block_bytes)
        for block in ahead(cut):
            parsed = parse(block, form, place)
            parsed.notes.update(block.notes)
            yield block, parsed, place.sections


def _old_score(lines: tuple[str, ...]) -> int:
    heads = any(_OLD_HEAD.match(line) for line in lines)
    mark = any(_MARK.match(line) for line in lines)
    titled = any(_TITLE.match(title) and _RULE.match(rule) for title, rule in pairwise(lines[:12]))
    return 98 if titled and (mark or heads) else 96 if mark and heads else 0


def _instant_score(lines: tuple[str, ...]) -> int:
    named = len(lines) > 2 and "即时消息" in lines[2] and len(lines[2]) < 100
    rows = sum(bool(_INSTANT_HEAD.match(line)) for line in lines)
    return 98 if named and rows else 0


def _below_score(lines: tuple[str, ...]) -> int:
    """Heads with a nick and a time, most of them with a text below, and the first of them at the top."""
    content = [line for line in lines if line.strip()]
    if any(line.startswith("/***") for line in content):  # JD's log: marks around each session
        return 0
    heads = [bool(speakers_below((line,))) for line in content]
    texts = sum(head and not after for head, after in pairwise([*heads, False]))
    return 96 if sum(heads) > 1 and any(heads[:_PREAMBLE]) and texts >= _MOSTLY * sum(heads) else 0


WANGWANG_OLD = Wangwang("wangwang.old", "旺旺聊天记录（旧版客户端 TXT）", "Wangwang chats, old client's TXT", old=True)
WANGWANG_INSTANT = Wangwang("wangwang.instant", "旺旺聊天记录（即时消息 TXT）", "Wangwang chats, 即时消息 TXT", old=False)
WANGWANG_COPIED = Wangwang("wangwang.copied", "千牛聊天记录（复制的文字）", "千牛 chats, copied as text", old=False, below=True)
SOURCES = (WANGWANG_OLD, WANGWANG_INSTANT, WANGWANG_COPIED)
