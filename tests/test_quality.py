"""Steps, faults and customer type of chats, from times, turns and words."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from huitou.text import Tagger
from huitou.text.quality import quality

TAGGER = Tagger()
Line = tuple[int, str, str]  # seconds since the beginning, who, text


def read(*lines: Line, primary: str | None = "price.too_high", secondary: tuple[str, ...] = ()) -> dict[str, object]:
    who = {"c": "customer", "a": "agent", "r": "robot"}
    begin = datetime(2024, 11, 7, 10)
    rows = [
        {"chat": 7, "i": i, "at": begin + timedelta(seconds=s), "role": who[w], "text": t} for i, (s, w, t) in enumerate(lines)
    ]
    messages = pl.DataFrame(rows)
    loss = pl.DataFrame(
        {"chat": [7], "primary": [primary], "secondary": [list(secondary)], "outcome": ["lost" if primary else "ordered"]},
        schema={"chat": pl.Int64, "primary": pl.String, "secondary": pl.List(pl.String), "outcome": pl.String},
    )
    return quality(messages, TAGGER.tag(messages["text"]), loss).to_dicts()[0]


def test_all_seven_steps() -> None:
    made = read(
        (0, "c", "在吗 我165 110斤 这条裙子穿什么码"),
        (9, "a", "亲您好 这款是标准码的哦"),
        (20, "a", "建议您拍M码哦"),
        (30, "a", "搭配这件针织衫很好看 一起买减20"),
        (40, "a", "喜欢的话今天拍，活动今晚就结束了"),
        (60, "c", "拍了"),
        (70, "a", "看到您还没付款哦 记得付一下"),
        (90, "a", "感谢支持，祝您生活愉快"),
        primary=None,
    )
    steps = ["answer", "cross_sell", "goodbye", "greet", "push_order", "recommend", "urge_payment"]
    assert made["steps"] == steps and made["faults"] == []


@pytest.mark.parametrize(("wait", "slow"), [(119, False), (120, True)])
def test_slow_counts_from_the_first_open_question(wait: int, slow: bool) -> None:
    made = read((0, "c", "有42码吗"), (wait - 30, "c", "老板？"), (wait, "a", "亲 有的哦 现货 喜欢可以拍下"))
    assert ("slow" in made["faults"]) is slow  # type: ignore[operator]


def test_a_word_of_the_agents_own_accord_is_not_slow() -> None:
    made = read((0, "c", "有42码吗"), (20, "a", "亲 有的哦"), (40, "c", "好的"), (4000, "a", "亲 活动今晚结束 喜欢可以拍下哦"))
    assert made["faults"] == []


def test_robots_perform_no_steps_and_keep_nobody_waiting() -> None:
    made = read((0, "c", "转人工"), (1, "r", "您好欢迎光临，喜欢可以下单哦，祝您生活愉快"), primary="service.robot_stuck")
    assert made["steps"] == [] and made["faults"] == []


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("我们全网最低价", "forbidden_words"),
        ("买不起就别问了", "forbidden_words"),
        ("这是快递的问题 不归我们管", "blaming"),
        ("保证明天就能收到", "wrong_promise"),
        ("五星好评截图发我 返5元红包", "asks_good_review_for_money"),
        ("您加下店长微信 私下转更便宜", "off_platform_contact"),
    ],
)
def test_faults_in_an_agents_words(said: str, fault: str) -> None:
    assert fault in read((0, "c", "这个怎么样"), (9, "a", f"亲 {said}"))["faults"]  # type: ignore[operator]
    assert fault not in read((0, "c", said), (9, "a", "亲 这款是纯棉的哦"))["faults"]  # type: ignore[operator]


def test_one_word_answers_are_perfunctory() -> None:
    made = read((0, "c", "有推荐的吗 给孩子的"), (30, "a", "有"), (60, "c", "哪个好点"), (90, "a", "都行"), (99, "c", "算了"))
    assert {"perfunctory", "no_closing"} <= set(made["faults"])  # type: ignore[call-overload]


@pytest.mark.parametrize(("after", "let_go"), [("好的", True), ("亲 是担心尺码吗 不合适可以免费退换的哦", False)])
def test_who_puts_off_is_to_be_followed_up(after: str, let_go: bool) -> None:
    made = read(
        (0, "c", "这个多大"), (9, "a", "亲 30厘米的哦"), (20, "c", "我再考虑考虑吧"), (30, "a", after), primary="unknown.silent"
    )
    assert ("no_follow_up" in made["faults"]) is let_go  # type: ignore[operator]


def test_no_closing_is_no_fault_where_the_question_was_never_answered_or_nothing_was_wanted() -> None:
    asked = ((0, "c", "你好"), (5, "a", "亲您好"), (9, "c", "多少瓦的"))
    assert read(*asked, primary="service.unanswered")["faults"] == ["unanswered"]
    assert read(*asked, primary="customer.no_intent")["faults"] == []
    assert read(*asked, primary=None)["faults"] == []


def test_customers_who_write_little_have_no_type() -> None:
    assert read((0, "c", "多少钱"), (9, "a", "99的哦"))["customer_type"] is None
    quick = [(n, "c", text) for n, text in enumerate(("42码", "有吗", "多少钱", "今天发吗"))]
    chatty = [
        (n * 40, "c", text)
        for n, text in enumerate(("在吗亲～想买个包呀", "哈哈我也不懂[害羞]", "是不是有点大呢。。", "我同事也背这个啦嘻嘻哈哈"))
    ]
    assert read(*quick)["customer_type"] == "active" and read(*chatty)["customer_type"] == "passive"
