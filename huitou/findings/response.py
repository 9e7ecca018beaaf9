"""Response: hours in which too few are answered in time, replies slower than the trade asks, customers nobody answered."""

from math import ceil
from typing import Any

import polars as pl

from huitou.findings import evidence
from huitou.findings.case import CHAT, LEAST, Case
from huitou.findings.conversion import estimate
from huitou.findings.model import Cause, Evidence, Finding, Remedy, Row
from huitou.findings.stats import Estimate, Z, share, z_for
from huitou.findings.wording import count, hours_en, hours_zh, pct, pct0, seconds_en, seconds_zh, span

FEW = 0.005
"""A shop that leaves fewer than one customer in two hundred without an answer is fine."""

METRIC = "human_response_rate_3min"
SPEED = {"first_response_time": ("首次响应", "First response"), "average_response_time": ("平均响应", "Average response")}


def busy_hours(case: Case) -> Finding | None:
    """Hours of the day in which fewer are answered within three minutes than the platform asks for."""
    goals = case.goals.get(METRIC, ())
    if not goals or not case.has("rounds"):
        return None
    case.missed(METRIC)
    goal, hours = goals[0], _by_hour(case)
    z = z_for(hours.height)
    rows = {h: share(k, n) for h, n, k in hours.select("hour", "n", "k").iter_rows() if n >= LEAST}
    slow = [h for h, e in rows.items() if e.value + z / Z * (e.high - e.value) < goal.value]
    if not slow:
        return None
    inside = pl.col("hour").is_in(slow)
    sums = hours.group_by(inside.alias("slow")).agg(
        pl.col("n").sum(), pl.col("k").sum(), pl.col("chats").sum(), pl.col("staff").sum()
    )
    n, k = sums.filter(pl.col("slow")).select("n", "k").row(0)
    e, late = share(k, n), n - k
    load = {s: c / max(p, 1) for s, c, p in sums.select("slow", "chats", "staff").iter_rows()}
    causes = _load(load, n)
    more = _people(hours, slow, load)
    return Finding(
        code="response.busy_hours", metric=METRIC, scope={"hour": ",".join(str(h) for h in sorted(slow))}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=e.n, unit="share", goal=goal, customers=_waiting(case, slow), money=None,
        title_zh=f"{hours_zh(slow)} 3 分钟人工响应率 {pct(e.value)}，{goal.zh} {pct0(goal.value)}",
        title_en=f"{hours_en(slow)}: {pct(e.value)} answered within 3 minutes; {goal.en} {pct0(goal.value)}",
        why_zh=f"这些时段的 {count(n)} 轮提问里，{count(late)} 轮在 3 分钟里没有等到人（{span(e)}）。"
        + "".join(c.zh + "。" for c in causes),
        why_en=f"In {count(late)} of {count(n)} rounds of these hours nobody answered within 3 minutes ({span(e)} %). "
        + "".join(c.en + "." for c in causes),
        causes=causes, evidence=_longest(case, slow), counter_zh="", counter_en="",
        remedies=(Remedy(f"{hours_zh(slow)}{more[0]}，先排最忙的几天；一个月后再量这几个时段。",
                         f"{more[1]} at {hours_en(slow)}, the busiest days first; measure these hours again in a month.",
                         "supervisor"),),
        rows=tuple(Row(f"{h} 点", r.value, r.low, r.high, r.n, h in slow) for h, r in sorted(rows.items())),
    )  # fmt: skip


def _in_time(case: Case) -> tuple[Any, Any]:
    t = case.during("rounds")
    pack = case.pack
    t = t.filter(t.second >= pack.response_from_s, t.second < pack.response_to_s)
    quick = (t.wait_s <= pack.response_within_s).fill_null(False)
    return t, quick & t.same_day if pack.answer_same_day else quick


def _by_hour(case: Case) -> pl.DataFrame:
    """By hour: rounds (n), answered in time (k), chats, agent-days on duty (staff) and days with any (days)."""
    t, quick = _in_time(case)
    t = t.mutate(hour=(t.second // 3600).cast("int64"), quick=quick.ifelse(1, 0))
    by = case.frame(t.group_by("hour").aggregate(n=t.count(), k=t.quick.sum()))
    chats = t.select("hour", *CHAT).distinct()
    staff = t.select("hour", "agent_key", "day").distinct()
    load = case.frame(chats.group_by("hour").aggregate(chats=chats.count()))
    duty = case.frame(staff.group_by("hour").aggregate(staff=staff.count(), days=staff.day.nunique()))
    return by.join(load, on="hour").join(duty, on="hour").sort("hour")


def _load(load: dict[bool, float], n: int) -> tuple[Cause, ...]:
    if False not in load or load[True] < 1.2 * load[False]:
        return ()
    zh = f"每人每小时接待 {load[True]:.1f} 段，其余时段 {load[False]:.1f} 段"
    en = f"Each agent has {load[True]:.1f} chats an hour then, {load[False]:.1f} at other times"
    return (Cause("load", zh, en, None, n),)


def _people(hours: pl.DataFrame, slow: list[int], load: dict[bool, float]) -> tuple[str, str]:
    """How many more agents would bring the load of these hours down to that of the others."""
    if False not in load or load[True] < 1.2 * load[False]:
        return "的排班和转接先看一遍", "Look at rota and transfers"
    busy = hours.filter(pl.col("hour").is_in(slow))
    present = sum(busy["staff"].to_list()) / max(sum(busy["days"].to_list()), 1)
    extra = max(ceil(present * (load[True] / load[False] - 1)), 1)
    return f"加 {extra} 人", f"Add {extra} agent{'s' if extra > 1 else ''}"


def _waiting(case: Case, slow: list[int]) -> int:
    t, quick = _in_time(case)
    t = t.mutate(hour=(t.second // 3600).cast("int64"), quick=quick)
    late = t.filter(t.hour.isin(slow), ~t.quick)
    return int(case.frame(late.aggregate(n=late.customer_key.nunique()))["n"][0])


def _longest(case: Case, hours: list[int]) -> tuple[Evidence, ...]:
    """The lost inquiry of these hours with the longest answered wait under ten minutes."""
    if not case.has("inquiries", "messages"):
        return ()
    t = case.during("rounds")
    lost = case.mature()
    late = t.filter(t.wait_s > case.pack.response_within_s, t.wait_s <= 600.0, (t.second // 3600).isin(hours))
    late = late.semi_join(lost.filter(~lost.ordered), CHAT).select(*CHAT, "wait_s", "asked_key", "answer_key")
    frame = case.frame(late).sort("wait_s", "asked_key", descending=[True, False]).head(1)
    if frame.is_empty():
        return ()
    shown = evidence.messages(case, [frame.select(CHAT).row(0)])
    wait = frame["wait_s"][0]
    one = evidence.chat(shown, {}, {frame["answer_key"][0]}, zh=f"等了 {seconds_zh(wait)}", en=f"waited {seconds_en(wait)}")
    return (one,) if one else ()


def speed(case: Case) -> Finding | None:
    """First or average response slower than the trade asks for; the one further away leads."""
    if not case.has("rounds"):
        return None
    missed = {m: f for m in SPEED if (f := case.missed(m, better="lower")) is not None}
    if not missed:
        return None
    metric = max(missed, key=lambda m: (missed[m][0].value or 0.0) / missed[m][1].value)
    cell, goal = missed[metric]
    e, (zh, en) = estimate(cell), SPEED[metric]
    median = case.cell("first_response_time_median") if metric == "first_response_time" else case.cell("response_time_median")
    half_zh = f"一半在 {seconds_zh(median.value)}以内。" if median and median.value is not None else ""
    half_en = f"Half are within {seconds_en(median.value)}." if median and median.value is not None else ""
    others = [m for m in missed if m != metric]
    also_zh = "".join(f"{SPEED[m][0]} {missed[m][0].value:.0f} 秒，要求 {missed[m][1].value:.0f} 秒。" for m in others)
    also_en = "".join(f" {SPEED[m][1]} is {missed[m][0].value:.0f} s; asked {missed[m][1].value:.0f} s." for m in others)
    return Finding(
        code="response.speed", metric=metric, scope={}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=e.n, unit="s", goal=goal, customers=0, money=None,
        title_zh=f"{zh} {e.value:.0f} 秒，{goal.zh} {goal.value:.0f} 秒",
        title_en=f"{en} takes {e.value:.0f} s; {goal.en} {goal.value:.0f} s",
        why_zh=f"{count(e.n)} 轮的平均，没有回复的按规则计入（{span(e, 1.0)} 秒）。{half_zh}{also_zh}",
        why_en=f"Mean of {count(e.n)} rounds, unanswered ones as the rules count them ({span(e, 1.0)} s). {half_en}{also_en}",
        causes=(), evidence=(), counter_zh="", counter_en="",
        remedies=(Remedy("常见问题整理成快捷短语，每人留自己的说法；忙的时段先加人。",
                         "Make shortcut phrases for common questions, each in their own words; add people in busy hours first.",
                         "supervisor"),),
    )  # fmt: skip


def unanswered(case: Case) -> Finding | None:
    """Customers whom no person answered, though everyone asks for 100 %."""
    if not case.has("receptions") or (missed := case.missed("reply_rate")) is None:
        return None
    cell, goal = missed
    e = estimate(cell)
    if e.high > goal.value - FEW:
        case.fine.append("reply_rate")
        return None
    none = Estimate(1 - e.value, 1 - e.high, 1 - e.low, e.n)
    return Finding(
        code="response.unanswered", metric="reply_rate", scope={}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=e.n, unit="share", goal=goal, customers=round(none.value * e.n), money=None,
        title_zh=f"{count(none.value * e.n)} 位客户没有等到人工回复，回复率 {pct(e.value)}",
        title_en=f"{count(none.value * e.n)} customers got no human answer; the reply rate is {pct(e.value)}",
        why_zh=f"占 {count(e.n)} 位接待客户的 {pct(none.value)}（{span(none)}）。",
        why_en=f"{pct(none.value)} of {count(e.n)} received customers ({span(none)} %).",
        causes=_when(case), evidence=(), counter_zh="", counter_en="",
        remedies=(Remedy("写明交接班和夜间留言由谁、几点前回；每天早上先清留言。",
                         "State who answers messages left at hand-over and overnight, and by when; clear them each morning.",
                         "supervisor"),),
    )  # fmt: skip


def _when(case: Case) -> tuple[Cause, ...]:
    """The part of the unanswered that came outside the rule's hours."""
    t = case.during("receptions")
    t = t.filter(t.filtered.isnull(), ~t.answered)
    night = ((t.second < case.pack.response_from_s) | (t.second >= case.pack.response_to_s)).ifelse(1, 0)
    n, k = case.frame(t.aggregate(n=t.count(), k=night.sum())).row(0)
    if not n or not k:
        return ()
    hours = f"{case.pack.response_from_s // 3600}–{case.pack.response_to_s // 3600}"
    return (Cause("night", f"其中 {count(k)} 段在 {hours} 点以外", f"{count(k)} of the chats came outside {hours}:00", k / n, k),)
