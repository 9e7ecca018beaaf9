"""What a metric function returns: which rows or customers are counted, and how. No number is computed here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Fact: TypeAlias = Any
"""The fact table that a metric function receives: an Ibis table. Its columns are attributes, which no type checker sees."""
Expr: TypeAlias = Any
"""An Ibis column of that table."""

Kind = Literal["share", "ratio", "mean", "quantile", "total", "count", "distinct", "per", "of_shop", "uplift"]


@dataclass(frozen=True, slots=True)
class Measure:
    """How a number is made from the rows of one fact table; built by the functions below, read by `compute`.

    `among`: the rows that count (None: all). `open`: rows whose outcome cannot be final yet; they are left out of the
    number and counted apart. `key`: what is counted once (a customer); None: rows. `money`: the values are fen.
    """

    kind: Kind
    value: Expr = None
    over: Expr = None
    among: Expr = None
    open: Expr = None
    key: Expr = None
    never: bool = False
    p: float = 0.5
    money: bool = False
    sampled: bool = True
    then: Callable[[Fact], "Measure"] = field(default=lambda _: count())


def share(outcome: Expr, *, among: Expr = None, of: Expr = None, open: Expr = None, never: bool = False) -> Measure:
    """Rows with the outcome ÷ rows; with `of`, distinct customers with the outcome ÷ distinct customers.

    A customer with several rows counts once and has the outcome when any row has it; `never=True` turns that round:
    customers none of whose rows has it. Interval: Wilson.
    """
    return Measure("share", value=outcome, among=among, key=of, open=open, never=never)


def ratio(numerator: Expr, denominator: Expr, *, among: Expr = None, open: Expr = None, money: bool = False) -> Measure:
    """Sum ÷ sum over rows that have both. Interval: linearised, rows as the sampling unit."""
    return Measure("ratio", value=numerator, over=denominator, among=among, open=open, money=money)


def mean(x: Expr, *, among: Expr = None, sampled: bool = True) -> Measure:
    """Arithmetic mean of the rows that have `x`. Interval: Student's t; none where the rows are no sample."""
    return Measure("mean", value=x, among=among, sampled=sampled)


def quantile(x: Expr, p: float, *, among: Expr = None) -> Measure:
    """The p-quantile of the rows that have `x`, interpolated linearly. Interval: two order statistics, exact binomial."""
    return Measure("quantile", value=x, p=p, among=among)


def total(x: Expr, *, among: Expr = None) -> Measure:
    """Sum of `x` in the period: a full count, so without a sampling interval."""
    return Measure("total", value=x, among=among)


def count(*, among: Expr = None) -> Measure:
    """Number of rows: a full count, so without a sampling interval."""
    return Measure("count", among=among)


def distinct(key: Expr, *, among: Expr = None) -> Measure:
    """Number of different keys (customers): a full count, so without a sampling interval."""
    return Measure("distinct", key=key, among=among)


def per(key: Expr, x: Expr, then: Callable[[Fact], Measure], *, among: Expr = None) -> Measure:
    """First one value `x` (an aggregate) per key, then `then` of the table whose column `x` holds those values.

    The key (customer, agent) is the sampling unit. Rows without a key are left out.
    """
    return Measure("per", value=x, key=key, among=key.notnull() if among is None else among & key.notnull(), then=then)


def of_shop(x: Expr, total_x: Expr, *, among: Expr = None, money: bool = False) -> Measure:
    """A part's sum ÷ the whole shop's sum: the dimension and filter "agent" act on the numerator only."""
    return Measure("of_shop", value=x, over=total_x, among=among, money=money)


def uplift(x: Expr, *, part: Expr, among: Expr = None) -> Measure:
    """Mean of the part's rows ÷ mean of all rows − 1; the dimension and filter "agent" act on the part only.

    Interval: Student's t of the part's mean, the shop's mean taken as given.
    """
    return Measure("uplift", value=x, over=part, among=among, money=True)
