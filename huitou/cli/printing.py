"""Prints numbers, rows and import results for people (tables) and for scripts (CSV, JSON)."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from huitou.errors import FileSpared, HuitouError, in_language
from huitou.tables import TABLES

if TYPE_CHECKING:
    import polars as pl

    from huitou.metrics import Metric
    from huitou.metrics.model import Cell
    from huitou.sources.drafts import Draft
    from huitou.sources.importer import ImportReport

FIELDS = ("value", "numerator", "denominator", "n", "low", "high", "status", "rules")


def as_json(cells: "list[Cell]") -> str:
    """The cells as one JSON list; numbers unrounded, None as null, nothing left out."""
    return json.dumps(
        [{"metric": c.metric, "unit": c.unit, "by": c.by} | {f: getattr(c, f) for f in FIELDS} for c in cells],
        ensure_ascii=False,
        indent=1,
    )


def as_csv(cells: "list[Cell]") -> str:
    """One line a cell; a column for each dimension."""
    dims = list(dict.fromkeys(d for c in cells for d in c.by))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["metric", "unit", *dims, *FIELDS])
    writer.writerows([c.metric, c.unit, *(safe(c.by.get(d, "")) for d in dims), *(getattr(c, f) for f in FIELDS)] for c in cells)
    return out.getvalue()


def safe(text: str) -> str:
    """Text that a spreadsheet will not take for a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r＝＋－＠") else text


def figure(value: float | None, unit: str) -> str:
    """A value for people: shares in percent, money with its currency's two decimals, seconds short."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{value:.2%}"
    if unit == "CNY":
        return f"{value:,.2f}"
    if unit == "count":
        return f"{value:,.0f}"
    return f"{value:,.1f} s" if unit == "s" else f"{value:,.2f}"


def print_cells(console: Console, cells: "list[Cell]", metrics: "dict[str, Metric]", lang: str) -> None:
    """A table: name, dimensions, value, interval, n, status."""
    dims = list(dict.fromkeys(d for c in cells for d in c.by))
    zh = lang == "zh"
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("指标" if zh else "metric", overflow="fold")
    for dim in dims:
        table.add_column(dim)
    for heading in ("值", "95% 区间", "n") if zh else ("value", "95 % interval", "n"):
        table.add_column(heading, justify="right")
    table.add_column("状态" if zh else "status", overflow="fold")
    for c in cells:
        interval = "" if c.low is None else f"{figure(c.low, c.unit)} – {figure(c.high, c.unit)}"
        name = metrics[c.metric].zh if zh else metrics[c.metric].en
        table.add_row(
            escape(name), *(escape(c.by.get(d, "")) for d in dims), figure(c.value, c.unit), interval, f"{c.n:,}", status(c, lang)
        )
    console.print(table)


def status(cell: "Cell", lang: str) -> str:
    """ "final" and its kin in the user's words."""
    from huitou.metrics import needs_zh

    if lang == "en":
        return {"final": "", "not_yet": f"{cell.open:,} not final yet"}.get(cell.status, cell.status)
    if cell.status.startswith("needs "):
        return needs_zh(cell.status)
    return {"final": "", "not_yet": f"还有 {cell.open:,} 个没到期"}.get(cell.status, cell.status)


def print_catalog(console: Console, metrics: "list[Metric]", lang: str) -> None:
    """Every metric with its id, name and unit."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("编号", "指标", "单位", "来源") if lang == "zh" else ("id", "metric", "unit", "source"):
        table.add_column(heading, overflow="fold")
    for m in metrics:
        table.add_row(m.id, m.zh if lang == "zh" else m.en, m.unit, escape(m.source))
    console.print(table)


def print_frame(frame: "pl.DataFrame", form: str, console: Console) -> None:
    """Rows behind a number: all columns as CSV or JSON, the readable ones (keys left out) as a table."""
    if form == "json":
        sys.stdout.write(json.dumps(frame.to_dicts(), ensure_ascii=False, indent=1, default=str) + "\n")
        return
    if form == "csv":
        sys.stdout.write(frame.write_csv())
        return
    shown = [c for c in frame.columns if not c.endswith("_key")]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in shown:
        table.add_column(name, overflow="fold")
    for row in frame.select(shown).iter_rows():
        table.add_row(*(escape(_cell(v)) for v in row))
    console.print(table)


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:,.1f}" if isinstance(value, float) else str(value)


MANY = 20
"""From this many files on, files without anything to say share one line by source."""


def print_refused(console: Console, refused: HuitouError, lang: str) -> None:
    """Why nothing of a file was stored; whether that is a fault shows in its sign."""
    spared = isinstance(refused, FileSpared)
    console.print(f"{'·' if spared else '✗'} {escape(refused.text(lang))}", style="dim" if spared else "red", soft_wrap=True)


def print_imports(console: Console, reports: "list[ImportReport]", lang: str) -> None:
    """Each file's fate; where many came in whole, only their sum by source, and each that has something to say."""
    whole = [r for r in reports if r.load and not (r.refused or r.problems or r.before) and r.load.repeats_of is None]
    brief = len(reports) >= MANY
    for one in reports:
        if not brief or one not in whole:
            print_import(console, one, lang)
    for source in dict.fromkeys(r.source for r in whole) if brief else ():
        loads = [r.load for r in whole if r.source == source and r.load is not None]
        told = (len(loads), sum(x.rows_read for x in loads), sum(x.stored for x in loads), sum(x.known for x in loads))
        console.print(
            "✓ {}：{:,} 个文件，{:,} 行 = 存入 {:,} + 已有 {:,}".format(source, *told)
            if lang == "zh"
            else "✓ {}: {:,} files, {:,} rows = {:,} stored + {:,} already known".format(source, *told),
            soft_wrap=True,
        )


def print_import(console: Console, one: "ImportReport", lang: str) -> None:
    """One file's fate: refused with its sentence, or the ledger's line, then its bad rows by reason and other counts."""
    zh = lang == "zh"
    if one.refused is not None:
        print_refused(console, one.refused, lang)
        return
    name = f"[bold]{escape(one.name or one.file.name)}[/bold] · {one.source}"
    if one.load is None:
        bad = sum(one.problems.values())
        console.print(
            f"· {name}：{one.rows:,} 行 = 可存 {one.rows - bad:,} + 搁置 {bad:,}（没有存入）"
            if zh
            else f"· {name}: {one.rows:,} rows = {one.rows - bad:,} can be stored + {bad:,} set aside (nothing was stored)",
            soft_wrap=True,
        )
    elif one.load.repeats_of is not None:
        number, aside = one.load.repeats_of, one.load.quarantined
        left = (
            (f"当时搁置的 {aside:,} 行见 huitou problems。" if zh else f" {aside:,} rows were set aside: huitou problems.")
            if aside
            else ""
        )
        console.print(
            f"= {name}：同一份文件在第 {number} 次导入时已经读过，没有新增。{left}"
            if zh
            else f"= {name}: the same file was read by import {number}; nothing is new.{left}",
            soft_wrap=True,
        )
    else:
        sign = _sign(one)
        told = (one.rows, one.load.stored, one.load.known, one.load.quarantined)
        console.print(
            "{} {}：{:,} 行 = 存入 {:,} + 已有 {:,} + 搁置 {:,}".format(sign, name, *told)
            if zh
            else "{} {}: {:,} rows = {:,} stored + {:,} already known + {:,} set aside".format(sign, name, *told),
            soft_wrap=True,
        )
    if one.mended:
        console.print(
            f"    以前搁置的 {one.mended:,} 行改好了。" if zh else f"    {one.mended:,} rows set aside before are mended.",
            soft_wrap=True,
        )
    console.print(f"    {escape(_what(one, lang))}", style="dim", soft_wrap=True)
    if one.before is not None:
        console.print(f"    {in_language(one.before.says, lang)}{'。' if zh else '.'}", style="yellow", soft_wrap=True)
    _print_counts(console, one, lang)


def _sign(one: "ImportReport") -> str:
    """✓ when all that is data is in, ! when some rows were set aside, ✗ when nothing came of the file."""
    from huitou.sources.reasons import NOTHING_TO_MEND

    lost = sum(n for reason, n in one.problems.items() if reason not in NOTHING_TO_MEND)
    return "✓" if not lost else "✗" if lost == one.rows else "!"


def print_arrival(console: Console, one: "ImportReport", lang: str) -> None:
    """One file's fate in one line."""
    zh, name = lang == "zh", escape(one.name or one.file.name)
    if one.refused is not None:
        print_refused(console, one.refused, lang)
        return
    assert one.load is not None
    if one.load.repeats_of is not None:
        said = "同一份文件已经读过" if zh else "the same file was read already"
    else:
        told = (one.load.rows_read, one.load.stored, one.load.known, one.load.quarantined)
        form = "{:,} 行 = 存入 {:,} + 已有 {:,} + 搁置 {:,}" if zh else "{:,} rows = {:,} stored + {:,} known + {:,} set aside"
        said = form.format(*told) + ("（huitou problems）" if one.load.quarantined and zh else "")
        said += " (huitou problems)" if one.load.quarantined and not zh else ""
    console.print(f"{_sign(one)} {name} · {one.source}{'：' if zh else ': '}{said}", soft_wrap=True)


def _what(one: "ImportReport", lang: str) -> str:
    """What kind of file it is, its encoding and its first and last day, as far as they are known."""
    said = [in_language(one.kind, lang) if one.kind else "", one.encoding or ""]
    if one.days is not None:
        first, last = one.days
        said.append(str(first) if first == last else f"{first} 至 {last}" if lang == "zh" else f"{first} to {last}")
    return " · ".join(part for part in said if part)


def _print_counts(console: Console, one: "ImportReport", lang: str) -> None:
    """Bad rows by reason, the commonest first, with where the first one stands; then counts that are no problems."""
    from huitou.sources.reasons import NOTES, ONCE, REASONS

    zh = lang == "zh"
    for reason, n in sorted(one.problems.items(), key=lambda item: -item[1]):
        known = REASONS.get(reason)
        says = reason if known is None else f"{known.zh}。{known.fix_zh}。" if zh else f"{known.en}. {known.fix_en}"
        row, column = one.first[reason]
        where = f"第 {row:,} 行" if zh else f"row {row:,}"
        cell = f"「{column}」" if zh else f" «{column}»"
        at = (f"（最早在{where}{cell if column else ''}）") if zh else f" (first in {where}{cell if column else ''})"
        console.print(f"    {n:,} × {escape(says + at)}", soft_wrap=True)
    for note, n in sorted(one.notes.items()):
        times = "" if note in ONCE else f"{n:,} × "
        console.print(f"    {times}{escape(NOTES.get(note, (note, note))[not zh])}", style="dim", soft_wrap=True)


def print_draft(console: Console, file: Path, draft: "Draft", lang: str) -> None:
    """Where a draft of a mapping is, for which table, what it lacks, and what to do next."""
    zh, table = lang == "zh", TABLES[draft.table]
    says = (
        f"列对应草稿：{file}（当作「{table.zh}」）" if zh else f"A draft of the column mapping: {file} (taken for «{table.en}»)"
    )
    console.print(escape(says), soft_wrap=True)
    if draft.found <= len(draft.missing):
        unsure = (
            "看不大出是哪种表；不对就改 table 那一行。"
            if zh
            else "What kind it is was hard to tell: change its table if it is another."
        )
        console.print(f"    {unsure}", style="yellow", soft_wrap=True)
    for name, official in draft.missing.items():
        lacking = (
            f"没有认出必填的「{official}」（{name}）"
            if zh
            else f"no column was recognised for {name} («{official.replace('」或「', '» or «')}»), which is needed"
        )
        console.print(f"    ✗ {escape(lacking)}", style="red", soft_wrap=True)
    console.print(
        "看一遍、改好，再运行同一条命令导入。" if zh else "Read it, mend it, then run the same command again to import."
    )
