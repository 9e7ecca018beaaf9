"""Fits the weights of `huitou.text.loss` to the example chats, and measures them on those that were left out.

``python -m benchmarks.inquiries fit`` writes them; nothing of a shop's own chats goes in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from huitou.rules.taxonomy import Words
from huitou.text.loss import NOTHING, Weights
from huitou.text.loss_examples import Example, Speakers, learn_speakers
from huitou.text.loss_features import BESIDE, features
from huitou.text.loss_longer import rehearsed
from huitou.text.loss_messages import Block, messages_of
from huitou.text.loss_whole import WHOLE
from huitou.text.tagger import Tagger

FOLDS = 8
COMMON, OWN = 0.1, 1.0  # what squared weights cost: those of all reasons, those of one

FURTHER = (1.0, 1.0)  # the same for further reasons
SMALLEST = 0.002


def frames(chats: Sequence[Example]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Example chats as messages and outcomes, numbered from 0."""
    rows = [
        (n, i, chat.seconds[i] * 1_000_000, chat.roles[i], text)
        for n, chat in enumerate(chats)
        for i, text in enumerate(chat.texts)
    ]
    names = ("chat", "i", "at", "role", "text")
    messages = pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col("at").cast(pl.Datetime("us")))
    outcomes = [(n, "lost" if chat.primary else "ordered") for n, chat in enumerate(chats)]
    return messages, pl.DataFrame(outcomes, schema=("chat", "outcome"), orient="row")


@dataclass(frozen=True, slots=True)
class Seen:
    """Chats of which the reasons are known, as numbers, and of each the part that it is measured with."""

    chats: list[Example]
    beside: Block
    whole: Block
    fold: npt.NDArray[np.int64]

    def part(self, which: npt.NDArray[np.bool_]) -> "Seen":
        """Some of the chats."""
        some = [chat for chat, taken in zip(self.chats, which, strict=True) if taken]
        return Seen(some, self.beside[which], self.whole[which], self.fold[which])


def held_out(examples: Sequence[Example], words: Words) -> Seen:
    """Every chat, alone and with small talk around it, as models see it that learnt nothing from it."""
    codes = list(words.taxonomies["loss"].leaves)
    tagger = Tagger(words, ("loss",))
    chats, of_chat = rehearsed(examples)
    fold = (np.random.default_rng(7).permutation(len(examples)) % FOLDS)[of_chat]
    beside = np.zeros((len(chats), len(codes), len(BESIDE)), dtype=np.float32)
    whole = np.zeros((len(chats), len(WHOLE)), dtype=np.float32)
    for n in range(FOLDS):
        out = np.flatnonzero(fold == n)
        learnt = (chat for chat, of in zip(examples, fold, strict=False) if of != n)
        models = learn_speakers(learnt, talk=False)  # what small talk says must not look easier than it is
        some = [chat for chat, of in zip(chats, fold, strict=True) if of == n]
        beside[out], whole[out] = features_of(some, tagger, codes, models)
    return Seen(chats, beside, whole, fold)


def features_of(chats: Sequence[Example], tagger: Tagger, codes: Sequence[str], models: Speakers) -> tuple[Block, Block]:
    """The features of some chats."""
    messages, _ = frames(chats)
    return features(messages_of(messages, tagger.tag(messages["text"]), codes, models), codes)


def fit(seen: Seen, codes: Sequence[str]) -> Weights:
    """The weights under which the primary reasons are likeliest."""
    answers = [chat.primary for chat in seen.chats]
    n, size, common = len(answers), len(codes) + 1, len(BESIDE)
    wide = np.concatenate([seen.beside, np.zeros((n, 1, common), dtype=np.float32)], axis=1).astype(np.float64)
    right = np.zeros((n, size))
    right[np.arange(n), [len(codes) if answer is None else codes.index(answer) for answer in answers]] = 1

    def chances(scores: Block) -> tuple[float, Block]:
        total = logsumexp(scores, axis=1)
        return float((total - (scores * right).sum(axis=1)).sum()), np.exp(scores - total[:, None]) - right

    return _least(wide, seen.whole.astype(np.float64), chances, [*codes, NOTHING], cost=(COMMON, OWN))


def fit_further(seen: Seen, codes: Sequence[str]) -> Weights:
    """The weights under which the further reasons of lost chats are likeliest, each for itself."""
    lost = seen.part(np.array([chat.primary is not None for chat in seen.chats]))
    right = np.array([[code in chat.secondary for code in codes] for chat in lost.chats], dtype=float)
    asked = np.array([[code != chat.primary for code in codes] for chat in lost.chats], dtype=float)

    def chances(scores: Block) -> tuple[float, Block]:
        off = (expit(scores) - right) * asked
        return float(((np.logaddexp(0, scores) - right * scores) * asked).sum()), off

    return _least(lost.beside.astype(np.float64), lost.whole.astype(np.float64), chances, codes, cost=FURTHER)


def _least(
    beside: Block, whole: Block, wrong: Callable[[Block], tuple[float, Block]], names: Sequence[str], *, cost: tuple[float, float]
) -> Weights:
    """The weights with the least error and squares. `wrong`: the error of scores, and its slope."""
    common, size = beside.shape[2], len(names)

    def total(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        shared, own = weights[:common], weights[common:].reshape(size, -1)
        error, off = wrong(beside @ shared + whole @ own.T)
        slope = np.concatenate([np.tensordot(off, beside, 2) + 2 * cost[0] * shared, (off.T @ whole + 2 * cost[1] * own).ravel()])
        return error + cost[0] * float(shared @ shared) + cost[1] * float((own * own).sum()), slope

    start = np.zeros(common + size * whole.shape[1])
    best = minimize(total, start, jac=True, method="L-BFGS-B", options={"maxiter": 600}).x
    return Weights(best[:common], dict(zip(names, best[common:].reshape(size, -1), strict=True)))


def as_json(weights: Weights) -> dict[str, object]:
    """Weights as they are kept, to three digits."""
    beside = {name: round(float(w), 3) for name, w in zip(BESIDE, weights.beside, strict=True)}
    whole = {
        code: {name: round(float(w), 3) for name, w in zip(WHOLE, row, strict=True) if abs(w) >= SMALLEST}
        for code, row in weights.whole.items()
    }
    return {"beside": beside, "whole": whole}
