"""Traffic: page views, visits and visitors as the platform counts them per day."""

from huitou.metrics.declare import metric
from huitou.metrics.measures import Fact, Measure, total
from huitou.rules import RulePack


@metric(
    of="traffic", zh="浏览量", en="Page views (PV)", unit="count", better="higher", needs=("traffic", "page views"),
    final_after="the day's end", source="[003] 1.3.1",
)  # fmt: skip
def page_views(t: Fact, rule: RulePack) -> Measure:
    """Page views or clicks."""
    return total(t.page_views)


@metric(
    of="traffic", zh="访问次数", en="Visits (UPV)", unit="count", better="higher", needs=("traffic", "visits"),
    final_after="the day's end", source="[003] 1.3.1",
)  # fmt: skip
def visits(t: Fact, rule: RulePack) -> Measure:
    """Visits: one address within a short time counts once."""
    return total(t.visits)


@metric(
    of="traffic", zh="访客数", en="Visitors (UV)", unit="count", better="higher", needs=("traffic",),
    final_after="the day's end", source="[003] 1.3.1",
)  # fmt: skip
def visitors(t: Fact, rule: RulePack) -> Measure:
    """Daily distinct visitors, added over the days: who came on two days counts twice."""
    return total(t.visitors)
