"""Talk, asides and rounds → receptions: shop × agent × customer × day, received or filtered out and why."""

import ibis

from huitou.facts.order import PAIR, InOrder
from huitou.facts.roster import Roster, among
from huitou.facts.shape import SECOND_US, Expr, Rows, declared, matched
from huitou.facts.turns import chars_in, marked, messages_in
from huitou.rules import RulePack
from huitou.tables import TABLES

DAILY = (*PAIR, "day")
PER_DAY = 2**20
"""A running tally counts beginnings of sessions in its lower 20 bits and replies above: one sum instead of two."""
_COUNTS = ("customer_messages", "agent_messages", "auto_messages", "agent_chars", "sessions", "rounds", "slow_rounds")
_YES_NO = ("customer_first", "customer_last", "answered", "transferred_in", "transferred_out")


def asides(messages: Rows) -> Rows:
    """Each day's messages that no turn stands for: auto-replies, robot's, and lines (system, transfer), which nobody says; and
    the product of the customer's first message with one."""
    carrying = (messages.kind == "customer") & messages.product_key.notnull()
    m = messages.filter(~messages.kind.isin(("customer", "agent")) | carrying)
    auto, line, transfer = m.kind.isin(("auto", "robot")), m.kind.isin(("system", "transfer")), m.kind == "transfer"
    order = ibis.struct({"sent_at": m.sent_at, "file_order": m.load * 2**32 + m.row})
    return m.group_by(*(m[k].name(f"aside_{k}") for k in DAILY)).aggregate(
        aside_shop=m.shop_key.min(),
        aside_key=m.row_key.min(where=auto | line),
        auto_messages=m.count(where=auto),
        auto_from=m.sent_at.min(where=auto),
        auto_to=m.sent_at.max(where=auto),
        auto_second=m.second.min(where=auto),
        line_from=m.sent_at.min(where=line),
        line_to=m.sent_at.max(where=line),
        line_second=m.second.min(where=line),
        transfer_from=m.sent_at.min(where=transfer),
        transfer_to=m.sent_at.max(where=transfer),
        product_key=m.product_key.argmin(order, where=m.kind == "customer"),
    )


def daily_talk(turns: Rows, *, streamed: bool = False) -> Rows:
    """Each day's talk of customer and persons: differences between its first and its last turn.

    `streamed`: turns that were made so, in the order in which they were stored.
    """
    turns = marked(turns)
    run = InOrder(turns, () if streamed else ("place",), streamed=streamed)
    first = turns.first_of_day
    tally = (turns.replies & ~first).cast("int64") * PER_DAY + (turns.opens | first).cast("int64")
    tallied = run.rows.mutate(tally=run.so_far(tally))
    # a day's last turn is the next mark behind its first one, unless that is its last one, too
    marks = tallied.filter(tallied.first_of_day | tallied.last_of_day)
    run = InOrder(marks, () if streamed else ("place",), streamed=streamed)
    ends = ("sent_at", "place", "written", "tally", "by_customer")
    seen = run.seeing(before={}, after={f"next_{name}": marks[name] for name in ends})
    day = seen.filter(seen.first_of_day)
    end = {name: ibis.ifelse(day.last_of_day, day[name], day[f"next_{name}"]) for name in ends}
    written, tally = end["written"] - day.written + day.writes, end["tally"] - day.tally
    by_persons = messages_in(written)
    return day.select(
        "shop_key", *DAILY, talk_key="row_key", talk_from="sent_at", talk_to=end["sent_at"], talk_second="second",
        customer_first="by_customer", customer_last=end["by_customer"], answered=tally >= PER_DAY, sessions=1 + tally % PER_DAY,
        agent_messages=by_persons, agent_chars=chars_in(written), customer_messages=end["place"] - day.place + 1 - by_persons,
    )  # fmt: skip


def receptions(talk: Rows, asides: Rows, rounds: Rows, *, pack: RulePack, roster: Roster) -> Rows:
    """One row per customer, account and day on which anything was written.

    `first_at`, `last_at` are those of everything said (customer, person, auto-reply, robot); of the system lines where
    there is nothing else. Who wrote first and last is told by customer and person only: an automatic greeting or «please
    wait» does not count. `first_key` is the first message of customer or person; without one, the smallest row_key.
    `filtered`, first that fits: colleague, blocked, empty (the customer wrote nothing), forwarded (transferred out without
    a person's message and the customer wrote nothing more), robot (an account without a person, which alone answered).
    Source: trade: inquiry funnel (接待人数).
    """
    day = _everything(talk, asides.drop("transfer_from", "transfer_to"))
    for facts in (_asked(rounds, pack), _handed_over(asides, talk, pack)):
        day = matched(day, facts, DAILY)
    day = day.mutate(
        first_at=ibis.least(day.talk_from, day.auto_from).coalesce(day.line_from),
        last_at=ibis.greatest(day.talk_to, day.auto_to).coalesce(day.line_to),
        second=ibis.least(day.talk_second, day.auto_second).coalesce(day.line_second),
        first_key=day.talk_key.coalesce(day.aside_key),
        **{name: day[name].fill_null(0) for name in _COUNTS},
        **{name: day[name].fill_null(False) for name in _YES_NO},
    )
    return declared(day.mutate(filtered=_filtered(day, roster)), TABLES["receptions"])


def _everything(talk: Rows, asides: Rows) -> Rows:
    both = talk.outer_join(asides, [talk[k] == asides[f"aside_{k}"] for k in DAILY])
    merged = {k: both[k].coalesce(both[f"aside_{k}"]) for k in DAILY}
    return both.mutate(**merged, shop_key=both.shop_key.coalesce(both.aside_shop)).drop(*(f"aside_{k}" for k in DAILY))


def _asked(rounds: Rows, pack: RulePack) -> Rows:
    """The day's rounds. The first one is unanswered when no answer and no other question is earlier than its own."""
    day = rounds.group_by(DAILY).aggregate(
        rounds=rounds.count(),
        slow_rounds=rounds.count(where=rounds.wait_s > pack.slow_reply_s),
        asked_from=rounds.asked_at.min(),
        unanswered_from=rounds.asked_at.min(where=rounds.answered_at.isnull()),
        answered_from=rounds.answered_at.min(),
    )
    first_open = (day.unanswered_from == day.asked_from) & (day.answered_from != day.asked_from).fill_null(True)
    wait = (day.answered_from - day.asked_from).cast("float64") / SECOND_US
    return day.select(
        *DAILY, "rounds", "slow_rounds", first_wait_s=ibis.ifelse(first_open.fill_null(False), ibis.null("float64"), wait)
    )


def _handed_over(asides: Rows, talk: Rows, pack: RulePack) -> Rows:
    """Receptions that a transfer touches. A transfer line at or after the day's first message by customer or person hands
    out, one before it hands in; a line that hands out also hands in to the account that goes on inside the session gap."""
    lines = asides.filter(asides.transfer_from.notnull())
    lines = lines.select("transfer_from", "transfer_to", **{k: lines[f"aside_{k}"] for k in DAILY})
    began = talk.select(*DAILY, "talk_from")
    lines = matched(lines, began, DAILY)
    lines = lines.mutate(
        out=(lines.transfer_to >= lines.talk_from).fill_null(False),
        into=(lines.transfer_from < lines.talk_from).fill_null(True),
    )
    handed = lines.filter(lines.out).select(
        handed_customer="customer_key", handed_day="day", from_agent="agent_key", handed_at="transfer_to"
    )
    met = began.inner_join(handed, [began.customer_key == handed.handed_customer, began.day == handed.handed_day])
    wait = met.talk_from - met.handed_at
    met = met.filter((met.agent_key != met.from_agent) & (wait >= 0) & (wait <= pack.session_gap_s * SECOND_US))
    taken = met.select(
        *DAILY, transfer_to=ibis.null("int64"), transferred_out=ibis.literal(False), transferred_in=ibis.literal(True)
    )
    own = lines.select(*DAILY, "transfer_to", transferred_out="out", transferred_in="into")
    both = own.union(taken)
    return both.group_by(DAILY).aggregate(
        transfer_to=both.transfer_to.max(), transferred_out=both.transferred_out.any(), transferred_in=both.transferred_in.any()
    )


def _filtered(day: Rows, roster: Roster) -> Expr:
    silent = day.agent_messages == 0
    nothing_more = (day.talk_to <= day.transfer_to).fill_null(True)
    return ibis.cases(
        (among(day.customer_key, roster.colleagues), "colleague"),
        (among(day.customer_key, roster.blocked), "blocked"),
        (day.customer_messages == 0, "empty"),
        (day.transferred_out & silent & nothing_more, "forwarded"),
        (among(day.agent_key, roster.robots) & silent & (day.auto_messages > 0), "robot"),
        else_=ibis.null("string"),
    )
