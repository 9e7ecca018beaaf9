"""拼多多 through the front door: orders without a buyer and without a time of order, after-sale cases, and their numbers."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from huitou.lake import Workspace
from huitou.sources.importer import ImportReport, import_files
from huitou.sources.pdd_orders import status
from huitou.tables import key63
from tests.exported import table
from tests.front import huitou, number
from tests.platform_files import PDD_ORDERS, PDD_ORDERS_NEW, PDD_REFUNDS, pdd_order, pdd_refund, write_csv, write_xlsx

SHOP = ("pdd", "青麓卡包店")
ROWS = [
    pdd_order(
        "250301-100000000000001", "2025-03-01 10:00:00\t", 发货时间="2025-03-02 08:00:00", 确认收货时间="2025-03-05 08:00:00"
    ),
    pdd_order("250301-100000000000002", "2025-03-01 11:00:00", 订单状态="已发货，待签收"),
    pdd_order("250302-100000000000003", "2025-03-02 12:00:00", 订单状态="未发货，退款成功", 售后状态="退款成功"),
    pdd_order("250303-100000000000004", "\t", 订单状态="已取消", 拼单成功时间="\t", 订单确认时间="\t"),
    pdd_order("250304-100000000000005", "2025-03-04 09:00:00", 售后状态="退款成功"),
]
"""Received; on its way; refunded before shipping; never paid; received and refunded."""


def pdd(folder: Path, *files: Path) -> tuple[Workspace, list[ImportReport]]:
    huitou("init", folder / "shop", "--shop", SHOP[1], "--platform", "pdd")
    ws = Workspace.open(folder / "shop")
    reports = import_files(ws, list(files))
    assert all(r.load and r.load.balances for r in reports)
    return ws, reports


def orders(folder: Path) -> Path:
    return write_csv(folder / "orders.csv", PDD_ORDERS, ROWS, encoding="utf-8-sig", blank="\t")


def test_orders_and_their_money(tmp_path: Path) -> None:
    ws, (report,) = pdd(tmp_path, orders(tmp_path))
    assert (report.source, report.rows, report.problems) == ("pdd.orders", 5, {}) and report.notes == {"day_of_id": 1}
    rows = table(ws, "orders").sort("row")
    assert rows["status"].to_list() == ["done", "shipped", "closed", "closed", "done"]
    assert rows["gross_fen"].to_list() == [5_200, 5_200, 5_200, 0, 5_200]
    assert rows["placed_fen"].unique().to_list() == [5_200]
    assert rows["customer_key"].null_count() == 5 and rows["region"].unique().to_list() == ["广东省"]
    assert rows["product_key"].unique().to_list() == [key63(*SHOP, "id", "700001")]
    lines = table(ws, "order_lines").sort("row")
    assert lines["price_fen"].unique().to_list() == [3_000] and lines["refunded"].to_list() == [False, False, True, False, True]
    assert lines["refund_fen"].to_list() == [0, 0, None, 0, None]  # how much, the file does not say


def test_a_refund_is_the_whole_until_the_after_sale_export_says_how_much(tmp_path: Path) -> None:
    ws, _ = pdd(tmp_path, orders(tmp_path))
    assert number(ws.path, "amount_refunded")["value"] == 104.0
    import_files(ws, [write_csv(tmp_path / "r.csv", PDD_REFUNDS, [pdd_refund("9", "250304-100000000000005")])])
    assert number(ws.path, "amount_refunded")["value"] == 62.0 and number(ws.path, "refunded_orders")["value"] == 2


def test_an_order_that_nobody_paid_is_worth_what_was_due(tmp_path: Path) -> None:
    row = ROWS[3] | {
        "用户实付金额(元)": "0.00",
        "商品总价(元)": "60.00",
        "邮费(元)": "4.00",
        "店铺优惠折扣(元)": "5.00",
        "平台优惠折扣(元)": "2.00",
    }
    ws, _ = pdd(tmp_path, write_csv(tmp_path / "o.csv", PDD_ORDERS, [row, ROWS[0]]))
    rows = table(ws, "orders").sort("row")
    assert rows["placed_fen"].to_list() == [5_700, 5_200] and rows["gross_fen"].to_list() == [0, 5_200]


@pytest.mark.slow
def test_an_order_without_any_time_is_of_the_day_in_its_number(tmp_path: Path) -> None:
    ws, _ = pdd(tmp_path, orders(tmp_path))
    row = table(ws, "orders").filter(pl.col("order_id") == "250303-100000000000004").row(0, named=True)
    assert (row["day"], row["second"], row["paid_at"]) == (date(2025, 3, 3), 0, None)
    nameless = write_csv(tmp_path / "n.csv", PDD_ORDERS, [ROWS[3] | {"订单号": "A-7"}, ROWS[1]])
    (report,) = import_files(ws, [nameless])
    assert report.problems == {"empty": 1} and report.load and report.load.known == 1


@pytest.mark.slow
def test_newer_columns_in_a_workbook(tmp_path: Path) -> None:
    new = {
        "订单成交时间": "2025-03-01 10:00:00",
        "商家实收金额(元)": "55.00",
        "多多支付立减金额(元)": "0.00",
        "街道/镇": "某街道",
    }
    row = ROWS[0] | new
    ws, (report,) = pdd(tmp_path, write_xlsx(tmp_path / "orders.xlsx", PDD_ORDERS_NEW, [row]))
    (order,) = table(ws, "orders").to_dicts()
    assert (order["gross_fen"], order["paid_day"], order["second"]) == (5_200, date(2025, 3, 1), 36_000)
    assert report.notes == {}  # no column that is not known


@pytest.mark.slow
def test_metrics_of_a_pdd_shop(tmp_path: Path) -> None:
    """By hand: five orders of 52, four paid; one refunded whole by the order file, and of another 10 by the after-sale file."""
    refunds = [pdd_refund("9001", "250301-100000000000001"), pdd_refund("9002", "250301-100000000000002", 售后状态="已撤销")]
    ws, reports = pdd(tmp_path, write_xlsx(tmp_path / "refunds.xlsx", PDD_REFUNDS, refunds), orders(tmp_path))
    assert [r.source for r in reports] == ["pdd.refunds", "pdd.orders"]
    huitou("-w", ws.path, "build")
    asked = ["orders_placed", "paid_orders", "amount_paid", "refunded_orders", "amount_refunded"]
    assert [number(ws.path, name)["value"] for name in asked] == [5, 4, 208, 3, 114]
    assert number(ws.path, "paying_customers")["status"] == "needs buyer id"


def test_after_sale_cases(tmp_path: Path) -> None:
    more = pdd_refund("9003", "250304-100000000000005", 售后类型="退货退款", **{"退款金额(元)": "52.00", "售后原因": "-"})
    ws, _ = pdd(tmp_path, write_csv(tmp_path / "r.csv", PDD_REFUNDS, [pdd_refund("9001", "250301-1"), more]))
    rows = table(ws, "refunds").sort("row")
    assert rows["amount_fen"].to_list() == [1_000, 5_200] and rows["full"].to_list() == [False, True]
    assert rows["returned"].to_list() == [False, True] and rows["reason"].to_list() == ["质量问题", None]
    assert rows["succeeded"].to_list() == [True, True] and rows["finished_at"].null_count() == 0


@pytest.mark.parametrize(
    ("words", "state"),
    [("待支付", "unpaid"), ("待发货", "paid"), ("已发货，待签收", "shipped"), ("已发货，退款成功", "shipped"), ("已签收", "done"),
     ("已取消，退款成功", "closed"), ("未发货，退款成功", "closed"), ("退款成功", "closed"), ("火星", None), (None, None)],
)  # fmt: skip
def test_states(words: str | None, state: str | None) -> None:
    assert pl.DataFrame({"s": [words]}, schema={"s": pl.String}).select(status(pl.col("s"))).to_series().to_list() == [state]


@pytest.mark.slow
def test_a_time_to_pay_is_not_told_where_no_time_of_order_is(tmp_path: Path) -> None:
    ws, _ = pdd(tmp_path, orders(tmp_path))
    huitou("-w", ws.path, "build")
    assert number(ws.path, "time_to_pay_median")["value"] is None
