"""Ids, money and times as shops' files write them, through an import, against a plain reading of one cell at a time.

Whatever form a cell has, it is stored as the oracle reads it, or its row is set aside for the reason that the oracle gives.
"""

import csv
import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from huitou.sources.importer import import_files
from tests.exported import shop, table

HEADER = ["订单编号", "买家会员名", "总金额", "买家实际支付金额", "订单创建时间", "订单付款时间"]
Cell = tuple[str, object]
"""A cell's text, and what it means: the value, or the reason for which its row is set aside."""


class Wrong(str):
    """A reason."""


def money(chance: random.Random) -> Cell:
    """An amount in one of the forms of exports, or one that is no amount in yuan."""
    fen = chance.choice([0, 1, 99, 100, chance.randrange(10**7), chance.randrange(10**9)])
    yuan = Decimal(fen) / 100
    forms: list[Callable[[], Cell]] = [
        lambda: (f"{yuan:.2f}", fen), lambda: (f"{yuan:,.2f}", fen), lambda: (f"¥{yuan:.2f}", fen), lambda: (f"￥{yuan:,.2f}", fen),
        lambda: (f"{yuan:.2f}元", fen), lambda: (f" {yuan:.2f}\t", fen), lambda: (f'="{yuan:.2f}"', fen), lambda: (f"-{yuan:.2f}", -fen),
        lambda: (f"{Decimal(fen) / 10**6:.6f}万", fen), lambda: (repr(float(yuan)), fen), lambda: (wide(f"{yuan:.2f}"), fen),
        lambda: (f"${yuan:.2f}", Wrong("money")), lambda: (f"{yuan:.2f}€", Wrong("money")), lambda: ("1.234,56", Wrong("money")),
        lambda: ("免费", Wrong("money")), lambda: (f"{fen}.005", Wrong("money")), lambda: ("1e400", Wrong("money")),
        lambda: ("12,34.5", Wrong("money")), lambda: (f"HKD {yuan}", Wrong("money")), lambda: ("", Wrong("empty")), lambda: ("--", Wrong("empty")),
    ]  # fmt: skip
    return chance.choice(forms)() if chance.random() < 0.4 else (f"{yuan:.2f}", fen)


def wide(text: str) -> str:
    return text.translate(str.maketrans("0123456789", "０１２３４５６７８９"))


def moment(chance: random.Random) -> Cell:
    """A time in one of the forms of exports, or one that can be read in two ways or none."""
    at = datetime(2000, 1, 1) + timedelta(seconds=chance.randrange(30 * 365 * 86_400))
    us = int((at - timedelta(hours=8)).replace(tzinfo=UTC).timestamp()) * 1_000_000
    minute = us - at.second * 1_000_000
    midnight = minute - (at.hour * 60 + at.minute) * 60_000_000
    utc = (at - timedelta(hours=8)).isoformat()
    serial = repr((at - datetime(1899, 12, 30)) / timedelta(days=1))
    forms: list[Cell] = [
        (f"{at:%Y/%m/%d %H:%M:%S}", us), (f"{at.year}/{at.month}/{at.day} {at.hour}:{at.minute:02}", minute), (f"{at:%Y-%m-%d}", midnight),
        (f"{at:%Y年%m月%d日 %H:%M:%S}", us), (f"\t{at} ", us), (f"'{at}", us), (f"{at:%Y%m%d}", midnight), (f"{at}.000", us),
        (f"{utc}Z", us), (f"{utc}+00:00", us), (serial, us),
        (f"{at:%d/%m/%Y}", Wrong("time")), (f"{at:%H:%M}", Wrong("time")), (f"{at:%Y-%m-%d} 24:00:00", Wrong("time")), ("昨天", Wrong("time")),
        (f"{at:%m-%d %H:%M}", Wrong("time")), ("2023-02-29 10:00:00", Wrong("time")), ("1582214400", Wrong("time")), ("", Wrong("empty")),
        ("0000-00-00 00:00:00", Wrong("empty")), (f"{at:%Y-%m-%d} 上午9:03", Wrong("time")),
    ]  # fmt: skip
    return chance.choice(forms) if chance.random() < 0.4 else (str(at), us)


def number(chance: random.Random, n: int) -> Cell:
    """An order's id, dressed or not, or one that Excel has rounded."""
    plain = f"{chance.choice([3, 193])}{chance.randrange(10**14):014}{n:02}1"
    forms: list[Cell] = [
        (f'="{plain}"', plain), (f"'{plain}", plain), (f"\t{plain}", plain), (f" {plain} ", plain), ("", Wrong("empty")),
        (f"{float(plain):.5E}", Wrong("damaged_id")), (f"{float(plain):.2E}".replace("E+", "e"), Wrong("damaged_id")),
    ]  # fmt: skip
    return chance.choice(forms) if chance.random() < 0.3 else (plain, plain)


def agree(folder: Path, seed: int, rows: int) -> None:
    """A file of such cells: stored as the oracle reads them, the first wrong cell of a row by column is its reason."""
    chance = random.Random(seed)
    cells = [(number(chance, n), money(chance), money(chance), moment(chance)) for n in range(rows)]
    with (folder / f"{seed}.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(HEADER)
        writer.writerows([i[0], f"买家{n}", total[0], kept[0], at[0], ""] for n, (i, total, kept, at) in enumerate(cells))
    (report,) = import_files(ws := shop(folder), [folder / f"{seed}.csv"])
    wanted, reasons = {}, Counter[str]()
    for i, total, kept, at in cells:
        total = (total[0], None) if total[1] == Wrong("empty") else total  # may be left out: then it is what was kept
        wrong = next((meaning for _, meaning in (i, at, kept, total) if isinstance(meaning, Wrong)), None)
        if wrong:
            reasons[wrong] += 1
        else:
            wanted[i[1]] = (kept[1] if total[1] is None else total[1], at[1])
    shown = {i: (total, at) for i, total, at in table(ws, "orders").select("order_id", "placed_fen", "created_at").iter_rows()}
    assert shown == wanted, seed
    assert report.problems == dict(reasons), seed


def test_a_file_of_every_form(tmp_path: Path) -> None:
    agree(tmp_path, 20260504, 99)


@pytest.mark.slow
@pytest.mark.parametrize("n", range(40))
def test_forms_by_chance(tmp_path: Path, n: int) -> None:
    agree(tmp_path, int(os.environ.get("HUITOU_SEED", random.randrange(10**9))) + n, 99)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Apia"])
def test_the_machines_own_zone_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        agree(tmp_path, 7, 99)
    finally:
        monkeypatch.undo()
        time.tzset()
