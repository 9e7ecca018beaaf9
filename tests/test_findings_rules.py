"""Goals with their sources, remedies, and how numbers are written."""

import pytest

from huitou.errors import SettingsError, UnknownName
from huitou.findings.evidence import widened
from huitou.findings.money import at_stake, said_en, said_zh
from huitou.findings.remedies import remedy
from huitou.findings.stats import Estimate
from huitou.findings.wording import hours_en, hours_zh, seconds_zh, short_names, wan
from huitou.rules.goals import load_goals
from huitou.rules.taxonomy import load_taxonomies


def test_goals_of_four_places_in_their_order():
    goals = load_goals("tmall", "bags", {"inquiry_conversion": 0.4})
    assert [(g.value, g.origin) for g in goals["inquiry_conversion"]] == [(0.4, "company"), (0.45, "industry")]
    assert goals["human_response_rate_3min"][0].origin == "platform"
    assert load_goals("pdd")["first_response_time"][0].value == 10.0
    assert "human_response_rate_3min" not in load_goals("pdd")
    assert load_goals("tmall", "womens_wear")["inquiry_conversion"][0].value == 0.5


def test_every_goal_names_its_source_and_trust():
    for targets in load_goals("tmall", "bags").values():
        assert all(t.source and t.trust in "ABC" and t.zh and t.en for t in targets)


def test_an_unknown_industry_is_named_with_the_nearest():
    with pytest.raises(UnknownName, match="bags"):
        load_goals("tmall", "bag")


def test_a_goal_without_a_source_is_refused(tmp_path):
    (tmp_path / "x.toml").write_text('origin = "industry"\n[goals.reply_rate]\nvalue = 1.0\nzh = "a"\nen = "a"\n', "utf-8")
    with pytest.raises(SettingsError, match="source"):
        load_goals("tmall", folder=tmp_path)


def test_marked_words_widen_to_their_clause():
    text = "好的，有检测报告或者鉴定证书吗？谢谢"
    places = [(text.index(word), text.index(word) + len(word)) for word in ("检测报告", "证书")]
    assert [text[a:b] for a, b in widened(text, places)] == ["有检测报告或者鉴定证书吗？"]


def test_every_remedy_has_an_owner_and_none_is_refused_advice():
    words = ("返现", "删除差评", "删评", "刷单", "补单", "仅退款换")
    for taxonomy in ("loss", "unpaid", "aspects"):
        for leaf in load_taxonomies().taxonomies[taxonomy].leaves.values():
            said = remedy(leaf)
            assert said.zh and said.en and said.owner, leaf.code
            assert not any(word in said.zh for word in words), leaf.code


def test_money_multiplies_customers_by_worth_with_both_errors():
    money = at_stake(Estimate(1146, 1070, 1222, 7640), Estimate(20_900, 20_000, 21_800, 2292), "CNY")
    assert money.value_fen == 1146 * 20_900
    half = ((76 * 20_900) ** 2 + (1146 * 900) ** 2 + (76 * 900 / 1.96) ** 2) ** 0.5
    assert money.high_fen - money.value_fen == pytest.approx(half, rel=1e-3)
    assert (said_zh(money), said_en(money)) == ("约值 24.0 万元（22.1–25.8 万）", "worth about CNY 240,000 (221,000–258,000)")


def test_numbers_are_written_as_the_pages_write_them():
    assert (wan(6_384_000), wan(52_000)) == ("6.4 万元", "520 元")
    assert (seconds_zh(41), seconds_zh(252), seconds_zh(2820)) == ("41 秒", "4 分 12 秒", "47 分")
    assert (hours_zh([22, 20, 21, 9]), hours_en([20, 21])) == ("9 点、20–22 点", "20:00–21:59")
    titles = ["青麓云朗公文包男士头层牛皮商务手提包", "青麓驿程旅行袋大容量手提旅行包", "青麓简册长钱夹男士真皮长款钱包"]
    assert short_names(titles) == ["云朗公文包", "驿程旅行袋", "简册长钱夹"]
