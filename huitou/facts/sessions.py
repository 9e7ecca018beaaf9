"""Turns → sessions: stretches of talk between a customer and an account without a pause of the rule pack's gap."""

import ibis

from huitou.facts.order import InOrder
from huitou.facts.shape import Rows, declared
from huitou.facts.turns import marked, messages_in
from huitou.tables import TABLES


def sessions(turns: Rows, *, streamed: bool = False) -> Rows:
    """One row per session; the pause is the rule ``session_gap_s``, measured between messages of customer and person.

    `streamed`: turns that were made so, in the order in which they were stored.
    Source: trade: inquiry funnel, chat split (最长等待时间).
    """
    turns = marked(turns)
    marks = turns.filter(turns.opens | turns.last)
    opens, before = marks.opens, marks.written - marks.writes
    run = InOrder(marks, () if streamed else ("place",), streamed=streamed)
    # the session before a mark ends with the message before it, or with the pair's last message
    seen = run.seeing(
        before={},
        after={
            "next_at": ibis.ifelse(opens, marks.before_at, marks.sent_at),
            "next_place": ibis.ifelse(opens, marks.place, marks.place + 1),
            "next_written": ibis.ifelse(opens, before, marks.written),
        },
        more={"written_before": before},
    )
    begun = seen.filter(seen.opens)
    begun = begun.mutate(
        started_at=begun.sent_at,
        ended_at=begun.next_at.coalesce(begun.sent_at),
        messages=begun.next_place.coalesce(begun.place + 1) - begun.place,
        agent_messages=messages_in(begun.next_written.coalesce(begun.written) - begun.written_before),
        first_key=begun.row_key,
    )
    return declared(begun.mutate(customer_messages=begun.messages - begun.agent_messages), TABLES["sessions"])
