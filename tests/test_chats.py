"""Chat files become messages: who, to whom, when, what kind; whatever the form, the encoding and the line ends."""

from pathlib import Path

import polars as pl
import pytest

from huitou.errors import FileRefused
from huitou.sources.reasons import NOTES
from huitou.sources.sniff import head
from huitou.sources.wangwang import SOURCES
from huitou.tables import TABLES, key63
from tests.chat_files import PEOPLE, SHOP, Said, batches, instant_lines, old_lines, rows, second, source_of, table, write

DAY = "2025-03-01"
# Worked example of the 3-minute rule: asked twice, answered 10:18:10; asked again, answered 10:19:00.
ASKED = [
    Said("", f"{DAY} 10:10:15", "在吗"),
    Said("", f"{DAY} 10:15:20", "有人吗"),
    Said("小禾", f"{DAY} 10:18:10", "在的"),
    Said("", f"{DAY} 10:18:30", "这款有货吗"),
    Said("小禾", f"{DAY} 10:19:00", "有货的"),
]
TALKS = {"爱包的小明": ASKED}


@pytest.mark.parametrize("lines", [old_lines(TALKS), instant_lines(TALKS)])
def test_the_worked_example_in_both_forms(tmp_path: Path, lines: list[str]) -> None:
    read = rows(write(tmp_path / "chat.txt", lines), "kind", "at", "second", "text", "account")
    kinds = ["customer", "customer", "agent", "customer", "agent"]
    assert read == [(kind, m.at, second(m.at), m.text, "小禾") for kind, m in zip(kinds, ASKED)]


def test_encoding_and_line_ends_do_not_matter(tmp_path: Path) -> None:
    files = [
        write(tmp_path / f"{encoding}{len(end)}{kind}.txt", lines, encoding, end)
        for kind, lines in (("old", old_lines(TALKS)), ("instant", instant_lines(TALKS)))
        for encoding in ("utf-8", "utf-8-sig", "gb18030")
        for end in ("\n", "\r\n")
    ]
    frames = [table(batches(file)) for file in files]
    assert all(frame.equals(frames[0]) for frame in frames[:6])
    assert all(frame.equals(frames[6]) for frame in frames[6:])
    assert frames[0].drop("row").equals(frames[6].drop("row"))


def test_frames_have_the_declared_columns_and_types(tmp_path: Path) -> None:
    (batch,) = batches(write(tmp_path / "chat.txt", old_lines(TALKS)))
    for name, frame in batch.frames.items():
        assert set(frame.columns) == {c.name for c in TABLES[name].columns} | {"row"}
    types = {"key": pl.Int64, "int": pl.Int64, "time": pl.Int64, "date": pl.Date, "code": pl.String, "text": pl.String}
    declared = {c.name: types[c.type] for c in TABLES["messages"].columns}
    assert dict(batch.frames["messages"].drop("row").schema) == declared


def test_keys_are_the_products_own(tmp_path: Path) -> None:
    talks = {"爱包的小明": [Said("", f"{DAY} 10:00:00", "看看 https://item.taobao.com/item.htm?spm=a1&id=612345678901")]}
    read = batches(write(tmp_path / "chat.txt", old_lines(talks, f"{SHOP}:小禾")))
    message = table(read).row(0, named=True)
    product = key63("tmall", SHOP, "id", "612345678901")
    assert message["customer_key"] == PEOPLE.token("爱包的小明")
    assert message["agent_key"] == key63("tmall", SHOP, "小禾")
    assert (message["text"], message["product_key"]) == ("看看 〔商品链接〕", product)
    assert 0 <= message["text_hash"] < 2**63
    assert message["chars"] == 9
    assert table(read, "products").select("product_key", "product_id", "title").rows() == [(product, "612345678901", None)]


def test_long_messages_keep_their_lines(tmp_path: Path) -> None:
    text = "第一行\n\n  第三行\n最后一行"
    talks = {"爱包的小明": [Said("", f"{DAY} 10:00:00", text), Said("小禾", f"{DAY} 10:00:30", "好的\n已读")]}
    for lines in (old_lines(talks), instant_lines(talks)):
        assert rows(write(tmp_path / "chat.txt", lines), "text") == [(text,), ("好的",)]


def test_rows_and_problems_balance(tmp_path: Path) -> None:
    lines = [
        SHOP, "单聊".center(62), "=" * 64,
        f"爱包的小明({DAY} 09:00:00):  上面没有买家",
        "-" * 28 + "爱包的小明" + "-" * 28,
        "不知道是什么",
        f"爱包的小明({DAY} 10:00:00):  在吗",
        "爱包的小明(2025-02-30 10:00:00):  日子不对",
        "也不要",
        f"{SHOP}:小禾({DAY} 10:00:30):  在的", "",
        "-" * 28 + "只有客服" + "-" * 28,
        f"另一个人({DAY} 11:00:00):  我是谁",
    ]  # fmt: skip
    (batch,) = batches(write(tmp_path / "chat.txt", lines))
    assert [(p.row, p.reason) for p in batch.problems] == [(4, "no_buyer"), (6, "stray"), (8, "chat_time"), (13, "speaker")]
    assert batch.frames["messages"].select("row", "text").rows() == [(7, "在吗"), (10, "在的")]
    assert batch.rows_read == 6
    assert all(p.fix and "小明" not in "".join([*p.says, *p.fix]) for p in batch.problems)


def test_group_chats_are_left_out_and_counted(tmp_path: Path) -> None:
    group = ["群聊".center(62), "=" * 64, "-" * 28 + "老客户福利群" + "-" * 28]
    group += [f"路人{n}({DAY} 12:00:0{n}):  大家好" for n in range(3)] + [f"爱包的小明({DAY} 12:01:00):  我也在"]
    (batch,) = batches(write(tmp_path / "chat.txt", [*old_lines(TALKS), *group]))
    assert batch.frames["messages"].height == batch.rows_read == 5
    assert batch.notes == {"group_chat": 4} and "群聊" in NOTES["group_chat"][0]


def test_who_receives_a_message(tmp_path: Path) -> None:
    said = [
        Said("", f"{DAY} 09:00:00", "早上没人"),  # nobody yet: who speaks next, days later
        Said("小禾", "2025-03-03 10:00:00", "您好"),
        Said("", "2025-03-03 10:05:00", "还在吗"),  # in the session of 小禾
        Said("", "2025-03-03 10:15:00", "人呢"),  # ten minutes later: a new session, next is 小麦
        Said("小麦", "2025-03-03 10:16:00", "我来"),
        Said("", "2025-03-04 10:00:00", "再问一下"),  # nobody afterwards: the file's own account
    ]
    read = rows(write(tmp_path / "chat.txt", old_lines({"爱包的小明": said}, f"{SHOP}:客服主管")), "account")
    assert [account for (account,) in read] == ["小禾", "小禾", "小禾", "小麦", "小麦", "客服主管"]


@pytest.mark.parametrize(
    "words", [f"{SHOP}:小禾 --> {SHOP}:小麦", f"由 {SHOP}:小禾 转交给 {SHOP}:小麦", "由 服务助手 转交给 小麦"]
)
def test_after_a_hand_over_the_other_account_holds_the_chat(tmp_path: Path, words: str) -> None:
    said = [
        *ASKED,
        Said("系统提示", f"{DAY} 10:20:00", words),
        Said("", f"{DAY} 10:20:30", "在吗"),
        Said("小禾", f"{DAY} 10:40:00", "他不在"),
    ]
    for lines in (old_lines({"爱包的小明": said}), instant_lines({"爱包的小明": said})):
        read = rows(write(tmp_path / "chat.txt", lines), "kind", "account")
        assert read[5:] == [("transfer", "小麦"), ("customer", "小麦"), ("agent", "小禾")]


def test_a_hand_over_line_without_a_head(tmp_path: Path) -> None:
    lines = [*old_lines(TALKS), f"{SHOP}:小禾 --> {SHOP}:小麦 {DAY} 10:20:00", f"爱包的小明({DAY} 10:20:30):  在吗"]
    assert rows(write(tmp_path / "chat.txt", lines), "kind", "account")[5:] == [("transfer", "小麦"), ("customer", "小麦")]


def test_a_customer_cannot_hand_over(tmp_path: Path) -> None:
    said = [*ASKED, Said("", f"{DAY} 10:20:00", "由快递转交给门卫"), Said("", f"{DAY} 10:20:09", "红色 --> 黑色")]
    assert [k for (k,) in rows(write(tmp_path / "chat.txt", old_lines({"爱包的小明": said})), "kind")][5:] == ["customer"] * 2


@pytest.mark.parametrize(
    ("who", "text", "kind"),
    [
        ("小禾", "^_^ 您好，欢迎光临", "auto"),
        ("小禾", "您好", "agent"),
        ("店小蜜", "您好", "robot"),
        ("夜班", "您好", "robot"),
        ("小禾", "已读", "system"),
        ("系统提示", "请核实对方身份", "system"),
        ("", "系统提示：对方正在输入", "system"),
        ("", "系统说我付款失败", "customer"),
        ("", "当前用户来自 商品详情页", "system"),
        ("小禾", "爱包的小明 撤回了一条消息", "system"),
        ("小禾", "原因：【离线留言自动分配】", "system"),
    ],
)
def test_kinds(tmp_path: Path, who: str, text: str, kind: str) -> None:
    said = [Said("", f"{DAY} 10:00:00", "在吗"), Said(who, f"{DAY} 10:00:01", text)]
    file = write(tmp_path / "chat.txt", old_lines({"爱包的小明": said}))
    assert rows(file, "kind", agent_roles={"夜班": "robot"})[1] == (kind,)


def test_a_text_sent_fast_three_times_is_automatic(tmp_path: Path) -> None:
    hello, short = "欢迎光临，有什么可以帮您", "在的亲"

    def talk(times: int, text: str, lag: int) -> list[Said]:
        pairs = [(Said("", f"{DAY} 1{n}:00:00", "在吗"), Said("小禾", f"{DAY} 1{n}:00:0{lag}", text)) for n in range(times)]
        return [m for pair in pairs for m in pair]

    for times, text, lag, kind in ((3, hello, 2, "auto"), (2, hello, 2, "agent"), (3, hello, 3, "agent"), (3, short, 1, "agent")):
        file = write(tmp_path / "chat.txt", old_lines({"爱包的小明": talk(times, text, lag)}))
        assert {k for k, t in rows(file, "kind", "text") if t == text} == {kind}


def test_no_nick_stays_in_a_text(tmp_path: Path) -> None:
    said = [Said("小禾", f"{DAY} 10:00:00", "爱包的小明 您好"), Said("小禾", f"{DAY} 10:00:05", "路人甲 撤回了一条消息")]
    read = rows(write(tmp_path / "chat.txt", old_lines({"cntaobao爱包的小明": said})), "text")
    assert read == [("〔昵称〕 您好",), ("〔昵称〕撤回了一条消息",)]


def test_the_main_account_and_the_interfaces_prefix(tmp_path: Path) -> None:
    lines = [
        *old_lines({"cntaobao爱包的小明": []}),
        f"cntaobao爱包的小明({DAY} 10:00:00):  在吗",
        f"cntaobao{SHOP}({DAY} 10:00:09):  在",
    ]
    file = write(tmp_path / "chat.txt", lines)
    assert rows(file, "kind", "account") == [("customer", SHOP), ("agent", SHOP)]
    assert table(batches(file))["customer_key"].unique().to_list() == [PEOPLE.token("爱包的小明")]


def test_instant_messages_of_several_buyers(tmp_path: Path) -> None:
    lines = [
        f"{SHOP}:小禾", "", "即时消息", DAY,
        f"{DAY} 10:00:00 甲客户: 在吗", f"{DAY} 10:00:10 {SHOP}:小禾: 在的", "2025-03-02",
        "2025-03-02 10:01:00 乙客户: 有货吗", f"2025-03-02 10:01:10 {SHOP}:小麦: 有的",
    ]  # fmt: skip
    file = write(tmp_path / "chat.txt", lines, "utf-8")
    keys = [PEOPLE.token(nick) for nick in ("甲客户", "甲客户", "乙客户", "乙客户")]
    assert rows(file, "customer_key", "account") == list(zip(keys, ["小禾", "小禾", "小麦", "小麦"]))


def test_tables_are_no_chats(tmp_path: Path) -> None:
    csv = write(
        tmp_path / "a.csv", ["订单编号,买家会员名,买家留言", f"1,小明,小明({DAY} 10:00:00):  在吗", f"2,{'-' * 28}x{'-' * 28},"]
    )
    assert [s.identify(head(csv)) for s in SOURCES] == [0] * len(SOURCES)
    assert source_of(write(tmp_path / "b.txt", old_lines(TALKS))).id == "wangwang.old"
    assert source_of(write(tmp_path / "c.txt", instant_lines(TALKS))).id == "wangwang.instant"


@pytest.mark.parametrize("lines", [old_lines(TALKS), instant_lines(TALKS)])
def test_a_file_cut_inside_the_last_head_is_refused(tmp_path: Path, lines: list[str]) -> None:
    file = write(tmp_path / "chat.txt", lines)
    whole = file.read_bytes()
    last = whole.rindex(b"10:19:00")
    for cut in range(last - 6, last + 8):
        file.write_bytes(whole[:cut])
        with pytest.raises(FileRefused, match="cut off"):
            batches(file)


def test_a_file_without_a_message_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="no chat message"):
        batches(write(tmp_path / "chat.txt", old_lines({"爱包的小明": []})))
