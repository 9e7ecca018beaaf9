"""A shop whose files call it otherwise than huitou.toml does: its accounts stay its accounts, and no buyer becomes one."""

from pathlib import Path

import pytest

from huitou.errors import FileRefused
from huitou.tables import key63
from tests.chat_files import SHOP, batches, rows, table, write

NICK, BUYER, AT = "某某旗舰店", "爱包的小明", "2025-03-01 10:0"
MARK = "-" * 28


def old(first: str, account: str = f"{NICK}:小满") -> list[str]:
    said = [f"{BUYER}({AT}0:00):  在吗", f"{account}({AT}1:00):  在的", f"{BUYER}({AT}2:00):  好"]
    return [first, "单聊".center(62), "=" * 64, f"{MARK}{BUYER}{MARK}", *said]


def instant(first: str, account: str = f"{NICK}:小满", second: str = BUYER) -> list[str]:
    said = [f"{AT}0:00 {BUYER}: 在吗", f"{AT}1:00 {account}: 在的", f"{AT}2:00 {BUYER}: 好"]
    return [first, second, "即时消息", "2025-03-01", *said]


NAMED = [NICK, f"{NICK}:小满", f"{NICK}：小满", f"cntaobao{NICK}:客服主管"]


@pytest.mark.parametrize("lines", [*map(old, NAMED), *map(instant, NAMED), instant(BUYER, second=f"{NICK}:小满")])
def test_accounts_of_the_nick_at_the_files_head_are_the_shops(tmp_path: Path, lines: list[str]) -> None:
    file = write(tmp_path / "chat.txt", lines)
    kinds = [("customer", "在吗", "小满"), ("agent", "在的", "小满"), ("customer", "好", "小满")]
    assert rows(file, "kind", "text", "account") == kinds
    assert set(table(batches(file))["agent_key"]) == {key63("tmall", SHOP, "小满")}


@pytest.mark.parametrize("lines", [old(NICK, NICK), instant(NICK, NICK), instant(f"{NICK}:小满", NICK)])
def test_the_main_account_of_that_nick_too(tmp_path: Path, lines: list[str]) -> None:
    assert [kind for (kind,) in rows(write(tmp_path / "chat.txt", lines), "kind")] == ["customer", "agent", "customer"]


@pytest.mark.parametrize("lines", [old(""), old("小满"), instant(""), instant("小满")])
def test_where_only_another_shop_speaks_the_file_is_refused_and_named(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(FileRefused, match=f"«{NICK}:…».*«{SHOP}».*Set name") as refused:
        batches(write(tmp_path / "chat.txt", lines))
    assert NICK in refused.value.text("zh")


def test_a_supplier_who_writes_to_the_shop_is_the_buyer_of_the_chat(tmp_path: Path) -> None:
    lines = [SHOP, "单聊".center(62), "=" * 64, f"{MARK}某供应商:张三{MARK}", f"某供应商:张三({AT}0:00):  有新款"]
    assert rows(write(tmp_path / "chat.txt", lines), "kind", "text") == [("customer", "有新款")]


def test_a_greeting_that_nobody_answered_belongs_to_the_buyer_of_the_second_line(tmp_path: Path) -> None:
    lines = [
        f"{SHOP}:小满",
        BUYER,
        "即时消息",
        "2025-03-01",
        f"{AT}0:00 系统提示: 当前用户来自 商品详情页",
        f"{AT}0:02 {SHOP}:小满: 您好",
    ]
    spoken = write(tmp_path / "b.txt", [*lines, f"{AT}1:00 {BUYER}: 在吗"])
    silent = rows(write(tmp_path / "a.txt", lines), "kind", "customer_key")
    assert silent == rows(spoken, "kind", "customer_key")[:2]
    assert [kind for kind, _ in silent] == ["system", "agent"]
