"""千牛's workbooks through the importer: every sheet that is known is read, an order on several rows is one."""

from pathlib import Path

import openpyxl
import pytest

from huitou.sources.importer import import_files
from huitou.tables import key63
from tests.exported import shop, table

SHEETS = {
    "订单报表": [
        ["订单编号", "买家应付货款", "订单状态", "收货地址", "物流单号", "物流公司", "订单创建时间"],
        ["1930000000000000101", "210.80", "买家已付款,等待卖家发货", "浙江省杭州市", "YT0001", "圆通", "2026-06-02 11:37:39"],
        ["1930000000000000102", "59.00", "等待买家付款", "上海市", "", "", "2026-06-02 12:00:00"],
    ],
    "销售明细": [
        ["子订单编号", "主订单编号", "商品标题", "购买数量", "商家编码", "商品属性", "买家应付货款", "退款状态", "退款金额", "订单创建时间"],
        ["1930000000000000101", "1930000000000000101", "单肩包", "2", "A1", "黑", "210.80", "没有申请退款", "无退款申请", "2026-06-02 11:37:39"],
        ["1930000000000000102", "1930000000000000102", "卡包", "1", "B1", "", "59.00", "没有申请退款", "无退款申请", "2026-06-02 12:00:00"],
    ],
    "发货报表": [["订单编号", "收货人姓名", "联系手机", "收货地址"], ["1930000000000000101", "周一", "13800000001", "浙江省杭州市某路1号"]],
}  # fmt: skip

SOLD = [
    ["子订单编号", "主订单编号", "商品标题", "商品价格", "购买数量", "商家编码", "商品属性", "订单状态", "买家应付货款", "买家实付金额",
     "买家应付邮费", "退款状态", "退款金额", "订单创建时间"],
    ["1", "600", "餐桌", "3000.00", "1", "A", "", "交易成功", "3000.00", "2900.00", "60.00", "没有申请退款", "100.00", "2026-04-23 14:38:45"],
    ["2", "600", "餐椅", "800.00", "2", "B", "", "交易关闭", "800.00", "800.00", "60.00", "退款成功", "800.00", "2026-04-23 14:38:45"],
    ["3", "700", "餐椅", "800.00", "1", "B", "", "等待买家付款", "800.00", "0.00", "0.00", "没有申请退款", "", "2026-04-24 14:38:45"],
]  # fmt: skip


def workbook(path: Path, sheets: dict[str, list[list[str]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_every_known_sheet_is_a_load_of_its_own_and_known_again(tmp_path: Path) -> None:
    path = workbook(tmp_path / "export.xlsx", SHEETS)
    one, two, again, _ = import_files(ws := shop(tmp_path), [path, path])
    assert [(r.source, r.name) for r in (one, two)] == [
        ("qianniu.orders", "export.xlsx · 订单报表"),
        ("qianniu.order_lines", "export.xlsx · 销售明细"),
    ]
    assert all(r.load and r.load.balances and r.rows == 2 for r in (one, two)) and one.notes == {"other_sheets": 1, "no_kept": 1}
    assert again.load is not None and (again.load.stored, again.load.known) == (0, 2)
    orders, lines = table(ws, "orders").sort("row"), table(ws, "order_lines").sort("row")
    assert orders.select("placed_fen", "gross_fen", "status", "region").rows() == [
        (21_080, 21_080, "paid", "浙江省"),
        (5_900, 0, "unpaid", "上海"),
    ]
    assert lines["price_fen"].to_list() == [10_540, 5_900] and lines["order_key"].to_list() == orders["order_key"].to_list()
    stored = b"".join(f.read_bytes() for f in ws.path.rglob("*") if f.is_file())
    assert b"13800000001" not in stored


@pytest.mark.slow
def test_several_sheets_of_one_kind_are_one_load(tmp_path: Path) -> None:
    sheets = {"1": SHEETS["订单报表"][:2], "2": [SHEETS["订单报表"][0], SHEETS["订单报表"][2]]}
    (report,) = import_files(ws := shop(tmp_path), [workbook(tmp_path / "export.xlsx", sheets)])
    assert (
        report.load is not None and report.load.stored == 2 and report.notes == {"no_kept": 2} and table(ws, "orders").height == 2
    )


@pytest.mark.slow
def test_sold_items_add_up_and_their_freight_does_not(tmp_path: Path) -> None:
    (report,) = import_files(ws := shop(tmp_path), [workbook(tmp_path / "sold.xlsx", {"Sheet1": SOLD})])
    assert report.source == "qianniu.sold" and report.load is not None and report.load.balances and report.rows == 3
    orders = table(ws, "orders").sort("order_id")
    assert orders.select("placed_fen", "gross_fen", "refund_fen", "freight_fen", "items", "status").rows() == [
        (386_000, 376_000, 80_000, 6_000, 3, "done"), (80_000, 0, 0, 0, 1, "unpaid")]  # fmt: skip
    lines = table(ws, "order_lines").sort("row")
    assert lines["refund_fen"].to_list() == [0, 80_000, 0]
    assert lines["order_key"][0] == key63("tmall", "青麓男包旗舰店", "order", "600")
