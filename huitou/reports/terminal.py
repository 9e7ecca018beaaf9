"""The diagnosis on one screen of the terminal: the sentence, the key figures, what to look at first, where the report is."""

import re
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from huitou.findings.model import Finding
from huitou.reports.model import Report
from huitou.reports.numbers import amount, amounts, ordinal, period
from huitou.reports.page_view import figures, headline, platform, title
from huitou.reports.table_view import name
from huitou.reports.text import line
from huitou.reports.words import Lang, say

MOST = 5
_TOKEN = re.compile(r"\s*[^\s\u2e80-\uffff]+[，。；：、）」！？]*|\s*[\u2e80-\uffff][，。；：、）」！？]*|\s+")
_STOPS = "，。；：、）」"


def print_diagnosis(report: Report, console: Console, *, lang: Lang = "zh", files: Sequence[Path] = ()) -> None:
    """Print the diagnosis to `console`; `files` are the written reports, named at the end."""
    d = report.diagnosis
    where = Text(say("dot", lang).join((line(d.shop, 40), platform(d.platform, lang), period(*d.period, lang))), style="dim")
    lead = Text("\n".join(fold(line(c, 200), console.width) for c in headline(report, lang)), style="bold")
    parts: list[RenderableType] = [where, lead]
    if told := figures(report, lang):
        parts += ["", _figures(told, console.width)]
    if d.findings:
        parts += ["", _heading(say("t.findings", lang)), _findings(report, lang, console.width)]
        if len(d.findings) > MOST:
            parts.append(Text(say("t.more", lang, n=len(d.findings) - MOST), style="dim"))
    if d.tables:
        parts += ["", _heading(say("t.reasons", lang)), *_reasons(report, lang, console.width)]
    unknown = d.unknown_zh if lang == "zh" else d.unknown_en
    if unknown:
        parts += ["", _heading(say("t.unknown", lang)), *(Text(_indented(u, console.width), style="dim") for u in unknown[:3])]
    if files:
        parts += ["", _heading(say("t.report", lang)), *(Text(f"  {file}", style="cyan") for file in files)]
    console.print(Padding(Group(*parts), (1, 0)))


def _indented(text: str, width: int) -> str:
    return "  " + fold(line(text, 200), width - 2).replace("\n", "\n  ")


def _heading(text: str) -> Rule:
    return Rule(Text(text, style="bold"), align="left", style="dim", characters="─")


def _figures(told: list[dict[str, str]], width: int) -> Table:
    """The key figures side by side: name, value, interval and goal; two by two on a narrow screen."""
    per_line = 4 if width >= 100 else 2
    grid = Table.grid(expand=True, padding=(0, 2))
    for _ in range(per_line):
        grid.add_column(ratio=1)
    cells = []
    for f in told:
        cell = Text(line(f["name"], 40), style="dim")
        cell.append(f"\n{f['value']}", style="bold not dim")
        cell.append(f"  {f['interval']}\n{line(f['goal'], 30)}", style="dim")
        cells.append(cell)
    for at in range(0, len(cells), per_line):
        grid.add_row(*cells[at : at + per_line])
    return grid


def _findings(report: Report, lang: Lang, screen: int) -> Table:
    """Number, headline and next step on the left; money with its interval on the right."""
    found = report.diagnosis.findings
    numbers = {f.code: i for i, f in enumerate(found, 1)}
    grid = Table.grid(expand=True, padding=(0, 2))
    grid.add_column(width=3, justify="right", style="dim")
    grid.add_column(ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    sums = [_money(f, numbers, lang) for f in found[:MOST]]
    width = max(screen - 7 - max(cell_len(part) for text in sums for part in text.plain.split("\n")), 20)
    for no, f in enumerate(found[:MOST], 1):
        said = Text(fold(line(title(f, lang), 120), width), style="bold")
        if f.remedies:
            first = f.remedies[0]
            who = f"{say('open', lang)}{say(f'owner.{first.owner}', lang)}{say('close', lang)}"
            step = fold(line(first.zh if lang == "zh" else first.en, 200) + who, width - 2)
            said.append("\n→ " + step.replace("\n", "\n  "), style="not bold")
        grid.add_row(ordinal(no, "en"), said, sums[no - 1])
    return grid


def _reasons(report: Report, lang: Lang, width: int) -> list[Text]:
    """One line a table: its title and the most frequent reasons with their shares."""
    out = []
    for table in report.diagnosis.tables:
        top = say("list", lang).join(f"{name(r, lang)} {100 * r.share:.1f}%" for r in table.reasons[:MOST])
        said = fold(f"{say(f'table.{table.kind}.title', lang)}{say('colon', lang)}{top}", width - 2)
        out.append(Text("  " + said.replace("\n", "\n  ")))
    return out


def fold(text: str, width: int) -> str:
    """`text` in lines of at most `width` cells: Latin words stay whole, Chinese may break anywhere but before a stop."""
    lines, now = [""], 0
    for token in _TOKEN.findall(text):
        wide = cell_len(token)
        if now and now + wide > width and not (token in _STOPS and now + wide <= width + 1):
            lines[-1], now = lines[-1].rstrip(), 0
            lines.append("")
            token = token.lstrip()
            wide = cell_len(token)
        lines[-1] += token
        now += wide
    return "\n".join(lines)


def _money(f: Finding, numbers: dict[str, int], lang: Lang) -> Text:
    if f.money is None:
        return Text("")
    m = f.money
    text = Text(amount(m.value_fen, lang, m.currency), style="bold")
    text.append(f"\n{amounts(m.low_fen, m.high_fen, lang, m.currency)}", style="dim not bold")
    if f.part_of in numbers:
        text.append(f"\n{say('t.within', lang, no=numbers[f.part_of])}", style="dim not bold")
    return text
