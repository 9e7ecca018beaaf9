"""Platform scores: DSR as imported, and composite scores that need the platform's own report."""

from huitou.metrics.declare import metric, not_carried
from huitou.metrics.measures import Fact, Measure, mean
from huitou.rules import RulePack

SCORES = ("traffic", "shop scores")


@metric(
    of="traffic", zh="描述相符评分", en="DSR: as described", unit="stars", better="higher", needs=SCORES,
    final_after="the export", source="[003] 1.4.2",
)  # fmt: skip
def dsr_item(t: Fact, rule: RulePack) -> Measure:
    """Mean of the period's daily scores, each of them the platform's own six-month mean: no interval of ours."""
    return mean(t.score_item, sampled=False)


@metric(
    of="traffic", zh="服务态度评分", en="DSR: service", unit="stars", better="higher", needs=SCORES,
    final_after="the export", source="[003] 1.4.2",
)  # fmt: skip
def dsr_service(t: Fact, rule: RulePack) -> Measure:
    """Mean of the period's daily scores, each of them the platform's own six-month mean: no interval of ours."""
    return mean(t.score_service, sampled=False)


@metric(
    of="traffic", zh="物流服务评分", en="DSR: logistics", unit="stars", better="higher", needs=SCORES,
    final_after="the export", source="[003] 1.4.2",
)  # fmt: skip
def dsr_logistics(t: Fact, rule: RulePack) -> Measure:
    """Mean of the period's daily scores, each of them the platform's own six-month mean: no interval of ours."""
    return mean(t.score_logistics, sampled=False)


not_carried(
    "tmall_experience_score", zh="天猫综合体验分", en="Tmall experience score", unit="stars", better="higher",
    source="[004]", needs=("score report",),
    doc="Goods 25 % + logistics 20 % + consulting 15 % + after-sale 20 % + disputes 20 % + bonus, capped at 5 (2022).",
)  # fmt: skip
not_carried(
    "jd_wind_vane", zh="京东风向标", en="JD store indicator", unit="stars", better="higher",
    source="[004]", needs=("score report",), doc="JD's comparable store indicator, ranked inside its category.",
)  # fmt: skip
