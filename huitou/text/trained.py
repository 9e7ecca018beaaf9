"""The models of a folder at work: polarity and aspects of reviews, intents and satisfaction of messages, reasons of chats.

Comes in: texts, and what the rules read in them. Goes out: labels, in the set that each model was learned with.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from huitou.errors import HuitouError, Say
from huitou.text.clauses import Floats
from huitou.text.learn import PLANS, POLARITIES, over_rules
from huitou.text.models import TextModel
from huitou.text.reviews import Signs
from huitou.text.version import MODELS

KINDS = tuple(PLANS)
Estimate = Callable[[Signs, pl.Series], Floats]
_SPEAKERS = {"customer": "顾客：", "agent": "客服：", "robot": "机器人：", "system": "系统："}


class ModelUnreadable(HuitouError):
    """A model's file is cut, or was written by another version."""

    def __init__(self, folder: Path, kind: str) -> None:
        file = folder / f"{kind}.npz"
        says = Say(f"{file} 读不了：文件损坏，或是别的版本写的。", f"{file} cannot be read: damaged, or of another version.")
        super().__init__(says, Say(f"用 `huitou learn {kind}` 重新学习。", f"Learn it again with `huitou learn {kind}`."))


@dataclass(frozen=True, slots=True)
class Trained:
    """The models of a folder by kind (one of `KINDS`)."""

    models: dict[str, TextModel]

    @staticmethod
    def of(folder: Path, kinds: Iterable[str] = KINDS) -> "Trained":
        """Those of `kinds` that the folder holds; none where there is no folder. Raises ModelUnreadable."""
        models = {}
        for kind in kinds:
            if not (folder / f"{kind}.npz").is_file():
                continue
            try:
                models[kind] = TextModel.load(folder, kind)
            except (OSError, ValueError, KeyError, TypeError):
                raise ModelUnreadable(folder, kind) from None
        return Trained(models)

    def not_worse(self) -> "Trained":
        """The same without a model of polarity that was right less often than the rules."""
        return Trained({kind: model for kind, model in self.models.items() if kind != "polarity" or over_rules(model) >= 0})

    def estimate(self) -> Estimate | None:
        """What stands in for the rules' p(negative) of a review, where a model of polarity is there."""
        model = self.models.get("polarity")
        return _estimate(model) if model and model.labels == POLARITIES else None

    def labels(self, kind: str, texts: pl.Series) -> list[list[str]]:
        """The labels of each text; texts without a word have none of the kinds that may give several."""
        model = self.models[kind]
        said = model.decide(model.proba(texts))
        if model.plan.exclusive:
            return said
        blank = (texts.fill_null("").str.strip_chars() == "").to_list()
        return [[] if nothing else one for nothing, one in zip(blank, said, strict=True)]

    def reasons(self, chats: Sequence[str], read: Sequence[str | None], certainty: Sequence[float]) -> list[str | None]:
        """Why each chat was lost. `chats` as `chat_text` writes them; `read`, `certainty`: what the rules say.

        Where nothing was lost, nothing is. The model's chances and the rules' reading are added up, each with the weight of how
        often it is right: the model on chats that were held back, the rules as certain as they are.
        """
        model = self.models["loss"]
        chances = model.proba(pl.Series(chats, dtype=pl.String))
        weight = float(model.figures.get("accuracy", {}).get("value", 0.5)) if model.figures else 0.5
        number = {label: nth for nth, label in enumerate(model.labels)}
        both = chances * weight
        for row, (code, sure) in enumerate(zip(read, certainty, strict=True)):
            if code in number:
                both[row, number[code]] += sure * (1 - weight)
        best = both.argmax(axis=1)
        return [None if code is None else model.labels[nth] for code, nth in zip(read, best, strict=True)]


def polarity_of(workspace: Path) -> Estimate | None:
    """What stands in for the rules' p(negative) in a workspace: its model, where that is better. Raises ModelUnreadable."""
    model = Trained.of(workspace / MODELS, ("polarity",)).models.get("polarity")
    return _estimate(model) if model and over_rules(model) > 0 else None


def _estimate(model: TextModel) -> Estimate:
    return lambda _, texts: model.proba(texts)[:, 0].astype(np.float64)


def chat_text(lines: Iterable[tuple[str | None, str]]) -> str:
    """A chat as one text: who speaks (customer, agent, robot, system) and what, a line each."""
    return "\n".join(_SPEAKERS.get(who or "", "") + " ".join(text.split()) for who, text in lines)
