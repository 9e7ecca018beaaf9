"""The platforms' own service reports: every row and every number of them, to reconcile with."""

from datetime import date, time
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from huitou.sources.importer import import_files
from huitou.sources.service_numbers import measure, numbers, unit_of
from huitou.tables import key63
from tests.exported import as_csv, imported, shop, table


def numbers_of(ws: object) -> dict[tuple[str, str, str], float]:
    """(scope and day or account, measure, unit) → value."""
    rows = table(ws, "platform_reports").with_columns(  # type: ignore[arg-type]
        pl.when(pl.col("account").is_not_null()).then("account").when(pl.col("scope") == "day").then(pl.col("day").cast(pl.String))
        .otherwise("scope").alias("of")
    )  # fmt: skip
    found = table(ws, "platform_numbers").join(rows.select("report_key", "of"), on="report_key")  # type: ignore[arg-type]
    return {(of, m, unit): value for of, m, unit, value in found.select("of", "measure", "unit", "value").iter_rows()}


def sheet(path: Path, *rows: list[object]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


RECEPTION = [
    [
        "日期",
        "咨询人数",
        "接待人数",
        "有效接待人数",
        "平均响应时长（秒)",
        "3分钟人工响应率",
        "旺旺回复率",
        "买家发起人数",
        "首次响应时长",
    ],
    ["2025-03-01", 120, 118, 100, 35.5, 0.9, "98.5%", 117, time(0, 1, 20)],
    ["2025-03-02", 80, "1,080", "--", 40, 0.625, "97%", 79, "00:01:10"],
    ["汇总值", 200, 1198, 180, 37.3, 0.79, "98%", 196, ""],
    ["平均值", 100, 599, 90, 37.3, 0.79, "98%", 98, ""],
    ["全店汇总值", 300, 1300, 200, 38, 0.8, "98%", 250, ""],
    ["同行同层均值", 50, 45, 40, 60, 0.5, "90%", 44, ""],
]


def test_days_totals_and_peers_of_a_reception_report(tmp_path: Path) -> None:
    (report,) = import_files(ws := shop(tmp_path), [sheet(tmp_path / "咨询接待_2025-04-01.xlsx", *RECEPTION)])
    assert report.source == "sycm.service" and report.load is not None and report.load.balances and not report.problems
    rows = table(ws, "platform_reports").sort("row")
    assert rows["scope"].to_list() == ["day", "day", "total", "mean", "shop_total", "peers"]
    assert rows["day"].to_list() == [date(2025, 3, 1), date(2025, 3, 2)] + [date(1970, 1, 1)] * 4
    assert set(rows.filter(pl.col("scope") != "day").select("first_day", "last_day").rows()) == {
        (date(2025, 3, 1), date(2025, 3, 2))
    }
    found = numbers_of(ws)
    assert found["2025-03-01", "3分钟人工响应率", "share"] == 0.9 and found["2025-03-01", "回复率", "share"] == 0.985
    assert found["2025-03-02", "首次响应时长", "s"] == 70 and found["2025-03-01", "首次响应时长", "s"] == 80
    assert found["2025-03-01", "平均响应时长", "s"] == 35.5 and found["2025-03-02", "接待人数", "count"] == 1080
    assert ("2025-03-02", "有效接待人数", "count") not in found and found["peers", "咨询人数", "count"] == 50


@pytest.mark.slow
def test_rates_above_one_are_per_cent_in_the_whole_file(tmp_path: Path) -> None:
    rows = [[v * 100 if c in (5,) and isinstance(v, float) else v for c, v in enumerate(row)] for row in RECEPTION]
    import_files(ws := shop(tmp_path), [sheet(tmp_path / "r.xlsx", *rows)])
    assert numbers_of(ws)["2025-03-02", "3分钟人工响应率", "share"] == pytest.approx(0.625)


def test_reception_reviews_under_two_header_rows(tmp_path: Path) -> None:
    text = as_csv(["日期", "总", "", "", "", "", "", "邀请", "", "", ""],
                  ["", "接待人数", "发出", "收到", "很满意", "满意", "满意率", "发出", "收到", "返回率", "服务度"],
                  ["2025-03-01", 10, 8, 6, 4, 1, "83.3%", 5, 4, "80%", "95.0%"])  # fmt: skip
    report, ws = imported(tmp_path, text.encode("gb18030"))
    found = numbers_of(ws)
    assert report.source == "sycm.service" and set(table(ws, "platform_reports")["report"]) == {"sycm.reviews"}
    assert found["2025-03-01", "总-发出", "count"] == 8 and found["2025-03-01", "邀请-返回率", "share"] == 0.8
    assert found["2025-03-01", "邀请-服务度", "share"] == pytest.approx(0.95)


CHITU_ROWS = [
    [
        "旺旺",
        "旺旺分组",
        "聊天人数",
        "直接接入人数",
        "询单→最终付款成功率",
        "邮费总额",
        "销售额",
        "首次响应(秒)",
        "慢接待人数",
        "答问比",
    ],
    ["青麓男包旗舰店:小禾", "售前", 50, 40, "52.00%", "12.50", "1.2万", 8.5, 2, "112.5%"],
    ["青麓男包旗舰店:小满", "售前", 30, 28, "40.00%", "0.00", "3,450.80", 12, 0, "98%"],
    ["", "售后", 1, 1, "", "", "", "", "", ""],
    ["汇总", "", 80, 68, "47.50%", "12.50", "15450.8", "", 2, ""],
    ["均值", "", 40, 34, "46.00%", "6.25", "7725.4", 10.25, 1, "105%"],
]


def test_accounts_of_chitu_with_their_totals(tmp_path: Path) -> None:
    (report,) = import_files(ws := shop(tmp_path), [sheet(tmp_path / "c.xlsx", *CHITU_ROWS)])
    assert report.source == "chitu" and report.problems == {"empty": 1}
    rows = table(ws, "platform_reports").sort("row")
    assert rows["scope"].to_list() == ["agent", "agent", "total", "mean"] and rows["account"].to_list()[:2] == ["小禾", "小满"]
    assert rows["agent_key"][0] == key63("tmall", "青麓男包旗舰店", "小禾")
    found = numbers_of(ws)
    assert found["小禾", "询单->最终付款成功率", "share"] == 0.52 and found["小禾", "销售额", "fen"] == 1_200_000
    assert found["小满", "销售额", "fen"] == 345_080 and found["小禾", "答问比", "share"] == 1.125
    assert found["小禾", "慢响应人数", "count"] == 2 and found["小禾", "首次响应时长", "s"] == 8.5


@pytest.mark.slow
def test_undated_rows_are_known_again_however_their_numbers_are_written(tmp_path: Path) -> None:
    header, one = CHITU_ROWS[0], [*map(str, CHITU_ROWS[1])]
    other = [f"{cell}\t" for cell in one[::-1]]
    other[header[::-1].index("销售额")] = "12,000.00元"
    files = [sheet(tmp_path / "1.xlsx", header, one), sheet(tmp_path / "2.xlsx", [*header[::-1], "备注"], [*other, "无"])]
    reports = import_files(shop(tmp_path), files)
    assert [(r.load.stored, r.load.known) for r in reports if r.load] == [(1, 0), (0, 1)]


@pytest.mark.slow
def test_undated_rows_of_other_days_stay_beside_each_other_and_equal_ones_are_known(tmp_path: Path) -> None:
    header, one, other = CHITU_ROWS[0], CHITU_ROWS[1], [*CHITU_ROWS[1][:2], 51, *CHITU_ROWS[1][3:]]
    files = [
        sheet(tmp_path / f"{i}.xlsx", header, row, *more)
        for i, (row, *more) in enumerate([(one,), (other,), (one, CHITU_ROWS[2])])
    ]
    reports = import_files(ws := shop(tmp_path), files)
    assert [(r.load.stored, r.load.known) for r in reports if r.load] == [(1, 0), (1, 0), (1, 1)]
    assert table(ws, "platform_reports").filter(pl.col("account") == "小禾").height == 2


@pytest.mark.slow
def test_a_later_export_of_a_day_replaces_its_numbers(tmp_path: Path) -> None:
    header = ["日期", "询单人数", "当日付款人数", "最终付款人数", "最终付款金额", "询单最终付款转化率"]
    files = [
        sheet(tmp_path / f"{i}.xlsx", header, ["2025-03-01", 10, 4, paid, paid * 10, paid / 10]) for i, paid in enumerate((4, 6))
    ]
    import_files(ws := shop(tmp_path), files)
    found = numbers_of(ws)
    assert found["2025-03-01", "最终付款人数", "count"] == 6 and found["2025-03-01", "最终付款金额", "fen"] == 6_000
    assert table(ws, "platform_reports").height == 1


def test_receptions_listed_by_chitu_are_sessions_of_known_buyers(tmp_path: Path) -> None:
    names = ["日期", "开始时间", "结束时间", "买家旺旺", "客服旺旺", "接待类型", "接待发起", "状态"]
    rows = [["2025-03-01", "2025-03-01 10:00:00", "2025-03-01 10:05:30", "小鱼", "青麓:小禾", "询单", "买家", "已付款"],
            ["2025-03-01", "23:58:00", "23:59:00", "小鱼", "青麓:木子", "售后", "客服", ""],
            ["2025-03-02", "没接", "", "小虾", "青麓:小禾", "询单", "买家", ""]]  # fmt: skip
    report, ws = imported(tmp_path, as_csv(names, *rows))
    assert report.source == "chitu.receptions" and report.problems == {"time": 1}
    found = table(ws, "chat_sessions").join(table(ws, "agents").select("agent_key", "account"), on="agent_key").sort("started_at")
    assert found.select("account", "day", "minutes", "kind").rows() == [
        ("小禾", date(2025, 3, 1), 5.5, "询单"), ("木子", date(2025, 3, 1), 1.0, "售后")]  # fmt: skip
    assert set(found["customer_key"]) == {ws.people().token("小鱼")}


def test_feige_and_hours(tmp_path: Path) -> None:
    feige = as_csv(["", "接待会话量", "已接待人数", "全天3分钟回复率", "全天平响时长", "客服询单支付额", "询单转化率"],
                   ["小禾", 30, 28, "91.2%", "25.1秒", "¥1,200.00", "20%"], ["店铺汇总值", 30, 28, "91.2%", "25.1", "1200", "20%"],
                   ["店铺平均值", 30, 28, "91.2%", "25.1", "1200", "20%"])  # fmt: skip
    hours = as_csv(["日期", "客服", *[f"{h}点" for h in range(24)]], ["2025-03-01", "小禾", *range(24)])
    for name, text in (("f", feige), ("h", hours)):
        (tmp_path / name).mkdir()
        report, ws = imported(tmp_path / name, text)
        assert report.load is not None and report.load.balances and not report.problems
        found = numbers_of(ws)
        if name == "f":
            assert report.source == "feige.service" and found["小禾", "询单支付额", "fen"] == 120_000
            assert (
                sorted(table(ws, "platform_reports")["scope"]) == ["agent", "mean", "shop_total"]
                and found["小禾", "全天平响时长", "s"] == 25.1
            )
        else:
            assert report.source == "chitu" and found["小禾", "9点", "count"] == 9
            assert table(ws, "platform_reports").select("report", "scope").row(0) == ("chitu.hours", "agent_day")


@pytest.mark.parametrize(
    ("heading", "same", "unit"),
    [("平均响应时长（秒)", "平均响应时长", "s"), ("慢响应人数", "慢响应人数", "count"), ("询单→次日付款成功率", "询单->次日付款成功率", "share"),
     ("客单价(元)", "客单价", "fen"), ("邀请-满意率", "邀请-满意率", "share"), ("静默下单本人落实付款-金额", "静默下单本人落实付款-金额", "fen"),
     ("客服在线天数", "客服在线天数", "count"), ("挂起总时长(秒)", "挂起总时长", "s"), ("客服字数", "客服字数", "count")],
)  # fmt: skip
def test_headings_have_one_spelling_and_a_unit(heading: str, same: str, unit: str) -> None:
    assert (measure(heading), unit_of(heading)) == (same, unit)


def test_durations() -> None:
    raw = pl.Series(["83", "1分23秒", "1:23", "0:01:23", "1天1小时", "-", "很久"])
    assert numbers("平均响应时长", raw, percent=False).to_list() == [83, 83, 83, 83, 90_000, None, None]
    assert numbers("会话时长(分钟)", pl.Series(["2"]), percent=False).to_list() == [120]
