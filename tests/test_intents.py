"""What customers' messages want: said in the usual words or not, one thing or several, nothing at all."""

import json
from pathlib import Path

import polars as pl
import pytest

from huitou.rules.taxonomy import load_taxonomies
from huitou.text import Tagger
from tests.front import huitou

TAGGER = Tagger(load_taxonomies(), ("intents",))


def intents(text: str) -> set[str]:
    return set(TAGGER.tag(pl.Series([text]))["code"]) - {"other"}


@pytest.mark.parametrize(
    ("text", "wants"),
    [
        ("这个能便宜点吗", {"ask_price_discount"}),
        ("今天拍什么时候发货呀", {"ask_dispatch_time"}),
        ("我要退货 钱什么时候退给我", {"return_refund"}),
        ("刚买完就降价了 差价退我", {"price_protection"}),
        ("能开专票吗，再问下有赠品吗", {"ask_invoice", "ask_gift"}),
        ("打开盒子一看杯口缺了一块", {"damaged_wrong_missing"}),
        ("显示签收了可我根本没见到东西", {"not_received"}),
        ("太谢谢你啦 拜拜", {"thanks_goodbye"}),
        ("170 130斤穿多大的", {"ask_spec_fit"}),
        ("我要转人工 我要转人工", {"urges"}),
        ("明天上午应该能到了吧", {"ask_arrival_time"}),
        ("京豆怎么用", {"ask_price_discount"}),
        ("订单地址写错了", {"ask_order_change"}),
        ("可以给我换新吗", {"exchange_repair"}),
        ("本来说昨天就能送到的", {"not_received"}),
        ("好的 麻烦了", {"thanks_goodbye"}),
        ("大了，想换码", {"exchange_repair"}),
        ("快递员电话一直没人接", {"not_received"}),
        ("那就直接取消", {"ask_order_change"}),
        ("质量怎么保证", {"ask_quality"}),
        ("在吗", set()),
        ("订单编号:[数字x]", set()),
        ("您好 ", set()),
        ("好的", set()),
        ("〔订单号〕", set()),
        ("你好", set()),
        ("", set()),
    ],
)
def test_what_a_message_wants(text: str, wants: set[str]) -> None:
    assert intents(text) == wants


def test_a_tag_of_what_was_learnt_points_at_the_clause_that_shows_it() -> None:
    text = "你好，打开盒子一看杯口缺了一块，气死了"
    tags = TAGGER.tag(pl.Series([text])).filter(pl.col("code") == "damaged_wrong_missing")
    assert "杯口" in text[tags["start"][0] : tags["end"][0]]


def test_tag_chats_writes_other_for_what_wants_nothing_and_nothing_for_nothing(tmp_path: Path) -> None:
    file, out = tmp_path / "m.csv", tmp_path / "o.jsonl"
    file.write_text('text\n包邮吗\n嗯嗯\n""\n', "utf-8")
    huitou("tag", "chats", file, "--text", "text", "--out", out)
    lines = [json.loads(line)["intents"] for line in out.read_text("utf-8").splitlines()]
    assert lines[:2] == [["ask_shipping_fee"], ["other"]]
