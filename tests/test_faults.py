"""Faults in the middle of an import: killed, raced, no room, a dead reader. Nothing lost, doubled or half visible."""

import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import openpyxl
import pytest

from huitou.errors import DiskFull, LakeBusy
from huitou.lake import Workspace
from huitou.sources import archive, reader, workbook
from huitou.sources.importer import import_files
from tests.exported import THREE, put, shop
from tests.exports import order, write_chats, write_orders
from tests.test_import_archives import zipped

SHOP = "青麓男包旗舰店"
ORDERS = 5
IN_ONE = 10
"""Rounds in one shop: an import, and a look at the whole of a shop, cost as much as it has loads."""


def bring(folder: Path, files: list[Path], hear: Connection) -> None:
    """What the other process does."""
    ws = Workspace.open(folder)
    hear.send("go")
    try:
        reports = import_files(ws, files)
        hear.send("refused" if any(r.refused for r in reports) else "stored")
    except LakeBusy:
        hear.send("busy")


def started(ws: Workspace, files: list[Path]) -> tuple[ForkServerProcess, Connection]:
    """An import in a process of its own, which has loaded everything and is about to begin."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.test_faults", "huitou.sources.registry", "deltalake", "ibis"])
    hear, say = context.Pipe(duplex=False)
    process = context.Process(target=bring, args=(ws.path, files, say), daemon=True)
    process.start()
    say.close()
    assert hear.recv() == "go"
    return process, hear


def pair(folder: Path, number: int) -> list[Path]:
    """Five orders and a chat, of customers and days of their own."""
    day = f"2026-05-{number % 28 + 1:02}"
    orders = [order(number * 100 + i, f"买家编号{number}", f"{day} 10:00:{i:02}", 100) for i in range(ORDERS)]
    said = [("", f"{day} 09:00:00", f"在吗{number}"), ("小禾", f"{day} 09:00:20", "在的")]
    chat = write_chats(folder / f"{number}.txt", SHOP, {f"买家编号{number}": said})
    return [write_orders(folder / f"{number}.csv", orders), chat]


def another(folder: Path, number: int) -> Workspace:
    """A new shop in a folder of its own."""
    (folder / str(number)).mkdir()
    return shop(folder / str(number))


def whole(ws: Workspace) -> dict[str, int]:
    """Of every finished load all rows are visible, of others none, nothing twice; how many rows each table shows."""
    loads = {load.number: load for load in ws.lake.loads()}
    with ws.read() as snapshot:
        shown = {name: snapshot.frame(snapshot.table(name)) for name in ("orders", "messages")}
    for name, rows in shown.items():
        assert set(rows["load"]) <= set(loads)
        assert {n: load.stored for n, load in loads.items() if load.main == name and load.stored} == dict(
            rows.group_by("load").len().iter_rows()
        )
        assert rows["row_key"].is_unique().all()
    assert all(load.balances for load in loads.values())
    customers = shown["orders"]["customer_key"].unique()
    assert all(ws.vault.recall(one, "test") for one in customers.tail(2))
    return {name: rows.height for name, rows in shown.items()}


@pytest.mark.slow
def test_killed_at_two_hundred_random_moments(tmp_path: Path) -> None:
    seed = int(os.environ.get("HUITOU_SEED", random.randrange(10**6)))
    chance, hit, took = random.Random(seed), 0, 0.3
    for number in range(200):
        done = number % IN_ONE
        if not done:
            ws = another(tmp_path, number)
        files = pair(ws.path.parent, number)
        process, hear = started(ws, files)
        began = time.monotonic()
        if hear.poll(chance.uniform(0, 1.1 * took)):
            took = 0.8 * took + 0.2 * (time.monotonic() - began)
        process.kill()
        process.join()
        hit += bool(ws.lake.ledger.unfinished())
        before = whole(ws)
        assert before["orders"] in (ORDERS * done, ORDERS * (done + 1)), seed
        assert before["messages"] in (2 * done, 2 * (done + 1)), seed
        assert not any(report.refused for report in import_files(ws, files)), seed
        if done == IN_ONE - 1:
            assert whole(ws) == {"orders": ORDERS * IN_ONE, "messages": 2 * IN_ONE}, seed
            assert ws.lake.check() == [] and ws.lake.ledger.unfinished() == []
    sys.stdout.write(f"HUITOU_SEED={seed}: {hit} of 200 kills hit an open load\n")
    assert hit > 30


@pytest.mark.slow
def test_two_imports_at_once_a_hundred_times(tmp_path: Path) -> None:
    fates = set()
    for number in range(100):
        if not number % IN_ONE:
            ws = another(tmp_path, number)
        mine, yours = pair(ws.path.parent, 2 * number), pair(ws.path.parent, 2 * number + (number % 2))
        both = [started(ws, mine), started(ws, yours)]
        said = sorted(hear.recv() for _, hear in both)
        for process, _ in both:
            process.join()
        assert said in (["busy", "stored"], ["stored", "stored"])
        fates.add(tuple(said))
        import_files(ws, [*mine, *yours])
        if number % IN_ONE == IN_ONE - 1:  # every second time the two bring the same
            assert whole(ws) == {"orders": IN_ONE * 3 // 2 * ORDERS, "messages": IN_ONE * 3}
            assert ws.lake.check() == []
    assert ("busy", "stored") in fates


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MiB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", disk], capture_output=True).returncode:
        pytest.skip("only root can mount a small disk; a full one was not tried")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def leave(disk: Path, free: int) -> Path:
    """Fill the disk up to so many free bytes."""
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - free)))
    return filler


@pytest.mark.slow
def test_no_room_at_each_mebibyte(small_disk: Path) -> None:
    ws, fates = shop(small_disk), []
    import_files(ws, [put(small_disk.parent, "first.csv", THREE)])
    for mib in range(24):
        orders = [order(1000 * mib + i, f"买家编号{i}", f"2026-05-04 10:{i % 60:02}:00", 100 + mib) for i in range(400)]
        file, filler = write_orders(small_disk.parent / f"{mib}.csv", orders), leave(small_disk, mib * 2**20)
        try:
            import_files(ws, [file])
            fates.append("stored")
        except DiskFull as full:
            assert "Nothing was stored" in full.text("en")
            fates.append("full")
        filler.unlink()
        assert whole(ws)["orders"] in (3 + 400 * mib, 3 + 400 * (mib + 1)) and ws.lake.check() == []
        import_files(ws, [file])
        assert whole(ws)["orders"] == 3 + 400 * (mib + 1)
    sys.stdout.write(f"{fates}\n")
    assert {"full", "stored"} == set(fates)


@pytest.mark.slow
def test_no_room_for_what_is_unpacked(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workbook's rows wait in the system's temporary folder, an archive's files in the lake's."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    chance = random.Random(1)
    for line in THREE.splitlines()[:1] + [",".join(str(chance.random()) for _ in range(19)) for _ in range(4_000)]:
        sheet.append(line.split(","))
    book.save(tmp_path / "o.xlsx")
    leave(small_disk, 2**18)
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    with pytest.raises(DiskFull):
        import_files(shop(tmp_path), [tmp_path / "o.xlsx"])
    (small_disk / "filler").unlink()
    ws = shop(small_disk)
    noise = "".join(chr(chance.randrange(33, 126)) for _ in range(3 * 2**20))
    leave(small_disk, 9 * 2**20)
    with pytest.raises(DiskFull):
        import_files(ws, [zipped(tmp_path / "a.zip", {"a.csv": THREE, "b.txt": noise})])
    assert not list((ws.lake.root / "_scratch").iterdir()) and ws.lake.check() == []


DYING = {
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "aborts": "import os; os.abort()",
    "talks nonsense": "print('[1, 2')",
    "floods": "import sys; [sys.stderr.write('x' * 10**6) for _ in range(2000)]",
    "hangs": "import time; time.sleep(600)",
}


@pytest.mark.parametrize("how", [pytest.param(how, marks=[pytest.mark.slow] * (how != "killed")) for how in DYING])
def test_a_reader_that_dies_costs_only_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    for module in (archive, reader):
        monkeypatch.setattr(module, "_CHILD", put(tmp_path, "child.py", DYING[how]))
        monkeypatch.setattr(module, "WALL_S", 1.0)
    files = [zipped(tmp_path / "a.zip", {"a.csv": THREE}), put(tmp_path, "o.csv", THREE)]
    first, second = import_files(ws := shop(tmp_path), files)
    assert first.refused is not None and "too much memory or time" in first.refused.text("en")
    assert second.load is not None and second.load.stored == 3 and len(ws.lake.loads()) == 1
    with pytest.raises(Exception, match="2 GiB of memory or too long"):
        workbook.read_book(files[0])
