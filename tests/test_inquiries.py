"""Why inquiries were lost: what the reader says of chats, and that its kept models are those of the example sentences."""

import numpy as np
import polars as pl
import pytest

from huitou.text.inquiries import InquiryReader
from huitou.text.loss_examples import SPEAKERS, fingerprint, learn_speakers, read_example_chats, speakers
from huitou.text.loss_longer import longer, rehearsed
from huitou.text.normal import normalise
from huitou.text.sentences import KEPT, learnt_from


def read(*lines, outcome="lost"):
    """One chat of (role, seconds since the line before, text)."""
    at = np.cumsum([gap for _, gap, _ in lines]) * 1_000_000
    rows = [(0, i, int(t), role, text) for i, ((role, _, text), t) in enumerate(zip(lines, at, strict=True))]
    frame = pl.DataFrame(rows, schema=("chat", "i", "at", "role", "text"), orient="row")
    told = pl.DataFrame({"chat": [0], "outcome": [outcome]})
    return InquiryReader().read(frame.with_columns(pl.col("at").cast(pl.Datetime("us"))), told).row(0, named=True)


def test_kept_models_are_those_of_the_examples():
    for file, now in ((SPEAKERS, fingerprint()), (KEPT, learnt_from())):
        with np.load(file) as kept:
            assert str(kept["learnt_from"]) == now, "run python -m benchmarks.inquiries fit"


@pytest.mark.slow
def test_a_kept_model_says_what_the_learnt_one_says():
    texts = normalise(pl.Series(["太贵了 买不起", "等你半天不回", "XL断货了啊", "你好"]))
    kept, learnt = speakers().customer, learn_speakers(read_example_chats()).customer
    assert kept.codes == learnt.codes
    assert np.abs(kept.scores(texts) - learnt.scores(texts)).max() < 0.1


def test_a_question_that_was_settled_is_no_reason():
    found = read(
        ("customer", 0, "你好 是正品吗"), ("agent", 9, "官方旗舰店，假一赔十的"), ("customer", 12, "好的"),
        ("customer", 8, "包邮不"), ("agent", 6, "包邮的亲"), ("customer", 20, "太贵了 超预算了 不买了"),
    )  # fmt: skip
    assert found["primary"] == "price.too_high"
    assert found["evidence"] == [5]


def test_a_night_that_was_waited_through_is_no_slow_answer():
    found = read(
        ("customer", 0, "在吗"), ("robot", 1, "现在是非工作时间，请留言"), ("agent", 30_000, "早上好，昨晚下班了"),
        ("customer", 60, "XL还有吗"), ("agent", 12, "XL卖完了亲，补货时间不确定"), ("customer", 9, "没有XL就算了"),
    )  # fmt: skip
    assert found["primary"] == "product.stock"


def test_that_nobody_knows_why_is_no_further_reason():
    found = read(
        ("customer", 0, "五十本练习册能开票吗"), ("robot", 2, "当前咨询人数较多，您前面还有9位"), ("customer", 300, "还没轮到我？"),
        ("robot", 2, "当前咨询人数较多，您前面还有7位"), ("customer", 420, "行吧 我找别家"), ("agent", 600, "您好 可以开票的哦"),
    )  # fmt: skip
    assert found["primary"].startswith("service.")
    assert "unknown.silent" not in found["secondary"]


def test_small_talk_changes_neither_reason_nor_evidence():
    for chat in read_example_chats()[:60]:
        more = longer(chat, 3)
        assert more.primary in (chat.primary, "customer.looking")
        assert [more.texts[i] for i in more.evidence] == [chat.texts[i] for i in chat.evidence]
    chats, of = rehearsed(read_example_chats())
    assert len(chats) == len(of)


def test_a_long_wait_for_the_last_answer_is_a_further_reason():
    told = ("customer", 0, "XL还有吗"), ("agent", 200, "XL卖完了亲"), ("customer", 9, "没有XL就算了")
    assert read(*told)["secondary"] == ["service.slow"]
    prompt = (told[0], ("agent", 20, told[1][2]), told[2])
    assert read(*prompt)["secondary"] == []


def test_who_waits_for_a_sale_and_is_let_go_has_a_further_reason():
    said = ("customer", 0, "这款多少钱"), ("agent", 9, "您好，现在399元，送运费险"), ("customer", 12, "等双11再来买吧")
    let_go = read(*said, ("agent", 8, "好的"))
    assert (let_go["primary"], let_go["secondary"]) == ("price.wait_for_sale", ["service.no_follow_up"])
    kept = read(*said, ("agent", 8, "双11同价的亲，现在拍差价30天内都可以退给您的"))
    assert "service.no_follow_up" not in kept["secondary"]
