"""Cells: whole columns against a plain computation with Decimal and datetime, one cell at a time."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huitou.sources import cells
from huitou.sources.clock import plain_times
from huitou.sources.keys import key_column, key_of_repeated
from huitou.tables import key63


def column(*values: str | None) -> pl.Series:
    return pl.Series("c", values, dtype=pl.String)


FEN = st.integers(-(10**11), 10**11)
DRESSES = st.sampled_from(["{}", "¥{}", "￥{}", "{}元", " {}\t", '="{}"', "'{}", "\u00a0{}", "{} 元"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(FEN, DRESSES, st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_money_is_exact_however_it_is_dressed(given_cells: list[tuple[int, str, bool, bool]]) -> None:
    texts = []
    for fen, dress, commas, wide in given_cells:
        text = f"{Decimal(fen) / 100:,.2f}" if commas else f"{Decimal(fen) / 100:.2f}"
        texts.append(dress.format(text.translate(str.maketrans("0123456789", "０１２３４５６７８９")) if wide else text))
    read = cells.money(column(*texts))
    assert read.values.to_list() == [fen for fen, *_ in given_cells]
    assert read.unread is None


@pytest.mark.parametrize(
    ("text", "fen"),
    [("1.2万", 1_200_000), ("3.45678万元", 3_456_780), ("35.199999999999996", 3_520), ("598元", 59_800), (".5", 50), ("7.", 700)],
)
def test_money_of_exports(text: str, fen: int) -> None:
    assert cells.money(column(text)).values.to_list() == [fen]


@pytest.mark.parametrize("text", ["1.239", "$3", "€5", "1,2", "12,34.5", "免费", "1.234,56", "inf", "1e400", "99999999999999"])
def test_what_is_no_amount_is_never_guessed(text: str) -> None:
    read = cells.money(column("1.00", text, None))
    assert read.values.to_list() == [100, None, None]
    assert read.unread is not None and read.unread.to_list() == [False, True, False]


@pytest.mark.parametrize("text", ["", "-", "--", "暂无数据", "NULL", "\t", " ", "\ufeff", "\u3000"])
def test_nothing_is_null_and_no_fault(text: str) -> None:
    for read in (cells.money(column(text)), cells.count(column(text)), cells.days(column(text)), cells.share(column(text))):
        assert read.values.to_list() == [None] and read.unread is None
    assert cells.unwrapped(column(text)).to_list() == [None]


WALL = st.datetimes(datetime(1991, 9, 20), datetime(2099, 12, 31)).map(lambda t: t.replace(microsecond=0))
FORMS = st.sampled_from(
    [
        "%Y-%m-%d %H:%M:%S",
        "%Y/%m/%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%Y年%m月%d日 %H:%M:%S",
        " %Y-%m-%d %H:%M:%S\t",
        "short",
        "serial",
    ]
)


def written(at: datetime, form: str) -> str:
    if form == "short":
        return f"{at.year}/{at.month}/{at.day} {at.hour}:{at.minute:02}:{at.second:02}"
    if form == "serial":
        return repr((at - datetime(1899, 12, 30)) / timedelta(days=1))
    return at.strftime(form)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(WALL, FORMS), min_size=1, max_size=30))
def test_times_of_a_zone_without_summer_time(given_cells: list[tuple[datetime, str]]) -> None:
    read = cells.moments(column(*(written(at, form) for at, form in given_cells)), "Asia/Shanghai")
    utc = [(at - timedelta(hours=8)).replace(tzinfo=UTC) for at, _ in given_cells]
    assert read.utc_us.to_list() == [int(at.timestamp()) * 1_000_000 for at in utc]
    assert read.day.to_list() == [at.date() for at, _ in given_cells]
    assert read.second.to_list() == [at.hour * 3600 + at.minute * 60 + at.second for at, _ in given_cells]


@settings(max_examples=60, deadline=None)
@given(st.lists(WALL, min_size=1, max_size=30))
def test_summer_time_is_never_guessed(walls: list[datetime]) -> None:
    zone = ZoneInfo("America/New_York")
    read = cells.moments(column(*(at.isoformat(" ") for at in walls)), "America/New_York")
    for at, micros in zip(walls, read.utc_us.to_list(), strict=True):
        first, second = at.replace(tzinfo=zone, fold=0), at.replace(tzinfo=zone, fold=1)
        certain = first.utcoffset() == second.utcoffset()
        assert micros == (int(first.timestamp()) * 1_000_000 if certain else None)


def test_hours_that_do_not_exist_or_exist_twice_are_told_apart_by_an_offset() -> None:
    texts = column(
        "2024-03-10 02:30:00",
        "2024-11-03 01:30:00",
        "2024-11-03 01:30:00 -0400",
        "2024-11-03T01:30:00-05:00",
        "2024-11-03T06:30:00Z",
    )
    read = cells.moments(texts, "America/New_York")
    at = int(datetime(2024, 11, 3, 5, 30, tzinfo=UTC).timestamp()) * 1_000_000
    assert read.utc_us.to_list() == [None, None, at, at + 3_600_000_000, at + 3_600_000_000]
    assert read.dst is not None and read.dst.to_list() == [True, True, False, False, False]


@pytest.mark.parametrize(
    "text", ["01/02/2020", "2020-02-30", "2020-01-01 24:00:00", "20-1-2", "昨天", "1582214400", "2026/1/2 上午9:03", "12:30"]
)
def test_a_time_that_could_mean_two_things_is_set_aside(text: str) -> None:
    read = cells.moments(column(text, "2020-02-21 00:00:00"), "Asia/Shanghai")
    assert read.utc_us.to_list() == [None, 1_582_214_400_000_000]
    assert read.unread is not None and read.unread.to_list() == [True, False]


@pytest.mark.parametrize(
    "text", ["2025年2月5日 · 已购：黑色", "2025年2月5日已购买：黑色 大号", "2025-02-05 黑色", "2025-02-05 13:04", "2025/2/5"]
)
def test_a_day_may_have_text_after_it(text: str) -> None:
    assert cells.days(column(text)).values.to_list() == [date(2025, 2, 5)]


@pytest.mark.parametrize("text", ["2025-02-05 25:00:00", "2025-02-055", "2025-02-05 1 个", "02-05 黑色"])
def test_what_may_be_no_day_is_not_read(text: str) -> None:
    assert cells.days(column(text)).values.to_list() == [None]


def test_shares_and_counts() -> None:
    share = cells.share(column("62.5%", "0.625", "62.5", "100％", "x"))
    assert share.values.to_list() == [0.625, 0.625, None, 1.0, None]
    count = cells.count(column("1,234", "12.0", "1.2万", "1.5", "-3"))
    assert count.values.to_list() == [1234, 12, 12_000, None, -3]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(10**15, 10**19 - 1), min_size=8, max_size=30, unique=True))
def test_ids_that_excel_rounded_are_known_by_the_whole_column(ids: list[int]) -> None:
    whole = column(*map(str, ids))
    zeroed = column(*(str(i // 10 ** (len(str(i)) - 15) * 10 ** (len(str(i)) - 15)) for i in ids))
    assert cells.rounding(zeroed) == "digits"
    lost = [i for i in ids if i % 10 ** (len(str(i)) - 15)]
    assert not lost or cells.rounding(whole) != "digits"


def test_ids_in_scientific_notation() -> None:
    assert cells.in_scientific(column("1.93E+15", "2e18", "1930000000000000001", None)).to_list() == [True, True, False, False]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | st.text(max_size=12), max_size=20))
def test_keys_of_columns_are_those_of_single_things(values: list[str | None]) -> None:
    wanted = [None if v is None else key63("tmall", "店", "order", v) for v in values]
    assert key_column(column(*values), "tmall", "店", "order").to_list() == wanted
    assert key_of_repeated(column(*values), "tmall", "店", "order").to_list() == wanted


DIGITS = st.text("0123456789-: /", min_size=17, max_size=20)
WRITTEN = st.datetimes(datetime(1985, 1, 1), datetime(2105, 1, 1)).map(lambda at: at.isoformat(" ")[:19])


@given(st.lists(DIGITS | WRITTEN | st.sampled_from(["2023-02-29 00:00:00", "2024-02-29 23:59:59", "2024-01-01 24:00:00"])))
def test_plain_times_are_those_that_python_reads(texts: list[str]) -> None:
    def read(text: str) -> datetime | None:
        with suppress(ValueError):
            at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
            return at if 1990 <= at.year <= 2100 and at.isoformat(" ") == text else None
        return None

    assert plain_times(column(*texts)).to_list() == [read(text) for text in texts]
