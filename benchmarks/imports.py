"""How fast files come in, and how much memory that takes, beside pandas that only parses the same file.

Run: python -m benchmarks.imports [--rows 1_000_000] [--times-longer 10] [--days-on 10_000_000] [--overlap 30_000_000] [--only orders]

Writes invented export files, imports each with the command line in a process of its own into a fresh workspace (reading,
cleaning, tokens, masking, de-duplication, encryption, commit with fsync), then the same file `--times-longer` as long for
the memory. Then a day of chats is imported on top of a lake of `--days-on` messages (0: not) and into an empty one. Last, a
tenth of `--overlap` stored messages (0: not) is exported again in another encoding and imported: every row is known.

This process loads nothing large: the peak that the system reports of a child is never below what its parent had.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SHOP = "青麓男包旗舰店"
MAPPING = """table = "messages"
[columns]
session = "session_id"
buyer = "buyer_nick"
account = "agent"
role = "role"
time = "sent_at"
text = "content"
[values.role]
"buyer" = "customer"
"seller" = "agent"
"""
READS = {
    "csv": "pandas.read_csv({0!r}, encoding={1!r}, dtype=str)",
    "jsonl": "pandas.read_json({0!r}, lines=True, dtype=str)",
    "xlsx": "pandas.read_excel({0!r}, dtype=str)",
}
SHEET_ROWS = 200_000  # of a workbook, which holds a million at most, and pandas takes minutes for them


@dataclass(frozen=True)
class Kind:
    """A kind of file: what writes it, its encoding and ending; `mapped`: it needs a mapping of its columns."""

    name: str
    writer: str
    encoding: str
    ending: str
    mapped: bool = False


KINDS = (
    Kind("orders CSV, UTF-8", "orders", "utf-8", "csv"), Kind("orders CSV, GBK", "orders", "gb18030", "csv"),
    Kind("chats TXT, UTF-8", "chats", "utf-8", "txt"), Kind("chats TXT, GBK", "chats", "gb18030", "txt"),
    Kind("chats CSV, UTF-8", "chat_table", "utf-8", "csv", mapped=True),
    Kind("chats CSV, GBK", "chat_table", "gb18030", "csv", mapped=True),
    Kind("chats JSONL", "chat_lines", "utf-8", "jsonl", mapped=True),
    Kind("chats XLSX", "chat_table", "utf-8", "xlsx", mapped=True), Kind("orders XLSX", "orders", "utf-8", "xlsx"),
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What a process took."""

    seconds: float
    cpu_s: float
    peak_gib: float


def run(*command: object) -> Run:
    """Run a command to its end; one that fails ends the benchmark."""
    began = time.perf_counter()
    # as an installed command: its modules are compiled once, not by each run
    installed = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, env=installed)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(map(str, command))} failed with status {status}")
    return Run(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20)


def huitou(*args: object) -> Run:
    """Run the command line."""
    return run(Path(sys.executable).with_name("huitou"), *args)


def written(kind: Kind, file: Path, rows: int, *more: object) -> Path:
    """An invented file of a kind."""
    run(sys.executable, "-m", "benchmarks.exports", kind.writer, file, rows, kind.encoding, *more)
    return file


def imported(folder: Path, file: Path, *, mapped: bool = False, into: Path | None = None) -> Run:
    """Import into a fresh workspace, or into one that is there."""
    workspace = into or folder / f"ws-{file.stem}-{time.monotonic_ns()}"
    if into is None:
        huitou("init", workspace, "--shop", SHOP)
    mapping = folder / "mapping.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    return huitou("-w", workspace, "import", file, *(("--mapping", mapping) if mapped else ()))


def files(folder: Path, asked: int, times: int, only: str, tries: int) -> None:
    """Rates and memory by kind of file, the quickest of some tries: whatever else the machine does can only add to it."""
    long = f"×{times}"
    print(
        f"{'file':<20}{'rows':>11}{'seconds':>9}{'CPU s':>7}{'rows/s':>10}{'peak GiB':>10}"
        f"{long + ' s':>8}{long + ' GiB':>8}{'pandas s':>10}"
    )
    for kind in (k for k in KINDS if k.name.startswith(only)):
        book = kind.ending == "xlsx"
        rows, longer = (min(SHEET_ROWS, asked), 1) if book else (asked, times)
        file = written(kind, folder / f"{kind.writer}-{kind.encoding}.{kind.ending}", rows)
        short = min((imported(folder, file, mapped=kind.mapped) for _ in range(tries)), key=lambda one: one.seconds)
        read = READS.get(kind.ending)
        beside = "–"
        if read:
            beside = f"{run(sys.executable, '-c', 'import pandas; ' + read.format(str(file), kind.encoding)).seconds:.1f}"
        takes = peak = "–"
        if longer > 1:
            of_long = imported(folder, written(kind, file, rows * longer), mapped=kind.mapped)
            takes, peak = f"{of_long.seconds:.1f}", f"{of_long.peak_gib:.2f}"
        print(
            f"{kind.name:<20}{rows:>11,}{short.seconds:>9.1f}{short.cpu_s:>7.1f}{rows / short.seconds:>10,.0f}{short.peak_gib:>10.2f}"
            f"{takes:>8}{peak:>8}{beside:>10}",
            flush=True,
        )
        file.unlink()


def second_day(folder: Path, stored: int, rows: int = 100_000) -> None:
    """The same day of chats into an empty lake and on top of a long history."""
    full = folder / "full"
    fill = f"from pathlib import Path; from benchmarks.facts import fill; fill(Path({str(full)!r}), {stored})"
    run(sys.executable, "-c", fill)
    took: list[float] = []
    for into in (None, full):
        file = written(KINDS[2], folder / f"day-{len(took)}.txt", rows, "--first-day", 20_900)
        took.append(imported(folder, file, into=into).seconds)
    empty, on_top = took
    print(f"a day of {rows:,} messages: {empty:.1f} s into an empty lake, {on_top:.1f} s on {stored:,} ({on_top / empty:.2f}×)")


def overlap(folder: Path, stored: int) -> None:
    """An export of messages that are all known, against a lake in which ten times as many stand in the same days."""
    rows, full = stored // 10, folder / "overlap"
    huitou("init", full, "--shop", SHOP)
    for part in range(10):
        file = written(KINDS[2], folder / f"part-{part}.txt", rows, "--days", 30, "--first", part * rows // 12)
        imported(folder, file, into=full)
        file.unlink()
    again = written(KINDS[3], folder / "again.txt", rows, "--days", 30, "--first", 9 * rows // 12)
    known, fresh = imported(folder, again, into=full), imported(folder, again)
    print(
        f"{rows:,} messages, all known, on {stored:,} in the same 30 days: {known.seconds:.1f} s, {known.peak_gib:.2f} GiB;"
        f" into an empty lake: {fresh.seconds:.1f} s"
    )


def main() -> None:
    """Everything, one after the other."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--rows", type=int, default=1_000_000)
    words.add_argument("--times-longer", type=int, default=10, help="1: no long files")
    words.add_argument("--tries", type=int, default=3, help="of which the quickest counts")
    words.add_argument("--days-on", type=int, default=10_000_000)
    words.add_argument("--overlap", type=int, default=30_000_000)
    words.add_argument("--only", default="", help="what the kind of file begins with: orders, chats, «chats TXT»")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="huitou-bench-") as scratch:
        help_s = sorted(huitou("--help").seconds for _ in range(5))[2]
        print(f"huitou --help: {help_s:.2f} s (median of 5)")
        files(Path(scratch), asked.rows, asked.times_longer, asked.only, asked.tries)
        if asked.days_on:
            second_day(Path(scratch), asked.days_on)
        if asked.overlap:
            overlap(Path(scratch), asked.overlap)


if __name__ == "__main__":
    main()
