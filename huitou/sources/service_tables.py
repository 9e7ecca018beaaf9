"""The platforms' own service reports (生意参谋, 赤兔, 飞鸽) as rows and numbers to reconcile with.

Comes in: a sheet or CSV whose header may stand in any row, in one row or two, with totals and means among its rows. Goes out:
a row of ``platform_reports`` for each row of the file, a row of ``platform_numbers`` for each number in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from huitou.errors import FileRefused, Problem, Say
from huitou.lake.settings import Settings
from huitou.sources import cells
from huitou.sources.ahead import ahead
from huitou.sources.keys import key_column, key_of_repeated
from huitou.sources.layout import Placed, heading, headings
from huitou.sources.model import Batch, Context, Head
from huitou.sources.reasons import problem
from huitou.sources.service_numbers import measure, numbers, over_one, unit_of
from huitou.sources.slabs import tidy
from huitou.sources.table import slabs
from huitou.tables import TABLES

DAYS = headings("日期 统计日期 时间")
AGENTS = headings("旺旺昵称 旺旺 客服 客服昵称 客服旺旺 客服名称 客服账号 客服姓名 子账号 接待客服 旺旺名称")
HOURS = headings("时段 小时 时间段")
TEXTS = headings("旺旺分组 客服分组 分组 组别 备注 序号 排名 店铺 店铺名称")
"""Headings of what is no number: the day, the account, the hour, and texts that are not read."""

_NO_DAY = date(1970, 1, 1)
_LABEL = r"^(?:全店|店铺|本店|同行|同层).{0,6}$|^.{0,4}(?:汇总|合计|总计|小计|平均|均值)值?$"
_A_DAY = r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}"


@dataclass(frozen=True)
class Report:
    """One kind of report: its code, and measures that tell it from others, of which at least `least` must be there."""

    code: str
    telling: tuple[str, ...]
    least: int

    @cached_property
    def measures(self) -> frozenset[str]:
        """The telling ones in the one spelling."""
        return frozenset(measure(name) for name in self.telling)


@dataclass(frozen=True)
class Header:
    """Where a report's header stands: the last of its rows as a person counts, and a name for every column."""

    row: int
    names: tuple[str, ...]

    def first(self, known: tuple[str, ...]) -> int | None:
        """Position of the first column with one of these headings."""
        plain = {heading(k) for k in known}
        return next((at for at, name in enumerate(self.names) if heading(name) in plain), None)

    @cached_property
    def measures(self) -> frozenset[str]:
        """What the columns measure, without their groups."""
        return frozenset(measure(name).rpartition("-")[2] if "->" not in name else measure(name) for name in self.names if name)


@dataclass(frozen=True)
class ServiceTables:
    """The service reports of one tool."""

    id: str
    zh: str
    en: str
    reports: tuple[Report, ...]
    quirks: tuple[Say, ...]
    main: str = "platform_reports"
    feeds: tuple[str, ...] = ("platform_reports", "platform_numbers")

    def identify(self, head: Head) -> int:
        """By the measures that only this tool's reports have."""
        found = self._found(head)
        return min(100, 70 + 6 * found[2]) if found else 0

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the rows. Raises FileRefused for a file that is none of the reports."""
        found = self._found(head)
        if found is None:
            says = Say("没有这种报表的表头", "it has no header of such a report")
            raise FileRefused(head.path, says, Say("勾选全部列后重新导出。", "Export it again with all columns."))
        report, header, _ = found
        reader = _Reader(report.code, header, head, context.settings)
        positions = {str(at): at for at in range(len(header.names)) if header.names[at] or not at}
        placed = Placed(header.row, header.names, len(header.names), positions, 0)
        for slab in ahead(slabs(head, placed)):
            slab = tidy(slab, head, placed)
            frames, problems, unread = reader.rows(slab.frame)
            notes = slab.notes | ({"unread_numbers": unread} if unread else {})
            yield Batch(frames, slab.frame.height + len(slab.problems), slab.bytes_done, slab.problems + problems, notes)

    def _found(self, head: Head) -> tuple[Report, Header, int] | None:
        """The report with the most of its telling measures, its header, and how many there are."""
        best: tuple[Report, Header, int] | None = None
        for header in _headers(head):
            dimensions = sum(header.first(known) is not None for known in (DAYS, AGENTS, HOURS))
            for report in self.reports:
                told = len(header.measures & report.measures)
                if told >= report.least and (dimensions or not header.names[0]) and (best is None or told > best[2]):
                    best = (report, header, told)
        return best


def _headers(head: Head) -> Iterator[Header]:
    """Every row of the head as a header, first together with the row below where that one continues it."""
    for at, top in enumerate(head.rows):
        below = head.rows[at + 1] if at + 1 < len(head.rows) else ()
        if len(top) < 3:
            continue
        if below and not below[0] and sum(map(bool, below)) > 1 and not any(re.match(r"[-\d.,%]+$", c) for c in below):
            yield Header(at + 2, _joined(top, below))
        yield Header(at + 1, top)


def _joined(top: tuple[str, ...], below: tuple[str, ...]) -> tuple[str, ...]:
    """Names of columns under two header rows: a group is written once, above its first column."""
    names, group = [], ""
    for at, last in enumerate(below):
        above = top[at] if at < len(top) else ""
        group = above if above or not last else group
        names.append(f"{group}-{last}" if group and last else last or above)
    return tuple(names)


class _Reader:
    """Reads the rows of one file; remembers the days seen so far and whether its rates are per cent."""

    def __init__(self, code: str, header: Header, head: Head, settings: Settings) -> None:
        self._code = code
        self._header = header
        self._file = head.path.name
        self._settings = settings
        self._day, self._agent, self._hour = (header.first(known) for known in (DAYS, AGENTS, HOURS))
        if self._day is None and self._agent is None:
            self._agent = 0
        dimensions = {self._day, self._agent, self._hour}
        plain = {heading(t) for t in (*TEXTS, *DAYS, *AGENTS)}
        self._measures = [at for at, n in enumerate(header.names) if n and at not in dimensions and heading(n) not in plain]
        self._days = _days_above(head.rows[: header.row - 1])
        self._percent: bool | None = None

    def rows(self, raw: pl.DataFrame) -> tuple[dict[str, pl.DataFrame], list[Problem], int]:
        """platform_reports and platform_numbers of a stretch, its problems, and how many cells hold no number."""
        rows, problems = self._sorted_out(self._told(raw))
        kept = raw.filter(raw["row"].is_in(rows["row"].implode()))
        found = self._numbers(kept)
        rows = rows.with_columns(self._keys(rows, found))
        counted, unread = self._counted(rows, kept, found)
        reports = rows.select(*(c.name for c in TABLES["platform_reports"].columns), "row")
        return {"platform_reports": reports, "platform_numbers": counted}, problems, unread

    def _column(self, raw: pl.DataFrame, at: int | None) -> pl.Series:
        if at is None or str(at) not in raw.columns:
            return pl.Series([None], dtype=pl.String).new_from_index(0, raw.height)
        return cells.unwrapped(raw[str(at)])

    def _told(self, raw: pl.DataFrame) -> pl.DataFrame:
        """What each row is about: label, days, account and hour."""
        day, agent, hour = (self._column(raw, at) for at in (self._day, self._agent, self._hour))
        agent = agent.str.replace(r"^.*[:：]\s*", "")  # 「店名:小禾」
        first = day if self._day is not None else agent
        label = first.set(~first.str.contains(_LABEL).fill_null(False), None)
        label = label.fill_null(agent.set(~agent.str.contains(_LABEL).fill_null(False), None))
        named = day.set(label.is_not_null(), None)
        dates = named.str.extract_all(_A_DAY)
        ends = [cells.days(dates.list.get(i, null_on_oob=True)).values for i in (0, 1)]
        one = cells.days(named).values.fill_null(ends[0].set(ends[1].is_not_null(), None))
        return pl.DataFrame({
            "row": raw["row"], "label": label, "named": named, "one": one, "from": ends[0].fill_null(one),
            "to": ends[1].fill_null(one), "account": agent.set(label.is_not_null(), None),
            "hour": hour.str.extract(r"^(\d{1,2})", 1).cast(pl.Int64, strict=False),
        })  # fmt: skip

    def _sorted_out(self, told: pl.DataFrame) -> tuple[pl.DataFrame, list[Problem]]:
        """Rows with scope and days; those of no day and no account become problems."""
        label = pl.col("label").is_not_null()
        no_day = pl.lit(self._day is not None) & pl.col("from").is_null() & ~label
        no_agent = pl.lit(self._agent is not None) & pl.col("account").is_null() & ~label
        wrong = pl.when(no_day).then(pl.lit(self._day, pl.Int64)).when(no_agent).then(pl.lit(self._agent, pl.Int64))
        told = told.with_columns(wrong.alias("wrong"))
        bad = told.filter(pl.col("wrong").is_not_null())
        problems = [
            problem(self._file, row, self._header.names[at], "time" if at == self._day and named else "empty")
            for row, at, named in bad.select("row", "wrong", "named").iter_rows()
        ]
        good = told.filter(pl.col("wrong").is_null())
        self._see(good)
        first, last = self._days or (None, None)
        covers = pl.col("label").is_not_null() | pl.lit(self._day is None)
        good = good.with_columns(
            _scope().alias("scope"),
            pl.col("one").fill_null(_NO_DAY).alias("day"),
            pl.when(covers).then(pl.lit(first, dtype=pl.Date)).otherwise("from").alias("first_day"),
            pl.when(covers).then(pl.lit(last, dtype=pl.Date)).otherwise("to").alias("last_day"),
        )
        return good, problems

    def _see(self, good: pl.DataFrame) -> None:
        seen = [d for d in (*(self._days or ()), good["from"].min(), good["to"].max()) if isinstance(d, date)]
        if seen and self._day is not None:
            self._days = (min(seen), max(seen))

    def _numbers(self, raw: pl.DataFrame) -> dict[int, pl.Series]:
        """The numbers of each column that holds any, by its position."""
        names = self._header.names
        if self._percent is None and raw.height:
            self._percent = any(over_one(names[at], raw[str(at)]) for at in self._measures)
        found = {at: numbers(names[at], raw[str(at)], percent=bool(self._percent)) for at in self._measures}
        return {at: values for at, values in found.items() if values.null_count() < len(values)}

    def _keys(self, rows: pl.DataFrame, found: dict[int, pl.Series]) -> list[pl.Series | pl.Expr]:
        """Keys and constants. A row of unknown days is told from that of other days by its numbers, however they are written."""
        s = self._settings
        timeless = rows["first_day"].is_null()
        told = sorted((measure(self._header.names[at]), at) for at in found)
        content = pl.concat_str(
            [pl.lit(name) + "=" + found[at].cast(pl.String) for name, at in told], separator="\x1f", ignore_nulls=True
        )
        parts = rows.select(
            "scope", "label", "first_day", "last_day", "account", "hour",
            pl.when(timeless).then(content if told else pl.lit(None)).alias("content"),
        )  # fmt: skip
        name = parts.select(pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator="\x1f")).to_series()
        return [
            pl.lit(s.shop_key, dtype=pl.Int64).alias("shop_key"),
            key_column(name, s.platform, s.shop, "report", self._code).alias("report_key"),
            pl.lit(self._code).alias("report"),
            key_of_repeated(rows["account"], s.platform, s.shop).alias("agent_key"),
        ]

    def _counted(self, rows: pl.DataFrame, raw: pl.DataFrame, found: dict[int, pl.Series]) -> tuple[pl.DataFrame, int]:
        """platform_numbers, and how many cells among numbers hold none."""
        frames, unread = [], 0
        for at, value in found.items():
            name = self._header.names[at]
            unread += int((cells.unwrapped(raw[str(at)]).is_not_null() & value.is_null()).sum())
            frames.append(rows.select(
                "shop_key", "report_key", "day", pl.lit(name).alias("name"), pl.lit(measure(name)).alias("measure"),
                value.alias("value"), pl.lit(unit_of(name)).alias("unit"), "row",
            ).drop_nulls("value"))  # fmt: skip
        return (pl.concat(frames) if frames else pl.DataFrame()), unread


def _scope() -> pl.Expr:
    label = pl.col("label")
    return (
        pl.when(label.str.contains("同行|同层")).then(pl.lit("peers"))
        .when(label.str.contains("均")).then(pl.lit("mean"))
        .when(label.str.contains("全店|店铺|本店")).then(pl.lit("shop_total"))
        .when(label.is_not_null()).then(pl.lit("total"))
        .when(pl.col("hour").is_not_null()).then(pl.lit("hour"))
        .when(pl.col("account").is_null()).then(pl.lit("day"))
        .when(pl.col("from").is_null()).then(pl.lit("agent"))
        .otherwise(pl.lit("agent_day"))
    )  # fmt: skip


def _days_above(rows: tuple[tuple[str, ...], ...]) -> tuple[date, date] | None:
    """The first and last day that a title line above the header names; one date alone may be the download's."""
    for row in rows:
        found = pl.Series(re.findall(_A_DAY, " ".join(row)), dtype=pl.String)
        days = cells.days(found).values
        if len(days) == 2 and not days.null_count():
            return days[0], days[1]
    return None
