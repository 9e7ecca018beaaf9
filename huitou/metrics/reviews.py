"""Reviews: ratings, complaints hidden in good ones, replies."""

from huitou.metrics.declare import metric
from huitou.metrics.measures import Fact, Measure, count, share
from huitou.rules import RulePack


@metric(
    of="reviews", zh="评价数", en="Reviews", unit="count", better="none", needs=("reviews",),
    final_after="at once", source="[003] 6.3.4",
)  # fmt: skip
def review_count(t: Fact, rule: RulePack) -> Measure:
    """Reviews, default ones among them."""
    return count()


@metric(
    of="reviews", zh="好评率", en="Good review rate", unit="share", better="higher", needs=("reviews", "ratings"),
    final_after="the export", source="[000] [003] 6.3.4",
)  # fmt: skip
def good_review_rate(t: Fact, rule: RulePack) -> Measure:
    """Good reviews ÷ rated reviews."""
    return share(t.rating == "good", among=t.rating.notnull())


@metric(
    of="reviews", zh="中评率", en="Mid review rate", unit="share", better="lower", needs=("reviews", "ratings"),
    final_after="the export", source="[000] [003] 6.3.4",
)  # fmt: skip
def mid_review_rate(t: Fact, rule: RulePack) -> Measure:
    """Mid reviews ÷ rated reviews."""
    return share(t.rating == "mid", among=t.rating.notnull())


@metric(
    of="reviews", zh="差评率", en="Bad review rate", unit="share", better="lower", needs=("reviews", "ratings"),
    final_after="the export", source="[000] [003] 6.3.4",
)  # fmt: skip
def bad_review_rate(t: Fact, rule: RulePack) -> Measure:
    """Bad reviews ÷ rated reviews."""
    return share(t.rating == "bad", among=t.rating.notnull())


@metric(
    of="review_readings", zh="隐性差评率", en="Hidden complaints", unit="share", better="lower", needs=("reviews", "ratings"),
    final_after="the export", source="[000]",
)  # fmt: skip
def hidden_complaints(t: Fact, rule: RulePack) -> Measure:
    """Good-rated reviews of which a clause of the text (or of the later addition) complains ÷ good-rated reviews.

    The clauses are read by the taxonomies of aspects and polarity; default reviews have no text of the customer's and never
    count as one.
    """
    return share(t.has_complaint, among=(t.rating == "good").fill_null(False))


@metric(
    of="reviews", zh="回评百分比", en="Review reply rate", unit="share", better="higher", needs=("reviews", "review replies"),
    final_after="the export", source="[003] 1.4.2",
)  # fmt: skip
def review_reply_rate(t: Fact, rule: RulePack) -> Measure:
    """Reviews that the shop replied to ÷ reviews."""
    return share((t.reply_text.length() > 0).fill_null(False))
