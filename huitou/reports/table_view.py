"""The tables of reasons as strings: why inquiries were lost, why orders were not paid, what reviews complain of."""

from dataclasses import dataclass

from huitou.findings.model import Evidence, Reason, Table
from huitou.reports.numbers import people
from huitou.reports.text import line
from huitou.reports.words import Lang, say

MOST_REASONS, MOST_TOLD, MOST_AGENTS, FEW = 14, 6, 5, 5
SPARK_WIDTH, SPARK_HEIGHT = 84, 22


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """One row as it is printed. `cells`: text and 0 … 6, how clearly it stands out. `spark`: the weeks as an SVG path."""

    name: str
    who: str
    n: str
    share: str
    interval: str
    spark: str
    dot: str
    cells: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Told:
    """One reason with who served, what to do, and the customers' own words."""

    name: str
    facts: str
    remedy: str
    owner: str
    voices: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class TableView:
    """A table of reasons as a chapter prints it."""

    kind: str
    title: str
    lead: str
    columns: list[str]
    rows: list[ReasonRow]
    totals: list[str]
    told: list[Told]
    foot: list[str]


def table_view(table: Table, lang: Lang) -> TableView:
    """The chapter of one table."""
    shown, rest = table.reasons[:MOST_REASONS], table.reasons[MOST_REASONS:]
    rows = [_row(r, lang) for r in shown]
    if rest:
        rows.append(_rest(rest, table, lang))
    others = [say("table.others", lang)] if table.totals[-1] or not table.columns else []
    return TableView(
        kind=table.kind,
        title=_title(table, lang),
        lead=_lead(table, lang),
        columns=[*(line(c, 14) for c in table.columns), *others],
        rows=rows,
        totals=[people(n) for n in table.totals],
        told=[_told(r, lang) for r in table.reasons if r.evidence][:MOST_TOLD],
        foot=[say(f"table.{table.kind}.foot", lang), say("table.foot", lang)],
    )


def name(reason: Reason, lang: Lang) -> str:
    """The reason's name."""
    return line(reason.zh if lang == "zh" else reason.en, 40)


def who(reason: Reason, lang: Lang) -> str:
    """Who can act on it."""
    return say(f"acts.{reason.who}", lang)


def _title(table: Table, lang: Lang) -> str:
    return say(f"table.{table.kind}.title", lang)


def _lead(table: Table, lang: Lang) -> str:
    """How many, the reasons that lead among those that are known, and the part in which shop and agents can act."""
    known = [r for r in table.reasons if r.who != "unknown" and r.code != "overall"]
    top = say("list", lang).join(f"{name(r, lang)} {people(r.n)}" for r in known[:3])
    facts = {"n": f"{table.n:,}", "top": top}
    if table.kind == "loss":
        facts["served"] = f"{100 * sum(r.n for r in known if r.who == 'service') / table.n:.0f}%"
    if table.kind == "unpaid":
        again = next((r.n for r in table.reasons if not r.lost), 0)
        facts["again"] = f"{again:,}"
    return say(f"table.{table.kind}.lead", lang, **facts)


def _row(r: Reason, lang: Lang) -> ReasonRow:
    path, dot = _spark(r.weeks)
    cells = [(people(k) if k else "", step if k >= FEW else 0) for k, step in zip(r.cells, r.stands_out, strict=True)]
    span = f"{100 * r.low:.1f}–{100 * r.high:.1f}"
    return ReasonRow(name(r, lang), who(r, lang), people(r.n), f"{100 * r.share:.1f}", span, path, dot, cells)


def _rest(rest: tuple[Reason, ...], table: Table, lang: Lang) -> ReasonRow:
    n = sum(r.n for r in rest)
    sums = [sum(r.cells[i] for r in rest) for i in range(len(table.totals))]
    cells = [(people(k) if k else "", 0) for k in sums]
    return ReasonRow(say("table.rest", lang, n=len(rest)), "", people(n), f"{100 * n / table.n:.1f}", "", "", "", cells)


def _spark(weeks: tuple[int, ...]) -> tuple[str, str]:
    """A line over the weeks above a base line at zero, and the height of its last point; empty for fewer than four weeks."""
    if len(weeks) < 4 or not max(weeks):
        return "", ""
    across, top = SPARK_WIDTH - 4, max(weeks)
    points = [(2 + i * across / (len(weeks) - 1), SPARK_HEIGHT - 2 - 18 * k / top) for i, k in enumerate(weeks)]
    path = "".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))
    return path, f"{points[-1][1]:.1f}"


def _told(r: Reason, lang: Lang) -> Told:
    served = say("list", lang).join(f"{line(a, 20)} {people(n)}" for a, n in r.agents[:MOST_AGENTS])
    more = len(r.agents) - MOST_AGENTS
    if more > 0:
        served += say("table.more_agents", lang, n=more, k=people(sum(n for _, n in r.agents[MOST_AGENTS:])))
    facts = say("table.served", lang, agents=served) if served else ""
    text = "" if r.remedy is None else r.remedy.zh if lang == "zh" else r.remedy.en
    owner = "" if r.remedy is None else say(f"owner.{r.remedy.owner}", lang)
    return Told(f"{name(r, lang)} {people(r.n)}", facts, text, owner, r.evidence)
