"""What a report is made of: everything computed, nothing left to compute."""

from dataclasses import dataclass, field
from datetime import date, datetime

from huitou.errors import Say
from huitou.findings.model import Diagnosis, Goal
from huitou.metrics.declare import METRICS, Metric
from huitou.metrics.model import Cell
from huitou.metrics.population import POPULATIONS
from huitou.reports.words import catalogue, means_zh, say
from huitou.rules.model import RulePack

KEY_FIGURES = ("inquiry_conversion", "payment_conversion", "human_response_rate_3min", "repurchase_rate")
BY_HOUR = ("human_response", "average_response", "response_time", "first_response", "reply_rate", "slow_reply")
FIELDS = {"conversion", "quality", "service", "orders", "refunds", "reviews", "traffic", "scores"}


@dataclass(frozen=True, slots=True)
class MetricNote:
    """What a metric is called, what it means and who says so; as its declaration has it."""

    id: str
    zh: str
    en: str
    means_zh: str
    means_en: str
    source: str
    group_zh: str = ""
    group_en: str = ""

    @classmethod
    def of(cls, metric: Metric) -> "MetricNote":
        """From the metric's declaration; the group is the field of the trade that it is declared in."""
        field_ = metric.measure.__module__.rsplit(".", 1)[-1]
        group = f"group.{field_ if field_ in FIELDS else 'other'}"
        means = " ".join(metric.doc.split("\n\n")[0].replace("`", "").split())
        zh = means_zh().get(metric.id, "")
        return cls(metric.id, metric.zh, metric.en, zh, means, metric.source, say(group, "zh"), say(group, "en"))


@dataclass(frozen=True, slots=True)
class LoadNote:
    """One imported file and its ledger: rows = stored + known + set_aside. `reasons` counts the rows set aside."""

    file: str
    source_zh: str
    source_en: str
    rows: int
    stored: int
    known: int
    set_aside: int
    first: date | None = None  # first and last day of its rows
    last: date | None = None
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """The diagnosis of one period with its numbers, their meaning and their origin.

    `cells`: values of the whole shop (``by == {}``: key figures, appendix) and cuts by one dimension (``by == {"week":
    "2026-05-04"}`` for trends, ``{"hour": "21"}`` for the day's strip). `goals`: metric id → what it should reach.
    `checks`: how far the imported files join, and what waits to be mended, as sentences.
    `key`: metric ids of the figures under the headline; those without a value are replaced by the next ones that have one.
    """

    diagnosis: Diagnosis
    cells: tuple[Cell, ...]
    metrics: dict[str, MetricNote]
    loads: tuple[LoadNote, ...]
    pack: RulePack | None
    made_at: datetime
    goals: dict[str, Goal] = field(default_factory=dict)
    key: tuple[str, ...] = KEY_FIGURES
    checks: tuple[Say, ...] = ()

    def whole(self) -> dict[str, Cell]:
        """Metric id → its value for the whole shop."""
        return {c.metric: c for c in self.cells if not c.by}

    def cut(self, metric: str, dimension: str) -> list[Cell]:
        """The metric's values along one dimension, in the order of its names (weeks and hours: in time)."""
        cells = [c for c in self.cells if c.metric == metric and tuple(c.by) == (dimension,)]
        return sorted(cells, key=lambda c: (len(c.by[dimension]), c.by[dimension]))

    def note(self, metric: str) -> MetricNote:
        """The metric's declaration; one that was not handed in is known by its name or id only."""
        if metric in self.metrics:
            return self.metrics[metric]
        zh, en = catalogue().get(f"metric.{metric}", (metric, metric))
        return MetricNote(metric, zh, en, "", "", "")

    def goal(self, metric: str) -> Goal | None:
        """What the metric should reach: as handed in, else as the finding about it says."""
        said = (f.goal for f in self.diagnosis.findings if f.metric == metric and not f.scope)
        return self.goals.get(metric) or next(said, None)


def notes() -> dict[str, MetricNote]:
    """The declarations of all metrics, for ``Report.metrics``."""
    return {metric.id: MetricNote.of(metric) for metric in METRICS.values()}


def cuts(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    """(metric, dimension) pairs that the report of `diagnosis` draws; the caller computes each and hands the cells in."""
    wanted: dict[tuple[str, str], None] = {}
    for f in diagnosis.findings:
        wanted |= {(f.metric, "week"): None}
        if f.metric.startswith(BY_HOUR):
            wanted |= {(f.metric, "hour"): None}
        if f.code.startswith("payment."):
            wanted |= {("time_to_pay_p90", "customer"): None}
    return [(m, dim) for m, dim in wanted if m in METRICS and (of := METRICS[m].of) and dim in POPULATIONS[of].dims]
