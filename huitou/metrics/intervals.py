"""95 % intervals, vectorised over groups: arrays in, arrays out, NaN where the data allow none."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrik, ndtri, stdtrit

Array = NDArray[np.float64]
LEVEL = 0.95


def wilson(successes: ArrayLike, n: ArrayLike, level: float = LEVEL) -> tuple[Array, Array]:
    """Score interval of a share, rows or customers taken as independent trials. Wilson, JASA 22 (1927) 209–212.

    (k + z²/2 ± z √(k (n−k)/n + z²/4)) ÷ (n + z²); within 0…1, also for 0 and n successes. NaN where n = 0.
    """
    k, m = np.asarray(successes, float), np.asarray(n, float)
    z = float(ndtri(0.5 + level / 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (k + z * z / 2) / (m + z * z)
        half = z * np.sqrt(k * (m - k) / m + z * z / 4) / (m + z * z)
    return np.where(k == 0, 0.0, middle - half) + 0 * half, np.where(k == m, 1.0, middle + half) + 0 * half


def mean_t(mean: ArrayLike, sd: ArrayLike, n: ArrayLike, level: float = LEVEL) -> tuple[Array, Array]:
    """Student's t interval of a mean: mean ± t(n−1) · sd ÷ √n, with the sample's sd (n−1). NaN where n < 2."""
    m, count = np.asarray(mean, float), np.asarray(n, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.where(count > 1, stdtrit(count - 1, 0.5 + level / 2) * np.asarray(sd, float) / np.sqrt(count), np.nan)
    return m - half, m + half


def quantile_ranks(n: ArrayLike, p: float, level: float = LEVEL) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranks (1…n) of the two order statistics that enclose the p-quantile with at least `level`; 0 where there is none.

    With B ~ Binomial(n, p): the lower is the largest rank l with P(B < l) ≤ α/2, the upper the smallest u with
    P(B ≥ u) ≤ α/2. Distribution-free; Conover, Practical Nonparametric Statistics, 3rd ed., 3.2.
    """
    count, tail = np.asarray(n).astype(np.int64), (1 - level) / 2
    low, high = _binomial_ppf(tail, count, p), _binomial_ppf(1 - tail, count, p) + 1
    there = (low >= 1) & (high <= count)
    return np.where(there, low, 0).astype(np.int64), np.where(there, high, 0).astype(np.int64)


def _binomial_ppf(q: float, n: NDArray[np.int64], p: float) -> Array:
    """Smallest k with P(B ≤ k) ≥ q; the inverse is continuous, so its ceiling may be one too high."""
    k = np.ceil(bdtrik(q, n, p))
    below = np.maximum(k - 1, 0)
    return np.asarray(np.where(bdtr(below, n, p) >= q, below, k), float)


def ratio_of_sums(
    n: ArrayLike, sums: tuple[ArrayLike, ArrayLike], squares: tuple[ArrayLike, ArrayLike, ArrayLike]
) -> tuple[Array, Array]:
    """Linearised (delta-method) interval of R = Σy ÷ Σx over n independent units; t with n−1 degrees of freedom.

    `sums` = (Σy, Σx), `squares` = (Σy², Σxy, Σx²). Var R ≈ n ÷ (n−1) · Σ(y − R x)² ÷ (Σx)². Cochran, Sampling
    Techniques, 3rd ed., 2.11. NaN where n < 2 or Σx = 0.
    """
    count, y, x = (np.asarray(a, float) for a in (n, *sums))
    yy, xy, xx = (np.asarray(a, float) for a in squares)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = y / x
        residual = np.maximum(yy - 2 * r * xy + r * r * xx, 0)
        sd = np.sqrt(count / (count - 1) * residual) / np.abs(x)
        half = np.where((count > 1) & (x != 0), stdtrit(count - 1, 0.5 + LEVEL / 2) * sd, np.nan)
    return r - half, r + half
