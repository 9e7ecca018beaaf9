"""Bad rows out to a spreadsheet and back: what is mended is stored once, and the ledger balances at every step."""

import csv
import json
import sqlite3
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitou.lake import Workspace
from huitou.sources.layout import MARKS
from huitou.sources.mending import guarded
from huitou.sources.table import unguarded
from tests.exported import DONE, ORDERS, THREE, put, table
from tests.exported import shop as fresh
from tests.front import huitou

BAD = THREE.replace('="1930000000000000303"', "1.93E+18").replace("128.00,128.00", "十块,128.00")
FIXED = {"1.93E+18": "1930000000000000303", "十块": "128.00"}


def bad_shop(folder: Path, text: str = BAD, name: str = "a.csv") -> Workspace:
    ws = fresh(folder)
    huitou("-w", ws.path, "import", put(folder, name, text), ok=False)
    return ws


def told(ws: Workspace) -> dict[str, Any]:
    return json.loads(huitou("-w", ws.path, "problems", "--all", "--format", "json").stdout)


def rows_of(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def mend(file: Path, fixes: dict[str, str]) -> Path:
    """What a person does in a spreadsheet."""
    rows = [[fixes.get(cell, cell) for cell in row] for row in rows_of(file)]
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return file


def sound(ws: Workspace) -> None:
    assert ws.lake.check() == [] and all(load.balances for load in ws.lake.loads())


def test_bad_rows_are_listed_by_file_and_reason(tmp_path: Path) -> None:
    found = told(bad_shop(tmp_path))
    assert [(p["file"], p["reason"], p["column"], p["rows"], p["first_row"]) for p in found["problems"]] == [
        ("a.csv", "money", "总金额", 1, 2),
        ("a.csv", "damaged_id", "订单编号", 1, 4),
    ]
    assert (found["open"], found["mended"]) == (2, 0)


def test_mended_rows_are_stored_once_and_shown_as_mended(tmp_path: Path) -> None:
    ws, out = bad_shop(tmp_path), tmp_path / "mend.csv"
    huitou("-w", ws.path, "problems", "--export", out)
    assert rows_of(out)[0] == [*MARKS, *(name.strip() for name in ORDERS.split(","))]
    assert [row[3] for row in rows_of(out)[1:]] == ["总金额", "订单编号"]
    assert "2 行改好了" in huitou("-w", ws.path, "import", mend(out, FIXED)).stdout
    huitou("-w", ws.path, "import", out)  # again, and then the whole export as it should have been
    huitou("-w", ws.path, "import", put(tmp_path, "whole.csv", THREE))
    assert (told(ws)["open"], told(ws)["mended"]) == (0, 2)
    assert sorted(table(ws, "orders")["order_id"]) == [f"19300000000000{n}" for n in ("00101", "00202", "00303")]
    assert "没有搁置的行" in huitou("-w", ws.path, "problems").stdout
    sound(ws)


@pytest.mark.slow
def test_a_row_that_is_still_bad_is_listed_anew_and_once(tmp_path: Path) -> None:
    ws, out = bad_shop(tmp_path), tmp_path / "mend.csv"
    huitou("-w", ws.path, "problems", "--export", out)
    huitou("-w", ws.path, "import", mend(out, {"十块": "128.00"}))
    found = told(ws)
    assert (found["open"], found["mended"]) == (1, 1)
    assert [(p["file"], p["reason"]) for p in found["problems"] if p["rows"] > p["mended"] + p["tried_again"]] == [
        ("mend.csv", "damaged_id")
    ]
    huitou("-w", ws.path, "problems", "--export", tmp_path / "again.csv")
    huitou("-w", ws.path, "import", mend(tmp_path / "again.csv", FIXED))
    assert told(ws)["open"] == 0 and table(ws, "orders").height == 3
    sound(ws)


def test_a_row_with_too_few_cells_keeps_what_it_has(tmp_path: Path) -> None:
    ws, out = bad_shop(tmp_path, f"{ORDERS}\n{DONE}\n1930000000000000404,山里的风,5\n"), tmp_path / "mend.csv"
    huitou("-w", ws.path, "problems", "--export", out)
    header, row = rows_of(out)
    assert row[4:7] == ["'1930000000000000404", "山里的风", "5"] and len(row) == len(header)


@pytest.mark.parametrize("name", ["mend.csv", "mend.xlsx"])
def test_no_cell_is_a_formula_and_text_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    attack = (
        DONE.replace("青麓单肩包", '"=HYPERLINK(""http://x"")"').replace("128.00,128.00", "十块,128.00").replace("周一", "＋1")
    )
    ws, out = bad_shop(tmp_path, f"{ORDERS}\n{attack}\n"), tmp_path / name
    huitou("-w", ws.path, "problems", "--export", out)
    if name.endswith("xlsx"):
        cells = [c for row in openpyxl.load_workbook(out).active.iter_rows() for c in row]  # type: ignore[union-attr]
        assert all(c.data_type in ("s", "n") and not (c.data_type == "n" and c.value) for c in cells)
    else:
        assert not [cell for row in rows_of(out) for cell in row if cell.startswith(tuple("=+-@\t\r＝＋－＠"))]
    assert oct(out.stat().st_mode & 0o777) == "0o600"


@given(st.text(min_size=1).map(str.strip).filter(lambda t: t and t[0] != "'" and not t.startswith('="')))
def test_a_guarded_cell_is_harmless_and_read_as_it_was(cell: str) -> None:
    kept = guarded(cell)
    assert not kept.startswith(tuple("=+-@\t\r\0＝＋－＠"))
    assert unguarded(pl.DataFrame({"0": [kept]}))["0"][0].removeprefix("'") == cell


def test_a_prose_cell_that_looks_like_a_formula_is_stored_as_it_was(tmp_path: Path) -> None:
    ws, out = bad_shop(tmp_path, "评论内容,评分,日期,用户昵称\n=1+1 很好,好评,昨天,小鱼\n"), tmp_path / "mend.csv"
    huitou("-w", ws.path, "problems", "--export", out)
    huitou("-w", ws.path, "import", mend(out, {"昨天": "2025-03-02"}))
    assert table(ws, "reviews")["text"].to_list() == ["=1+1 很好"]


def test_an_original_that_moved_is_asked_for_and_found_by_its_bytes(tmp_path: Path) -> None:
    ws, out = bad_shop(tmp_path), tmp_path / "mend.csv"
    moved = (tmp_path / "a.csv").rename(tmp_path / "elsewhere.csv")
    done = huitou("-w", ws.path, "problems", "--export", out, ok=False)
    assert done.exit_code == 1 and "--from" in done.stdout and not out.exists()
    put(tmp_path, "a.csv", "another file")
    huitou("-w", ws.path, "problems", "--export", out, "--from", tmp_path / "a.csv", "--from", moved)
    assert len(rows_of(out)) == 3


@pytest.mark.slow
def test_every_header_has_a_table_of_its_own_and_a_workbook_comes_back(tmp_path: Path) -> None:
    ws = bad_shop(tmp_path)
    huitou("-w", ws.path, "import", put(tmp_path, "r.csv", "评论内容,评分,日期,用户昵称\n好,好评,昨天,小鱼\n"), ok=False)
    huitou("-w", ws.path, "problems", "--export", tmp_path / "m.xlsx")
    book = openpyxl.load_workbook(tmp_path / "m_2.xlsx")
    sheet = book.worksheets[0]
    assert [c.value for c in sheet[1]] == [*MARKS, "评论内容", "评分", "日期", "用户昵称"]
    sheet["G2"] = "2025-03-02"
    book.save(tmp_path / "m_2.xlsx")
    huitou("-w", ws.path, "import", tmp_path / "m_2.xlsx")
    assert table(ws, "reviews").height == 1 and told(ws)["mended"] == 1


def test_lines_of_a_chat_are_shown_as_they_stand(tmp_path: Path) -> None:
    text = "青麓男包旗舰店\n单聊\n" + "=" * 64 + "\n" + "-" * 28 + "tb小鱼" + "-" * 28
    ws = bad_shop(tmp_path, f"{text}\ntb小鱼(2025-03-01 10:00:00):  在吗\ntb小鱼(2025-02-30 10:00:00):  还在吗\n", "c.txt")
    huitou("-w", ws.path, "problems", "--export", tmp_path / "m.csv")
    assert rows_of(tmp_path / "m.csv")[1][4:] == ["6", "tb小鱼(2025-02-30 10:00:00):  还在吗"]


def test_what_stands_in_a_bad_row_is_nowhere_in_the_workspace(tmp_path: Path) -> None:
    text = f"{ORDERS}\n" + DONE.replace("小鱼在海边", "独此一人的名字").replace("128.00,128.00", "十块,128.00") + "\n"
    ws = bad_shop(tmp_path, text)
    huitou("-w", ws.path, "problems")
    files = [f for f in ws.path.rglob("*") if f.is_file()]
    assert files and not [f for f in files if "独此一人的名字".encode() in f.read_bytes()]


@pytest.mark.slow
def test_a_mark_of_another_shop_settles_nothing(tmp_path: Path) -> None:
    ws, out = bad_shop(tmp_path), tmp_path / "mend.csv"
    huitou("-w", ws.path, "problems", "--export", out)
    marks = {row[0]: f"{row[0][:-6]}000000" for row in rows_of(out)[1:]}
    huitou("-w", ws.path, "import", mend(out, FIXED | marks))
    assert (told(ws)["open"], told(ws)["mended"]) == (2, 0) and table(ws, "orders").height == 3


def test_rows_that_the_original_does_not_give_away_are_told(tmp_path: Path) -> None:
    mapping = put(tmp_path, "m.toml", 'table = "reviews"\n[columns]\ntext = "t"\nday = "d"\nnick = "n"\n')
    ws, lines = fresh(tmp_path), '{"t": "好", "d": "2025-03-01", "n": "小鱼"}\n{"t": "差", "d": "昨天", "n": "小鱼"}\n{"cut"\n'
    (ws.path / "mappings").mkdir()
    mapping = mapping.rename(ws.path / "mappings" / "m.toml")
    huitou("-w", ws.path, "import", put(tmp_path, "a.jsonl", lines), "--mapping", mapping, ok=False)
    done = huitou("-w", ws.path, "problems", "--export", tmp_path / "mend.csv", ok=False)
    assert done.exit_code == 3 and "1 行取不出来" in done.stdout
    assert rows_of(tmp_path / "mend.csv")[1][4:] == ["差", "昨天", "小鱼"]
    huitou("-w", ws.path, "import", mend(tmp_path / "mend.csv", {"昨天": "2025-03-02"}), "--mapping", mapping)
    assert table(ws, "reviews").height == 2 and told(ws)["mended"] == 1


@pytest.mark.slow
def test_rows_of_several_sheets_are_left_to_the_original(tmp_path: Path) -> None:
    book, file = openpyxl.Workbook(), tmp_path / "a.xlsx"
    for sheet in (book.active, book.create_sheet("二")):
        for row in (["评论内容", "评分", "日期", "用户昵称"], [f"好{sheet.title}", "好评", "昨天", "小鱼"]):  # type: ignore[union-attr]
            sheet.append(row)  # type: ignore[union-attr]
    book.save(file)
    ws = fresh(tmp_path)
    huitou("-w", ws.path, "import", file, ok=False)
    done = huitou("-w", ws.path, "problems", "--export", tmp_path / "m.csv", ok=False)
    assert done.exit_code == 1 and "取不出来" in done.stdout and not (tmp_path / "m.csv").exists()


@pytest.mark.slow
def test_a_ledger_of_an_earlier_version_learns_to_remember(tmp_path: Path) -> None:
    ws = bad_shop(tmp_path)
    with sqlite3.connect(ws.path / "lake" / "ledger.db") as db:
        for name in ("origins", "settled", "headers"):
            db.execute(f"DROP TABLE {name}")
    out = tmp_path / "mend.csv"
    huitou("-w", ws.path, "problems", "--export", out, "--from", tmp_path / "a.csv")
    huitou("-w", ws.path, "import", mend(out, FIXED))
    assert told(ws)["mended"] == 2


@pytest.mark.slow
def test_rows_that_are_no_data_do_not_wait_to_be_mended(tmp_path: Path) -> None:
    ws = bad_shop(tmp_path, f"{BAD}合计{',' * 18}\n")
    said = huitou("-w", ws.path, "problems").stdout
    assert "! 2 行等着改，来自 1 个文件，另有 1 行不用改。" in said
    (tmp_path / "2").mkdir()
    whole = bad_shop(tmp_path / "2", f"{THREE}合计{',' * 18}\n")
    assert "✓ 0 行等着改" in huitou("-w", whole.path, "problems").stdout
    assert "✓ 1 个文件可以导入：4 行" in huitou("-w", whole.path, "doctor", tmp_path / "2" / "a.csv").stdout
