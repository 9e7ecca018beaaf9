"""The messages of some chats as numbers: who says it, when, and how far each says each reason.

Comes in: messages, their tags and the models of single messages. Goes out: `Messages`, and what lies beside each
in its chat.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.text.hashes import distinct_texts
from huitou.text.loss_examples import ASKS, ORDERED, Speakers
from huitou.text.normal import Normal, Places, normalise

Block = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]
KINDS = ("yes", "bare", "goes_on", "offers", "rude", "evades")
"""What an agent's message can be beside a refusal."""
_LAST = 2  # messages of a customer
_ONE_BY_ONE = 64  # messages of a chat
_TOLD = 6  # characters of an answer
_FILLERS = r"[亲哦呢哈呀啊哒滴啦的了吧嘛噢哟～~!！。.,，、\s]|\[[^\]]*\]"
_ASKS = r"[?？吗么嘛呢]\s*$|[不没伐]$|多少|几|怎么|什么|能不能|有没有|哪"


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of some chats, chat by chat. `chat` counts from 0; `strengths`: how far each message says each reason, 0–1."""

    chat: Places
    customer: Flags
    agent: Flags
    robot: Flags
    seconds: npt.NDArray[np.float64]  # nan: unknown
    length: Places
    asks: Flags
    strengths: Block
    cues: Block  # 0, 1/3, 2/3, 1: how plainly a cue says it
    cues_asked: Block
    questions: Block  # how far a question is about it
    refusals: Block  # how far an agent says no to it
    kinds: Block  # of an agent's message, `KINDS`
    ordered: npt.NDArray[np.float32]
    chats: int


def messages_of(frame: pl.DataFrame, tags: pl.DataFrame, codes: Sequence[str], models: Speakers) -> Messages:
    """Messages as numbers. `frame`: chat, at, role, text, ordered; `tags` of it. Reasons without examples go by cues alone."""
    chat = frame["chat"].rle_id().cast(pl.Int64).to_numpy() if frame.height else np.zeros(0, dtype=np.int64)
    roles = {role: (frame["role"] == role).fill_null(value=False).to_numpy() for role in ("customer", "agent", "robot")}
    customer, clerk = roles["customer"], roles["agent"] | roles["robot"]
    cues, cues_asked = _cues(frame.height, tags, codes)
    said = _scores(frame["text"], customer, models.customer.scores, len(models.customer.codes))
    heard = _scores(frame["text"], clerk, models.agent.scores, len(models.agent.codes))
    strengths = _columns(said, models.customer.codes, codes, "")
    own = [n for n, code in enumerate(codes) if code not in models.customer.codes and code != "unknown.silent"]
    strengths[:, own] = cues[:, own] * 0.95
    typed = frame["text"]
    return Messages(
        chat,
        customer,
        roles["agent"],
        roles["robot"],
        (frame["at"].dt.epoch("us").cast(pl.Float64) / 1e6).fill_null(float("nan")).to_numpy(),
        typed.str.replace_all(_FILLERS, "").str.len_chars().cast(pl.Int64).to_numpy(),
        typed.str.contains(_ASKS).to_numpy(),
        strengths * customer[:, None],
        cues * customer[:, None],
        cues_asked * customer[:, None],
        _columns(said, models.customer.codes, codes, ASKS),
        _columns(heard, models.agent.codes, codes, "no."),
        _columns(heard, models.agent.codes, KINDS, ""),
        _columns(said, models.customer.codes, [ORDERED], "")[:, 0],
        int(chat[-1]) + 1 if len(chat) else 0,
    )


def _scores(texts: pl.Series, which: Flags, score: Callable[[Normal], Block], width: int) -> Block:
    """Scores of some of the texts, each distinct text once; zero elsewhere."""
    out = np.zeros((len(texts), width), dtype=np.float32)
    some = texts.filter(pl.Series(which))
    if len(some):
        own, number = distinct_texts(some)
        out[which] = score(normalise(some.gather(own))).take(number, axis=0)
    return out


def _columns(scores: Block, names: Sequence[str], codes: Sequence[str], prefix: str) -> Block:
    out = np.zeros((len(scores), len(codes)), dtype=np.float32)
    at = {name: n for n, name in enumerate(names)}
    known = [(n, at[prefix + code]) for n, code in enumerate(codes) if prefix + code in at]
    out[:, [n for n, _ in known]] = scores.take([n for _, n in known], axis=1)
    return out


def _cues(rows: int, tags: pl.DataFrame, codes: Sequence[str]) -> tuple[Block, Block]:
    """How plainly cues say each reason, in statements and in questions."""
    out = np.zeros((2, rows, len(codes)), dtype=np.float32)
    at = pl.DataFrame({"code": list(codes), "n": range(len(codes))}, schema={"code": pl.String, "n": pl.Int64})
    found = tags.filter(pl.col("taxonomy") == "loss").join(at, on="code")
    np.maximum.at(
        out,
        (found["asked"].cast(pl.Int64).to_numpy(), found["row"].to_numpy(), found["n"].to_numpy()),
        found["strength"].cast(pl.Float32).to_numpy() / 3,
    )
    return out[0], out[1]


def over_chats(reduce: np.ufunc, values: Block, chat: Places, chats: int) -> Block:
    """Of each chat the maximum or sum of its rows, 0 where it has none; `chat` ascends."""
    out = np.zeros((chats, *values.shape[1:]), dtype=np.float32)
    if not len(chat):
        return out
    starts = np.flatnonzero(np.concatenate(([True], chat[1:] != chat[:-1])))
    sizes = np.diff(np.append(starts, len(chat)))
    if reduce is not np.maximum or values.ndim == 1 or sizes.max() > _ONE_BY_ONE:
        out[chat[starts]] = reduce.reduceat(values, starts, axis=0)
        return out
    held = values[starts]  # a row at a time for all chats at once: `reduceat` is slow where there are many columns
    for nth in range(1, int(sizes.max())):
        on = np.flatnonzero(sizes > nth)
        held[on] = np.maximum(held[on], values[starts[on] + nth])
    out[chat[starts]] = held
    return out


def from_end(chat: Places) -> Places:
    """How many rows of the same chat follow each row."""
    if not len(chat):
        return chat
    return np.searchsorted(chat, chat, side="right") - 1 - np.arange(len(chat))


def agent_before(m: Messages) -> Places:
    """The agent's message before each message in its chat; -1 where there is none."""
    last = np.maximum.accumulate(np.where(m.agent, np.arange(len(m.chat)), -1)) if len(m.chat) else np.zeros(0, dtype=np.int64)
    return np.where((last >= 0) & (m.chat[np.maximum(last, 0)] == m.chat), last, -1)


def clerk_after(m: Messages) -> Places:
    """The agent's or robot's next message after each message in its chat; -1 where there is none."""
    size = len(m.chat)
    clerk = m.agent | m.robot
    nearest = np.minimum.accumulate(np.where(clerk, np.arange(size), size)[::-1])[::-1] if size else np.zeros(0, dtype=np.int64)
    there = nearest < size
    there[there] = m.chat[nearest[there]] == m.chat[there]
    return np.where(there, nearest, -1)


def unsettled(m: Messages) -> Block:
    """How far each message is not settled, 0–1: it asks nothing, or no full answer to the point follows."""
    follow = clerk_after(m)
    away = np.maximum(m.refusals.max(axis=1, initial=0), m.kinds[:, KINDS.index("evades")])
    told = np.where((m.length >= _TOLD) & m.agent, 1 - away, 0)
    return (1 - np.where((follow >= 0) & m.asks, told[follow], 0)).astype(np.float32)


def late_words(m: Messages) -> Places:
    """The last two messages of each customer."""
    mine = np.flatnonzero(m.customer)
    return mine[from_end(m.chat[mine]) < _LAST]
