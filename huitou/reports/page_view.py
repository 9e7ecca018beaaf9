"""A report as the sentences and strings of its page, in one language."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from huitou.errors import in_language
from huitou.findings.model import Cause, Evidence, Finding, Goal, Remedy, Row, Table
from huitou.reports import pictures
from huitou.reports.model import LoadNote, MetricNote, Report
from huitou.reports.numbers import (
    amount,
    amounts,
    day,
    distance,
    goal_said,
    needed,
    ordinal,
    people,
    period,
    reading,
    scale,
    state,
    too_few,
)
from huitou.reports.pictures import Picture
from huitou.reports.table_view import table_view
from huitou.reports.text import line, pieces
from huitou.reports.words import Lang, catalogue, say, source_said
from huitou.sources.reasons import REASONS

HOUR_NAME = re.compile(r"(\d{1,2}) 点")
MOST_VOICES, MOST_SAID, MOST_TASKS, MOST_LISTED, MOST_TITLE, MOST_FILES = 3, 14, 8, 12, 160, 12


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do, by whom, and the chapter that says why."""

    text: str
    owner: str
    chapter: int


@dataclass(frozen=True, slots=True)
class Chapter:
    """One finding as it is printed."""

    no: str
    title: str
    facts: list[str]
    why: str
    pictures: list[Picture]
    signed: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    adjusted: bool
    parts: list[dict[str, Any]]
    causes: list[dict[str, Any]]
    voices: list[dict[str, Any]]
    counter: str
    remedies: list[Task]
    foot: list[str]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template prints."""

    shop: str
    platform: str
    period: str
    headline: list[str]
    stand: str
    figures: list[dict[str, str]]
    stakes: Picture | None
    tasks: list[Task]
    chapters: list[Chapter]
    tables: list[dict[str, Any]]
    unknown: Sequence[str]
    open: str
    needs: list[str]
    fine: list[str]
    metrics: list[dict[str, Any]]
    files: dict[str, Any]
    pack: dict[str, Any] | None
    made: str


def view(report: Report, lang: Lang) -> Page:
    """The page of `report` in `lang`."""
    d = report.diagnosis
    drawn: set[str] = set()
    return Page(
        shop=line(d.shop, 60),
        platform=platform(d.platform, lang),
        period=period(*d.period, lang),
        headline=headline(report, lang),
        stand=stand(report, lang),
        figures=figures(report, lang),
        stakes=pictures.stakes(report, [title(f, lang) for f in d.findings], lang),
        tasks=tasks(d.findings, lang)[:MOST_TASKS],
        chapters=[_chapter(report, i, f, lang, drawn) for i, f in enumerate(d.findings, 1)],
        tables=[_table(t, lang) for t in d.tables],
        unknown=d.unknown_zh if lang == "zh" else d.unknown_en,
        open=still_open(report, lang),
        needs=needs(report, lang),
        fine=fine(report, lang),
        metrics=_metrics(report, lang),
        files=_files(report, lang),
        pack=_pack(report, lang),
        made=say("made", lang, day=day(report.made_at.date(), lang, year=True)),
    )


def platform(code: str, lang: Lang) -> str:
    """The platform's name; one that the catalogue does not know is shown by its code."""
    key = f"platform.{code}"
    return say(key, lang) if key in catalogue() else line(code, 30)


def title(finding: Finding, lang: Lang) -> str:
    """The finding's headline without a closing stop."""
    return line(finding.title_zh if lang == "zh" else finding.title_en, MOST_TITLE).rstrip("。. ")


def headline(report: Report, lang: Lang) -> list[str]:
    """Two clauses: the two leading findings, or what was found instead of them."""
    d = report.diagnosis
    clauses = [title(f, lang) for f in d.findings[:2]]
    if not clauses and d.fine:
        clauses = [say("head.all_fine", lang, n=len(d.fine)), say("head.no_finding", lang)]
    elif len(clauses) == 1:
        clauses.append(say("head.rest_fine", lang, n=len(d.fine)) if d.fine else "")
    clauses = [c for c in clauses if c] or [say("head.nothing", lang)]
    return [c + say("clause.end", lang).strip() for c in clauses[:-1]] + clauses[-1:]


def stand(report: Report, lang: Lang) -> str:
    """Value, goal and money of the leading finding; what comes next in clarity."""
    found = report.diagnosis.findings
    if not found:
        return ""
    f, (first, last) = found[0], report.diagnosis.period
    how = scale(f.unit, max(abs(f.value), abs(f.goal.value)), lang)
    facts = {"metric": _name(report.note(f.metric), lang), "value": how.full(f.value)}
    parts = [say("stand.value", lang, **facts, goal=goal_said(_of(f.goal, lang), how.short(f.goal.value), lang))]
    if f.money is not None:
        parts.append(say("stand.money", lang, days=(last - first).days + 1, **_sums(f, lang)))
    if len(found) > 2:
        parts.append(say("stand.next", lang, titles=say("clause.end", lang).join(title(x, lang) for x in found[1:3])))
    return ("" if lang == "zh" else " ").join(parts)


def figures(report: Report, lang: Lang) -> list[dict[str, str]]:
    """Four key figures with interval and goal; a wished one without a value makes room for the next that has one."""
    whole = report.whole()
    told = [m for m in (*report.key, *whole) if m in whole and whole[m].value is not None and not too_few(whole[m])]
    out = []
    for metric in list(dict.fromkeys(told))[:4]:
        cell, goal = whole[metric], report.goal(metric)
        value, interval = reading(cell, lang)
        how = scale(cell.unit, cell.value or 0, lang)
        said = say("figure.no_goal", lang)
        if goal is not None:
            said = goal_said(line(_of(goal, lang), 24), how.short(goal.value), lang)
        out.append({"name": _name(report.note(metric), lang), "value": value, "interval": interval, "goal": said})
    return out


def tasks(findings: Sequence[Finding], lang: Lang) -> list[Task]:
    """What to do, the first remedy of every finding first; one text stands once."""
    wholes = {f.part_of for f in findings}  # whose remedy is to do the parts
    rounds = max((len(f.remedies) for f in findings), default=0)
    todo: dict[str, Task] = {}
    for turn in range(rounds):
        for no, f in enumerate(findings, 1):
            if turn < len(f.remedies) and f.code not in wholes:
                task = _task(f.remedies[turn], no, lang)
                todo.setdefault(task.text, task)
    return list(todo.values())


def needs(report: Report, lang: Lang) -> list[str]:
    """Missing exports with the metrics they would carry, those that open the most first."""
    by_need: dict[str, list[str]] = {}
    for cell in report.whole().values():
        if cell.status.startswith("needs "):
            by_need.setdefault(cell.status.removeprefix("needs "), []).append(_name(report.note(cell.metric), lang))
    ordered = sorted(by_need.items(), key=lambda item: (-len(item[1]), item[0]))
    return [say("unknown.need", lang, what=needed(w, lang), metrics=_some(names, lang)) for w, names in ordered]


def fine(report: Report, lang: Lang) -> list[str]:
    """Metrics that reach their goal: name, value, interval, goal."""
    whole, out = report.whole(), []
    for metric in report.diagnosis.fine:
        text, cell, goal = _name(report.note(metric), lang), whole.get(metric), report.goal(metric)
        if cell is None or cell.value is None:
            continue
        value, interval = reading(cell, lang)
        text += f" {value}" + (f"{say('open', lang)}{interval}{say('close', lang)}" if interval else "")
        how = scale(cell.unit, cell.value, lang)
        if goal is not None:
            text += say("comma", lang) + goal_said(_of(goal, lang), how.short(goal.value), lang)
        out.append(text)
    return out


def facts(finding: Finding, numbers: dict[str, int], lang: Lang) -> list[str]:
    """The finding in figures: value and gap, money, customers, and whether its money is within another's."""
    f = finding
    how = scale(f.unit, max(abs(f.value), abs(f.goal.value)), lang)
    far = distance(f.value, f.goal.value, f.unit, lang)
    goal = goal_said(_of(f.goal, lang), how.short(f.goal.value), lang)
    gap = {"value": how.full(f.value), "span": how.span(f.low, f.high), "goal": goal, "far": far}
    how = how.fine(f.low, f.high)
    out = [say("chapter.gap", lang, **gap)]
    if f.money is not None:
        out.append(say("chapter.money", lang, **_sums(f, lang)))
    if f.customers:
        out.append(say("chapter.customers", lang, n=people(f.customers)))
    if f.money is not None and f.part_of in numbers:
        out.append(say("chapter.within", lang, no=ordinal(numbers[f.part_of], lang)))
    return out


def _chapter(report: Report, no: int, f: Finding, lang: Lang, drawn: set[str]) -> Chapter:
    numbers = {x.code: i for i, x in enumerate(report.diagnosis.findings, 1)}
    signed = [r for r in f.rows if r.sign_zh or r.remedy_zh]
    return Chapter(
        no=ordinal(no, lang),
        title=title(f, lang),
        facts=facts(f, numbers, lang),
        why=f.why_zh if lang == "zh" else f.why_en,
        pictures=pictures.of_finding(f, report, lang, key=f"f{no}", drawn=drawn),
        signed=[_row(f, r, lang) for r in signed[:MOST_LISTED]],
        rows=[_row(f, r, lang) for r in f.rows[: pictures.MOST_ROWS]],
        adjusted=any(r.raw is not None for r in f.rows),
        parts=_causes(f.parts, lang),
        causes=_causes(f.causes, lang),
        voices=[_voice(e, lang) for e in f.evidence[:MOST_VOICES]],
        counter=(f.counter_zh if lang == "zh" else f.counter_en).removeprefix(say("chapter.counter", lang)),
        remedies=[_task(r, no, lang) for r in f.remedies],
        foot=_foot(report, f, lang),
    )


def _table(table: Table, lang: Lang) -> dict[str, Any]:
    """A table's chapter; of each told reason the first conversation or reviews."""
    view = table_view(table, lang)
    told = [{"name": t.name, "facts": t.facts, "remedy": t.remedy, "owner": t.owner,
             "voices": [_voice(e, lang) for e in t.voices[:2]]} for t in view.told]  # fmt: skip
    return {"view": view, "told": told}


def _row(f: Finding, r: Row, lang: Lang) -> dict[str, Any]:
    unit = pictures.ROWS_OF.get(f.code, ("", f.unit))[1]
    how = scale(unit, r.value, lang)
    few = 0 < r.n < 5 and unit != "count"
    sign, remedy = (r.sign_zh, r.remedy_zh) if lang == "zh" else (r.sign_en, r.remedy_en)
    value, interval = (say("value.few", lang), "") if few else (how.full(r.value), how.span(r.low, r.high))
    name = say("chart.hours.hour", lang, h=int(hour[1])) if (hour := HOUR_NAME.fullmatch(r.name)) else line(r.name, 60)
    out = {"name": name, "n": people(r.n), "value": value, "interval": interval, "flagged": r.flagged}
    return out | {"sign": sign, "remedy": remedy}


def _causes(causes: Sequence[Cause], lang: Lang) -> list[dict[str, Any]]:
    top = max((c.share or 0 for c in causes), default=0)
    return [_cause(c, top, lang) for c in causes]


def _cause(c: Cause, top: float, lang: Lang) -> dict[str, Any]:
    share = say("chapter.unmeasured", lang) if c.share is None else f"{100 * c.share:.1f}%"
    width = None if c.share is None or top <= 0 else min(max(100 * c.share / top, 0.0), 100.0)
    return {"name": c.zh if lang == "zh" else c.en, "share": share, "width": width, "n": people(c.n)}


def _voice(e: Evidence, lang: Lang) -> dict[str, Any]:
    lines = []
    for said in e.lines[:MOST_SAID]:
        review = said.who == "review"
        at = _day(said.at, lang) if review else said.at.split(" ")[-1][:5]
        who = say(f"who.{said.who}", lang)
        lines.append({"at": at, "who": who, "review": review, "fault": said.fault, "pieces": pieces(said.text, said.mark)})
    days = dict.fromkeys(_day(x.at, lang) for x in e.lines if x.who != "review")
    said_in = e.zh if lang == "zh" else e.en
    named = any(c.isalnum() for c in e.customer_code) and e.customer_code not in said_in
    caption = [] if e.customer_code in said_in else [*days]
    caption += [say("chapter.customer", lang, code=e.customer_code)] if named else []
    caption.append(said_in)
    return {"lines": lines, "caption": say("dot", lang).join(c for c in caption if c)}


def _day(at: str, lang: Lang) -> str:
    """The day of a line as the page writes days; anything else as it stands."""
    try:
        return day(date.fromisoformat(at[:10]), lang)
    except ValueError:
        return at[:10]


def _foot(report: Report, f: Finding, lang: Lang) -> list[str]:
    note = report.note(f.metric)
    means = (note.means_zh if lang == "zh" else note.means_en).rstrip("。. ") or _name(note, lang)
    head = means if means == _name(note, lang) else f"{_name(note, lang)}{say('colon', lang)}{means}"
    stop = say("clause.stop", lang)
    window = period(*f.period, lang)
    out = [say("chapter.foot", lang, means=head, stop=stop, rules=report.diagnosis.rules, period=window, n=people(f.n))]
    out.append(say("chapter.goal_source", lang, text=in_language(f.goal.source, lang)))
    if f.money is not None:
        out.append(say("chapter.money_note", lang, text=f.money.zh if lang == "zh" else f.money.en))
    return out


def _task(r: Remedy, no: int, lang: Lang) -> Task:
    return Task(r.zh if lang == "zh" else r.en, say(f"owner.{r.owner}", lang), no)


def still_open(report: Report, lang: Lang) -> str:
    """Which numbers leave something out because its window is still open, and how much; "" when none does."""
    late = [c for c in report.whole().values() if c.status == "not_yet"]
    names = [_name(report.note(c.metric), lang) + (f" {c.open:,}" if c.open else "") for c in late]
    return say("unknown.open.line", lang, metrics=say("list", lang).join(names)) if names else ""


def _metrics(report: Report, lang: Lang) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for metric, cell in report.whole().items():
        note = report.note(metric)
        value, interval = reading(cell, lang)
        pair = cell.numerator is not None and cell.denominator is not None and not too_few(cell)
        means = (note.means_zh if lang == "zh" else note.means_en).rstrip("。. ")
        about = [means, say("chapter.source", lang, text=source_said(note.source, lang)) if note.source else ""]
        row: dict[str, Any] = {"name": _name(note, lang), "means": say("clause.stop", lang).join(a for a in about if a)}
        row |= {"value": value, "interval": interval, "not_yet": cell.status == "not_yet", "state": state(cell, lang)}
        same = (pair and cell.denominator == cell.n) or (cell.unit == "count" and cell.value == cell.n)
        row |= {"ratio": f"{_count(cell.numerator)} / {_count(cell.denominator)}" if pair else ""}
        row |= {"n": "" if cell.value is None or same else say("appendix.count", lang, n=people(cell.n))}
        groups.setdefault(note.group_zh if lang == "zh" else note.group_en, []).append(row)
    last = say("group.other", lang)
    return [{"name": name, "rows": rows} for name, rows in sorted(groups.items(), key=lambda g: g[0] == last)]


def _count(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:,.1f}"


def _files(report: Report, lang: Lang) -> dict[str, Any]:
    """The files kind by kind, and one by one; the ledger's balance; why rows were set aside."""
    kinds: dict[str, list[LoadNote]] = {}
    for load in report.loads:
        kinds.setdefault(load.source_zh if lang == "zh" else load.source_en, []).append(load)
    by_kind = [_load(kind, say("data.files.n", lang, n=len(loads)), loads, lang) for kind, loads in kinds.items()]
    each = [_load(x.file, x.source_zh if lang == "zh" else x.source_en, [x], lang) for x in report.loads]
    sums = _counts(report.loads)
    even = sums["rows"] == sums["stored"] + sums["known"] + sums["aside"]
    text = say("data.balance" if even else "data.unbalanced", lang, **{k: f"{v:,}" for k, v in sums.items()})
    many = len(each) > MOST_FILES
    return {"rows": by_kind if many else each, "each": each if many else [], "balance": text, "reasons": reasons(report, lang),
            "checks": [in_language(x, lang) for x in report.checks]}  # fmt: skip


def _load(name: str, kind: str, loads: Sequence[LoadNote], lang: Lang) -> dict[str, str]:
    days = [d for x in loads for d in (x.first, x.last) if d is not None]
    counts = {key: f"{n:,}" for key, n in _counts(loads).items()}
    return {"file": name, "kind": kind, "days": period(min(days), max(days), lang) if days else "—"} | counts


def _counts(loads: Sequence[LoadNote]) -> dict[str, int]:
    names = {"rows": "rows", "stored": "stored", "known": "known", "aside": "set_aside"}
    return {key: sum(getattr(x, name) for x in loads) for key, name in names.items()}


def reasons(report: Report, lang: Lang) -> str:
    """Why rows were set aside, the commonest reasons first; "" when none were."""
    counts: dict[str, int] = {}
    for load in report.loads:
        for reason, n in load.reasons.items():
            counts[reason] = counts.get(reason, 0) + n
    top = sorted(counts.items(), key=lambda item: -item[1])[:8]
    words = {code: known.zh if lang == "zh" else known.en for code, known in REASONS.items()}
    listed = say("list", lang).join(say("data.reason", lang, reason=line(words.get(r, r), 60), n=f"{n:,}") for r, n in top)
    return say("data.reasons", lang, reasons=listed) if top else ""


def _pack(report: Report, lang: Lang) -> dict[str, Any] | None:
    pack = report.pack
    if pack is None:
        return None
    rules = [
        {"name": r.zh if lang == "zh" else r.en, "value": rule_value(r.value, r.unit, lang), "source": r.source, "trust": r.trust}
        for r in pack.rules.values()
    ]
    lead = say("data.rules.from", lang, id=pack.id, day=day(pack.valid_from, lang, year=True))
    return {"name": pack.zh if lang == "zh" else pack.en, "lead": lead, "rules": rules}


def rule_value(value: int | float | bool | str | None, unit: str | None, lang: Lang) -> str:
    """A rule's value with its unit; the second of a day as it stands, yes and no as words."""
    if value is None:
        return say("data.unset", lang)
    if isinstance(value, bool):
        return say("data.yes" if value else "data.no", lang)
    if isinstance(value, str):
        return value
    key = f"unit.{unit}"
    if unit in {"d", "days"}:
        key = "unit.d"
    return f"{value:,}" + (say(key, lang) if key in catalogue() else f" {unit}" if unit else "")


def _name(note: MetricNote, lang: Lang) -> str:
    return note.zh if lang == "zh" else note.en


def _of(goal: Goal, lang: Lang) -> str:
    return goal.zh if lang == "zh" else goal.en


def _sums(f: Finding, lang: Lang) -> dict[str, str]:
    """The finding's money and its interval as words."""
    assert f.money is not None
    m = f.money
    return {"money": amount(m.value_fen, lang, m.currency), "span": amounts(m.low_fen, m.high_fen, lang, m.currency)}


def _some(names: list[str], lang: Lang) -> str:
    shown = names[:8]
    rest = len(names) - len(shown)
    return say("list", lang).join(shown) + (f" +{rest}" if rest else "")
