"""Models of texts that learn from labelled ones: what they are made of, how they are kept, why they decide as they do.

A model reads character n-grams and what the rules see (``cues``), by one or more of the ways in ``parts``, and adds up what they
say. It is kept as plain arrays (``NAME.npz``) and a page of facts (``NAME.json``): version, labels, figures of its training.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix, hstack

from huitou.text.cues import BITS, cue_matrix, cues_of
from huitou.text.grams import Floats, Grams, Numbers, clause_starts, rarity
from huitou.text.normal import Normal, Places, normalise
from huitou.text.parts import (
    WAYS,
    Arrays,
    Flags,
    any_clause,
    fit_clauses,
    fit_hidden,
    fit_lines,
    fit_smooth,
    heard,
    passed_back,
    sigmoid,
    softmax,
    weighed,
)

VERSION = 2
ROWS = 16_384  # read at once
LONGEST = 20_000  # characters of a text that are read
LAYERS = ("hidden", "inner", "other")  # over whole texts, over clauses, over clauses from another beginning
Labels = Sequence[str] | Sequence[Sequence[str]]
_LEAST = 30_000  # texts from which on an n-gram must stand in three of them


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model learns. `longest`: characters of an n-gram; `cost`: of an error of the lines; `units`: of the hidden layers
    over whole texts and of the two over clauses, 0 for none; `clauses`: whether clauses are learnt for themselves; `exclusive`:
    a text has one label; `cues`: taxonomies read.

    `smooth`: lines are log-odds, for labels on which people differ. `ending`: of a text of several lines the last one is read.
    """

    longest: int = 3
    bits: int = 18
    cost: float = 1.0
    units: tuple[int, int, int] = (0, 0, 0)
    clauses: bool = False
    exclusive: bool = True
    cues: tuple[str, ...] = ()
    smooth: bool = False
    ending: bool = False


class Reason(NamedTuple):
    """An n-gram or cue that spoke for a label (`weight` > 0) or against it, and where in the text as typed, if anywhere."""

    says: str
    weight: float
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Mix:
    """How the parts' scores become chances: each divided by `scales`, added, then ``slope · score + offset`` of each label.

    `border`: the chance from which on a text has a label, where it may have several.
    """

    scales: tuple[float, ...]
    slope: float = 2.0
    offsets: tuple[float, ...] = (0.0,)
    border: float = 0.5


@dataclass(frozen=True, slots=True)
class TextModel:
    """A fitted model; `labels` are the columns of its chances."""

    labels: tuple[str, ...]
    plan: Plan
    grams: Grams
    cue_buckets: Numbers
    cue_rarity: Floats
    arrays: Arrays
    mix: Mix
    figures: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def fit(texts: pl.Series | Sequence[str], labels: Labels, plan: Plan | None = None) -> "TextModel":
        """Learn from texts and their labels: one each, or a list each. Equal examples give equal models."""
        texts = pl.Series(texts, dtype=pl.String)
        some = bool(len(labels)) and not isinstance(labels[0], str)
        lists: list[Sequence[str]] = [[one] if isinstance(one, str) else one for one in labels]
        plan = plan or Plan(exclusive=not some)
        names = tuple(sorted({label for one in lists for label in one}))
        number = {name: nth for nth, name in enumerate(names)}
        flags = np.zeros((len(texts), len(names)), dtype=bool)
        for row, one in enumerate(lists):
            flags[row, [number[label] for label in one]] = True
        if plan.exclusive and len(names) == 2:
            flags = flags[:, 1:]
        normal = normalise(_read(plan, texts))
        least = 3 if len(texts) > _LEAST else (2 if len(texts) > 500 else 1)
        grams = Grams.learn(normal, normal.first, longest=plan.longest, bits=plan.bits, least=least)
        buckets, counts = np.unique(_found(plan, normal)[0], return_counts=True)
        empty = TextModel(names, plan, grams, buckets, rarity(counts, len(texts)), {}, Mix((1.0,)))
        return empty._learn(normal, flags)

    def scores(self, texts: pl.Series) -> list[Floats]:
        """What each part says of each text: texts × labels (one column where there are two labels that exclude each other)."""
        texts = _read(self.plan, texts)
        tables = self._tables()
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda at: self._scores(normalise(texts.slice(at, ROWS)), tables), range(0, len(texts), ROWS)))
        if not done:
            return [np.zeros((0, self._columns()), dtype=np.float32) for _ in self._parts()]
        return [np.concatenate(part) for part in zip(*done, strict=True)]

    def proba(self, texts: pl.Series | Sequence[str]) -> Floats:
        """The chance of each label (0–1) for each text; they add up to 1 where labels exclude each other."""
        return self.chances(self.scores(pl.Series(texts, dtype=pl.String)))

    def chances(self, scores: list[Floats]) -> Floats:
        """The chances from what the parts say."""
        scaled = sum(score / scale for score, scale in zip(scores, self.mix.scales, strict=True)) / len(scores)
        logits = self.mix.slope * scaled + np.array(self.mix.offsets, dtype=np.float32)
        if not self.plan.exclusive:
            return sigmoid(logits)
        if self._columns() < len(self.labels):
            second = sigmoid(logits)
            return np.concatenate((1 - second, second), axis=1)
        return softmax(logits)

    def decide(self, chances: Floats) -> list[list[str]]:
        """The labels of each text: the likeliest, or all that are likely enough."""
        if self.plan.exclusive:
            return [[self.labels[nth]] for nth in chances.argmax(axis=1)]
        return [[self.labels[nth] for nth in np.flatnonzero(row >= self.mix.border)] for row in chances]

    def why(self, text: str, label: str, most: int = 5) -> list[Reason]:
        """The n-grams and cues that weigh most in the decision on a label, for it or against it, strongest first.

        Of the lines and the hidden layer the sum of all weights is the score (without its constant); of clauses likewise, of the
        clause that speaks most of the label.
        """
        nth = self.labels.index(label)
        sign, column = (1.0, nth) if self._columns() == len(self.labels) else ((1.0 if nth else -1.0), 0)
        read = _read(self.plan, pl.Series([text], dtype=pl.String))
        before = text.rindex(read[0]) if self.plan.ending else 0
        normal = normalise(read)
        gram_table, cue_table = self._tables()
        found = _found(self.plan, normal)
        rows, clauses, _ = self._matrices(normal, found, (gram_table, cue_table))
        weights = self._weights(rows, clauses, column) * sign
        times = np.bincount(rows.indices, minlength=rows.shape[1])
        reasons: dict[tuple[int, int], float] = {}
        for place, start, end in self.grams.at(normal, gram_table):
            reasons[start, end] = reasons.get((start, end), 0.0) + float(weights[place]) / int(times[place])
        out = [self._placed(normal, read[0], (start, end), weight, before) for (start, end), weight in reasons.items()]
        told = cues_of(self.plan.cues).told() if self.plan.cues else {}
        size = len(self.grams.buckets)
        for cue in np.flatnonzero(weights[size:]):
            out.append(Reason(told.get(int(self.cue_buckets[cue]), "?"), round(float(weights[size + cue]), 4), None, None))
        return sorted(out, key=lambda reason: -abs(reason.weight))[:most]

    def save(self, folder: Path, name: str) -> None:
        """Write ``NAME.npz`` and ``NAME.json``; whoever reads meanwhile sees the old pair or the new one."""
        folder.mkdir(parents=True, exist_ok=True)
        facts = {
            "version": VERSION,
            "labels": self.labels,
            "plan": asdict(self.plan),
            "mix": asdict(self.mix),
            "figures": self.figures,
        }
        held: dict[str, Any] = {
            f"part_{key}": value.astype(np.float16) if key in LAYERS else value for key, value in self.arrays.items()
        }
        held |= {"buckets": self.grams.buckets, "rarity": self.grams.rarity}
        held |= {"cue_buckets": self.cue_buckets, "cue_rarity": self.cue_rarity}
        held["facts"] = np.frombuffer(json.dumps(facts, ensure_ascii=False).encode(), np.uint8)
        new = folder / f"{name}.npz.new"
        with new.open("wb") as target:
            np.savez_compressed(target, **held)
        page = folder / f"{name}.json.new"
        page.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", "utf-8")
        new.replace(folder / f"{name}.npz")
        page.replace(folder / f"{name}.json")

    @staticmethod
    def load(folder: Path, name: str) -> "TextModel":
        """A model as it was saved. Raises OSError, ValueError or KeyError where there is none that can be read."""
        with np.load(folder / f"{name}.npz", allow_pickle=False) as held:
            facts = json.loads(held["facts"].tobytes())
            if facts["version"] != VERSION:
                raise ValueError(f"version {facts['version']}")
            plan = Plan(**facts["plan"] | {name: tuple(facts["plan"][name]) for name in ("cues", "units")})
            mixed = facts["mix"]
            mix = Mix(tuple(mixed["scales"]), mixed["slope"], tuple(mixed["offsets"]), mixed["border"])
            arrays = {key[5:]: held[key].astype(np.float32) for key in held.files if key.startswith("part_")}
            grams = Grams(plan.longest, plan.bits, held["buckets"], held["rarity"])
            cues = held["cue_buckets"], held["cue_rarity"]
        return TextModel(tuple(facts["labels"]), plan, grams, *cues, arrays, mix, facts["figures"])

    def mixed(self, mix: Mix) -> "TextModel":
        """The same model whose chances are made otherwise."""
        return replace(self, mix=mix)

    def _columns(self) -> int:
        return 1 if self.plan.exclusive and len(self.labels) == 2 else len(self.labels)

    def _parts(self) -> Iterator[str]:
        yield "lines"
        yield from (name for name, units in zip(LAYERS, self.plan.units, strict=True) if units)
        if self.plan.clauses:
            yield "clauses"

    def _tables(self) -> tuple[Numbers, Numbers]:
        cues = np.full(1 << BITS, -1, dtype=np.int32)
        cues[self.cue_buckets] = np.arange(len(self.cue_buckets), dtype=np.int32)
        return self.grams.table(), cues

    def _matrices(
        self, normal: Normal, found: tuple[Numbers, Places], tables: tuple[Numbers, Numbers]
    ) -> tuple[csr_matrix, csr_matrix | None, Places]:
        """Texts and, where they are learnt for themselves, clauses as rows; the text of each clause."""

        def matrix(first: Places) -> csr_matrix:
            grams = self.grams.matrix(normal, first, tables[0])
            if not len(self.cue_buckets):
                return grams
            return hstack((grams, cue_matrix(found, first, tables[1], self.cue_rarity)), format="csr")

        if not self.plan.clauses and not any(self.plan.units[1:]):
            return matrix(normal.first), None, np.zeros(0, dtype=np.int64)
        starts, row = clause_starts(normal)
        return matrix(normal.first), matrix(starts), row

    def _learn(self, normal: Normal, flags: Flags) -> "TextModel":
        texts, clauses, row = self._matrices(normal, _found(self.plan, normal), self._tables())
        smooth = self.plan.smooth and flags.shape[1] > 2
        arrays = fit_smooth(texts, flags, self.plan.cost) if smooth else fit_lines(texts, flags, self.plan.cost)
        texts.sum_duplicates()
        if clauses is not None:
            clauses.sum_duplicates()
        for nth, rows, sizes in self._layers(texts, clauses, row):
            layer = LAYERS[nth]
            held = fit_hidden(rows, sizes, flags, self.plan.units[nth], clauses=nth > 0, seed=nth)
            arrays |= dict(zip((layer, f"{layer}_bias", f"{layer}_out", f"{layer}_out_bias"), held, strict=True))
        if clauses is not None and self.plan.clauses:
            arrays |= fit_clauses(clauses, row, flags)
        scales = {"lines": 1.0, "clauses": 3.0} | dict.fromkeys(LAYERS, 3.0)
        mix = Mix(tuple(scales[part] for part in self._parts()), offsets=(0.0,) * flags.shape[1])
        return replace(self, arrays=arrays, mix=mix)

    def _scores(self, normal: Normal, tables: tuple[Numbers, Numbers]) -> list[Floats]:
        texts, clauses, row = self._matrices(normal, _found(self.plan, normal), tables)
        held = self.arrays
        out = [weighed(texts, held) @ held["lines"] + held["lines_bias"]]
        for nth, rows, sizes in self._layers(texts, clauses, row):
            layer = LAYERS[nth]
            said = np.maximum(rows @ held[layer] + held[f"{layer}_bias"], 0)
            out.append(heard(said, sizes, _ways(nth)) @ held[f"{layer}_out"] + held[f"{layer}_out_bias"])
        if clauses is not None and self.plan.clauses:
            shown = any_clause(clauses @ held["clauses"] + held["clauses_bias"], row, texts.shape[0])
            shown = np.clip(shown, 1e-4, 1 - 1e-4)
            out.append(np.log(shown / (1 - shown)))
        return out

    def _layers(self, texts: csr_matrix, clauses: csr_matrix | None, row: Places) -> Iterator[tuple[int, csr_matrix, Places]]:
        """The number of each hidden layer that there is, the rows that it reads, and how many each text has."""
        for nth, units in enumerate(self.plan.units):
            if units and not nth:
                yield nth, texts, np.ones(texts.shape[0], dtype=np.int64)
            elif units and clauses is not None:
                yield nth, clauses, np.bincount(row, minlength=texts.shape[0])

    def _weights(self, text: csr_matrix, clauses: csr_matrix | None, column: int) -> Floats:
        """How much each column of one text adds to the score of a label."""
        held, scales = self.arrays, dict(zip(self._parts(), self.mix.scales, strict=True))
        weights = weighed(text, held).toarray()[0] * held["lines"][:, column] / scales["lines"]
        row = np.zeros(0 if clauses is None else clauses.shape[0], dtype=np.int64)
        for nth, rows, sizes in self._layers(text, clauses, row):
            layer = LAYERS[nth]
            said = np.maximum(rows @ held[layer] + held[f"{layer}_bias"], 0)
            speaks = passed_back(held[f"{layer}_out"][None, :, column], said, sizes) * (said > 0)
            added = rows.multiply(speaks @ held[layer].T).sum(axis=0)
            weights = weights + np.asarray(added).ravel() / scales[layer]
        if clauses is not None and self.plan.clauses:
            clause = int(softmax(clauses @ held["clauses"] + held["clauses_bias"])[:, column].argmax())
            weights = weights + clauses[clause].toarray()[0] * held["clauses"][:, column] / scales["clauses"]
        each: Floats = weights * self.mix.slope / len(scales)
        return each

    def _placed(self, normal: Normal, read: str, at: tuple[int, int], weight: float, before: int) -> Reason:
        typed = normal.as_typed(*(np.array([place]) for place in (0, *at)))
        first, last = int(typed[0][0]), int(typed[1][0])
        return Reason(read[first:last], round(weight, 4), first + before, last + before)


def _ways(layer: int) -> int:
    return len(WAYS) if layer else 1


def _read(plan: Plan, texts: pl.Series) -> pl.Series:
    """The part of each text that is read."""
    texts = texts.fill_null("")
    if plan.ending:
        texts = texts.str.strip_chars_end().str.split("\n").list.last().fill_null("")
    return texts.str.head(LONGEST)


def _found(plan: Plan, normal: Normal) -> tuple[Numbers, Places]:
    if not plan.cues:
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
    return cues_of(plan.cues).found(normal)
