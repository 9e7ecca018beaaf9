"""Killed, full, or busy: what was reported as stored is stored once, and nothing else shows."""

import multiprocessing
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from huitou.errors import DiskFull, LakeBusy
from huitou.lake import Workspace, ledger, writer
from tests.lakes import minutes, new_workspace, order, orders, put, rows

LOADS = 4
ROWS = 3000
STEPS = {
    "files are written": (writer.Writer, "store"),
    "the change is promised": (writer.Writer, "_fulfil"),
    "the tables are committed": (ledger.Ledger, "finish"),
}


def loading(folder: Path, say: Connection, dies_after: str | None = None) -> None:
    """What the killed process does: four loads, each reported when it is stored; then it stays the writer."""
    ws = Workspace.open(folder)
    if dies_after:
        setattr(*STEPS[dies_after], lambda *_: os._exit(9))
    frames = [minutes(ROWS, f"2026-05-{20 + i} 00:00:00", customer=i) for i in range(LOADS)]
    with ws.lake.write("the killed one") as lake:
        say.send("go")
        for i, frame in enumerate(frames):
            (ws.path / f"part{i}.csv").write_text(f"part {i}")
            load = lake.begin(ws.path / f"part{i}.csv", source="test.export", main="messages")
            for at in range(0, ROWS, 500):
                load.add("messages", frame.slice(at, 500))
            load.read(ROWS)
            load.commit()
            say.send("stored")
        say.send("inside")
        time.sleep(60)


def child(ws: Workspace, dies_after: str | None = None) -> tuple[ForkServerProcess, Connection]:
    """A process of its own, forked from one that has imported everything and has no threads yet."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.lakes"])
    hear, say = context.Pipe(duplex=False)
    process = context.Process(target=loading, args=(ws.path, say, dies_after), daemon=True)
    process.start()
    say.close()
    return process, hear


def heard(hear: Connection) -> list[str]:
    """All that a dead process had said."""
    said = []
    try:
        while True:
            said.append(hear.recv())
    except EOFError:
        return said


def killed(ws: Workspace, after_loads: int, after_s: float) -> int:
    """Kill -9 a loading process some time after its n-th load; how many loads it had reported as stored."""
    process, hear = child(ws)
    said = [hear.recv() for _ in range(after_loads + 1)]
    time.sleep(after_s)
    process.kill()
    process.join()
    return [*said, *heard(hear)].count("stored")


def reopen(ws: Workspace, acknowledged: int) -> None:
    """The lake must hold exactly its finished loads, and take the rest."""
    shown = len(rows(ws, "messages", "row"))
    assert shown % ROWS == 0, "half a load shows"
    assert shown >= acknowledged * ROWS
    for i in range(LOADS):
        report = put(ws, "messages", minutes(ROWS, f"2026-05-{20 + i} 00:00:00", customer=i), content=f"part {i}")
        assert report.stored == 0 or i >= acknowledged
    assert len(set(rows(ws, "messages", "row_key"))) == LOADS * ROWS == len(rows(ws, "messages", "row"))
    assert ws.lake.check() == []
    assert ws.lake.ledger.unfinished() == []
    listed = {f.path for f in ws.lake.catalog().files("messages")}
    assert {str(f.relative_to(ws.lake.root / "tables/messages")) for f in ws.lake.root.rglob("load-*.parquet")} == listed


@pytest.mark.parametrize("after_s", [0.03, *(pytest.param(s, marks=pytest.mark.slow) for s in (0.01, 0.1))])
def test_killed_while_loading(tmp_path: Path, after_s: float) -> None:
    ws = new_workspace(tmp_path)
    reopen(ws, killed(ws, 1, after_s))


@pytest.mark.slow
def test_killed_at_twenty_random_moments(tmp_path: Path) -> None:
    seed = int(os.environ.get("HUITOU_SEED", random.randrange(10**6)))
    chance, hit = random.Random(seed), 0
    for i in range(20):
        ws = Workspace.create(tmp_path / str(i), shop="青麓")
        acknowledged = killed(ws, chance.randrange(LOADS), chance.uniform(0, 0.1))
        hit += len(ws.lake.ledger.unfinished())
        reopen(ws, acknowledged)
    assert hit > 3, f"{hit} of 20 kills hit a load (seed {seed})"


@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=[pytest.mark.slow] * (step == "the tables are committed")) for step in STEPS]
)
def test_a_load_that_died_after_a_step(tmp_path: Path, step: str) -> None:
    """Undone before its promise is in the ledger, finished after it, whatever of it had been done."""
    ws = new_workspace(tmp_path)
    put(ws, "messages", minutes(10), content="a")
    process, _ = child(ws, dies_after=step)
    process.join()
    assert process.exitcode == 9
    assert len(rows(ws, "messages", "row")) == 10
    with ws.lake.write("the next one"):
        pass
    assert len(rows(ws, "messages", "row")) == (10 if step == "files are written" else 10 + ROWS)
    assert ws.lake.check() == []


@pytest.mark.slow
def test_one_writer_at_a_time(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    process, hear = child(ws)
    while hear.recv() != "inside":
        pass
    with pytest.raises(LakeBusy, match=f"the killed one.*{process.pid}"):
        ws.lake.write("second")
    process.kill()
    process.join()
    with ws.lake.write("third"), pytest.raises(LakeBusy, match="third"):
        ws.lake.write("fourth, in the same process")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder]).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.slow
def test_a_full_disk(small_disk: Path) -> None:
    """Filled more and more: each import is stored whole or refused whole; with room again it goes through."""
    ws = new_workspace(small_disk)
    put(ws, "messages", minutes(1000), content="a")
    late = minutes(ROWS, "2026-06-01 00:00:00")
    (ws.path / "b.csv").write_text("b")
    refused = 0
    for free in (0, 2**18, 8 * 2**20 - 2**16, 8 * 2**20 + 2**14, 8 * 2**20 + 2**16):
        ballast = small_disk / "filler"
        ballast.write_bytes(bytes(max(0, shutil.disk_usage(small_disk).free - free)))
        try:
            put(ws, "messages", late, content="b", name="b.csv")
        except DiskFull as error:
            refused += 1
            assert "Nothing was stored" in error.text("en")
        ballast.unlink()
        assert len(rows(ws, "messages", "row")) in (1000, 1000 + ROWS)
        assert ws.lake.check() == []
    assert refused >= 3
    put(ws, "messages", late, content="b", name="b.csv")
    assert len(rows(ws, "messages", "row")) == 1000 + ROWS


def test_changed_files_are_named(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    put(ws, "messages", minutes(100), content="a")
    put(ws, "orders", orders([order(1)]), content="b")
    (file,) = (ws.lake.root / "tables/messages").rglob("load-*.parquet")
    (other,) = (ws.lake.root / "tables/orders").rglob("load-*.parquet")
    file.write_bytes(file.read_bytes()[:-100])
    other.unlink()
    said = [fault.en for fault in ws.lake.check()]
    assert [("bytes" in s and file.name in s, "missing" in s and other.name in s) for s in said] == [(True, False), (False, True)]
