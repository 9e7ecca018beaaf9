"""The part of `huitou tag` that reads whole chats: one JSON line an inquiry in, one out."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huitou.errors import FileRefused, Say

if TYPE_CHECKING:
    import polars as pl

    from huitou.rules.taxonomy import Words
    from huitou.text.trained import Trained

Asked = Callable[["pl.DataFrame", "pl.DataFrame"], "pl.DataFrame"]
"""Messages and readings → proposals, as `huitou.text.proposals.propose_reasons` makes them."""

CHATS = 5_000  # read at once
ROLES = ("customer", "agent", "robot", "system")
_AS_ROLE = {"buyer": "customer", "user": "customer", "seller": "agent", "bot": "robot", "买家": "customer", "客服": "agent"}


@dataclass(slots=True)
class Inquiries:
    """Counts of a run. `problems`: line number from 1, and what is wrong with it; the first twenty."""

    chats: int = 0
    lost: int = 0
    left_out: int = 0
    problems: list[tuple[int, Say]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Chat:
    id: Any
    outcome: str | None
    messages: list[dict[str, Any]]


def tag_inquiries(
    file: Path, target: Path, words: "Words", *, asked: "Asked | None" = None, models: "Trained | None" = None
) -> Inquiries:
    """Writes what is said of each chat of `file` to `target`; what `asked` proposes for hard ones stands beside, as "proposed".

    A model of loss has its say in "primary", in its own set. Raises FileRefused where the file cannot be read at all.
    """
    from huitou.text.inquiries import InquiryReader

    reader = InquiryReader(words)
    done = Inquiries()
    chats = _chats(file, done)
    with target.open("w", encoding="utf-8") as out:
        while batch := list(islice(chats, CHATS)):
            messages, outcomes = _frames(batch)
            readings = reader.read(messages, outcomes)
            if models:
                readings = _weighed(models, batch, readings)
            proposed = {row["chat"]: row for row in asked(messages, readings).iter_rows(named=True)} if asked else {}
            for chat, row in zip(batch, readings.iter_rows(named=True), strict=True):
                shown = _shown(chat, row["evidence"])
                names = ("primary", "secondary", "steps", "faults", "customer_type", "satisfaction")
                line = {"id": chat.id, **{n: row[n] for n in names[:2]}, "evidence": shown, **{n: row[n] for n in names[2:]}}
                if other := proposed.get(row["chat"]):
                    line["proposed"] = {n: other[n] for n in names[:2]} | {"evidence": _shown(chat, other["evidence"])}
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
                done.chats += 1
                done.lost += row["primary"] is not None
    return done


def _weighed(models: "Trained", batch: list[_Chat], readings: "pl.DataFrame") -> "pl.DataFrame":
    """The readings, with the primary reason that the rules and a model of loss find together."""
    import polars as pl

    from huitou.text.trained import chat_text

    chats = [chat_text((role_of(message), message.get("text") or "") for message in chat.messages) for chat in batch]
    primary = models.reasons(chats, readings["primary"].to_list(), readings["certainty"].to_list())
    beside = [
        [code for code in codes if code != first] for codes, first in zip(readings["secondary"].to_list(), primary, strict=True)
    ]
    columns = {"primary": pl.Series(primary, dtype=pl.String), "secondary": pl.Series(beside, dtype=pl.List(pl.String))}
    return readings.with_columns(**columns)


def _shown(chat: _Chat, places: list[int]) -> list[Any]:
    """Messages by the numbers that the file gives them."""
    return [chat.messages[at].get("i", at) for at in places]


def _chats(file: Path, done: Inquiries) -> Iterator[_Chat]:
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                chat = _chat(line)
                if isinstance(chat, _Chat):
                    yield chat
                else:
                    done.left_out += 1
                    if len(done.problems) < 20:
                        done.problems.append((number, chat))
    except OSError as error:
        fix = Say("换一个能读的文件。", "Name a file that can be read.")
        raise FileRefused(file, Say(f"读不了（{error.strerror}）", f"cannot be read ({error.strerror})"), fix) from None


def _chat(line: str) -> _Chat | Say:
    """A line as a chat, or what is wrong with it."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return Say("不是 JSON，已跳过；每行写一个会话。", "no JSON, left out; write one chat a line.")
    if not isinstance(raw, dict) or not isinstance(raw.get("messages"), list):
        return Say('没有 "messages" 列表，已跳过。', 'no list "messages", left out.')
    for message in raw["messages"]:
        if not isinstance(message, dict) or not isinstance(message.get("text") or "", str):
            return Say('有一条消息不是 {"role", "text"}，已跳过。', 'one message is not {"role", "text"}, left out.')
        if role_of(message) is None:
            role = message.get("role")
            return Say(
                f"role 是 {role!r}，已跳过；只能是 {'、'.join(ROLES)}。", f"role is {role!r}, left out; use {', '.join(ROLES)}."
            )
    outcome = raw.get("outcome")
    return _Chat(raw.get("id"), outcome if isinstance(outcome, str) else None, raw["messages"])


def role_of(message: dict[str, Any]) -> str | None:
    """Who says a message: one of `ROLES`; None for a role that is none of them."""
    role = str(message.get("role", "")).strip().lower()
    role = _AS_ROLE.get(role, role)
    return role if role in ROLES else None


def _frames(batch: list[_Chat]) -> "tuple[pl.DataFrame, pl.DataFrame]":
    import polars as pl

    rows = [
        (n, i, m.get("t"), role_of(m), m.get("text") or "") for n, chat in enumerate(batch) for i, m in enumerate(chat.messages)
    ]
    schema = {"chat": pl.Int64, "i": pl.Int64, "at": pl.String, "role": pl.String, "text": pl.String}
    columns = list(zip(*rows, strict=True)) if rows else [[]] * len(schema)
    times = [at if isinstance(at, str) else None for at in columns[2]]
    texts = [text.encode(errors="replace").decode() for text in columns[4]]  # JSON may hold halves of characters
    frame = pl.DataFrame(dict(zip(schema, (columns[0], columns[1], times, columns[3], texts), strict=True)), schema=schema)
    plain = pl.col("at").str.replace("T", " ", literal=True).str.head(26)
    frame = frame.with_columns(plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False).alias("at"))
    outcomes = pl.DataFrame(
        {"chat": range(len(batch)), "outcome": [chat.outcome for chat in batch]}, schema={"chat": pl.Int64, "outcome": pl.String}
    )
    return frame, outcomes
