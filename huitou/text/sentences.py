"""Learns from sentences written for the purpose which codes a short text shows, where no cue word stands in it.

Comes in: ``rules/examples/NAME*.toml`` (code → one pattern a line, alternatives and sets as in cues) and normalised texts.
Goes out: for each text the probability of each code. Logistic regressions on character n-grams, fitted at first use; nothing
is stored.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_matrix

from huitou.text.normal import Normal, Places, is_word, normalise

EXAMPLES = Path(__file__).parent.parent / "rules" / "examples"
FORMS = 6  # of one pattern that are learnt
LONGEST = 3  # characters of an n-gram
COST = 100.0  # of an error, beside the squared weights
_GOLDEN = 0.618033988749895  # its multiples spread evenly over the forms of a pattern
_SET, _CHOICE = re.compile(r"<(\w+)>"), re.compile(r"\(([^()]*)\)")
_BITS = 18
_BORDER = 1  # stands before and behind a text
_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stretches:
    """The clauses of texts: where each begins among the characters (and the end), and which is the first of each text."""

    first: Places
    begin: Places

    @staticmethod
    def of(normal: Normal, clause: Places) -> "Stretches":
        """Every text has one at least, none begins with a sign; `clause`: the number of each character's clause."""
        turns = np.flatnonzero(clause[1 : len(normal.codes)] != clause[: max(len(normal.codes) - 1, 0)]) + 1
        turns = turns[(normal.rows[turns] == normal.rows[turns - 1]) & is_word(normal.codes)[turns]]
        rows = np.concatenate((np.arange(len(normal.first) - 1), normal.rows[turns]))
        at = np.concatenate((normal.first[:-1], turns))
        order = np.lexsort((at, rows))
        begin = np.searchsorted(rows[order], np.arange(len(normal.first) - 1))
        return Stretches(np.append(at[order], len(normal.codes)), begin)


@dataclass(frozen=True, slots=True)
class Sentences:
    """A fitted model. `codes` are the columns of its scores."""

    codes: tuple[str, ...]
    _column: npt.NDArray[np.int32]  # of every hashed n-gram; 0: never seen
    _weights: Scores  # column × code; the last row is the bias

    def scores(self, normal: Normal, first: Places | None = None) -> Scores:
        """Probability of each code (0–1) for each text, or for the stretches of `normal.codes` that begin at `first`."""
        first = normal.first if first is None else first
        sums = np.zeros((len(first) - 1, len(self.codes)), dtype=np.float32)
        count = np.zeros(len(sums), dtype=np.int64)
        for grams, row in _grams(normal.codes, first):
            column = self._column.take(grams)
            seen = column > 0
            ends = np.zeros(len(sums) + 1, dtype=np.int32)
            np.cumsum(np.bincount(row[seen], minlength=len(sums)), out=ends[1:])
            held = (np.ones(ends[-1], dtype=np.float32), column[seen], ends)
            sums += csr_matrix(held, shape=(len(sums), len(self._weights) - 1)) @ self._weights[:-1]
            count += np.bincount(row, minlength=len(sums))
        sums *= (1 / np.sqrt(np.maximum(count, 1))).astype(np.float32)[:, None]
        out: Scores = 1 / (1 + np.exp(np.clip(-sums - self._weights[-1], -80, 80)))  # one word ten thousand times is sure enough
        return out

    def clearest(self, normal: Normal, stretches: Stretches) -> tuple[Scores, Places]:
        """For each text and code the highest probability of the text's stretches, and the stretch that has it."""
        each = self.scores(normal, stretches.first)
        highest: Scores = np.maximum.reduceat(each, stretches.begin, axis=0)
        row = np.repeat(np.arange(len(highest)), np.diff(np.append(stretches.begin, len(each))))
        best = np.broadcast_to(stretches.begin[:, None], highest.shape).copy()
        at, code = np.nonzero(each == highest[row])
        best[row[at], code] = at
        return highest, best

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
        grams, row = (np.concatenate(part) for part in zip(*_grams(normal.codes, normal.first), strict=True))
        count = np.bincount(row, minlength=len(examples))
        seen = np.unique(grams)
        column = np.zeros(1 << _BITS, dtype=np.int32)
        column[seen] = np.arange(1, len(seen) + 1)
        rows = csr_matrix((1 / np.sqrt(count[row]), (row, column[grams])), shape=(len(count), len(seen) + 1), dtype=np.float64)
        return Sentences(codes, column, _fit(rows, shows, cost).astype(np.float32))


@cache
def learnt(name: str, folder: Path = EXAMPLES) -> Sentences:
    """The model of all ``NAME*.toml`` examples. Raises ValueError for a pattern that cannot be read."""
    return Sentences.learn(read_examples(name, folder))


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


def _grams(codes: npt.NDArray[np.uint32], first: Places) -> Iterator[tuple[npt.NDArray[np.int64], Places]]:
    """For each length the hashed n-grams and the stretch that each is of. Digits are alike; borders count as signs."""
    sizes = np.diff(first)
    row = np.repeat(np.arange(len(sizes)), sizes + 2)
    framed = np.full(len(row), _BORDER, dtype=np.uint64)
    digit = (codes >= ord("0")) & (codes <= ord("9"))
    framed[np.arange(len(codes)) + 2 * np.repeat(np.arange(len(sizes)), sizes) + 1] = np.where(digit, ord("0"), codes)
    hashed = np.zeros(len(framed), dtype=np.uint64)
    for n in range(min(LONGEST, len(framed))):
        hashed = (hashed[: len(framed) - n] + framed[n:] + np.uint64(1)) * _FACTORS[n]
        inside = row[: len(framed) - n] == row[n:]
        yield (hashed[inside] >> np.uint64(64 - _BITS)).astype(np.int64), row[: len(framed) - n][inside]


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
