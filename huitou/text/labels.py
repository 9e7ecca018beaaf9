"""Labels that people gave to texts: kept as JSON lines in a workspace, together with those of a file that was learned from.

Comes in: decisions, one at a time, and labelled files. Goes out: all of them as what a model learns from, and which of other
texts a model is least sure of. A text is decided on once; a person's decision counts more than a file's.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from huitou.text.answers import SEVERAL, Answers
from huitou.text.grams import Floats
from huitou.text.models import TextModel


@dataclass(frozen=True, slots=True)
class Labels:
    """Those of one kind (``polarity``, ``aspects`` …) in a folder: ``KIND.jsonl`` a person's, ``KIND.file.jsonl`` a file's."""

    folder: Path
    kind: str

    def decided(self) -> dict[str, list[str]]:
        """Text → labels, as a person decided last."""
        return _read(self.folder / f"{self.kind}.jsonl")

    def add(self, text: str, labels: Sequence[str]) -> None:
        """Keep a decision; it is on the disk when this returns."""
        row = {"text": text, "labels": list(labels), "at": datetime.now(UTC).isoformat(timespec="seconds")}
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{self.kind}.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")

    def put(self, texts: pl.Series, answers: Answers) -> None:
        """Keep what a file says, in place of what an earlier one said. `texts`: those of the answers, in their order."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{self.kind}.file.jsonl"
        new = file.with_suffix(".new")
        with new.open("w", encoding="utf-8") as out:
            for text, labels in zip(texts.fill_null(""), answers.labels, strict=True):
                out.write(json.dumps({"text": text, "labels": labels}, ensure_ascii=False) + "\n")
        new.replace(file)

    def over(self, texts: pl.Series, answers: Answers) -> tuple[pl.Series, Answers]:
        """Labels from elsewhere, where no person decided otherwise, and the decisions. `texts`: those of the answers."""
        return self._all(dict(zip(texts.to_list(), answers.labels, strict=True)) | self.decided())

    def together(self) -> tuple[pl.Series, Answers]:
        """All that is known: the file's, where no person decided otherwise, and the decisions."""
        return self._all(_read(self.folder / f"{self.kind}.file.jsonl") | self.decided())

    def _all(self, known: dict[str, list[str]]) -> tuple[pl.Series, Answers]:
        texts = pl.Series("text", list(known), dtype=pl.String)
        return texts, Answers(list(range(len(known))), list(known.values()), self.kind not in SEVERAL, 0)


def enough(answers: Answers) -> bool:
    """Whether a model can learn from them."""
    return len(answers.rows) >= 10 and len(answers.named()) >= (2 if answers.exclusive else 1)


def least_sure(model: TextModel, chances: Floats) -> list[int]:
    """Rows of `chances`, those first of which the model is least sure: two labels nearly alike, or one near its border."""
    if model.plan.exclusive:
        highest = np.sort(chances, axis=1)
        sure = highest[:, -1] - highest[:, -2] if chances.shape[1] > 1 else highest[:, -1]
    else:
        sure = np.abs(chances - model.mix.border).min(axis=1)
    order: list[int] = np.argsort(sure, kind="stable").tolist()
    return order


def _read(file: Path) -> dict[str, list[str]]:
    if not file.is_file():
        return {}
    return dict(_rows(file.read_text("utf-8", errors="replace").splitlines()))


def _rows(lines: Iterable[str]) -> Iterable[tuple[str, list[str]]]:
    for line in lines:
        try:
            row = json.loads(line)
            yield str(row["text"]), [str(label) for label in row["labels"]]
        except (ValueError, RecursionError, LookupError, TypeError):
            continue  # a line that was cut when the machine stopped
