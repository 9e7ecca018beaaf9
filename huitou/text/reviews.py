"""Reviews: clauses with what they are about and what they say of it, and the polarity of the whole.

A clause ends at punctuation and before an adversative. Its aspect and polarity come from the taxonomies ``aspects`` and
``polarity``. `p_negative` is the estimate of these rules; `Reviewer.estimate` is the one place where a learned model stands in.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.rules.taxonomy import Words, load_taxonomies
from huitou.text.engine import KINDS, SPEECH, Engine, Flags, Found
from huitou.text.normal import Normal, Places, normalise
from huitou.text.tagger import LONGEST, ROWS

Floats = npt.NDArray[np.float64]
POLARITIES = ("negative", "neutral", "positive")
_BAD, _GOOD, _STRONG, _WEAK = (KINDS.index(kind) for kind in ("bad", "good", "strong", "weak"))
CLAUSE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.Int64,
    "aspect": pl.String,
    "polarity": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Signs:
    """What the rules saw in each review of a batch, for the estimate: sums of weighted signs.

    `bad`, `good`: all of them; `last_bad`, `last_good`: those of its last clause with any; `turns`: adversatives.
    """

    bad: Floats
    good: Floats
    last_bad: Floats
    last_good: Floats
    turns: Floats
    length: Floats


def by_rules(signs: Signs) -> Floats:
    """The probability that a review is negative, from the rules' signs. The weights were fitted on labelled reviews."""
    both = signs.bad + signs.good + 1.0
    score = (
        WEIGHTS[0]
        + WEIGHTS[1] * np.log1p(signs.bad)
        + WEIGHTS[2] * np.log1p(signs.good)
        + WEIGHTS[3] * (signs.bad - signs.good) / both
    )
    score += WEIGHTS[4] * (signs.last_bad > signs.last_good) + WEIGHTS[5] * (signs.last_good > signs.last_bad)
    score += WEIGHTS[6] * np.minimum(signs.turns, 3) + WEIGHTS[7] * np.log1p(signs.length)
    estimate: Floats = 1 / (1 + np.exp(-score))
    return estimate


WEIGHTS = (0.0, 0.9, -0.9, 1.5, 0.4, -0.4, 0.1, 0.0)
RATING_WEIGHT = {1: 3.0, 2: 2.0, 3: 0.8, 4: -0.8, 5: -1.5}
"""What a rating adds to the log-odds of «negative»: a text that complains stays a complaint under five stars."""


class Reviewer:
    """The taxonomies of reviews, compiled once. `estimate` may be a learned model's: signs and texts → p(negative)."""

    def __init__(self, words: Words | None = None, estimate: Callable[[Signs, pl.Series], Floats] | None = None) -> None:
        self._engine = Engine(words or load_taxonomies(), ("aspects", "polarity"))
        self.version = self._engine.version
        self.estimate = estimate or (lambda signs, _: by_rules(signs))
        number = self._engine.number
        self._turn = number[SPEECH, "adversative"]
        self._says = {code: number["polarity", code] for code in ("positive", "negative", "suggestion")}
        self._aspects = [leaf.code if name == "aspects" else None for name, leaf in self._engine.leaves]
        self._overall = number["aspects", "overall"]

    def read(self, texts: pl.Series, ratings: pl.Series | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Reviews (row, polarity, p_negative, has_complaint) and their clauses as in `CLAUSE_SCHEMA`, rows counted from 0.

        `ratings`: 1 … 5 or null. ``start``, ``end``: characters of the text as given.
        """
        reviews, clauses = [], []
        for at in range(0, len(texts), ROWS):
            part = texts.slice(at, ROWS).fill_null("").str.head(LONGEST)
            p_negative, found = self._batch(part)
            reviews.append(p_negative)
            clauses.append(found.with_columns(pl.col("row") + at))
        p = np.concatenate(reviews) if reviews else np.zeros(0)
        if ratings is not None:
            p = _with_rating(p, ratings)
        clause = pl.concat(clauses) if clauses else pl.DataFrame(schema=CLAUSE_SCHEMA)
        whole = pl.DataFrame({"row": np.arange(len(p), dtype=np.int64), "p_negative": p}).with_columns(
            polarity=pl.when(pl.col("p_negative") > 0.5).then(pl.lit("negative")).otherwise(pl.lit("positive")),
            has_complaint=pl.col("row").is_in(clause.filter(pl.col("polarity") == "negative")["row"].implode()),
        )
        return whole.select("row", "polarity", "p_negative", "has_complaint"), clause

    def signs(self, texts: pl.Series) -> Signs:
        """The rules' signs of some texts, for fitting an estimate."""
        normal = normalise(texts.fill_null("").str.head(LONGEST))
        found, clause, negated = self._find(normal)
        return self._signs(normal, found, clause, negated)

    def _find(self, normal: Normal) -> tuple[Found, Places, Flags]:
        found, clause = self._engine.find(normal)
        turns = np.sort(found.start[found.leaf == self._turn])
        kept, _, negated = self._engine.scoped(found)
        return kept, clause + np.searchsorted(turns, np.arange(len(clause)), side="right"), negated

    def _batch(self, texts: pl.Series) -> tuple[Floats, pl.DataFrame]:
        normal = normalise(texts)
        found, clause, negated = self._find(normal)
        signs = self._signs(normal, found, clause, negated)
        return self.estimate(signs, texts), self._clauses(normal, found, clause, negated)

    def _sides(self, found: Found, negated: Flags) -> tuple[Floats, Floats, Flags]:
        """How much each finding blames and praises, and which suggest. A negated praise blames, a negated blame half praises."""
        weight = np.where(found.kind == _STRONG, 2.0, np.where(found.kind == _WEAK, 0.3, 1.0))
        bad = np.where((found.leaf == self._says["negative"]), weight, 0.0) + np.where(found.kind == _BAD, 1.5, 0.0)
        good = np.where((found.leaf == self._says["positive"]), weight, 0.0) + np.where(found.kind == _GOOD, 1.0, 0.0)
        turned = negated & (found.leaf == self._says["positive"])
        relieved = negated & (found.leaf == self._says["negative"])
        return (
            np.where(relieved, 0.0, np.where(turned, good, bad)),
            np.where(turned, 0.0, np.where(relieved, bad * 0.5, good)),
            found.leaf == self._says["suggestion"],
        )

    def _signs(self, normal: Normal, found: Found, clause: Places, negated: Flags) -> Signs:
        rows = len(normal.first) - 1
        bad, good, _ = self._sides(found, negated)
        where = clause[found.start]
        last = np.zeros(rows, dtype=np.int64)
        telling = (bad > 0) | (good > 0)
        np.maximum.at(last, found.row[telling], where[telling])
        ends = where == last[found.row]
        first = np.minimum(normal.first, len(clause) - 1)
        turns = (clause[np.maximum(first[1:] - 1, first[:-1])] - clause[first[:-1]]).astype(np.float64)
        sums = [np.bincount(found.row, weights, rows) for weights in (bad, good, bad * ends, good * ends)]
        return Signs(*sums, turns, np.diff(normal.first).astype(np.float64))

    def _clauses(self, normal: Normal, found: Found, clause: Places, negated: Flags) -> pl.DataFrame:
        """One row for each aspect of a clause; a clause that praises or blames and names nothing speaks of the whole."""
        bad, good, suggests = self._sides(found, negated)
        codes = pl.Series([code or "" for code in self._aspects], dtype=pl.String)
        signs = pl.DataFrame(
            {"row": found.row, "clause": clause[found.start], "leaf": found.leaf, "bad": bad, "good": good, "suggests": suggests}
        ).with_columns(code=codes.gather(found.leaf), own=pl.Series(np.isin(found.kind, (_BAD, _GOOD))))
        said = signs.group_by("row", "clause").agg(pl.col("bad", "good").sum(), pl.col("suggests").any())
        is_aspect = pl.col("code") != ""
        about = (
            signs.filter(is_aspect)
            .group_by("row", "clause", "code")
            .agg((pl.col("bad") * pl.col("own")).sum().alias("own_bad"), (pl.col("good") * pl.col("own")).sum().alias("own_good"))
        )
        own = (pl.col("own_bad") + pl.col("own_good")).over("row", "clause").fill_null(0) > 0
        several = (pl.col("code") != "overall").any().over("row", "clause")
        told = (pl.col("own_bad") + pl.col("own_good")) > 0
        about = about.filter(~several | (pl.col("code") != "overall")).with_columns(said_of=own).filter(told | ~pl.col("said_of"))
        rows = said.join(about, on=["row", "clause"], how="left").with_columns(pl.col("own_bad", "own_good").fill_null(0.0))
        side = pl.when(pl.col("own_bad") + pl.col("own_good") > 0).then(pl.col("own_bad") - pl.col("own_good"))
        side = side.otherwise(pl.col("bad") - pl.col("good"))
        polarity = pl.when(side > 0).then(pl.lit("negative")).when(pl.col("suggests")).then(pl.lit("suggestion"))
        polarity = polarity.when(side < 0).then(pl.lit("positive")).otherwise(pl.lit("neutral"))
        rows = rows.with_columns(polarity=polarity, aspect=pl.col("code").fill_null("overall"))
        rows = rows.filter((pl.col("polarity") != "neutral") | pl.col("code").is_not_null())
        return self._placed(normal, rows.sort("row", "clause", "aspect"), clause)

    def _placed(self, normal: Normal, rows: pl.DataFrame, clause: Places) -> pl.DataFrame:
        """With the place of each clause in its text as typed, without the signs that end it."""
        numbers, row = rows["clause"].to_numpy(), rows["row"].to_numpy()
        inner = clause[: len(normal.codes)]
        start, end = np.searchsorted(inner, numbers), np.searchsorted(inner, numbers, side="right")
        start, end = np.maximum(start, normal.first[row]), np.minimum(end, normal.first[row + 1])
        start, end = self._engine.trimmed(normal, start, end)
        typed = normal.as_typed(row, start, end) if len(row) else (start, end)
        out = rows.select("row", "aspect", "polarity").with_columns(start=pl.Series(typed[0]), end=pl.Series(typed[1]))
        return out.select(pl.col(name).cast(kind) for name, kind in CLAUSE_SCHEMA.items())


def _with_rating(p_negative: Floats, ratings: pl.Series) -> Floats:
    clipped = np.clip(p_negative, 1e-6, 1 - 1e-6)
    added = ratings.replace_strict(RATING_WEIGHT, default=0.0, return_dtype=pl.Float64).fill_null(0.0).to_numpy()
    both: Floats = 1 / (1 + np.exp(-(np.log(clipped / (1 - clipped)) + added)))
    return both
