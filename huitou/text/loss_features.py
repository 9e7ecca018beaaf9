"""What the messages of chats show, as numbers: of each chat beside each reason, and of the chat as a whole.

Comes in: `Messages`. Goes out: two blocks of numbers, with columns `BESIDE` and `WHOLE`, from which
`huitou.text.loss` decides.
"""

from collections.abc import Sequence

import numpy as np

from huitou.text.loss_messages import Block, Flags, Messages, agent_before, clerk_after, from_end, over_chats, unsettled
from huitou.text.loss_whole import whole
from huitou.text.normal import Places

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
_FADE = 0.75  # a message's weight beside that of the customer's next one
_FADE_SOON = 0.4
_LATE = 3
_HESITATION = ("service.no_follow_up", "customer.looking", "customer.later", "price.wait_for_sale")


def features(m: Messages, codes: Sequence[str]) -> tuple[Block, Block]:
    """Chat × code × `BESIDE` and chat × `WHOLE`."""
    return _beside(m), whole(m, [codes.index(code) for code in _HESITATION if code in codes])


def _beside(m: Messages) -> Block:
    mine = np.flatnonzero(m.customer)
    chat, place = m.chat[mine], from_end(m.chat[mine])
    weight = (_FADE**place).astype(np.float32)[:, None]
    before, follow = agent_before(m)[mine], clerk_after(m)[mine]
    refused = np.where(before[:, None] >= 0, m.refusals[before], np.float32(0))
    refused_after = np.where(follow[:, None] >= 0, m.refusals[follow], np.float32(0))
    left = unsettled(m)[mine][:, None]
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


def _each(reduce: np.ufunc, blocks: dict[str, Block], chat: Places, chats: int) -> dict[str, Block]:
    """`over_chats` of several blocks at once: it costs as much as one."""
    both = over_chats(reduce, np.concatenate(list(blocks.values()), axis=1), chat, chats)
    return dict(zip(blocks, np.split(both, len(blocks), axis=1), strict=True))
