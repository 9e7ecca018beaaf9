"""Why each chat of a batch was lost: the reasons, and the messages that show them.

Comes in: messages, their tags, outcomes. Goes out: one row a chat. A logistic model weighs what `huitou.text.loss_features` sees,
with weights fitted to the example chats (`huitou.text.loss_fit`); a reason that a shop adds is weighed by its cues.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from scipy.special import expit, softmax

from huitou.rules.taxonomy import Words
from huitou.text.loss_examples import speakers
from huitou.text.loss_features import BESIDE, features
from huitou.text.loss_messages import Block, Flags, Messages, from_end, late_words, messages_of, over_chats
from huitou.text.loss_times import came_back, waits_of
from huitou.text.loss_whole import WHOLE
from huitou.text.normal import Places
from huitou.text.tagger import THREADS

WEIGHTS = Path(__file__).parent.parent / "rules" / "examples" / "loss_weights.json"
SOLD = ("ordered", "paid", "bought", "deal", "won")
LOST = "lost"
NOTHING = "none"
SECOND, NEGLECT = 0.2, 0.12  # probability from which a further reason is told, and one of `_NEGLECTS`
OWN_CHANCE = 2.0  # of a shop's own leaf that is said outright, before all chances are brought to one
CHATS = 2_000  # read at once
_FROM_AGENTS = ("service.attitude", "service.off_point", "service.no_guidance", "service.robot_stuck")
_UNKNOWN = "unknown."
_SILENT, _SLOW, _UNANSWERED = "unknown.silent", "service.slow", "service.unanswered"
_LOOKING, _UNFOLLOWED, _STUCK = "customer.looking", "service.no_follow_up", "service.robot_stuck"
_NEGLECTS = (_SLOW, _UNFOLLOWED)
_LAST_ANSWERS = 2
_SLOW_S, _NIGHT_S = 120, 7_200
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "chat": pl.Int64,
    "primary": pl.String,
    "secondary": pl.List(pl.String),
    "evidence": pl.List(pl.Int64),
    "certainty": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each column counts. `beside`: for every reason alike; `whole`: code → for that reason (`NOTHING`: ordered)."""

    beside: npt.NDArray[np.float64]
    whole: dict[str, npt.NDArray[np.float64]]

    def scores(self, beside: Block, whole: Block, codes: Sequence[str]) -> Block:
        """The sum for each code, in log-odds."""
        none = np.zeros(len(WHOLE))
        out: Block = whole @ np.stack([self.whole.get(code, none) for code in codes]).T
        for n, weight in enumerate(self.beside):
            out += beside[..., n] * weight
        return out

    def chances(self, beside: Block, whole: Block, codes: Sequence[str]) -> Block:
        """Probability of each reason and, in the last column, that nothing was lost."""
        nothing = whole @ self.whole.get(NOTHING, np.zeros(len(WHOLE)))
        out: Block = softmax(np.column_stack([self.scores(beside, whole, codes), nothing]), axis=1)
        return out


@dataclass(frozen=True, slots=True)
class Fitted:
    """The weights of primary and of further reasons."""

    primary: Weights
    further: Weights


@cache
def fitted() -> Fitted:
    """The weights fitted to the example chats."""
    raw = json.loads(WEIGHTS.read_text("utf-8"))
    return Fitted(_weights(raw["primary"]), _weights(raw["further"]))


def _weights(raw: dict[str, Any]) -> Weights:
    beside = np.array([raw["beside"].get(name, 0.0) for name in BESIDE])
    whole = {code: np.array([row.get(name, 0.0) for name in WHOLE]) for code, row in raw["whole"].items()}
    return Weights(beside, whole)


class LossReader:
    """Decides the reasons of chats."""

    def __init__(self, words: Words) -> None:
        self._codes = list(words.taxonomies["loss"].leaves)

    def read(self, messages: pl.DataFrame, tags: pl.DataFrame, outcomes: pl.DataFrame | None = None) -> pl.DataFrame:
        """One row a chat as in `SCHEMA`; `primary` null: nothing was lost.

        `messages`: chat, i, at, role, text, ordered by chat and i; `tags` of their texts, ordered by ``row``; `outcomes`: chat,
        outcome. Chats of `outcomes` without a message are told as well.
        """
        chats = messages.select(pl.col("chat").unique().sort())
        if outcomes is None:
            outcomes = pl.DataFrame(schema={"chat": pl.Int64, "outcome": pl.String})
        outcome = chats.join(outcomes.unique("chat", keep="first"), on="chat", how="left")["outcome"]
        place = messages["chat"].rle_id().cast(pl.Int64).to_numpy() if messages.height else np.zeros(0, dtype=np.int64)
        tagged = tags["row"].to_numpy()

        def decided(at: int) -> pl.DataFrame:
            rows = slice(*np.searchsorted(place, (at, at + CHATS)).tolist())
            some = tags[slice(*np.searchsorted(tagged, (rows.start, rows.stop)).tolist())]
            return self._decide(messages[rows], some.with_columns(pl.col("row") - rows.start), outcome[at : at + CHATS])

        with ThreadPoolExecutor(THREADS) as pool:
            parts = [pl.DataFrame(schema=SCHEMA), *pool.map(decided, range(0, chats.height, CHATS))]
        empty = outcomes.join(chats, on="chat", how="anti").unique("chat").select("chat", primary=_said(pl.col("outcome")))
        return (
            pl.concat([*parts, empty], how="diagonal")
            .select(pl.col(n).cast(t) for n, t in SCHEMA.items())
            .with_columns(pl.col("secondary", "evidence").fill_null([]))
        )

    def _decide(self, messages: pl.DataFrame, tags: pl.DataFrame, outcome: pl.Series) -> pl.DataFrame:
        shown = messages_of(messages, tags, self._codes, speakers())
        seen = features(shown, self._codes)
        chances = fitted().primary.chances(*seen, self._codes)
        further = _waited(expit(fitted().further.scores(*seen, self._codes)), shown, self._codes)
        self._favour_own(chances, shown, messages, tags)
        _by_course(chances, shown, self._codes)
        sold = outcome.is_in(SOLD).fill_null(value=False).to_numpy()
        lost = (outcome == LOST).fill_null(value=False).to_numpy()
        chances[lost, -1] = 0
        chances[sold, :-1] = 0
        chances /= np.maximum(chances.sum(axis=1, keepdims=True), 1e-9)
        first = chances.argmax(axis=1)
        proof = np.flatnonzero(_evidence(shown, first, self._codes))
        borders = np.searchsorted(shown.chat, np.arange(shown.chats + 1))
        chat, code = _further(chances, further, self._codes)
        return pl.DataFrame(
            {
                "chat": messages["chat"].gather(borders[:-1]),
                "primary": pl.Series([*self._codes, None], dtype=pl.String).gather(first),
                "secondary": _lists(chat, pl.Series(self._codes, dtype=pl.String).gather(code), shown.chats),
                "evidence": _lists(shown.chat[proof], messages["i"].gather(proof), shown.chats),
                "certainty": chances[np.arange(len(first)), first],
            },
            schema=SCHEMA,
        )

    def _favour_own(self, chances: Block, shown: Messages, messages: pl.DataFrame, tags: pl.DataFrame) -> None:
        """A leaf of the shop's own that a customer says outright outweighs what was learnt of the built-in ones."""
        own = {code: n for n, code in enumerate(self._codes) if code not in fitted().primary.whole}
        mine = (pl.col("taxonomy") == "loss") & pl.col("code").is_in(list(own)) & (pl.col("strength") >= 2)
        said = tags.filter(mine, ~pl.col("negated"))
        said = said.filter(messages["role"].gather(said["row"]) == "customer")
        for row, code in said.select("row", "code").iter_rows():
            chances[shown.chat[row], own[code]] = max(chances[shown.chat[row], own[code]], OWN_CHANCE)


def _by_course(chances: Block, shown: Messages, codes: Sequence[str]) -> None:
    """What the course of a chat rules out: nobody is unfollowed to whom a person came back, nor stuck with a robot where a person
    answered; between looking and unfollowed the last words decide."""
    if not {_LOOKING, _UNFOLLOWED, _STUCK} <= set(codes):
        return
    looking, unfollowed, stuck = (codes.index(code) for code in (_LOOKING, _UNFOLLOWED, _STUCK))
    late = late_words(shown)
    back, last = came_back(shown), over_chats(np.maximum, shown.strengths[late], shown.chat[late], shown.chats)
    pair = chances[:, [looking, unfollowed]]
    put_off = np.isin(chances.argmax(axis=1), (looking, unfollowed))
    looks = back | (put_off & (last[:, looking] > last[:, unfollowed]))
    moved = back | put_off
    chances[moved, looking] = np.where(looks, pair.max(axis=1), pair.min(axis=1))[moved]
    chances[moved, unfollowed] = np.where(back, 0, np.where(looks, pair.min(axis=1), pair.max(axis=1)))[moved]
    answered, called = np.zeros(shown.chats, dtype=bool), np.zeros(shown.chats)
    answered[shown.chat[shown.agent]] = True
    np.maximum.at(called, shown.chat, shown.cues[:, stuck])
    chances[answered & (called < 1), stuck] = 0


def _said(outcome: pl.Expr) -> pl.Expr:
    """The reason of a chat in which nothing is written."""
    return pl.when(outcome == LOST).then(pl.lit(_SILENT))


def _waited(further: Block, shown: Messages, codes: Sequence[str]) -> Block:
    """Whoever waited long for one of the last two answers, though not a night, left because of that as well, if nothing else."""
    if _SLOW in codes:
        rows, waits = np.flatnonzero(shown.agent), waits_of(shown)[shown.agent]
        late = from_end(shown.chat[rows]) < _LAST_ANSWERS
        chats = shown.chat[rows[late & (waits >= _SLOW_S) & (waits < _NIGHT_S)]]
        further[chats, codes.index(_SLOW)] = np.maximum(further[chats, codes.index(_SLOW)], NEGLECT)
    return further


def further_reasons(chances: Block, further: Block, codes: Sequence[str]) -> list[list[str]]:
    """The further reason of each chat, if any: the likeliest one. Both in probabilities.

    That no reason is known is none beside one that is.
    """
    chat, code = _further(chances, further, codes)
    out: list[list[str]] = [[] for _ in range(len(chances))]
    for n, which in zip(chat.tolist(), code.tolist(), strict=True):
        out[n].append(codes[which])
    return out


def _further(chances: Block, further: Block, codes: Sequence[str]) -> tuple[Places, Places]:
    """`further_reasons` as numbers: chat and code, chat by chat."""
    rows, first = np.arange(len(chances)), chances.argmax(axis=1)
    lost = first < further.shape[1]
    borders = np.array([NEGLECT if code in _NEGLECTS else SECOND for code in codes])
    rest = np.where(further >= borders, further, 0)
    rest[:, [n for n, code in enumerate(codes) if code.startswith(_UNKNOWN)]] = 0
    rest[rows[lost], first[lost]] = 0
    rest[~lost] = 0
    chat = np.flatnonzero(rest.max(axis=1, initial=0) > 0)
    return chat, rest[chat].argmax(axis=1)


def _lists(row: Places, values: pl.Series, rows: int) -> pl.Series:
    """For each of some rows the list of its values; `row` ascends."""
    borders = pa.array(np.searchsorted(row, np.arange(rows + 1)), pa.int64())
    lists = pl.from_arrow(pa.LargeListArray.from_arrays(borders, values.to_arrow()))
    assert isinstance(lists, pl.Series)
    return lists


def _evidence(shown: Messages, first: npt.NDArray[np.int64], codes: Sequence[str]) -> Flags:
    """Which messages show the primary reason of their chat."""
    names = np.array([*codes, NOTHING], dtype=object)[first]
    lost, of = first < len(codes), np.minimum(first, len(codes) - 1)[shown.chat]
    rows = np.arange(len(shown.chat))
    lent = (
        shown.strengths[rows, of]
        + 0.3 * shown.cues[rows, of]
        + 0.1 * shown.cues_asked[rows, of]
        + 0.1 * shown.questions[rows, of]
    )
    lent = np.where(shown.customer, lent, 0)
    best = np.zeros(shown.chats)
    np.maximum.at(best, shown.chat, lent)
    size = np.bincount(shown.chat, minlength=shown.chats)
    borders = np.concatenate(([0], np.cumsum(size)))
    from_end = borders[shown.chat + 1] - 1 - rows
    mine = np.flatnonzero(shown.customer)
    last_mine = np.full(shown.chats, -1)
    last_mine[shown.chat[mine]] = mine
    closing = shown.customer & (last_mine[shown.chat] == rows)
    out: Flags = (shown.customer & (lent > 0) & (lent >= np.maximum(0.5 * best[shown.chat], 0.1))) | (closing & (lent >= 0.03))
    out |= closing & (best[shown.chat] < 0.1)
    code = names[shown.chat]
    at_fault = np.isin(code, _FROM_AGENTS)
    opening = rows == borders[shown.chat]
    out |= at_fault & ~opening
    later = last_mine[shown.chat] >= 0
    clerk = np.flatnonzero(shown.agent)
    last_clerk = np.full(shown.chats, -1)
    last_clerk[shown.chat[clerk]] = clerk
    out |= (code == _UNANSWERED) & shown.customer & (rows > last_clerk[shown.chat]) & later
    silent = code == _SILENT
    answer = np.full(shown.chats, -1)
    follows = clerk[clerk > last_mine[shown.chat[clerk]]][::-1]
    answer[shown.chat[follows]] = follows
    out = np.where(silent, rows == answer[shown.chat], out)
    out |= silent & (answer[shown.chat] < 0) & (from_end == 0)
    out |= (code == _SLOW) & shown.agent & (waits_of(shown) >= _SLOW_S)
    return out & lost[shown.chat]
