"""Text that wants to be more than text: a thousand strings through every place of a report that imported text reaches."""

import re
import zipfile
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from io import StringIO
from itertools import cycle, product
from pathlib import Path
from shutil import which
from typing import Any, Literal

import openpyxl
import pytest
from rich.console import Console

from huitou.errors import Say
from huitou.findings.model import Cause, Evidence, Example, Finding, Line, Remedy, Row, Table
from huitou.reports import Report, print_diagnosis, write_html, write_xlsx
from huitou.reports.html import render
from huitou.reports.text import cell
from tests.sample_diagnosis import sample

CALL = "alert(1)"
SEEDS = (
    f"<script>{CALL}</script>",
    f"<img src=x onerror={CALL}>",
    f"<svg/onload={CALL}>",
    f'"><body onload={CALL}>',
    f"javascript:{CALL}",
    f"<a href=javascript:{CALL}>x</a>",
    f"'-{CALL}-'",
    f"</style><script>{CALL}</script>",
    f"</svg><script>{CALL}</script>",
    f"]]><script>{CALL}</script>",
    "<link rel=stylesheet href=http://example.invalid/x.css>",
    "<img src=http://example.invalid/x.png>",
    "@import url(http://example.invalid/)",
    "<iframe src=http://example.invalid>",
    "<meta http-equiv=refresh content='0;url=http://example.invalid'>",
    "{{ 7*7 }}",
    "{% raw %}",
    "${7*7}",
    "#{7*7}",
    "{0.__class__}",
    "%(x)s",
    "'; DROP TABLE orders;--",
    '" OR 1=1 --',
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠A1",
    '=HYPERLINK("http://example.invalid","x")',
    "=cmd|' /C calc'!A0",
    "http://example.invalid/x",
    "mailto:a@example.invalid",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b[2J",
    "[bold red]markup[/]",
    "[link=http://example.invalid]x[/link]",
    "\u202eevil\u202c",
    "\u2066a\u2069",
    "a\u200bb\u200d",
    "\ufeffx",
    "\x00nul",
    "\x85next",
    "\ud800half",
    "\udfff",
    "\ufffe",
    "e" + "\u0301" * 400,
    "A" * 20_000,
    "长" * 20_000,
    "&lt;b&gt;",
    "&#x3c;script&#x3e;",
    "<!--",
    "-->",
    'fill="#2a4f8c"',
    "datum.value",
    "<text>",
    "url(#x)",
    "\\u003cscript\\u003e",
    "\u2028" + CALL,
)
DRESSED = (
    "{}",
    "好{}",
    "{}\n{}",
    "“{}”",
    "<b>{}</b>",
    "{}=",
    "={}",
    "亲 {} 哦",
    "{} {}",
    "'{}",
    '"{}',
    "/*{}*/",
    "`{}`",
    "<{}>",
    "{}\u0000",
    "  {}",
)
HOSTILE = [dress.replace("{}", seed) for dress, seed in product(DRESSED, SEEDS)][:1000]


WHO: tuple[Literal["customer", "agent", "robot", "review"], ...] = ("customer", "agent", "review", "robot")


def hostile(times: int = 1) -> Report:
    """The sample with hostile text in every field that is imported or generated, its findings so many times."""
    words = cycle(HOSTILE)
    d = sample().diagnosis
    findings = tuple(_poisoned(f, [next(words) for _ in range(110)]) for f in d.findings for _ in range(times))
    findings = tuple(replace(f, code=f"{f.code}.{i}" if i % 2 else f.code) for i, f in enumerate(findings))
    unknown = tuple(next(words) for _ in range(20))
    texts = [next(words) for _ in range(4)]
    bad = replace(d, shop=texts[0], platform=texts[1], rules=texts[2], findings=findings, unknown_zh=unknown, unknown_en=unknown)
    bad = replace(bad, tables=tuple(_spoiled(t, [next(words) for _ in range(30)]) for t in d.tables))
    loads = tuple(
        replace(x, file=next(words), source_zh=next(words), source_en=next(words), reasons={next(words): 3})
        for x in sample().loads
    )
    cells = tuple(replace(c, by={k: next(words) for k in c.by}) if i % 3 == 0 else c for i, c in enumerate(sample().cells))
    notes = {m: replace(n, source=next(words), means_zh=next(words), means_en=next(words)) for m, n in sample().metrics.items()}
    return replace(sample(), diagnosis=bad, loads=loads, cells=cells, metrics=notes)


def _poisoned(f: Finding, text: list[str]) -> Finding:
    """Every text of a finding replaced; marks stay where they were, in or out of range."""
    lines = [
        Line(i, who, "2026-05-19 20:43", t, ((0, 7), (5, 9999)), i % 2 == 0)
        for i, (t, who) in enumerate(zip(text[:60], cycle(WHO)))
    ]
    evidence = tuple(Evidence(text[60 + i], text[63 + i], text[63 + i], tuple(lines[20 * i : 20 * i + 20])) for i in range(3))
    rows = tuple(
        Row(text[70 + i], 0.1 + i / 50, 0.05, 0.4, 50 + i, i < 3, text[75 + i], text[75 + i], text[80 + i], text[80 + i])
        for i in range(5)
    )
    causes = tuple(Cause(text[90 + i], text[90 + i], text[90 + i], 0.1, 9) for i in range(4))
    goal = replace(f.goal, zh=text[95], en=text[95], source=Say(text[96], text[96]))
    money = replace(f.money, zh=text[97], en=text[97]) if f.money else None
    fixed = replace(
        f, evidence=evidence, rows=rows, causes=causes, goal=goal, money=money, remedies=(Remedy(text[98], text[98], "owner"),)
    )
    return replace(
        fixed,
        title_zh=text[100],
        title_en=text[100],
        why_zh=text[101],
        why_en=text[101],
        counter_zh=text[102],
        counter_en=text[102],
    )


def _spoiled(table: Table, text: list[str]) -> Table:
    """Every text of a table of reasons replaced."""
    lines = tuple(Line(i, who, "2026-05-19 20:43", text[i], ((0, 7),)) for i, who in enumerate(WHO))
    proof = (Evidence(text[5], text[6], text[7], lines),)
    reasons = tuple(
        replace(r, zh=text[8], en=text[9], agents=((text[10], 9),), evidence=proof, remedy=Remedy(text[11], text[12], "owner"))
        for r in table.reasons
    )
    shown = Example(text[13], date(2026, 5, 19), text[14], text[15], text[16], 1)
    return replace(table, columns=(text[17], text[18]), reasons=reasons, examples={r.code: (shown,) for r in reasons})


class Tags(HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember the tag and the names of its attributes."""
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.fixture(scope="module", params=[pytest.param(2, marks=pytest.mark.slow)])
def written(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The hostile report as HTML and XLSX."""
    folder = tmp_path_factory.mktemp("hostile")
    write_html(hostile(request.param), folder / "report.html", lang="zh")
    write_xlsx(hostile(request.param), folder / "report.xlsx", lang="zh")
    return folder


def test_there_are_a_thousand_different_strings() -> None:
    assert len(set(HOSTILE)) == 1000


def test_hostile_text_adds_no_tag_and_no_attribute(written: Path) -> None:
    clean, page = Tags(render(sample(), "zh")), Tags((written / "report.html").read_text("utf-8"))
    assert page.seen - clean.seen == set() and page.attributes - clean.attributes == set()


def test_nothing_unseen_is_left_in_the_page(written: Path) -> None:
    page = (written / "report.html").read_text("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", page)
    assert "<script" not in page and "49" not in re.findall(r"好(\d+)<", page)


def test_the_workbook_has_no_formula_and_no_link(written: Path) -> None:
    book = openpyxl.load_workbook(written / "report.xlsx")
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]
    assert [c.value for c in cells if c.data_type == "f" or c.hyperlink] == []
    assert [c.value for c in cells if isinstance(c.value, str) and c.value.lstrip()[:1] in set("=+-@＝＋－＠")] == []
    with zipfile.ZipFile(written / "report.xlsx") as parts:
        assert not [n for n in parts.namelist() if b"example.invalid" in parts.read(n) and "rels" in n]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t1", "＝1", "＋1", "－1", "＠1", " =1", "\n=1"])
def test_what_a_spreadsheet_might_run_is_led_by_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["亲 在的", "1+1", "云朗=包", "", "−6.4"])
def test_plain_text_stays_plain(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_obeys_nobody_but_us(width: int) -> None:
    out = StringIO()
    print_diagnosis(hostile(), Console(file=out, width=width, force_terminal=False, highlight=False), lang="zh")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out.getvalue())


@pytest.mark.browser
def test_a_browser_runs_nothing_and_asks_nobody(written: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = which("chromium") or which("chromium-browser") or which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed: dialogs and requests of the page were NOT checked")
    dialogs: list[str] = []
    requests: list[str] = []

    def answer(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.on("dialog", answer)
        page.on("request", lambda r: requests.append(r.url))
        page.goto((written / "report.html").as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.wait_for_timeout(500)
        wide = page.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert dialogs == [] and [u for u in requests if not u.startswith("file:")] == [] and len(requests) == 1
    assert wide <= 390
