"""A watched folder and the door for programs: everything once, whatever comes in between."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huitou.errors import HuitouError, LakeBusy, UnknownName
from huitou.lake import Workspace
from huitou.lake.vault import Vault
from huitou.sources.append import append_messages
from huitou.sources.importer import ImportReport
from huitou.sources.watch import Watch, unfinished
from tests.exported import THREE, put, table
from tests.exported import shop as fresh
from tests.front import huitou

SAID = {"buyer": "小鱼在海边", "time": "2025-03-01T10:00:00+08:00", "text": "在吗，我电话13800000001", "role": "customer"}
REPLY = {"buyer": "小鱼在海边", "time": 1_740_794_430, "text": "在的", "role": "agent", "account": "小禾"}


def until_settled(watched: Watch) -> list[ImportReport]:
    found = []
    for _ in range(200):
        found += watched.look()
        if watched.settled:
            return found
        time.sleep(0.01)
    raise AssertionError("never settled")


def watched(folder: Path, **more: object) -> Watch:
    ws = fresh(folder)
    (folder / "in").mkdir()
    return Watch(ws, folder / "in", still_s=0.0, **more)  # type: ignore[arg-type]


def test_a_folder_is_imported_once_and_a_bad_file_does_not_stop_it(tmp_path: Path) -> None:
    w = watched(tmp_path)
    put(w.folder, "a.csv", "nothing that is known")
    put(w.folder, "b.csv", THREE)
    put(w.folder, "notes.pdf", "x")
    assert [(r.name, r.refused is None) for r in until_settled(w)] == [("a.csv", False), ("b.csv", True)]
    put(w.folder, "copy of b.csv", THREE)
    assert until_settled(w) == [] and table(w.ws, "orders").height == 3 and len(w.ws.lake.loads()) == 1
    again = Watch(w.ws, w.folder, still_s=0.0)  # after a restart only the bad one is told again
    assert [r.name for r in until_settled(again)] == ["a.csv"]


def test_a_file_is_left_alone_while_it_grows_and_until_it_has_its_name(tmp_path: Path) -> None:
    w = watched(tmp_path)
    w.still_s = 0.05
    file = put(w.folder, "orders.csv.crdownload", THREE[:300]).rename(w.folder / "orders.csv")
    assert list(w.look()) == []
    time.sleep(0.06)
    with file.open("a", encoding="utf-8") as out:
        out.write(THREE[300:])
    assert list(w.look()) == []  # it has changed: the wait begins anew
    (report,) = until_settled(w)
    assert report.rows == 3 and report.load is not None and report.load.stored == 3


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv.crdownload", True), ("a.csv.part", True), ("~$a.xlsx", True), (".a.csv", True), ("a.TMP", True),
     ("Unconfirmed 1.crdownload", True), ("a.csv", False), ("部分.csv", False), ("part.csv", False)],
)  # fmt: skip
def test_unfinished_downloads_are_known_by_name(name: str, expected: bool) -> None:
    assert unfinished(name) is expected


def test_a_busy_lake_is_waited_for_and_told_once(tmp_path: Path) -> None:
    told: list[LakeBusy] = []
    w = watched(tmp_path, busy=told.append)
    put(w.folder, "a.csv", THREE)
    with w.ws.lake.write("another import"):
        for _ in range(3):
            assert list(w.look()) == []
        assert not w.settled
    assert len(until_settled(w)) == 1 and len(told) == 1


def test_a_folder_that_goes_away_comes_back(tmp_path: Path) -> None:
    w = watched(tmp_path)
    w.folder.rmdir()
    assert list(w.look()) == []
    w.folder.mkdir()
    put(w.folder, "a.csv", THREE)
    assert len(until_settled(w)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_a_line_a_file_and_stops_cleanly(tmp_path: Path, stop: signal.Signals) -> None:
    ws = fresh(tmp_path)
    (tmp_path / "in").mkdir()
    command = [str(Path(sys.executable).with_name("huitou")), "-w", str(ws.path), "watch", str(tmp_path / "in"), "--still", "0.2"]
    env = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--every", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None and process.stdout.readline()
        put(tmp_path / "in", "a.csv", THREE)
        line = process.stdout.readline()
        process.send_signal(stop)
        rest, errors = process.communicate(timeout=30)
    assert line.startswith("✓ a.csv") and re.search(r"导入 1 个文件，存入 3 行", rest)
    assert (process.returncode, errors) == (0, "") and ws.lake.check() == []


def test_watch_once_from_the_command_line(tmp_path: Path) -> None:
    ws = fresh(tmp_path)
    put(tmp_path, "a.csv", THREE)
    shown = huitou("--lang", "en", "-w", ws.path, "watch", tmp_path, "--once", "--still", "0", "--every", "0.1").stdout
    assert "✓ a.csv · tmall.orders: 3 rows = 3 stored + 0 known + 0 set aside" in shown
    assert huitou("-w", ws.path, "watch", tmp_path / "nowhere", ok=False).exit_code == 1


def test_a_batch_of_messages_is_masked_stored_and_answered_the_same_again(tmp_path: Path) -> None:
    ws = fresh(tmp_path)
    first = append_messages(ws, [SAID, REPLY, {**SAID, "time": "yesterday"}], key="batch-1")
    assert first.load is not None and (first.load.stored, first.load.quarantined, first.load.balances) == (2, 1, True)
    assert [(p.row, p.column) for p in ws.lake.problems(first.load.number)] == [(3, "time")]
    assert append_messages(ws, [SAID, REPLY, {**SAID, "time": "yesterday"}], key="batch-1").load == first.load
    stored = table(ws, "messages").sort("sent_at")
    assert stored["text"].to_list() == ["在吗，我电话〔手机〕", "在的"] and stored["kind"].to_list() == ["customer", "agent"]
    assert ws.people().token("小鱼在海边") == stored["customer_key"][0] and len(ws.lake.loads()) == 1
    assert Vault(ws.path / "vault").recall(stored["customer_key"][0], "test") == {"nick": "小鱼在海边"}


def test_a_batch_that_cannot_be_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    ws = fresh(tmp_path)
    append_messages(ws, [SAID], key="k1")
    for messages, key in (([REPLY], "k1"), ([], "k2"), ([SAID], "../k3"), ([{**SAID, "text": ["a"]}], "k4")):
        with pytest.raises(HuitouError):
            append_messages(ws, messages, key=key)  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="text"):
        append_messages(ws, [{"txt": "x"}], key="k5")
    with ws.lake.write("another"), pytest.raises(LakeBusy):
        append_messages(ws, [REPLY], key="k6")
    assert table(ws, "messages").height == 1 and not list((ws.path / "vault").glob("batch-*"))


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=8), min_size=1, max_size=5))
def test_overlapping_batches_store_every_message_once(batches: list[list[int]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        ws: Workspace = fresh(Path(folder))
        for at, numbers in enumerate(batches):
            said = [{**SAID, "text": f"第{n}句", "time": 1_740_794_400 + n} for n in sorted(set(numbers))]
            for _ in range(2):
                append_messages(ws, said, key=f"b{at}")
        assert table(ws, "messages").height == len({n for numbers in batches for n in numbers})
        assert all(load.balances for load in ws.lake.loads())
