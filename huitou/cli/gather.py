"""Asks findings and metrics for everything that one report shows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from huitou.errors import Say
from huitou.findings import diagnose
from huitou.findings.case import Case
from huitou.findings.model import Diagnosis, Goal
from huitou.lake.duckdb import Snapshot
from huitou.lake.workspace import Workspace
from huitou.metrics import compute
from huitou.metrics.model import Cell
from huitou.reports.model import LoadNote, Report, cuts, notes
from huitou.rules import RulePack, load_pack
from huitou.rules.taxonomy import load_taxonomies
from huitou.sources.examine import stored
from huitou.sources.generic import mapped_name
from huitou.sources.joins import said
from huitou.sources.registry import sources


def gather(ws: Workspace, period: tuple[date, date] | None) -> Report:
    """The report of a workspace for a period ([first, last] day; None: the findings' own default)."""
    pack, words = load_pack(ws.settings.rules, ws.path), load_taxonomies(ws.path)
    with ws.read() as snapshot:
        diagnosis = diagnose(snapshot, ws.settings, pack, period=period, words=words)
        cells = _cells(ws, snapshot, pack, diagnosis)
        goals = _goals(Case(snapshot, ws.settings, pack, diagnosis.period, words))
    report = Report(diagnosis, tuple(cells), notes(), tuple(_loads(ws)), pack, datetime.now().astimezone(), goals)
    return replace(report, checks=tuple(_checks(ws)))


def _cells(ws: Workspace, snapshot: Snapshot, pack: RulePack, diagnosis: Diagnosis) -> list[Cell]:
    """Every metric of the whole shop, and the cuts that the report draws."""
    wanted, found = cuts(diagnosis), dict[tuple[str, str], list[Cell]]()
    for dimension in dict.fromkeys(dimension for _, dimension in wanted):
        names = [metric for metric, by in wanted if by == dimension]
        for cell in compute(snapshot, ws.settings, pack, names, by=(dimension,), period=diagnosis.period):
            if dimension != "week" or _begun(cell, diagnosis):
                found.setdefault((cell.metric, dimension), []).append(cell)
    return [*diagnosis.cells, *(cell for cut in wanted for cell in found.get(cut, []))]


def _begun(cell: Cell, diagnosis: Diagnosis) -> bool:
    """Whether the week's Monday is inside the period: a week of one or two days would draw a point of its own."""
    year, week = cell.by["week"].split("-W")
    return date.fromisocalendar(int(year), int(week), 1) >= diagnosis.period[0]


def _goals(case: Case) -> dict[str, Goal]:
    """The goal that comes first for each metric: the shop's own, the platform's, the industry's."""
    return {metric: stated[0] for metric, stated in case.goals.items()}


def _checks(ws: Workspace) -> Iterator[Say]:
    """How far what was imported joins, faults first; then how many rows wait to be mended."""
    joins, days = stored(ws)
    for _, told in sorted((said(join, days) for join in joins), key=lambda one: not one[0]):
        yield told
    if waiting := sum(group.open for group in ws.lake.ledger.quarantine.groups()):
        yield Say(
            f"{waiting:,} 行没有存入，等着改：运行 huitou problems。", f"{waiting:,} rows wait to be mended: run huitou problems."
        )


def _loads(ws: Workspace) -> list[LoadNote]:
    """The ledger, oldest import first."""
    names = {s.id: (s.zh, s.en) for s in sources(ws.path)}
    aside: dict[int, Counter[str]] = {}
    for group in ws.lake.ledger.quarantine.groups():
        aside.setdefault(group.load, Counter())[group.reason] += group.n
    out = []
    for load in ws.lake.loads():
        zh, en = names.get(load.source) or mapped_name(load.source) or (load.source, load.source)
        reasons = aside.get(load.repeats_of or load.number, Counter())
        out.append(
            LoadNote(
                load.file,
                zh,
                en,
                load.rows_read,
                load.stored,
                load.known,
                load.quarantined,
                load.first_day,
                load.last_day,
                dict(reasons),
            )
        )
    return out
