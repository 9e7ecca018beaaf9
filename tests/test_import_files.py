"""Whole files: what they are, what is refused and why, what is set aside; never a character or a row guessed."""

import csv
import io
import random
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest

from huitou.errors import FileRefused, Say, UnknownName
from huitou.lake import staging
from huitou.sources.importer import identify_file, import_files
from huitou.sources.sniff import head
from tests.exported import ORDERS, THREE, imported, put, shop, table
from tests.front import huitou

ROW = (
    '="19300000000000{:05}",买家{},12.30,0.00,12.30,12.30,交易成功,,上海 上海市,,'
    "2025-03-01 10:00:00,2025-03-01 10:00:30,包,1,,1,,0.00,\n"
)
MANY = f"{ORDERS}\n" + "".join(ROW.format(i * 7, i) for i in range(500))


def fate(folder: Path, content: str | bytes, name: str = "file.csv") -> dict[str, int]:
    """Rows stored and problems by reason; every row of the file must be accounted for."""
    report, _ = imported(folder, content, name)
    assert report.load is not None and report.load.balances, report.refused
    assert report.load.quarantined == sum(report.problems.values())
    return {"stored": report.load.stored} | report.problems


def refusal(folder: Path, content: str | bytes, name: str = "file.csv") -> str:
    report, ws = imported(folder, content, name)
    assert report.load is None and isinstance(report.refused, FileRefused)
    assert isinstance(report.refused.says, Say) and report.refused.text("zh") != report.refused.text("en")
    assert ws.lake.loads() == []
    return report.refused.text("en")


def test_the_same_orders_in_another_encoding_line_ends_and_order_are_known(tmp_path: Path) -> None:
    header, *rows = MANY.strip().split("\n")
    random.Random(1).shuffle(rows)
    others = [
        put(tmp_path, f"{encoding}{len(newline)}.csv", newline.join([header, *rows, ""]), encoding)
        for encoding, newline in product(("utf-8-sig", "gb18030"), ("\n", "\r\n"))
    ]
    reports = import_files(shop(tmp_path), [put(tmp_path, "a.csv", MANY), *others])
    assert [(r.load.stored, r.load.known) for r in reports if r.load] == [(500, 0)] + [(0, 500)] * 4


@pytest.mark.slow
def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    header, *rows = MANY.strip().split("\n")
    one, two = put(tmp_path, "1.csv", "\n".join([header, *rows[:300]])), put(tmp_path, "2.csv", "\n".join([header, *rows[200:]]))
    ws = shop(tmp_path)
    import_files(ws, [one, two])
    stored = table(ws, "orders").select("order_key", "row_key").sort("order_key")
    (tmp_path / "shop").rename(tmp_path / "before")
    again = shop(tmp_path)
    import_files(again, [two, one])
    assert table(again, "orders")["order_key"].sort().equals(stored["order_key"])
    assert len(stored) == 500


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    files = [put(tmp_path, "bad.csv", b"\xff\xfe\x00a"), tmp_path / "missing.csv", put(tmp_path, "good.csv", THREE)]
    reports = import_files(shop(tmp_path), files)
    assert [r.refused is not None for r in reports] == [True, True, False]
    assert reports[2].load is not None and reports[2].load.stored == 3


def test_the_same_bytes_again_add_nothing(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    import_files(ws, [put(tmp_path, "a.csv", THREE)])
    (again,) = import_files(ws, [put(tmp_path, "renamed.csv", THREE)])
    assert again.load is not None and again.load.repeats_of == 1 and again.load.stored == 0 and again.rows == 3


def test_a_dry_run_counts_and_stores_nothing(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    (report,) = import_files(ws, [put(tmp_path, "a.csv", THREE)], dry_run=True)
    assert (report.rows, report.load, ws.lake.loads()) == (3, None, [])
    assert not list((ws.path / "vault").glob("*.db")) or ws.vault.recall(1, "test") is None


def test_progress_ends_at_the_files_size(tmp_path: Path) -> None:
    seen: list[tuple[int, int, int]] = []
    path = put(tmp_path, "a.csv", MANY)
    import_files(shop(tmp_path), [path], progress=lambda file, done, total, rows: seen.append((done, total, rows)))
    assert seen[-1] == (path.stat().st_size, path.stat().st_size, 500)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (THREE.encode("utf-32"), "UTF-16"),
        (b'[\n {"role": "customer", "text": "hi"}\n]', "one JSON array"),
        (THREE.encode("utf-16-le"), "UTF-16"),
        (THREE.encode() + b"\0", f"byte {len(THREE.encode()):,}"),
        (THREE.encode() + "男包".encode("gb18030"), f"byte {len(THREE.encode()):,}"),
        (MANY.encode("gb18030")[:-60] + "男".encode()[:2], "byte"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        (b"x" * 100_000, "first line"),
        (b"a,b,c\n1,2,3\n", "no source recognises it"),
        (THREE.replace("订单编号", "订单编码").encode(), "no column «订单编号» (the nearest heading is «订单编码»)"),
        (MANY.replace('="', "").replace('"', "").replace("买家3,", '"买家3,').encode(), "row 5 is never closed"),
        (b"PAR1" + bytes(100), "Parquet"),
    ],
)
def test_refused_files_say_why(tmp_path: Path, content: bytes, says: str) -> None:
    assert says in refusal(tmp_path, content)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="folder"):
        head(tmp_path)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (THREE.replace(",青麓单肩包", ""), {"stored": 2, "columns": 1}),
        (THREE.replace("青麓单肩包", "青麓,单肩包"), {"stored": 2, "columns": 1}),
        (THREE.replace("小鱼在海边", '"小鱼在海边', 1), {"stored": 1, "quote": 2}),
        (f"{THREE}{ORDERS}\n", {"stored": 3, "repeated_header": 1}),
        (f"{THREE}合计,,439.00,8.00,447.00,228.00{',' * 13}\n", {"stored": 3, "total_row": 1}),
        (f"{THREE}共 3 条记录\n", {"stored": 3, "total_row": 1}),
        (f"{THREE}合计,,439.00", {"stored": 3, "total_row": 1}),
        (THREE.replace("128.00", "一百", 1), {"stored": 2, "money": 1}),
        (THREE.replace("2025-03-01 10:00:00", "03/01/2025"), {"stored": 2, "time": 1}),
        (THREE.replace('="1930000000000000202"', "1.93E+18"), {"stored": 2, "damaged_id": 1}),
        (THREE.replace("101", "000").replace("202", "000").replace("303", "000"), {"stored": 0, "damaged_id": 3}),
        (THREE.replace('="1930000000000000202"', ""), {"stored": 2, "empty": 1}),
        (THREE[:-40], {"stored": 2, "cut": 1}),
        (THREE[:-3] + '"0', {"stored": 2, "cut": 1}),
    ],
)
def test_bad_rows_are_set_aside_with_their_reason(tmp_path: Path, content: str, wanted: dict[str, int]) -> None:
    assert fate(tmp_path, content) == wanted


def test_a_problem_names_row_column_and_no_personal_data(tmp_path: Path) -> None:
    text = THREE.replace("2025-03-03 23:59:59", "昨天")
    _, ws = imported(tmp_path, "店铺订单\n\n" + text.replace("青麓单肩包", '"青麓\n单肩包"'))
    (problem,) = ws.lake.problems()
    assert (problem.file, problem.row, problem.column, problem.reason) == ("file.csv", 6, "订单创建时间", "time")
    assert isinstance(problem.says, Say) and "小鱼" not in "".join([*problem.says, *problem.fix])


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(at, marks=[pytest.mark.slow] * (i % 3 > 0))
        for i, at in enumerate(range(40, len(THREE.encode("gb18030")), 97))
    ],
)
def test_a_file_cut_anywhere_is_never_taken_for_whole(tmp_path: Path, cut: int) -> None:
    report, _ = imported(tmp_path, THREE.encode("gb18030")[:cut])
    on_row_edge = THREE.encode("gb18030")[:cut].endswith(b"\n")
    told = report.refused is not None or "cut" in report.problems or "no_final_newline" in report.notes
    assert told or on_row_edge


def test_title_lines_blank_rows_and_a_trailing_comma_do_no_harm(tmp_path: Path) -> None:
    lines = THREE.strip().split("\n")
    assert fate(tmp_path, "\n".join(["订单报表", "", lines[0], "", *(line + "," for line in lines[1:]), ""])) == {"stored": 3}


@pytest.mark.slow
def test_tabs_that_fill_cells_up_are_no_delimiter(tmp_path: Path) -> None:
    header, *rows = csv.reader(io.StringIO(THREE))
    for at, end in enumerate(("\t,", ",\t", '\t","')):
        (tmp_path / str(at)).mkdir()
        lines = [end.join(header), *(end.join(cells) for cells in rows)]
        lines = [f'"{line}\t"' for line in lines] if '"' in end else [f"{line}\t" for line in lines]
        assert fate(tmp_path / str(at), "\r\n".join([*lines, ""])) == {"stored": 3}


@pytest.mark.parametrize(
    ("content", "sign"),
    [
        (THREE, "✓"),
        (f"{THREE}合计{',' * 18}\n", "✓"),
        (THREE.replace("10:00:00", "25:00:00"), "!"),
        (f"{ORDERS}\n1{',' * 18}\n", "✗"),
    ],
)
def test_the_sign_tells_whether_all_of_the_data_is_in(tmp_path: Path, content: str, sign: str) -> None:
    shop(tmp_path)
    assert huitou("-w", tmp_path / "shop", "import", put(tmp_path, "a.csv", content), ok=False).stdout.lstrip().startswith(sign)


def test_tabs_and_full_width_headings_are_read(tmp_path: Path) -> None:
    text = THREE.replace(",", "\t").replace("订单编号", "\ufeff 订单编号\u00a0")
    assert fate(tmp_path, text) == {"stored": 3}


def test_stars_over_columns_that_a_form_wants_filled_are_no_part_of_a_heading(tmp_path: Path) -> None:
    assert fate(tmp_path, "*" + THREE.replace(",", ",＊", THREE.split("\n")[0].count(","))) == {"stored": 3}


def test_what_exports_write_for_nothing_is_nobody_s_words(tmp_path: Path) -> None:
    text = '评论内容,追加评论,评分,日期,用户昵称,商家回复\n好用,null,5,2025-03-01,小鱼,-\n-,"=""再买""",5,2025-03-02,山风,\n'
    reviews = table(imported(tmp_path, text)[1], "reviews").sort("row")
    assert reviews.select("text", "append_text", "reply_text").rows() == [("好用", None, None), ("-", "再买", None)]


def test_an_unknown_column_is_counted(tmp_path: Path) -> None:
    report, _ = imported(tmp_path, THREE.replace("物流公司", "今年的新列"))
    assert report.notes == {"unknown_columns": 1}


def test_text_that_turns_out_to_be_gbk_after_kilobytes_of_ascii(tmp_path: Path) -> None:
    rows = b"username,time,content\n" + b"".join(b"a**%d,2025-01-01,good\n" % i for i in range(9000))
    assert fate(tmp_path, rows + "李**,2025-01-02,很好\n".encode("gb18030")) == {"stored": 9001}


def test_a_source_of_the_users_own_comes_in_by_the_same_door(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    put(tmp_path, "mine.csv", "a,b,c\n1,2,3\n")
    (ws.path / "sources").mkdir()
    code = ["class Mine(Reviews):", " id = 'mine'", " def identify(self, head): return 99", "SOURCES = [Mine()]"]
    put(ws.path / "sources", "mine.py", "\n".join(["from huitou.sources.reviews import Reviews", *code]))
    found = identify_file(tmp_path / "mine.csv", ws.path)
    assert found.source is not None and (found.source.id, found.sure) == ("mine", 99)


def test_a_source_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"tmall\.orders"):
        import_files(shop(tmp_path), [put(tmp_path, "a.csv", THREE)], source="tmall.order")


def test_files_of_one_length_are_told_apart_by_their_bytes(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    first, other = (
        put(tmp_path, "a.csv", THREE),
        put(tmp_path, "b.csv", THREE.replace("2025-03-03 23:59:59", "2025-03-03 23:59:58")),
    )
    again = put(tmp_path, "c.csv", THREE)
    assert first.stat().st_size == other.stat().st_size
    loads = [report.load for report in import_files(ws, [first, other, again])]
    assert [load and load.repeats_of for load in loads] == [None, None, 1]
    assert [load and load.sha256 for load in loads] == [sha256(file.read_bytes()).hexdigest() for file in (first, other, again)]


def test_versions_within_a_long_file_are_found_share_by_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "COUNTED_ROWS", 7)
    rows = [ROW.format(i, i) for i in range(30)]
    sent = [row.replace("交易成功", "卖家已发货，等待买家确认") for row in rows[:20]]
    report, ws = imported(tmp_path, f"{ORDERS}\n" + "".join(sent + rows + rows[:3]))
    assert report.load is not None and (report.load.stored, report.load.known) == (50, 3)
    assert table(ws, "orders")["status"].to_list() == ["done"] * 30
