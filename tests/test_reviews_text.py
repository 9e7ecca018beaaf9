"""Reviews as texts: what their clauses say of what, complaints inside good ones, texts that say nothing."""

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huitou.text import Reviewer

REVIEWER = Reviewer()


def read(*texts: str, ratings: list[int | None] | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    return REVIEWER.read(pl.Series(texts), None if ratings is None else pl.Series(ratings, dtype=pl.Int64))


def said(text: str) -> list[tuple[str, str, str]]:
    """Clauses of one review as (words, aspect, polarity)."""
    _, clauses = read(text)
    return [(text[row["start"] : row["end"]], row["aspect"], row["polarity"]) for row in clauses.iter_rows(named=True)]


@pytest.mark.parametrize(
    "text",
    [
        "杯子很漂亮，就是有点小",
        "除了物流慢，其他都好",
        "整体满意，唯一不足是盖子不够紧",
        "枕头挺软的，可惜气味有点大",
        "好用是好用，但是太贵了",
        "面料舒服，不过袖子长了一点",
        "质量不错就是发货太慢了",
        "老板人很好，菜的味道一般",
        "好吃，不过分量少了点",
        "东西不错，客服不理人",
        "还行吧，没有想象中的好",
        "nice bag but the zipper is broken",
        "便宜是便宜，一点不管用",
        "屏幕大，反应快，听歌看剧都行，送的皮套也好看，给孩子上网课用了两个多月没出过毛病，就是续航一般，别的挑不出什么",
    ],
)
def test_a_complaint_shows_under_five_stars(text: str) -> None:
    whole, _ = read(text, ratings=[5])
    assert whole["has_complaint"].to_list() == [True]


@pytest.mark.parametrize(
    "text",
    [
        "没有异味，很满意",
        "希望耐用，先给好评",
        "比想象的好",
        "没有色差，做工精细",
        "差评都是水军吧，我觉得很好",
        "以前在别家买的很差，这家的真不错",
        "还没用，用了再来评价",
        "不用担心会坏，质量很好",
        "如果能便宜点就更好了",
        "声音不大，很安静",
        "肥而不腻，好吃到停不下来",
        "从来没让我失望过",
        "送给妈妈的，她特别喜欢",
        "第二天就到了，快递小哥态度也好",
        "no smell at all, works great",
        "妈妈长期失眠，吃了以后睡得踏实多了",
        "小说的主人公一生贫穷孤独，家里冷冰冰的，读完心里很沉",
        "这样有良心的作者太少了",
        "物美价廉，孩子高兴坏了",
        "还以为会坏，结果一个坏的都没有",
        "风扇声音很小，也没有觉得烫",
        "省得出门被忽悠",
    ],
)
def test_praise_hope_and_the_past_are_no_complaints(text: str) -> None:
    whole, clauses = read(text)
    assert whole["has_complaint"].to_list() == [False], clauses.to_dicts()


def test_one_clause_that_blames_in_passing_is_no_complaint_of_a_long_good_review() -> None:
    praise = "打游戏看电影都好，拍照清楚，外壳摸着也舒服，给家里老人也下单了一台，下次还来"
    told, turned = (
        f"同事上周买的那台黑屏了，我这台用了半个月一直流畅，{praise}",
        f"用了半个月一直流畅，就是昨天黑屏了一次，{praise}，很满意",
    )
    whole, clauses = read(told, turned, "黑屏了", ratings=[5, 5, 5])
    assert whole["has_complaint"].to_list() == [False, True, True]
    assert clauses.filter(pl.col("polarity") == "negative")["row"].to_list() == [0, 1, 2]


def test_a_turn_behind_a_complaint_stresses_it_and_a_book_s_own_parts_are_its_goods() -> None:
    praise = "大堂敞亮，被子软和，前台帮忙叫了车，附近吃饭也方便，下次出差还住这里，推荐给同事了"
    whole, _ = read(f"房间设施陈旧，但还算整洁，{praise}", "小说好看，可惜印刷模糊，错别字不少", ratings=[5, 5])
    assert whole["has_complaint"].to_list() == [True, True]


def test_a_blame_of_four_characters_counts_wherever_it_stands() -> None:
    praise = "大堂敞亮，被子软和，前台帮忙叫了车，附近吃饭也方便，下次出差还住这里，推荐给同事和家里人了"
    whole, _ = read(f"{praise}，楼下餐厅上菜速度慢，还会再来", f"{praise}，同事说他那间吵，还会再来")
    assert whole["has_complaint"].to_list() == [True, False]


def test_a_seller_s_reply_inside_a_review_is_not_the_customer_s() -> None:
    review, reply = "位置方便，房间干净", "宾馆反馈 2026年5月20日 ： 您说的隔音差、早餐品种太少，我们正在改进"
    whole, clauses = read(review + reply, review)
    assert whole["has_complaint"].to_list() == [False, False]
    assert whole["p_negative"].n_unique() == 1
    assert clauses["end"].max() == len(review)


def test_each_clause_names_its_aspect() -> None:
    assert said("包装很严实，但是物流太慢，客服态度好") == [
        ("包装很严实", "packaging", "positive"),
        ("但是物流太慢", "logistics", "negative"),
        ("客服态度好", "service", "positive"),
    ]
    assert said("很耐心。美中不足的是有股胶水味")[-1] == ("美中不足的是有股胶水味", "smell", "negative")


@pytest.mark.parametrize(
    ("text", "aspect", "polarity"),
    [
        ("打开一股塑料味", "smell", "negative"),
        ("线头好多", "workmanship", "negative"),
        ("快递盒都压扁了", "packaging", "negative"),
        ("怀疑是假货", "authenticity", "negative"),
        ("和图片不一样", "as_described", "negative"),
        ("尺码偏小", "size", "negative"),
        ("面料很柔软", "material", "positive"),
        ("没什么效果", "effect", "negative"),
        ("用了两天就坏了", "durability", "negative"),
        ("日期很新鲜", "freshness", "positive"),
        ("性价比高", "price", "positive"),
        ("刚买就降价", "price_drop", "negative"),
        ("说好的赠品没送", "gift", "negative"),
        ("快递放在门口了", "logistics", "negative"),
        ("发货太慢了", "dispatch", "negative"),
        ("颜色发错了", "damaged", "negative"),
        ("客服爱答不理", "service", "negative"),
        ("不给退货", "after_sale", "negative"),
        ("安装师傅很专业", "installation", "positive"),
        ("下次还会回购", "repurchase", "positive"),
        ("太失望了", "overall", "negative"),
        ("建议加个拉链", "workmanship", "suggestion"),
        ("杯子好看，就是有点小", "size", "negative"),
        ("但是小", "size", "negative"),
        ("花洒好用，就是水压有点小", "effect", "negative"),
    ],
)
def test_aspects(text: str, aspect: str, polarity: str) -> None:
    assert (aspect, polarity) in [(a, p) for _, a, p in said(text)]


def test_rating_and_text_may_disagree() -> None:
    whole, _ = read("垃圾，用一次就坏了，千万别买", "非常好，很喜欢", ratings=[5, 1])
    assert whole["conflict"].to_list() == [True, True]


def test_texts_that_say_nothing_have_a_class() -> None:
    texts = ["", "此用户没有填写评价。", "！！！。。。", "好评", "客服很热情", "面料软，颜色正，下次再来"]
    copies = ["宝贝收到了非常喜欢做工精细会推荐朋友"] * 3
    whole, _ = read(*texts, *copies)
    classes = ["empty_text", "default_positive", "punctuation_only", "too_short_generic", "service_only", "usable"]
    assert whole["usable"].to_list() == [*classes, *["template_duplicate"] * 3]


PIECES = st.sampled_from(
    [
        "质量",
        "好",
        "就是",
        "有点",
        "小",
        "，",
        "。",
        "但是",
        "不",
        "没有",
        "异味",
        "😀",
        "/:^_^",
        "物",
        "流",
        "慢",
        "很",
        "AB",
        "12",
        "\u200b",
        "臺灣",
        "！！！！",
        "\n",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=14).map("".join), max_size=6))
def test_clauses_lie_inside_their_text_apart_from_one_another(texts: list[str]) -> None:
    whole, clauses = read(*texts)
    assert whole.height == len(texts)
    for row, places in clauses.group_by("row"):
        spans = sorted(set(zip(places["start"], places["end"])))
        assert all(0 <= start < end <= len(texts[row[0]]) for start, end in spans)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=10).map("".join), min_size=2, max_size=6), st.data())
def test_reading_in_parts_changes_nothing(texts: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(texts) - 1))
    _, together = read(*texts)
    _, first = read(*texts[:cut])
    _, second = read(*texts[cut:])
    assert together.rows() == [*first.rows(), *second.with_columns(pl.col("row") + cut).rows()]
