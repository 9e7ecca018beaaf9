"""Prints what was set aside, and writes it as tables to mend."""

import csv
import io
import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from huitou.cli.printing import safe
from huitou.errors import HuitouError, Say, in_language
from huitou.lake.quarantine import Group
from huitou.sources.reasons import NOTHING_TO_MEND

if TYPE_CHECKING:
    from rich.console import Console

    from huitou.cli import Call
    from huitou.lake import Workspace

FORMAT = 1
_COLUMNS = ("file", "load", "source", "reason", "column", "rows", "mended", "tried_again", "first_row", "says", "fix")


def as_json(groups: list[Group]) -> str:
    """The groups as JSON (docs/doctor.md)."""
    rows = [{**_row(g), "says": _both(g.says), "fix": _both(g.fix)} for g in groups]
    told = {"format": FORMAT, "open": sum(g.open for g in groups), "mended": sum(g.mended for g in groups), "problems": rows}
    return json.dumps(told, ensure_ascii=False, indent=1)


def as_csv(groups: list[Group], lang: str) -> str:
    """One line a group."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS)
    writer.writeheader()
    for g in groups:
        row = {**_row(g), "says": in_language(g.says, lang), "fix": in_language(g.fix, lang)}
        writer.writerow({name: safe(cell) if isinstance(cell, str) else cell for name, cell in row.items()})
    return out.getvalue()


def _row(g: Group) -> dict[str, object]:
    return {
        "file": g.file, "load": g.load, "source": g.source, "reason": g.reason, "column": g.column, "rows": g.n,
        "mended": g.mended, "tried_again": g.again, "first_row": g.first_row,
    }  # fmt: skip


def _both(text: str | Say) -> dict[str, str]:
    return {"zh": in_language(text, "zh"), "en": in_language(text, "en")}


def print_groups(console: "Console", groups: list[Group], lang: str) -> None:
    """How many rows wait to be mended, then file by file why."""
    zh = lang == "zh"
    if not groups:
        console.print("✓ 没有搁置的行。" if zh else "✓ No rows are set aside.")
        return
    waiting = [g for g in groups if g.reason not in NOTHING_TO_MEND]
    left, files, mended = sum(g.open for g in waiting), len({g.load for g in waiting}), sum(g.mended for g in groups)
    idle = sum(g.open for g in groups) - left
    more = (f"，另有 {mended:,} 行改好了" if zh else f"; {mended:,} more are mended") if mended else ""
    more += (f"，另有 {idle:,} 行不用改" if zh else f"; {idle:,} more need no mending") if idle else ""
    console.print(
        f"[bold]{'!' if left else '✓'} {left:,} 行等着改，来自 {files} 个文件{more}。[/bold]"
        if zh
        else f"[bold]{'!' if left else '✓'} {left:,} rows of {files} file{'s' * (files != 1)} wait to be mended{more}.[/bold]",
        soft_wrap=True,
    )
    for (load, file), some in groupby(groups, key=lambda g: (g.load, g.file)):
        console.print(f"{escape(file)}（第 {load} 次导入）" if zh else f"{escape(file)} (import {load})", soft_wrap=True)
        for g in some:
            console.print(f"    {g.open:,} × {escape(_sentence(g, lang))}", soft_wrap=True)
    if left:
        console.print(
            "导出来改：huitou problems --export 改.csv，改好后 huitou import 改.csv"
            if zh
            else "To mend them: huitou problems --export mend.csv, then huitou import mend.csv",
            soft_wrap=True,
        )


def _sentence(g: Group, lang: str) -> str:
    stop, says, fix = ("。", in_language(g.says, lang), in_language(g.fix, lang)) if lang == "zh" else (
        ". ", in_language(g.says, lang), in_language(g.fix, lang).rstrip(".")
    )  # fmt: skip
    cell = "" if g.column is None else f"「{g.column}」" if lang == "zh" else f" «{g.column}»"
    done = (f"（{g.mended:,} 行改好了）" if lang == "zh" else f" ({g.mended:,} mended)") if g.mended else ""
    at = f"（最早在第 {g.first_row:,} 行{cell}）" if lang == "zh" else f" (first in row {g.first_row:,}{cell})"
    return f"{says}{stop}{fix}{stop.strip()}{at}{done}"


def export(call: "Call", ws: "Workspace", path: Path, elsewhere: list[Path], console: "Console") -> int:
    """Write the open bad rows as tables, one for each header, and say where; the exit code."""
    from huitou.sources.mending import LINES, take_out, write_table

    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise HuitouError(
            Say(f"{path.name} 不是 .csv 或 .xlsx。", f"{path.name} is neither .csv nor .xlsx."),
            Say("换一个以 .csv 或 .xlsx 结尾的文件名。", "Choose a name that ends in .csv or .xlsx."),
        )
    taken = take_out(ws, call.lang, elsewhere)
    for at, table in enumerate(taken.tables):
        name = path if len(taken.tables) == 1 else path.with_name(f"{path.stem}_{at + 1}{path.suffix}")
        write_table(table, name)
        chat = table.headings == LINES
        how = f"huitou import {name}" + (" --mapping …" if table.source.startswith("mapped.") else "")
        console.print(
            call.say(
                f"✓ {name}：{len(table.rows):,} 行（{table.source}）。"
                + ("聊天请改原文件，再导入原文件。" if chat else f"改好后运行 {how}。"),
                f"✓ {name}: {len(table.rows):,} rows ({table.source}). "
                + ("Mend chats in their own file and import that." if chat else f"Mend them, then run {how}."),
            ),
            soft_wrap=True, markup=False,
        )  # fmt: skip
    if taken.tables:
        console.print(
            call.say("里面是原来的内容，可能有客户信息；改完导入后删掉它。",
                     "They hold rows as they were, perhaps with customers' data: delete them once they are imported."),
            soft_wrap=True,
        )  # fmt: skip
    for load, was, n in taken.missing:
        zh = f"✗ {load.file}：{n:,} 行，原文件不在{f' {was}' if was else '原处'}，或已被改过。用 --from 写明它在哪里。"
        en = f"✗ {load.file}: {n:,} rows; the original is not at {was or 'its place'}, or was changed. Name it with --from."
        console.print(call.say(zh, en), style="red", soft_wrap=True, markup=False)
    for load, n in taken.left:
        zh = f"✗ {load.file}：{n:,} 行取不出来，在原文件里改，再导入原文件。"
        en = f"✗ {load.file}: {n:,} rows cannot be taken out; mend them in the original and import that again."
        console.print(call.say(zh, en), style="red", soft_wrap=True, markup=False)
    if not (taken.tables or taken.missing or taken.left):
        console.print(call.say("✓ 没有要改的行。", "✓ There are no rows to mend."))
    return 0 if not taken.missing + taken.left else 3 if taken.tables else 1
