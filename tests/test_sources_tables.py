"""What each table-shaped export means, through the importer, on invented files small enough to read."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from huitou.sources.drafts import draft_mapping
from huitou.sources.importer import import_files
from huitou.sources.layout import headings
from huitou.sources.sniff import head
from huitou.tables import key63
from tests.exported import THREE, as_csv, imported, put, shop, table

SHOP = ("tmall", "青麓男包旗舰店")


def by(frame: pl.DataFrame, column: str) -> list[object]:
    return frame.sort("row")[column].to_list()


def test_money_of_orders_is_what_was_paid_and_what_went_back(tmp_path: Path) -> None:
    orders = table(imported(tmp_path, THREE)[1], "orders")
    assert by(orders, "placed_fen") == [12_800, 26_000, 5_900]
    assert by(orders, "gross_fen") == [12_800, 26_000, 0]
    assert by(orders, "refund_fen") == [0, 16_000, 0]
    assert by(orders, "freight_fen") == [800, 0, 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("total", "kept", "refund", "gross"), [(100, 60, 40, 100), (100, 100, 40, 100), (100, 0, 100, 100), (100, 90, 0, 90)]
)
def test_gross_where_the_refund_is_off_already_and_where_it_is_not(
    tmp_path: Path, total: int, kept: int, refund: int, gross: int
) -> None:
    text = as_csv(["订单编号", "总金额", "买家实际支付金额", "收货地址 ", "订单创建时间", "订单付款时间 ", "退款金额"],
                  ["9", total, kept, "上海", "2025-01-01 00:00:00", "2025-01-01 00:00:09", refund])  # fmt: skip
    orders = table(imported(tmp_path, text)[1], "orders")
    assert by(orders, "gross_fen") == [gross * 100]


def test_status_time_place_and_person_of_orders(tmp_path: Path) -> None:
    orders = table(imported(tmp_path, THREE)[1], "orders")
    assert by(orders, "status") == ["done", "paid", "unpaid"]
    assert by(orders, "region") == ["浙江省", "内蒙古自治区", None]
    assert by(orders, "day") == [date(2025, 3, 1), date(2025, 3, 2), date(2025, 3, 3)]
    assert by(orders, "second") == [36_000, 32_700, 86_399]
    assert by(orders, "created_at")[0] == 1_740_794_400_000_000  # 2025-03-01 02:00:00 UTC
    keys = by(orders, "customer_key")
    assert keys[0] == keys[2] != keys[1] and by(orders, "row") == [2, 3, 4]


def test_products_are_the_first_item_by_title(tmp_path: Path) -> None:
    _, ws = imported(tmp_path, THREE)
    titles = ["青麓单肩包", "青麓双肩包", "青麓卡包"]
    assert by(table(ws, "orders"), "product_key") == [key63(*SHOP, "title", title) for title in titles]
    assert sorted(table(ws, "products")["title"]) == sorted(titles)


def test_identities_are_in_the_vault_and_nowhere_else(tmp_path: Path) -> None:
    _, ws = imported(tmp_path, THREE)
    key = by(table(ws, "orders"), "customer_key")[1]
    known = ws.vault.recall(int(str(key)), "test")
    assert known is not None and (known["nick"], known["name"], known["phone"]) == ("山里的风", "吴二", "13800000002")
    stored = b"".join(f.read_bytes() for f in ws.path.rglob("*") if f.is_file() and "vault" not in f.parts)
    assert not any(word.encode() in stored for word in ("山里的风", "13800000002", "某路1号", "余杭区"))


def test_a_masked_buyer_is_nobody(tmp_path: Path) -> None:
    report, ws = imported(tmp_path, THREE.replace("小鱼在海边", "小**边"))
    assert [k is None for k in by(table(ws, "orders"), "customer_key")] == [True, False, True]
    assert report.notes == {"masked_buyer": 2}


@pytest.mark.slow
def test_a_later_export_brings_the_newer_state(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    later = THREE.replace('"买家已付款，等待卖家发货"', "卖家已发货，等待买家确认")
    _, second = import_files(ws, [put(tmp_path, "1.csv", THREE), put(tmp_path, "2.csv", later)])
    assert second.load is not None and (second.load.stored, second.load.known) == (1, 2)
    assert sorted(str(s) for s in table(ws, "orders")["status"]) == ["done", "shipped", "unpaid"]


def test_old_order_lines_have_names_that_do_not_depend_on_their_place(tmp_path: Path) -> None:
    header = ["订单编号", "标题", "价格", "购买数量", "外部系统编号", "商品属性", "套餐信息", "备注", "订单状态", "商家编码"]
    one, two = (
        ["77", "单肩包", "120.00", 1, "", "黑色", "", "", "交易成功", "A1"],
        ["77", "卡包", "59.00", 2, "", "", "", "", "交易成功", "B2"],
    )
    ws = shop(tmp_path)
    reports = import_files(
        ws, [put(tmp_path, "1.csv", as_csv(header, one, two)), put(tmp_path, "2.csv", as_csv(header, two, one))]
    )
    lines = table(ws, "order_lines").sort("row")
    assert [r.load.known for r in reports if r.load] == [0, 2]
    assert lines["price_fen"].to_list() == [12_000, 5_900] and lines["order_key"].unique().to_list() == [
        key63(*SHOP, "order", "77")
    ]


def test_new_order_lines(tmp_path: Path) -> None:
    text = as_csv(
        headings("子订单编号 主订单编号 商品标题 价格 购买数量 商品属性 商家编码 退款状态 退款金额 订单创建时间 商品ID"),
        ["71", "7", "单肩包", 120, 1, "黑", "A", "没有申请退款", "无退款申请", "2025-03-01 10:00:00", "555"],
        ["72", "7", "卡包", 59, 2, "", "B", "退款成功", "59.00", "2025-03-01 10:00:00", ""],
    )
    lines = table(imported(tmp_path, text)[1], "order_lines").sort("row")
    assert lines["refund_fen"].to_list() == [0, 5_900] and lines["refunded"].to_list() == [False, True]
    assert lines["product_key"].to_list() == [key63(*SHOP, "id", "555"), key63(*SHOP, "title", "卡包")]
    assert lines["day"].to_list() == [date(2025, 3, 1)] * 2


def test_refunds_join_by_order_and_their_notes_are_masked(tmp_path: Path) -> None:
    text = as_csv(
        headings(
            "订单编号 退款编号 退款的申请时间 买家退款金额 退款状态 是否需要退货 买家退款原因 买家退款说明 部分退款/全部退款"
        ),
        ["7", "r1", "2025-03-02 08:00:00", "59.00", "退款成功", "是", "尺寸不符", "太小了，电话13800000003", "部分退款"],
        ["8", "r2", "2025-03-02 09:00:00", "120.00", "退款关闭", "否", "7天无理由", "", "全部退款"],
    )
    refunds = table(imported(tmp_path, text)[1], "refunds").sort("row")
    assert refunds["succeeded"].to_list() == [True, False] and refunds["returned"].to_list() == [True, False]
    assert refunds["full"].to_list() == [False, True] and refunds["amount_fen"].to_list() == [5_900, 12_000]
    assert refunds["order_key"][0] == key63(*SHOP, "order", "7")
    assert "13800000003" not in str(refunds["note"][0]) and "太小了" in str(refunds["note"][0])


def test_reviews_of_a_plug_in(tmp_path: Path) -> None:
    text = as_csv(["评论内容", "追加评论", "评分", "日期", "SKU", "用户昵称", "商家回复", "平台"],
                  ["包很好", "用了一月", "5", "2025-03-01", "黑色", "小鱼在海边", "谢谢", "淘宝"],
                  ["此用户没有填写评价。", "", "好评", "2025年3月2日", "", "t**0", "", "淘宝"],
                  ["拉链坏了", "", "2星", "2025/3/3", "", "山里的风", "", "淘宝"])  # fmt: skip
    report, ws = imported(tmp_path, "\ufeff" + text)
    reviews = table(ws, "reviews").sort("row")
    assert reviews["rating"].to_list() == ["good", "good", "bad"] and reviews["score"].to_list() == [5, None, 2]
    assert reviews["default_text"].to_list() == [False, True, False] and report.notes["default_text"] == 1
    assert [k is None for k in reviews["customer_key"]] == [False, True, False]


def test_a_scrape_s_dates_carry_the_sku_and_masked_authors_stay_apart(tmp_path: Path) -> None:
    header, on = ["username", "time", "content"], "2025年2月5日 · 黑色 大号"
    rows = [["t**0", on, "好"], ["t**5", on, "好"], ["t**0", on, "好"], header, ["t**9", "去年", "好"]]
    text = as_csv(header, *rows)
    report, ws = imported(tmp_path, text)
    assert report.load is not None and (report.load.stored, report.load.known) == (2, 1)
    assert report.problems == {"repeated_header": 1, "time": 1}
    assert table(ws, "reviews")["sku"].to_list() == ["黑色 大号"] * 2


def test_traffic_under_title_lines_with_totals(tmp_path: Path) -> None:
    text = as_csv(["生意参谋"], [], ["数据说明"], ["统计日期", "访客数", "浏览量", "支付金额", "描述相符评分", "老访客数"],
                  ["2025-03-01", "1,234", "5,000", "12.00", "4.8", "-"],
                  ["2025-03-02", "1.2万", "60000", "13.00", "4.9", "300"],
                  ["汇总", "13,234", "", "", "", ""], ["平均值", "6,617", "", "", "", ""])  # fmt: skip
    report, ws = imported(tmp_path, text.encode("gb18030"))
    traffic = table(ws, "traffic").sort("day")
    assert traffic["visitors"].to_list() == [1_234, 12_000] and traffic["old_visitors"].to_list() == [None, 300]
    assert report.problems == {"total_row": 2} and traffic["score_item"].to_list() == [4.8, 4.9]


JD = as_csv(headings("订单号 商品名称 下单时间 订单金额 应付金额 订单状态 下单帐号 客户地址 付款确认时间 京东价"),
            ["311", "单肩包", "2025-03-01 10:00:00", 120, 110, "完成", "jd_abc", "广东省深圳市", "2025-03-01 10:00:10", 120],
            ["312", "卡包", "2025-03-02 10:00:00", 59, 59, "等待付款", "jd_def", "上海市", "", 59])  # fmt: skip


def test_any_table_comes_in_by_a_mapping_drafted_from_its_headings(tmp_path: Path) -> None:
    path = put(tmp_path, "jd.csv", JD)
    draft = draft_mapping(head(path)).text
    assert 'table = "orders"' in draft and 'order_id = "订单号"' in draft and 'paid = "付款确认时间"' in draft
    mapping = put(tmp_path, "jd.toml", draft)
    (report,) = import_files(shop(tmp_path), [path], mapping=mapping)
    assert report.load is not None and report.load.stored == 2, report.refused
    assert '"完成" = "done"' in draft and '"等待付款" = "unpaid"' in draft


@pytest.mark.parametrize("kind", ["jsonl", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("parquet", "xlsx"))])
def test_a_mapping_reads_other_kinds_of_files_alike(tmp_path: Path, kind: str) -> None:
    mapping = put(tmp_path, "m.toml", draft_mapping(head(put(tmp_path, "jd.csv", JD))).text)
    frame = pl.read_csv(tmp_path / "jd.csv")
    path = tmp_path / f"jd.{kind}"
    {"jsonl": frame.write_ndjson, "parquet": frame.write_parquet, "xlsx": frame.write_excel}[kind](path)
    one, two = import_files(shop(tmp_path), [tmp_path / "jd.csv", path], mapping=mapping)
    assert one.load is not None and two.load is not None, two.refused
    assert (one.load.stored, two.load.stored, two.load.known) == (2, 0, 2)
