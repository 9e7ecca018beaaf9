"""The same export again — renamed, re-encoded, re-sorted, overlapping — stores nothing twice and changes no number."""

import csv
import io
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from huitou.demo import settings_for_demo, write_demo
from huitou.demo.exports import REFUND_HEADER
from huitou.lake import Workspace
from tests.exports import order, write_chats, write_orders
from tests.front import huitou, numbers, shop

KINDS = ("ExportOrderList", "ExportOrderDetailList", "退款_", "商品评价_", "旺旺聊天记录_小", "即时消息_", "生意参谋_流量_")
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030")
ONE_OF_EACH = ("inquiry_conversion", "average_response_time", "amount_paid_net", "refunded_orders", "review_count", "visitors")
NAME = "测试旗舰店"


def text_of(file: Path) -> str:
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")


def cells_of(file: Path) -> list[list[str]]:
    """A table's cells as text, whatever its form."""
    if file.suffix == ".csv":
        return list(csv.reader(io.StringIO(text_of(file), newline="")))
    frame = pl.read_excel(file, has_header=False, drop_empty_rows=False, infer_schema_length=0)
    return [[cell or "" for cell in row] for row in frame.rows()]


def header_of(cells: list[list[str]]) -> int:
    """Index of the first row as wide as the table."""
    return next(i for i, row in enumerate(cells) if sum(map(bool, row)) > 5)


def write_cells(file: Path, cells: list[list[str]], encoding: str = "gb18030", ends: str = "\r\n") -> Path:
    if file.suffix == ".csv":
        with file.open("w", newline="", encoding=encoding) as out:
            csv.writer(out, lineterminator=ends).writerows(cells)
        return file
    book = xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_numbers": False})
    sheet = book.add_worksheet("流量看板")
    for y, row in enumerate(cells):
        sheet.write_row(y, 0, row)
    book.close()
    return file


def shuffled_chats(text: str, chance: random.Random) -> str:
    """The buyers' sections of a client's TXT in another order."""
    lines = text.splitlines(keepends=True)
    marks = [i for i, line in enumerate(lines) if line.startswith("-" * 28)] + [len(lines)]
    sections = ["".join(lines[a:b]) for a, b in pairwise(marks)]
    chance.shuffle(sections)
    return "".join([*lines[: marks[0]], *(s if s.endswith("\n") else s + "\r\n" for s in sections)])


def again(file: Path, folder: Path) -> Iterator[Path]:
    """The file in all forms in which a person may bring it once more."""
    folder.mkdir(parents=True)
    chance, name = random.Random(file.name), file.name
    for copy in (folder / name, folder / f"副本 {name}"):
        copy.write_bytes(file.read_bytes())
        yield copy
    if file.suffix in (".csv", ".txt"):
        text = text_of(file)
        for n, encoding in enumerate(ENCODINGS):
            (folder / f"{n} {name}").write_bytes(text.encode(encoding))
            yield folder / f"{n} {name}"
        ends = ("\r\n", "\n") if "\r\n" in text else ("\n", "\r\n")
        (folder / f"行尾 {name}").write_bytes(text.replace(*ends).encode())
        yield folder / f"行尾 {name}"
        if "单聊" in text:
            (folder / f"乱序 {name}").write_bytes(shuffled_chats(text, chance).encode())
            yield folder / f"乱序 {name}"
    if file.suffix in (".csv", ".xlsx"):
        cells = cells_of(file)
        first = header_of(cells) + 1
        rows = chance.sample(cells[first:], len(cells) - first)
        yield write_cells(folder / f"乱序 {name}", cells[:first] + rows)
        if name.startswith("生意参谋"):
            other = {".csv": ".xlsx", ".xlsx": ".csv"}[file.suffix]
            yield write_cells(folder / f"另存 {file.stem}{other}", cells)


def bring_again(workspace: Path, files: list[Path], folder: Path, metrics: tuple[str, ...] = ("all",)) -> None:
    """Import every form of the files: all is known, every ledger balances, nothing is to be built again, no number moves."""
    ws, before = Workspace.open(workspace), numbers(workspace, *metrics)
    first = {load.file: load for load in ws.lake.loads()}
    forms = {form: file for i, file in enumerate(files) for form in again(file, folder / str(i))}
    assert len(forms) >= 4 * len(files)
    huitou("-w", workspace, "import", *forms)
    loads = ws.lake.loads()[len(first) :]
    for load, (form, file) in zip(loads, forms.items(), strict=True):
        there = first[file.name]
        assert load.file == form.name
        assert (load.source, load.rows_read, load.quarantined) == (there.source, there.rows_read, there.quarantined), load.file
        assert (load.stored, load.known) == (0, there.stored + there.known), load.file
        assert {t: c.stored for t, c in load.by_table.items() if c.stored} == {}, load.file
    assert all(load.balances for load in ws.lake.loads())
    assert "up to date" in huitou("--lang", "en", "-w", workspace, "build").output
    assert numbers(workspace, *metrics) == before
    huitou("-w", workspace, "doctor")


def demo_shop(folder: Path, months: int) -> tuple[Path, list[Path]]:
    """A workspace of a tiny demo shop, empty, and its export files."""
    write_demo(folder / "exports", scale=0.01, months=months)
    Workspace.create(folder / "shop", **settings_for_demo())
    return folder / "shop", [f for f in sorted((folder / "exports").iterdir()) if f.name not in ("README.txt", "truth.json")]


@pytest.mark.slow
def test_every_kind_of_file_again(tmp_path: Path) -> None:
    workspace, files = demo_shop(tmp_path, 1)
    one_each = [next(f for f in files if f.name.startswith(kind)) for kind in KINDS]
    huitou("-w", workspace, "import", *one_each)
    bring_again(workspace, one_each, tmp_path / "again", ONE_OF_EACH)


@pytest.mark.slow
def test_every_file_of_the_demo_again(tmp_path: Path) -> None:
    workspace, files = demo_shop(tmp_path, 3)
    huitou("-w", workspace, "import", *files)
    assert {f.suffix for f in files if f.name.startswith("生意参谋")} == {".csv", ".xlsx"}
    bring_again(workspace, files, tmp_path / "again")


def test_equal_messages_of_one_second_are_kept_and_known(tmp_path: Path) -> None:
    at, later = "2026-05-04 10:00:00", "2026-05-04 10:00:20"
    chats = {
        "小鱼在海边": [("", at, "1"), ("", at, "1"), ("小禾", at, "1"), ("小禾", later, "在的")],
        "山里的风": [("", at, "1"), ("小禾", later, "在的"), ("小禾", later, "在的")],
    }
    workspace = shop(tmp_path, write_chats(tmp_path / "a.txt", NAME, chats))
    write_chats(tmp_path / "b.txt", NAME, dict(reversed(chats.items())))
    huitou("-w", workspace, "import", tmp_path / "b.txt")
    first, second = Workspace.open(workspace).lake.loads()
    assert (first.stored, first.known) == (7, 0)
    assert (second.stored, second.known) == (0, 7)


HELLO = "您好，欢迎光临，请问有什么可以帮您"


def greeted(buyer: int, day: int) -> list[tuple[str, str, str]]:
    """A chat that a machine answers at once and a person twenty seconds later."""
    at = f"2026-05-{day:02} 10:{buyer:02}"
    return [("", f"{at}:00", "这个包有货吗"), ("小禾", f"{at}:01", HELLO), ("小禾", f"{at}:21", "有货的")]


@pytest.mark.parametrize("order_of_files", [(0, 1), (1, 0)])
def test_a_repeated_reply_is_the_same_message_in_a_longer_export(tmp_path: Path, order_of_files: tuple[int, int]) -> None:
    """Seen twice in the short export it passes for a person's, seen four times in the long one for a machine's."""
    chats = {f"买家编号{i}": greeted(i, 4 + i) for i in range(4)}
    files = [
        write_chats(tmp_path / "short.txt", NAME, dict(list(chats.items())[:2])),
        write_chats(tmp_path / "long.txt", NAME, chats),
    ]
    workspace = shop(tmp_path, *(files[i] for i in order_of_files))
    assert sum(load.stored for load in Workspace.open(workspace).lake.loads()) == 12


STATES = {
    1: ({}, {}),
    2: ({"paid": "", "订单状态": "等待买家付款", "订单关闭原因": "订单未关闭"}, {"订单状态": "买家已付款，等待卖家发货"}),
    3: ({"订单状态": "买家已付款，等待卖家发货"}, {"订单状态": "卖家已发货，等待买家确认", "物流公司": "中通快递"}),
    4: ({"订单状态": "卖家已发货，等待买家确认"}, {"订单状态": "交易成功"}),
    5: ({}, {"refund": 30}),
    6: ({"订单状态": "买家已付款，等待卖家发货"}, {"refund": 100, "订单状态": "交易关闭", "订单关闭原因": "退款"}),
    7: (None, {}),
}  # fmt: skip
"""Order → how the early and the late export show it; the early one has no order 7 yet, the late one no order 1 any more."""


def orders_of(late: bool, numbers_: range) -> list[dict[str, object]]:
    rows = []
    for n in numbers_:
        state = STATES[n][late] or {}
        how = {k: v for k, v in state.items() if k in ("paid", "refund")}
        as_is = {k: v for k, v in state.items() if k not in how}
        rows.append(order(n, f"买家编号{n}", f"2026-05-{3 + n:02} 11:00:00", 100, **how) | as_is)
    return rows


def csv_of(file: Path, header: list[str], *rows: dict[str, object]) -> Path:
    with file.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.DictWriter(out, header, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return file


def refund(late: bool) -> dict[str, object]:
    asked = {"订单编号": "3000000000000000005", "退款编号": "9005", "退款的申请时间": "2026-05-10 09:00:00"}
    what = {"买家退款金额": "30.00", "宝贝标题": "云朗公文包", "是否需要退货": "否", "买家退款原因": "质量问题"}
    done = {"退款状态": "退款成功", "退款完结时间": "2026-05-12 10:00:00"}
    return asked | what | (done if late else {"退款状态": "买家已经申请退款，等待卖家同意"})


def review(number: int, **more: str) -> dict[str, object]:
    base = {"评论内容": f"第{number}个包很好用", "评分": "5", "日期": f"2026-05-{8 + number:02}", "SKU": "黑色"}
    return {**base, "用户昵称": f"b**{number}", "平台": "天猫", **more}


REVIEW = ["评论内容", "追加评论", "评分", "日期", "SKU", "用户昵称", "商家回复", "平台"]
TRAFFIC = ["统计日期", "访客数", "浏览量", "支付金额", "支付买家数", "支付转化率"]


def visits(day: int, visitors: int) -> dict[str, object]:
    return {"统计日期": f"2026-05-{day:02}", "访客数": visitors, "浏览量": 3 * visitors}


def exported(folder: Path, *, late: bool, whole: bool = False) -> list[Path]:
    """The shop's exports of 10 May, of 20 May for the last days only, or (`whole`) of 20 May from the beginning."""
    folder.mkdir()
    first, last = (1 if whole or not late else 2), (7 if late else 6)
    added = {"追加评论": "用了一周还是很好", "商家回复": "谢谢亲的认可"} if late else {}
    days = {d: 100 + d for d in range(4 if whole or not late else 8, (20 if late else 10))} | ({} if late else {10: 50})
    return [
        write_orders(folder / "orders.csv", orders_of(late, range(first, last + 1))),
        write_chats(folder / "chats.txt", NAME, {f"买家编号{n}": greeted(n, 3 + n) for n in range(first, last + 1)}),
        csv_of(folder / "refunds.csv", REFUND_HEADER, refund(late)),
        csv_of(folder / "reviews.csv", REVIEW, review(1, **added), review(2), *([review(3)] if late else [])),
        csv_of(folder / "traffic.csv", TRAFFIC, *(visits(d, n) for d, n in days.items())),
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """All numbers of a shop that exported everything once, at the end."""
    folder = tmp_path_factory.mktemp("whole")
    return numbers(shop(folder, *exported(folder / "x", late=True, whole=True)), "all")


@pytest.mark.slow
@pytest.mark.parametrize("late_first", [False, True])
def test_overlapping_exports_equal_one(tmp_path: Path, whole: list[dict[str, object]], late_first: bool) -> None:
    early, late = exported(tmp_path / "early", late=False), exported(tmp_path / "late", late=True)
    workspace = shop(tmp_path, *(late + early if late_first else early + late))
    assert numbers(workspace, "all") == whole
    assert sum(cell["value"] is not None for cell in whole) > 30
