"""Invented export files of any length, for the benchmark of imports: python -m benchmarks.exports KIND FILE ROWS ENCODING
[--first-day DAY] [--days N] [--first CHAT]

A process of its own writes each, so that whoever measures an import stays small: a child begins with its parent's memory.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter

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


@dataclass(frozen=True)
class When:
    """The days over which the chats spread, as days since 1970, and the number of the first buyer."""

    first_day: int = 20_600
    days: int = 1
    first: int = 0


def orders(file: Path, rows: int, encoding: str, when: When) -> Path:
    """The long order form with 15 filled columns; two orders a buyer."""
    rng = np.random.default_rng(rows)
    at = pl.Series(rng.integers(0, 90 * 86_400, rows)).sort() + 1_772_300_000
    created, paid = (pl.from_epoch(at + lag, "s").dt.strftime("%Y-%m-%d %H:%M:%S") for lag in (0, 40))
    fen = rng.integers(1_000, 90_000, rows)
    number = pl.Series(np.arange(when.first, when.first + rows))
    buyer = pl.Series(rng.integers(0, max(rows // 2, 1), rows)).cast(pl.String)
    money = (pl.Series(fen / 100).round(2)).cast(pl.String)
    filled = {
        "订单编号": '="' + (number + 3_300_000_000_000_000_000).cast(pl.String) + '"', "买家会员名": "买家" + buyer,
        "买家应付货款": money, "买家应付邮费": "0.00", "总金额": money, "买家实际支付金额": money, "订单状态": "交易成功",
        "收货人姓名": "张*", "收货地址 ": "浙江省 杭州市 余杭区 *** ", "联系手机": "'138****" + (number % 9000 + 1000).cast(pl.String),
        "订单创建时间": created, "订单付款时间 ": paid, "宝贝标题 ": "青麓云朗公文包 男士头层牛皮商务手提包", "宝贝总数量": "1", "退款金额": "0.00",
    }  # fmt: skip
    frame = pl.DataFrame({"n": number}).select(
        (value if isinstance(value := filled.get(c, ""), pl.Series) else pl.lit(value)).alias(c) for c in ORDER_HEADER
    )
    return _table(frame, file, encoding)


def _turns(rows: int, when: When) -> pl.DataFrame:
    """Messages in order: buyer, whether the buyer speaks, epoch second, text."""
    rng = np.random.default_rng(rows)
    chat = np.arange(rows) // 12 + when.first
    second = (chat * 37) % (80_000 * when.days)
    return pl.DataFrame({
        "buyer": pl.Series(chat).cast(pl.String), "asks": np.arange(rows) % 2 == 0,
        "at": (when.first_day + second // 80_000) * 86_400 + second % 80_000 + (np.arange(rows) % 12) * 21,
        "text": np.where(np.arange(rows) % 2 == 0, rng.choice(QUESTIONS, rows), rng.choice(ANSWERS, rows)),
    })  # fmt: skip


def chats(file: Path, rows: int, encoding: str, when: When) -> Path:
    """The old client's TXT: twelve messages a buyer, one account."""
    t = _turns(rows, when).with_columns(pl.from_epoch("at", "s").dt.strftime("%Y-%m-%d %H:%M:%S").alias("at"))
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


def _table(frame: pl.DataFrame, file: Path, encoding: str) -> Path:
    """As CSV or, by the file's name, as XLSX."""
    if file.suffix != ".xlsx":
        return _write(frame.write_csv(), file, encoding)
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate((tuple(frame.columns), *frame.iter_rows())):
            for column, cell in enumerate(cells):
                if cell:
                    sheet.write_string(row, column, cell)
    return file


def chat_table(file: Path, rows: int, encoding: str, when: When) -> Path:
    """The same messages as a CSV of another tool's, one a row."""
    return _table(_named(_turns(rows, when)), file, encoding)


def chat_lines(file: Path, rows: int, encoding: str, when: When) -> Path:
    """The same messages as JSON lines."""
    return _write(_named(_turns(rows, when)).write_ndjson(), file, encoding)


def _named(turns: pl.DataFrame) -> pl.DataFrame:
    asks = pl.col("asks")
    return turns.select(
        ("S" + pl.col("buyer")).alias("session_id"), ("买家" + pl.col("buyer")).alias("buyer_nick"), pl.lit("小满").alias("agent"),
        pl.when(asks).then(pl.lit("buyer")).otherwise(pl.lit("seller")).alias("role"),
        pl.from_epoch("at", "s").dt.strftime("%Y-%m-%d %H:%M:%S").alias("sent_at"), pl.col("text").alias("content"),
    )  # fmt: skip


KINDS: dict[str, Callable[..., Path]] = {"orders": orders, "chats": chats, "chat_table": chat_table, "chat_lines": chat_lines}

if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("kind", choices=KINDS)
    words.add_argument("file", type=Path)
    words.add_argument("rows", type=int)
    words.add_argument("encoding")
    words.add_argument("--first-day", type=int, default=When.first_day)
    words.add_argument("--days", type=int, default=When.days)
    words.add_argument("--first", type=int, default=When.first)
    asked = words.parse_args()
    KINDS[asked.kind](asked.file, asked.rows, asked.encoding, When(asked.first_day, asked.days, asked.first))
