"""What the import doctor says of files: conclusions first, as text, and as JSON that stays the same (docs/doctor.md)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from huitou.errors import FileSpared, Say, in_language
from huitou.metrics.declare import METRICS
from huitou.metrics.needs import NEEDS, Stock
from huitou.sources.examine import Checkup, Days, FileCheck
from huitou.sources.joins import Join, said
from huitou.sources.model import Source
from huitou.sources.reasons import NOTES, NOTHING_TO_MEND, ONCE, REASONS
from huitou.tables import TABLES

if TYPE_CHECKING:
    from rich.console import Console

FORMAT = 1
"""Version of the JSON; grows when a field goes away or changes its meaning."""
MANY_FILES = 20
"""From this many files on, files without anything to say share one line by source."""
CARRIED_BY: dict[str, tuple[str, ...]] = {
    "chats": ("messages",), "orders": ("orders",), "buyer id": ("orders",), "items": ("orders", "order_lines"),
    "refunds": ("refunds", "orders"), "refund export": ("refunds",), "refunded items": ("order_lines", "refunds"),
    "refund reasons": ("refunds",), "reviews": ("reviews",), "ratings": ("reviews",), "review replies": ("reviews",),
    "traffic": ("traffic",), "page views": ("traffic",), "visits": ("traffic",), "product traffic": ("traffic",),
    "item visitors": ("traffic",), "shop scores": ("traffic",), "satisfaction ratings": ("chat_sessions",),
}  # fmt: skip
"""What a metric needs → the tables whose exports can carry it; a need that is not here has no source yet."""


OWN = {"tmall": ("wangwang", "qianniu", "tmall", "sycm", "chitu"), "douyin": ("douyin", "feige")}
"""Beginnings of the ids of a platform's sources, where they are not the platform's name."""
BOUND = {p: OWN.get(p, (p,)) for p in ("tmall", "jd", "pdd", "douyin", "shopify", "woocommerce", "olist")}
"""The same of every platform that has sources of its own: its shops have no other's exports."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """A need that neither the lake nor the files meet: the metrics that wait for it, and the exports that would carry it."""

    need: str
    metrics: tuple[str, ...]
    exports: tuple[Say, ...]


@dataclass(slots=True)
class Foreseen(Stock):
    """What there will be once the files are in: the lake's stock and the cells that the files fill."""

    files: tuple[FileCheck, ...] = ()
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)

    def has(self, table: str) -> bool:
        """Whether the table will hold any row."""
        return self.snapshot.has(table) or any(f.tables.get(table) for f in self.files)

    def facts(self, table: str) -> dict[str, Any]:
        """Filled cells by column; those of ``order_facts`` follow from orders, order lines and refunds."""
        if table not in self.asked:
            if table == "order_facts":
                items = self._filled("orders", "items") + self._filled("order_lines", "quantity")
                back = self._filled("orders", "refund_fen") + self._filled("order_lines", "refunded")
                back += self._filled("refunds", "amount_fen")
                self.asked[table] = {"items": items, "refund_items": min(items, back), "refund_fen_max": back}
            else:
                names = (c.name for c in TABLES[table].columns)
                self.asked[table] = {name: self._filled(table, name) for name in names}
        return self.asked[table]

    def _filled(self, table: str, column: str) -> int:
        n = sum(f.filled[table][column] for f in self.files if table in f.filled)
        if n or not self.snapshot.has(table):
            return n
        cells = self.snapshot.table(table)[column]
        told = {"refund_fen": lambda: (cells > 0).sum(), "refunded": lambda: cells.sum()}.get(column, cells.count)
        return int(self.snapshot.frame(told())[0, 0] or 0)


def lacking(stock: Stock, sources: list[Source], platform: str) -> tuple[int, list[Lacking]]:
    """How many metrics can be computed, and what the others wait for: what opens the most first, of its exports the
    platform's own, else those that any shop may have."""
    own = "tmall" if platform == "taobao" else platform
    others = tuple(begins for p, beginnings in BOUND.items() if p != own for begins in beginnings)
    waiting: dict[str, list[str]] = {}
    for m in METRICS.values():
        need = next((n for n in m.needs if not NEEDS[n].there(stock)), None)
        if need is not None:
            waiting.setdefault(need, []).append(m.id)
    found = []
    for need, metrics in sorted(waiting.items(), key=lambda item: (item[0] not in CARRIED_BY, -len(item[1]))):
        carriers = [s for s in sources if set(CARRIED_BY.get(need, ())) & set(s.feeds) and need not in getattr(s, "lacks", ())]
        carriers = [s for s in carriers if s.id.startswith(OWN.get(own, (own,)))] or [
            s for s in carriers if own not in BOUND or not s.id.startswith(others)
        ]
        exports = dict.fromkeys(_export_of(s, stock) for s in carriers if not s.id.startswith("api."))
        found.append(Lacking(need, tuple(metrics), tuple(exports)))
    return len(METRICS) - sum(len(x.metrics) for x in found), found


def _export_of(source: Source, stock: Stock) -> Say:
    """An export that would carry what is lacking; one that is here but lacks it was exported without that column."""
    here = isinstance(stock, Foreseen) and source.id in {f.source for f in stock.files}
    return Say(source.zh + "（勾选全部列）" * here, source.en + " with all its columns" * here)


def as_dict(checkup: Checkup, can: int, lacks: list[Lacking], zone: str) -> dict[str, Any]:
    """The checkup as JSON-ready data; docs/doctor.md says what each field means."""
    return {
        "format": FORMAT,
        "timezone": zone,
        "files": [_file(f) for f in checkup.files],
        "joins": [
            {"left": j.link.left, "right": j.link.right, "key": j.link.key, "n": j.n, "found": j.found, "share": j.share,
             "sampled": j.sampled, "right_is_empty": j.empty, "rows_without_key": j.nobody}
            for j in checkup.joins
        ],
        "days": {table: [str(d) for d in days] for table, days in sorted(checkup.days.items())},
        "metrics": {"can_be_computed": can, "wait_for": [
            {"need": x.need, "zh": NEEDS[x.need].zh, "metrics": list(x.metrics), "exports": [e._asdict() for e in x.exports]}
            for x in lacks
        ]},
    }  # fmt: skip


def _file(f: FileCheck) -> dict[str, Any]:
    if f.refused is not None:
        return {"file": f.name, "refused": {"zh": f.refused.text("zh"), "en": f.refused.text("en")}}
    header = f.header and {
        "version": f.header.version, "columns": f.header.columns, "used": f.header.used, "unknown": list(f.header.unknown),
    }  # fmt: skip
    return {
        "file": f.name, "refused": None, "source": f.source, "kind": f.kind._asdict() if f.kind else None,
        "encoding": f.encoding, "header": header, "rows": f.rows, "set_aside": f.set_aside, "tables": f.tables,
        "span": [x.isoformat() for x in f.span] if f.span else None, "imported_before_as": f.known_as,
        "new_columns": list(f.new), "missing_columns": list(f.missing),
        "problems": [{"reason": x.reason, "column": x.column, "n": x.n, "first_row": x.first} for x in f.faults],
        "damaged_ids": f.damaged, "contacts": f.contacts,
        "orders_on_several_rows": {"orders": f.several_rows[0], "rows": f.several_rows[1]},
        "fewer_rows_than": f.before and {
            "import": f.before.load.number, "rows": f.before.load.rows_read, "fewer": round(f.before.fewer, 4),
            "days": [str(f.before.load.first_day), str(f.before.load.last_day)],
        },
        "currencies": f.currencies, "zones": f.zones, "days_without_rows": [str(d) for d in f.gaps], "notes": f.notes,
    }  # fmt: skip


def print_checkup(console: "Console", checkup: Checkup, can: int, lacks: list[Lacking], lang: str) -> None:
    """Conclusions first, then file by file."""
    for line in (*_conclusions(checkup, can, lacks, lang), ""):
        console.print(line, soft_wrap=True)
    whole = [f for f in checkup.files if _nothing_to_say(f)] if len(checkup.files) >= MANY_FILES else []
    for check in checkup.files:
        for line in _file_lines(check, lang) if check not in whole else ():
            console.print(line, soft_wrap=True)
    for line in _together(whole, lang):
        console.print(line, soft_wrap=True)


def _nothing_to_say(f: FileCheck) -> bool:
    return f.refused is None and f.known_as is None and not (f.faults or f.notes or any(_warnings(f, "en")))


def _together(files: list[FileCheck], lang: str) -> Iterator[str]:
    """One line for all files of a source that have nothing to say."""
    for source in dict.fromkeys(f.source for f in files):
        same = [f for f in files if f.source == source]
        rows, days = sum(f.rows for f in same), [d for f in same if f.days for d in f.days]
        span = (f" · {min(days)} 至 {max(days)}" if lang == "zh" else f" · {min(days)} to {max(days)}") if days else ""
        told = f"{len(same):,} 个文件 · {rows:,} 行" if lang == "zh" else f"{_n(len(same), 'file')} · {_n(rows, 'row')}"
        yield f"[bold]{told}[/bold] · {escape(in_language(same[0].kind or '', lang))} · {source}[dim]{span}[/dim]"


def _conclusions(checkup: Checkup, can: int, lacks: list[Lacking], lang: str) -> Iterator[str]:
    zh = lang == "zh"
    read = [f for f in checkup.files if f.refused is None]
    refused = sum(f.refused is not None and not isinstance(f.refused, FileSpared) for f in checkup.files)
    bad, rows = sum(f.set_aside for f in read), sum(f.rows for f in read)
    if not read:
        yield "[bold]" + (f"✗ {refused} 个文件都用不了。" if zh else f"✗ None of {_n(refused, 'file')} can be used.") + "[/bold]"
        return
    lost = sum(x.n for f in read for x in f.faults if x.reason not in NOTHING_TO_MEND)
    sign = "!" if refused or lost else "✓"
    yield (
        f"[bold]{sign} {len(read)} 个文件可以导入：{rows:,} 行 = 可存 {rows - bad:,} + 搁置 {bad:,}"
        f"{f'；{refused} 个文件用不了' if refused else ''}。（没有存入）[/bold]"
        if zh
        else f"[bold]{sign} {_n(len(read), 'file')} can be imported: {_n(rows, 'row')} = {rows - bad:,} can be stored"
        f" + {bad:,} set aside"
        f"{f'; {refused} cannot be used' if refused else ''}. (Nothing was stored.)[/bold]"
    )
    for join in checkup.joins:
        yield _join_line(join, checkup.days, lang)
    yield (f"能算 {can} 个指标。" if zh else f"{_n(can, 'metric')} can be computed.") + (
        "" if not lacks else "还有一些要等：" if zh else " Others wait for:"
    )
    unread = [x for x in lacks if not x.exports]
    for x in lacks:
        if x.exports:
            yield "  · " + escape(lacking_line(x, lang))
    if unread:
        names = ("、" if zh else ", ").join(NEEDS[x.need].zh if zh else x.need for x in unread)
        n = sum(len(x.metrics) for x in unread)
        yield (
            f"  · 还没有来源能读的：{names}（{n} 个指标）。"
            if zh
            else f"  · What no source reads yet: {names} ({_n(n, 'metric')})."
        )


def _n(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _join_line(join: Join, days: dict[str, Days], lang: str) -> str:
    bad, told = said(join, days)
    if bad:
        return f"[yellow]! {in_language(told, lang)}[/yellow]"
    return f"{'✓' if join.share else '·'} {in_language(told, lang)}"


def lacking_line(x: Lacking, lang: str) -> str:
    """What is lacking, how many metrics wait for it, and which export would carry it."""
    zh, n = lang == "zh", len(x.metrics)
    names = [(METRICS[m].zh if zh else METRICS[m].en) for m in x.metrics[:3]]
    some = ("、" if zh else ", ").join(names) + (("等" if zh else " …") if n > 3 else "")
    exports = (" / " if zh else " or ").join(in_language(e, lang) for e in x.exports[:4])
    need = NEEDS[x.need].zh if zh else x.need
    return f"{need}：{n} 个指标（{some}）。导出：{exports}。" if zh else f"{need}: {_n(n, 'metric')} ({some}). Export: {exports}."


def _file_lines(f: FileCheck, lang: str) -> Iterator[str]:
    zh = lang == "zh"
    if f.refused is not None:
        spared = isinstance(f.refused, FileSpared)
        yield f"[dim]· {escape(f.refused.text(lang))}[/dim]" if spared else f"[red]✗ {escape(f.refused.text(lang))}[/red]"
        return
    yield f"[bold]{escape(f.name)}[/bold] · {escape(in_language(f.kind or '', lang))} · {f.source}"
    yield "    [dim]" + escape(" · ".join(_facts(f, lang))) + "[/dim]"
    if f.known_as is not None:
        yield "    " + (
            f"= 第 {f.known_as} 次导入已经读过同一份文件。" if zh else f"= import {f.known_as} read the same file already."
        )
    yield from (f"    {escape(line)}" for line in _warnings(f, lang))
    for x in f.faults:
        known = REASONS.get(x.reason)
        says = x.reason if known is None else f"{known.zh}。{known.fix_zh}。" if zh else f"{known.en}. {known.fix_en}"
        cell = "" if x.column is None else f"「{x.column}」" if zh else f" «{x.column}»"
        at = f"（最早在第 {x.first:,} 行{cell}）" if zh else f" (first in row {x.first:,}{cell})"
        yield f"    {x.n:,} × {escape(says + at)}"
    for note, n in sorted(f.notes.items()):
        if note != "unknown_columns":
            times = "" if note in ONCE else f"{n:,} × "
            yield f"    [dim]{times}{escape(NOTES.get(note, (note, note))[not zh])}[/dim]"


def _facts(f: FileCheck, lang: str) -> list[str]:
    zh = lang == "zh"
    said = [f.encoding or ""]
    if f.header:
        h = f.header
        said.append(
            f"表头 {h.columns} 列，用到 {h.used}（版本 {h.version}）" if zh
            else f"{h.columns} columns, {h.used} used (header {h.version})"
        )  # fmt: skip
    said.append(f"{f.rows:,} 行" if zh else _n(f.rows, "row"))
    if f.span:
        first, last = (x.strftime("%Y-%m-%d %H:%M") if isinstance(x, datetime) else str(x) for x in f.span)
        said.append(first if first == last else f"{first} 至 {last}" if zh else f"{first} to {last}")
    return [part for part in said if part]


def _warnings(f: FileCheck, lang: str) -> Iterator[str]:
    """What is wrong or worth knowing, besides rows that are set aside."""
    zh = lang == "zh"
    for columns, words in ((f.new, ("比以前多了列", "New columns")), (f.missing, ("比以前少了列", "Columns no longer there"))):
        if columns:
            yield f"{words[not zh]}{'：' if zh else ': '}{('、' if zh else ', ').join(columns[:12])}"
    if f.header and f.header.unknown:
        some = ("、" if zh else ", ").join(f.header.unknown[:12]) + ("…" if len(f.header.unknown) > 12 else "")
        yield f"没有用到的列：{some}" if zh else f"Columns not used: {some}"
    if f.before:
        yield in_language(f.before.says, lang)
    if f.gaps:
        some = ("、" if zh else ", ").join(map(str, f.gaps[:6])) + ("…" if len(f.gaps) > 6 else "")
        yield (
            f"中间有 {len(f.gaps)} 天一行也没有：{some}。如果那几天营业，就是漏导了" if zh
            else f"No row at all on {_n(len(f.gaps), 'day')} in between: {some}. If the shop was open, the export lacks them"
        )  # fmt: skip
    for column, n in f.damaged.items():
        how = {
            "scientific": ("科学计数法 {:,} 个", "{:,} in scientific notation"),
            "rounded": ("末位变成 0 {:,} 个", "{:,} rounded"),
        }
        some = ("、" if zh else ", ").join(words[not zh].format(n[kind]) for kind, words in how.items() if n[kind])
        yield f"「{column}」被 Excel 改坏：{some}" if zh else f"«{column}» was spoiled by Excel: {some}"
    hidden = {"masked": ("打了星号", "masked"), "cipher": ("是密文", "encrypted"), "virtual": ("是虚拟号", "virtual numbers")}
    for column, kinds in f.contacts.items():
        said = [f"{kinds[k]:,} {w[not zh]}" for k, w in hidden.items() if kinds[k]]
        if said:
            total = sum(kinds.values()) - kinds["empty"]
            yield (f"「{column}」{total:,} 个里 " if zh else f"«{column}»: of {total:,}, ") + ("、" if zh else ", ").join(said)
    if f.several_rows[0] and not f.tables.get("order_lines"):
        yield ("{:,} 个订单各占多行（共 {:,} 行）" if zh else "{:,} orders are on several rows ({:,} rows)").format(
            *f.several_rows
        )
    if len(f.currencies) > 1:
        told_ = "、".join(f"{c} {n:,}" for c, n in f.currencies.items())
        yield f"混了几种货币：{told_}" if zh else f"Several currencies: {told_}"
    if len(f.zones) > 1:
        told_ = "、".join(f"{z or ('没写' if zh else 'none')} {n:,}" for z, n in f.zones.items())
        yield f"时间混了几个时区：{told_}" if zh else f"Times of several zones: {told_}"
