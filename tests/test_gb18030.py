"""Long files in GB18030, which a child decodes: the same text and the same refusals as without it, even if it is killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from huitou.errors import FileRefused
from huitou.sources import reader
from huitou.sources.gb18030 import STRETCH
from huitou.sources.reader import begun
from huitou.sources.text import Utf8
from tests.exported import put

LINE = "2025-03-01 10:00:00,亲，这款有货的,𠮷野家买家,12.30\r\n".encode("gb18030")
LINES = LINE * (2 * STRETCH // len(LINE) + 1)
"""Two stretches and the beginning of a third; characters of four bytes stand where they meet."""
TRADITIONAL = "親，這個還有貨嗎，請問這款還有貨嗎，謝謝你們\n".encode("big5") * 200


def read(path: Path) -> Iterator[bytes]:
    with Utf8(path, "gb18030") as file:
        while data := file.read(STRETCH):
            yield data
        assert file.bytes_done == path.stat().st_size
        assert file.ends_in_newline and file.quotes == 0


@pytest.fixture(params=["read ahead", "by itself"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LONG", 0 if request.param == "read ahead" else 2**40)


@pytest.mark.usefixtures("way")
def test_all_of_it_is_read(tmp_path: Path) -> None:
    assert b"".join(read(put(tmp_path, "a.csv", LINES))).decode() == LINES.decode("gb18030")


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("more", "says"),
    [
        (b"ab\xff\xff\n", f"{len(LINES) + 2:,}"),
        (b"abc\0\n", f"{len(LINES) + 3:,}"),
        (b"abc\xb0", f"{len(LINES) + 3:,}"),
        (b"\n" + "亲，这款有货的，您的订单还没有付款\n".encode() * 2, f"{len(LINES) + 1:,}"),
        (b"\n" * STRETCH + TRADITIONAL, "Big5"),
    ],
    ids=["damaged", "zero", "cut", "utf-8", "big5"],
)
def test_what_is_no_gb18030_is_refused_where_it_stands(tmp_path: Path, more: bytes, says: str) -> None:
    with pytest.raises(FileRefused, match=says):
        list(read(put(tmp_path, "a.csv", LINES + more)))


def test_a_child_that_is_killed_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[reader.Decoder] = []
    made = reader.Decoder
    monkeypatch.setattr(reader, "LONG", 0)
    monkeypatch.setattr(reader, "Decoder", lambda path: children.append(made(path)) or children[-1])
    pieces = read(put(tmp_path, "a.csv", LINES * 3))
    first = next(pieces)
    children[0]._child.kill()
    assert (first + b"".join(pieces)).decode() == LINES.decode("gb18030") * 3 and len(children) == 1


def test_it_begins_before_anybody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[Path] = []
    made = reader.Decoder
    monkeypatch.setattr(reader, "LONG", len(LINES))
    monkeypatch.setattr(reader, "Decoder", lambda path: children.append(path) or made(path))
    files = [put(tmp_path, "short.csv", LINE), put(tmp_path, "plain.csv", b"a,b\n" * len(LINES)), put(tmp_path, "a.csv", LINES)]
    with begun(files):
        assert children == files[2:]
        assert b"".join(read(files[2])).decode() == LINES.decode("gb18030")
    assert children == files[2:]
