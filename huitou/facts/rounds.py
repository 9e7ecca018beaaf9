"""Turns → rounds: a burst of customer questions and the first valid reply by a person of the receiving account."""

import ibis

from huitou.facts.order import InOrder
from huitou.facts.roster import Roster, among
from huitou.facts.shape import SECOND_US, Rows, declared
from huitou.facts.turns import marked
from huitou.tables import TABLES


def rounds(turns: Rows, roster: Roster, *, streamed: bool = False) -> Rows:
    """One row per round; consecutive questions count from the first.

    A round begins with the first customer message, after a person's message, on a new day (rule ``answer_same_day``), after
    a session gap (rule ``round_splits_at_gap``). What ends a round also ends the time to answer it. ``opens`` is the
    round whose first question begins a session or is the first after an account that began it. Left out: rounds of colleagues
    and blocked people, and unanswered ones of robot accounts (nobody was there to answer).
    `streamed`: turns that were made so, in the order in which they were stored.
    Source: trade: response (3分钟人工响应率, 旺旺人工平响时长).
    """
    turns = marked(turns)
    marks = turns.filter(turns.starts | turns.replies | turns.last | (turns.opens & ~turns.by_customer))
    run = InOrder(marks, () if streamed else ("place",), streamed=streamed)
    answers = marks.answers
    behind = marks.place + (marks.by_customer & ~marks.starts).cast("int64")  # a pair's last message may be one more question
    seen = run.seeing(
        before={"account_opened": marks.opens & ~marks.by_customer},
        after={
            "place_behind": behind,
            "answered_at": ibis.ifelse(answers, marks.sent_at, ibis.null("int64")),
            "answer_key": ibis.ifelse(answers, marks.row_key, ibis.null("int64")),
            "next_day": marks.day,
        },
    )
    asked = seen.filter(seen.starts)
    asked = asked.mutate(
        asked_at=asked.sent_at,
        wait_s=(asked.answered_at - asked.sent_at).cast("float64") / SECOND_US,
        same_day=asked.answered_at.notnull() & (asked.next_day == asked.day),
        opens=asked.opens | asked.account_opened.fill_null(False),
        questions=(asked.place_behind - asked.place).fill_null(1),
        asked_key=asked.row_key,
    )
    if roster.colleagues or roster.blocked:
        asked = asked.filter(~among(asked.customer_key, roster.colleagues + roster.blocked))
    if roster.robots:
        asked = asked.filter(asked.answered_at.notnull() | ~among(asked.agent_key, roster.robots))
    return declared(asked, TABLES["rounds"])
