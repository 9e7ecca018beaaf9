"""Learning from labelled texts: a part is held back, the figures are of that part, and a worse model replaces no better one.

Comes in: texts and labels as a file has them. Goes out: in a folder two models of each kind. ``KIND`` has learned from all
texts and is what is used; ``KIND.judged`` has not seen the part that is held back, and the figures are its own. Which texts are
held back hangs on the text alone, so that two judged models can be compared on texts that neither has learned from.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from huitou.text.answers import Answers
from huitou.text.grams import Floats
from huitou.text.models import Mix, Plan, TextModel
from huitou.text.normal import Places
from huitou.text.parts import Flags
from huitou.text.reviews import Reviewer

JUDGED = ".judged"
POLARITIES = ("negative", "positive")
_FEW = 8_000  # texts for which a mix is fitted on all of them
_BORDERS = np.arange(0.1, 0.8, 0.02)
_SHIFTS = np.arange(-1.0, 1.01, 0.1)
_Z = 1.959964

PLANS: Mapping[str, Plan] = {
    "polarity": Plan(longest=4, bits=22, units=(32, 32, 32), cues=("aspects", "polarity")),
    "aspects": Plan(longest=2, clauses=True, exclusive=False, cues=("aspects", "polarity")),
    "intents": Plan(longest=3, clauses=True, exclusive=False, cues=("intents", "complaints")),
    "satisfaction": Plan(longest=2, smooth=True, ending=True, cues=("intents", "complaints", "polarity")),
    "loss": Plan(longest=3, cues=("loss", "intents", "steps", "faults")),
}
"""How each kind is learned."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share ``hits / n`` and its 95 % interval. Wilson, JASA 22 (1927) 209."""

    hits: int
    n: int
    value: float
    low: float
    high: float

    @staticmethod
    def of(hits: int, n: int) -> "Rate":
        """The rate; all zero where there is nothing to share."""
        if not n:
            return Rate(0, 0, 0.0, 0.0, 0.0)
        p = hits / n
        middle, half = (p + _Z * _Z / (2 * n)), _Z * math.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
        size = 1 + _Z * _Z / n
        return Rate(hits, n, p, max(0.0, (middle - half) / size), min(1.0, (middle + half) / size))


@dataclass(frozen=True, slots=True)
class Figures:
    """How good a model is on texts that it did not learn from.

    `score` is what models are compared by: the accuracy, or the micro-F1 where texts have several labels. `labels`: of each its
    precision and recall.
    """

    texts: int
    accuracy: Rate
    micro_f1: float
    macro_f1: float
    score: float
    labels: dict[str, tuple[Rate, Rate]]


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of learning: the model that is in the folder now, the new one's figures, and the one's that was there before.

    `kept_old`: the older one is better on the held-back texts and stays. `learned_from`: texts of the new model. `rules`: how
    often the rules are right on the held-back texts, of polarity only.
    """

    model: TextModel
    figures: Figures
    before: Figures | None
    kept_old: bool
    learned_from: int
    rules: float | None = None


def learn(kind: str, texts: pl.Series, answers: Answers, folder: Path) -> Learned:
    """Learn one of `PLANS` and put the model in the folder, unless the one there is better.

    `texts`: those of the answers, in their order. The folder is made where there is none.
    """
    plan = replace(PLANS[kind], exclusive=answers.exclusive)
    held = held_back(texts)
    judged = TextModel.fit(texts.filter(~held), _of(answers, ~held), plan)
    texts_held, truth = texts.filter(held), _of(answers, held)
    figures, mix = _judge(judged, texts_held, truth)
    rules = _by_rules(texts_held, truth) if judged.labels == POLARITIES else None
    old = _there(folder, kind + JUDGED)
    before = _judge(old, texts_held, truth)[0] if old else None
    if before and before.score > figures.score and old and set(old.labels) & set(judged.labels):
        return Learned(TextModel.load(folder, kind), figures, before, True, len(texts), rules)
    facts = asdict(figures) | {"learned_from": len(texts), "rules": rules}
    full = TextModel.fit(texts, _of(answers, np.ones(len(texts), dtype=bool)), plan)
    few = len(texts) <= _FEW and len(full.labels) > 2
    best = _crossed(full, texts, answers) if few else _fitting(mix, judged.labels, full.labels)
    full = replace(full.mixed(best), figures=facts)
    full.save(folder, kind)
    replace(judged.mixed(mix), figures=facts).save(folder, kind + JUDGED)
    return Learned(full, figures, before, False, len(texts), rules)


def over_rules(model: TextModel) -> float:
    """How much more often a model of polarity was right than the rules (−1 to 1), on texts that it had not learned from.

    0 where that is not known.
    """
    rules = model.figures.get("rules")
    return 0.0 if rules is None else float(model.figures["accuracy"]["value"]) - float(rules)


def _by_rules(texts: pl.Series, truth: Sequence[str] | Sequence[Sequence[str]]) -> float:
    """How often the rules say the true polarity."""
    said = Reviewer().read(texts)[0]["polarity"]
    return float(np.mean([one == true for one, true in zip(said, truth, strict=True)])) if len(said) else 0.0


def held_back(texts: pl.Series) -> Flags:
    """Which texts are held back: about a fifth, the same ones at all times; equal texts together."""
    held: Flags = _fifths(texts) == 0
    if len(held) > 1 and (held.all() or not held.any()):
        held = np.arange(len(held)) % 5 == 0
    return held


def _fifths(texts: pl.Series) -> Places:
    checks = np.array([zlib.crc32(text.strip().encode()) for text in texts.fill_null("")], dtype=np.int64)
    fifths: Places = checks % 1000 // 200
    return fifths


def _crossed(model: TextModel, texts: pl.Series, answers: Answers) -> Mix:
    """The mix of a model whose texts are few: from what models of four fifths say of the other one, for each fifth."""
    fifths = _fifths(texts)
    scores = [np.full((len(texts), len(model.labels)), np.nan, dtype=np.float32) for _ in model.mix.scales]
    for fifth in np.unique(fifths):
        out = fifths == fifth
        if out.all():
            return model.mix
        part = TextModel.fit(texts.filter(~out), _of(answers, ~out), model.plan)
        if len(part.labels) < 3:
            continue
        columns = [model.labels.index(label) for label in part.labels]
        for known, said in zip(scores, part.scores(texts.filter(out)), strict=True):
            known[np.ix_(out, columns)] = said
    if any(np.isnan(known).all() for known in scores):
        return model.mix
    scores = [np.where(np.isnan(known), np.nanmin(known), known) for known in scores]
    flags = np.array([[label in one for label in model.labels] for one in answers.labels])
    return _mix(model, scores, flags)


def _of(answers: Answers, rows: Flags) -> list[str] | list[list[str]]:
    lists = [answers.labels[row] for row in np.flatnonzero(rows)]
    return [one[0] for one in lists] if answers.exclusive else lists


def _there(folder: Path, name: str) -> TextModel | None:
    """The model of that name, or none: one that cannot be read is as good as none."""
    try:
        return TextModel.load(folder, name)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _judge(model: TextModel, texts: pl.Series, truth: Sequence[str] | Sequence[Sequence[str]]) -> tuple[Figures, Mix]:
    """The figures of a model, and the mix of its parts fitted on all these texts.

    For the figures the mix is fitted on one half and used on the other, and the other way round.
    """
    scores = model.scores(texts)
    lists = [[one] if isinstance(one, str) else list(one) for one in truth]
    flags = np.array([[label in one for label in model.labels] for one in lists]).reshape(len(lists), len(model.labels))
    half = np.arange(len(lists)) % 2 == 0
    said: list[list[str]] = [[] for _ in lists]
    for rows in (half, ~half):
        if rows.any():
            fitted = model.mixed(_mix(model, [s[~rows] for s in scores], flags[~rows]))
            for row, one in zip(np.flatnonzero(rows), fitted.decide(fitted.chances([s[rows] for s in scores])), strict=True):
                said[row] = one
    return figures_of(said, lists, exclusive=model.plan.exclusive), _mix(model, scores, flags)


def figures_of(said: Sequence[Sequence[str]], truth: Sequence[Sequence[str]], *, exclusive: bool) -> Figures:
    """What labels are worth beside the true ones."""
    pairs = [(set(one), set(true)) for one, true in zip(said, truth, strict=True)]
    labels, f1s, hits, all_said, all_true = {}, [], 0, 0, 0
    for label in sorted(set().union(*(one | true for one, true in pairs)) if pairs else ()):
        right = sum(label in one and label in true for one, true in pairs)
        claimed, there = sum(label in one for one, _ in pairs), sum(label in true for _, true in pairs)
        labels[label] = (Rate.of(right, claimed), Rate.of(right, there))
        f1s.append(2 * right / (claimed + there))
        hits, all_said, all_true = hits + right, all_said + claimed, all_true + there
    accuracy = Rate.of(sum(one == true for one, true in pairs), len(pairs))
    micro = 2 * hits / max(all_said + all_true, 1)
    macro = float(np.mean(f1s)) if f1s else 0.0
    return Figures(len(pairs), accuracy, micro, macro, accuracy.value if exclusive else micro, labels)


def _mix(model: TextModel, scores: list[Floats], flags: Flags) -> Mix:
    """How the parts' scores become chances, from texts with known labels that the parts did not learn from."""
    if len(flags) < 20 or not flags.any() or flags.all():
        return model.mix
    scales = tuple(float(max(score.std(), 1e-3)) for score in scores)
    scaled = np.asarray(sum(score / scale for score, scale in zip(scores, scales, strict=True)) / len(scores))
    if scaled.shape[1] < flags.shape[1]:
        flags = flags[:, 1:]
    slope, offset = _line(scaled.ravel(), flags.ravel())
    mix = Mix(scales, slope, (offset,) * scaled.shape[1])
    mixed = model.mixed(mix)
    if not model.plan.exclusive:
        chances = mixed.chances(scores)
        return replace(mix, border=float(max(_BORDERS, key=lambda border: _micro(chances >= border, flags))))
    if scaled.shape[1] == 1:
        return mix
    return replace(mix, offsets=_shifts((slope * scaled).astype(np.float32), flags.argmax(axis=1)))


def _line(scores: Floats, flags: Flags) -> tuple[float, float]:
    """Slope and offset of the chance that a score stands for. Platt 1999."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - so that who only names the kinds need not wait

    if flags.all() or not flags.any():
        return 2.0, 0.0
    line = LogisticRegression(C=100.0).fit(scores[:, None], flags)
    return float(max(line.coef_[0, 0], 0.1)), float(line.intercept_[0])


def _micro(said: Flags, truth: Flags) -> float:
    return float(2 * (said & truth).sum() / max(said.sum() + truth.sum(), 1))


def _shifts(logits: Floats, truth: Places) -> tuple[float, ...]:
    """What is added to each label's score so that few labels are not drowned by many: accuracy and macro-F1 weigh alike."""
    shift = np.zeros(logits.shape[1])

    def worth() -> float:
        said = (logits + shift).argmax(axis=1)
        right = np.bincount(truth[said == truth], minlength=len(shift))
        both = np.bincount(said, minlength=len(shift)) + np.bincount(truth, minlength=len(shift))
        f1 = 2 * right[both > 0] / both[both > 0]
        return float(right.sum() / len(truth) + f1.mean() - 0.02 * np.abs(shift).mean())

    for _ in range(2 if len(shift) <= 5 else 0):
        for nth in range(len(shift)):
            tried = []
            for step in _SHIFTS:
                shift[nth] = step
                tried.append(worth())
            shift[nth] = _SHIFTS[int(np.argmax(tried))]
    return tuple(float(one) for one in shift)


def _fitting(mix: Mix, labels: tuple[str, ...], wider: tuple[str, ...]) -> Mix:
    """A mix of some labels for a model that knows more: what only the held-back texts have gets the middle."""
    if len(mix.offsets) == 1 or labels == wider:
        return mix if len(mix.offsets) == 1 else replace(mix, offsets=mix.offsets)
    known = dict(zip(labels, mix.offsets, strict=True))
    middle = float(np.median(mix.offsets))
    return replace(mix, offsets=tuple(known.get(label, middle) for label in wider))
