"""Declares metrics: one decorated function each, with every fact about it that a reader of the number may ask for."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import Literal, get_args

from huitou.errors import Say, UnknownName
from huitou.metrics.measures import Fact, Measure, count
from huitou.metrics.needs import NEEDS
from huitou.metrics.population import DIMENSIONS, POPULATIONS
from huitou.rules import RulePack

Unit = Literal["share", "s", "CNY", "count", "ratio", "stars"]
Better = Literal["higher", "lower", "none"]
Finality = Literal["at once", "the day's end", "the order window", "the payment window", "both windows", "the export"]
"""When a number stops changing: with its last row · when the day is over · when the order window, the payment window, or
one after the other, has closed for every row · never by itself: it says what the newest export says (refunds, reviews)."""
Function = Callable[[Fact, RulePack], Measure]


@dataclass(frozen=True, slots=True)
class Metric:
    """One declared metric. `of` names the population it counts; None: no file can feed it yet.

    `needs` are codes of `NEEDS`, the most basic first; `rules` the fields of the rule pack it depends on; below `min_n`
    a group is not shown; `not_by` are dimensions by which it would say nothing. `doc` is the function's docstring.
    """

    id: str
    of: str | None
    zh: str
    en: str
    unit: Unit
    better: Better
    source: str
    needs: tuple[str, ...]
    final_after: Finality
    rules: tuple[str, ...]
    min_n: int
    not_by: tuple[str, ...]
    doc: str
    measure: Function

    def __post_init__(self) -> None:
        """Refuses a declaration that lacks a fact, at import."""
        wrong = [name for name in ("id", "zh", "en", "source", "doc", "needs") if not getattr(self, name)]
        wrong += [f"unit {self.unit!r}"] * (self.unit not in get_args(Unit))
        wrong += [f"better {self.better!r}"] * (self.better not in get_args(Better))
        wrong += [f"final_after {self.final_after!r}"] * (self.final_after not in get_args(Finality))
        wrong += [f"of {self.of!r}"] * (self.of is not None and self.of not in POPULATIONS)
        wrong += [f"needs {need!r}" for need in self.needs if need not in NEEDS]
        wrong += [f"rules {rule!r}" for rule in self.rules if rule not in {f.name for f in dataclass_fields(RulePack)}]
        wrong += [f"not_by {dim!r}" for dim in self.not_by if dim not in DIMENSIONS]
        wrong += ["declared twice"] * (self.id in METRICS)
        if wrong:
            raise ValueError(f"metric {self.id}: missing or wrong: {', '.join(wrong)}")

    @property
    def dims(self) -> tuple[str, ...]:
        """The dimensions that it can be grouped and filtered by; of a metric that nothing feeds yet: all."""
        return tuple(dim for dim in (POPULATIONS[self.of].dims if self.of else DIMENSIONS) if dim not in self.not_by)


METRICS: dict[str, Metric] = {}
"""Every declared metric by id, in the order of declaration."""


def metric(  # noqa: PLR0913 (a declaration is the list of its facts)
    *,
    of: str,
    zh: str,
    en: str,
    unit: Unit,
    better: Better,
    source: str,
    needs: tuple[str, ...],
    final_after: Finality,
    rules: tuple[str, ...] = (),
    min_n: int = 0,
    not_by: tuple[str, ...] = (),
) -> Callable[[Function], Function]:
    """Declare the decorated function as the metric of its name. Raises ValueError at import for a missing fact."""

    def declared(function: Function) -> Function:
        name, doc = function.__name__, (function.__doc__ or "").strip()
        METRICS[name] = Metric(name, of, zh, en, unit, better, source, needs, final_after, rules, min_n, not_by, doc, function)
        return function

    return declared


def not_carried(  # noqa: PLR0913 (a declaration is the list of its facts)
    name: str, *, zh: str, en: str, unit: Unit, better: Better, source: str, needs: tuple[str, ...], doc: str
) -> None:
    """Declare a metric whose facts no file can carry yet: it always answers with what it needs."""
    METRICS[name] = Metric(name, None, zh, en, unit, better, source, needs, "the export", (), 0, (), doc, lambda t, rule: count())


def declared(name: str) -> Metric:
    """The metric called `name`. Raises UnknownName with the nearest one."""
    if name not in METRICS:
        raise UnknownName(Say("指标", "metric"), name, METRICS)
    return METRICS[name]


def catalog() -> list[Metric]:
    """All declared metrics, field by field, in the order of declaration."""
    return list(METRICS.values())
