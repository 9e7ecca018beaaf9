"""Return reasons: one code for all platforms, and a note that tells another story than the reason picked."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huitou.rules.taxonomy import load_taxonomies
from huitou.text.returns import ReturnReader

READER = ReturnReader()


def code(reason: str | None, platform: str | None = None) -> tuple[str | None, bool]:
    row = READER.read(pl.Series([reason], dtype=pl.String), platform=platform).row(0, named=True)
    return row["code"], row["quality"]


@pytest.mark.parametrize(
    ("platform", "reason", "expected", "quality"),
    [
        ("taobao", "7天无理由退换货", "no_reason", False),
        ("taobao", "包装/商品破损/污渍", "damaged", True),
        ("taobao", "大小/尺寸与商品描述不符", "size", False),
        ("jd", "商品降价", "price", False),
        ("jd", "质量问题（开胶/掉色等）", "quality", True),
        ("pdd", "多拍、拍错、不想要", "no_reason", False),
        ("pdd", "变质、腐烂、有异物", "spoiled", True),
        ("douyin", "缺少用户权益", "benefit", False),
        ("douyin", "快递/物流一直未到", "not_arrived", False),
        ("shopify", "SIZE_TOO_SMALL", "size", False),
        ("shopify", "Wrong item", "wrong_sent", True),
        (None, " 少件 / 漏发 ", "missing", True),
        (None, "收到的颜色发错了", "wrong_sent", True),
        (None, "说不清的事", "other", False),
        (None, None, None, False),
        (None, "-", None, False),
    ],
)
def test_every_platform_speaks_one_list(platform: str | None, reason: str | None, expected: str | None, quality: bool) -> None:
    assert code(reason, platform) == (expected, quality)


@pytest.mark.parametrize(
    ("reason", "note", "conflict"),
    [
        ("7天无理由退换货", "用了两天就不亮了，客服让我选无理由", "hidden_fault"),
        ("不想要了", "箱子到的时候都压扁了，里面碎了一个", "hidden_fault"),
        ("尺码拍错/不喜欢/效果不好", "衣服上有个洞，都是线头", "hidden_fault"),
        ("不想要了", "到现在还没发货，赶不上用了", "hidden_fault"),
        ("质量问题", "家里有了，不想要了", "claimed_fault"),
        ("质量问题", "腰太紧，换大一号", "claimed_fault"),
        ("质量问题", "一洗就掉色", None),
        ("7天无理由退换货", "质量没问题，就是不喜欢这个颜色", None),
        ("7天无理由退换货", "拍多了", None),
        ("7天无理由退换货", "", None),
        ("", "坏了", None),
    ],
)
def test_a_note_may_contradict_the_reason(reason: str, note: str, conflict: str | None) -> None:
    row = READER.read(pl.Series([reason]), pl.Series([note])).row(0, named=True)
    assert row["conflict"] == conflict, row


def test_the_note_shows_where_it_says_so() -> None:
    note = "颜色还行，拉链拉不上，退了"
    row = READER.read(pl.Series(["7天无理由"]), pl.Series([note])).row(0, named=True)
    assert (row["note_code"], note[row["start"] : row["end"]]) == ("quality", "拉链拉不上")


def test_all_reasons_of_the_crosswalk_are_found() -> None:
    for platform, pairs in load_taxonomies().taxonomies["returns"].crosswalk.items():
        read = READER.read(pl.Series(list(pairs)), platform=platform)
        assert read["code"].to_list() == list(pairs.values()), platform


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.text(max_size=8)), st.one_of(st.none(), st.text("没坏了碎不想要少发，/", max_size=12)))
    )
)
def test_one_row_a_return_and_spans_inside_the_note(rows: list[tuple[str | None, str | None]]) -> None:
    read = READER.read(pl.Series([r for r, _ in rows], dtype=pl.String), pl.Series([n for _, n in rows], dtype=pl.String))
    assert read["row"].to_list() == list(range(len(rows)))
    for row in read.filter(pl.col("start").is_not_null()).iter_rows(named=True):
        assert 0 <= row["start"] < row["end"] <= len(rows[row["row"]][1] or "")
