"""Commands around an import: look at files before it, list and mend what it set aside, and let a folder be watched."""

import json
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huitou.errors import FileSpared, in_language

if TYPE_CHECKING:
    from huitou.cli import Call


class Shape(StrEnum):
    """How a command prints."""

    text = "text"
    json = "json"


class List(StrEnum):
    """How `huitou problems` prints."""

    text = "text"
    json = "json"
    csv = "csv"


As = Annotated[Shape, typer.Option("--format", help="输出格式。How to print: text, json (docs/doctor.md).")]


def doctor(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(help="先看文件再导入。Look at files before importing them.", readable=False)
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="用这份列对应。Use this column mapping (TOML).")] = None,
    source: Annotated[str | None, typer.Option(help="指定来源，不靠识别。Force a source by its id.")] = None,
    format_: As = Shape.text,
) -> None:
    """检查工作区；或在导入前看文件：是什么、有什么问题、接不接得上、还缺什么。Check the workspace, or look at files first."""
    from rich.console import Console

    call: Call = context.obj
    if files:
        unusable = examine(call, files, mapping=mapping, source=source, format_=format_)
        raise typer.Exit(1 if any(unusable) else 0)
    faults = call.open().lake.check()
    n = len(call.open().lake.loads())
    if format_ is Shape.json:
        told = {"sound": not faults, "imports": n, "faults": [{"zh": f.zh, "en": f.en} for f in faults]}
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
        raise typer.Exit(1 if faults else 0)
    console = Console(highlight=False)
    for fault in faults:
        console.print(f"✗ {in_language(fault, call.lang)}", style="red", soft_wrap=True, markup=False)
    if faults:
        raise typer.Exit(1)
    console.print(
        call.say(
            f"✓ 工作区完好：{n} 次导入，账目相符，文件齐全。",
            f"✓ The workspace is sound: {n} imports, the ledger balances, every file is there.",
        )
    )


def examine(
    call: "Call", files: list[Path], *, mapping: Path | None = None, source: str | None = None, format_: Shape = Shape.text
) -> list[bool]:
    """Print what files are and what an import of them would do; for each whether nothing of it could be used."""
    from rich.console import Console

    from huitou.sources.reader import begun

    with begun(files):
        from huitou.cli import _bar
        from huitou.cli.checkup import Foreseen, as_dict, lacking, print_checkup
        from huitou.sources.examine import examine_files
        from huitou.sources.registry import sources

        ws, console = call.open(), Console(highlight=False)
        with _bar(console, len(files)) as progress:
            checkup = examine_files(ws, files, mapping=mapping, source=source, progress=progress)
    with ws.lake.read() as snapshot:
        can, lacks = lacking(Foreseen(snapshot, files=checkup.files), sources(ws.path), ws.settings.platform)
    if format_ is Shape.json:
        told = as_dict(checkup, can, lacks, ws.settings.timezone)
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    else:
        print_checkup(console, checkup, can, lacks, call.lang)
    looked_at = [f for f in checkup.files if not isinstance(f.refused, FileSpared)]
    return [f.refused is not None or (f.rows > 0 and f.set_aside == f.rows) for f in looked_at]


def problems(
    context: typer.Context,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE.csv", help="写成可以改的表（.csv 或 .xlsx）。Write a table to mend.")
    ] = None,
    from_: Annotated[
        list[Path] | None, typer.Option("--from", help="原文件挪了地方就写在这里，可多个。Where the original files are now.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="改好的也列出。List mended ones too.")] = False,
    format_: Annotated[List, typer.Option("--format", help="输出格式。How to print.")] = List.text,
) -> None:
    """没有存入的行：哪个文件、为什么、怎么改；导出成表，改好再导入。Rows set aside, why, and a table to mend them in."""
    from rich.console import Console

    from huitou.cli import bad_rows

    call: Call = context.obj
    ws, console = call.open(), Console(highlight=False)
    groups = [g for g in ws.lake.ledger.quarantine.groups() if everything or g.open]
    if export is not None:
        raise typer.Exit(bad_rows.export(call, ws, export, from_ or [], console))
    if format_ is List.json:
        sys.stdout.write(bad_rows.as_json(groups) + "\n")
    elif format_ is List.csv:
        sys.stdout.write(bad_rows.as_csv(groups, call.lang))
    else:
        bad_rows.print_groups(console, groups, call.lang)


def watch(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="要看着的文件夹。The folder to watch.", show_default=False)],
    every: Annotated[float, typer.Option(min=0.1, help="几秒看一次。Seconds between looks.")] = 1.0,
    still: Annotated[float, typer.Option(min=0.0, help="文件几秒不变算写完。Seconds without change.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="导入现有的文件后就停。Import what is there, then stop.")] = False,
) -> None:
    """看着一个文件夹，新的导出文件写完就导入，一个文件一行；Ctrl-C 停止。Import what appears in a folder, once it is complete."""
    from rich.console import Console

    from huitou.cli.printing import print_arrival
    from huitou.errors import HuitouError, LakeBusy, Say
    from huitou.sources.watch import Watch
    from huitou.sources.watch import watch as arrivals

    call: Call = context.obj
    if not folder.is_dir():
        raise HuitouError(
            Say(f"{folder} 不是文件夹。", f"{folder} is no folder."), Say("写一个已有的文件夹。", "Name one that is there.")
        )
    console = Console(highlight=False)

    def busy(error: LakeBusy) -> None:
        console.print(call.say(f"… {error.says.zh}等它完成。", f"… {error.says.en} Waiting."), soft_wrap=True, markup=False)

    watched = Watch(call.open(), folder, still, busy)
    files = rows = 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        console.print(call.say(f"看着 {folder}；Ctrl-C 停止。", f"Watching {folder}; Ctrl-C stops it."), soft_wrap=True)
        for report in arrivals(watched, every_s=every, once=once):
            files += report.load is not None
            rows += report.load.stored if report.load else 0
            print_arrival(console, report, call.lang)
    except KeyboardInterrupt:
        pass  # the usual end: an import that was under way has been undone
    console.print(
        call.say(f"停了。导入 {files} 个文件，存入 {rows:,} 行。", f"Stopped. {files} files imported, {rows:,} rows stored.")
    )
