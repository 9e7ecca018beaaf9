"""A metric that got clearly worse between the first and the last four weeks: the plain kind of finding."""

from huitou.findings.case import LEAST, Case
from huitou.findings.conversion import estimate
from huitou.findings.model import OWN_DATA, Finding, Goal, Remedy
from huitou.findings.stats import Estimate, difference
from huitou.findings.wording import count, day_en, day_zh, pct, points, span


def worse_than_before(
    case: Case, metric: str, *, better: str, code: str, names: tuple[str, str], remedy: Remedy
) -> Finding | None:
    """A share whose last four weeks are worse than the first four, where the interval of the difference excludes zero."""
    if case.stretches is None:
        return None
    then, now = case.stretches
    before, after = case.cell(metric, then), case.cell(metric, now)
    if before is None or after is None or min(before.n, after.n) < LEAST:
        return None
    a, b = estimate(after), estimate(before)
    d = difference(a, b) if better == "lower" else difference(b, a)
    if d.low <= 0:
        case.fine.append(metric)
        return None
    days = f"{day_zh(then[0])}–{day_zh(then[1])}"
    days_en = f"{day_en(then[0])}–{day_en(then[1])}"
    goal = Goal(metric, b.value, "history", f"本店{days}", f"own {days_en}", OWN_DATA)
    short: Estimate = d.times(a.n)
    more_zh, more_en = ("高", "higher") if better == "lower" else ("低", "lower")
    return Finding(
        code=code, metric=metric, scope={}, period=now, value=a.value, low=a.low, high=a.high, n=a.n, unit="share", goal=goal,
        customers=round(short.value), money=None,
        title_zh=f"{names[0]}从 {pct(b.value)} 到 {pct(a.value)}",
        title_en=f"{names[1]} went from {pct(b.value)} to {pct(a.value)}",
        why_zh=f"最近四周（{span(a)}）比{days}{more_zh} {points(d.value)} 点（{span(d)}），样本 {count(a.n)}。",
        why_en=f"The last four weeks ({span(a)} %) are {points(d.value)} points {more_en} than {days_en} "
        f"({span(d)}); n = {count(a.n)}.",
        causes=(), evidence=(), counter_zh="", counter_en="", remedies=(remedy,),
    )  # fmt: skip
