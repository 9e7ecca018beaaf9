"""How long customers of some chats waited, how long nothing was said, and whether an agent came back."""

import numpy as np
import numpy.typing as npt

from huitou.text.loss_messages import Block, Flags, Messages, agent_before, late_words

COMES_BACK_S = 900  # without a message, before an agent counts as having come back
_SUBSTANCE = 8  # characters without fillers


def waits_of(m: Messages) -> npt.NDArray[np.float64]:
    """Of an agent's message that answers: seconds since the first unanswered message of the customer; 0 elsewhere, or unknown."""
    rows = np.arange(len(m.chat))
    before = agent_before(m)
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


def pause(m: Messages) -> npt.NDArray[np.float64]:
    """Seconds between each message and the one before it in its chat; 0 where unknown."""
    out = np.zeros(len(m.chat))
    same = m.chat[1:] == m.chat[:-1]
    out[1:][same] = np.nan_to_num(np.diff(m.seconds)[same])
    return out


def tail(m: Messages, last_clerk: Block) -> npt.NDArray[np.float64]:
    """Seconds between the first and the last of a customer's messages that no agent answered; 0 where unknown."""
    open_ = np.flatnonzero(m.customer & (np.arange(len(m.chat)) + 1 > last_clerk[m.chat]))
    out = np.zeros(m.chats)
    if len(open_):
        chat, first = np.unique(m.chat[open_], return_index=True)
        last = np.append(first[1:], len(open_)) - 1
        out[chat] = np.nan_to_num(m.seconds[open_[last]] - m.seconds[open_[first]])
    return out


def came_back(m: Messages) -> Flags:
    """Whether an agent wrote of substance after a long pause, once the customer had begun the last two messages."""
    rows = np.arange(len(m.chat))
    back = m.agent & (pause(m) >= COMES_BACK_S) & (m.length >= _SUBSTANCE)
    late = late_words(m)
    first = np.full(m.chats, len(rows))
    np.minimum.at(first, m.chat[late], late)
    out = np.zeros(m.chats, dtype=bool)
    out[m.chat[back & (rows > first[m.chat])]] = True
    return out
