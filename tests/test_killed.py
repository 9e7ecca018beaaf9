"""Killed in the middle, or started twice: whole files or none, and in the end exactly what an undisturbed run stores."""

import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from huitou.demo import settings_for_demo, write_demo
from huitou.lake import Workspace
from huitou.lake.delta import SUPERSEDED
from huitou.tables import TABLES
from tests.front import huitou, numbers

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")]

WANTED = ("ExportOrderList", "旺旺聊天记录_小", "旺旺聊天记录_可可", "即时消息_", "商品评价_", "生意参谋_")
KILLS = 20
COMMAND = (sys.executable, "-c", "from huitou.cli import main; main()")


def start(*args: object) -> subprocess.Popen[str]:
    """`huitou …` as a process of its own."""
    env = {**os.environ, "HUITOU_LANG": "en"}
    return subprocess.Popen(
        [*COMMAND, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, encoding="utf-8"
    )


def cpu_seconds(process: subprocess.Popen[str]) -> float:
    """What it has worked so far: unlike the clock, it does not depend on what else the machine does."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def work_of(*args: object) -> float:
    """CPU seconds that the command takes, undisturbed."""
    process, spent = start(*args), 0.0
    while process.poll() is None:
        spent = max(spent, cpu_seconds(process))
        time.sleep(0.002)
    assert process.returncode == 0, process.communicate()[0]
    return spent


def kill_after(work: float, *args: object) -> int:
    """Kill -9 the command after some work; its exit code (0: it had finished before)."""
    process = start(*args)
    while process.poll() is None and cpu_seconds(process) < work:
        time.sleep(0.002)
    process.kill()
    process.communicate()
    return process.returncode


def moments(normal: float, n: int = KILLS) -> Iterator[float]:
    """Random moments from 0 to 110 % of a normal run, spread evenly."""
    seed = int(os.environ.get("HUITOU_SEED", random.randrange(10**6)))
    sys.stdout.write(f"HUITOU_SEED={seed}, a normal run takes {normal:.2f} s of work\n")
    chance = random.Random(seed)
    yield from ((i + chance.random()) / n * 1.1 * normal for i in range(n))


def frames(ws: Workspace, *, facts: bool) -> dict[str, pl.DataFrame]:
    """The tables that were imported, or the facts, without what says when it was brought."""
    with ws.read() as snapshot:
        rows = {name: snapshot.frame(snapshot.table(name)) for name, table in TABLES.items() if table.fact == facts}
    return {name: of.select(pl.exclude("load")).sort(pl.all(), nulls_last=True) for name, of in rows.items()}


def same(ours: dict[str, pl.DataFrame], theirs: dict[str, pl.DataFrame]) -> bool:
    return ours.keys() == theirs.keys() and all(ours[name].equals(theirs[name]) for name in ours)


@dataclass(frozen=True)
class Shop:
    """A shop after an undisturbed run: what every disturbed one must equal in the end."""

    template: Path
    files: tuple[Path, ...]
    done: Path
    numbers: list[dict[str, Any]]

    def copy(self, folder: Path, *, built: bool = False) -> Path:
        """The empty (or the finished) shop, with the same keys."""
        return Path(shutil.copytree(self.done if built else self.template, folder))

    def rows_of(self) -> dict[str, int]:
        """File → its rows."""
        return {load.file: load.rows_read for load in Workspace.open(self.done).lake.loads()}

    @cached_property
    def imported(self) -> dict[str, pl.DataFrame]:
        """Its canonical tables."""
        return frames(Workspace.open(self.done), facts=False)

    @cached_property
    def facts(self) -> dict[str, pl.DataFrame]:
        """Its fact tables."""
        return frames(Workspace.open(self.done), facts=True)

    def equals(self, workspace: Path, *, built: bool = True) -> None:
        """All rows are those of the undisturbed shop, and nothing lies about; `built`: facts and numbers, too."""
        assert not built or numbers(workspace, "all") == self.numbers
        ours = Workspace.open(workspace)
        assert same(frames(ours, facts=False), self.imported)
        assert not built or same(frames(ours, facts=True), self.facts)
        sound(ours)
        tidy(ours)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("undisturbed")
    write_demo(folder / "exports", scale=0.05, months=1)
    files = tuple(f for f in sorted((folder / "exports").iterdir()) if f.name.startswith(WANTED))
    assert len(files) >= 8
    Workspace.create(folder / "empty", **settings_for_demo())
    shutil.copytree(folder / "empty", folder / "done")
    huitou("-w", folder / "done", "import", *files)
    return Shop(folder / "empty", files, folder / "done", numbers(folder / "done", "all"))


def sound(ws: Workspace) -> None:
    assert "sound" in huitou("--lang", "en", "-w", ws.path, "doctor").output


def whole_files_only(ws: Workspace, rows_of: dict[str, int]) -> int:
    """What readers see right now: every file wholly in or not at all, its people too; how many are in."""
    loads = ws.lake.loads()
    with ws.read() as snapshot:
        shown = {name: snapshot.frame(snapshot.table(name)) for name, table in TABLES.items() if not table.fact}
    for load in loads:
        assert load.rows_read == rows_of[load.file] == load.stored + load.known + load.quarantined
        assert shown[load.main].filter(pl.col("load") == load.number).height == load.stored
    for rows in shown.values():
        assert set(rows["load"]) <= {load.number for load in loads}
        assert rows["row_key"].is_unique().all()
    for customer in shown["orders"]["customer_key"].drop_nulls().unique().head(5):
        assert ws.vault.recall(customer, "test")
    return len(loads)


def tidy(ws: Workspace) -> None:
    """Under lake/ lies what the finished imports and builds list, and nothing else."""
    catalog, root = ws.lake.catalog(ws.settings.rules), ws.lake.root
    listed = {p for name, table in TABLES.items() if not table.fact for p in catalog.paths(name)}
    listed |= {p for name in SUPERSEDED for p in catalog.superseded_paths(name)}
    there = {str(p) for folder in ("tables", "superseded") for p in (root / folder).rglob("month=*/*")}
    assert there == listed
    facts = [p for name, table in TABLES.items() if table.fact for p in catalog.paths(name)]
    assert all(Path(p).is_file() for p in facts)
    built = {int(re.findall(r"build-(\d+)-", p.name)[0]) for p in (root / "facts").rglob("month=*/*")}
    finished = {n for (n,) in ws.lake.ledger._db.execute("SELECT number FROM builds WHERE state = 'done'")}
    assert built <= finished
    assert ws.lake.ledger.unfinished() == []
    assert not (root / "_staging").exists()
    assert [*(root / "_scratch").iterdir()] == []
    rest = {p.name for p in root.iterdir()} - {"_scratch", "tables", "superseded", "facts"}
    assert rest <= {"ledger.db", "ledger.db-wal", "ledger.db-shm", "writer.lock"}
    logs = {p.name for log in root.rglob("_delta_log") for p in log.iterdir()}
    assert all(re.fullmatch(r"\d{20}\.json", name) for name in logs)


def test_killed_while_importing(tmp_path: Path, undisturbed: Shop) -> None:
    rows_of, inside, seen = undisturbed.rows_of(), 0, []
    for i, moment in enumerate(moments(work_of("-w", undisturbed.copy(tmp_path / "timed"), "import", *undisturbed.files))):
        ws = Workspace.open(undisturbed.copy(tmp_path / str(i)))
        code = kill_after(moment, "-w", ws.path, "import", *undisturbed.files)
        sound(ws)
        seen.append(whole_files_only(ws, rows_of))
        inside += bool(ws.lake.ledger.unfinished())
        assert seen[-1] == len(rows_of) or code != 0
        process = start("-w", ws.path, "import", *undisturbed.files)
        said, _ = process.communicate()
        assert process.returncode == 0, said
        undisturbed.equals(ws.path, built=i % 5 == 4)  # what facts and numbers are made of is compared each time
    sys.stdout.write(f"{inside} kills hit an open import; files seen in: {seen}\n")
    assert inside and len(set(seen)) > 3
    assert seen[-1] >= seen[0]


def test_killed_while_building(tmp_path: Path, undisturbed: Shop) -> None:
    first, *others = undisturbed.files

    def unbuilt(name: str) -> Path:
        """The first file imported and built, then the others: some months are built again."""
        workspace = undisturbed.copy(tmp_path / name)
        huitou("-w", workspace, "import", first)
        huitou("-w", workspace, "build")
        huitou("-w", workspace, "import", *others)
        return workspace

    base, states = unbuilt("base"), set()
    before = frames(Workspace.open(base), facts=True)
    normal = work_of("-w", shutil.copytree(base, tmp_path / "timed"), "build")
    for i, moment in enumerate(moments(normal, 8)):
        ws = Workspace.open(shutil.copytree(base, tmp_path / str(i)))
        kill_after(moment, "-w", ws.path, "build")
        sound(ws)
        now = frames(ws, facts=True)
        states.add(old := same(now, before))
        assert old or same(now, undisturbed.facts)
        huitou("-w", ws.path, "build")
        undisturbed.equals(ws.path)
    sys.stdout.write(f"facts seen after a kill: {states} (True: those of the build before)\n")
    assert True in states


def test_two_imports_at_once(tmp_path: Path, undisturbed: Shop) -> None:
    for i in range(4):
        workspace = undisturbed.copy(tmp_path / str(i))
        both = [start("-w", workspace, "import", *undisturbed.files) for _ in range(2)]
        said = [process.communicate()[0] for process in both]
        assert sorted(process.returncode for process in both) == [0, 1], said
        second = both.index(next(process for process in both if process.returncode))
        assert f"process {both[1 - second].pid} on" in said[second]
        assert "Wait until it has finished" in said[second]
        assert whole_files_only(Workspace.open(workspace), undisturbed.rows_of()) == len(undisturbed.files)
        undisturbed.equals(workspace, built=i == 3)
