"""The one full-size pass: messages by customers and persons → those at which something turns.

Everything that depends on the order of messages (rounds, sessions, who wrote first and last) is read off these rows; the
rest of the messages only has to be counted. Auto-replies, robots, system and transfer lines are left out before: they stop
no clock and bridge no pause.
"""

from datetime import date

import ibis

from huitou.facts.order import PAIR, InOrder
from huitou.facts.shape import DAY_US, SECOND_US, Expr, Rows
from huitou.rules import RulePack

LONGEST_PAUSE_DAYS = 7
"""A question is open no longer than this between two messages, even under rules that know neither day nor gap."""
PER_MESSAGE = 2**24
"""``written`` counts a person's messages in its lower 24 bits and their characters above: one running sum instead of two."""
MARKS = ("by_customer", "starts", "replies", "answers", "opens", "first_of_day", "last_of_day", "last")
"""What may be true of a turn, from the lowest bit of ``marks`` on: one number costs less to keep than eight columns."""
NEVER = -(2**62)
"""When the message before a pair's first one was sent: longer ago than any pause."""
NO_DAY = date(1, 1, 1)
"""The day of the message before a pair's first one, and of the one after its last."""
CARRIED = ("shop_key", *PAIR, "sent_at", "day", "second", "row_key")


def margin_days(pack: RulePack) -> int:
    """Days of messages before and after a stretch that its rounds and sessions can depend on."""
    session_days = -(-pack.session_gap_s // 86_400)
    bounded = pack.answer_same_day or pack.round_splits_at_gap
    return max(1 + session_days, 0 if bounded else 2 * LONGEST_PAUSE_DAYS)


def turns(messages: Rows, pack: RulePack, *, streamed: bool = False) -> Rows:
    """Messages that start or answer a round, begin a session, or are the first or last of their day (by person or customer).

    Order inside a customer and account: sent_at, then load and row of the file (row_key last). Columns, beside those of
    the message: ``place`` 0, 1, 2… along the messages; ``written`` by persons so far, this one included, and ``writes``
    by this one (see `PER_MESSAGE`); ``before_at`` the pair's message before, or `NEVER`; and ``marks``, of which `marked` makes
    columns: ``by_customer``; ``starts`` a round; ``replies`` first person after a customer; ``answers`` and in time to answer;
    ``opens`` a session; ``first_of_day``, ``last_of_day``, ``last`` of all. `streamed`: see `InOrder`; the rows come out sorted.
    """
    by_customer = messages.kind == "customer"
    human = messages.filter(messages.kind.isin(("customer", "agent"))).select(
        *CARRIED,
        by_customer=by_customer,
        writes=ibis.ifelse(by_customer, 0, messages.chars * PER_MESSAGE + 1),
        file_order=messages.load * 2**32 + messages.row,
    )
    run = InOrder(human, ("sent_at", "file_order", "row_key"), streamed=streamed)
    human = run.rows
    # what stands at the ends of a pair is no null, which would cost the conditions below three times as much
    seen = run.seeing(
        before={
            "after_customer": (human.by_customer, False), "before_at": (human.sent_at, NEVER), "before_day": (human.day, NO_DAY),
        },
        after={"after_day": (human.day, NO_DAY)},
        more={"place": run.place(), "written": run.so_far(human.writes)},
    )  # fmt: skip
    pause = seen.sent_at - seen.before_at
    new_day, gap = seen.before_day != seen.day, pause >= pack.session_gap_s * SECOND_US
    last_of_day = seen.after_day != seen.day
    seen = seen.filter(new_day | gap | (seen.after_customer != seen.by_customer) | last_of_day)
    cut = pause >= LONGEST_PAUSE_DAYS * DAY_US
    if pack.answer_same_day:
        cut = cut | new_day
    if pack.round_splits_at_gap:
        cut = cut | gap
    replies = ~seen.by_customer & seen.after_customer
    true = {
        "by_customer": seen.by_customer,
        "starts": seen.by_customer & (~seen.after_customer | cut),
        "replies": replies,
        "answers": replies & ~cut,
        "opens": gap,
        "first_of_day": new_day,
        "last_of_day": last_of_day,
        "last": seen.after_day == NO_DAY,
    }
    bits = [true[name].cast("int64") * 2**bit for bit, name in enumerate(MARKS)]
    return seen.mutate(marks=sum(bits[1:], bits[0])).drop(
        "file_order", "by_customer", "after_customer", "before_day", "after_day"
    )


def marked(turns: Rows) -> Rows:
    """Turns with each of their `MARKS` as a column."""
    return turns.mutate(**{name: (turns.marks & 2**bit) != 0 for bit, name in enumerate(MARKS)}).drop("marks")


def messages_in(written: Expr) -> Expr:
    """Messages by a person in a ``written`` count or a difference of two."""
    return written % PER_MESSAGE


def chars_in(written: Expr) -> Expr:
    """Characters by a person in a ``written`` count or a difference of two; exact, as the divisor is a power of two."""
    return ((written - written % PER_MESSAGE) / PER_MESSAGE).cast("int64")
