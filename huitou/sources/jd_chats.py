"""JD chats: the log (聊天记录) that 咚咚 exports, one 会话 after another, in UTF-8 or GB18030::

    /*****************以下为一通会话************************************/
    j****8 2025-03-01 10:10:15<TAB>
    在吗
    店名-小禾 2025-03-01 10:10:40<TAB>
    在的
    /*****************会话结束_时间: 2025-03-01 10:15:02*****************/

The end line, or its time, may be missing. The buyer is masked: «j****8» is nobody in particular, so each 会话 of a masked buyer
has a keyed token of its own (mask, start, account) until the session list (jd.sessions) tells who it was.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from huitou.errors import FileRefused, Say
from huitou.sources.ahead import ahead
from huitou.sources.chat_blocks import BLOCK_BYTES, EXPORT_AGAIN, NO_CHAT, Block
from huitou.sources.chat_lines import Parsed
from huitou.sources.chat_rows import Arrived, Chats, with_holders
from huitou.sources.jd_sessions import alias_keys
from huitou.sources.keys import key_of_repeated
from huitou.sources.model import Batch, Context, Head
from huitou.sources.replies import CUSTOMER, ROBOT, SHOP, SYSTEM, SYSTEM_SPEAKERS, no_repeats, repeats
from huitou.sources.text import Utf8

_START, _END = "以下为一通会话", "会话结束"
_STAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}"
_HEAD = rf"^\s*(\S.{{0,79}}?)\s+({_STAMP})[ \t]*$"
_HEAD_WITH_TAB = rf"^\s*(\S.{{0,79}}?)\s+({_STAMP}) *\t[ \t]*$"
_ROBOTS = r"(?i)^jimi|京小智|京东小智|智能客服|机器人"
_CUSTOMERS_OWN = "\x1f"  # between the parts that name one session of a masked buyer


@dataclass(frozen=True, slots=True)
class JdChats:
    """The log as text: one message is a head line and the lines below it."""

    id: str = "jd.chats"
    zh: str = "京东咚咚聊天记录"
    en: str = "JD chats (咚咚 log)"
    main: str = "messages"
    feeds: tuple[str, ...] = ("messages", "agents", "products", "chat_sessions")
    lacks: tuple[str, ...] = ("satisfaction ratings",)
    quirks: tuple[Say, ...] = (
        Say(
            "买家带星号：每通会话先各算一位客户；同店再导入会话记录（jd.sessions），对上的才合成真正的客户",
            "the buyer is masked: each session is a customer of its own until the session list (jd.sessions) says who it was",
        ),
        Say("会话结束行可以没有，也可以没有时间", "the end line, or its time, may be missing"),
    )
    block_bytes: int = BLOCK_BYTES

    def identify(self, head: Head) -> int:
        """98 for a line that begins a session and one that begins a message."""
        if head.kind != "text":
            return 0
        begun = any(line.startswith("/*") and _START in line for line in head.lines)
        return 98 if begun and any(re.match(_HEAD, line) for line in head.lines) else 0

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the sessions in blocks. Raises FileRefused for a file without any message.

        Whether a text is an auto-reply is decided by how often it came fast up to the end of the next block.
        """
        file = _File(head, context)
        waiting: tuple[Arrived, pl.DataFrame] | None = None
        messages = 0
        for arrived, sessions in ahead(file.blocks(self.block_bytes)):
            if waiting:
                yield file.batch(*waiting, said=arrived.said)
            waiting = (arrived, sessions)
            messages += arrived.parsed.messages.height
        if not waiting or not messages:
            raise FileRefused(
                head.path, Say("里面没有能读出的聊天消息", "it holds no chat message that could be read"), EXPORT_AGAIN
            )
        yield file.batch(*waiting, said=waiting[0].said)


@dataclass(slots=True)
class _File:
    """One file's way from lines to rows, block by block: what is known of it so far."""

    head: Head
    context: Context
    chats: Chats = field(init=False)
    accounts: set[str] = field(init=False)
    form: str = field(init=False)
    masks: bool = field(init=False)

    def __post_init__(self) -> None:
        settings = self.context.settings
        self.chats = Chats(self.context, (settings.shop,), settings.shop)
        tabs = any(re.match(_HEAD_WITH_TAB, line) for line in self.head.lines)
        self.form = _HEAD_WITH_TAB if tabs else _HEAD
        self.accounts = set(settings.agent_roles)
        first = pl.Series([f"{line}\n" for line in self.head.lines])
        self._learn(_messages(first, self.form)[0])

    def blocks(self, size: int) -> Iterator[tuple[Arrived, pl.DataFrame]]:
        """Each block's messages with their holders, and its sessions of masked buyers."""
        said, sections = no_repeats(), 0
        for block in _blocks(self.head, size):
            messages, stray = _messages(block.lines(), self.form)
            named = self._named(messages).with_columns(pl.col("section") + sections, pl.col("row") + block.first_row)
            wrong = named["time"].is_null()
            bad = [(row, "chat_time") for row in named["row"].filter(wrong)] + [(i + block.first_row, "stray") for i in stray]
            named = named.filter(~wrong)
            sections += messages["section"].n_unique() + 1
            held = with_holders(named.drop("alias", "agent"), None, self.chats.shops)
            said = pl.concat([said, repeats(held)]).group_by("account", "said").agg(pl.col("n").sum())
            parsed = Parsed(held, sorted(bad), block.notes)
            yield Arrived(self.head.path.name, block.bytes_done, parsed, held, said), _sessions(named)

    def batch(self, block: Arrived, sessions: pl.DataFrame, said: pl.DataFrame) -> Batch:
        """A block's rows and problems; `said` counts the fast texts of as much of the file as has been read."""
        batch = self.chats.batch(block, said)
        settings, people = self.context.settings, self.context.people
        first = sessions.join(batch.frames["messages"].select("row", "customer_key", "sent_at", "day"), on="row", how="inner")
        batch.frames["chat_sessions"] = first.select(
            pl.lit(settings.shop_key, dtype=pl.Int64).alias("shop_key"),
            pl.col("customer_key").alias("session_key"),
            pl.lit("log").alias("origin"),
            pl.col("customer_key").alias("talk_key"),
            alias_keys(first["alias"], people),
            key_of_repeated(first["agent"], settings.platform, settings.shop).alias("agent_key"),
            pl.col("sent_at").alias("started_at"),
            "day",
            "row",
        )
        return batch

    def _learn(self, messages: pl.DataFrame) -> None:
        """Who of the file's beginning is an account of the shop: everybody without a mask where buyers are masked, else
        those who begin no session."""
        speakers, masked = messages["speaker"].unique(), messages["speaker"].str.contains("*", literal=True)
        self.masks = bool(masked.any())
        begin = messages.group_by("section").agg(pl.col("speaker").first())["speaker"]
        self.accounts.update(speakers.filter(~speakers.str.contains("*", literal=True) & ~speakers.is_in(begin.implode())))

    def _named(self, messages: pl.DataFrame) -> pl.DataFrame:
        """Messages with buyer, side and account, as `with_holders` takes them; alias and agent are those of the session."""
        speaker = pl.col("speaker")
        robot, system = speaker.str.contains(_ROBOTS), speaker.str.contains(SYSTEM_SPEAKERS)
        ours = speaker.is_in(list(self.accounts)) | speaker.str.contains(self.context.settings.shop, literal=True)
        masked = speaker.str.contains("*", literal=True)
        other = masked | (pl.lit(not self.masks) & ~ours & ~robot & ~system)
        rows = messages.with_columns(speaker.filter(other).first().over("section").alias("alias"))
        side = (
            pl.when(masked | (speaker == pl.col("alias")).fill_null(False)).then(CUSTOMER)
            .when(system).then(SYSTEM).when(robot).then(ROBOT).otherwise(SHOP)
        )  # fmt: skip
        rows = rows.with_columns(side.cast(pl.Int8).alias("side"))
        person = pl.col("side") == SHOP  # a robot in front of a person takes nobody from that person
        alone = (pl.col("side") == ROBOT) & ~person.any().over("section")
        rows = rows.with_columns(pl.when(person | alone).then(speaker).alias("account"))
        rows = rows.with_columns(pl.col("account").drop_nulls().first().over("section").alias("agent"))
        alias = pl.coalesce("alias", pl.lit("*"))
        start, agent = pl.col("stamp").first().over("section"), pl.col("agent").fill_null("")
        own = pl.concat_str(alias, start, agent, separator=_CUSTOMERS_OWN)
        return rows.select(
            "row", "section", pl.when(alias.str.contains("*", literal=True)).then(own).otherwise(alias).alias("buyer"),
            "side", "account", "time", "text", "alias", "agent",
        )  # fmt: skip


def _sessions(named: pl.DataFrame) -> pl.DataFrame:
    """Of each session of a masked buyer: the row of its first message, mask and account."""
    masked = named.filter(pl.col("alias").str.contains("*", literal=True))
    return (
        masked.group_by("section", maintain_order=True)
        .agg(pl.col("row").first(), pl.col("alias", "agent").first())
        .drop("section")
    )


def _blocks(head: Head, size: int) -> Iterator[Block]:
    """The file in blocks of whole sessions. Raises FileRefused where no session begins any more."""
    mark = _START.encode()
    row, held = 1, b""
    with Utf8(head.path, head.encoding or "utf-8") as file:
        while data := file.read(size):
            held += data
            at = held.rfind(mark)
            cut = held.rfind(b"\n/*", 0, at) + 1 if at > 0 else 0
            if cut and len(held) >= size // 2:
                yield Block(held[:cut], row, file.bytes_done, last=False)
                row += held.count(b"\n", 0, cut)
                held = held[cut:]
            elif len(held) > size * NO_CHAT:
                says = Say(f"从第 {row:,} 行起没有新的会话", f"from line {row:,} on no session begins any more")
                raise FileRefused(head.path, says, EXPORT_AGAIN)
        yield Block(held, row, file.bytes_done, last=True)


def _messages(lines: pl.Series, form: str) -> tuple[pl.DataFrame, list[int]]:
    """Messages (row = line from 0, section, speaker, stamp, time in µs of the wall clock, text), and lines that fit nothing."""
    text = lines.alias("text").str.strip_chars_end("\r\n")
    mark = text.str.starts_with("/*")
    head = text.str.extract_groups(form)
    frame = pl.DataFrame({
        "row": pl.int_range(len(text), eager=True), "text": text.str.strip_chars("\t "), "mark": mark,
        "section": (mark & text.str.contains(_START, literal=True)).cum_sum().cast(pl.Int64),
        "end": mark & text.str.contains(_END, literal=True), "speaker": head.struct.field("1"), "stamp": head.struct.field("2"),
    })  # fmt: skip
    over = pl.col("end").cum_sum().over("section") > 0
    frame = frame.filter(~pl.col("mark") | pl.col("end")).with_columns(over.alias("over")).filter(~pl.col("end"))
    frame = frame.with_columns((pl.col("speaker").is_not_null() & ~pl.col("over")).alias("head"))
    frame = frame.with_columns(pl.col("head").cum_sum().over("section").alias("nth"))
    inside = (pl.col("nth") > 0) & ~pl.col("over")
    stray = frame.filter(~inside & (pl.col("text") != ""))["row"].to_list()
    said = pl.col("text").filter(~pl.col("head") & (pl.col("text") != ""))
    messages = frame.filter(inside).group_by("section", "nth", maintain_order=True).agg(
        pl.col("row", "speaker", "stamp").first(), said.str.join("\n")
    )  # fmt: skip
    time = pl.col("stamp").str.replace("T", " ", literal=True).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    return messages.with_columns(time.dt.epoch("us").alias("time")), stray
