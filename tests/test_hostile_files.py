"""Hostile files through the front door: refused with a sentence or bounded; the program lives, its memory stays small."""

import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from huitou.lake import Workspace
from tests.exported import ORDERS, THREE, put, shop, table
from tests.exports import write_chats
from tests.hostile import LINES, ODD, SMALL, directory, large

HUITOU = Path(sys.executable).with_name("huitou")
MEMORY = 2**30
FAST = ("far-cell.xlsx", "claims.zip", "quote.csv")


def watched(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process; the most bytes it held. What `wait4` says is never below what the parent held at the fork."""
    peak = 0
    while process.poll() is None:
        with suppress(OSError):
            said = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
            peak = int(said[1]) * 1024 if said else peak
        time.sleep(0.01)
    return peak


def brought(ws: Workspace, *files: Path, code: int) -> str:
    """What `huitou import` says, as a process of its own whose own memory is watched; a good file beside them comes in."""
    good = put(ws.path.parent, "good.csv", THREE)
    words = [str(HUITOU), "--lang", "en", "-w", str(ws.path), "import", *map(str, files), str(good)]
    began = time.monotonic()
    with (ws.path.parent / "said").open("w+") as said:
        process = subprocess.Popen(words, stdout=said, stderr=subprocess.STDOUT)
        peak = watched(process)
        said.seek(0)
        text = said.read()
    assert process.returncode == code, text
    assert "Traceback" not in text and "itself failed" not in text, text
    assert 0 < peak < MEMORY, f"{peak / 2**30:.2f} GiB"
    assert time.monotonic() - began < 300
    assert ws.lake.loads()[-1].file == "good.csv"
    assert ws.lake.check() == [] and all(load.balances for load in ws.lake.loads())
    assert not list((ws.lake.root / "_scratch").iterdir())
    return text


def refused(folder: Path, names: tuple[str, ...]) -> None:
    ws = shop(folder)
    files = [put(folder, name, SMALL[name][0]()) for name in names]
    text = brought(ws, *files, code=3)
    for name in names:
        line = next((one for one in text.splitlines() if one.startswith(f"✗ {name}")), f"nothing about {name}")
        assert any(words in line for words in SMALL[name][1].split("|")), line
    assert [load.file for load in ws.lake.loads()] == ["good.csv"]


def test_the_worst_are_refused_with_a_sentence(tmp_path: Path) -> None:
    refused(tmp_path, FAST)


@pytest.mark.slow
def test_all_are_refused_with_a_sentence(tmp_path: Path) -> None:
    refused(tmp_path, tuple(SMALL))


@pytest.mark.parametrize("name", ODD)
def test_odd_cells_are_only_themselves(tmp_path: Path, name: str) -> None:
    from huitou.sources.importer import import_files

    text, problems = ODD[name]
    (report,) = import_files(ws := shop(tmp_path), [put(tmp_path, name, text())])
    assert report.refused is None and report.problems == problems, report
    assert len(table(ws, "orders")) == report.rows - sum(problems.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "begins", "again", "says"),
    [
        ("line.csv", THREE.encode(), b"x", "never closed"),
        ("cell.csv", THREE.encode() + b'"', b"x\n", "never closed"),
        ("line.jsonl", (LINES * 9).encode() + b'{"id": 2, "text": "', b"x", "no source"),
        ("line.txt", b"", b"x", "first line"),
        ("zeros.csv", THREE.encode(), b"\0", "not text"),
        ("commas.csv", THREE.encode(), b",", "never closed"),
    ],
)
def test_a_line_of_a_gibibyte(tmp_path: Path, name: str, begins: bytes, again: bytes, says: str) -> None:
    text = brought(shop(tmp_path), large(tmp_path, name, begins, again, 1024), code=3)
    assert says in text.splitlines()[0], text


@pytest.mark.slow
def test_a_chat_that_never_ends_a_line(tmp_path: Path) -> None:
    talk = write_chats(tmp_path / "t.txt", "青麓男包旗舰店", {"买家编号1": [("", "2026-05-04 10:00:00", "在吗")]}, "utf-8")
    text = brought(shop(tmp_path), large(tmp_path, "endless.txt", talk.read_bytes(), b"x", 400), code=3)
    assert "no chat message any more" in text


@pytest.mark.slow
def test_a_million_files_in_one_archive(tmp_path: Path) -> None:
    path = put(tmp_path, "many.zip", directory(1_000_000, 100))
    assert "far more" in brought(shop(tmp_path), path, code=3)


@pytest.mark.slow
def test_a_million_orders_of_one_customer_and_a_long_blank(tmp_path: Path) -> None:
    row = THREE.split("\n")[1]
    text = f"{ORDERS}\n" + "".join(f"{row.replace('0101', f'{i:07}')}\n" for i in range(100_000)) + "\n" * 5_000_000
    path = put(tmp_path, "long.csv", text)
    assert "100,000 rows" in brought(shop(tmp_path), path, code=0)
