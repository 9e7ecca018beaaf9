"""The workbook and the terminal say the same as the page."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import openpyxl
import pytest
from rich.cells import cell_len
from rich.console import Console

from huitou.errors import DiskFull
from huitou.reports import print_diagnosis, write_html, write_xlsx
from huitou.reports.drawing import draw
from huitou.reports.terminal import fold
from tests.sample_diagnosis import sample


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    """The sample's Chinese workbook, read back."""
    return openpyxl.load_workbook(write_xlsx(sample(), tmp_path_factory.mktemp("x") / "report.xlsx"))


def column(book: openpyxl.Workbook, sheet: str, head: str) -> list[object]:
    """The values under a heading."""
    rows = list(book[sheet].iter_rows(values_only=True))
    return [row[rows[0].index(head)] for row in rows[1:]]


def said(lang: str, width: int) -> str:
    """What the terminal shows."""
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=False, highlight=False)
    print_diagnosis(sample(), console, lang="zh" if lang == "zh" else "en", files=[Path("reports/2026-05-31.html")])
    return out.getvalue()


def test_a_sheet_for_each_thing(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == [
        "概要", "发现", "证据", "流失原因", "未付款原因", "评价问题", "原话", "发现1", "发现2", "发现3", "发现5", "指标", "数据与规则",
    ]  # fmt: skip
    assert all(sheet.freeze_panes == "B2" for sheet in book)


def test_numbers_are_numbers_and_money_is_yuan(book: openpyxl.Workbook) -> None:
    findings = sample().diagnosis.findings
    assert column(book, "发现", "值") == [pytest.approx(f.value) for f in findings]
    assert column(book, "发现", "金额（元）") == [239_600, 63_800, 49_200, 38_100, None]
    assert column(book, "发现", "含在") == [None, 1, 1, None, None]
    assert book["发现"]["D2"].number_format == "0.0%"


def test_every_cell_and_every_line_is_in_the_workbook(book: openpyxl.Workbook) -> None:
    assert len(column(book, "指标", "编号")) == len(sample().cells)
    assert column(book, "证据", "标出的话")[:2] == ["怎么看出来是真皮？", "亲 我们是品牌 质量放心"]
    assert column(book, "发现2", "原始")[0] == pytest.approx(283 / 742)


def test_every_cell_of_a_table_of_reasons_opens_to_its_words(book: openpyxl.Workbook) -> None:
    assert column(book, "流失原因", "数量") == [1158, 612, 30] and column(book, "流失原因", "云朗公文包") == [98, 352, 3]
    assert column(book, "原话", "原文") == ["没有检测报告我不放心", "就是味道有点大"]
    assert column(book, "原话", "商品") == ["云朗公文包", "行川双肩包"]


def test_what_is_missing_is_blank_and_few_are_not_told(book: openpyxl.Workbook) -> None:
    at = column(book, "指标", "编号").index("mid_review_rate")
    assert [column(book, "指标", head)[at] for head in ("值", "下限", "分子", "n")] == [None, None, None, "<5"]
    at = column(book, "指标", "编号").index("silent_conversion")
    assert column(book, "指标", "值")[at] is None and column(book, "指标", "状态")[at] == "需要 流量"


def test_the_ledger_of_each_file_balances_in_the_workbook(book: openpyxl.Workbook) -> None:
    heads = ("行数", "存入", "已有", "搁置")
    for rows, *parts in list(zip(*(column(book, "数据与规则", h) for h in heads), strict=True))[:2]:
        assert rows == sum(parts)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_terminal_keeps_its_width(lang: str, width: int) -> None:
    assert [line for line in said(lang, width).splitlines() if cell_len(line) > width] == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_terminal_says_the_findings_and_where_the_report_is(lang: str) -> None:
    text = "".join(said(lang, 120).split())
    told = [getattr(f, f"title_{lang}") for f in sample().diagnosis.findings] + ["reports/2026-05-31.html", "30.0%", "29.0–31.0"]
    assert [t for t in told if "".join(t.split()) not in text] == []


def test_an_empty_diagnosis_fits_on_a_screen() -> None:
    out = StringIO()
    empty = replace(sample(), cells=(), diagnosis=replace(sample().diagnosis, findings=(), fine=(), unknown_zh=()))
    print_diagnosis(empty, Console(file=out, width=80), lang="zh")
    assert "这段时间的数据还说不出结论" in out.getvalue()


def test_lines_are_folded_by_cells_and_stops_stay_behind_their_word() -> None:
    folded = fold("老客户晚 1 小时提醒付款，留一成 Huitou 作对照。", 12)
    assert folded.replace("\n", "").replace(" ", "") == "老客户晚1小时提醒付款，留一成Huitou作对照。"
    assert all(cell_len(x) <= 12 and x[0] not in "，。" for x in folded.split("\n")) and "Huitou" in folded


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the half-written ZIP, given up
@pytest.mark.parametrize("write", [write_html, write_xlsx])
def test_a_full_disk_is_a_sentence_and_leaves_nothing(write: object, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here: writing to a full disk was NOT checked")
    target = tmp_path / "report"
    (tmp_path / "report.part").symlink_to("/dev/full")
    with pytest.raises(DiskFull):
        write(replace(sample(), diagnosis=replace(sample().diagnosis, findings=())), target)  # type: ignore[operator]
    assert not target.exists() and list(tmp_path.iterdir()) == []


def test_a_chart_that_cannot_be_drawn_is_told_and_the_next_one_is_drawn() -> None:
    text = {"mark": "text", "data": {"values": [{}]}, "encoding": {"text": {"value": "一二"}}}
    wrong = [draw({"mark": "no such mark"}) for _ in range(3)]
    assert all("renderer" in str(one.exception(60)) for one in wrong)
    assert ">一二</text>" in draw(text).result(60)
