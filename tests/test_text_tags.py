"""Tags of messages: the same however a text is typed, and always a place in the text as it was typed."""

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huitou.rules.taxonomy import load_taxonomies
from huitou.text import Tagger
from huitou.text.engine import Engine
from huitou.text.matcher import Matcher
from huitou.text.normal import normal_text, normalise

TAGGER = Tagger(load_taxonomies(), ("loss", "intents", "steps", "faults"))
CUES = Tagger(load_taxonomies(), ("loss", "steps", "faults"))
PIECES = (
    "太贵了", "能便宜点吗", "包邮吗", "什么时候发货", "我再看看", "别家便宜", "不", "没有货", "正品吗", "，", " ", "。", "[微笑]", "/:^_^", "😀", "〔手机〕", "L码",
    "128", "亲", "您好", "加微信", "全网最低价", "退货", "質量怎麼樣", "ＯＫ", "！！！！", "好好好好", "\u200b", "𠮷", "é",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join)
WIDE = {ord(c): chr(ord(c) + 0xFEE0) for c in map(chr, range(0x21, 0x7F))}
TRADITIONAL = str.maketrans("贵么发货别质样买问题邮东宝贝优惠让价", "貴麼發貨別質樣買問題郵東寶貝優惠讓價")


def tags(*texts: str, tagger: Tagger = TAGGER) -> list[tuple[int, str, str, str]]:
    rows = tagger.tag(pl.Series(texts, dtype=pl.String)).iter_rows(named=True)
    return [(t["row"], t["taxonomy"], t["code"], texts[t["row"]][t["start"] : t["end"]]) for t in rows]


def codes(text: str, taxonomy: str = "loss") -> set[str]:
    return {code for _, name, code, _ in tags(text) if name == taxonomy}


def test_a_tag_points_at_the_words_as_they_were_typed() -> None:
    assert ("price.bargain_refused", "便宜點嗎") in [one[2:] for one in tags("你好👋", "[微笑]\u200b能便宜點嗎？")]
    assert ("price.too_high", "太太太太贵") in [one[2:] for one in tags("太太太太贵贵了")]


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_places_lie_in_the_typed_text(text: str) -> None:
    for _, _, _, said in tags(text):
        assert said and said in text


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([p for p in PIECES if not p.startswith(("[", "/", "〔"))]), max_size=6).map("".join))
def test_width_case_and_script_change_nothing(text: str) -> None:
    plain = [(name, code) for _, name, code, _ in tags(text)]
    for typed in (text.translate(WIDE), text.upper(), text.lower(), text.translate(TRADITIONAL)):
        assert [(name, code) for _, name, code, _ in tags(typed)] == plain


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_neighbours_and_order_change_nothing(texts: list[str], dice: object) -> None:
    alone = {text: [one[1:] for one in tags(text)] for text in texts}
    dice.shuffle(texts)  # type: ignore[attr-defined]
    together = tags(*texts)
    assert all([one[1:] for one in together if one[0] == row] == alone[text] for row, text in enumerate(texts))


def test_an_engines_batches_give_the_same_tags() -> None:
    texts = ["太贵了", "好的", "什么时候发货", "太贵了"]
    whole = TAGGER.tag(pl.Series(texts))
    batches = [pa.RecordBatch.from_pydict({"row": [n], "text": [text]}) for n, text in enumerate(texts)]
    parts = pl.from_arrow(pa.Table.from_batches([TAGGER(batch) for batch in batches]))
    assert isinstance(parts, pl.DataFrame) and parts.equals(whole)


@pytest.mark.parametrize("form", ["加微信", "加薇信", "加vx", "加V信", "加威信"])
def test_words_typed_otherwise_are_the_same_words(form: str) -> None:
    assert "off_platform_contact" in codes(f"亲您{form}吧", "faults")


@pytest.mark.parametrize("said", ["太贵了", "太太太太贵贵贵了", "太贵了！！！！！", "太貴了", "太贵\u200b了"])
def test_runs_and_signs_that_show_nothing_do_not_hide_a_word(said: str) -> None:
    assert "price.too_high" in codes(said)


def test_what_a_counter_cue_or_another_word_rules_out() -> None:
    assert "wrong_promise" in codes("保证明天送到", "faults") and "wrong_promise" not in codes("不能保证明天送到", "faults")


def test_negation_and_question_are_told_in_their_clause() -> None:
    told = CUES.tag(pl.Series(["我不会给好评返现的", "有货吗？没有货了。"])).rows_by_key("code", named=True)
    assert [t["negated"] for t in told["asks_good_review_for_money"]] == [True]
    assert [t["asked"] for t in told["product.stock"]] == [True, False]


def test_gaps_stay_in_their_clause() -> None:
    assert "off_platform_contact" in codes("您加一下我微信", "faults")
    assert not {"price.bargain_refused"} & codes("能。便宜")


def test_masks_and_face_codes_are_one_sign() -> None:
    assert normal_text("电话〔手机〕[微笑]/:^_^") == "电话0😊😊"
    assert "off_platform_contact" not in codes("收货人〔微信〕〔手机〕", "faults")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("ab贵不?1", min_size=1, max_size=4), min_size=1, max_size=12, unique=True),
    st.lists(st.text("ab贵不?1", max_size=12), max_size=5),
)
def test_the_matcher_finds_what_a_plain_search_finds(patterns: list[str], texts: list[str]) -> None:
    normal = normalise(pl.Series(texts, dtype=pl.String))
    rows = ["".join(map(chr, normal.codes[a:b])) for a, b in zip(normal.first[:-1], normal.first[1:])]
    expected = {
        (p, row, at)
        for row, text in enumerate(rows)
        for p, pattern in enumerate(patterns)
        for at in range(len(text))
        if text.startswith(pattern, at)
    }
    finds = Matcher(patterns).find(normal)
    found = {(int(p), int(normal.rows[s]), int(s - normal.first[normal.rows[s]])) for p, s in zip(finds.pattern, finds.start)}
    assert found == expected and len(finds.pattern) == len(expected)


def test_cues_with_gaps_are_found_by_their_rarest_part() -> None:
    engine = Engine(load_taxonomies(), ("loss",))
    texts = ["你们家比别人家贵好多", "这个能不能再便宜一点点啊", "你们家很好。比别人家贵"]
    found, _ = engine.find(normalise(pl.Series(texts)))
    leaves = {(int(row), engine.leaves[leaf][1].code) for row, leaf in zip(found.row, found.leaf)}
    assert (1, "price.bargain_refused") in leaves and (0, "price.cheaper_elsewhere") in leaves


def test_long_texts_are_read_few_at_a_time_with_the_same_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["太贵了", "什么时候发货" * 40, "包邮吗", "好的", "我再看看"]
    whole = tags(*texts)
    monkeypatch.setattr("huitou.text.tagger.CHARACTERS", 100)
    monkeypatch.setattr("huitou.text.tagger.ROWS", 2)
    assert tags(*texts) == whole
