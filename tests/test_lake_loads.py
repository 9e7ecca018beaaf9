"""Every row of a file is accounted for, once, whatever is loaded in whatever order."""

import random
from pathlib import Path

import polars as pl
import pytest

from huitou.errors import Problem
from tests.lakes import count, messages, minutes, new_workspace, order, orders, put, rows

BAD = Problem("export.csv", 9, "发送时间", "time", "the time cannot be read", "Export it again.")


def test_the_ledger_balances(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    report = put(ws, "messages", minutes(10), content="a", problems=(BAD,))
    assert (report.rows_read, report.stored, report.known, report.quarantined) == (11, 10, 0, 1)
    assert ws.lake.loads() == [report]
    assert ws.lake.problems() == [BAD] == ws.lake.problems(report.number)
    assert len(rows(ws, "messages", "row")) == 10
    assert ws.lake.check() == []


def test_a_source_that_loses_a_row_is_refused(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    (tmp_path / "f.csv").write_text("a")
    with ws.lake.write("test") as writer:
        load = writer.begin(tmp_path / "f.csv", source="test.export", main="messages")
        load.add("messages", minutes(3))
        load.read(4)
        with pytest.raises(ValueError, match="read 4 rows, but 3 rows"):
            load.commit()
    assert ws.lake.loads() == []
    assert rows(ws, "messages", "row") == []


def test_same_bytes_add_nothing(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    first = put(ws, "messages", minutes(10), content="a", problems=(BAD,))
    again = put(ws, "messages", minutes(10), content="a", name="renamed.csv")
    assert (again.rows_read, again.stored, again.known, again.quarantined) == (11, 0, 10, 1)
    assert again.repeats_of == first.number
    assert again.balances
    assert ws.lake.problems(again.number) == [BAD]
    assert len(rows(ws, "messages", "row")) == 10


def test_resorted_rows_add_nothing(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    put(ws, "messages", minutes(50), content="a")
    again = put(ws, "messages", minutes(50).sample(fraction=1, shuffle=True, seed=3), content="b")
    assert (again.stored, again.known, again.repeats_of) == (0, 50, None)


def test_overlapping_exports_count_once(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    put(ws, "messages", minutes(3000).head(2000), content="a")  # 3,000 minutes end on 3 May
    report = put(ws, "messages", minutes(3000).tail(1500), content="b")
    assert (report.stored, report.known) == (1000, 500)
    assert len(set(rows(ws, "messages", "row_key"))) == 3000


def test_the_same_words_twice_are_two_messages(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    said = ((1, "2026-05-01 10:00:00", "1"), (1, "2026-05-01 10:00:00", "1"))
    assert put(ws, "messages", messages(*said), content="a").stored == 2
    third = put(ws, "messages", messages(*said, said[0]), content="b")
    assert (third.stored, third.known) == (1, 2)
    assert len(set(rows(ws, "messages", "row_key"))) == 3


def test_the_same_order_line_twice_is_a_mistake(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    report = put(ws, "orders", orders([order(1), order(1), order(2)]), content="a")
    assert (report.rows_read, report.stored, report.known) == (3, 2, 1)


def test_months_are_partitions(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    put(ws, "messages", messages((1, "2026-04-30 23:59:59", "夜"), (1, "2026-05-01 00:00:00", "晨")), content="a")
    with ws.read() as snapshot:
        assert snapshot.months("messages") == ["2026-04", "2026-05"]
        may = snapshot.table("messages", ["2026-05"])
        assert snapshot.frame(may.select("text", "month")).rows() == [("晨", "2026-05")]
        assert not snapshot.has("orders")
        assert count(snapshot, "orders") == 0


def test_a_reader_is_pinned(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    put(ws, "messages", minutes(5), content="a")
    with ws.read() as before:
        put(ws, "messages", minutes(9), content="b")
        assert count(before, "messages") == 5
        with ws.read() as after:
            assert count(after, "messages") == 9
            assert after.version > before.version


def test_an_error_leaves_the_lake_as_it_was(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    put(ws, "messages", minutes(5), content="a")
    files = sorted(ws.lake.root.rglob("*.parquet"))
    (tmp_path / "f.csv").write_text("b")
    many = pl.concat([minutes(1000)] * 30)
    with pytest.raises(KeyError), ws.lake.write("test") as writer:
        load = writer.begin(tmp_path / "f.csv", source="test.export", main="messages")
        for _ in range(10):
            load.add("messages", many)
        raise KeyError("the source broke")
    assert sorted(ws.lake.root.rglob("*.parquet")) == files
    assert len(ws.lake.loads()) == 1
    assert len(rows(ws, "messages", "row")) == 5


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (minutes(2).drop("text"), "text is missing"),
        (minutes(2).with_columns(chars=pl.lit("2")), "chars is String"),
        (minutes(2).with_columns(kind=pl.lit(None, pl.String)), "kind has 2 empty"),
        (minutes(2).with_columns(nick=pl.lit("小明")), "no column"),
    ],
)
def test_a_wrong_frame_is_refused(tmp_path: Path, frame: pl.DataFrame, says: str) -> None:
    ws = new_workspace(tmp_path)
    with pytest.raises(ValueError, match=says):
        put(ws, "messages", frame, content="a")
    assert ws.lake.loads() == []


def test_keys_do_not_depend_on_batches(tmp_path: Path) -> None:
    frame, keys = minutes(40), []
    for name, cuts in (("one", [40]), ("many", [*sorted(random.Random(5).sample(range(1, 40), 6)), 40])):
        (tmp_path / name).mkdir()
        ws = new_workspace(tmp_path / name)
        (ws.path / "f").write_text("a")
        with ws.lake.write("test") as writer:
            load = writer.begin(ws.path / "f", source="test.export", main="messages")
            for start, end in zip([0, *cuts], cuts, strict=False):
                load.add("messages", frame.slice(start, end - start))
            load.read(40)
            load.commit()
        keys.append(rows(ws, "messages", "row_key"))
    assert keys[0] == keys[1]
