"""Any table by a mapping: drafted from the file's own headings, edited by a person, imported through the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from huitou.lake import Workspace
from tests.exported import as_csv, put, table
from tests.front import huitou

HEADER = ["会话编号", "买家昵称", "客服", "发送时间", "消息内容", "角色"]
CHAT = [
    ["S1", "山里的风", "店:小禾", "2025-03-01 10:00:00", "我电话13800000001，山里的风要两个", "买家"],
    ["S1", "山里的风", "店:小禾", "2025-03-01 10:00:01", "您好，欢迎光临", "自动回复"],
    ["S1", "山里的风", "店:小禾", "2025-03-01 10:00:30", "有的亲", "客服"],
    ["S2", "小鱼在海边", "", "2025-03-01 11:00:00", "看看这个 https://item.taobao.com/item.htm?id=600000000001", "买家"],
    ["S2", "小鱼在海边", "店:小满", "2025-03-01 11:00:09", "好的", "客服"],
    ["S2", "小鱼在海边", "店小蜜", "2025-03-01 11:00:10", "猜您想问", "机器人"],
    ["S2", "小鱼在海边", "", "2025-03-01 11:00:11", "对方正在输入", "系统"],
]


def imported(folder: Path, *files: Path, edit: tuple[str, str] = ("", "")) -> Workspace:
    """Drafted, edited (`edit`: text and what replaces it) and imported, as a user does it."""
    huitou("init", folder / "ws", "--shop", "店")
    huitou("-w", folder / "ws", "import", *files, "--map")
    for file in files:
        draft = folder / "ws" / "mappings" / f"{file.stem}.toml"
        draft.write_text(draft.read_text("utf-8").replace(*edit), "utf-8")
    huitou("-w", folder / "ws", "import", *files, "--map")
    return Workspace.open(folder / "ws")


def messages(ws: Workspace) -> pl.DataFrame:
    names = dict(table(ws, "agents").select("agent_key", "account").iter_rows())
    return table(ws, "messages").with_columns(pl.col("agent_key").replace_strict(names).alias("agent")).sort("sent_at", "row")


def test_a_chat_table_becomes_messages_masked_and_received_by_whoever_holds_the_chat(tmp_path: Path) -> None:
    rows = messages(ws := imported(tmp_path, put(tmp_path, "chat.csv", as_csv(HEADER, *CHAT))))
    assert rows["kind"].to_list() == ["customer", "auto", "agent", "customer", "agent", "robot", "system"]
    assert rows["agent"].to_list() == ["小禾"] * 3 + ["小满", "小满", "店小蜜", "店小蜜"]
    assert rows["text"][0] == "我电话〔手机〕，〔昵称〕要两个" and rows["text"][3] == "看看这个 〔商品链接〕"
    assert rows["speaker_key"].is_null().to_list() == [True, False, False, True, False, False, True]
    assert rows["product_key"].is_not_null().sum() == 1 and table(ws, "products")["product_id"].to_list() == ["600000000001"]
    assert (ws.vault.recall(rows["customer_key"][0], "test") or {})["nick"] == "山里的风"


@pytest.mark.slow
def test_the_same_chats_from_another_kind_of_file_are_known(tmp_path: Path) -> None:
    frame = pl.DataFrame(CHAT, schema=HEADER, orient="row")
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "b.jsonl")
    frame.write_excel(tmp_path / "c.xlsx")
    put(tmp_path, "d.gbk", as_csv(HEADER, *CHAT), "gb18030")
    put(tmp_path, "e.reversed", as_csv(HEADER, *CHAT[::-1]), "gb18030")
    others = [tmp_path / name for name in ("a.parquet", "b.jsonl", "c.xlsx", "d.gbk", "e.reversed")]
    ws = imported(tmp_path, put(tmp_path, "chat.csv", as_csv(HEADER, *CHAT)), *others)
    assert [(load.stored, load.known) for load in ws.lake.loads()] == [(7, 0)] + [(0, 7)] * 5


@pytest.mark.parametrize(
    "time",
    ["2025-03-01 10:00:00", "2025-03-01T03:00:00.250+01:00", "1740794400123"]
    + [pytest.param(time, marks=pytest.mark.slow) for time in ("2025-03-01T02:00:00Z", "1740794400")],
)
def test_times_are_the_shop_s_or_carry_their_own_zone_or_count_from_1970(tmp_path: Path, time: str) -> None:
    text = as_csv(["user_id", "timestamp", "content", "sender"], ["u1", time, "在吗", "0"], ["u1", time, "在", "1"])
    first, second = messages(imported(tmp_path, put(tmp_path, "chat.csv", text))).iter_rows(named=True)
    assert first["sent_at"] == datetime(2025, 3, 1, 2, tzinfo=UTC).timestamp() * 1_000_000
    assert (str(first["day"]), first["second"]) == ("2025-03-01", 36_000)
    assert (first["kind"], second["kind"], second["agent"]) == ("customer", "agent", "店")


def test_speakers_by_name_are_the_buyer_the_platform_or_the_shop(tmp_path: Path) -> None:
    said = [["甲一", f"2025-03-01 10:00:0{i}", f"话{i}", who] for i, who in enumerate(["甲一", "店:小禾", "系统提示"])]
    rows = messages(imported(tmp_path, put(tmp_path, "chat.csv", as_csv(["买家", "时间", "内容", "发送方"], *said))))
    assert rows["kind"].to_list() == ["customer", "agent", "system"] and rows["agent"].to_list() == ["小禾"] * 3


def test_rows_of_nobody_are_set_aside_with_their_reason(tmp_path: Path) -> None:
    rows = [
        ["山**风", "2025-03-01 10:00:00", "在", "买家"],
        ["甲一", "2025-03-01 10:00:00", "在", "路人"],
        ["甲一", "昨天", "", "买家"],
    ]
    good = ["甲一", "2025-03-01 10:00:00", "在", "顾客"]
    path = put(
        tmp_path, "chat.csv", as_csv(["买家", "时间", "内容", "角色"], *rows, ["", "2025-03-01 10:00:00", "在", "买家"], good)
    )
    problems = imported(tmp_path, path).lake.problems()
    found = sorted((p.row, p.column, p.reason) for p in problems)
    assert found == [(2, "买家", "masked_buyer"), (3, "角色", "unknown_value"), (4, "时间", "time"), (5, "买家", "empty")]


@pytest.mark.slow
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_conversation_across_stretches_of_a_file_is_one(tmp_path: Path, newest_first: bool) -> None:
    begin = datetime(2025, 3, 1)
    said = [[f"客{i // 6}", begin + timedelta(seconds=i), "小禾" if i % 6 == 1 else None, f"{i}", "agent" if i % 6 == 1 else "user"]
            for i in range(70_000)]  # fmt: skip
    frame = pl.DataFrame(said, schema=["customer", "time", "agent", "text", "role"], orient="row")
    (frame.reverse() if newest_first else frame).write_parquet(tmp_path / "chat.parquet")
    rows = messages(imported(tmp_path, tmp_path / "chat.parquet"))
    assert rows.height == 70_000 and rows["agent"].unique().to_list() == ["小禾"]


def test_a_file_without_the_needed_column_says_which(tmp_path: Path) -> None:
    huitou("init", tmp_path / "ws")
    path = put(tmp_path, "chat.csv", as_csv(["user_id", "role", "text"], ["u1", "user", "在吗"]))
    assert "没有认出必填的「发送时间」（time）" in huitou("-w", tmp_path / "ws", "import", path, "--map").stdout
    refused = huitou("-w", tmp_path / "ws", "--lang", "en", "import", path, "--map", ok=False)
    assert refused.exit_code == 1 and "chat.toml: columns.time names no column (such as «发送时间»)" in refused.output


TABLES = {
    "orders": "订单号,下单时间,支付时间,实付金额,订单状态,下单账号\n1,2025-03-01 10:00:00,2025-03-01 10:01:00,12.30,已完成,甲一\n",
    "order_lines": "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice\n1,a,,2,2025-03-01 10:00:00,2.55\n",
    "refunds": "售后单号,订单号,申请时间,退款金额,售后状态\n7,1,2025-03-02 10:00:00,12.30,已退款\n",
    "reviews": "review,date,stars\n包很好,2025-03-05,5\n",
    "traffic": "day,UV,PV,device\n2025-03-01,120,500,mobile\n",
}


@pytest.mark.slow
def test_every_table_comes_in_by_a_draft_of_its_own(tmp_path: Path) -> None:
    files = [put(tmp_path, f"{name}-1.csv", text) for name, text in TABLES.items()]
    ws = imported(tmp_path, *files)
    assert [load.stored for load in ws.lake.loads()] == [1] * 5
    assert table(ws, "orders")["status"].to_list() == ["done"] and table(ws, "orders")["gross_fen"].to_list() == [1230]
    assert table(ws, "refunds")["succeeded"].to_list() == [True] and table(ws, "traffic")["device"].to_list() == ["wireless"]
    assert table(ws, "order_lines").select("quantity", "price_fen").row(0) == (2, 255)
    assert "a" in table(ws, "products")["title"].to_list() and table(ws, "reviews")["rating"].to_list() == ["good"]


def test_lines_numbered_within_their_order_stay_apart(tmp_path: Path) -> None:
    lines = [["o1", "1", "p", "9.90"], ["o1", "2", "p", "9.90"], ["o2", "1", "p", "9.90"]]
    text = as_csv(["order_id", "order_item_id", "product_id", "price"], *lines)
    assert table(imported(tmp_path, put(tmp_path, "items.csv", text)), "order_lines")["quantity"].to_list() == [1, 1, 1]


@pytest.mark.parametrize(
    ("lang", "kind", "span"), [("zh", "聊天消息（按列对应）", "2025-03-01"), ("en", "Chat messages (by a mapping)", "2025")]
)
def test_the_screen_says_what_the_file_is(tmp_path: Path, lang: str, kind: str, span: str) -> None:
    path = put(tmp_path, "chat.csv", as_csv(HEADER, *CHAT[:-1], ["S2", "小鱼", "", "昨天", "在", "买家"]))
    ws = imported(tmp_path, path)
    shown = huitou(
        "-w", ws.path, "--lang", lang, "import", path, "--mapping", ws.path / "mappings" / "chat.toml", "--dry-run"
    ).stdout
    assert kind in shown and "UTF-8" in shown and span in shown
    assert ("（最早在第 8 行「发送时间」）" if lang == "zh" else "(first in row 8 «发送时间»)") in shown
