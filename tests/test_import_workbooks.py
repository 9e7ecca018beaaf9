"""XLSX and XLS: read in a child under limits; damaged and protected ones cost a sentence, never the program."""

import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from huitou.errors import FileRefused
from huitou.sources import reader
from huitou.sources.importer import import_files
from huitou.sources.reader import Reader, begun
from huitou.sources.sniff import head, sheet_heads
from tests.exported import THREE, imported, put, shop, table
from tests.hostile import zipped
from tests.old_excel import compound, write_xls

HEADER = ["订单编号", "买家会员名", "总金额", "买家实际支付金额", "订单创建时间", "订单付款时间"]
AT = datetime(2025, 3, 1, 10, 0, 0)


def workbook(path: Path, *rows: list[object], others: int = 0) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for number in range(others):
        book.create_sheet(f"other {number}").append(["x"])
    book.save(path)
    return path


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """The workbook with the XML of its first sheet changed."""
    out = path.with_stem(path.stem + "-changed")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            content = old.read(member)
            new.writestr(member.filename, change(content) if member.filename.endswith("sheet1.xml") else content)
    return out


def test_dates_numbers_and_texts_of_a_sheet(tmp_path: Path) -> None:
    rows = [
        ["生意参谋"],
        [],
        ["说明"],
        ["统计日期", "访客数", "浏览量"],
        [date(2025, 3, 1), 1234, "5,000"],
        [45718, "1,300", 5100.0],
        ["汇总值", 2534, 0],
    ]
    path = workbook(tmp_path / "flow.xlsx", *rows, others=1)
    (report,) = import_files(ws := shop(tmp_path), [path])
    traffic = table(ws, "traffic").sort("day")
    assert traffic["day"].to_list() == [date(2025, 3, 1), date(2025, 3, 2)] and traffic["row"].to_list() == [5, 6]
    assert traffic["visitors"].to_list() == [1234, 1300] and traffic["page_views"].to_list() == [5000, 5100]
    assert report.problems == {"total_row": 1} and report.notes == {"other_sheets": 1}


def test_ids_that_excel_holds_as_numbers_are_damaged(tmp_path: Path) -> None:
    rows = [[1930000000000000000 + i * 1000, f"b{i}", 12.3, 12.3, AT, AT] for i in range(9)]
    (report,) = import_files(shop(tmp_path), [workbook(tmp_path / "o.xlsx", HEADER, *rows)])
    assert report.problems == {"damaged_id": 9}


def orders(path: Path, first: int) -> Path:
    return workbook(path, HEADER, *([f"19300000000000{i:05}", f"b{i}", 12.3, 0.0, AT, AT] for i in range(first, first + 9)))


@pytest.mark.slow
def test_workbooks_read_ahead_come_in_whatever_stands_between_them(tmp_path: Path) -> None:
    good = [orders(tmp_path / f"{n}.xlsx", 10 * n) for n in range(3)]
    damaged = put(tmp_path, "d.xlsx", good[0].read_bytes()[:900])
    archive = put(tmp_path, "a.zip", zipped({"in.xlsx": orders(tmp_path / "in.xlsx", 40).read_bytes()}))
    files = [archive, good[0], put(tmp_path, "o.csv", THREE), damaged, good[1], good[0], good[2], tmp_path / "gone.xlsx"]
    with begun(files):
        reports = import_files(shop(tmp_path), files)
    assert [r.load.stored if r.load else None for r in reports] == [9, 9, 3, None, 9, 0, 9, None]
    assert [r.refused is not None for r in reports] == [False] * 3 + [True] + [False] * 3 + [True]


def test_each_workbook_is_read_once_and_none_when_nobody_asks_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [orders(tmp_path / f"{n}.xlsx", 10 * n) for n in range(3)]
    made: list[Reader] = []
    monkeypatch.setattr(reader, "Reader", lambda path: made.append(Reader(path)) or made[-1])
    with begun(files):
        assert [one.path for one in made] == files[:1]
        assert head(files[0]).rows[1][0] == "1930000000000000000" and [one.path for one in made] == files[:2]
        head(files[1])
    assert [one.path for one in made] == files
    assert all(one.spool.closed for one in made)  # closed when its child is gone


@pytest.mark.slow
def test_the_same_orders_as_csv_are_known(tmp_path: Path) -> None:
    rows = [[f"19300000000000{i:05}", f"b{i}", 12.3, 0.0, AT, AT] for i in range(9)]
    path = orders(tmp_path / "o.xlsx", 0)
    csv = tmp_path / "o.csv"
    csv.write_text("\n".join(",".join(str(c) for c in row) for row in [HEADER, *rows]) + "\n", "gb18030")
    one, two = import_files(shop(tmp_path), [path, csv])
    assert one.load is not None and two.load is not None
    assert (one.load.stored, two.load.stored, two.load.known) == (9, 0, 9)


@pytest.mark.costly
@pytest.mark.parametrize("lie", [False, True])
def test_a_kilobyte_that_claims_17_billion_cells(tmp_path: Path, lie: bool) -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = 1, 2
    book.save(tmp_path / "bomb.xlsx")
    path = rewritten(
        tmp_path / "bomb.xlsx", lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"', xml) if lie else xml
    )
    with pytest.raises(FileRefused, match="2 GiB" if lie else "more cells"):
        head(path)


@pytest.mark.costly
@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"xl/workbook.xml": b"x", "zeros": bytes(80_000_000)}, "unpacks to far more"),
        ({"xl/workbook.xml": b"x"} | {f"m{i}": b"abc" for i in range(1_001)}, "unpacks to far more"),
        ({"xl/workbook.xml": b"<broken", "[Content_Types].xml": b""}, "cannot be read"),
        ({"../../etc/x": b"x"}, "zip archive"),
    ],
)
def test_archives_that_are_no_honest_workbook(tmp_path: Path, members: dict[str, bytes], says: str) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    with pytest.raises(FileRefused, match=says):
        head(path)


@pytest.mark.slow
def test_a_workbook_cut_anywhere_or_flipped_is_refused_or_whole(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "o.xlsx", HEADER, *[[f"19{i:017}", "b", 1, 1, AT, AT] for i in range(50)]).read_bytes()
    for number, at in enumerate(range(200, len(whole), len(whole) // 5)):
        flipped = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        for kind, content in (("cut", whole[:at]), ("flip", flipped)):
            (folder := tmp_path / f"{kind}{number}").mkdir()
            report, _ = imported(folder, content, "o.xlsx")
            assert report.refused is not None or report.rows == 50


def sheets(path: Path, **rows: list[list[object]]) -> Path:
    """A workbook with these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, cells in rows.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(row)
    book.save(path)
    return path


@pytest.mark.slow
def test_the_sheet_that_a_source_knows_is_read_wherever_it_stands(tmp_path: Path) -> None:
    order = ["1930000000000000101", "b1", 12.3, 12.3, AT, AT]
    path = sheets(tmp_path / "o.xlsx", 说明=[["请勿修改"]], 空=[], 订单=[HEADER, order], 退款=[["退款编号"], [1]])
    (report,) = import_files(shop(tmp_path), [path])
    assert (report.source, report.rows, report.problems) == ("tmall.orders", 1, {})
    assert report.notes["other_sheets"] == 3


@pytest.mark.slow
def test_every_filled_sheet_can_be_reached(tmp_path: Path) -> None:
    path = sheets(tmp_path / "o.xlsx", a=[["x"], [1]], empty=[], b=[["y", "z"], *([n, None] for n in range(40_000))])
    heads = sheet_heads(head(path))
    assert heads[0].sheets == ("a", "empty", "b")
    assert [(one.sheet.name, one.rows[0], len(one.rows)) for one in heads if one.sheet] == [
        ("a", ("x",), 2),
        ("b", ("y", "z"), 20),
    ]
    book, last = heads[1].book, heads[1].sheet
    assert book is not None and last is not None
    assert [v for batch in book.rows(last) for v in batch["0"].to_pylist()] == ["y", *map(str, range(40_000))]


@pytest.mark.slow
def test_the_old_xls_form_is_read(tmp_path: Path) -> None:
    rows = [HEADER, *[[f"19300000000000{i:05}", f"b{i}", 12.3, 0.0, str(AT), ""] for i in range(9)]]
    for number, name in enumerate(("o.xls", "renamed.csv")):
        (folder := tmp_path / str(number)).mkdir()
        (report,) = import_files(ws := shop(folder), [write_xls(folder / name, rows)])
        assert (report.rows, report.problems) == (9, {})
        assert table(ws, "orders")["placed_fen"].to_list() == [1230] * 9


def test_a_password_is_named_with_how_to_take_it_off(tmp_path: Path) -> None:
    new = tmp_path / "new.xlsx"
    new.write_bytes(compound(EncryptionInfo=b"\4\0\4\0", EncryptedPackage=bytes(9_000)))
    for path in (new, write_xls(tmp_path / "old.xls", [["x"]], locked=True)):
        with pytest.raises(FileRefused, match=r"protected by a password.*clear the password") as refused:
            head(path)
        assert "清空密码" in refused.value.text("zh")


@pytest.mark.slow
def test_an_old_office_file_without_a_sheet_is_told(tmp_path: Path) -> None:
    (tmp_path / "letter.doc").write_bytes(compound(WordDocument=bytes(5_000)))
    with pytest.raises(FileRefused, match=r"old .xls format or protected by a password.*as .xlsx"):
        head(tmp_path / "letter.doc")


def test_an_empty_workbook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="none of its sheets"):
        head(workbook(tmp_path / "e.xlsx"))
