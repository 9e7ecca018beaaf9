"""Whatever people write into a chat, it stays one message's text; any conversation comes back as it was written."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huitou.sources.masking import mask
from tests.chat_files import PEOPLE, SHOP, Said, Talks, batches, instant_lines, old_lines, rows, table, write

DAY = "2025-03-01"
BUYER = "爱包的小明"
PROPERTY = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

WORDS = [
    "在吗",
    "这款有货吗",
    "199元包邮吗",
    "我电话13800138000",
    "好的，谢谢",
    'a,b;"c"',
    "(笑)",
    "2025年见",
    "第一行\n第二行",
    "12:30:00 到",
    "😀👍",
]
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
WHO = st.sampled_from(["", "", "小禾", "小麦", SHOP])


@st.composite
def conversations(draw: st.DrawFn) -> Talks:
    """One to four buyers with up to twelve messages each, 3 seconds to some hours apart."""
    talks: Talks = {}
    for buyer in draw(
        st.lists(st.sampled_from(["小红花", "tb_88(上海)", "老 王", "阿-强", "Äß客"]), min_size=1, max_size=4, unique=True)
    ):
        at, said = datetime(2025, 3, 1, 9), [Said("", f"{DAY} 08:00:00", "你好")]
        for who, text, gap in draw(st.lists(st.tuples(WHO, TEXT, st.integers(3, 9999)), max_size=12)):
            at += timedelta(seconds=gap)
            said.append(Said(who, str(at), text))
        talks[buyer] = said
    return talks


def expected(talks: Talks) -> list[tuple[int, str, str, str]]:
    texts = mask(pl.Series([m.text for said in talks.values() for m in said])).to_list()
    who = [(PEOPLE.token(buyer), "agent" if m.who else "customer", m.at) for buyer, said in talks.items() for m in said]
    return [(*w, text) for w, text in zip(who, texts)]


@pytest.mark.slow
@given(conversations(), st.sampled_from(["utf-8", "gb18030"]), st.sampled_from(["\n", "\r\n"]))
@PROPERTY
def test_conversations_come_back_from_the_old_form(tmp_path: Path, talks: Talks, encoding: str, end: str) -> None:
    file = write(tmp_path / "chat.txt", old_lines(talks), encoding, end)
    assert rows(file, "customer_key", "kind", "at", "text") == expected(talks)


@pytest.mark.slow
@given(conversations(), st.sampled_from(["utf-8", "gb18030"]), st.sampled_from(["\n", "\r\n"]))
@PROPERTY
def test_conversations_come_back_from_instant_messages(tmp_path: Path, talks: Talks, encoding: str, end: str) -> None:
    for buyer, said in talks.items():
        file = write(tmp_path / "chat.txt", instant_lines({buyer: said}), encoding, end)
        assert rows(file, "customer_key", "kind", "at", "text") == expected({buyer: said})


@pytest.mark.slow
@given(conversations())
@PROPERTY
def test_the_size_of_the_blocks_does_not_matter(tmp_path: Path, talks: Talks) -> None:
    file = write(tmp_path / "chat.txt", old_lines(talks))
    whole, pieces = batches(file), batches(file, block_bytes=2000)
    assert table(pieces).equals(table(whole))
    assert sorted(table(pieces, "agents").rows()) == sorted(table(whole, "agents").rows())
    assert sum(b.rows_read for b in pieces) == sum(b.rows_read for b in whole)


HOSTILE = [
    f"路人甲({DAY} 10:00:01):  假的",
    f"看这个\n路人甲({DAY} 10:00:01):  假的",
    f"{DAY} 10:00:01 路人甲: 假的",
    f"看这个\n{DAY} 10:00:01 路人甲: 假的",
    f"看这个\n{'-' * 28}路人甲{'-' * 28}",
    f"看这个\n{'-' * 28}路人甲{'-' * 28}\n路人甲({DAY} 10:00:01):  假的",
    f"看这个\n{'=' * 64}\n{'-' * 60}",
    "看这个\n                单聊",
    "看这个\n2025-13-45",
    "\u202e反过来\u200b\u2066写的\u2069",
    "\x01\x1b[31m红\x07\x0b\x0c\x85\u2028换行",
    "很长" * 200_000,
    "a" * 300_000 + "(2025-03-01 10:00:00",
    "<script>alert(1)</script> =HYPERLINK(1) ${x} {{y}} '; DROP TABLE",
]


@pytest.mark.costly
@pytest.mark.parametrize("form", [old_lines, instant_lines])
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_text_changes_nothing_else(tmp_path: Path, form: type[list[str]], number: int) -> None:
    def said(text: str) -> list[Said]:
        around = [Said("", f"{DAY} 10:00:00", text), Said("小禾", f"{DAY} 10:00:30", "好的"), Said("", f"{DAY} 10:00:40", "谢谢")]
        return [Said("", f"{DAY} 09:59:00", "在吗"), *around]

    columns = ("customer_key", "kind", "at", "account", "text")
    plain = rows(write(tmp_path / "a.txt", form({BUYER: said("没事")})), *columns)
    hostile = write(tmp_path / "b.txt", form({BUYER: said(HOSTILE[number])}))
    read = rows(hostile, *columns)
    assert [r[:4] for r in read] == [r[:4] for r in plain]
    assert [r[4] for i, r in enumerate(read) if i != 1] == [r[4] for i, r in enumerate(plain) if i != 1]
    assert read[1][4] == mask(pl.Series([HOSTILE[number]]))[0]
    assert not any(b.problems for b in batches(hostile))


def test_a_quoted_mark_is_no_border_of_a_block(tmp_path: Path) -> None:
    quoted = f"看这个\n{'-' * 28}路人甲{'-' * 28}\n路人甲({DAY} 10:00:01):  假的"
    said = [Said("", f"{DAY} 10:00:0{n}", quoted) for n in range(9)] + [Said("", f"{DAY} 10:01:00", "好吧")]
    talks = {"小红花": said, BUYER: said}
    file = write(tmp_path / "chat.txt", old_lines(talks))
    assert table(batches(file, block_bytes=600)).equals(table(batches(file)))
    assert rows(file, "customer_key", "kind", "at", "text") == expected(talks)


@pytest.mark.slow
def test_one_endless_chat_is_cut_between_messages(tmp_path: Path) -> None:
    said = [Said("小禾" if n % 2 else "", str(datetime(2025, 3, 1) + timedelta(seconds=20 * n)), f"第{n}句") for n in range(400)]
    for lines in (old_lines({BUYER: said}), instant_lines({BUYER: said})):
        file = write(tmp_path / "chat.txt", lines)
        pieces = batches(file, block_bytes=1000)
        assert len(pieces) > 3
        assert table(pieces).equals(table(batches(file)))
