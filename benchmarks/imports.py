"""How fast files come in, and how much memory that takes, beside `pandas.read_csv` of the same file.

Run: python -m benchmarks.imports [--rows 1_000_000] [--times-longer 5] [--days-on 10_000_000]

Writes invented export files, imports each with the command line in a process of its own into a fresh workspace (reading, cleaning,
tokens, masking, de-duplication, commit with fsync), then the same file `--times-longer` as long for the memory. Last, a
day of chats is imported on top of a lake of `--days-on` messages and into an empty one.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from huitou.demo.exports import ORDER_HEADER

SHOP = "青麓男包旗舰店"
QUESTIONS = (
    "在吗",
    "这款还有货吗，想要黑色的",
    "什么时候发货",
    "能便宜一点吗",
    "电话 13800138000 联系我",
    "好的我再看看",
    "是真皮吗",
)
ANSWERS = (
    "亲，在的",
    "有货的，现在拍今天可以发出",
    "我们是正品，支持验货",
    "这款是棉质内里，容量很大，可以放 15.6 寸的电脑",
    "好的亲",
)


def orders(file: Path, rows: int, encoding: str, *, first: int = 0) -> Path:
    """The long order form with 15 filled columns; two orders a buyer."""
    rng = np.random.default_rng(rows)
    at = pl.Series(rng.integers(0, 90 * 86_400, rows)).sort() + 1_772_300_000
    created, paid = (pl.from_epoch(at + lag, "s").dt.strftime("%Y-%m-%d %H:%M:%S") for lag in (0, 40))
    fen = rng.integers(1_000, 90_000, rows)
    number = pl.Series(np.arange(first, first + rows))
    buyer = pl.Series(rng.integers(0, max(rows // 2, 1), rows)).cast(pl.String)
    money = (pl.Series(fen / 100).round(2)).cast(pl.String)
    filled = {
        "订单编号": '="' + (number + 3_300_000_000_000_000_000).cast(pl.String) + '"', "买家会员名": "买家" + buyer,
        "买家应付货款": money, "买家应付邮费": "0.00", "总金额": money, "买家实际支付金额": money, "订单状态": "交易成功",
        "收货人姓名": "张*", "收货地址 ": "浙江省 杭州市 余杭区 *** ", "联系手机": "'138****" + (number % 9000 + 1000).cast(pl.String),
        "订单创建时间": created, "订单付款时间 ": paid, "宝贝标题 ": "青麓云朗公文包 男士头层牛皮商务手提包", "宝贝总数量": "1", "退款金额": "0.00",
    }  # fmt: skip
    frame = pl.DataFrame({"n": number}).select(
        filled[c].alias(c) if isinstance(filled.get(c), pl.Series) else pl.lit(filled.get(c, "")).alias(c) for c in ORDER_HEADER
    )
    return _write(frame.write_csv(), file, encoding)


def _turns(rows: int, first_day: int) -> pl.DataFrame:
    """Messages in order: buyer, whether the buyer speaks, epoch second, text."""
    rng = np.random.default_rng(rows)
    chat = np.arange(rows) // 12
    return pl.DataFrame({
        "buyer": pl.Series(chat).cast(pl.String), "asks": np.arange(rows) % 2 == 0,
        "at": first_day * 86_400 + (chat * 37) % 80_000 + (np.arange(rows) % 12) * 21,
        "text": np.where(np.arange(rows) % 2 == 0, rng.choice(QUESTIONS, rows), rng.choice(ANSWERS, rows)),
    })  # fmt: skip


def chats(file: Path, rows: int, encoding: str, *, first_day: int = 20_600) -> Path:
    """The old client's TXT: twelve messages a buyer, one account."""
    t = _turns(rows, first_day).with_columns(pl.from_epoch("at", "s").dt.strftime("%Y-%m-%d %H:%M:%S").alias("at"))
    who = pl.when("asks").then("买家" + pl.col("buyer")).otherwise(pl.lit(f"{SHOP}:小满"))
    line = who + "(" + pl.col("at") + "):  " + pl.col("text") + "\n"
    head = (
        pl.when(pl.int_range(pl.len()) % 12 == 0)
        .then("-" * 28 + "买家" + pl.col("buyer") + "-" * 28 + "\n")
        .otherwise(pl.lit(""))
    )
    body = "".join(t.select(pl.concat_str(head, line))[:, 0].to_list())
    return _write(f"{SHOP}:小满\n{'单聊':^60}\n{'=' * 64}\n{body}", file, encoding)


def _write(text: str, file: Path, encoding: str) -> Path:
    file.write_text(text, encoding, newline="")
    return file


def huitou(*args: object) -> tuple[float, float]:
    """Run the command line: seconds, peak memory in GiB."""
    began = time.perf_counter()
    child = subprocess.Popen([Path(sys.executable).with_name("huitou"), *map(str, args)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"huitou {' '.join(map(str, args))} failed with status {status}")
    return time.perf_counter() - began, used.ru_maxrss / 2**20


def imported(folder: Path, file: Path, *, into: Path | None = None) -> tuple[float, float]:
    """Import into a fresh workspace, or into one that is there."""
    workspace = into or folder / f"ws-{file.stem}-{time.monotonic_ns()}"
    if into is None:
        huitou("init", workspace, "--shop", SHOP)
    return huitou("-w", workspace, "import", file)


def pandas_reads(file: Path, encoding: str) -> float:
    """Seconds that pandas takes only to parse the same table."""
    code = f"import pandas; pandas.read_csv({str(file)!r}, encoding={encoding!r}, dtype=str)"
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def files(folder: Path, rows: int, longer: int) -> None:
    """Rates and memory by kind of file."""
    print(f"{'file':<22}{'rows':>11}{'seconds':>9}{'rows/s':>11}{'peak GiB':>10}{f'peak ×{longer}':>9}{'pandas s':>10}")
    for name, write, encoding in (
        ("orders CSV, UTF-8", orders, "utf-8"), ("orders CSV, GBK", orders, "gb18030"),
        ("chats TXT, UTF-8", chats, "utf-8"), ("chats TXT, GBK", chats, "gb18030"),
    ):  # fmt: skip
        file = write(folder / f"{write.__name__}-{encoding}", rows, encoding)
        seconds, peak = imported(folder, file)
        beside = f"{pandas_reads(file, encoding):.1f}" if write is orders else "–"
        long = write(folder / f"{write.__name__}-{encoding}-long", rows * longer, encoding)
        _, long_peak = imported(folder, long)
        print(
            f"{name:<22}{rows:>11,}{seconds:>9.1f}{rows / seconds:>11,.0f}{peak:>10.2f}{long_peak:>9.2f}{beside:>10}", flush=True
        )
        file.unlink()
        long.unlink()


def second_day(folder: Path, stored: int, rows: int = 100_000) -> None:
    """The same day of chats into an empty lake and on top of a long history."""
    from benchmarks.facts import fill

    full = folder / "full"
    fill(full, stored)
    times = {}
    for name, into in (("empty", None), (f"{stored:,} messages", full)):
        file = chats(folder / f"day-{len(times)}.txt", rows, "utf-8", first_day=20_900)
        times[name] = imported(folder, file, into=into)[0]
    (empty, on_top) = times.values()
    print(f"a day of {rows:,} messages: {empty:.1f} s into an empty lake, {on_top:.1f} s on {stored:,} ({on_top / empty:.2f}×)")


def main() -> None:
    """Everything, one after the other."""
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rows", type=int, default=1_000_000)
    args.add_argument("--times-longer", type=int, default=5)
    args.add_argument("--days-on", type=int, default=10_000_000)
    asked = args.parse_args()
    with tempfile.TemporaryDirectory(prefix="huitou-bench-") as scratch:
        help_s = sorted(huitou("--help")[0] for _ in range(5))[2]
        print(f"huitou --help: {help_s:.2f} s (median of 5)")
        files(Path(scratch), asked.rows, asked.times_longer)
        second_day(Path(scratch), asked.days_on)


if __name__ == "__main__":
    main()
