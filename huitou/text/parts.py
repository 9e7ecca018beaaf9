"""The three ways to learn of which models are made: lines, a hidden layer, and clauses of which any may show a label.

Each takes a sparse matrix of texts (or clauses) and which label each text has, and gives weights as arrays.
"""

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack

from huitou.text.grams import Floats
from huitou.text.normal import Places

Flags = npt.NDArray[np.bool_]
Arrays = dict[str, Floats]
SEED = 20260531
WAYS = ("sum", "most", "last", "first")
"""How the clauses of a text are heard: of each unit the sum over all, the most, what it says of the last and of the first."""
_SMOOTH = 0.05  # what an answer may be wrong by chance
_DROPPED_GRAMS, _DROPPED_UNITS = 0.5, 0.5
_DROPPED_CLAUSES = 0.2
_BATCH, _ROUNDS, _STEP = 256, 6, 2e-3
_NEVER = 0.3  # how often an n-gram is taken to stand even where it never does
_STRENGTH = 0.1  # of the squared weights of clauses beside their error
_MOST_STEPS = 60


def fit_lines(texts: csr_matrix, labels: Flags, cost: float) -> Arrays:
    """One straight line a label between the texts that have it and the others (support vectors): weights and bias.

    Where there is one label only, each n-gram first counts by how much more often it stands on one side than on the other.
    Wang and Manning 2012, «Baselines and bigrams».
    """
    from sklearn.svm import LinearSVC  # noqa: PLC0415 - it takes longer to load than a model takes to be used

    ratio = {"ratio": _ratio(texts, labels[:, 0])} if labels.shape[1] == 1 else {}
    texts = weighed(texts, ratio)
    texts.sum_duplicates()
    weights = np.zeros((texts.shape[1], labels.shape[1]), dtype=np.float32)
    bias = np.zeros(labels.shape[1], dtype=np.float32)
    for nth in range(labels.shape[1]):
        if labels[:, nth].any() and not labels[:, nth].all():
            line = LinearSVC(C=cost, tol=1e-3, random_state=SEED, max_iter=2000).fit(texts, labels[:, nth])
            weights[:, nth], bias[nth] = line.coef_[0], line.intercept_[0]
        else:
            bias[nth] = 1.0 if labels[:, nth].any() else -1.0
    return {"lines": weights, "lines_bias": bias} | ratio


def fit_smooth(texts: csr_matrix, labels: Flags, cost: float) -> Arrays:
    """Lines whose scores are log-odds of labels that exclude each other (logistic regression), for labels that are noisy."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - as above

    model = LogisticRegression(C=cost, max_iter=300).fit(texts, labels.argmax(axis=1))
    weights = np.zeros((texts.shape[1], labels.shape[1]), dtype=np.float32)
    bias = np.full(labels.shape[1], -30.0, dtype=np.float32)
    weights[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    return {"lines": weights, "lines_bias": bias}


def _ratio(texts: csr_matrix, label: Flags) -> Floats:
    sides = [np.bincount(texts[rows].indices, texts[rows].data, texts.shape[1]) + _NEVER for rows in (label, ~label)]
    ratio: Floats = np.log((sides[0] / sides[0].sum()) / (sides[1] / sides[1].sum())).astype(np.float32)
    return ratio


def weighed(texts: csr_matrix, arrays: Arrays) -> csr_matrix:
    """Texts as the lines read them: with the ratios, where there are any, and of length 1 again."""
    if "ratio" not in arrays:
        return texts.copy()
    data = texts.data * arrays["ratio"][texts.indices]
    length = np.sqrt(np.add.reduceat(np.append(data * data, 0), texts.indptr[:-1])) * (np.diff(texts.indptr) > 0)
    data /= np.repeat(np.maximum(length, 1e-6), np.diff(texts.indptr))
    held = data.astype(np.float32), texts.indices.copy(), texts.indptr.copy()  # what is summed up in one is not in the other
    return csr_matrix(held, shape=texts.shape)


def fit_hidden(
    rows: csr_matrix, sizes: Places, labels: Flags, units: int, *, clauses: bool = False, seed: int = 0
) -> list[Floats]:
    """A layer of `units` that each read all n-grams of a row, and a line a label on what they say of the rows of a text.

    `sizes`: how many rows each text has, 1 or more; `clauses`: the rows are clauses, heard as `heard` says. Half of the n-grams
    and of the units and some clauses are left out at each step, so that none can rely on another; for clauses the steps get
    smaller. Adam, Kingma and Ba 2015. Goes out: weights and bias of both layers.
    """
    chance = np.random.default_rng(SEED + seed)
    wide = units * (len(WAYS) if clauses else 1)
    arrays = [
        (chance.standard_normal((rows.shape[1], units)) * 0.05).astype(np.float32),
        np.zeros(units, dtype=np.float32),
        (chance.standard_normal((wide, labels.shape[1])) * 0.3 / np.sqrt(wide / units)).astype(np.float32),
        np.zeros(labels.shape[1], dtype=np.float32),
    ]
    means, squares = [np.zeros_like(a) for a in arrays], [np.zeros_like(a) for a in arrays]
    aims = (labels * (1 - 2 * _SMOOTH) + _SMOOTH).astype(np.float32)
    starts = np.cumsum(sizes) - sizes
    steps, step = _ROUNDS * -(-len(labels) // _BATCH), 0
    for _ in range(_ROUNDS):
        order = chance.permutation(len(labels))
        for at in range(0, len(order), _BATCH):
            step += 1
            size = _STEP * (1 - step / steps) if clauses else _STEP
            some = order[at : at + _BATCH]
            taken, counts = _rows_of(starts[some], sizes[some], chance)
            known, batch = _columns(rows[taken], chance)
            slopes = _slopes(batch, counts, aims[some], [arrays[0][known], *arrays[1:]], chance)
            for nth, slope in enumerate(slopes):
                moved = known if nth == 0 else slice(None)
                mean = means[nth][moved] = means[nth][moved] * 0.9 + 0.1 * slope
                square = squares[nth][moved] = squares[nth][moved] * 0.999 + 0.001 * slope * slope
                arrays[nth][moved] -= size * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return arrays


def _rows_of(starts: Places, sizes: Places, chance: np.random.Generator) -> tuple[Places, Places]:
    """The rows of some texts and how many each has: of texts of several some are left out, never all."""
    of = np.repeat(np.arange(len(sizes)), sizes)
    rows = np.arange(len(of)) + (starts - np.cumsum(sizes) + sizes)[of]
    if len(of) == len(sizes):
        return rows, sizes
    stays = chance.random(len(of)) >= _DROPPED_CLAUSES
    stays |= (np.bincount(of[stays], minlength=len(sizes)) == 0)[of]
    return rows[stays], np.bincount(of[stays], minlength=len(sizes))


def heard(said: Floats, sizes: Places, ways: int) -> Floats:
    """What the units say of the rows of each text, as one row: in one way the sum, or in all `WAYS`.

    `sizes`: how many rows each text has. In a sum each row counts the less the more there are.
    """
    ends = np.cumsum(sizes)
    starts = ends - sizes
    if not len(sizes):
        return np.zeros((0, said.shape[1] * ways), dtype=np.float32)
    summed: Floats = (np.add.reduceat(said, starts, axis=0) / np.sqrt(sizes)[:, None]).astype(np.float32)
    if ways == 1:
        return summed
    most = np.maximum.reduceat(said, starts, axis=0)
    return np.concatenate((summed, most, said[ends - 1], said[starts]), axis=1)


def passed_back(slopes: Floats, said: Floats, sizes: Places) -> Floats:
    """How much each row's units add to what `heard` makes of them, given what each of its columns adds."""
    units = said.shape[1]
    ends = np.cumsum(sizes)
    starts = ends - sizes
    back: Floats = np.repeat(slopes[:, :units] / np.sqrt(sizes)[:, None].astype(np.float32), sizes, axis=0)
    if slopes.shape[1] > units:
        most = np.repeat(np.maximum.reduceat(said, starts, axis=0), sizes, axis=0)
        back += np.repeat(slopes[:, units : 2 * units], sizes, axis=0) * (said == most)
        back[ends - 1] += slopes[:, 2 * units : 3 * units]
        back[starts] += slopes[:, 3 * units :]
    return back


def _columns(batch: csr_matrix, chance: np.random.Generator) -> tuple[Places, csr_matrix]:
    """The columns that a batch touches, and the batch of only these, half of its n-grams left out."""
    touched = np.zeros(batch.shape[1], dtype=bool)
    touched[batch.indices] = True
    known = np.flatnonzero(touched)
    place = np.empty(batch.shape[1], dtype=np.int32)
    place[known] = np.arange(len(known), dtype=np.int32)
    stays = (chance.random(len(batch.data)) >= _DROPPED_GRAMS) / (1 - _DROPPED_GRAMS)
    held = ((batch.data * stays).astype(np.float32), place.take(batch.indices), batch.indptr)
    return known, csr_matrix(held, shape=(batch.shape[0], len(known)))


def _slopes(batch: csr_matrix, sizes: Places, aims: Floats, arrays: list[Floats], chance: np.random.Generator) -> list[Floats]:
    """How the error of a batch of rows (`sizes`: of each text) changes with each array."""
    hidden, hidden_bias, out, out_bias = arrays
    said = batch @ hidden + hidden_bias
    stays = ((chance.random(said.shape) >= _DROPPED_UNITS) / (1 - _DROPPED_UNITS)).astype(np.float32)
    spoken = np.maximum(said, 0) * stays
    whole = heard(spoken, sizes, len(out) // hidden.shape[1])
    wrong: Floats = (sigmoid(whole @ out + out_bias) - aims) / np.float32(len(aims))
    back = passed_back(wrong @ out.T, spoken, sizes) * stays * (said > 0)
    return [batch.T @ back, back.sum(0), whole.T @ wrong, wrong.sum(0)]


def fit_clauses(clauses: csr_matrix, row: Places, labels: Flags) -> Arrays:
    """Each clause speaks of one label or of none, and a text has the labels that any of its clauses speaks of.

    Which clause it was need not be known: the likelihood of the texts' labels, 1 − ∏(1 − p), is what is made largest.
    `row`: the text of each clause, ascending from 0.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - as above

    ones = csr_matrix(np.ones((clauses.shape[0], 1)))
    held = hstack((clauses.astype(np.float64), ones)).tocsr()
    turned = held.T.tocsr()
    starts = np.searchsorted(row, np.arange(len(labels)))
    aims = labels.astype(np.float64)
    shape = (held.shape[1], labels.shape[1] + 1)

    def error(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        chances = softmax(held @ flat.reshape(shape))
        each = np.minimum(chances[:, :-1], 1 - 1e-9)
        silent = np.add.reduceat(np.log1p(-each), starts, axis=0)
        shown = np.clip(-np.expm1(silent), 1e-9, 1 - 1e-9)
        loss = -(aims * np.log(shown) + (1 - aims) * silent).sum() + _STRENGTH / 2 * (flat @ flat)
        by_each = np.zeros_like(chances)
        by_each[:, :-1] = -(aims * np.exp(silent) / shown - (1 - aims))[row] / (1 - each)
        by_score = chances * (by_each - (by_each * chances).sum(1, keepdims=True))
        return loss, (turned @ by_score).ravel() + _STRENGTH * flat

    best = minimize(error, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": _MOST_STEPS})
    weights = best.x.reshape(shape).astype(np.float32)
    return {"clauses": weights[:-1], "clauses_bias": weights[-1]}


def any_clause(scores: Floats, row: Places, rows: int) -> Floats:
    """The chance of each label of each text, from its clauses' scores (the last column: of none)."""
    each = np.minimum(softmax(scores)[:, :-1], 1 - 1e-6)
    silent = np.zeros((rows, each.shape[1]))
    for nth in range(each.shape[1]):
        silent[:, nth] = np.bincount(row, np.log1p(-each[:, nth]), minlength=rows)
    shown: Floats = -np.expm1(silent).astype(np.float32)
    return shown


def sigmoid(scores: npt.NDArray[np.floating]) -> Floats:
    """Scores as chances of 0 to 1."""
    chances: Floats = 1 / (1 + np.exp(-np.clip(scores, -30, 30)))
    return chances


def softmax(scores: npt.NDArray[np.floating]) -> Floats:
    """Scores as chances that add up to 1 in each row."""
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances: Floats = grown / grown.sum(axis=1, keepdims=True)
    return chances
