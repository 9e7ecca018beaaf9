"""Intervals, differences and the standardised comparison of people, on small frames: numpy and scipy only."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, ndtri

Z = 1.959963984540054
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval and the number of units behind it."""

    value: float
    low: float
    high: float
    n: int

    @property
    def se(self) -> float:
        """Standard error that the interval's width stands for."""
        return (self.high - self.low) / (2 * Z)

    def times(self, factor: float) -> "Estimate":
        """The same in another unit."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Estimate(self.value * factor, low, high, self.n)


def share(k: float, n: float) -> Estimate:
    """k of n with its Wilson interval; n > 0."""
    p, z2 = k / n, Z * Z
    mid = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Estimate(p, max(mid - half, 0.0), min(mid + half, 1.0), round(n))


def mean(total: float, squares: float, n: int) -> Estimate:
    """Mean with its normal interval from sum, sum of squares and count (n ≥ 2)."""
    m = total / n
    half = Z * sqrt(max(squares / n - m * m, 0.0) / (n - 1))
    return Estimate(m, m - half, m + half, n)


def ratio(y: float, x: float, yy: float, xx: float, xy: float, n: int) -> Estimate:
    """Σy ÷ Σx over n units with its delta interval, from the sums of squares and products (n ≥ 2, Σx > 0)."""
    r = y / x
    spread = max(yy - 2 * r * xy + r * r * xx, 0.0)
    half = Z * sqrt(spread * n / (n - 1)) / x
    return Estimate(r, r - half, r + half, n)


def difference(a: Estimate, b: Estimate, z: float = Z) -> Estimate:
    """a − b of two independent estimates (MOVER: Newcombe's interval for shares), n = a's; `z` widens for several looks."""
    grow, d = z / Z, a.value - b.value
    low = d - grow * sqrt((a.value - a.low) ** 2 + (b.high - b.value) ** 2)
    high = d + grow * sqrt((a.high - a.value) ** 2 + (b.value - b.low) ** 2)
    return Estimate(d, low, high, a.n)


def z_for(looks: int, alpha: float = 0.05) -> float:
    """Two-sided normal quantile when `looks` comparisons share one error rate (Bonferroni)."""
    return -float(ndtri(alpha / (2 * max(looks, 1))))


def product(a: Estimate, b: Estimate) -> Estimate:
    """a × b of two independent estimates with a delta interval; n = a's."""
    value, z2 = a.value * b.value, Z * Z
    var = (a.value * b.se) ** 2 + (b.value * a.se) ** 2 + (a.se * b.se) ** 2
    half = sqrt(var * z2)
    return Estimate(value, value - half, value + half, a.n)


@dataclass(frozen=True, slots=True)
class Standardised:
    """Units (agents) as if each had served the whole shop's mix: adjusted shares and their covariance."""

    units: tuple[int, ...]
    n: Floats
    raw: Floats
    adjusted: Floats
    cov: Floats

    def estimate(self, i: int) -> Estimate:
        """Unit i's adjusted share."""
        half = Z * sqrt(self.cov[i, i])
        p = float(self.adjusted[i])
        return Estimate(p, max(p - half, 0.0), min(p + half, 1.0), int(self.n[i]))

    def against(self, i: int, others: Sequence[int]) -> Estimate:
        """Unit i less the n-weighted mean of `others` (i itself left out)."""
        rest = [j for j in others if j != i]
        c = np.zeros(len(self.units))
        c[i], c[rest] = 1.0, -self.n[rest] / self.n[rest].sum()
        d, half = float(c @ self.adjusted), Z * sqrt(float(c @ self.cov @ c))
        return Estimate(d, d - half, d + half, int(self.n[i]))

    def pooled(self, members: Sequence[int]) -> Estimate:
        """The n-weighted mean of `members`."""
        w = np.zeros(len(self.units))
        w[list(members)] = self.n[list(members)] / self.n[list(members)].sum()
        p, half = float(w @ self.adjusted), Z * sqrt(float(w @ self.cov @ w))
        return Estimate(p, p - half, p + half, int(self.n[list(members)].sum()))

    def shortage(self, low: Sequence[int], group: Sequence[int]) -> Estimate:
        """Orders that `low` are short of what `group` would have made of as many inquiries."""
        c, rest = np.zeros(len(self.units)), list(group)
        c[rest] = self.n[rest] / self.n[rest].sum() * self.n[list(low)].sum()
        c[list(low)] -= self.n[list(low)]
        d, half = float(c @ self.adjusted), Z * sqrt(float(c @ self.cov @ c))
        return Estimate(d, d - half, d + half, int(self.n[list(low)].sum()))


def standardise(cells: pl.DataFrame, unit: str, covariates: Sequence[str], *, spread_over: str | None = None) -> Standardised:
    """Logistic regression of k out of n on `unit` and `covariates`, then each unit's mean over the shop's own mix.

    `cells` has columns unit (int), covariates (any), n, k. Covariates carry a ridge of variance 1 on the logit scale, which
    keeps rare levels from blowing up. Where `spread_over` names a column (a week), the covariance is widened by the
    unit × week overdispersion, so that agents who swing from week to week are not told apart by chance.
    """
    keys = [unit, *covariates, *([spread_over] if spread_over else [])]
    data = cells.group_by(keys, maintain_order=True).agg(pl.col("n").sum(), pl.col("k").sum()).sort(keys)
    units = data[unit].unique().sort()
    blocks = [_one_hot(data[unit], units)]
    blocks += [_one_hot(data[c], data[c].unique().sort()) for c in covariates]
    x = sparse.hstack(blocks, format="csr")
    n, k = data["n"].to_numpy().astype(float), data["k"].to_numpy().astype(float)
    ridge = np.r_[np.full(len(units), 1e-6), np.full(x.shape[1] - len(units), 1.0)]
    beta, cov = _ridge_logit(x, n, k, ridge)
    if spread_over:
        cov = cov * _overdispersion(data.select(unit, spread_over), n, k, np.asarray(expit(x @ beta)))
    mix = sparse.hstack(blocks[1:], format="csr") if covariates else sparse.csr_matrix((len(n), 0))
    return _margins(units, data[unit], mix, (n, k), (beta, cov))


def _one_hot(values: pl.Series, levels: pl.Series) -> sparse.csr_matrix:
    index = pl.DataFrame({"v": levels, "i": np.arange(len(levels))})
    at = pl.DataFrame({"v": values}).join(index, on="v", how="left", maintain_order="left", nulls_equal=True)["i"].to_numpy()
    return sparse.csr_matrix((np.ones(len(at)), (np.arange(len(at)), at)), shape=(len(at), len(levels)))


def _ridge_logit(x: sparse.csr_matrix, n: Floats, k: Floats, ridge: Floats) -> tuple[Floats, Floats]:
    """Penalised maximum likelihood by Newton's method, and the inverse of the penalised information."""
    beta = np.zeros(x.shape[1])
    for _ in range(50):
        p = np.asarray(expit(x @ beta))
        w = n * p * (1 - p)
        information = (x.T @ x.multiply(w[:, None]).tocsr()).toarray() + np.diag(ridge)
        step = np.linalg.solve(information, np.asarray(x.T @ (k - n * p)) - ridge * beta)
        beta = beta + np.clip(step, -3, 3)
        if np.abs(step).max() < 1e-8:
            break
    return beta, np.linalg.inv(information)


def _overdispersion(groups: pl.DataFrame, n: Floats, k: Floats, p: Floats) -> float:
    """Pearson χ² ÷ degrees of freedom over unit × week, at least 1."""
    unit, week = groups.columns
    by = (
        groups.with_columns(r=pl.Series(k - n * p), v=pl.Series(n * p * (1 - p)))
        .group_by(unit, week, maintain_order=True).agg(pl.col("r").sum(), pl.col("v").sum()).filter(pl.col("v") >= 1)
    )  # fmt: skip
    free = by.height - by[unit].n_unique() - by[week].n_unique() + 1
    return max(1.0, float((by["r"] ** 2 / by["v"]).sum()) / free) if free >= 10 else 1.0


def _margins(
    units: pl.Series, at: pl.Series, mix: sparse.csr_matrix, counts: tuple[Floats, Floats], fit: tuple[Floats, Floats]
) -> Standardised:
    (n, k), (beta, cov), m = counts, fit, len(units)
    weight, base = n / n.sum(), np.asarray(mix @ beta[m:])
    adjusted, gradient = np.zeros(m), np.zeros((m, len(beta)))
    for i in range(m):
        p = expit(beta[i] + base)
        slope = weight * p * (1 - p)
        adjusted[i] = weight @ p
        gradient[i, i], gradient[i, m:] = slope.sum(), np.asarray(mix.T @ slope)
    raw = pl.DataFrame({"u": at, "n": n, "k": k}).group_by("u").agg(pl.col("n").sum(), pl.col("k").sum()).sort("u")
    raw_share = (raw["k"] / raw["n"]).to_numpy()
    return Standardised(tuple(units.to_list()), raw["n"].to_numpy(), raw_share, adjusted, gradient @ cov @ gradient.T)


def main_group(s: Standardised, *, alpha: float = 0.05, margin: float = 0.10, least: int = 30) -> tuple[list[int], list[int]]:
    """Indices of the units that cannot be told apart, and of those clearly below them.

    The most extreme unit leaves the group while its distance to the rest excludes zero at α ÷ units and is at least `margin`
    of the rest's value; then each that left is held against the final group again. Units with fewer than `least` are in neither.
    """
    judged = [i for i in range(len(s.units)) if s.n[i] >= least]
    group, z = list(judged), z_for(len(judged), alpha)
    while len(group) > 2:
        far = {i: _distance(s, i, group, margin) for i in group}
        if max(map(abs, far.values())) <= z:
            break
        group.remove(max(far, key=lambda i: abs(far[i])))
    low = [i for i in judged if i not in group and _distance(s, i, group, margin) < -z]
    return group, low


def _distance(s: Standardised, i: int, group: Sequence[int], margin: float) -> float:
    """Standard errors from unit i to the rest of the group; 0 where the distance is too small to matter.

    The error is never taken smaller than it would be at the rest's own share: an estimate that came out low by chance has a
    small error of its own and would be believed too easily.
    """
    d, rest = s.against(i, group), s.pooled([j for j in group if j != i]).value
    p = min(max(float(s.adjusted[i]), 1e-9), 1 - 1e-9)
    widen = sqrt(max(1.0, rest * (1 - rest) / (p * (1 - p))))
    return d.value / (d.se * widen) if d.se > 0 and abs(d.value) >= margin * rest else 0.0
