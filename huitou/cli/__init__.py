"""The command line: huitou demo | init | import | build | diagnose | metrics | report | doctor.

Exit codes: 0 done · 1 a sentence says what is wrong and what to do · 2 the command was not understood · 3 some files were
refused, the others are in · 130 stopped by the user (nothing half done stays).
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huitou.cli import intake
from huitou.cli.label import label
from huitou.cli.learn import learn
from huitou.cli.sentences import Sentences
from huitou.cli.tag import tag
from huitou.errors import FileSpared, Say, SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from huitou.build import BuildReport
    from huitou.lake.workspace import Workspace

app = typer.Typer(
    name="huitou",
    cls=Sentences,
    help="回头：网店客服与回头客诊断。Find where an online shop loses customers, why, what it costs and what to do.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Lang(StrEnum):
    """Language of all output."""

    zh = "zh"
    en = "en"


class Format(StrEnum):
    """How `huitou metrics` prints."""

    table = "table"
    csv = "csv"
    json = "json"


@dataclass(slots=True)
class Call:
    """What stands before the command: the workspace and the language."""

    workspace: Path
    lang: Lang

    def open(self) -> "Workspace":
        """The workspace named with -w; raises NotAWorkspace."""
        from huitou.lake.workspace import Workspace

        return Workspace.open(self.workspace)

    def say(self, zh: str, en: str) -> str:
        """The sentence in the chosen language."""
        return zh if self.lang is Lang.zh else en


Files = Annotated[list[Path], typer.Argument(help="导出文件。Export files.", show_default=False, readable=False)]
From = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="首日。First day.")]
To = Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="末日（含）。Last day, included.")]
LangHere = Annotated[Lang | None, typer.Option("--lang", help="输出语言。Language of the output.")]


@app.callback()
def _call(
    context: typer.Context,
    workspace: Annotated[Path, typer.Option("-w", "--workspace", help="工作区。Workspace folder.")] = Path(),
    lang: Annotated[Lang, typer.Option(help="输出语言。Language of the output.", envvar="HUITOU_LANG")] = Lang.zh,
) -> None:
    context.obj = Call(workspace, lang)


@app.command()
def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="放演示店铺的文件夹。Folder for the demo shop.")] = Path("demo-shop"),
    seed: Annotated[int, typer.Option(help="随机种子。Seed.")] = 20260531,
    scale: Annotated[float, typer.Option(help="规模，1 约为三个月一万段询单。Size; 1 is about 10,000 inquiries.")] = 1.0,
    files_only: Annotated[bool, typer.Option("--files-only", help="只写导出文件。Write the export files and stop.")] = False,
) -> None:
    """造一家演示店铺，导入、诊断、写报告。Make the demo shop, import it, diagnose it, write the report."""
    from huitou.demo import settings_for_demo, write_demo
    from huitou.lake.workspace import Workspace

    call: Call = context.obj
    console = _console()
    exports = folder / "exports"
    with console.status(call.say("正在写演示店铺的导出文件", "Writing the demo shop's export files")):
        write_demo(exports, seed=seed, scale=scale)
    console.print(call.say(f"演示店铺的导出文件：{exports}", f"The demo shop's export files: {exports}"))
    if files_only:
        return
    if not (folder / "huitou.toml").exists():
        Workspace.create(folder, **settings_for_demo())
    call.workspace = folder
    files = sorted(p for p in exports.iterdir() if p.suffix in {".csv", ".txt", ".xlsx"} and p.name != "README.txt")
    _import(call, files, console)
    _diagnose(call, None, console)


@app.command()
def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="新工作区。Folder of the new workspace.")],
    shop: Annotated[str | None, typer.Option(help="店名，默认取文件夹名。The shop's name; the folder's by default.")] = None,
    platform: Annotated[str, typer.Option(help="平台。tmall, taobao, jd, pdd, douyin, shopify …")] = "tmall",
) -> None:
    """建一个工作区。Make a workspace: huitou.toml, lake, vault, reports."""
    from huitou.lake.workspace import Workspace

    call: Call = context.obj
    ws = Workspace.create(folder, shop=shop or folder.resolve().name, platform=platform)
    _console().print(
        call.say(
            f"工作区已建好：{folder}\n先看一眼 {ws.path / 'huitou.toml'}（店名、时区、规则包），再运行：\n"
            f"  huitou -w {folder} import 导出文件…",
            f"The workspace is ready: {folder}\nLook at {ws.path / 'huitou.toml'} (shop, time zone, rules), then run:\n"
            f"  huitou -w {folder} import FILES…",
        ),
        soft_wrap=True,
    )


@app.command("import")
def import_(
    context: typer.Context,
    files: Files,
    map_: Annotated[
        bool,
        typer.Option("--map", help="给不认识的表写一份列对应草稿；改好后再运行一次。Draft a column mapping; edit it, run again."),
    ] = False,
    mapping: Annotated[Path | None, typer.Option(help="用这份列对应。Use this column mapping (TOML).")] = None,
    source: Annotated[str | None, typer.Option(help="指定来源，不靠识别。Force a source by its id.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看不存。Look, store nothing.")] = False,
) -> None:
    """导入平台导出的文件。Import export files; every row is stored, already known, or listed with its reason."""
    call: Call = context.obj
    console = _console()
    if map_ and mapping is None:
        mappings = _mappings(call, files, console)
        useless = [no for file in mappings for no in _import(call, [file], console, mapping=mappings[file], dry_run=dry_run)]
    else:
        useless = _import(call, files, console, mapping=mapping, source=source, dry_run=dry_run)
    if any(useless):
        raise typer.Exit(1 if all(useless) else 3)


@app.command()
def build(context: typer.Context) -> None:
    """算事实表，读聊天和评价，只算有变化的月份。Build the facts and read chats and reviews; only months that changed."""
    call: Call = context.obj
    console = _console()
    report = _build(call, call.open(), console)
    if not report.months:
        console.print(call.say("都是最新的。", "Everything is up to date."))
        return
    rows = " · ".join(f"{name} {n:,}" for name, n in report.rows.items())
    months = f"{report.months[0]} – {report.months[-1]}"
    facts, texts = f"{report.facts_s:.1f}", f"{report.texts_s:.1f}"
    console.print(
        call.say(
            f"{months}：{rows}（事实 {facts} 秒，读聊天和评价 {texts} 秒）",
            f"{months}: {rows} (facts {facts} s, chats and reviews {texts} s)",
        ),
        soft_wrap=True,
    )


@app.command()
def diagnose(context: typer.Context, first: From = None, last: To = None, lang: LangHere = None) -> None:
    """诊断：结论、金额、原因、谁做什么；并写 HTML 和 XLSX 报告。Diagnose and write the report."""
    call: Call = context.obj
    call.lang = lang or call.lang
    _diagnose(call, _period(first, last), _console())


@app.command()
def report(context: typer.Context, first: From = None, last: To = None, lang: LangHere = None) -> None:
    """只写报告文件，不在终端打印结论。Write the report's files only."""
    call: Call = context.obj
    call.lang = lang or call.lang
    _diagnose(call, _period(first, last), _console(), quiet=True)


@app.command()
def metrics(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="指标编号；all 为全部；不写则列出。Metric ids; all; none lists them.")
    ] = None,
    by: Annotated[list[str] | None, typer.Option(help="维度，可多个：agent product day hour customer …。Dimensions.")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="DIM=VALUE", help="只看这一格。Only this cell.")] = None,
    first: From = None,
    last: To = None,
    format_: Annotated[Format, typer.Option("--format", help="输出格式。How to print.")] = Format.table,
    rows: Annotated[bool, typer.Option("--rows", help="打印这一格背后的行。Print the rows behind the cell.")] = False,
    limit: Annotated[int, typer.Option(help="--rows 的最多行数。At most this many rows.")] = 1000,
) -> None:
    """指标：值、分子、分母、样本量、区间。Numbers with numerator, denominator, n and interval."""
    from huitou.cli.printing import as_csv, as_json, print_catalog, print_cells, print_frame
    from huitou.metrics import METRICS, catalog, compute
    from huitou.metrics import rows as rows_behind
    from huitou.rules import load_pack

    call: Call = context.obj
    console = _console()
    if not names:
        print_catalog(console, catalog(), call.lang)
        return
    dims = tuple(d for one in by or () for d in one.split(",") if d)
    period, cell = _period(first, last), _where(where or [])
    ws = call.open()
    _build(call, ws, _console(stderr=True))
    pack = load_pack(ws.settings.rules, ws.path)
    wanted = list(METRICS) if names == ["all"] else names
    with ws.read() as snapshot:
        if rows:
            for name in wanted:
                behind = rows_behind(snapshot, ws.settings, pack, name, by=dims, period=period, where=cell, limit=limit)
                print_frame(behind, format_, console)
            return
        cells = compute(snapshot, ws.settings, pack, wanted, by=dims, period=period, where=cell)
    if format_ is Format.table:
        print_cells(console, cells, METRICS, call.lang)
    else:
        sys.stdout.write(as_json(cells) + "\n" if format_ is Format.json else as_csv(cells))


app.command()(intake.doctor)
app.command()(intake.problems)
app.command()(intake.watch)
app.command()(tag)
app.command()(learn)
app.command()(label)

_COMMAND = Say("命令", "the command")


def _console(stderr: bool = False) -> "Console":
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def _period(first: str | None, last: str | None) -> tuple[date, date] | None:
    """Both ends or none; a missing end reaches to the border of the data."""
    if first is None and last is None:
        return None
    days = []
    for option, text, default in (("--from", first, date.min), ("--to", last, date.max)):
        try:
            days.append(date.fromisoformat(text) if text else default)
        except ValueError:
            says = Say(f"{text!r} 不是日期", f"{text!r} is not a day")
            raise SettingsError(_COMMAND, option, says, Say("写成 2026-05-04。", "Write it as 2026-05-04.")) from None
    if days[0] > days[1]:
        raise SettingsError(_COMMAND, "--from", Say("晚于 --to", "is later than --to"), Say("把两者对调。", "Exchange them."))
    return days[0], days[1]


def _where(pairs: list[str]) -> dict[str, str]:
    wrong = [p for p in pairs if "=" not in p]
    if wrong:
        says = Say(f"{wrong[0]!r} 不是 维度=值", f"{wrong[0]!r} is no DIM=VALUE")
        fix = Say("写成 --where agent=小满。", "Write it as --where agent=小满.")
        raise SettingsError(_COMMAND, "--where", says, fix)
    return {dim: value for dim, _, value in (p.partition("=") for p in pairs)}


def _mappings(call: Call, files: list[Path], console: "Console") -> dict[Path, Path]:
    """Each file's own mapping, or nothing after drafts were written for the user to edit."""
    from huitou.cli.printing import print_draft
    from huitou.sources.drafts import draft_mapping
    from huitou.sources.sniff import head

    folder = call.open().path / "mappings"
    mappings = {file: folder / f"{file.stem}.toml" for file in files}
    fresh = {target: draft_mapping(head(file)) for file, target in mappings.items() if not target.exists()}
    for target, draft in fresh.items():
        folder.mkdir(exist_ok=True)
        target.write_text(draft.text, "utf-8")
        print_draft(console, target, draft, call.lang)
    return {} if fresh else mappings


@contextmanager
def _bar(console: "Console", total: int) -> Iterator[Callable[[Path, int, int, int], None]]:
    """A progress bar over bytes of files, if a person looks; the callback takes (file, bytes done, bytes in all, rows so far)."""
    if not console.is_terminal:
        yield lambda *_: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rows]:,}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        tasks: dict[Path, object] = {}

        def step(file: Path, done: int, size: int, rows: int) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(f"{len(tasks) + 1}/{total} {file.name}", total=size, rows=0)
            bar.update(tasks[file], completed=done, rows=rows)  # type: ignore[arg-type]

        yield step


def _import(
    call: Call,
    files: list[Path],
    console: "Console",
    *,
    mapping: Path | None = None,
    source: str | None = None,
    dry_run: bool = False,
) -> list[bool]:
    """Import and print one line a file; for each whether nothing of it could be used."""
    if dry_run:
        return intake.examine(call, files, mapping=mapping, source=source)
    from huitou.sources.reader import begun

    with begun(files):
        from huitou.cli.printing import print_imports
        from huitou.sources.importer import import_files

        ws = call.open()
        with _bar(console, len(files)) as progress:
            reports = import_files(ws, files, mapping=mapping, source=source, progress=progress)
    print_imports(console, reports, call.lang)
    useless = [one.refused is not None or (one.rows > 0 and sum(one.problems.values()) == one.rows) for one in reports]
    return [no for no, one in zip(useless, reports, strict=True) if not isinstance(one.refused, FileSpared)]


def _build(call: Call, ws: "Workspace", console: "Console") -> "BuildReport":
    """Bring the fact tables and what the texts say up to date."""
    from huitou.build import build as bring_up_to_date
    from huitou.tables import TABLES

    said = call.say("正在计算", "Building")
    with console.status(said) as status:

        def step(table: str, done: int, parts: int) -> None:
            name = TABLES[table].zh if call.lang is Lang.zh else table
            status.update(f"{said} {name} {done}/{parts}")

        return bring_up_to_date(ws, progress=step)


def _diagnose(call: Call, period: tuple[date, date] | None, console: "Console", *, quiet: bool = False) -> None:
    """Diagnose, write the report beside the data, and say what stands out (`quiet`: only where the files are)."""
    from concurrent.futures import ThreadPoolExecutor

    from huitou.cli.gather import gather
    from huitou.reports.drawing import begin
    from huitou.reports.html import write_html
    from huitou.reports.terminal import print_diagnosis
    from huitou.reports.xlsx import write_xlsx

    ws = call.open()
    _build(call, ws, console)
    begin()
    with console.status(call.say("正在诊断", "Diagnosing")):
        report = gather(ws, period)
        first, last = report.diagnosis.period
        stem = f"{call.say('诊断报告', 'diagnosis')}_{first}_{last}"
        with ThreadPoolExecutor(1) as beside:  # which waits for its charts
            page = beside.submit(write_html, report, ws.reports / f"{stem}.html", lang=call.lang.value)
            book = write_xlsx(report, ws.reports / f"{stem}.xlsx", lang=call.lang.value)
            files = [page.result(), book]
    if quiet:
        for file in files:
            console.print(str(file), soft_wrap=True)
        return
    print_diagnosis(report, console, lang=call.lang.value, files=files)


def main() -> None:
    """Entry point: every fault a user can cause ends as a sentence and an exit code, never as a traceback."""
    gc.set_threshold(100_000, 20, 100)  # expressions are many small objects that live on: looking them through took a tenth
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # the last door: a fault of ours is one sentence too
        if os.environ.get("HUITOU_DEBUG"):
            raise
        _fail(
            f"Huitou 自己出了错（{type(error).__name__}）。Huitou itself failed ({type(error).__name__}). "
            "Run again with HUITOU_DEBUG=1 to see where, and report it.",
            1,
        )


def _fail(says: str, code: int) -> None:
    sys.stderr.write(says + "\n")
    sys.exit(code)
