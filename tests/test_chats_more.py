"""Chat forms beyond the client's TXT, and what is decided by a whole file, through the front door."""

import json
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from huitou.lake import Workspace
from tests.chat_files import SHOP, Said, batches, instant_lines, table, write
from tests.front import huitou, shop

DAY = "2025-03-01"
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16-le", "utf-16-be")
SOME = [pytest.param(name, marks=[pytest.mark.slow] * (name not in ("utf-8", "gb18030", "utf-16-le"))) for name in ENCODINGS]
"""One of each family in the fast part."""


def stored(workspace: Path) -> list[tuple[str, str, str, str]]:
    """Time, receiving account, kind and text of all messages, by time; the ledger balances."""
    ws = Workspace.open(workspace)
    (load,) = ws.lake.loads()
    assert load.rows_read == load.stored + load.known + load.quarantined
    with ws.read() as lake:
        messages, agents = (lake.frame(lake.table(name)) for name in ("messages", "agents"))
    at = pl.col("sent_at").cast(pl.Datetime("us", "UTC")).dt.convert_time_zone("Asia/Shanghai").dt.strftime("%m-%d %H:%M:%S")
    rows = messages.join(agents.select("agent_key", "account"), on="agent_key", how="left").sort("sent_at", "row")
    return rows.select(at, "account", "kind", "text").rows()


TALK = [
    ("03-01 10:10:15", "小禾", "customer", "在吗"),
    ("03-01 10:10:40", "小禾", "agent", "在的，看 〔商品链接〕"),
    ("03-01 10:11:00", "小禾", "customer", "电话〔手机〕"),
]
LINK = "在的，看 https://item.taobao.com/item.htm?id=612345678901"


COPIED = [
    "当前用户来自 商品详情页", "tb一位买家 2025-3-1 10:10:15", "在吗", "已读", "", "由 服务助手 转交给 小禾", "原因：【离线留言自动分配】",
    f"{SHOP}:小禾2025-3-1 10:10:40", LINK, "未读", "tb一位买家2025-03-01 10:11:00", "电话13800138000", "tb一位买家 撤回了一条消息",
    f"{SHOP}:小禾 --> {SHOP}:小满 2025-3-1 10:12:00", f"{SHOP}:小满 2025-3-1 10:12:30", "亲，2025-3-1 起", "全场包邮",
]  # fmt: skip
MORE = [("03-01 10:12:00", "小满", "transfer"), ("03-01 10:12:30", "小满", "agent", "亲，2025-3-1 起\n全场包邮")]


@pytest.mark.parametrize("encoding", SOME)
def test_text_copied_out_of_qianniu(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    file = tmp_path / "chat.txt"
    file.write_bytes((mark + "\r\n".join(COPIED)).encode(encoding))
    *talk, handed, last = stored(shop(tmp_path, file, name=SHOP))
    assert talk == TALK and [handed[:3], last] == MORE


@pytest.mark.parametrize("encoding", SOME)
def test_instant_messages_with_lines_that_name_a_day(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    said = [
        Said("", f"{DAY} 10:10:15", "在吗"),
        Said("小禾", f"{DAY} 10:10:40", LINK),
        Said("", f"{DAY} 10:11:00", "电话13800138000"),
    ]
    said += [Said("", "2025-03-02 09:00:00", "2025-03-05 发货吗"), Said("系统提示", "2025-03-02 09:00:01", "对方已离线")]
    lines = instant_lines({"tb一位买家": said})
    file = write(tmp_path / "chat.txt", [mark + lines[0], *lines[1:]], encoding)
    *talk, asked, prompt = stored(shop(tmp_path, file, name=SHOP))
    assert talk == TALK and asked[2:] == ("customer", "2025-03-05 发货吗") and prompt[2] == "system"


def test_copied_text_in_which_nobody_of_the_shop_speaks_is_refused(tmp_path: Path) -> None:
    workspace = shop(tmp_path, write(tmp_path / "a.txt", COPIED, "utf-8"), name=SHOP)
    other = write(tmp_path / "b.txt", ["甲甲 2025-3-1 10:10:15", "在吗", "乙乙 2025-3-1 10:10:40", "在的"], "utf-8")
    assert "没有" in huitou("-w", workspace, "import", other, ok=False).output


@pytest.mark.parametrize("who", ["role", "direction", "speaker"])
def test_json_lines_of_messages(tmp_path: Path, who: str) -> None:
    words = {"role": ("customer", "agent"), "direction": ("in", "OUT"), "speaker": ("tb一位买家", f"{SHOP}:小禾")}[who]
    said = [("10:10:15", 0, "在吗"), ("10:10:40", 1, LINK), ("10:11:00", 0, "电话13800138000")]
    lines = [
        {"buyer": "tb一位买家", "time": f"{DAY} {at}", who: words[ours], "text": text, "account": "小禾", "more": 1.50}
        for at, ours, text in said
    ]
    file = tmp_path / "chats.jsonl"
    file.write_text("\n".join(json.dumps(line, ensure_ascii=who == "role") for line in lines) + "\n{cut", "utf-8")
    workspace = shop(tmp_path, file, name=SHOP)
    assert stored(workspace) == TALK
    assert [p.reason for p in Workspace.open(workspace).lake.problems()] == ["json"]


@pytest.mark.slow
def test_a_workbook_with_a_sheet_for_each_buyer(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(file := tmp_path / "chats.xlsx") as book:
        for buyer, hour in (("cntaobaotb一位买家", 10), ("tb另一位", 11)):
            sheet = book.add_worksheet(buyer)
            for at, row in enumerate(
                [
                    ("发送人", "时间", "内容"),
                    (buyer, f"{DAY} {hour}:10:15", "在吗"),
                    (f"cntaobao{SHOP}:小禾", f"{DAY} {hour}:10:40", LINK),
                    (buyer, f"{DAY} {hour}:11:00", "电话13800138000"),
                ]
            ):
                sheet.write_row(at, 0, row)
    workspace = shop(tmp_path, file, name=SHOP)
    assert stored(workspace) == TALK + [(at.replace(" 10:", " 11:"), *rest) for at, *rest in TALK]


def test_who_received_and_what_is_automatic_is_decided_by_the_whole_file(tmp_path: Path) -> None:
    greeting = "亲，欢迎光临小店"
    said = [Said("", f"{DAY} 08:00:00", "早上好，有人吗")]
    for n in range(3):
        said += [Said("", f"{DAY} {10 + n}:00:00", "问" * 60), Said("小禾", f"{DAY} {10 + n}:00:01", greeting)]
    file = write(tmp_path / "chat.txt", instant_lines({"tb一位买家": said}), "utf-8")
    whole, pieces = table(batches(file)), table(batches(file, block_bytes=150))
    assert pieces.equals(whole) and pieces["agent_key"].n_unique() == 1
    assert pieces.filter(pl.col("text") == greeting)["kind"].to_list() == ["auto"] * 3
