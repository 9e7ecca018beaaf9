"""How chats are handled: words that nobody should write, and promises that were not kept."""

import ibis
import ibis.expr.types as ir
import polars as pl

from huitou.errors import Say
from huitou.findings import evidence
from huitou.findings.case import CHAT, LEAST, Case
from huitou.findings.model import Cause, Evidence, Finding, Goal, Remedy, Row
from huitou.findings.remedies import remedy
from huitou.findings.stats import share
from huitou.findings.wording import count, list_en, list_zh, pct, span

WORDS = ("forbidden_words", "blaming", "asks_good_review_for_money", "off_platform_contact")
"""Faults that lie in what a person wrote, whatever became of the chat."""
LEAST_CHATS = 5
SURE = 3
"""Only what is said in so many words is held against anybody."""
PROMISED = ("dispatch", "dispatch_today")
"""Codes of promises that a parcel leaves by a time."""
BEFORE_US = 2 * 86_400 * 1_000_000
"""A promise speaks of an order placed this long before it, at most."""
_FORBIDDEN = Say("客服教程：客服禁语", "A customer-service course: words never to use")
_PROMISED = Say("客服教程：违背承诺是投诉的头一条", "A customer-service course: broken promises head the complaints")


def forbidden(case: Case) -> Finding | None:
    """Chats in which a person wrote what nobody should: slurs, blame, money for praise, contact outside the platform."""
    if not case.has("message_tags", "receptions"):
        return None
    tags = case.tags("faults", *WORDS, least=SURE)
    said = tags.filter(tags.kind == "agent", ~tags.negated)
    frame = case.frame(said.select(*CHAT, "message_key", "code", "sent_at")).sort("sent_at", "message_key", "code")
    frame = frame.filter(pl.col("agent_key").is_in(list(case.agents)))
    chats = frame.unique(list(CHAT))
    t = case.during("receptions")
    n = int(case.frame(t.filter(t.agent_messages > 0).count())[0, 0])
    if chats.height < LEAST_CHATS or n < LEAST:
        case.fine.append("chats_with_forbidden_words")
        return None
    e = share(min(chats.height, n), n)
    goal = Goal("chats_with_forbidden_words", 0.0, "company", "不该有", "none", _FORBIDDEN, "B")
    causes = _kinds(case, frame)
    return Finding(
        code="quality.forbidden", metric="chats_with_forbidden_words", scope={}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=n, unit="share", goal=goal, customers=chats.height, money=None,
        title_zh=f"{count(chats.height)} 段会话里有不该写的话",
        title_en=f"{count(chats.height)} chats hold words that should not be written",
        why_zh=f"占有人回复的 {count(n)} 段会话的 {pct(e.value)}（{span(e)}）。" + "".join(c.zh + "。" for c in causes[:2]),
        why_en=f"{pct(e.value)} of {count(n)} answered chats ({span(e)} %). " + "".join(c.en + ". " for c in causes[:2]),
        causes=causes, evidence=_quotes(case, frame, causes), counter_zh="", counter_en="",
        remedies=tuple(r for c in causes if (r := remedy(case.leaf("faults", c.code))).zh)[:2]
        or (Remedy("逐条读这些会话，和当班客服定一套说法。", "Read these chats and agree on wording.", "supervisor"),),
        rows=_by_agent(case, chats),
    )  # fmt: skip


def _kinds(case: Case, frame: pl.DataFrame) -> tuple[Cause, ...]:
    by = frame.unique([*CHAT, "code"])["code"].value_counts(sort=True).sort("count", "code", descending=[True, False])
    whole = frame.unique(list(CHAT)).height
    leaves = [(case.leaf("faults", code), k) for code, k in by.iter_rows()]
    return tuple(Cause(a.code, f"{a.zh}：{count(k)} 段", f"{a.en}: {count(k)} chats", k / whole, k) for a, k in leaves)


def _quotes(case: Case, frame: pl.DataFrame, causes: tuple[Cause, ...]) -> tuple[Evidence, ...]:
    """For each of the two most frequent kinds the latest chat, the reply marked."""
    out: list[Evidence] = []
    for cause in causes[:2]:
        row = frame.filter(code=cause.code).row(-1, named=True)
        shown = evidence.messages(case, [(row["customer_key"], row["agent_key"], row["day"])])
        leaf = case.leaf("faults", cause.code)
        one = evidence.chat(shown, {}, {row["message_key"]}, zh=leaf.zh, en=leaf.en)
        out += [one] if one else []
    return tuple(out)


def _by_agent(case: Case, chats: pl.DataFrame) -> tuple[Row, ...]:
    """Each agent's share of answered chats with such words; none is judged, the rows say where to read."""
    t = case.during("receptions")
    t = t.filter(t.agent_messages > 0)
    whole = dict(case.frame(t.group_by("agent_key").aggregate(n=t.count())).iter_rows())
    counts = dict(chats["agent_key"].value_counts().iter_rows())
    rows = []
    for agent, k in sorted(counts.items(), key=lambda c: (-c[1], case.agents[c[0]])):
        e = share(k, max(whole.get(agent, k), k))
        rows.append(Row(case.agents[agent], e.value, e.low, e.high, e.n, False))
    return tuple(rows)


def promises(case: Case) -> Finding | None:
    """Parcels that were promised for a time and left later."""
    if not case.has("commitments", "orders"):
        return None
    frame = kept_or_broken(case)
    broken = frame.filter("late")
    if frame.height < LEAST or broken.height < LEAST_CHATS:
        if frame.height >= LEAST:
            case.fine.append("dispatch_promises_kept")
        return None
    e = share(frame.height - broken.height, frame.height)
    goal = Goal("dispatch_promises_kept", 1.0, "company", "说到做到", "as promised", _PROMISED, "B")
    names = broken["agent_key"].value_counts(sort=True).sort("count", "agent_key", descending=[True, False])
    who = [f"{case.agents[a]} {k}" for a, k in names.iter_rows() if a in case.agents]
    return Finding(
        code="promise.broken", metric="dispatch_promises_kept", scope={}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=e.n, unit="share", goal=goal,
        customers=broken["customer_key"].n_unique(), money=None,
        title_zh=f"{count(frame.height)} 次答应了何时发货，{count(broken.height)} 次没有做到",
        title_en=f"Of {count(frame.height)} promised dispatch times {count(broken.height)} were missed",
        why_zh=f"做到的占 {pct(e.value)}（{span(e)}）。没做到的：{list_zh(who)}。",
        why_en=f"{pct(e.value)} were kept ({span(e)} %). Missed by: {list_en(who)}.",
        causes=(), evidence=_missed(case, broken), counter_zh="", counter_en="",
        remedies=(Remedy("说发货时间前先看仓库的截止时间；晚了的当天主动说一声。",
                         "Look at the warehouse's cut-off before naming a time; when it is late, say so the same day.",
                         "supervisor"),),
    )  # fmt: skip


def kept_or_broken(case: Case) -> pl.DataFrame:
    """Dispatch promises with a time whose order is known: the promise, the order, and whether it left `late`.

    The order is the customer's first one paid before the promise was due, placed at most two days before it was made.
    Promises whose order has not left and whose time has not come are left out.
    """
    c, o = case.during("commitments"), case.snapshot.table("orders")
    c = c.filter(c.kind.isin(PROMISED), c.due_at.notnull())
    o = o.filter(o.paid_at.notnull(), o.customer_key.notnull())
    o = o.select(buyer="customer_key", order_key="order_key", placed="created_at", paid="paid_at", left="shipped_at")
    met: ir.Table = c.inner_join(o, [c.customer_key == o.buyer])
    met = met.filter(met.placed >= met.sent_at - BEFORE_US, met.paid <= met.due_at)
    first = ibis.window(group_by=["message_key", "kind"], order_by=["placed", "order_key"])
    met = met.mutate(nth=ibis.row_number().over(first))
    met = met.filter(met.nth == 0, met.left.notnull())
    met = met.mutate(late=met.left > met.due_at)
    frame = case.frame(met.select(*CHAT, "sent_at", "message_key", "order_key", "late"))
    return frame.unique("order_key").sort("sent_at", "message_key")


def _missed(case: Case, broken: pl.DataFrame) -> tuple[Evidence, ...]:
    """The latest missed promise."""
    row = broken.row(-1, named=True)
    shown = evidence.messages(case, [(row["customer_key"], row["agent_key"], row["day"])])
    one = evidence.chat(shown, {}, {row["message_key"]}, zh="答应的时间没有发出", en="not dispatched by the promised time")
    return (one,) if one else ()
