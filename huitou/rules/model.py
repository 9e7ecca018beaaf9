"""What a rule pack is: every threshold and window that a number depends on, with its source and trust."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Trust = Literal["A", "B", "C"]
"""A the platform's own text · B a vendor or serious secondary source · C one weak page: an editable default, «unverified»."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One value of a rule pack: what it is, its unit, where it comes from and how far that can be trusted."""

    value: int | float | bool | str | None
    unit: str | None
    zh: str
    en: str
    source: str
    trust: Trust


@dataclass(frozen=True, slots=True)
class RulePack:
    """One dated version of a platform's or a trade's rules. Field names are the keys of the pack's ``[rules.*]`` tables."""

    id: str
    platform: str
    zh: str
    en: str
    valid_from: date
    response_from_s: int  # response is measured from this second of the day …
    response_to_s: int  # … up to, not including, this one
    response_within_s: int  # "answered in time" (3 minutes)
    response_cap_s: int | None  # a round's wait counts at most this; None = no cap
    unanswered_counts: bool  # an unanswered round enters the mean with the cap
    answer_same_day: bool  # a reply on a later day does not answer the round
    round_splits_at_gap: bool  # a pause of session_gap_s starts a new round
    session_gap_s: int  # a pause this long starts a new session
    slow_reply_s: int
    inquiry_window_s: int  # an order this long after the inquiry's last message belongs to it
    attribution_window_s: int  # a chat that ended this long before the order or payment may be credited
    payment_window_s: int  # payment is final this long after the order
    after_sale_days: int  # a customer with an order this recent comes for after-sale
    sales_agent: Literal["order", "pay"]  # whose sale it is: credited with the order or with the payment
    rules: dict[str, Rule]  # every field above with its source; for documentation and the report
