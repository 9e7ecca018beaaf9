"""Labels as files have them: numbers, words, ratings or lists of codes, read as what a model learns.

Comes in: a column of labels. Goes out: the rows that have one, and their labels.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from huitou.errors import HuitouError, Say
from huitou.text.reviews import Reviewer

EXCLUSIVE = ("polarity", "satisfaction", "loss")
SEVERAL = ("aspects", "intents")
_GOOD = frozenset(
    ("positive", "pos", "good", "+", "好评", "好", "正面", "正向", "积极", "满意", "推荐", "正", "true", "yes", "褒")
)
_BAD = frozenset(
    ("negative", "neg", "bad", "-", "差评", "坏", "差", "负面", "负向", "消极", "不满意", "不推荐", "负", "false", "no", "贬")
)
_STARS = {"一星": 1, "二星": 2, "三星": 3, "四星": 4, "五星": 5, "中评": 3, "neutral": 3, "中性": 3}
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_BETWEEN = re.compile(r"\s*[;,；，、\n]\s*")
_SHORTEST = 4
WEAK_AT_MOST = 60_000
"""Reviews whose ratings are learned from."""


@dataclass(frozen=True, slots=True)
class Answers:
    """`rows`: those with a label, ascending; `labels`: theirs, one each where `exclusive`; `left`: rows without any."""

    rows: list[int]
    labels: list[list[str]]
    exclusive: bool
    left: int

    def named(self) -> list[str]:
        """Every label there is, sorted."""
        return sorted({label for one in self.labels for label in one})


class UselessLabels(HuitouError):
    """The column of labels teaches nothing: too few rows, or all of them the same."""

    def __init__(self, column: str, says: Say) -> None:
        fix = Say("看看标签是不是在这一列。", "See whether this is the column of the labels.")
        super().__init__(Say(f"{column} 列{says.zh}。", f"Column {column} {says.en}."), fix)


def answers(kind: str, column: pl.Series) -> Answers:
    """The labels of a column for a kind. A row of several kinds may have an empty list: it says that none fits.

    Raises UselessLabels where fewer than two labels or 10 rows are left.
    """
    if kind == "polarity":
        found = _polarity(_plain(column))
    elif kind in SEVERAL:
        found = [_listed(cell) for cell in column.to_list()]
    else:
        found = [_single(cell) for cell in _plain(column)]
    rows = [row for row, one in enumerate(found) if one is not None]
    read = Answers(rows, [one for one in found if one is not None], kind not in SEVERAL, len(found) - len(rows))
    return useful(read, column.name)


def useful(read: Answers, column: str) -> Answers:
    """The same, where a model can learn from them. Raises UselessLabels, which names the column."""
    if len(read.rows) < 10:
        says = Say(f"只有 {len(read.rows)} 行有标签，至少要 10 行", f"has a label in {len(read.rows)} rows; 10 are needed")
        raise UselessLabels(column, says)
    if len(read.named()) < (2 if read.exclusive else 1):
        only = "、".join(read.named()) or "…"
        raise UselessLabels(column, Say(f"只有一种标签（{only}）", f"has only one label ({only})"))
    return read


def weak_polarity(texts: pl.Series, ratings: pl.Series) -> tuple[pl.Series, Answers]:
    """Reviews and the polarity that a shop's own ratings (1–5) give them for free: 1 and 2 negative, 4 and 5 positive.

    Left out: three stars, texts too short to teach anything, repeated texts, and those whose words plainly contradict the stars.
    Of very many, `WEAK_AT_MOST` are taken.
    """
    frame = pl.DataFrame({"text": texts.fill_null(""), "rating": ratings.cast(pl.Float64)}).filter(
        (pl.col("text").str.strip_chars().str.len_chars() >= _SHORTEST)
        & pl.col("rating").is_between(1, 5)
        & (pl.col("rating") != 3)
    )
    frame = frame.unique("text", keep="none", maintain_order=True).sort(pl.col("text").hash(7)).head(WEAK_AT_MOST)
    said = Reviewer().read(frame["text"])[0]["p_negative"]
    good = frame["rating"] > 3
    frame = frame.filter(~((good & (said > 0.85)) | (~good & (said < 0.15))))
    labels = [["positive" if stars > 3 else "negative"] for stars in frame["rating"]]
    return frame["text"], Answers(list(range(frame.height)), labels, True, len(texts) - frame.height)


def _plain(column: pl.Series) -> list[str | None]:
    cells = [None if cell is None else str(cell).strip() for cell in column.to_list()]
    return [cell or None for cell in cells]


def _single(cell: str | None) -> list[str] | None:
    if cell is None:
        return None
    if cell.startswith("[") and (held := _listed(cell)):
        return held[:1]
    return [cell[:-2] if cell.endswith(".0") and _NUMBER.fullmatch(cell) else cell]


def _listed(cell: object) -> list[str] | None:
    """A list as it is, as JSON, or as text with commas between; an empty list is an answer, nothing is none."""
    if cell is None:
        return None
    if (isinstance(cell, Sequence) and not isinstance(cell, str)) or isinstance(cell, pl.Series):
        return list(dict.fromkeys(str(one).strip() for one in cell if one is not None and str(one).strip()))
    text = str(cell).strip()
    if text.startswith("["):
        try:
            held = json.loads(text.replace("'", '"'))
        except ValueError:
            held = _BETWEEN.split(text.strip("[]"))
        return _listed(held) if isinstance(held, list) else None
    return _listed(_BETWEEN.split(text)) if text else None


def _polarity(cells: list[str | None]) -> list[list[str] | None]:
    """Words, 0 and 1, −1 to 1, or ratings of 1 to 5 (the middle is left out), told apart by what the column holds."""
    numbers = {float(cell) for cell in cells if cell is not None and _NUMBER.fullmatch(cell)}
    low, middle = (-1.0, 0.0) if -1.0 in numbers else (0.0, 0.5)
    if numbers and max(numbers) > 1:
        low, middle = (0.0, 1.0) if max(numbers) == 2 and 0.0 in numbers else (1.0, 3.0)

    def one(cell: str | None) -> list[str] | None:
        word = (cell or "").lower()
        value = float(word) if _NUMBER.fullmatch(word) else _STARS.get(word)
        if value is None and (star := re.fullmatch(r"([1-5])\s*(星|stars?)", word)):
            value = float(star[1])
        if value is not None:
            border = middle if _NUMBER.fullmatch(word) else 3
            return None if value == border or value < low else [["negative"], ["positive"]][value > border]
        return ["positive"] if word in _GOOD else ["negative"] if word in _BAD else None

    return [one(cell) for cell in cells]
