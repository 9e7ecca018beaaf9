"""What some chats show as a whole: who took part, how they ended, how agents answered, how long customers waited.

Comes in: `Messages`. Goes out: a block of numbers, a row a chat; its columns are `WHOLE`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from huitou.text.loss_messages import KINDS, Block, Flags, Messages, from_end, over_chats, unsettled
from huitou.text.loss_times import COMES_BACK_S, pause, tail, waits_of
from huitou.text.normal import Places

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
_SHORT, _FULL, _LONG = 3, 8, 12  # characters of a reply without its fillers
_TOLD = 6  # characters of an answer
_LATE_ANSWERS = 2
_MANNERS = ("bare", "evades", "rude", "yes")

Columns = dict[str, Block | Flags]


@dataclass(frozen=True)
class _Chats:
    """Values of rows as values of chats, and which rows are whose."""

    m: Messages
    mine: Places  # rows of customers
    clerk: Places  # of agents
    bots: Places

    def count(self, which: Places) -> Block:
        return np.bincount(self.m.chat[which], minlength=self.m.chats).astype(np.float32)

    def of_last(self, values: npt.NDArray[np.generic], which: Places) -> Block:
        """The value at each chat's last one of some rows."""
        out = np.zeros(self.m.chats, dtype=np.float32)
        out[self.m.chat[which]] = values[which]
        return out

    def most(self, values: npt.NDArray[np.generic], which: Places) -> Block:
        return over_chats(np.maximum, values[which].astype(np.float32), self.m.chat[which], self.m.chats)

    def mean(self, values: npt.NDArray[np.generic], which: Places) -> Block:
        total = over_chats(np.add, values[which].astype(np.float32), self.m.chat[which], self.m.chats)
        return total / np.maximum(self.count(which), 1)

    def last_place(self, which: Places) -> Block:
        """The place of each chat's last one of some rows, counted from 1; 0 where it has none."""
        return self.most(np.arange(1, len(self.m.chat) + 1), which)

    def last_two(self, which: Places) -> Places:
        return which[from_end(self.m.chat[which]) < 2]

    def kind(self, name: str) -> Block:
        """How far each row is an agent's message of a kind."""
        return self.m.kinds[:, KINDS.index(name)]


def whole(m: Messages, hesitation: Sequence[int]) -> Block:
    """Chat × `WHOLE`. `hesitation`: the reasons, by number, after which an agent should have come back."""
    chats = _Chats(m, np.flatnonzero(m.customer), np.flatnonzero(m.agent), np.flatnonzero(m.robot))
    hesitates = chats.most(m.strengths[:, list(hesitation)].max(axis=1, initial=0), chats.last_two(chats.mine))
    columns = _turns(chats) | _ends(chats, hesitates) | _manner(chats) | _said(chats) | _after_last(chats, hesitates)
    return np.stack([columns[name].astype(np.float32) for name in WHOLE], axis=1)


def _turns(c: _Chats) -> Columns:
    """Who took part, and what was said of orders."""
    agents, robots, asked = c.count(c.clerk), c.count(c.bots), c.count(c.mine)
    return {
        "one": np.ones(c.m.chats, dtype=np.float32),
        "no_agent": agents == 0,
        "robot": robots > 0,
        "only_robot": (robots > 0) & (agents == 0),
        "customer_messages": asked / 10,
        "agent_messages": agents / 10,
    }


def _ends(c: _Chats, hesitates: Block) -> Columns:
    """How each chat ended: who spoke last and how, and who still waited."""
    m, rows = c.m, np.arange(len(c.m.chat))
    last_clerk = c.last_place(c.clerk)
    after = (last_clerk > c.last_place(c.mine)) & (last_clerk > 0) & (c.count(c.mine) > 0)
    waiting = c.count(c.mine[rows[c.mine] + 1 > last_clerk[m.chat[c.mine]]])
    unanswered, length, asks = tail(m, last_clerk), c.of_last(m.length, c.clerk), c.of_last(m.asks, c.mine)
    return {
        "customer_last": c.of_last(m.customer, rows[from_end(m.chat) == 0]),
        "waiting": np.minimum(waiting, 4) / 4,
        "waiting_twice": waiting >= 2,
        "agent_last": after,
        "last_short": after & (length <= _SHORT),
        "last_full": after & (length >= _FULL),
        "last_long": after & (length >= _LONG),
        **{f"last_{name}": after * c.of_last(c.kind(name), c.clerk) for name in KINDS},
        "tail_2min": unanswered >= 120,
        "tail_10min": unanswered >= 600,
        "last_asks": asks,
        "customer_short": (c.count(c.mine) > 0) & (c.of_last(m.length, c.mine) <= _SHORT),
        "hesitates": hesitates,
        "answered_last": after & (hesitates < 0.2) & (length >= _TOLD),
        "asked_and_answered": after & (asks > 0) & (length >= _TOLD),
    }


def _manner(c: _Chats) -> Columns:
    """How agents answered, and how fast."""
    m, waits = c.m, waits_of(c.m)
    longest, short = c.most(waits, c.clerk), c.mean(m.length <= _SHORT, c.clerk)
    return {
        **{name: c.most(c.kind(name), c.clerk) for name in _MANNERS},
        **{f"{name}_mean": c.mean(c.kind(name), c.clerk) for name in _MANNERS},
        "short_mean": short,
        "short": short * c.count(c.clerk) / 4,
        "full_mean": c.mean(m.length >= _FULL, c.clerk),
        "waited_2min": longest >= 120,
        "waited_4min": longest >= 240,
        "waited_8min": longest >= 480,
        "waits_2min": c.count(c.clerk[waits[c.clerk] >= 120]) / 3,
    }


def _said(c: _Chats) -> Columns:
    """What customers said of orders, and the reason that is said best."""
    m, late = c.m, c.last_two(c.mine)
    said = m.strengths.max(axis=1, initial=0)
    open_ = said * unsettled(m)
    return {
        "ordered": c.most(m.ordered, c.mine),
        "ordered_last": c.most(m.ordered, late),
        "best_open": c.most(open_, c.mine),
        "best_open_late": c.most(open_, late),
        "best_said_last": c.of_last(said, c.mine),
    }


def _after_last(c: _Chats, hesitates: Block) -> Columns:
    """What answered the customer's last message, how late, and whether an agent came back."""
    m, rows = c.m, np.arange(len(c.m.chat))
    last_mine = c.last_place(c.mine)
    follow = c.clerk[rows[c.clerk] + 1 > last_mine[m.chat[c.clerk]]]
    reply = follow[np.diff(m.chat[follow], prepend=-1) > 0]
    told = c.of_last(m.length, reply) * (c.count(c.mine) > 0)
    no = c.of_last(m.refusals.max(axis=1, initial=0), reply)
    after_pause = follow[pause(m)[follow] >= COMES_BACK_S]
    back = c.most(np.ones(len(rows)), after_pause)
    return {
        "reply_short": (told > 0) & (told <= _SHORT),
        "reply_full": told >= _FULL,
        "reply_long": told >= _LONG,
        **{f"reply_{name}": c.of_last(c.kind(name), reply) for name in KINDS},
        "reply_no": no,
        "asked_and_told": (told >= _TOLD) * c.of_last(m.asks, c.mine) * (1 - no),
        "came_back": back,
        "came_back_full": c.most(m.length >= _FULL, after_pause),
        "hesitates_unfollowed": hesitates * (1 - back),
        "hesitates_followed": hesitates * back,
        **_last_waits(c, last_mine),
    }


def _last_waits(c: _Chats, last_mine: Block) -> Columns:
    """How long the last answers took: those that the customer wrote after (late), and those that came too late (left)."""
    waits = waits_of(c.m)
    answers = c.clerk[waits[c.clerk] > 0]
    answers = answers[from_end(c.m.chat[answers]) < _LATE_ANSWERS]
    heard = answers + 1 < last_mine[c.m.chat[answers]]
    return {
        **{f"late_{n}min": c.most(waits >= 60 * n, answers[heard]) for n in (2, 4, 8)},
        **{f"left_{n}min": c.most(waits >= 60 * n, answers[~heard]) for n in (2, 8)},
    }
