"""What `huitou doctor FILE` says before anything is stored; every count is made a second time by hand."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from huitou.cli.checkup import CARRIED_BY
from huitou.metrics.needs import NEEDS
from huitou.sources import joins
from tests.exported import DONE, ORDERS, REFUNDED, THREE, UNPAID, put, table
from tests.exported import shop as fresh
from tests.exports import write_chats
from tests.front import huitou
from tests.platform_files import JD_ORDERS, JD_SESSIONS, jd_log, jd_order, jd_session, write_csv, write_xlsx

REFUND = "退款编号,订单编号,退款的申请时间,买家退款金额,退款状态,买家退款原因\n"


def look(shop: Path, *files: Path, code: int = 0) -> dict[str, Any]:
    done = huitou("-w", shop, "doctor", *files, "--format", "json", ok=False)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def one(shop: Path, file: Path) -> dict[str, Any]:
    (check,) = look(shop, file)["files"]
    return check


def test_a_file_is_told_by_source_header_rows_and_span(tmp_path: Path) -> None:
    ws = fresh(tmp_path)
    check = one(ws.path, put(tmp_path, "a.csv", THREE, "gb18030"))
    assert (check["source"], check["encoding"], check["rows"], check["set_aside"]) == ("tmall.orders", "GB18030", 3, 0)
    assert check["span"] == ["2025-03-01T10:00:00+08:00", "2025-03-03T23:59:59+08:00"]
    assert check["header"] == {"version": check["header"]["version"], "columns": 19, "used": 19, "unknown": []}
    assert ws.lake.loads() == [] and not list((ws.path / "lake").glob("tables/*"))


def test_the_header_version_does_not_depend_on_the_order_of_columns(tmp_path: Path) -> None:
    shop, names = fresh(tmp_path).path, ORDERS.split(",")
    cells = UNPAID.split(",")
    turned = "\n".join(",".join(reversed(row)) for row in (names, cells))
    more = f"{ORDERS},新出的列\n{UNPAID},\n"
    same, other, new = (one(shop, put(tmp_path, f"{i}.csv", t)) for i, t in enumerate((THREE, turned, more)))
    assert same["header"]["version"] == other["header"]["version"] != new["header"]["version"]
    assert new["header"]["unknown"] == ["新出的列"]


def test_ids_that_excel_spoiled_and_contacts_that_are_hidden(tmp_path: Path) -> None:
    rows = [DONE.replace('="1930000000000000101"', "1.93E+18"), REFUNDED.replace("'13800000002", "138****0002"),
            UNPAID.replace("'13800000001", "18800000000-123"), UNPAID.replace("0303", "0304").replace("'13800000001", "Enc.abc")]  # fmt: skip
    check = one(fresh(tmp_path).path, put(tmp_path, "a.csv", "\n".join([ORDERS, *rows]) + "\n"))
    assert check["damaged_ids"] == {"订单编号": {"scientific": 1, "rounded": 0}}
    assert check["problems"] == [{"reason": "damaged_id", "column": "订单编号", "n": 1, "first_row": 2}]
    assert check["contacts"]["联系手机"] == {"clear": 0, "masked": 1, "cipher": 1, "virtual": 1, "empty": 0}


def test_orders_on_several_rows_mixed_zones_and_currencies(tmp_path: Path) -> None:
    names = "订单编号,订单创建时间,订单付款时间,买家实际支付金额,总金额,币种"
    rows = ["7001,2025-03-01 10:00:00 +0800,,1,1,CNY"] * 2 + [
        "7002,2025-03-01 10:00:00,,1,1,USD",
        "7003,2025-03-01 09:00:00,,1,1,CNY",
    ]
    check = one(fresh(tmp_path).path, put(tmp_path, "a.csv", "\n".join([names, *rows]) + "\n"))
    assert check["orders_on_several_rows"] == {"orders": 1, "rows": 2}
    assert check["zones"] == {"+08:00": 2, "": 2} and check["currencies"] == {"CNY": 3, "USD": 1}


def test_days_without_rows_and_rows_that_stand_there_twice(tmp_path: Path) -> None:
    days = [f"2025-03-{day:02}" for day in range(1, 12) if day != 8]
    rows = [UNPAID.replace("0303", f"9{day[-2:]}1").replace("2025-03-03", day) for day in days]
    check = one(fresh(tmp_path).path, put(tmp_path, "a.csv", "\n".join([ORDERS, *rows, rows[2]]) + "\n"))
    assert check["days_without_rows"] == ["2025-03-08"] and check["notes"] == {"twins": 1}


def test_chats_of_masked_buyers_join_by_the_list_of_sessions(tmp_path: Path) -> None:
    huitou("init", tmp_path / "jd", "--shop", "青麓", "--platform", "jd")
    at = "2025-03-01 10:00:02"
    log = put(tmp_path, "chat.log", jd_log([("j****8", at, "这个包多大"), ("青麓-小禾", "2025-03-01 10:00:20", "能放下 A4")]))
    orders = write_csv(tmp_path / "orders.csv", JD_ORDERS, [jd_order(1, 900001)], encoding="gb18030")
    listed = write_xlsx(tmp_path / "sessions.xlsx", JD_SESSIONS, [jd_session("jd_fish08", at, "c1")])
    shop = tmp_path / "jd"
    for files, found in (((log, orders), 0), ((log, orders, listed), 1)):
        told = {(j["left"], j["right"]): (j["found"], j["n"]) for j in look(shop, *files)["joins"]}
        assert told["messages", "orders"] == told["orders", "messages"] == (found, 1)


def test_a_clock_that_stands_still_is_told(tmp_path: Path) -> None:
    lines = "".join(
        f'{{"buyer": "u{n}", "time": "2025-03-01 10:00:00", "text": "在吗", "role": "customer"}}\n' for n in range(30)
    )
    mapping = put(tmp_path, "m.toml", 'table = "messages"\n[columns]\nbuyer = "buyer"\ntext = "text"\nrole = "role"\n')
    ws, file = fresh(tmp_path), put(tmp_path, "c.jsonl", lines)
    for rest, note in (('time = "time"\n', "same_time"), ('[constants]\ntime = "2000-01-01"\n', "given_time")):
        told = put(tmp_path, "n.toml", mapping.read_text("utf-8") + rest)
        done = huitou("-w", ws.path, "doctor", file, "--mapping", told, "--format", "json")
        assert json.loads(done.stdout)["files"][0]["notes"].get(note) == 1


@pytest.mark.slow
def test_joins_are_foreseen_among_files_and_with_what_is_stored(tmp_path: Path) -> None:
    shop = fresh(tmp_path).path
    chats = {name: [("", "2025-03-01 09:59:00", "在吗")] for name in ("小鱼在海边", "别的客人")}
    files = [put(tmp_path, "a.csv", THREE), write_chats(tmp_path / "c.txt", "青麓男包旗舰店", chats),
             put(tmp_path, "r.csv", REFUND + "9001,1930000000000000202,2025-03-04 10:00:00,160,退款成功,不想要\n"
                 "9002,1930000000000000999,2025-03-04 10:00:00,1,退款成功,不想要\n")]  # fmt: skip
    expected = {("messages", "orders"): (2, 1), ("orders", "messages"): (2, 1), ("refunds", "orders"): (2, 1)}
    for _ in ("before", "after"):
        found = {(j["left"], j["right"]): (j["n"], j["found"]) for j in look(shop, *files)["joins"]}
        assert found == expected
        huitou("-w", shop, "import", files[0])
        files = files[1:]  # the orders are in the lake now


def test_reviews_of_the_seller_s_page_join_by_their_orders_and_equal_words_stay_apart(tmp_path: Path) -> None:
    ws = fresh(tmp_path)
    page = "主评ID,初次评价,订单号,评价时间,追评,买家昵称,评分\n" + "".join(
        f"{n},好用,1930000000000000{n},2025-03-09 10:00:00,,小**边,5\n" for n in (101, 999)
    )
    files = put(tmp_path, "a.csv", THREE), put(tmp_path, "r.csv", page)
    huitou("-w", ws.path, "import", *files)
    assert table(ws, "reviews").height == 2
    found = {(j["left"], j["right"], j["n"], j["found"]) for j in look(ws.path, *files)["joins"]}
    assert ("reviews", "orders", 2, 1) in found


def test_a_join_of_many_keys_is_a_sample_with_the_same_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joins, "MOST", 2_000)
    random = pl.Series(range(40_000)).hash(1).reinterpret(signed=True).abs()
    keys = joins.Keys()
    for part in range(0, 40_000, 5_000):
        keys.add("refunds", pl.DataFrame({"order_key": random[part : part + 5_000]}))
        keys.add("orders", pl.DataFrame({"order_key": random[part : part + 2_500]}))
    (join,) = [j for j in keys.joins() if j.link.left == "refunds"]
    assert join.sampled and join.n <= 2_000 and join.share is not None and abs(join.share - 0.5) < 0.06


@pytest.mark.slow
def test_what_cannot_be_computed_names_the_export_that_would_carry_it(tmp_path: Path) -> None:
    shop = fresh(tmp_path).path
    told = look(shop, put(tmp_path, "a.csv", THREE))["metrics"]
    waiting = {x["need"]: x for x in told["wait_for"]}
    assert "旺旺聊天记录（旧版客户端 TXT）" in [e["zh"] for e in waiting["chats"]["exports"]]
    assert "inquiry_conversion" in waiting["chats"]["metrics"] and "orders" not in waiting and "items" not in waiting
    huitou("-w", shop, "import", tmp_path / "a.csv")
    cells = json.loads(huitou("-w", shop, "metrics", "all", "--format", "json").stdout)
    lacking = {c["metric"] for c in cells if c["status"].removeprefix("needs ") in CARRIED_BY}
    assert lacking == {m for x in told["wait_for"] if x["need"] in CARRIED_BY for m in x["metrics"]}


def test_every_table_that_carries_a_need_is_known() -> None:
    assert set(CARRIED_BY) <= set(NEEDS)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_conclusions_come_first_and_nothing_of_a_person_is_said(tmp_path: Path, lang: str) -> None:
    ws = fresh(tmp_path)
    file = put(tmp_path, "a.csv", THREE.replace('="1930000000000000303"', "1.93E+18"))
    bad = put(tmp_path, "b.csv", "hello")
    done = huitou("--lang", lang, "-w", ws.path, "doctor", file, bad, ok=False)
    first, *rest = done.stdout.splitlines()
    assert first.startswith("! ") and ("搁置 1" if lang == "zh" else "1 set aside") in first and done.exit_code == 1
    assert any("b.csv" in line and line.startswith("✗") for line in rest)
    assert not any(word in done.stdout for word in ("小鱼", "周一", "1380000", "某路", "19300"))


def test_a_file_that_is_in_already_says_so_and_import_dry_run_says_the_same(tmp_path: Path) -> None:
    ws, file = fresh(tmp_path), put(tmp_path, "a.csv", THREE)
    huitou("-w", ws.path, "import", file)
    assert one(ws.path, file)["imported_before_as"] == 1
    dry = huitou("-w", ws.path, "import", file, "--dry-run").stdout
    assert dry == huitou("-w", ws.path, "doctor", file).stdout and len(ws.lake.loads()) == 1


def test_an_order_s_rows_are_counted_wherever_they_stand(tmp_path: Path) -> None:
    names = "订单编号,订单创建时间,订单付款时间,买家实际支付金额,总金额"
    rows = [f"{order},2025-03-01 10:00:00,,1,1" for order in ("71", "72", "73", "71", "72", "71")]
    check = one(fresh(tmp_path).path, put(tmp_path, "a.csv", "\n".join([names, *rows]) + "\n"))
    assert check["orders_on_several_rows"] == {"orders": 2, "rows": 5}


def test_an_export_cut_between_two_rows_is_told_beside_the_longer_one(tmp_path: Path) -> None:
    ws, longer = fresh(tmp_path), put(tmp_path, "a.csv", THREE)
    huitou("-w", ws.path, "import", longer)
    cut = put(tmp_path, "b.csv", THREE[: THREE.index("\n", len(THREE) - len(UNPAID) - 9) + 1])
    told = {"import": 1, "rows": 3, "fewer": 0.3333, "days": ["2025-03-01", "2025-03-03"]}
    assert one(ws.path, cut)["fewer_rows_than"] == told and one(ws.path, longer)["fewer_rows_than"] is None
    assert (
        "比上次同类文件少 33% 的行：第 1 次导入有 3 行（2025-03-01 至 2025-03-03）" in huitou("-w", ws.path, "import", cut).stdout
    )
    later = put(tmp_path, "c.csv", THREE.replace("2025-03", "2025-04").replace("2025/3", "2025/4").replace("19300", "19400"))
    assert one(ws.path, later)["fewer_rows_than"] is None  # another month, and not fewer


def test_a_column_that_was_left_out_is_told_with_what_stands_in_for_it(tmp_path: Path) -> None:
    def without(*left_out: str) -> str:
        keep = [i for i, name in enumerate(ORDERS.split(",")) if name not in left_out]
        lines = [",".join(row.split(",")[i] for i in keep) for row in (ORDERS, UNPAID)]
        file = put(tmp_path, f"{left_out[0]}.csv", "\n".join(lines) + "\n")
        return huitou("-w", tmp_path / "shop", "import", file).stdout

    fresh(tmp_path)
    assert "没有买家实际支付金额这一列：付款金额按应付货款加邮费算" in without("买家实际支付金额")
    told = without("退款金额", "订单状态", "总金额")
    assert all(f"没有{name}这一列" in told for name in ("退款金额", "订单状态", "总金额"))


def test_rows_of_two_shops_and_years_that_cannot_be_are_told(tmp_path: Path) -> None:
    rows = [f"{UNPAID},青麓", f"{UNPAID.replace('0303', '0304').replace('2025-03-03', '2099-03-03')},别家"]
    shop, file = fresh(tmp_path).path, put(tmp_path, "a.csv", "\n".join([f"{ORDERS},店铺名称", *rows]) + "\n")
    check = one(shop, file)
    assert check["notes"] == {"far_days": 1, "several_shops": 2}
    assert "2 × 家不同的店铺" in (said := huitou("-w", shop, "import", file).stdout) and "请核对年份" in said


def test_exports_that_hold_nothing_to_read_say_which_one_does(tmp_path: Path) -> None:
    heads = {
        "Ticket id,Subject,Status,Channel,Customer email,Assignee name": "工单列表",
        "Id,Requester,Submitter,Assignee,Group,Subject,Status,Via,Created at": "工单列表",
        "ticket_id,author_id,body,public,created_at": "分不出谁是客户",
        "Customer ID,First Name,Last Name,Email,Total Spent,Total Orders": "客户列表",
    }
    for number, (head, why) in enumerate(heads.items()):
        file = put(tmp_path, f"{number}.csv", f"{head}\n{','.join('x' for _ in head.split(','))}\n")
        assert why in look(tmp_path / "shop" if number else fresh(tmp_path).path, file, code=1)["files"][0]["refused"]["zh"]


def test_the_json_is_documented() -> None:
    text = (Path(__file__).parents[1] / "docs" / "doctor.md").read_text("utf-8")
    names = (
        "format timezone files joins days metrics refused source kind encoding header rows set_aside tables span problems notes"
    )
    more = "imported_before_as new_columns missing_columns damaged_ids contacts orders_on_several_rows currencies zones"
    more += " days_without_rows wait_for fewer_rows_than"
    assert [name for name in (names + " " + more).split() if f"`{name}`" not in text] == []


@pytest.mark.slow
def test_the_report_says_how_far_the_imported_files_join(tmp_path: Path) -> None:
    ws = fresh(tmp_path)
    chats = {"小鱼在海边": [("", "2025-03-01 09:59:00", "在吗"), ("小禾", "2025-03-01 10:00:00", "在的")]}
    bad = THREE.replace('="1930000000000000303"', "1.93E+18")
    huitou("-w", ws.path, "import", put(tmp_path, "a.csv", bad), write_chats(tmp_path / "c.txt", "青麓男包旗舰店", chats))
    huitou("-w", ws.path, "report")
    page = next((ws.path / "reports").glob("*.html")).read_text("utf-8")
    for told in ("导入检查", "下单的客户里聊过的：50.0%（1 / 2）。", "1 行没有存入，等着改", "编号被 Excel 改成了近似数 1 行"):
        assert told in page, told


def test_what_is_lacking_is_asked_of_the_platform_s_own_exports(tmp_path: Path) -> None:
    huitou("init", tmp_path / "jd", "--shop", "青麓", "--platform", "jd")
    waits = look(tmp_path / "jd", put(tmp_path, "r.csv", "评论内容,评分,日期,用户昵称\n好,5,2025-03-01,小鱼\n"))["metrics"][
        "wait_for"
    ]
    exports = {w["need"]: [e["en"] for e in w["exports"]] for w in waits}
    assert exports["chats"] == ["JD chats (咚咚 log)"] and exports["orders"] == ["JD orders (one row per goods)"]
    assert exports["traffic"] == []  # another platform's is of no use to the shop


def test_damaged_ids_are_told_by_how_they_were_damaged(tmp_path: Path) -> None:
    text = THREE.replace('="1930000000000000303"', "1.93E+18")
    said = huitou("-w", fresh(tmp_path).path, "doctor", put(tmp_path, "a.csv", text)).stdout
    assert "「订单编号」被 Excel 改坏：科学计数法 1 个\n" in said


def test_a_file_of_damaged_ids_only_is_told_beside_what_is_stored(tmp_path: Path) -> None:
    ws = fresh(tmp_path)
    huitou("-w", ws.path, "import", put(tmp_path, "a.csv", THREE))
    row = DONE.replace('="1930000000000000101"', "1.93E+18")
    spoiled = put(tmp_path, "b.csv", f"{ORDERS}\n{row}\n")
    assert "「订单编号」被 Excel 改坏：科学计数法 1 个\n" in huitou("-w", ws.path, "doctor", spoiled, ok=False).stdout


def test_ids_that_excel_rounded_in_a_part_of_the_file_are_set_aside(tmp_path: Path) -> None:
    ids = [f"1934567890{n}" for n in (329248611, 331110000, 336998563, 340870000, 344748514, 348620000, 352498464, 357130000)]
    text = f"{ORDERS}\n" + "".join(DONE.replace("1930000000000000101", one) + "\n" for one in ids)
    check = one(fresh(tmp_path).path, put(tmp_path, "a.csv", text))
    assert check["damaged_ids"] == {"订单编号": {"scientific": 0, "rounded": 4}}
    assert check["tables"]["orders"] == 4
