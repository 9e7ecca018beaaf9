"""Reviews: clauses with what they are about and what they say of it, the polarity of the whole, and whether it complains.

`p_negative` is the estimate of these rules; `Reviewer.estimate` is the one place where a learned model stands in. A complaint
is a matter of clauses, whatever the rating; only where a long text is good on the whole, one clause that blames in passing (no
但, no 有点 …) is none: most such clauses tell a story or speak of something else.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from huitou.rules.taxonomy import Words, load_taxonomies
from huitou.text.clauses import ClauseReader, Floats, Marks, clause_table
from huitou.text.engine import Flags
from huitou.text.normal import Normal, Places, normalise
from huitou.text.tagger import LONGEST
from huitou.text.usable import SILENT, text_classes

CLAUSE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.Int64,
    "aspect": pl.String,
    "polarity": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
}
REVIEW_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.Int64,
    "polarity": pl.String,
    "p_negative": pl.Float64,
    "has_complaint": pl.Boolean,
    "conflict": pl.Boolean,
    "usable": pl.String,
}
ROWS = 6_144  # read at once: their arrays stay in the processor's cache
_NAMES = ("negative", "positive", "suggestion", "neutral")
_REPLY = r"(?s)(?:宾馆|酒店|商家|卖家|店家|店主|掌柜|官方|客服)(?:反馈|回复|答复|解释)\s*(?:\d{4}|[:：\]】]).*"
"""The seller's own words that some exports append to the customer's: they neither praise nor complain."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the rules saw in each review of a batch, for the estimate: sums of weighted signs.

    `bad`, `good`: all of them; `last_bad`, `last_good`: those of its last clause with any; `complaints`, `praises`: its
    clauses that complain, that praise; `length` in characters.
    """

    bad: Floats
    good: Floats
    last_bad: Floats
    last_good: Floats
    complaints: Floats
    praises: Floats
    length: Floats

    def features(self) -> Floats:
        """One column for each of `WEIGHTS`, the constant first."""
        one = np.ones(len(self.bad))
        clauses = self.complaints + self.praises
        columns = (
            one,
            np.log1p(self.bad),
            np.log1p(self.good),
            (self.bad - self.good) / (self.bad + self.good + 1),
            (self.complaints - self.praises) / (clauses + 1),
            (self.last_bad > self.last_good) * one,
            (self.last_good > self.last_bad) * one,
            (clauses == 0) * one,
            np.log1p(self.length),
        )
        return np.stack(columns, axis=1)


def by_rules(signs: Signs) -> Floats:
    """The probability that a review is negative, from the rules' signs. The weights were fitted on labelled reviews."""
    estimate: Floats = 1 / (1 + np.exp(-(signs.features() @ np.array(WEIGHTS))))
    return estimate


WEIGHTS = (1.75, 1.9, -2.25, 0.25, 0.85, -0.9, -0.6, -0.8, -0.1)
LONG = 60
"""Characters from which on a lone clause that blames in passing is no complaint."""
NOTHING_SAID = 0.05
"""p(negative) of a review without any word: who is angry says so."""
RATING_WEIGHT = {1: 3.0, 2: 2.0, 3: 0.8, 4: -0.8, 5: -1.5}
"""What a rating adds to the log-odds of «negative»: a text that complains stays a complaint under five stars."""


class Reviewer:
    """The taxonomies of reviews, compiled once. `estimate` may be a learned model's: signs and texts → p(negative)."""

    def __init__(self, words: Words | None = None, estimate: Callable[[Signs, pl.Series], Floats] | None = None) -> None:
        self._clauses = ClauseReader(words or load_taxonomies())
        engine = self._clauses.engine
        self.version = engine.version
        self.estimate = estimate or (lambda signs, _: by_rules(signs))
        self._codes = [leaf.code for name, leaf in engine.leaves if name == "aspects"]
        self._code_of = np.array([self._codes.index(leaf.code) if name == "aspects" else -1 for name, leaf in engine.leaves])
        self._overall = self._codes.index("overall")

    def read(self, texts: pl.Series, ratings: pl.Series | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Reviews as in `REVIEW_SCHEMA` and their clauses as in `CLAUSE_SCHEMA`, rows counted from 0.

        `ratings`: 1 … 5 or null. ``start``, ``end``: characters of the text as given. ``conflict``: rating and text disagree.
        """
        parts = [_customers(texts.slice(at, ROWS)) for at in range(0, len(texts), ROWS)]
        with ThreadPoolExecutor(2) as pool:
            read = list(pool.map(self._batch, parts))
        usable = text_classes(texts)
        p, passing = np.concatenate([one for one, _ in read], axis=1) if read else np.zeros((2, 0))
        p = np.where(usable.is_in(SILENT).to_numpy(), NOTHING_SAID, p)
        if ratings is not None:
            p = with_rating(p, ratings)
        clauses = [frame.with_columns(pl.col("row") + at * ROWS) for at, (_, frame) in enumerate(read)]
        clause = pl.concat(clauses) if clauses else pl.DataFrame(schema=CLAUSE_SCHEMA)
        complains = np.zeros(len(p), dtype=bool)
        complains[clause.filter(pl.col("polarity") == "negative")["row"].to_numpy()] = True
        complains &= (passing == 0) | (p > 0.5)
        stars = (ratings if ratings is not None else pl.Series([None] * len(p), dtype=pl.Int64)).to_numpy()
        columns = {
            "row": np.arange(len(p), dtype=np.int64),
            "polarity": pl.Series(np.where(p > 0.5, "negative", "positive"), dtype=pl.String),
            "p_negative": p,
            "has_complaint": complains,
            "conflict": ((stars >= 4) & (p > 0.5)) | ((stars <= 2) & (p < 0.5) & ~complains),
            "usable": usable,
        }
        whole = pl.DataFrame(columns)
        return whole.select(pl.col(name).cast(kind) for name, kind in REVIEW_SCHEMA.items()), clause

    def signs(self, texts: pl.Series) -> Signs:
        """The rules' signs of some texts, for fitting an estimate."""
        normal = normalise(_customers(texts))
        marks, clause = self._clauses.read(normal)
        return self._signs(normal, marks, self._said(marks, clause))

    def _batch(self, texts: pl.Series) -> tuple[Floats, pl.DataFrame]:
        """p(negative) and, as 0 or 1, `_in_passing` of each review; its clauses."""
        normal = normalise(texts)
        marks, clause = self._clauses.read(normal)
        said = self._said(marks, clause)
        p = self.estimate(self._signs(normal, marks, said), texts)
        return np.stack((p, _in_passing(said, np.diff(normal.first)))), self._placed(normal, said, clause)

    def _signs(self, normal: Normal, marks: Marks, said: "Said") -> Signs:
        rows = len(normal.first) - 1
        last = np.zeros(rows, dtype=np.int64)
        telling = (marks.bad > 0) | (marks.good > 0)
        np.maximum.at(last, marks.row[telling], marks.clause[telling])
        ends = (marks.clause == last[marks.row]).astype(np.float64)
        bad, good, last_bad, last_good = (
            _sums(marks.row, w, rows) for w in (marks.bad, marks.good, marks.bad * ends, marks.good * ends)
        )
        complaints, praises = (np.bincount(said.row[said.polarity == n], minlength=rows).astype(np.float64) for n in (0, 1))
        length = np.diff(normal.first).astype(np.float64)
        return Signs(bad, good, last_bad, last_good, complaints, praises, length)

    def _said(self, marks: Marks, clause: Places) -> "Said":
        """What each clause says of each of its aspects; a clause that praises or blames and names nothing speaks of the whole."""
        aspect = self._aspects(marks)
        tells = (marks.bad > 0) | (marks.good > 0) | marks.suggests
        told = clause_table(marks.clause[tells], clause)[marks.clause]
        keep = tells | (~told & marks.about & ~marks.hint & (aspect != self._overall))
        key = marks.clause[keep] * len(self._codes) + aspect[keep]
        keys, first, each = np.unique(key, return_index=True, return_inverse=True)
        bad, good = (np.bincount(each, w[keep], len(keys)) for w in (marks.bad, marks.good))
        suggests = np.bincount(each, marks.suggests[keep], len(keys)) > 0
        polarity = np.select([(bad > 0.5) & (bad >= good), suggests, good > bad], [0, 2, 1], 3)
        stressed = marks.stressed[keep][first]
        return Said(marks.row[keep][first], keys // len(self._codes), keys % len(self._codes), polarity, stressed)

    def _aspects(self, marks: Marks) -> Places:
        """The aspect of every mark: its own; else what its clause names last before it, or first after it; a hint; the whole."""
        aspect = self._code_of[marks.leaf]
        at = np.arange(len(aspect))
        name = marks.about & ~marks.hint & (aspect != self._overall)
        before = np.maximum.accumulate(np.where(name, at, -1))
        after = np.minimum.accumulate(np.where(name, at, len(at))[::-1])[::-1] if len(at) else at
        hint = marks.hint | (marks.about & (aspect == self._overall))
        hinted = np.maximum.accumulate(np.where(hint, at, -1))
        inside = np.minimum.accumulate(np.where(hint, at, len(at))[::-1])[::-1] if len(at) else at
        out = np.where(aspect < 0, self._overall, aspect)
        open_ = aspect < 0
        for near in (hinted, inside, after, before):
            place = np.clip(near, 0, max(len(at) - 1, 0))
            fits = open_ & (near >= 0) & (near < len(at)) & (marks.clause[place] == marks.clause)
            if near is hinted:
                fits &= marks.end[place] > marks.start
            if near is inside:
                fits &= marks.start[place] < marks.end
            out = np.where(fits, aspect[place], out)
        return out

    def _placed(self, normal: Normal, said: "Said", clause: Places) -> pl.DataFrame:
        """With the place of each clause in its text as typed, without the signs that end it."""
        inner = clause[: len(normal.codes)]
        start, end = np.searchsorted(inner, said.clause), np.searchsorted(inner, said.clause, side="right")
        start, end = np.maximum(start, normal.first[said.row]), np.minimum(end, normal.first[said.row + 1])
        start, end = self._clauses.engine.trimmed(normal, start, end)
        start, end = normal.as_typed(said.row, start, end) if len(said.row) else (start, end)
        names = (pl.Series(self._codes, dtype=pl.String), pl.Series(_NAMES, dtype=pl.String))
        columns = {"row": said.row, "aspect": names[0].gather(said.aspect), "polarity": names[1].gather(said.polarity)}
        out = pl.DataFrame(columns | {"start": start, "end": end})
        return out.select(pl.col(name).cast(kind) for name, kind in CLAUSE_SCHEMA.items())


@dataclass(frozen=True, slots=True)
class Said:
    """One entry for each clause and aspect: row, clause, number of the aspect, number of the polarity among `_NAMES`.

    `stressed`: as of `Marks`.
    """

    row: Places
    clause: Places
    aspect: Places
    polarity: Places
    stressed: Flags


def _customers(texts: pl.Series) -> pl.Series:
    """What the customers themselves wrote, as far as it is read."""
    return texts.fill_null("").str.head(LONGEST).str.replace(_REPLY, "")


def _in_passing(said: Said, length: Places) -> Floats:
    """1 for each review that is `LONG` and of whose clauses one alone blames, in passing; else 0."""
    blames = said.polarity == 0
    row, clause, stressed = said.row[blames], said.clause[blames], said.stressed[blames]
    new = np.append(True, clause[1:] != clause[:-1])[: len(row)]
    clauses = np.bincount(row[new], minlength=len(length))
    stresses = np.bincount(row[stressed], minlength=len(length))
    passing: Floats = ((clauses == 1) & (stresses == 0) & (length > LONG)).astype(np.float64)
    return passing


def _sums(row: Places, weights: Floats, rows: int) -> Floats:
    sums: Floats = np.bincount(row, weights, rows).astype(np.float64)
    return sums


def with_rating(p_negative: Floats, ratings: pl.Series) -> Floats:
    """The estimate together with a rating 1 … 5, where there is one."""
    clipped = np.clip(p_negative, 1e-6, 1 - 1e-6)
    added = ratings.replace_strict(RATING_WEIGHT, default=0.0, return_dtype=pl.Float64).fill_null(0.0).to_numpy()
    both: Floats = 1 / (1 + np.exp(-(np.log(clipped / (1 - clipped)) + added)))
    return both
