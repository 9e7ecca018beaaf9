"""Lines of a chat file → messages: who said what to whom, when. Vectorised over a block of lines.

A line begins a message only if it has a message's head *and* its speaker belongs to the chat: the buyer named by the mark
above it, an account of the shop, or the platform. Every other line continues the message above it, so a quoted head or mark
inside a message stays text. Read marks (已读, 未读, 发送中), recall
notices without a head, titles and blank lines are no content.
"""

import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.sources.chat_blocks import STAMP, Block
from huitou.sources.keys import encoded
from huitou.sources.replies import CUSTOMER, ROBOT, ROBOT_SPEAKERS, SHOP, SYSTEM, SYSTEM_SPEAKERS, account_of

Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MARK = r"^-{20,40} ?(.*?[^- ].*?) ?-{20,40}\s*$"
_TITLE = r"^[\s\x{3000}]*(单聊|群聊)[\s\x{3000}]*$"
_RULE = re.compile(r"={20,}\s*$")
_OLD_HEAD = rf"^([^(]+)\(({STAMP})\):"
_OLD_HEAD_BRACKETS = rf"^(.{{1,80}}?)\(({STAMP})\):"  # a nick with brackets of its own
_LONGEST_NICK = 240  # bytes
_ARROW_HEAD = rf"^(\S.{{0,60}}?)\s*-->\s*(\S.{{0,60}}?)\s+({STAMP})\s*$"
_NO_CONTENT = r"^(?:已读|未读|发送中|\S[^\n]{0,60}?\s*撤回了一条消息)\s*$"
_NOTICE_BELOW = r"^(?:当前用户来自|原因[:：]\s*【|由\s*\S{1,40}?\s*转交给)"
_BELOW_HEAD = rf"^\s*(\S.{{0,60}}?)\s?({STAMP})\s*$"
_DATE = r"^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})\s*(?:(?:星期|周)[一二三四五六日天])?\s*$"
_INVISIBLE = r"[\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}\x{feff}]"
_EARLIEST_YEAR, _LATEST_YEAR = 2003, 2100  # Taobao opened in 2003; outside it a time is misread
_PREAMBLE = 20  # lines before the first chat that need not fit anything


@dataclass(frozen=True, slots=True)
class Form:
    """How one file writes its chats: the client's form (`old`) or one row per message; who the shop is; a sole buyer.

    `below`: a message's text stands below its head. `named` is the nick at the head of the file: the buyer of a chat in which
    no buyer says a word.
    """

    old: bool
    shops: tuple[str, ...]
    buyer: str | None = None
    named: str | None = None
    below: bool = False

    @property
    def instant_head(self) -> str:
        """The regular expression of the head of a row of 即时消息; groups are time and speaker."""
        shops = "|".join(re.escape(shop) for shop in self.shops)
        return rf"^({STAMP}) +((?:cntaobao)?(?:{shops})(?::[^:\s]{{1,40}})?|[^:：]{{1,60}}?)(?:[:：]|\s*$)"


@dataclass(slots=True)
class Place:
    """Where a file has been read to, carried from block to block: the chat that goes on, and whether chats are a group's."""

    buyer: str | None = None
    group: bool = False  # of the chat that goes on
    titled_group: bool = False  # of the chats that begin from here on
    sections: int = 0
    begun: bool = False


@dataclass(slots=True)
class Parsed:
    """A block's messages, the rows that fit nothing (line of the file, reason), and counts of what is no row on purpose.

    `messages`: row (line of the file), section (number of the chat), buyer, side and account (see replies), time (µs of
    the shop's wall clock), text.
    """

    messages: pl.DataFrame
    bad: list[tuple[int, str]] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Marks:
    """Lines that begin a buyer's chat; entry 0 of `buyers` and `groups` is the chat that the block before left open."""

    at: Index
    buyers: pl.Series
    groups: Flags

    def chat_of(self, lines: Index) -> Index:
        """For each line the entry of its chat."""
        return np.searchsorted(self.at, lines)


def clean_nick(nick: pl.Expr) -> pl.Expr:
    """Without white space, invisible marks and the ``cntaobao`` prefix of the platform's interfaces."""
    seen = pl.when(nick.str.contains(_INVISIBLE)).then(nick.str.replace_all(_INVISIBLE, "")).otherwise(nick)
    return seen.str.strip_chars().str.strip_prefix("cntaobao")


def parse(block: Block, form: Form, place: Place) -> Parsed:
    """The messages of one block of lines."""
    lines = block.lines()
    heads = _heads(lines, form)
    found = _found_marks(lines if form.old else lines.clear())
    titles, groups = _titles(lines, found["i"].to_numpy(), place, last=block.last)
    kept = ~np.array([False, *_quoted_marks(found, heads, groups, place)])
    found, groups = found.filter(kept[1:]), groups[kept]
    opening = form.buyer if place.buyer is None and not form.old else place.buyer
    marks = _Marks(found["i"].to_numpy(), pl.Series([opening, *found["buyer"]], dtype=pl.String), groups)
    notes: dict[str, int] = {}
    heads = _begin(heads, marks, form, place, notes)
    texts, stray = _texts(lines, heads, marks, titles, form=form, begun=place.begun)
    chats = heads["chat"].cast(pl.Int64) + place.sections
    if not form.old and not len(marks.at):
        chats = heads["buyer"].hash(0).reinterpret(signed=True)
    parsed = _finish(heads.with_columns(chats.alias("section"), texts.alias("text")), block.first_row)
    parsed.bad = sorted(parsed.bad + [(block.first_row + int(i), "stray") for i in stray])
    parsed.notes = notes
    place.buyer = marks.buyers[-1] if form.old or marks.buyers[-1] is not None else _last_customer(heads)
    place.group, place.begun = bool(groups[-1]), True
    place.sections += len(marks.at)
    return parsed


def _heads(lines: pl.Series, form: Form) -> pl.DataFrame:
    """Lines that look like a message's head: i, speaker, stamp, text, side, account."""
    heads = _old_heads(lines) if form.old else _below_heads(lines) if form.below else _instant_heads(lines, form)
    if (form.old or form.below) and lines.str.contains("-->", literal=True).any():
        heads = pl.concat([heads, _arrows(lines, form)]).unique("i", keep="first").sort("i")
    speakers, at = encoded(heads["speaker"])
    return heads.drop("speaker").hstack(_who(speakers, form)[at]).select("i", "speaker", "stamp", "text", "side", "account")


def _who(speakers: pl.Series, form: Form) -> pl.DataFrame:
    """What each distinct speaker as written is: speaker, side, account."""
    speaker = pl.col("speaker")
    side = (
        pl.when(pl.col("account").is_not_null()).then(SHOP)
        .when(speaker.str.contains(SYSTEM_SPEAKERS)).then(SYSTEM)
        .when(speaker.str.contains(ROBOT_SPEAKERS)).then(ROBOT)
        .otherwise(CUSTOMER)
    )  # fmt: skip
    who = speakers.to_frame().with_columns(clean_nick(speaker)).with_columns(account_of(speaker, form.shops).alias("account"))
    who = who.with_columns(side.cast(pl.Int8).alias("side"))
    return who.with_columns(pl.when(pl.col("side") == ROBOT).then("speaker").otherwise("account").alias("account"))


def _old_heads(lines: pl.Series) -> pl.DataFrame:
    found = lines.str.extract_groups(_OLD_HEAD).struct.unnest()
    headless = found["1"].is_null().arg_true()
    missed = headless.filter(lines.gather(headless).str.contains(rf"\({STAMP}\):"))
    if len(missed):
        again = lines.gather(missed).str.extract_groups(_OLD_HEAD_BRACKETS).struct.unnest()
        found = pl.DataFrame([found[name].scatter(missed, again[name]) for name in found.columns])
    found = found.select(pl.col("1").alias("speaker"), pl.col("2").alias("stamp"), lines.alias("line")).with_row_index("i")
    speaker, stamp = pl.col("speaker"), pl.col("stamp")
    text = pl.col("line").str.slice(speaker.str.len_chars() + stamp.str.len_chars() + len("():"))
    heads = found.filter(stamp.is_not_null() & (speaker.str.len_bytes() <= _LONGEST_NICK))
    return heads.select(pl.col("i").cast(pl.Int64), "speaker", "stamp", text.alias("text"))


def _instant_heads(lines: pl.Series, form: Form) -> pl.DataFrame:
    found = lines.str.extract_groups(form.instant_head).struct.unnest()
    found = found.select(pl.col("1").alias("stamp"), pl.col("2").alias("speaker"), lines.alias("line")).with_row_index("i")
    speaker, stamp = pl.col("speaker"), pl.col("stamp")
    text = pl.col("line").str.slice(stamp.str.len_chars()).str.strip_chars_start().str.slice(speaker.str.len_chars() + 1)
    return found.filter(stamp.is_not_null()).select(pl.col("i").cast(pl.Int64), "speaker", "stamp", text.alias("text"))


def _below_heads(lines: pl.Series) -> pl.DataFrame:
    found = lines.str.extract_groups(_BELOW_HEAD).struct.unnest().with_row_index("i").drop_nulls()
    heads = found.filter(~pl.col("1").str.contains("-->", literal=True))
    return heads.select(pl.col("i").cast(pl.Int64), pl.col("1").alias("speaker"), pl.col("2").alias("stamp"), text=pl.lit(""))


def _arrows(lines: pl.Series, form: Form) -> pl.DataFrame:
    """Hand-over lines without a head, 「店:甲 --> 店:乙 时间」, between two accounts of the shop."""
    found = lines.str.contains(_ARROW_HEAD).arg_true()
    group = pl.col("text").str.extract_groups(_ARROW_HEAD).struct
    some = pl.DataFrame({"i": found.cast(pl.Int64), "text": lines.gather(found)}).with_columns(
        group[0].alias("from"), group[1].alias("to"), group[2].alias("stamp"), pl.lit("系统提示").alias("speaker")
    )
    both = [account_of(clean_nick(pl.col(name)), form.shops).is_not_null() for name in ("from", "to")]
    return some.filter(*both).select("i", "speaker", "stamp", "text")


def _found_marks(lines: pl.Series) -> pl.DataFrame:
    """Lines that look like the beginning of a buyer's chat: i, buyer."""
    found = lines.str.starts_with("-" * 20).arg_true()
    marks = pl.DataFrame({"i": found.cast(pl.Int64), "buyer": lines.gather(found).str.extract(_MARK, 1)})
    return marks.with_columns(clean_nick(pl.col("buyer"))).filter(pl.col("buyer").str.len_chars() > 0)


def _quoted_marks(marks: pl.DataFrame, heads: pl.DataFrame, groups: Flags, place: Place) -> list[bool]:
    """Whether each mark is only quoted in a message: the buyer whose chat it would end goes on speaking below it.

    In group chats many speak, their marks are taken as they stand.
    """
    chat = np.searchsorted(marks["i"].to_numpy(), heads["i"].to_numpy())
    buyers = [place.buyer, *marks["buyer"]]
    quoted = [False] * len(buyers)
    customer = (heads["side"] == CUSTOMER) & pl.Series(~groups[chat])
    same = (heads["speaker"] == pl.Series(buyers, dtype=pl.String).gather(chat)).fill_null(False)
    if not (customer & ~same).any():
        return quoted[1:]
    speaking = heads.select("speaker", pl.Series("chat", chat))
    own = set(speaking.filter(customer & same)["chat"])
    foreign = speaking.filter(customer & ~same & pl.Series(chat > 0))
    for chat_no, speakers in foreign.group_by("chat").agg(pl.col("speaker").unique()).sort("chat").iter_rows():
        before = chat_no - 1
        while before > 0 and not groups[before] and buyers[before] not in speakers and (quoted[before] or before not in own):
            before -= 1
        if buyers[before] in speakers and not groups[before]:
            quoted[before + 1 : chat_no + 1] = [True] * (chat_no - before)
    return quoted[1:]


def _titles(lines: pl.Series, marks: Index, place: Place, *, last: bool) -> tuple[Index, Flags]:
    """Line numbers of titles and their rules, and whether each chat (entry 0: the open one) is a group's.

    A title counts before the file's first chat, right above a mark, or at a block's end (its mark begins the next block).
    """
    at_mark, skip, turns = set(marks.tolist()), [], []
    for i in ((lines.str.len_bytes() < 200) & lines.str.contains(_TITLE)).arg_true():
        rule, after = _next_content(lines, i), None
        if rule is None or not _RULE.match(lines[rule]):
            continue
        after = _next_content(lines, rule)
        first = not place.begun and (not len(marks) or i < marks[0])
        if first or after in at_mark or (after is None and not last):
            skip += [i, rule]
            turns.append((i, lines[i].strip() == "群聊"))
    groups = np.full(len(marks) + 1, place.titled_group)
    groups[0] = place.group
    for i, group in turns:
        groups[1 + np.searchsorted(marks, i) :] = group
        place.titled_group = group
    return np.array(skip, dtype=np.int64), groups


def _next_content(lines: pl.Series, i: int) -> int | None:
    """The next line after `i` that is not blank, within five lines."""
    return next((j for j in range(i + 1, min(i + 6, len(lines))) if lines[j].strip()), None)


def _begin(heads: pl.DataFrame, marks: _Marks, form: Form, place: Place, notes: dict[str, int]) -> pl.DataFrame:
    """The heads that begin a row, with chat, buyer and what is wrong with them; strangers' heads are text and left out."""
    chat = marks.chat_of(heads["i"].to_numpy())
    heads = heads.with_columns(
        pl.Series("chat", chat), marks.buyers.gather(chat).alias("buyer"), pl.Series("group", marks.groups[chat])
    )
    if not form.old and form.buyer is None and not len(marks.at):
        customer = pl.when(pl.col("side") == CUSTOMER).then("speaker")
        heads = heads.with_columns(
            pl.coalesce(
                customer.forward_fill(), pl.lit(place.buyer), customer.backward_fill(), pl.lit(form.named, pl.String)
            ).alias("buyer")
        )
    stranger = (pl.col("side") == CUSTOMER) & (pl.col("speaker") != pl.col("buyer"))
    wrong = (
        pl.when("group").then(pl.lit("group"))
        .when(pl.col("buyer").is_null()).then(pl.lit("no_buyer"))
        .when(stranger).then(pl.lit("speaker"))
    )  # fmt: skip
    heads = heads.with_columns(wrong.alias("wrong"))
    kinds = dict(heads["wrong"].value_counts().iter_rows())
    if "group" in kinds:
        notes["group_chat"] = kinds["group"]
    if "speaker" not in kinds:
        return heads
    spoken = ((pl.col("side") == CUSTOMER) & pl.col("wrong").is_null()).any().over("chat")
    below = pl.col("wrong").is_null().cum_sum().over("chat") > 0
    quoted = heads.select((pl.col("wrong") == "speaker").fill_null(False) & spoken & below).to_series()
    if quoted.any():
        notes["quoted_heads"] = int(quoted.sum())
    return heads.filter(~quoted)


def _texts(
    lines: pl.Series, heads: pl.DataFrame, marks: _Marks, titles: Index, *, form: Form, begun: bool
) -> tuple[pl.Series, Index]:
    """Each head's whole text, and the lines that belong to no message."""
    starts = heads["i"].to_numpy()
    blank = (lines.str.strip_chars() == "").to_numpy()
    more = ~blank
    for taken in (starts, marks.at, titles):
        more[taken] = False
    candidates = np.flatnonzero(more)
    no_content = rf"{_NO_CONTENT}|{_NOTICE_BELOW}" if form.below else _NO_CONTENT
    more[candidates] = ~lines.gather(candidates).str.contains(no_content).to_numpy()
    if not form.old:
        more[_day_lines(lines, heads, np.flatnonzero(~blank))] = False
    at = np.flatnonzero(more)
    at = np.union1d(at, _inner_blanks(np.flatnonzero(blank), np.flatnonzero(~blank), more))
    owner = np.searchsorted(starts, at) - 1
    chat_begins = np.append(-1, marks.at)[marks.chat_of(at)]
    owned = (owner >= 0) & (starts[owner] > chat_begins) if len(starts) else np.zeros(len(at), dtype=bool)
    stray = at[~owned & ~blank[at]]
    if not begun:
        first = min([*starts[:1], *marks.at[:1], *(titles[1:2]), _PREAMBLE])
        stray = stray[stray >= first]
    texts = heads["text"].str.strip_chars()
    if owned.any():
        added = pl.DataFrame({"owner": owner[owned], "line": lines.gather(at[owned]).str.strip_chars_end("\r\n")})
        added = added.group_by("owner", maintain_order=True).agg(pl.col("line").str.join("\n"))
        whole = texts.gather(added["owner"]) + "\n" + added["line"]
        texts.scatter(added["owner"], whole.str.strip_chars())
    return texts, stray


def _day_lines(lines: pl.Series, heads: pl.DataFrame, content: Index) -> list[int]:
    """Lines that only name the day of the row right below them."""
    dates = lines.str.extract(_DATE, 1)
    starts, stamps = heads["i"].to_numpy(), heads["stamp"]
    found = []
    for i in dates.is_not_null().arg_true():
        below = content[np.searchsorted(content, i + 1) :][:1]
        head = np.searchsorted(starts, below)
        if len(below) and head[0] < len(starts) and starts[head[0]] == below[0]:
            day = stamps[int(head[0])].split(" ")[0]
            found += [i] if [int(n) for n in day.split("-")] == [int(n) for n in dates[i].split("-")] else []
    return found


def _inner_blanks(blank: Index, content: Index, more: Flags) -> Index:
    """Blank lines whose next line with content continues a message."""
    after = np.searchsorted(content, blank)
    inside = after < len(content)
    return blank[inside][more[content[after[inside]]]]


def _finish(heads: pl.DataFrame, first_row: int) -> Parsed:
    """Messages with a time, and the rows that are none."""
    time = heads["stamp"].str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    rows = heads.with_columns(
        (pl.col("i") + first_row).alias("row"),
        pl.when(time.dt.year().is_between(_EARLIEST_YEAR, _LATEST_YEAR)).then(time.to_physical()).alias("time"),
    ).with_columns(
        pl.when(pl.col("time").is_null()).then(pl.coalesce("wrong", pl.lit("chat_time"))).otherwise("wrong").alias("wrong")
    )
    bad = rows.filter(pl.col("wrong").is_not_null(), pl.col("wrong") != "group").select("row", "wrong").rows()
    good = rows.filter(pl.col("wrong").is_null())
    return Parsed(good.select("row", "section", "buyer", "side", "account", "time", "text"), bad)


def _last_customer(heads: pl.DataFrame) -> str | None:
    """The buyer that rows without marks were last about."""
    buyers = heads["buyer"].drop_nulls()
    return str(buyers[-1]) if len(buyers) else None
