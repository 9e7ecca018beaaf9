"""The report as a workbook: every row and number behind it, text as text and never as a formula."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format

from huitou.errors import DiskFull
from huitou.findings.model import Finding
from huitou.reports.model import Report
from huitou.reports.numbers import ordinal, period, state, too_few
from huitou.reports.page_view import headline, platform, rule_value, title
from huitou.reports.pictures import ROWS_OF
from huitou.reports.table_view import name, who
from huitou.reports.text import cell as safe
from huitou.reports.text import pieces
from huitou.reports.words import Lang, say, source_said

Value = str | float | date | None
NUMBER_FORMATS = {
    "days": "0.0",
    "share": "0.0%",
    "s": "#,##0.0",
    "CNY": "#,##0.00",
    "count": "#,##0",
    "ratio": "0.00",
    "stars": "0.00",
    "n": "#,##0",
}
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": False}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, width in characters, and the number format of its numbers ("" = by the row's unit)."""

    head: str
    width: int = 12
    form: str = "n"


def write_xlsx(report: Report, path: Path, *, lang: Lang = "zh") -> Path:
    """Write the workbook to `path` and return it. Raises DiskFull when there is no room; a half-written file does not stay."""
    draft = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with xlsxwriter.Workbook(str(draft), _OPTIONS) as book:
            book.set_properties({"title": say("title", lang), "created": report.made_at.replace(tzinfo=None)})
            sheets = _Sheets(book, lang)
            for fill in (_summary, _findings, _evidence, _reasons, _rows, _metrics, _data):
                fill(report, sheets, lang)
        draft.replace(path)
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        draft.unlink(missing_ok=True)
        if getattr(error, "errno", None) == 28 or "No space left" in str(error):  # ENOSPC
            raise DiskFull(path.parent) from None
        raise
    return path


class _Sheets:
    """Writes tables into a workbook; the only place where a cell is written."""

    def __init__(self, book: xlsxwriter.Workbook, lang: Lang) -> None:
        self.book, self.lang = book, lang
        base = {"valign": "top", "font_size": 10}
        self.head = book.add_format(base | {"bold": True, "bottom": 1, "text_wrap": True, "bg_color": "#eceeea"})
        self.text = book.add_format(base | {"text_wrap": True})
        self.day = book.add_format(base | {"num_format": "yyyy-mm-dd", "align": "left"})
        self.numbers = {name: book.add_format(base | {"num_format": form}) for name, form in NUMBER_FORMATS.items()}

    def table(self, name: str, columns: Sequence[Column], rows: Sequence[Sequence[Value]], units: Sequence[str] = ()) -> None:
        """One sheet: frozen headings, a filter, one row per entry. `units` gives the unit of each row for columns of form ""."""
        sheet = self.book.add_worksheet(safe(name)[:31])
        sheet.hide_gridlines(2)
        sheet.freeze_panes(1, 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        for at, column in enumerate(columns):
            sheet.set_column(at, at, column.width)
            sheet.write_string(0, at, safe(column.head), self.head)
        for r, row in enumerate(rows, 1):
            for at, (column, value) in enumerate(zip(columns, row, strict=True)):
                form = column.form or (units[r - 1] if r <= len(units) else "n")
                self._cell(sheet, r, at, value, self.numbers.get(form, self.numbers["n"]))
        if rows:
            sheet.autofilter(0, 0, len(rows), len(columns) - 1)

    def _cell(self, sheet: xlsxwriter.worksheet.Worksheet, row: int, at: int, value: Value, form: Format) -> None:
        if value is None:
            return
        if isinstance(value, str):
            sheet.write_string(row, at, safe(value), self.text)
        elif isinstance(value, date):
            sheet.write_datetime(row, at, value, self.day)
        elif isfinite(value):
            sheet.write_number(row, at, value, form)


def _summary(report: Report, sheets: _Sheets, lang: Lang) -> None:
    d = report.diagnosis
    rows: list[tuple[str, Value]] = [
        (say("x.headline", lang), "".join(headline(report, lang))),
        (say("x.shop", lang), d.shop),
        (say("x.platform", lang), platform(d.platform, lang)),
        (say("x.period", lang), period(*d.period, lang)),
        (say("x.rules", lang), d.rules),
        (say("x.made", lang), report.made_at.date()),
    ]
    rows += [(say("do.title", lang), _pick(r, lang)) for f in d.findings for r in f.remedies[:1]]
    rows += [(say("unknown.title", lang), text) for text in (d.unknown_zh if lang == "zh" else d.unknown_en)]
    rows += [(say("fine.title", lang), report.note(m).zh if lang == "zh" else report.note(m).en) for m in d.fine]
    rows.append(("", say("x.note", lang)))
    sheets.table(say("sheet.summary", lang), (Column(say("title", lang), 26), Column(d.shop, 90)), rows)


def _findings(report: Report, sheets: _Sheets, lang: Lang) -> None:
    w = _columns(
        lang,
        ("x.no", 5),
        ("x.finding", 44),
        ("appendix.metric", 18),
        ("chapter.value", 10, ""),
        ("x.low", 10, ""),
        ("x.high", 10, ""),
        ("x.goal", 10, ""),
        ("x.goal_from", 16),
        ("appendix.n", 9),
        ("x.customers", 9),
        ("x.money", 13, "CNY"),
        ("x.money_low", 13, "CNY"),
        ("x.money_high", 13, "CNY"),
        ("x.within", 8),
        ("x.why", 60),
        ("x.counter", 40),
        ("x.remedy", 50),
        ("x.owner", 14),
    )
    numbers = {f.code: i for i, f in enumerate(report.diagnosis.findings, 1)}
    rows: list[list[Value]] = []
    for f in report.diagnosis.findings:
        note, m = report.note(f.metric), f.money
        fen = (m.value_fen, m.low_fen, m.high_fen) if m else (None, None, None)
        why, counter = (f.why_zh, f.counter_zh) if lang == "zh" else (f.why_en, f.counter_en)
        owners = dict.fromkeys(say(f"owner.{r.owner}", lang) for r in f.remedies)
        row: list[Value] = [
            numbers[f.code],
            title(f, lang),
            note.zh if lang == "zh" else note.en,
            f.value,
            f.low,
            f.high,
            f.goal.value,
        ]
        row += [f.goal.zh if lang == "zh" else f.goal.en, f.n, f.customers, *(None if v is None else v / 100 for v in fen)]
        row += [numbers.get(f.part_of or ""), why, counter, "\n".join(_pick(r, lang) for r in f.remedies), "\n".join(owners)]
        rows.append(row)
    sheets.table(say("sheet.findings", lang), w, rows, [f.unit for f in report.diagnosis.findings])


def _evidence(report: Report, sheets: _Sheets, lang: Lang) -> None:
    w = _columns(
        lang,
        ("x.no", 5),
        ("x.finding", 30),
        ("x.caption", 26),
        ("x.customer", 9),
        ("x.at", 17),
        ("x.who", 8),
        ("x.text", 80),
        ("x.marked", 40),
    )
    rows: list[list[Value]] = []
    for no, f in enumerate(report.diagnosis.findings, 1):
        for e in f.evidence:
            for said in e.lines:
                marked = " … ".join(text for text, on in pieces(said.text, said.mark, 32_000) if on)
                head: list[Value] = [no, title(f, lang), e.zh if lang == "zh" else e.en, e.customer_code]
                rows.append([*head, said.at, say(f"who.{said.who}", lang), said.text, marked])
    sheets.table(say("sheet.evidence", lang), w, rows)


def _reasons(report: Report, sheets: _Sheets, lang: Lang) -> None:
    """A sheet for each table of reasons, and one with the words behind their cells."""
    for table in report.diagnosis.tables:
        products = [*table.columns, say("table.others", lang)]
        shares = (("chapter.share", 9, "share"), ("x.low", 9, "share"), ("x.high", 9, "share"))
        head = (("table.reason", 26), ("table.who", 10), ("chapter.count", 9))
        columns = [
            *_columns(lang, *head, *shares),
            *(Column(p, 12) for p in products),
            *_columns(lang, ("x.agent", 40), ("x.remedy", 50)),
        ]
        rows: list[list[Value]] = []
        for r in table.reasons:
            agents = say("list", lang).join(f"{a} {n}" for a, n in r.agents)
            fix = "" if r.remedy is None else _pick(r.remedy, lang)
            rows.append([name(r, lang), who(r, lang), r.n, r.share, r.low, r.high, *r.cells, agents, fix])
        sheets.table(say(f"sheet.{table.kind}", lang), columns, rows)
    _words(report, sheets, lang)


def _words(report: Report, sheets: _Sheets, lang: Lang) -> None:
    w = _columns(lang, ("x.table", 16), ("table.reason", 26), ("x.product", 16), ("x.agent", 12), ("x.day", 12),
                 ("x.customer", 9), ("x.text", 80))  # fmt: skip
    rows: list[list[Value]] = []
    for table in report.diagnosis.tables:
        for r in table.reasons:
            for e in table.examples.get(r.code, ()):
                rows.append(
                    [say(f"table.{table.kind}.title", lang), name(r, lang), e.product, e.agent, e.day, e.customer_code, e.text]
                )
    if rows:
        sheets.table(say("sheet.words", lang), w, rows)


def _rows(report: Report, sheets: _Sheets, lang: Lang) -> None:
    for no, f in enumerate(report.diagnosis.findings, 1):
        if f.rows or f.parts or f.causes:
            _one(no, f, sheets, lang)


def _one(no: int, f: Finding, sheets: _Sheets, lang: Lang) -> None:
    """One finding's rows, then its parts and its causes, on a sheet of their own."""
    w = _columns(
        lang,
        ("chapter.name", 30),
        ("appendix.n", 9),
        ("chapter.value", 11, ""),
        ("x.low", 11, ""),
        ("x.high", 11, ""),
        ("chapter.raw", 11, ""),
        ("x.flagged", 10),
        ("chapter.sign", 50),
        ("x.remedy", 40),
    )
    rows: list[list[Value]] = []
    for r in f.rows:
        sign, remedy = (r.sign_zh, r.remedy_zh) if lang == "zh" else (r.sign_en, r.remedy_en)
        rows.append([r.name, r.n, r.value, r.low, r.high, r.raw, say("data.yes", lang) if r.flagged else "", sign, remedy])
    units = [ROWS_OF.get(f.code, ("", f.unit))[1]] * len(rows) + ["share"] * (len(f.parts) + len(f.causes))
    for of, causes in (("x.part", f.parts), ("chapter.cause", f.causes)):
        for c in causes:
            name = say(of, lang) + say("colon", lang) + (c.zh if lang == "zh" else c.en)
            rows.append([name, c.n, c.share, None, None, None, None, None, None])
    sheets.table(say("sheet.rows", lang, no=ordinal(no, "en")), w, rows, units)


def _metrics(report: Report, sheets: _Sheets, lang: Lang) -> None:
    w = _columns(
        lang,
        ("appendix.metric", 24),
        ("x.metric_id", 26),
        ("x.by", 22),
        ("chapter.value", 11, ""),
        ("x.low", 11, ""),
        ("x.high", 11, ""),
        ("x.unit", 7),
        ("x.numerator", 12),
        ("x.denominator", 12),
        ("appendix.n", 9),
        ("x.open", 9),
        ("appendix.status", 24),
        ("x.definition", 60),
        ("data.origin", 30),
    )
    rows: list[list[Value]] = []
    for c in report.cells:
        note, few = report.note(c.metric), too_few(c)
        by = ", ".join(f"{dim}={value}" for dim, value in c.by.items())
        values: list[Value] = [None] * 3 if few else [c.value, c.low, c.high]
        pair: list[Value] = [None] * 2 if few else [c.numerator, c.denominator]
        row: list[Value] = [note.zh if lang == "zh" else note.en, c.metric, by, *values, c.unit, *pair]
        means = note.means_zh if lang == "zh" else note.means_en
        row += ["<5" if few and c.n else c.n, c.open or None, state(c, lang), means, source_said(note.source, lang)]
        rows.append(row)
    sheets.table(say("sheet.metrics", lang), w, rows, [c.unit for c in report.cells])


def _data(report: Report, sheets: _Sheets, lang: Lang) -> None:
    w = _columns(
        lang,
        ("data.file", 40),
        ("data.kind", 24),
        ("data.rows", 10),
        ("data.stored", 10),
        ("data.known", 10),
        ("data.aside", 10),
        ("x.first", 12),
        ("x.last", 12),
        ("data.origin", 50),
        ("data.trust", 8),
    )
    rows: list[list[Value]] = []
    for load in report.loads:
        kind = load.source_zh if lang == "zh" else load.source_en
        reasons = say("list", lang).join(say("data.reason", lang, reason=r, n=n) for r, n in load.reasons.items())
        counts: list[Value] = [load.rows, load.stored, load.known, load.set_aside]
        rows.append([load.file, kind, *counts, load.first, load.last, reasons, None])
    if report.pack is not None:
        for rule in report.pack.rules.values():
            name = say("data.rule", lang) + say("colon", lang) + (rule.zh if lang == "zh" else rule.en)
            blank: list[Value] = [None] * 6
            rows.append([name, rule_value(rule.value, rule.unit, lang), *blank, rule.source, rule.trust])
    sheets.table(say("sheet.data", lang), w, rows)


def _columns(lang: Lang, *heads: tuple[str, int] | tuple[str, int, str]) -> tuple[Column, ...]:
    return tuple(Column(say(head, lang), *rest) for head, *rest in heads)


def _pick(remedy: object, lang: Lang) -> str:
    return str(getattr(remedy, lang))
