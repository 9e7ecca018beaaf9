"""Service: how many customers came, how fast and how fully they were answered, and what service sold."""

import ibis

from huitou.metrics.declare import metric, not_carried
from huitou.metrics.measures import Expr, Fact, Measure, distinct, mean, of_shop, per, quantile, ratio, share, uplift
from huitou.rules import RulePack

CHATS = ("chats",)
CREDIT = ("chats", "orders", "buyer id")
HOURS = ("response_from_s", "response_to_s", "answer_same_day")
CLOCK = (*HOURS, "response_cap_s", "unanswered_counts")
SATISFIED = 4
"""On the scale 5 very satisfied, 4 satisfied, 3 neither … 1 very dissatisfied."""
BY_CREDIT = ("attribution_window_s", "sales_agent")


def in_hours(t: Fact, rule: RulePack) -> Expr:
    """Rounds asked in the rule's hours."""
    return (t.second >= rule.response_from_s) & (t.second < rule.response_to_s)


def answered(t: Fact, rule: RulePack) -> Expr:
    """Rounds that count as answered: on the same day, where the rule asks for that."""
    return t.wait_s.notnull() & t.same_day if rule.answer_same_day else t.wait_s.notnull()


def waits(t: Fact, rule: RulePack) -> Expr:
    """Each round's wait in seconds as the rule counts it: capped; unanswered = the cap, or empty."""
    cap = rule.response_cap_s
    unanswered = ibis.literal(float(cap)) if cap is not None and rule.unanswered_counts else ibis.null("float64")
    wait = t.wait_s if cap is None else ibis.least(t.wait_s, ibis.literal(float(cap)))
    return answered(t, rule).ifelse(wait, unanswered)


@metric(
    of="receptions", zh="咨询人数", en="Consulting customers", unit="count", better="none", needs=CHATS,
    final_after="at once", source="[004]",
)  # fmt: skip
def consulting_customers(t: Fact, rule: RulePack) -> Measure:
    """All customers who consulted: received and filtered ones, each once per period and agent."""
    return distinct(t.customer_key)


@metric(
    of="receptions", zh="接待人数", en="Received customers", unit="count", better="none", needs=CHATS,
    final_after="at once", source="[004]",
)  # fmt: skip
def received_customers(t: Fact, rule: RulePack) -> Measure:
    """Consulting customers less the filtered ones: colleagues, blocked, empty chats, forwarded at once, robots."""
    return distinct(t.customer_key, among=t.filtered.isnull())


@metric(
    of="inquiries", zh="询单人数", en="Inquiring customers", unit="count", better="none",
    needs=CREDIT, final_after="at once", rules=("after_sale_days",), source="[000] [003]",
)  # fmt: skip
def inquiring_customers(t: Fact, rule: RulePack) -> Measure:
    """Received customers whose consultation is pre-sale: not about an order they already had."""
    return distinct(t.customer_key)


@metric(
    of="receptions", zh="接待量", en="Reception volume", unit="ratio", better="none", needs=CHATS,
    final_after="at once", source="[003] 1.4.2",
)  # fmt: skip
def reception_volume(t: Fact, rule: RulePack) -> Measure:
    """Received customers per agent, averaged over the agents who received any."""
    return per(t.agent_key, t.customer_key.nunique(), lambda agents: mean(agents.x), among=t.filtered.isnull())


@metric(
    of="receptions", zh="回复率", en="Reply rate", unit="share", better="higher", needs=CHATS,
    final_after="the day's end", source="[004]",
)  # fmt: skip
def reply_rate(t: Fact, rule: RulePack) -> Measure:
    """Received customers whom a person answered ÷ received customers."""
    return share(t.answered, among=t.filtered.isnull(), of=t.customer_key)


@metric(
    of="receptions", zh="答问比", en="Answer/question ratio", unit="ratio", better="higher", needs=CHATS,
    final_after="the day's end", source="[004]",
)  # fmt: skip
def answer_question_ratio(t: Fact, rule: RulePack) -> Measure:
    """Messages by a person ÷ customer messages in received chats; auto-replies and robots do not count."""
    return ratio(t.agent_messages, t.customer_messages, among=t.filtered.isnull())


@metric(
    of="rounds", zh="3分钟人工响应率", en="3-minute human response rate", unit="share", better="higher", needs=CHATS,
    final_after="the day's end", rules=(*HOURS, "response_within_s"), source="[004]; Tmall 3分钟人工响应率",
)  # fmt: skip
def human_response_rate_3min(t: Fact, rule: RulePack) -> Measure:
    """Rounds that a person answered within the rule's limit (three minutes) ÷ all rounds asked in the rule's hours.

    Consecutive questions count from the first; an unanswered round is in the denominator. Tmall asks ≥ 90 %.
    """
    return share(answered(t, rule) & (t.wait_s <= rule.response_within_s).fill_null(False), among=in_hours(t, rule))


@metric(
    of="rounds", zh="3分钟人工响应率（全天）", en="3-minute human response rate, all day", unit="share", better="higher",
    needs=CHATS, final_after="the day's end", rules=("answer_same_day", "response_within_s"), source="拼多多, trade: response",
)  # fmt: skip
def human_response_rate_3min_all_day(t: Fact, rule: RulePack) -> Measure:
    """`human_response_rate_3min` by the calendar clock: rounds asked at any hour."""
    return share(answered(t, rule) & (t.wait_s <= rule.response_within_s).fill_null(False))


@metric(
    of="rounds", zh="平均响应时间", en="Average response time", unit="s", better="lower", needs=CHATS,
    final_after="the day's end", rules=CLOCK, source="[003] 5.5, [004]",
)  # fmt: skip
def average_response_time(t: Fact, rule: RulePack) -> Measure:
    """Mean wait of the rounds asked in the rule's hours, capped and with unanswered rounds as the rule says."""
    return mean(waits(t, rule), among=in_hours(t, rule))


@metric(
    of="rounds", zh="平均响应时间（全天）", en="Average response time, all day", unit="s", better="lower", needs=CHATS,
    final_after="the day's end", rules=("answer_same_day", "response_cap_s", "unanswered_counts"), source="[003] 5.5",
)  # fmt: skip
def average_response_time_all_day(t: Fact, rule: RulePack) -> Measure:
    """`average_response_time` by the calendar clock: rounds asked at any hour."""
    return mean(waits(t, rule))


@metric(
    of="rounds", zh="响应时间中位数", en="Median response time", unit="s", better="lower", needs=CHATS,
    final_after="the day's end", rules=CLOCK, source="trade: response, the robust choice",
)  # fmt: skip
def response_time_median(t: Fact, rule: RulePack) -> Measure:
    """Half of the rounds in the rule's hours waited no longer than this."""
    return quantile(waits(t, rule), 0.5, among=in_hours(t, rule))


@metric(
    of="rounds", zh="响应时间 P90", en="Response time, 90th percentile", unit="s", better="lower", needs=CHATS,
    final_after="the day's end", rules=CLOCK, source="trade: response, the robust choice",
)  # fmt: skip
def response_time_p90(t: Fact, rule: RulePack) -> Measure:
    """Nine of ten rounds in the rule's hours waited no longer than this."""
    return quantile(waits(t, rule), 0.9, among=in_hours(t, rule))


@metric(
    of="rounds", zh="首次响应时间", en="First response time", unit="s", better="lower", needs=CHATS,
    final_after="the day's end", rules=(*CLOCK, "session_gap_s"), source="[003] 5.5",
)  # fmt: skip
def first_response_time(t: Fact, rule: RulePack) -> Measure:
    """Mean wait of the first round of each chat: from the customer's first message to the agent's first own reply."""
    return mean(waits(t, rule), among=in_hours(t, rule) & t.opens)


@metric(
    of="rounds", zh="首次响应时间中位数", en="Median first response time", unit="s", better="lower", needs=CHATS,
    final_after="the day's end", rules=(*CLOCK, "session_gap_s"), source="trade: response, the robust choice",
)  # fmt: skip
def first_response_time_median(t: Fact, rule: RulePack) -> Measure:
    """Half of the first rounds waited no longer than this."""
    return quantile(waits(t, rule), 0.5, among=in_hours(t, rule) & t.opens)


@metric(
    of="rounds", zh="首次响应时间 P90", en="First response time, 90th percentile", unit="s", better="lower", needs=CHATS,
    final_after="the day's end", rules=(*CLOCK, "session_gap_s"), source="trade: response, the robust choice",
)  # fmt: skip
def first_response_time_p90(t: Fact, rule: RulePack) -> Measure:
    """Nine of ten first rounds waited no longer than this."""
    return quantile(waits(t, rule), 0.9, among=in_hours(t, rule) & t.opens)


@metric(
    of="rounds", zh="慢响应率", en="Slow reply rate", unit="share", better="lower", needs=CHATS,
    final_after="the day's end", rules=(*HOURS, "slow_reply_s"), source="快麦 慢响应, trade: response",
)  # fmt: skip
def slow_reply_rate(t: Fact, rule: RulePack) -> Measure:
    """Replies that came later than the rule's limit ÷ replies, in the rule's hours; rounds without a reply are not here."""
    return share(t.wait_s > rule.slow_reply_s, among=in_hours(t, rule) & answered(t, rule))


@metric(
    of="order_facts", zh="客服销量占比", en="Service sales share", unit="share", better="none", needs=CREDIT,
    final_after="the export", rules=BY_CREDIT, source="[003] 5.1",
)  # fmt: skip
def service_sales_share(t: Fact, rule: RulePack) -> Measure:
    """Amount paid in orders credited to an agent ÷ amount paid in all orders; the rest is silent. Before refunds."""
    return of_shop(t.served.ifelse(t.gross_fen, 0), t.gross_fen, among=t.paid & t.served.notnull(), money=True)


@metric(
    of="order_facts", zh="客服客单价提升", en="Agents' order value against the shop's", unit="share", better="higher",
    needs=CREDIT, final_after="the export", rules=BY_CREDIT, source="[003] 5.3",
)  # fmt: skip
def agent_aov_uplift(t: Fact, rule: RulePack) -> Measure:
    """Order value of an agent's paid orders ÷ that of all paid orders − 1; sound at +15 % … +30 %."""
    return uplift(t.gross_fen, part=t.agent_key.notnull(), among=t.paid & t.gross_fen.notnull())


@metric(
    of="chat_sessions", zh="客服满意度", en="Service satisfaction", unit="share", better="higher",
    needs=("satisfaction ratings",), final_after="at once", source="[004]",
)  # fmt: skip
def service_satisfaction(t: Fact, rule: RulePack) -> Measure:
    """Chats rated satisfied or very satisfied ÷ rated chats."""
    return share(t.satisfaction >= SATISFIED, among=t.satisfaction.notnull())


not_carried(
    "phone_service_share", zh="电话服务占比", en="Phone service share", unit="share", better="none",
    source="[003] 1.4.2", needs=("call records",), doc="Cases handled by phone ÷ cases.",
)  # fmt: skip
not_carried(
    "bad_review_resolution", zh="差评处理率", en="Bad reviews resolved", unit="share", better="higher",
    source="[003] 1.4.2", needs=("bad review records",), doc="Bad reviews resolved ÷ bad reviews.",
)  # fmt: skip
not_carried(
    "complaint_rate", zh="投诉率", en="Complaint rate", unit="share", better="lower",
    source="[003] 6.3.4", needs=("complaints",), doc="Orders with a complaint ÷ paid orders.",
)  # fmt: skip
