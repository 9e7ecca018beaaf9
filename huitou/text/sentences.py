"""Learns from sentences written for the purpose which codes a short text shows, where no cue word stands in it.

Comes in: ``rules/examples/NAME*.toml`` (code → one pattern a line, alternatives and sets as in cues) and normalised texts.
Goes out: for each text the probability of each code. Logistic regressions on character n-grams, fitted by
``python -m benchmarks.inquiries fit`` and kept in ``sentences.npz``.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_matrix

from huitou.text.compiled import compiled
from huitou.text.hashes import distinct_stretches
from huitou.text.matcher import Rows, filled
from huitou.text.normal import DIGIT, WORD, Codes, Kinds, Normal, Places, normalise

EXAMPLES = Path(__file__).parent.parent / "rules" / "examples"
KEPT = EXAMPLES / "sentences.npz"
NAMES = ("agents", "customers", "intents")
FORMS = 6  # of one pattern that are learnt
LONGEST = 3  # characters of an n-gram
COST = 100.0  # of an error, beside the squared weights
_GOLDEN = 0.618033988749895  # its multiples spread evenly over the forms of a pattern
_SET, _CHOICE = re.compile(r"<(\w+)>"), re.compile(r"\(([^()]*)\)")
_BITS = 18
LEAST = 0.02  # a probability below is as good as none
_BORDER = 1  # stands before and behind a text
_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))

Scores = npt.NDArray[np.float32]
Columns = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Stretches:
    """The clauses of texts: where each begins among the characters (and the end), and which is the first of each text."""

    first: Places
    begin: Places

    @staticmethod
    def of(normal: Normal, clause: Places) -> "Stretches":
        """Every text has one at least, none begins with a sign; `clause`: the number of each character's clause."""
        first, begin = (
            np.empty(len(normal.first) + len(normal.codes), dtype=np.int64),
            np.empty(len(normal.first) - 1, dtype=np.int64),
        )
        return Stretches(first[: _stretches(normal.first, normal.kinds, clause, first, begin)], begin)


@compiled
def _stretches(texts: Places, kinds: Kinds, clause: Places, first: Places, begin: Places) -> int:
    """Writes the fields of `Stretches`; how many places `first` has. `texts`: where each text begins."""
    count = 0
    for row in range(len(begin)):
        begin[row], first[count] = count, texts[row]
        count += 1
        for at in range(texts[row] + 1, texts[row + 1]):
            if clause[at] != clause[at - 1] and kinds[at] & WORD:
                first[count] = at
                count += 1
    first[count] = len(kinds)
    return count + 1


@dataclass(frozen=True, slots=True)
class Sentences:
    """A fitted model. `codes` are the columns of its scores."""

    codes: tuple[str, ...]
    _column: Columns  # of every hashed n-gram; 0: never seen
    _weights: Scores  # column × code; the last row is the bias

    def scores(self, normal: Normal, first: Places | None = None) -> Scores:
        """Probability of each code (0–1) for each text, or for the stretches of `normal.codes` that begin at `first`."""
        scores, number = self.distinct(normal, normal.first if first is None else first)
        return scores.take(number, axis=0)

    def distinct(self, normal: Normal, first: Places) -> tuple[Scores, Places]:
        """The same for those of the stretches that differ, and for each stretch the number of its equal among them."""
        codes = _digits_alike(normal)
        own, number = distinct_stretches(codes, first)  # shops' chats repeat themselves
        return self._scores(codes, first.take(own), first.take(own + 1)), number

    def clearest(self, normal: Normal, stretches: Stretches) -> Scores:
        """For each text and code the highest probability of its stretches, 0 where below `LEAST`."""
        each = self.scores(normal, stretches.first)
        highest: Scores = np.maximum.reduceat(each, stretches.begin, axis=0) if len(stretches.begin) else each
        return np.where(highest > LEAST, highest, np.float32(0))

    def _scores(self, codes: Codes, start: Places, end: Places) -> Scores:
        """Of some stretches of characters."""
        sums = np.zeros((len(start), len(self.codes)), dtype=np.float32)
        _add_weights(codes, start, end, (self._column, self._weights), sums)
        count = sum(np.maximum(end - start + 2 - n, 0) for n in range(LONGEST))
        sums *= (1 / np.sqrt(np.maximum(count, 1))).astype(np.float32)[:, None]
        out: Scores = 1 / (1 + np.exp(np.clip(-sums - self._weights[-1], -80, 80)))  # one word ten thousand times is sure enough
        return out

    def packed(self) -> dict[str, npt.NDArray[Any]]:
        """The model as small arrays: each weight in one byte, in 127ths of its code's largest."""
        grams = np.flatnonzero(self._column)
        scale = np.maximum(np.abs(self._weights[:-1]).max(axis=0, initial=0), 1e-9) / 127
        rows = np.rint(self._weights[:-1][self._column[grams]] / scale).astype(np.int8)
        return {"codes": np.array(self.codes), "grams": grams, "scale": scale, "weights": rows, "bias": self._weights[-1]}

    @staticmethod
    def unpacked(kept: Mapping[str, npt.NDArray[Any]]) -> "Sentences":
        """The model that `packed` gave."""
        column = np.zeros(1 << _BITS, dtype=np.int32)
        column[kept["grams"]] = np.arange(1, len(kept["grams"]) + 1)
        first = np.zeros((1, len(kept["codes"])), dtype=np.float32)
        weights: Scores = np.concatenate([first, kept["weights"] * kept["scale"], kept["bias"][None]]).astype(np.float32)
        return Sentences(tuple(kept["codes"].tolist()), column, weights)

    @staticmethod
    def learn(examples: Sequence[tuple[str, frozenset[str]]], cost: float = COST) -> "Sentences":
        """Fits sentences and the codes that each shows; a sentence without codes shows none of them. `cost` as in `COST`."""
        codes = tuple(sorted({code for _, shown in examples for code in shown}))
        normal = normalise(pl.Series([text for text, _ in examples], dtype=pl.String))
        shows = np.array([[code in shown for code in codes] for _, shown in examples], dtype=np.bool_)
        row, grams, _ = filled(lambda out: _list_grams(_digits_alike(normal), normal.first, out), LONGEST * len(normal.codes))
        count = np.bincount(row, minlength=len(examples))
        seen = np.unique(grams)
        column = np.zeros(1 << _BITS, dtype=np.int32)
        column[seen] = np.arange(1, len(seen) + 1)
        rows = csr_matrix((1 / np.sqrt(count[row]), (row, column[grams])), shape=(len(count), len(seen) + 1), dtype=np.float64)
        return Sentences(codes, column, _fit(rows, shows, cost).astype(np.float32))


@cache
def learnt(name: str) -> Sentences:
    """The model of all ``NAME*.toml`` examples, one of `NAMES`, as `keep_sentences` kept it."""
    with np.load(KEPT) as kept:
        return Sentences.unpacked({key.removeprefix(f"{name}."): kept[key] for key in kept.files if key.startswith(f"{name}.")})


def keep_sentences() -> None:
    """Learn the models of `NAMES` from their examples and keep them."""
    parts = {f"{name}.{key}": held for name in NAMES for key, held in Sentences.learn(read_examples(name)).packed().items()}
    np.savez_compressed(KEPT, allow_pickle=False, learnt_from=np.array(learnt_from()), **parts)


def learnt_from() -> str:
    """Fingerprint of all that the kept models are learnt from."""
    shown = [[(text, sorted(codes)) for text, codes in read_examples(name)] for name in NAMES]
    return sha256(json.dumps(shown, ensure_ascii=False).encode()).hexdigest()


def read_examples(name: str, folder: Path = EXAMPLES) -> list[tuple[str, frozenset[str]]]:
    """The sentences of ``NAME*.toml`` and their codes: keys join several codes with ``+``; ``none`` stands for no code."""
    out: list[tuple[str, frozenset[str]]] = []
    for file in sorted(folder.glob(f"{name}*.toml")):
        raw = tomllib.loads(file.read_text("utf-8"))
        sets: Mapping[str, Sequence[str]] = {key: words.split() for key, words in raw.get("sets", {}).items()}
        for key, lines in raw["says"].items():
            codes = frozenset(key.split("+")) - {"none"}
            for line in filter(None, map(str.strip, lines.splitlines())):
                out += [(form, codes) for form in _forms(line, sets)]
    return out


def _forms(line: str, sets: Mapping[str, Sequence[str]]) -> list[str]:
    """Up to `FORMS` of what a pattern stands for, spread evenly over its choices."""
    line = _SET.sub(lambda found: f"({'|'.join(sets[found[1]])})", line)
    forms: dict[str, None] = {}
    for nth in range(1, FORMS + 1):
        text, chooser = line, Random(f"{line}{nth}")
        while (chosen := _CHOICE.sub(partial(_one, chooser), text)) != text:
            text = chosen
        if "(" in text or ")" in text or "<" in text:
            raise ValueError(f"{line}: a bracket is left open")
        forms[text.replace("_", " ")] = None
    return list(forms)


def _one(chooser: Random, found: re.Match[str]) -> str:
    options: list[str] = found[1].split("|")
    return chooser.choice(options)


def _digits_alike(normal: Normal) -> Codes:
    return np.where(normal.kinds & DIGIT > 0, np.uint32(ord("0")), normal.codes)


@compiled
def _longer(told: np.uint64, codes: Codes, start: int, end: int, at: int, size: int) -> np.uint64:
    """The hash of an n-gram of `size` signs that ends at `at`, from that of the rest; outside of [start, end) are borders."""
    sign = np.uint64(codes[at]) if start <= at < end else np.uint64(_BORDER)
    return np.uint64((told + sign + np.uint64(1)) * _FACTORS[size - 1])


@compiled
def _slot(told: np.uint64) -> np.int64:
    """The place of a hash in the table of columns."""
    return np.int64(told >> np.uint64(64 - _BITS))


@compiled
def _list_grams(codes: Codes, first: Places, out: Rows) -> int:
    """Writes text and hash of every n-gram of texts, and 0; how many there are."""
    count = 0
    for row in range(len(first) - 1):
        start, end = first[row], first[row + 1]
        for begin in range(start - 1, end + 1):
            told = np.uint64(0)
            for size in range(1, min(LONGEST, end + 1 - begin) + 1):
                told = _longer(told, codes, start, end, begin + size - 1, size)
                if count < out.shape[1]:
                    out[0, count], out[1, count], out[2, count] = row, _slot(told), 0
                count += 1
    return count


@compiled
def _add_weights(codes: Codes, starts: Places, ends: Places, model: tuple[Columns, Scores], sums: Scores) -> None:
    """Adds to `sums` the weights of the n-grams of each stretch. `model`: the column of each hash, the weights of each column."""
    column, weights = model
    for row in range(len(starts)):
        start, end = starts[row], ends[row]
        for begin in range(start - 1, end + 1):
            told = np.uint64(0)
            for size in range(1, min(LONGEST, end + 1 - begin) + 1):
                told = _longer(told, codes, start, end, begin + size - 1, size)
                at = column[_slot(told)]
                if at > 0:
                    for code in range(sums.shape[1]):
                        sums[row, code] += weights[at, code]


def _fit(rows: csr_matrix, shows: npt.NDArray[np.bool_], cost: float) -> npt.NDArray[np.float64]:
    """Weights (feature × code) and, in the last row, the bias of one logistic regression a code."""
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - it takes longer to load than numbers to be shown,
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - and they need no model

    out = np.zeros((rows.shape[1] + 1, shows.shape[1]))
    for code in range(shows.shape[1]):
        model = LogisticRegression(C=cost, solver="liblinear", dual=True, tol=0.01, max_iter=200, random_state=0)
        with catch_warnings():
            simplefilter("ignore", ConvergenceWarning)  # the last digits of a weight decide nothing
            model.fit(rows, shows[:, code])
        out[:-1, code], out[-1, code] = model.coef_[0], model.intercept_[0]
    return out
