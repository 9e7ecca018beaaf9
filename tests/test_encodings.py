"""Every text export in every encoding, in two at once, and cut anywhere: read right or refused, never a wrong character."""

import os
import random
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest

from huitou.demo import write_demo
from huitou.errors import FileRefused
from huitou.lake.identity import People
from huitou.lake.settings import Settings
from huitou.sources.importer import identify_file
from huitou.sources.model import Context
from huitou.tables import TABLES
from tests import platform_files as made
from tests.exported import THREE
from tests.exports import write_chats
from tests.test_sources_helpdesk import CHATWOOT, GORGIAS

ENCODINGS = ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "big5")
READ = ("utf-8", "utf-8-sig", "gbk", "gb18030")
SHOP = "青麓男包旗舰店"
CONTEXT = Context(Settings(shop=SHOP), People(b"a key of 32 bytes for tests only", "tmall", SHOP))
DEMO = ("ExportOrderList", "ExportOrderDetailList", "即时消息", "商品评价", "旺旺聊天记录_小禾", "退款")
PLAIN = ("orders", "ExportOrderList", "ExportOrderDetailList", "商品评价", "退款")
"""Fixtures with one row of their main table per row of the file, whatever stands around it."""
NAMES = (*DEMO, "orders", "traditional", "chatwoot", "gorgias", "jd orders", "jd chats", "pdd orders", "douyin orders")
QUICK = ("orders", "旺旺聊天记录_小禾", "traditional", "gorgias", "jd chats", "douyin orders")
SOME = [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in NAMES]
"""Of each way to read a text one in the fast part: a table, chats of two platforms, Big5's signs, JSON lines."""


@cache
def fixtures() -> dict[str, str]:
    """Name → text."""
    with TemporaryDirectory() as folder:
        write_demo(Path(folder), scale=0.01, months=1)
        files = {kind: next(f for f in sorted(Path(folder).iterdir()) if f.name.startswith(kind)) for kind in DEMO}
        texts = {kind: decoded(file.read_bytes()) for kind, file in files.items()}
        said = [
            ("", "2026-05-04 10:00:00", "請問這個還有貨嗎，可以便宜一點嗎？"),
            ("小禾", "2026-05-04 10:00:20", "親，這款還有貨的，謝謝"),
        ]
        traditional = write_chats(Path(folder) / "t.txt", SHOP, {f"buyer{n}": said for n in range(8)}, "utf-8")
        texts["traditional"] = decoded(traditional.read_bytes())
    talk = [("jd_fish08", "2025-03-01 10:00:00", "在吗，这款有货吗"), ("青麓-小禾", "2025-03-01 10:00:09", "亲，有货的")]
    return texts | {
        "orders": THREE, "chatwoot": CHATWOOT, "gorgias": GORGIAS, "jd chats": made.jd_log(talk, talk),
        "jd orders": made.csv_text(made.JD_ORDERS, [made.jd_order(n, 901) for n in range(11, 16)]),
        "pdd orders": made.csv_text(made.PDD_ORDERS, [made.pdd_order(f"2503{n}", f"2025-03-01 10:00:{n}") for n in range(11, 16)]),
        "douyin orders": made.csv_text(made.DOUYIN_ORDERS, [made.douyin_order(f"69{n}", f"69{n}") for n in range(11, 16)]),
    }  # fmt: skip


def decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")


def encoded(text: str, encoding: str) -> bytes:
    """In an encoding; what it does not have (simplified characters in Big5) becomes one that it has."""
    return "".join(c if _has(encoding, c) else "請" for c in text).encode(encoding)


@cache
def _has(encoding: str, sign: str) -> bool:
    try:
        return bool(sign.encode(encoding))
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True)
class Read:
    """What an import makes of a file: the rows of its main table without what other rows decide, problems, notes."""

    rows: pl.DataFrame
    problems: list[str]
    notes: Counter[str]

    @classmethod
    def of(cls, raw: bytes, folder: Path) -> "Read | None":
        """None for a refused file."""
        file = folder / "file.txt"
        file.write_bytes(raw)
        try:
            found = identify_file(file)
            read = list(found.source.read(found.head, CONTEXT)) if found.source else []
        except FileRefused:
            return None
        if not found.source or not sum(batch.rows_read for batch in read):
            return None
        assert not any("\ufffd" in text for batch in read for frame in batch.frames.values() for text in texts_of(frame))
        table = TABLES[found.source.main]
        frames = [batch.frames[table.name] for batch in read if table.name in batch.frames]
        rows = (
            pl.concat(frames, how="vertical_relaxed").select(pl.exclude("load", *table.concluded)).sort("row")
            if frames
            else pl.DataFrame({"row": []})
        )
        notes = Counter[str]()
        for batch in read:
            notes.update(batch.notes)
        return cls(rows, [p.reason for batch in read for p in batch.problems], notes)

    def same(self, other: "Read | None") -> bool:
        """The same rows and the same problems."""
        return other is not None and self.rows.equals(other.rows) and self.problems == other.problems


def texts_of(frame: pl.DataFrame) -> list[str]:
    return [text for name in frame.columns if frame.schema[name] == pl.String for text in frame[name].drop_nulls()]


@pytest.mark.parametrize("name", SOME)
def test_each_encoding_is_read_right_or_refused(tmp_path: Path, name: str) -> None:
    text = fixtures()[name]
    right = Read.of(text.encode(), tmp_path)
    assert right is not None and right.rows.height > 1
    for encoding in ENCODINGS:
        read = Read.of(encoded(text, encoding), tmp_path)
        whole = encoded(text, encoding).decode(encoding) == text
        assert right.same(read) if encoding in READ and whole else read is None or right.same(read), encoding


@pytest.mark.parametrize("name", SOME)
def test_two_encodings_in_one_file_are_refused(tmp_path: Path, name: str) -> None:
    lines = fixtures()[name].splitlines(keepends=True)
    right = Read.of("".join(lines).encode(), tmp_path)
    assert right is not None
    for one, other in permutations(("utf-8", "gb18030", "big5", "utf-16-le"), 2):
        raw = encoded("".join(lines[: len(lines) // 2]), one) + encoded("".join(lines[len(lines) // 2 :]), other)
        read = Read.of(raw, tmp_path)
        assert read is None or right.same(read), (one, other)


def cut_anywhere(folder: Path, name: str, encoding: str, cuts: int) -> None:
    """Told (refused, set aside, noted) unless it ends with a line; what stands before the last row is as in the whole file."""
    raw = encoded(fixtures()[name], encoding)
    whole = Read.of(raw, folder)
    assert whole is not None
    chance = random.Random(int(os.environ.get("HUITOU_SEED", random.randrange(10**6))))
    for cut in sorted(chance.sample(range(1, len(raw)), min(cuts, len(raw) - 1))):
        read = Read.of(raw[:cut], folder)
        if read is None:
            continue
        told = len(read.problems) > len(whole.problems) or {"cut", "json"} & {*read.problems} or "no_final_newline" in read.notes
        assert told or raw[:cut].endswith((b"\n", b"\r", b'"}', b"null}")), (name, encoding, cut)
        if name in PLAIN:
            assert read.rows.head(-1).rows() == whole.rows.rows()[: max(0, read.rows.height - 1)], (name, encoding, cut)


@pytest.mark.parametrize("name", ["orders", "旺旺聊天记录_小禾", pytest.param("gorgias", marks=pytest.mark.slow)])
def test_cut_at_some_bytes(tmp_path: Path, name: str) -> None:
    cut_anywhere(tmp_path, name, "gb18030", 10)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", READ)
@pytest.mark.parametrize("name", NAMES)
def test_cut_at_any_byte(tmp_path: Path, name: str, encoding: str) -> None:
    cut_anywhere(tmp_path, name, encoding, 25)
