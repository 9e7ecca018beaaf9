"""抖店 through the front door: orders of several sub-orders, after-sale cases; and no platform's file is taken for another's."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from huitou.demo.exports import ORDER_HEADER
from huitou.lake import Workspace
from huitou.lake.identity import People
from huitou.lake.settings import Settings
from huitou.sources.douyin_orders import DouyinOrders
from huitou.sources.importer import ImportReport, import_files
from huitou.sources.model import Context
from huitou.sources.registry import BUILT_IN
from huitou.sources.sniff import head
from tests.exported import put, table
from tests.exports import order, write_chats, write_orders, write_reviews
from tests.front import huitou, number
from tests.platform_files import (
    DOUYIN_ORDERS,
    DOUYIN_ORDERS_75,
    DOUYIN_REFUNDS,
    JD_COMPENSATION,
    JD_ORDERS,
    JD_SESSIONS,
    PDD_ORDERS,
    PDD_ORDERS_NEW,
    PDD_REFUNDS,
    csv_text,
    douyin_order,
    douyin_refund,
    jd_log,
    jd_order,
    jd_session,
    pdd_order,
    pdd_refund,
    write_csv,
    write_xlsx,
)

M1, M2, M3 = "6917926700000000001", "6917926700000000002", "6917926700000000003"
GIFT = {"选购商品": "赠品", "商品ID": "\t800009", "商品单价": "0.00", "商品金额": "0.00", "订单应付金额": "0.00"}
ROWS = [
    douyin_order(M1, M1, 运费="10.00", 订单应付金额="1,210.00"),
    douyin_order(M2, M2, 订单状态="待支付", 支付完成时间="-", 发货时间="-", 订单完成时间="-"),
    douyin_order(
        M1, M1 + "1", 订单状态="已发货", 订单完成时间="-", 商品数量=2, 订单应付金额="300.00", 商品ID="\t800002", 选购商品="卡包"
    ),
    douyin_order(M1, M1 + "2", 订单状态="已关闭", 取消原因="主品订单售后完成", **GIFT),
    douyin_order(M3, M3, 订单状态="已关闭", 售后状态="同意退款，退款成功", 订单完成时间="-"),
]
"""M1: two goods and a gift that was closed, with the unpaid M2 between them; M3 went back."""


def douyin(folder: Path, *files: Path) -> tuple[Workspace, list[ImportReport]]:
    huitou("init", folder / "shop", "--shop", "青麓抖店", "--platform", "douyin")
    ws = Workspace.open(folder / "shop")
    reports = import_files(ws, list(files))
    assert all(r.load and r.load.balances for r in reports)
    return ws, reports


def orders(folder: Path, header: list[str] = DOUYIN_ORDERS, encoding: str = "utf-8-sig") -> Path:
    return write_csv(folder / "orders.csv", header, ROWS, encoding=encoding)


def test_cells_that_a_tab_fills_up_on_both_sides(tmp_path: Path) -> None:
    padded = [{name: f"\t{str(row.get(name, '')).strip()}\t" for name in DOUYIN_ORDERS} for row in ROWS]
    _, (report,) = douyin(tmp_path, write_csv(tmp_path / "orders.csv", DOUYIN_ORDERS, padded))
    assert (report.source, report.rows, report.problems) == ("douyin.orders", 5, {})


@pytest.mark.parametrize("header", [DOUYIN_ORDERS, DOUYIN_ORDERS_75], ids=["73", "75"])
def test_sub_orders_make_one_order(tmp_path: Path, header: list[str]) -> None:
    assert len(header) in (73, 75)
    ws, (report,) = douyin(tmp_path, orders(tmp_path, header))
    assert (report.source, report.rows, report.problems, report.notes) == ("douyin.orders", 5, {}, {})
    found = {o["order_id"]: o for o in table(ws, "orders").to_dicts()}
    assert {n: (o["placed_fen"], o["gross_fen"], o["refund_fen"], o["freight_fen"]) for n, o in found.items()} == {
        M1: (151_000, 151_000, 0, 1_000), M2: (120_000, 0, 0, 0), M3: (120_000, 120_000, 0, 0)
    }  # fmt: skip
    assert {n: o["status"] for n, o in found.items()} == {M1: "shipped", M2: "unpaid", M3: "closed"}
    assert found[M1]["close_reason"] == "主品订单售后完成" and found[M1]["received_at"] is None
    assert {o["courier"] for o in found.values()} == ({"顺丰速运"} if header is DOUYIN_ORDERS_75 else {None})
    lines = table(ws, "order_lines").sort("row")
    assert lines["paid_fen"].to_list() == [121_000, 0, 30_000, 0, 120_000] and lines["price_fen"][0] == 129_900


def read(folder: Path, rows: list[dict[str, object]]) -> tuple[pl.DataFrame, int]:
    """What the lake gets as orders of a file with these rows, and in how many batches the file was read."""
    file = write_csv(folder / "read.csv", DOUYIN_ORDERS, rows)
    context = Context(
        Settings(shop="青麓抖店", platform="douyin"), People(b"a key of 32 bytes for tests only", "douyin", "青麓抖店")
    )
    batches = list(DouyinOrders().read(head(file), context))
    assert sum(b.rows_read for b in batches) == len(rows)
    return batches[-1].frames["orders"].drop("row").sort("order_id"), len(batches)


@pytest.mark.slow
def test_block_borders_and_rows_apart_change_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        douyin_order(str(6917926700000001000 + n // 3), str(6917926700000001000 + n), 订单应付金额=f"{n}.50") for n in range(90)
    ]
    whole, batches = read(tmp_path, rows)
    assert batches == 2 and whole["gross_fen"].to_list() == [900 * k + 450 for k in range(30)]
    monkeypatch.setattr("huitou.sources.delimited._BLOCK_BYTES", 1024)
    monkeypatch.setattr("huitou.sources.delimited.SLAB_BYTES", 1024)
    cut, batches = read(tmp_path, rows)
    apart, _ = read(tmp_path, rows[::3] + rows[1::3] + rows[2::3])
    assert batches > 10 and cut.equals(whole) and apart.equals(whole)


def test_a_row_twice_in_a_file_counts_once(tmp_path: Path) -> None:
    orders, _ = read(tmp_path, [ROWS[0], ROWS[2], ROWS[0]])
    assert orders["gross_fen"].to_list() == [151_000]


@pytest.mark.slow
def test_metrics_of_a_douyin_shop(tmp_path: Path) -> None:
    """By hand: 1,510 + 1,200 paid of three orders; the after-sale file takes 299.50 off M1, the order file knows all of M3."""
    part = douyin_refund("7001", M1, **{"退商品金额（元）": "294.50", "退运费金额（元）": "5.00"})
    open_case = douyin_refund("7002", M1, 售后状态="待商家处理", 售后完结时间="-")
    ws, reports = douyin(tmp_path, orders(tmp_path), write_xlsx(tmp_path / "r.xlsx", DOUYIN_REFUNDS, [part, open_case]))
    assert [r.source for r in reports] == ["douyin.orders", "douyin.refunds"]
    huitou("-w", ws.path, "build")
    asked = ["orders_placed", "paid_orders", "amount_paid", "refunded_orders", "amount_refunded"]
    assert [number(ws.path, name)["value"] for name in asked] == [3, 2, 2710, 2, 1499.5]
    assert number(ws.path, "time_to_pay_median")["value"] == 45


def test_after_sale_cases(tmp_path: Path) -> None:
    swap = douyin_refund("7003", M2, 售后类型="换货", 售后状态="换货成功", **{"退商品金额（元）": "-", "用户售后说明": "-"})
    ws, _ = douyin(tmp_path, write_csv(tmp_path / "r.csv", DOUYIN_REFUNDS, [douyin_refund("7001", M1), swap]))
    rows = table(ws, "refunds").sort("row")
    assert rows["amount_fen"].to_list() == [120_000, 0] and rows["succeeded"].to_list() == [True, False]
    assert rows["returned"].to_list() == [True, False] and rows["note"].to_list() == ["开线了，电话〔手机〕", None]
    assert rows["full"].to_list() == [True, None] and rows["day"].to_list() == [date(2025, 3, 9)] * 2


def test_no_receiver_is_stored_anywhere(tmp_path: Path) -> None:
    ws, _ = douyin(tmp_path, orders(tmp_path))
    stored = b"".join(f.read_bytes() for f in ws.path.rglob("*") if f.is_file())
    assert "密文".encode() not in stored and "杭州市".encode() not in stored


def fixtures(folder: Path) -> dict[str, list[Path]]:
    """A file of every platform and form, by the source that must read it."""
    day = "2025-03-01 10:00:00"
    chats = {"小鱼在海边": [("", day, "在吗"), ("小禾", day, "在的")]}
    instant = f"店\n小鱼在海边\n即时消息\n2025-03-01\n{day} 小鱼在海边: 在吗\n"
    lines = [
        "子订单编号",
        "主订单编号",
        "标题",
        "价格",
        "购买数量",
        "外部系统编号",
        "商品属性",
        "套餐信息",
        "备注",
        "订单状态",
        "商家编码",
    ]
    refunds = ["订单编号", "退款编号", "买家退款金额", "退款的申请时间", "退款状态", "买家退款原因", "买家退款说明"]
    sheet = write_xlsx(folder / "jd.xlsx", JD_SESSIONS, [jd_session("jd_fish08", day, "c1")])
    return {
        "tmall.orders": [write_orders(folder / "t.csv", [order(1, "小鱼", day, 9)]), put(folder, "t0.csv", ",".join(ORDER_HEADER) + "\n")],
        "tmall.order_lines": [put(folder, "tl.csv", csv_text(lines, [dict.fromkeys(lines, "1")]))],
        "tmall.refunds": [put(folder, "tr.csv", csv_text(refunds, [dict.fromkeys(refunds, "1")]))],
        "reviews": [write_reviews(folder / "reviews.csv", [("好看", "好评", "2025-03-01")])],
        "wangwang.old": [write_chats(folder / "old.txt", "店", chats)],
        "wangwang.instant": [put(folder, "instant.txt", instant)],
        "jd.orders": [write_csv(folder / "jd.csv", JD_ORDERS, [jd_order(1, 2)], encoding="gb18030"),
                      write_csv(folder / "jd30.csv", JD_ORDERS[:30], [jd_order(1, 2)], encoding="gb18030")],
        "jd.chats": [put(folder, "jd.log", jd_log([("j****8", day, "在吗"), ("青麓-小禾", day, "在的")]))],
        "jd.sessions": [sheet],
        "jd.compensation": [write_csv(folder / "jc.csv", JD_COMPENSATION, [dict.fromkeys(JD_COMPENSATION, "1")])],
        "pdd.orders": [write_csv(folder / "p.csv", PDD_ORDERS, [pdd_order("250301-100000000000001", day)], blank="\t"),
                       write_csv(folder / "p2.csv", PDD_ORDERS_NEW, [{"订单成交时间": day}])],
        "pdd.refunds": [write_csv(folder / "pr.csv", PDD_REFUNDS, [pdd_refund("9", "250301-1")])],
        "douyin.orders": [orders(folder), write_csv(folder / "d75.csv", DOUYIN_ORDERS_75, [ROWS[0]])],
        "douyin.refunds": [write_csv(folder / "dr.csv", DOUYIN_REFUNDS, [douyin_refund("7", M1)])],
    }  # fmt: skip


@pytest.mark.slow
def test_no_file_is_taken_for_another_platforms(tmp_path: Path) -> None:
    for own, files in fixtures(tmp_path).items():
        for file in files:
            beginning = head(file)
            sure = {source.id: source.identify(beginning) for source in BUILT_IN}
            assert sure.pop(own) >= 60 and max(sure.values()) < 60, (own, file.name, sure)


def test_every_built_in_source_of_these_platforms_says_its_quirks() -> None:
    mine = [s for s in BUILT_IN if s.id.split(".")[0] in ("jd", "pdd", "douyin")]
    assert len(mine) == 8 and all(q.zh and q.en for s in mine for q in s.quirks)


@pytest.mark.slow
def test_an_order_cut_over_two_files_is_whole_in_the_numbers(tmp_path: Path) -> None:
    """M1 is 1,210 + 300 and a gift, in three files; each file knows only its own row of the order."""
    files = [write_csv(tmp_path / f"{n}.csv", DOUYIN_ORDERS, [row]) for n, row in enumerate((ROWS[2], ROWS[0], ROWS[3]))]
    ws, _ = douyin(tmp_path, *files)
    huitou("-w", ws.path, "build")
    assert [number(ws.path, name)["value"] for name in ("paid_orders", "amount_paid", "amount_placed")] == [1, 1510, 1510]
