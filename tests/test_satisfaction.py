"""How content a customer seems: by the moods that he shows, the last one first."""

import polars as pl
import pytest

from huitou.text.inquiries import InquiryReader

READER = InquiryReader()


def estimate(*lines: tuple[str, str]) -> str | None:
    who = {"c": "customer", "a": "agent"}
    rows = [{"chat": 1, "i": i, "at": None, "role": who[w], "text": text} for i, (w, text) in enumerate(lines)]
    found: str | None = READER.read(pl.DataFrame(rows))["satisfaction"].item()
    return found


@pytest.mark.parametrize(
    ("lines", "level"),
    [
        ((("c", "有42码吗"), ("a", "有的哦"), ("c", "好的")), "neutral"),
        ((("c", "有42码吗"), ("a", "有的哦"), ("c", "好的，谢谢你")), "high"),
        ((("c", "退款怎么还没到"), ("a", "在处理了"), ("c", "问了好几遍了，什么破服务")), "low"),
        ((("c", "什么破态度"), ("a", "非常抱歉，已经给您退款了"), ("c", "服务态度还是很好的，非常感谢")), "high"),
        ((("c", "我要投诉你们"), ("a", "非常抱歉"), ("c", "谢谢")), "low"),  # politeness does not take an outburst back
        ((("c", "不着急，慢慢来"), ("a", "好的")), "neutral"),
        ((("a", "什么破服务，谢谢"), ("c", "？")), "neutral"),  # the agent's moods are not the customer's
    ],
)
def test_levels(lines: tuple[tuple[str, str], ...], level: str) -> None:
    assert estimate(*lines) == level


def test_nothing_is_said_where_no_customer_wrote() -> None:
    assert estimate(("a", "您好，您关注的包到货了")) is None
