"""What the messages of chats show, as numbers: of each chat beside each reason, and of the chat as a whole.

Comes in: the messages of some chats, their tags and the models of single messages. Goes out: two blocks of numbers from which
`huitou.text.loss` decides; their columns are `BESIDE` and `WHOLE`.
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
BESIDE = (
    "said", "said_last", "said_late", "said_sum", "said_at_all", "share", "first",
    "cue", "cue_late", "cue_last", "cue_asked", "cue_asked_late", "asks", "asks_late",
    "refused_before", "refused_before_late", "refused", "refused_late",
    "open", "open_late", "open_sum", "open_share", "cue_open", "cue_open_late", "refused_after", "told",
    "soon_sum", "soon_share", "last_two", "last_two_at_all",
)  # fmt: skip
"""Of a chat beside a reason: how far customers' messages say it (said), cues show it (cue), questions are about it (asks), and
agents say no (refused); at most, in the last messages (late), in the very last (last), just before a customer's (before).
The last messages count most (soon). A message is open unless it asks and a full answer follows that neither says no nor evades;
told: how far those say it."""
WHOLE = (
    "one", "no_agent", "robot", "only_robot", "customer_messages", "agent_messages", "customer_last", "waiting", "waiting_twice",
    "agent_last", "last_short", "last_full", "last_long", "last_yes", "last_bare", "last_goes_on", "last_offers", "last_rude",
    "last_evades", "bare", "bare_mean", "evades", "evades_mean", "rude", "rude_mean", "yes", "yes_mean", "short_mean", "short",
    "full_mean", "waited_2min", "waited_4min", "waited_8min", "waits_2min", "tail_2min", "tail_10min", "last_asks",
    "customer_short", "hesitates", "answered_last", "asked_and_answered", "ordered", "ordered_last",
    "reply_short", "reply_full", "reply_long", "reply_yes", "reply_bare", "reply_goes_on", "reply_offers", "reply_rude",
    "reply_evades", "reply_no", "asked_and_told", "late_2min", "late_4min", "late_8min", "left_2min", "left_8min", "came_back",
    "came_back_full", "hesitates_unfollowed", "hesitates_followed", "best_open", "best_open_late", "best_said_last",
)  # fmt: skip
"""Of a chat: who took part, how it ended, how agents answered (means and maxima), what answered the customer's last message
(reply), how long customers waited, at the end (late) and before they fell silent (left), whether an agent came back later."""
_LATE_ANSWERS = 2
_COMES_BACK_S = 900
_LAST = 2  # messages of a customer
_FADE = 0.75  # a message's weight beside that of the customer's next one
_FADE_SOON = 0.4
_LATE = 3
_ONE_BY_ONE = 64  # messages of a chat
_TOLD = 6  # characters of an answer
_KINDS = ("yes", "bare", "goes_on", "offers", "rude", "evades")
_HESITATION = ("service.no_follow_up", "customer.looking", "customer.later", "price.wait_for_sale")
_SHORT, _FULL, _LONG = 3, 8, 12  # characters of a reply without its fillers
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
    kinds: Block  # of an agent's message, `_KINDS`
    ordered: npt.NDArray[np.float32]
    chats: int

    def features(self, codes: Sequence[str]) -> tuple[Block, Block]:
        """Chat × code × `BESIDE` and chat × `WHOLE`."""
        return _beside(self), _whole(self, [codes.index(code) for code in _HESITATION if code in codes])


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
        _columns(heard, models.agent.codes, _KINDS, ""),
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


def _each(reduce: np.ufunc, blocks: dict[str, Block], chat: Places, chats: int) -> dict[str, Block]:
    """`over_chats` of several blocks at once: it costs as much as one."""
    both = over_chats(reduce, np.concatenate(list(blocks.values()), axis=1), chat, chats)
    return dict(zip(blocks, np.split(both, len(blocks), axis=1), strict=True))


def from_end(chat: Places) -> Places:
    """How many rows of the same chat follow each row."""
    if not len(chat):
        return chat
    return np.searchsorted(chat, chat, side="right") - 1 - np.arange(len(chat))


def _before(m: Messages) -> Places:
    """The agent's message before each message in its chat; -1 where there is none."""
    last = np.maximum.accumulate(np.where(m.agent, np.arange(len(m.chat)), -1)) if len(m.chat) else np.zeros(0, dtype=np.int64)
    return np.where((last >= 0) & (m.chat[np.maximum(last, 0)] == m.chat), last, -1)


def _after(m: Messages) -> Places:
    """The agent's or robot's next message after each message in its chat; -1 where there is none."""
    size = len(m.chat)
    clerk = m.agent | m.robot
    nearest = np.minimum.accumulate(np.where(clerk, np.arange(size), size)[::-1])[::-1] if size else np.zeros(0, dtype=np.int64)
    there = nearest < size
    there[there] = m.chat[nearest[there]] == m.chat[there]
    return np.where(there, nearest, -1)


def _open(m: Messages) -> Block:
    """How far each message is not settled, 0–1: it asks nothing, or no full answer to the point follows."""
    follow = _after(m)
    away = np.maximum(m.refusals.max(axis=1, initial=0), m.kinds[:, _KINDS.index("evades")])
    told = np.where((m.length >= _TOLD) & m.agent, 1 - away, 0)
    return (1 - np.where((follow >= 0) & m.asks, told[follow], 0)).astype(np.float32)


def _beside(m: Messages) -> Block:
    mine = np.flatnonzero(m.customer)
    chat, place = m.chat[mine], from_end(m.chat[mine])
    weight = (_FADE**place).astype(np.float32)[:, None]
    before, follow = _before(m)[mine], _after(m)[mine]
    refused = np.where(before[:, None] >= 0, m.refusals[before], np.float32(0))
    refused_after = np.where(follow[:, None] >= 0, m.refusals[follow], np.float32(0))
    left = _open(m)[mine][:, None]
    said, cue, asks = m.strengths[mine], m.cues[mine], m.questions[mine]
    open_ = said * left

    def all_of(reduce: np.ufunc, which: Flags | slice, **blocks: Block) -> dict[str, Block]:
        return _each(reduce, {name: block[which] for name, block in blocks.items()}, chat[which], m.chats)

    cue_asked, cue_open = m.cues_asked[mine], cue * left
    columns = all_of(
        np.maximum, slice(None), said=said, cue=cue, cue_asked=cue_asked, asks=asks, refused_before=refused,
        refused_before_late=refused * weight, open=open_, cue_open=cue_open,
        refused_after=np.minimum(refused_after, asks + said) * weight, told=said * (1 - left),
    )  # fmt: skip
    columns |= all_of(
        np.maximum, place < _LATE, said_late=said, cue_late=cue, asks_late=asks, open_late=open_, cue_open_late=cue_open
    )
    columns |= all_of(np.maximum, place < 2, cue_asked_late=cue_asked, last_two=open_)
    columns |= all_of(np.maximum, place < 1, said_last=said, cue_last=cue)
    soon = open_ * (_FADE_SOON**place).astype(np.float32)[:, None]
    columns |= all_of(np.add, slice(None), said_sum=said * weight, open_sum=open_ * weight, soon_sum=soon)
    clerk = np.flatnonzero(m.agent)
    late = clerk[from_end(m.chat[clerk]) < 2]
    columns["refused"] = over_chats(np.maximum, m.refusals[clerk], m.chat[clerk], m.chats)
    columns["refused_late"] = over_chats(np.maximum, m.refusals[late], m.chat[late], m.chats)
    return _joined(columns)


def _joined(columns: dict[str, Block]) -> Block:
    """The columns of `BESIDE`, from those that are counted and those that follow from them."""
    for name in ("said_sum", "open_sum"):
        columns[name] = columns[name] / 2
    for name, share in (("said_sum", "share"), ("open_sum", "open_share"), ("soon_sum", "soon_share")):
        columns[share] = columns[name] / (columns[name].max(axis=1, keepdims=True, initial=0) + 0.05)
    summed = columns["said_sum"]
    columns["first"] = (summed > 0) & (summed >= summed.max(axis=1, keepdims=True, initial=0))
    columns["said_at_all"] = np.log(columns["said_late"] + 0.01) / 4 + 1
    columns["last_two_at_all"] = np.log(columns["last_two"] + 0.01) / 4 + 1
    out = np.empty((summed.shape[0], len(BESIDE), summed.shape[1]), dtype=np.float32)
    for n, name in enumerate(BESIDE):
        out[:, n] = columns[name]
    return out.transpose(0, 2, 1)


def _whole(m: Messages, hesitation: Sequence[int]) -> Block:
    rows = np.arange(len(m.chat))
    place = from_end(m.chat)
    mine, clerk, bots = np.flatnonzero(m.customer), np.flatnonzero(m.agent), np.flatnonzero(m.robot)

    def count(which: Places) -> Block:
        return np.bincount(m.chat[which], minlength=m.chats).astype(np.float32)

    def of_last(values: npt.NDArray[np.generic], which: Places) -> Block:
        """The value at each chat's last one of some rows."""
        out = np.zeros(m.chats, dtype=np.float32)
        out[m.chat[which]] = values[which]
        return out

    def most(values: npt.NDArray[np.generic], which: Places) -> Block:
        return over_chats(np.maximum, values[which].astype(np.float32), m.chat[which], m.chats)

    def mean(values: npt.NDArray[np.generic], which: Places) -> Block:
        return over_chats(np.add, values[which].astype(np.float32), m.chat[which], m.chats) / np.maximum(count(which), 1)

    agents, robots, asked = count(clerk), count(bots), count(mine)
    last_clerk = most(rows + 1, clerk)
    after = (last_clerk > most(rows + 1, mine)) & (agents > 0) & (asked > 0)
    waiting = count(mine[rows[mine] + 1 > last_clerk[m.chat[mine]]])
    waits, tail = waits_of(m), _tail(m, last_clerk)
    last_mine = most(rows + 1, mine)
    follow = clerk[rows[clerk] + 1 > last_mine[m.chat[clerk]]]
    reply = follow[np.diff(m.chat[follow], prepend=-1) > 0]
    answers = clerk[waits[clerk] > 0]
    answers = answers[from_end(m.chat[answers]) < _LATE_ANSWERS]
    heard = rows[answers] + 1 < last_mine[m.chat[answers]]
    after_pause = follow[_pause(m)[follow] >= _COMES_BACK_S]
    back = most(np.ones(len(rows)), after_pause)
    told = of_last(m.length, reply) * (asked > 0)
    said, no = m.strengths.max(axis=1, initial=0), of_last(m.refusals.max(axis=1, initial=0), reply)
    open_ = said * _open(m)
    hesitates = most(m.strengths[:, list(hesitation)].max(axis=1, initial=0), mine[from_end(m.chat[mine]) < 2])
    length, asks = of_last(m.length, clerk), of_last(m.asks, mine)
    longest = most(waits, clerk)
    kind = {name: m.kinds[:, n] for n, name in enumerate(_KINDS)}
    columns: dict[str, Block | Flags] = {
        "one": np.ones(m.chats, dtype=np.float32),
        "no_agent": agents == 0,
        "robot": robots > 0,
        "only_robot": (robots > 0) & (agents == 0),
        "customer_messages": asked / 10,
        "agent_messages": agents / 10,
        "customer_last": of_last(m.customer, rows[place == 0]),
        "waiting": np.minimum(waiting, 4) / 4,
        "waiting_twice": waiting >= 2,
        "agent_last": after,
        "last_short": after & (length <= _SHORT),
        "last_full": after & (length >= _FULL),
        "last_long": after & (length >= _LONG),
        **{f"last_{name}": after * of_last(kind[name], clerk) for name in _KINDS},
        **{name: most(kind[name], clerk) for name in ("bare", "evades", "rude", "yes")},
        **{f"{name}_mean": mean(kind[name], clerk) for name in ("bare", "evades", "rude", "yes")},
        "short_mean": mean(m.length <= _SHORT, clerk),
        "short": mean(m.length <= _SHORT, clerk) * agents / 4,
        "full_mean": mean(m.length >= _FULL, clerk),
        "waited_2min": longest >= 120,
        "waited_4min": longest >= 240,
        "waited_8min": longest >= 480,
        "waits_2min": count(clerk[waits[clerk] >= 120]) / 3,
        "tail_2min": tail >= 120,
        "tail_10min": tail >= 600,
        "last_asks": asks,
        "customer_short": (asked > 0) & (of_last(m.length, mine) <= _SHORT),
        "hesitates": hesitates,
        "answered_last": after & (hesitates < 0.2) & (length >= 6),
        "asked_and_answered": after & (asks > 0) & (length >= 6),
        "ordered": most(m.ordered, mine),
        "ordered_last": most(m.ordered, mine[from_end(m.chat[mine]) < 2]),
        "reply_short": (told > 0) & (told <= _SHORT),
        "reply_full": told >= _FULL,
        "reply_long": told >= _LONG,
        **{f"reply_{name}": of_last(kind[name], reply) for name in _KINDS},
        "reply_no": no,
        "asked_and_told": (told >= 6) * asks * (1 - no),
        **{f"late_{n}min": most(waits >= 60 * n, answers[heard]) for n in (2, 4, 8)},
        **{f"left_{n}min": most(waits >= 60 * n, answers[~heard]) for n in (2, 8)},
        "came_back": back,
        "came_back_full": most(m.length >= _FULL, after_pause),
        "hesitates_unfollowed": hesitates * (1 - back),
        "hesitates_followed": hesitates * back,
        "best_open": most(open_, mine),
        "best_open_late": most(open_, mine[from_end(m.chat[mine]) < 2]),
        "best_said_last": of_last(said, mine),
    }
    return np.stack([columns[name].astype(np.float32) for name in WHOLE], axis=1)


def late_words(m: Messages) -> Places:
    """The last two messages of each customer."""
    mine = np.flatnonzero(m.customer)
    return mine[from_end(m.chat[mine]) < _LAST]


def came_back(m: Messages) -> Flags:
    """Whether an agent wrote of substance after a long pause, once the customer had begun the last two messages."""
    rows = np.arange(len(m.chat))
    back = m.agent & (_pause(m) >= _COMES_BACK_S) & (m.length >= _FULL)
    late = late_words(m)
    first = np.full(m.chats, len(rows))
    np.minimum.at(first, m.chat[late], late)
    out = np.zeros(m.chats, dtype=bool)
    out[m.chat[back & (rows > first[m.chat])]] = True
    return out


def _pause(m: Messages) -> npt.NDArray[np.float64]:
    """Seconds between each message and the one before it in its chat; 0 where unknown."""
    out = np.zeros(len(m.chat))
    same = m.chat[1:] == m.chat[:-1]
    out[1:][same] = np.nan_to_num(np.diff(m.seconds)[same])
    return out


def waits_of(m: Messages) -> npt.NDArray[np.float64]:
    """Of an agent's message that answers: seconds since the first unanswered message of the customer; 0 elsewhere, or unknown."""
    rows = np.arange(len(m.chat))
    before = _before(m)
    before = np.where(m.agent, np.concatenate(([-1], before[:-1])) if len(before) else before, before)
    same = np.zeros(len(rows), dtype=bool)
    same[1:] = m.chat[1:] == m.chat[:-1]
    begin = np.maximum.accumulate(np.where(~same, rows, 0)) if len(rows) else rows
    before = np.where(before >= begin, before, begin - 1)
    mine = np.flatnonzero(m.customer)
    nearest = np.searchsorted(mine, before + 1)
    asked = mine[np.minimum(nearest, max(len(mine) - 1, 0))] if len(mine) else rows
    answers = m.agent & (nearest < len(mine)) & (asked < rows)
    out = np.zeros(len(rows))
    out[answers] = np.nan_to_num(m.seconds[answers] - m.seconds[asked[answers]])
    return out


def _tail(m: Messages, last_clerk: Block) -> npt.NDArray[np.float64]:
    """Seconds between the first and the last of a customer's messages that no agent answered; 0 where unknown."""
    open_ = np.flatnonzero(m.customer & (np.arange(len(m.chat)) + 1 > last_clerk[m.chat]))
    out = np.zeros(m.chats)
    if len(open_):
        chat, first = np.unique(m.chat[open_], return_index=True)
        last = np.append(first[1:], len(open_)) - 1
        out[chat] = np.nan_to_num(m.seconds[open_[last]] - m.seconds[open_[first]])
    return out
