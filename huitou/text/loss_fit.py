"""Fits the weights of `huitou.text.loss` to the example chats, and measures them on those that were left out.

``python -m benchmarks.inquiries fit`` writes them; nothing of a shop's own chats goes in.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import minimize
from scipy.special import logsumexp

from huitou.rules.taxonomy import Words
from huitou.text.loss import NOTHING, Weights
from huitou.text.loss_examples import Example, Speakers, learn_speakers
from huitou.text.loss_features import BESIDE, WHOLE, Block, messages_of
from huitou.text.tagger import Tagger

FOLDS = 8
COMMON, OWN = 0.1, 0.3  # what squared weights cost: those of all reasons, those of one


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


def held_out(chats: Sequence[Example], words: Words) -> tuple[Block, Block]:
    """The features of every chat, as models see them that learnt nothing from it."""
    codes = list(words.taxonomies["loss"].leaves)
    tagger = Tagger(words, ("loss",))
    fold = np.random.default_rng(7).permutation(len(chats)) % FOLDS
    beside = np.zeros((len(chats), len(codes), len(BESIDE)), dtype=np.float32)
    whole = np.zeros((len(chats), len(WHOLE)), dtype=np.float32)
    for n in range(FOLDS):
        out = np.flatnonzero(fold == n)
        models = learn_speakers(chat for chat, of in zip(chats, fold, strict=True) if of != n)
        some = [chat for chat, of in zip(chats, fold, strict=True) if of == n]
        beside[out], whole[out] = features(some, tagger, codes, models)
    return beside, whole


def features(chats: Sequence[Example], tagger: Tagger, codes: Sequence[str], models: Speakers) -> tuple[Block, Block]:
    """The features of some chats."""
    messages, _ = frames(chats)
    return messages_of(messages, tagger.tag(messages["text"]), codes, models).features(codes)


def fit(beside: Block, whole: Block, answers: Sequence[str | None], codes: Sequence[str]) -> Weights:
    """The weights under which the answers are likeliest."""
    n, size, common = len(answers), len(codes) + 1, len(BESIDE)
    wide = np.concatenate([beside, np.zeros((n, 1, common), dtype=np.float32)], axis=1).astype(np.float64)
    chat = whole.astype(np.float64)
    right = np.zeros((n, size))
    right[np.arange(n), [len(codes) if answer is None else codes.index(answer) for answer in answers]] = 1

    def cost(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        shared, own = weights[:common], weights[common:].reshape(size, -1)
        scores = wide @ shared + chat @ own.T
        total = logsumexp(scores, axis=1)
        off = np.exp(scores - total[:, None]) - right
        slope = np.concatenate([np.einsum("nk,nkf->f", off, wide) + 2 * COMMON * shared, (off.T @ chat + 2 * OWN * own).ravel()])
        return float((total - (scores * right).sum(axis=1)).sum() + COMMON * shared @ shared + OWN * (own * own).sum()), slope

    start = np.zeros(common + size * len(WHOLE))
    best = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": 600}).x
    own = best[common:].reshape(size, -1)
    return Weights(best[:common], dict(zip([*codes, NOTHING], own, strict=True)))


def as_json(weights: Weights) -> dict[str, dict[str, object]]:
    """Weights as they are kept, to three digits."""
    beside: dict[str, object] = {name: round(float(w), 3) for name, w in zip(BESIDE, weights.beside, strict=True)}
    whole: dict[str, object] = {
        code: {name: round(float(w), 3) for name, w in zip(WHOLE, row, strict=True)} for code, row in weights.whole.items()
    }
    return {"beside": beside, "whole": whole}
