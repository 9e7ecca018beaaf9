"""The report: every number of the diagnosis is on the page, said in one language, and nothing imported gets out of its place."""

import re
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest

from huitou.errors import in_language
from huitou.metrics import METRICS, Cell
from huitou.reports import write_html
from huitou.reports.html import render
from huitou.reports.model import cuts, notes
from huitou.reports.numbers import amount, amounts, distance, ordinal, people, period, reading, scale, state
from huitou.reports.text import pieces, shown
from huitou.reports.words import catalogue, means_zh
from tests.sample_diagnosis import sample

SAYS_KEY = re.compile(r"""\bsay\(\s*(?:"([\w.]+)"|'([\w.]+)')""")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """The sample's page in both languages."""
    return {lang: render(sample(), lang) for lang in ("zh", "en")}


def visible(page: str) -> str:
    """What a reader can see or hear of a page."""
    page = re.sub(r"<style>.*?</style>|<!--.*?-->", "", page, flags=re.S)
    return re.sub(r"<[^>]*>", "\n", page) + "\n".join(re.findall(r'(?:aria-label|data-k)="([^"]*)"', page))


def fixed(lang_index: int) -> set[str]:
    """The fixed pieces of every sentence of one language, long enough not to be found by chance."""
    parts = (p[0].strip(" .:;·()") for words in catalogue().values() for p in Formatter().parse(words[lang_index]))
    least = 2 if lang_index == 0 else 6
    other = {words[1 - lang_index] for words in catalogue().values()}
    return {p for p in parts if len(p) >= least and p not in other and (lang_index or re.search("[\u4e00-\u9fff]", p))}


def test_no_label_of_the_other_language_is_on_a_page(pages: dict[str, str]) -> None:
    english, chinese = visible(pages["zh"]), visible(pages["en"])
    assert [p for p in fixed(1) if re.search(rf"(?<!\w){re.escape(p)}(?!\w)", english)] == []
    assert [p for p in fixed(0) if p in strip_data(chinese)] == []


def strip_data(text: str) -> str:
    """The English page without the shop's own Chinese: chats, reviews, names of people, goods and files."""
    d = sample().diagnosis
    own = [d.shop, *(x.text for f in d.findings for e in f.evidence for x in e.lines)]
    own += [r.name for f in d.findings for r in f.rows] + [x.file for x in sample().loads]
    own += [reason for x in sample().loads for reason in x.reasons]
    told = [x for t in d.tables for r in t.reasons for e in r.evidence for x in e.lines]
    own += [c for t in d.tables for c in t.columns] + [x.text for x in told]
    own += [name for t in d.tables for r in t.reasons for name, _ in r.agents]
    marks = [part for f in d.findings for e in f.evidence for x in e.lines for part, _ in pieces(x.text, x.mark)]
    marks += [part for x in told for part, _ in pieces(x.text, x.mark)]
    for mine in sorted([*own, *marks], key=len, reverse=True):
        text = text.replace(mine, "")
    return text


def test_every_word_asked_for_exists_and_none_is_left_over() -> None:
    here = files("huitou.reports")
    code = [
        p.read_text("utf-8") for folder in (here, here / "page") for p in folder.iterdir() if p.name.endswith((".py", ".jinja"))
    ]
    asked = {a or b for text in code for a, b in SAYS_KEY.findall(text)}
    assert asked - set(catalogue()) == set()
    everything = "\n".join(code)
    prefixes = tuple(re.findall(r'f"([a-z.]+\.)\{', everything))
    assert [
        k for k in catalogue() if not re.search(rf"""["']{re.escape(k)}["']""", everything) and not k.startswith(prefixes)
    ] == []


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_both_languages_take_the_same_facts_and_do_not_shout(key: str) -> None:
    zh, en = catalogue()[key]
    facts = [sorted({name for _, name, _, _ in Formatter().parse(text) if name}) for text in (zh, en)]
    assert facts[0] == facts[1] or key == "chapter.foot"
    assert not re.search("[!！]|糟糕|严重|暴跌|务必", zh + en)


def test_every_metric_is_explained_in_both_languages() -> None:
    assert set(means_zh()) == set(METRICS)
    told = notes()["inquiry_conversion"]
    assert told.zh == "询单转化率" and told.means_zh and told.means_en and told.group_zh == "转化与流失"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_finding_is_told_whole(lang: str, pages: dict[str, str]) -> None:
    text = visible(pages[lang])
    for f in sample().diagnosis.findings:
        told = [
            getattr(f, f"title_{lang}"),
            getattr(f, f"why_{lang}"),
            getattr(f.goal, lang),
            in_language(f.goal.source, lang),
            f"{100 * f.value:.1f}%",
        ]
        told += [
            f"{100 * f.low:.1f}–{100 * f.high:.1f}",
            *(getattr(c, lang) for c in (*f.parts, *f.causes)),
            getattr(f, f"counter_{lang}"),
        ]
        told += [getattr(r, lang) for r in f.remedies] + [r.name for r in f.rows]
        assert [t for t in told if t not in text] == []


def test_marked_words_and_faults_are_marked(pages: dict[str, str]) -> None:
    assert "<mark>怎么看出来是真皮？</mark>我之前" in pages["zh"]
    assert '<mark class="bad">亲 我们是品牌 质量放心</mark>' in pages["zh"]


def test_the_loss_table_has_every_reason_with_share_interval_and_product(pages: dict[str, str]) -> None:
    chapter = pages["zh"].split('id="loss"')[1].split('id="unpaid"')[0]
    assert '<b>真伪疑虑</b></td><td class="dim opt">宝贝</td><td class="num">612</td>' in chapter
    assert '<td class="h q6">352</td>' in chapter and '<td class="h">&lt;5</td>' in chapter and "10.6–12.3" in chapter
    assert "<mark>没有检测报告我不放心</mark>" in chapter and "接待的人：小禾 71、念念 68" in chapter
    assert "unknown; it is not the customer" in pages["en"].split('id="loss"')[1]
    assert "另拍一单付了款" in pages["zh"].split('id="unpaid"')[1] and "就是味道有点大" in pages["zh"].split('id="reviews"')[1]


def test_money_within_another_finding_says_so(pages: dict[str, str]) -> None:
    assert pages["zh"].count("金额含在第一章里，不能相加") == 2
    assert "6.4（5.6–7.2） · 含在第一件里" in pages["zh"]


def test_open_missing_and_few_are_told_apart_from_zero(pages: dict[str, str]) -> None:
    table = pages["zh"].split('id="metrics"')[1].split('id="data"')[0]
    assert '<span class="notyet"><span>30.0%</span></span>' in table and "880 个还没到期" in table
    assert "需要 流量" in table and "<b>不估</b>" in table
    assert "<b>0</b>" not in table and "None" not in table


def test_the_page_asks_for_nothing_from_outside(pages: dict[str, str]) -> None:
    for page in pages.values():
        assert not re.search(r"<(script|link|img|iframe|object|embed|base|form)\b|@import|url\((?!#)|\bon\w+=|style=\"", page)
        assert not re.findall(r'(?:href|src)="(?!#)', page)


def test_colours_of_charts_follow_the_theme(pages: dict[str, str]) -> None:
    drawings = re.findall(r"<svg class=\"chart.*?</svg>", pages["zh"], flags=re.S)
    assert len(drawings) == 2 * 7 and all('role="img" aria-label="' in d for d in drawings)
    assert not [c for d in drawings for c in re.findall(r'(?:fill|stroke)="(#[0-9a-f]{3,6})"', d)]


@pytest.mark.slow
def test_the_same_report_is_the_same_page(pages: dict[str, str], tmp_path: Path) -> None:
    path = write_html(sample(), tmp_path / "deep" / "report.html")
    assert path.read_text("utf-8") == pages["zh"] and len(pages["zh"].encode()) < 1_500_000
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_a_report_with_nothing_in_it_is_still_a_page() -> None:
    bare = replace(sample().diagnosis, findings=(), fine=(), unknown_zh=(), unknown_en=())
    page = render(replace(sample(), diagnosis=bare, cells=(), loads=(), pack=None), "zh")
    assert "这段时间的数据还说不出结论" in page and "没有文件清单" in page


def test_a_sound_shop_is_told_so() -> None:
    page = render(replace(sample(), diagnosis=replace(sample().diagnosis, findings=())), "en")
    assert "All 1 numbers looked at reach their goals" in page and "no gap is larger than its error" in page


def test_a_ledger_that_does_not_balance_is_not_hidden() -> None:
    loads, without_charts = (replace(sample().loads[0], stored=9_000),), replace(sample().diagnosis, findings=())
    page = render(replace(sample(), diagnosis=without_charts, loads=loads), "zh")
    assert "账不平：9,412 行，存入 9,000 + 已有 24 + 搁置 8" in visible(page)


def test_what_the_report_draws_can_be_asked_for() -> None:
    wanted = cuts(sample().diagnosis)
    assert ("inquiry_conversion", "week") in wanted and ("time_to_pay_p90", "customer") in wanted


@pytest.mark.parametrize(
    ("fen", "zh", "en"),
    [(23_960_000, "24.0 万元", "CNY 240,000"), (6_380_012, "6.4 万元", "CNY 64,000"), (491_250, "4,900 元", "CNY 4,900"),
     (98_700, "990 元", "CNY 990"), (-6_380_012, "−6.4 万元", "CNY −64,000")],
)  # fmt: skip
def test_money_is_told_to_the_thousand(fen: int, zh: str, en: str) -> None:
    assert (amount(fen, "zh"), amount(fen, "en")) == (zh, en)


def test_intervals_share_the_scale_of_their_value() -> None:
    assert amounts(22_100_000, 25_800_000, "zh") == "22.1–25.8 万元" and amounts(980_000, 1_240_000, "zh") == "1.0–1.2 万元"
    assert reading(Cell("m", "s", {}, 14.0, None, None, 9, 13.6, 14.4, "final", "r"), "zh") == ("14.0 秒", "13.6–14.4")
    assert scale("s", 168, "zh").full(168) == "2.8 分钟" and scale("s", 604_800, "en").full(604_800) == "7.0 days"
    assert distance(0.3, 0.45, "share", "zh") == "低 15.0 点" and distance(0.3, 0.45, "share", "en") == "15.0 points below"


def test_fewer_than_five_are_not_told() -> None:
    few = Cell("m", "share", {}, 0.5, 2, 4, 4, 0.1, 0.9, "final", "r")
    assert people(4) == "<5" and people(0) == "0" and people(5) == "5"
    assert reading(few, "zh") == ("不估", "") and state(few, "en") == "fewer than 5"
    assert reading(replace(few, unit="count", value=4.0), "zh")[0] == "4"


def test_dates_and_ordinals() -> None:
    assert period(date(2026, 5, 4), date(2026, 5, 31), "zh") == "2026年5月4日–31日"
    assert period(date(2025, 12, 29), date(2026, 1, 4), "zh") == "2025年12月29日–2026年1月4日"
    assert period(date(2026, 3, 2), date(2026, 5, 31), "en") == "2 Mar – 31 May 2026"
    assert [ordinal(n, "zh") for n in (1, 10, 11, 20, 21)] == ["一", "十", "十一", "二十", "二十一"]


def test_marks_out_of_place_are_mended() -> None:
    assert pieces("abcdef", ((4, 99), (1, 3))) == [("a", False), ("bc", True), ("d", False), ("ef", True)]
    assert "".join(t for t, _ in pieces("abcdef", ((4, 99), (1, 3), (2, 5)))) == "abcdef"


def test_what_cannot_be_seen_is_taken_out() -> None:
    assert shown("a\u202eb\u200bc\x1b[31md\x00e\ud800f\u2066g") == "abcde\ufffdfg"
