"""Reviews: ratings, complaints hidden in good ones, replies."""

from huitou.metrics.declare import metric
from huitou.metrics.measures import Expr, Fact, Measure, count, share
from huitou.rules import RulePack

ADVERSATIVES = (
    r"但是|可惜|不过|美中不足|然而|遗憾|不足之处|唯一(的)?(缺点|不足|不好)|(就是|只是)[^，。！,.!~]{0,6}(有点|有些|太|不|没|慢|贵|小|大|薄|少|差|味)"
    r"|(^|[^不])但([^愿凡]|$)"
)
"""Words after which a good review says what was wrong ([000]: 但是, 就是, 不过, 可惜…). 不但, 但愿, 但凡 are none."""


def complains(text: Expr) -> Expr:
    """Whether the text turns to a complaint, by its adversative words. A cue, not a reading: some praise goes on after it."""
    return text.fill_null("").re_search(ADVERSATIVES)


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
    of="reviews", zh="隐性差评率", en="Hidden complaints", unit="share", better="lower", needs=("reviews", "ratings"),
    final_after="the export", source="[000]",
)  # fmt: skip
def hidden_complaints(t: Fact, rule: RulePack) -> Measure:
    """Good-rated reviews whose own text (or later addition) turns to a complaint ÷ good-rated reviews.

    Found by adversative words, so an estimate; default reviews have no text of the customer's and never count as one.
    """
    hidden = ~t.default_text & (complains(t.text) | complains(t.append_text))
    return share(hidden, among=(t.rating == "good").fill_null(False))


@metric(
    of="reviews", zh="回评百分比", en="Review reply rate", unit="share", better="higher", needs=("reviews", "review replies"),
    final_after="the export", source="[003] 1.4.2",
)  # fmt: skip
def review_reply_rate(t: Fact, rule: RulePack) -> Measure:
    """Reviews that the shop replied to ÷ reviews."""
    return share((t.reply_text.length() > 0).fill_null(False))
