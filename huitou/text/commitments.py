"""What agents promise, and by when: the taxonomy ``commitments`` in their messages, so that later facts can keep or break it.

Comes in: messages with their times. Goes out: one row a promise, its place in the message and, where it is clear, the moment by
which it is due. A promise that counts from a payment still to come has none.
"""

import re
from datetime import datetime, timedelta

import polars as pl

from huitou.rules.taxonomy import Words, load_taxonomies
from huitou.text.normal import normal_text
from huitou.text.tagger import Tagger

TAXONOMY = "commitments"
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "chat": pl.Int64,
    "i": pl.Int64,
    "kind": pl.String,
    "due_at": pl.Datetime("us"),
    "start": pl.Int64,
    "end": pl.Int64,
}
_NUMBERS = {sign: float(number) for number, sign in enumerate("零一二三四五六七八九十")} | {"两": 2.0, "半": 0.5}
_NUMBER = r"(\d{1,3}|[一二两三四五六七八九十半]|十[一二三四五六七八九])"
_DAYS = {"今": 0, "当": 0, "明": 1, "后": 2, "大后": 3}
_DAY = re.compile(r"(大后|[今明后当])(?:天|日|早|晚|儿)|today|tomorrow|tonight")
_WEEKDAY = re.compile(r"(下|这|本)?(?:周|星期|礼拜)([一二三四五六日天])")
_DATE = re.compile(r"(?:(\d{1,2})月)?(\d{1,2})[号日]")
_HOUR = re.compile(rf"(上午|中午|下午|晚上|今晚|早上|晚)?{_NUMBER}(?:点|:(\d\d))(半)?")
_WITHIN = re.compile(rf"{_NUMBER}个?(分钟|小时|天|日|个工作日|工作日|周)(?:之?内|以内)")
_FROM_PAYMENT = re.compile("付款后|拍下后|下单后|拍后|付后|付款[^,。]{0,3}(?:小时|天)|收到?货?后|确认收货|签收后|到货后")
_UNITS = {"分钟": timedelta(minutes=1), "小时": timedelta(hours=1), "周": timedelta(weeks=1)}
_AROUND = 16  # characters before and after a promise in which its time may stand
_LATEST = 60  # days; a time further off was read wrongly


class CommitmentReader:
    """The words of promises, compiled once."""

    def __init__(self, words: Words | None = None) -> None:
        self._tagger = Tagger(words or load_taxonomies(), (TAXONOMY,))
        self.version = self._tagger.version

    def read(self, messages: pl.DataFrame) -> pl.DataFrame:
        """One row a promise of a person, as in `SCHEMA`, in the messages' order.

        `messages`: chat, i, at (null where unknown), role, text. ``start`` and ``end`` are characters of the text as typed.
        """
        spoken = messages.filter(pl.col("role") == "agent").select("chat", "i", "at", "text")
        tags = self._tagger.tag(spoken["text"])
        said = spoken.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        found = tags.join(said, on="row", maintain_order="left").sort("row", "start", "code", maintain_order=True)
        found = found.unique(["row", "code"], keep="first", maintain_order=True)
        places = zip(found["text"], found["at"], found["start"], found["end"], strict=True)
        due = pl.Series("due_at", [_due(text, at, start, end) for text, at, start, end in places], pl.Datetime("us"))
        return found.with_columns(due, kind=pl.col("code")).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _due(text: str, at: datetime | None, start: int, end: int) -> datetime | None:
    """When a promise at a place is due: as its own words say, or else those around it."""
    around = text[max(0, start - _AROUND) : end + _AROUND]
    if _FROM_PAYMENT.search(normal_text(around)):
        return None
    return due_at(text[start:end], at) or due_at(around, at)


def due_at(text: str, at: datetime | None) -> datetime | None:
    """The moment by which something promised at a time is due; a day ends at its last second. None where it is not clear."""
    plain = normal_text(text)
    if at is None:
        return None
    if (span := _WITHIN.search(plain)) and (number := _number(span[1])):
        due = at + _UNITS.get(span[2], timedelta(days=1)) * number
        return _day_end(due) if span[2] not in ("分钟", "小时") else due
    day = _day(plain, at)
    hour = _HOUR.search(plain)
    if hour and (number := _number(hour[2])) is not None and number <= 24:
        late = hour[1] in ("下午", "晚上", "今晚", "晚") and number < 12
        moment = (day or at).replace(hour=0, minute=0, second=0, microsecond=0)
        minutes = int(hour[3]) if hour[3] else 30 if hour[4] else 0
        due = moment + timedelta(hours=number + 12 * late, minutes=minutes)
        return due if due > at else None
    if day is None or day.date() < at.date() or day - at > timedelta(days=_LATEST):
        return None
    return _day_end(day)


def _day(plain: str, at: datetime) -> datetime | None:
    """The day that is named."""
    if weekday := _WEEKDAY.search(plain):
        ahead = ("一二三四五六日".find(weekday[2]) if weekday[2] != "天" else 6) - at.weekday()
        return at + timedelta(days=ahead % 7 + 7 * (weekday[1] == "下" and ahead >= 0))
    if day := _DAY.search(plain):
        return at + timedelta(days=_DAYS.get(day[1] or "", int(day[0] == "tomorrow")))
    if date := _DATE.search(plain):
        month = int(date[1]) if date[1] else at.month + (int(date[2]) < at.day)
        try:
            return at.replace(year=at.year + (month > 12 or month < at.month), month=(month - 1) % 12 + 1, day=int(date[2]))
        except ValueError:
            return None
    return at if re.search("今晚|上午|下午|中午|晚上", plain) else None


def _day_end(moment: datetime) -> datetime:
    return moment.replace(hour=23, minute=59, second=59, microsecond=0)


def _number(text: str) -> float | None:
    """A number in digits or in words up to nineteen."""
    if text.isdigit():
        return float(text)
    if len(text) == 2:
        return 10 + float("零一二三四五六七八九".find(text[1]))
    return _NUMBERS.get(text)
