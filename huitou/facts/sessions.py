"""Turns → sessions: stretches of talk between a customer and an account without a pause of the rule pack's gap."""

import ibis

from huitou.facts.shape import Rows, declared
from huitou.facts.turns import PAIR, messages_in
from huitou.tables import TABLES


def sessions(turns: Rows) -> Rows:
    """One row per session; the pause is the rule ``session_gap_s``, measured between messages of customer and person.

    Source: trade: inquiry funnel, chat split (最长等待时间).
    """
    marks = turns.filter(turns.opens | turns.last)
    marks = marks.mutate(written_before=marks.written - marks.writes)
    run = ibis.window(group_by=list(PAIR), order_by=[marks.place])
    seen = marks.mutate(
        next_opens=marks.opens.lead().over(run),
        next_at=marks.sent_at.lead().over(run),
        next_before_at=marks.before_at.lead().over(run),
        next_place=marks.place.lead().over(run),
        next_written=marks.written.lead().over(run),
        next_written_before=marks.written_before.lead().over(run),
    )
    begun = seen.filter(seen.opens)

    def at_end(if_alone: Rows, if_next_opens: Rows, otherwise: Rows) -> Rows:
        return ibis.cases((begun.next_opens.isnull(), if_alone), (begun.next_opens, if_next_opens), else_=otherwise)

    begun = begun.mutate(
        started_at=begun.sent_at,
        ended_at=at_end(begun.sent_at, begun.next_before_at, begun.next_at),
        messages=at_end(begun.place + 1, begun.next_place, begun.next_place + 1) - begun.place,
        agent_messages=messages_in(at_end(begun.written, begun.next_written_before, begun.next_written) - begun.written_before),
        first_key=begun.row_key,
    )
    return declared(begun.mutate(customer_messages=begun.messages - begun.agent_messages), TABLES["sessions"])
