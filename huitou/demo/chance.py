"""Chance that can be repeated: one generator per purpose and day, and draws that keep their promised rate."""

from collections.abc import Iterable, Sequence
from math import exp, log
from random import Random
from typing import TypeVar

T = TypeVar("T")
_Z90 = 1.2815515655446004


class Dice(Random):
    """A generator seeded by words, so that one purpose never disturbs another."""

    def __init__(self, *key: object) -> None:
        super().__init__("|".join(map(str, key)))

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, all alike."""
        return items[int(self.random() * len(items))]

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return self.random() < p

    def weighted(self, items: Iterable[tuple[T, float]]) -> T:
        """One item by its weight (weights need not sum to one)."""
        listed = list(items)
        left = self.random() * sum(w for _, w in listed)
        for item, w in listed:
            left -= w
            if left < 0:
                return item
        return listed[-1][0]

    def lag(self, median: float, p90: float) -> float:
        """A lognormal duration by its median and 90th percentile, same unit."""
        return median * exp(self.normalvariate(0.0, log(p90 / median) / _Z90))


class Steady:
    """Yes or no with probability p, pulled back towards the promised total.

    The realised count stays within a few of Σp at any scale, so that planted rates can be checked in small samples;
    single draws remain unpredictable. `pull` is how much of the debt enters the next probability.
    """

    def __init__(self, pull: float = 0.01) -> None:
        self.debt = 0.0
        self.pull = pull

    def draw(self, dice: Dice, p: float, also: "Steady | None" = None) -> bool:
        """One draw, p in 0…1; `also` is a second promise that the same draw keeps."""
        pulled = p + self.pull * self.debt + (also.pull * also.debt if also else 0.0)
        hit = p > 0.0 and dice.random() < pulled
        self.count(p, hit)
        if also:
            also.count(p, hit)
        return hit

    def count(self, p: float, hit: bool) -> None:
        """Tell of an outcome that was decided elsewhere."""
        self.debt += p - hit


def spread(amount: float, carry: float) -> tuple[int, float]:
    """A whole number near a daily amount and what is carried to the next day."""
    whole = int(amount + carry)
    return whole, amount + carry - whole
